"""A handover of a case of the bench: ended with a closed case; with an open one the agency answers, or is in touch."""

from helpline.bench.facts import A_DAY, MEASURED, NEEDS, Facts
from helpline.bench.rows import NULL, moment
from helpline.bench.sealing import Key, Place
from helpline.bench.writing import Writing
from intake.models import FollowUp
from referrals.models import Referral
from referrals.states import MOVES, REFERRAL, UNANSWERED

ASK, HAPPENED, WANTS, WHAT = (
    *(Place(Referral, name) for name in ("ask", "happened", "wants")),
    Place(FollowUp, "what"),
)
RUNGS = ["nudge", "deputy", "owner", "manager", "expire"]
ENDED = ["send", "accept", "contact", "complete"]
NOW = [["send"], ["send", "open"], ["send", "open", "accept"]]  # of an open case, as it stands today


def hand_over(write: Writing, facts: Facts, case: str, key: Key, at: float, due: float) -> float:
    """One referral with its changes, and of an open case the step that waits for the agency. When that is due."""
    dice = write.dice
    moves = dice.choice(NOW) if facts.open else ENDED
    if facts.open:
        at = write.now - dice.random() * 5 * A_DAY
    agency = _agency(write, facts)
    pk, need = write.id(at), dice.choice(NEEDS)
    answer_due, contact_due = due, due + 7 * A_DAY
    state, ended = MOVES[moves[-1]].target, NULL if facts.open else moment(at + 4 * A_DAY)
    words = [key.seal(place, pk, write.words(2)) for place in (ASK, HAPPENED, WANTS)]
    write.referrals.add(
        *(pk, case, write.at.units[facts.unit], write.at.agencies[agency], need, state, facts.urgency, facts.age),
        *("DEIDENT", *words),
        *(moment(at), facts.owner, moment(at), moment(answer_due), moment(contact_due), ended),
    )
    _changes(write, facts, pk, case, key, at, moves, write.at.names[agency])
    if not facts.open:
        return due
    waits_for = MOVES["send" if state in UNANSWERED else "accept"].step
    assert waits_for is not None
    step_due = answer_due if state in UNANSWERED else contact_due
    step, codes = write.id(at), f'{{"agency": "{write.at.names[agency]}"}}'
    write.steps.add(
        *(step, case, facts.owner, waits_for.kind, r"\\x", codes, moment(step_due), REFERRAL, "t", pk),
        *("planned", moment(at), NULL, NULL),
    )
    if state in UNANSWERED:
        _ladder(write, pk, answer_due)
    return step_due


def _agency(write: Writing, facts: Facts) -> int:
    """Of the measured unit's open cases every third is with the measured agency, whose inbox then is alike at every size."""
    if facts.open and facts.number < 40 * MEASURED and facts.number % 3 == 0:
        return 0
    rest = len(write.at.agencies) - 1
    return 1 + facts.number % rest if facts.open else facts.number % (rest + 1)


def _changes(
    write: Writing, facts: Facts, pk: str, case: str, key: Key, at: float, moves: list[str], agency: str
) -> None:
    state = "draft"
    for number, name in enumerate(moves):
        move, when = MOVES[name], at + number * 3_600
        by = facts.owner if name == "send" else write.at.partner
        write.changes.add(write.id(when), pk, moment(when), by, name, state, move.target)
        role = "caseworker" if name == "send" else "partner"
        write.told(move.event, case, key, when, by, row=pk, role=role, said={"agency": agency})
        state = move.target


def _ladder(write: Writing, pk: str, due: float) -> None:
    for number, rung in enumerate(RUNGS):
        at = due + number * A_DAY
        fired = at <= write.now
        write.rungs.add(pk, rung, moment(at), "fired" if fired else "scheduled", moment(at) if fired else NULL)
