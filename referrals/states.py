"""The states of a referral as one table: who moves it from where to where, whom to tell, and what it leaves on the case."""

import datetime as dt
from dataclasses import dataclass

from helpline.people import clock
from helpline.people.workdays import add_working_days, local

OWNER, AGENCY, SYSTEM = "owner", "agency", "system"

SEEN_BY_AGENCY = {"sent", "opened", "question", "accepted", "contact_made"}
UNANSWERED = {"sent", "opened"}
OPEN = {"sent", "opened", "question", "accepted", "contact_made"}


@dataclass(frozen=True)
class Step:
    """The next step that a move leaves on the case. Kept: only the referral ends it. due: which time it has."""

    kind: str
    kept: bool
    others_turn: bool  # the agency acts; else the case's owner
    due: str  # answer_due | contact_due | next_working_day | in_five_days


@dataclass(frozen=True)
class Move:
    """From these states to that one, by these, telling this one; `event` goes to timeline, log and notice."""

    name: str
    sources: frozenset[str]
    target: str
    who: frozenset[str]
    event: str
    tells: str = ""
    step: Step | None = None
    keeps_step: bool = False  # the step of the state before goes on


def _move(name: str, sources: str, target: str, who: str, event: str, **rest: object) -> Move:
    return Move(name, frozenset(sources.split()), target, frozenset(who.split()), event, **rest)  # type: ignore[arg-type]


MOVES: dict[str, Move] = {
    move.name: move
    for move in [
        _move(
            "send",
            "draft",
            "sent",
            "owner",
            "referral.sent",
            tells=AGENCY,
            step=Step("await_answer", True, True, "answer_due"),
        ),
        _move("open", "sent", "opened", "agency", "referral.opened", keeps_step=True),
        _move(
            *("accept", "sent opened", "accepted", "agency", "referral.accepted"),
            tells=OWNER,
            step=Step("await_contact", True, True, "contact_due"),
        ),
        _move(
            *("decline", "sent opened", "declined", "agency", "referral.declined"),
            tells=OWNER,
            step=Step("choose_next", False, False, "next_working_day"),
        ),
        _move(
            *("ask", "sent opened", "question", "agency", "referral.question"),
            tells=OWNER,
            step=Step("answer_question", True, False, "next_working_day"),
        ),
        _move(
            *("answer", "question", "opened", "owner", "referral.answered"),
            tells=AGENCY,
            step=Step("await_answer", True, True, "answer_due"),
        ),
        _move(
            *("contact", "accepted", "contact_made", "agency owner", "referral.contact_made"),
            tells=OWNER,
            step=Step("confirm_contact", False, False, "in_five_days"),
        ),
        _move(
            "complete", "contact_made", "completed", "agency owner", "referral.completed", tells=OWNER, keeps_step=True
        ),
        _move(
            *("expire", "sent opened", "expired", "system", "referral.expired"),
            tells=OWNER,
            step=Step("choose_next", False, False, "next_working_day"),
        ),
        # The owner does not wait for ever: a question that needs no answer, or an acceptance that nothing followed.
        _move(
            *("take_back", "sent opened question accepted", "expired", "owner", "referral.expired"),
            tells=AGENCY,
            step=Step("choose_next", False, False, "next_working_day"),
        ),
    ]
}
STATES = ["draft", "sent", "opened", "question", "accepted", "contact_made", "completed", "declined", "expired"]

# How soon an agency is to answer, and to have had contact: working days and the time of day; none: two hours, at any hour.
ANSWER_IN: dict[str, tuple[int, dt.time] | None] = {
    "AKUT": None,
    "BRADSKANDE": (1, dt.time(12)),
    "SKYNDSAM": (2, dt.time(12)),
    "NORMAL": (3, dt.time(16)),
}
ACUTE = dt.timedelta(hours=2)
ASK_CALLER_AFTER = 5  # days, then the next working day: within three to seven


def answer_due(urgency: str, moment: dt.datetime) -> dt.datetime:
    """When an answer is due that is asked for at `moment`."""
    rule = ANSWER_IN[urgency]
    if rule is None:
        return moment + ACUTE
    return local(add_working_days(clock.local_date(moment), rule[0]), rule[1])


def latest_contact(urgency: str, moment: dt.datetime) -> dt.datetime:
    """The latest time that an agency may promise its first contact for: a day where acute, else ten working days."""
    if urgency == "AKUT":
        return moment + dt.timedelta(days=1)
    return local(add_working_days(clock.local_date(moment), 10), dt.time(23, 59))


def next_working_day(urgency: str, moment: dt.datetime) -> dt.datetime:
    """When what came back to us is due: the next working morning; within the hour where life may be at stake."""
    if urgency == "AKUT":
        return moment + dt.timedelta(hours=1)
    return local(add_working_days(clock.local_date(moment), 1), dt.time(9))


def ask_caller_due(moment: dt.datetime) -> dt.datetime:
    """When the caller is asked: three to seven days after the contact, on a working day where there is one."""
    day = clock.local_date(moment)
    asked = add_working_days(day + dt.timedelta(days=ASK_CALLER_AFTER), 0)
    return local(min(asked, day + dt.timedelta(days=7)), dt.time(10))


def moves_from(state: str, who: str) -> list[Move]:
    """What this one may do now."""
    return [move for move in MOVES.values() if state in move.sources and who in move.who]
