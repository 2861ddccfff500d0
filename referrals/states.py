"""The states of a referral as one table: who moves it from where to where, whom to tell, and what it leaves on the case."""

from dataclasses import dataclass

OWNER, AGENCY, SYSTEM = "owner", "agency", "system"

STATES = [
    *("draft", "sent", "opened", "question", "accepted", "contact_booked", "on_hold", "contact_made", "completed"),
    *("declined", "expired", "returned", "failed", "withdrawn"),
]
UNANSWERED = {"sent", "opened"}  # the agency's time runs
TAKEN_ON = {"accepted", "contact_booked", "on_hold", "contact_made"}  # one leading handover of a need, no more
OPEN = {*UNANSWERED, "question", *TAKEN_ON}
SEEN_BY_AGENCY = OPEN
CAME_BACK = {"declined", "expired", "returned", "failed", "withdrawn"}  # in our hands again


@dataclass(frozen=True)
class Step:
    """The next step that a move leaves on the case. Keeper: who alone ends it; "": whoever has it. due: which time it has
    (deadlines.DUE)."""

    kind: str
    keeper: str
    others_turn: bool  # the agency acts; else the case's owner
    due: str

    @property
    def kept(self) -> bool:
        return bool(self.keeper)


@dataclass(frozen=True)
class Move:
    """From these states to that one, by these, telling those; `event` goes to timeline, log and notice."""

    name: str
    sources: frozenset[str]
    target: str
    who: frozenset[str]
    event: str
    tells: frozenset[str]
    step: Step | None = None  # none: the step of the state before goes on


# Steps that only the referral ends; the one that only an answer of the caller ends; and that only "they have stopped" ends.
REFERRAL, ASKING, STOPPING = "referrals", "asking", "stopping"

_AWAIT_ANSWER = Step("await_answer", REFERRAL, others_turn=True, due="answer_due")
_AWAIT_CONTACT = Step("await_contact", REFERRAL, others_turn=True, due="contact_due")
_BOOKED = Step("booked_contact", REFERRAL, others_turn=True, due="contact_at")
_THREE_WAY = Step("three_way_call", REFERRAL, others_turn=False, due="contact_at")
_MISSED = Step("missed_contact", REFERRAL, others_turn=False, due="back_soon")
_HELD = Step("held_until", REFERRAL, others_turn=True, due="hold_until")
_TELL_THEM = Step("answer_question", REFERRAL, others_turn=False, due="next_working_day")
_CHOOSE_NEXT = Step("choose_next", "", others_turn=False, due="next_working_day")
_ASK_CALLER = Step("confirm_contact", ASKING, others_turn=False, due="ask_week")

# name, from, to, who, tells, the step that it leaves
# Steps of ours beside the one that a move leaves, and the states in which each is needed: any other ends it.
NEEDED_IN = {
    "bring_handover": UNANSWERED,
    "bring_answer": UNANSWERED,
    "give_contact": TAKEN_ON - {"contact_made"},
}
MUST_STOP = {"withdraw", "fail", "caller_no", "expire"}  # not their own doing: who has no account has to be told

_ROWS: list[tuple[str, str, str, str, str, Step | None]] = [
    ("send", "draft", "sent", "owner", "agency", _AWAIT_ANSWER),
    ("open", "sent", "opened", "agency", "", None),
    ("accept", "sent opened question", "accepted", "agency owner", "owner", _AWAIT_CONTACT),
    ("decline", "sent opened question", "declined", "agency owner", "owner", _CHOOSE_NEXT),
    ("ask", "sent opened", "question", "agency owner", "owner", _TELL_THEM),
    ("answer", "question", "opened", "owner", "agency", _AWAIT_ANSWER),
    ("book", "accepted contact_booked", "contact_booked", "agency owner", "owner agency", _BOOKED),
    ("book_warm", "accepted contact_booked", "contact_booked", "agency owner", "owner agency", _THREE_WAY),
    ("miss", "accepted contact_booked", "accepted", "agency owner system", "owner agency", _MISSED),
    ("contact", "accepted contact_booked on_hold", "contact_made", "agency owner", "owner", _ASK_CALLER),
    ("hold", "accepted contact_booked", "on_hold", "agency owner", "owner agency", _HELD),
    ("resume", "on_hold", "accepted", "agency owner system", "owner agency", _AWAIT_CONTACT),
    ("complete", "contact_made", "completed", "agency owner system", "owner", None),
    ("return", "accepted contact_booked on_hold contact_made", "returned", "agency owner", "owner", _CHOOSE_NEXT),
    ("fail", "accepted contact_booked on_hold contact_made", "failed", "agency owner", "owner agency", _CHOOSE_NEXT),
    # The caller says that it did not help, or that nobody called: also after the agency has finished.
    ("caller_no", "contact_made completed", "failed", "owner", "owner agency", _CHOOSE_NEXT),
    ("expire", "sent opened", "expired", "system", "owner agency", _CHOOSE_NEXT),
    # The owner does not wait for ever; a consent, an access or an agency can end. The agency confirms that it has stopped.
    (
        *("withdraw", "sent opened question accepted contact_booked on_hold contact_made", "withdrawn"),
        *("owner system", "owner agency", _CHOOSE_NEXT),
    ),
    ("confirm", "withdrawn", "withdrawn", "agency owner", "owner", None),
]
_EVENTS = {
    "send": "sent",
    "open": "opened",
    "accept": "accepted",
    "decline": "declined",
    "ask": "question",
    "answer": "answered",
    "book": "booked",
    "book_warm": "booked_warm",
    "miss": "missed",
    "contact": "contact_made",
    "hold": "held",
    "resume": "resumed",
    "complete": "completed",
    "return": "returned",
    "fail": "failed",
    "caller_no": "caller_no",
    "expire": "expired",
    "withdraw": "withdrawn",
    "confirm": "confirmed",
}
MOVES: dict[str, Move] = {
    name: Move(
        name,
        frozenset(sources.split()),
        target,
        frozenset(who.split()),
        f"referral.{_EVENTS[name]}",
        frozenset(tells.split()),
        step,
    )
    for name, sources, target, who, tells, step in _ROWS
}


def moves_from(state: str, who: str) -> list[Move]:
    """What this one may do now."""
    return [move for move in MOVES.values() if state in move.sources and who in move.who]


def steps_between_states() -> list[str]:
    """Every change of state that a move makes, as "from>to": what the database lets happen, and nothing else."""
    pairs = {f"{source}>{move.target}" for move in MOVES.values() for source in move.sources if source != move.target}
    return sorted(pairs)
