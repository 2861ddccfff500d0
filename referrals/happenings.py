"""What has happened with a handover, as lines in the order of their time: its moves, what silence led to, what was said."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people.templatetags.people import say_day
from referrals.labels import CALLER_ANSWERS, CARD, CLIMBED, EVENTS, NUDGED_AGAIN
from referrals.models import Referral, SilenceRung, StateChange
from referrals.states import MOVES

TAKEN_BACK = gettext_lazy("We took the handover back")
WAYS = {"phone": gettext_lazy("by phone"), "link": gettext_lazy("by a link, without an account")}


@dataclass(frozen=True)
class Happening:
    """One line: when, what, more about it, who."""

    at: dt.datetime
    words: str
    more: list[str] = field(default_factory=list)
    text: str = ""
    who: str = ""
    move: str = ""
    is_answer: bool = False  # of the caller


def happenings(referral: Referral) -> list[Happening]:
    """All of them, oldest first. As many questions, however many there are."""
    found = [*_moves(referral), *_rungs(referral), *_ticks(referral), *_asked_again(referral), *_answers(referral)]
    return sorted(found, key=lambda one: one.at)


def _moves(referral: Referral) -> Iterable[Happening]:
    rested = dict(referral.case.events.filter(kind="referral.held").values_list("codes__of", "codes__until"))
    for change in referral.changes.select_related("by", "suggested").order_by("at", "id"):
        more = [change.reason_name] if change.reason else []
        if change.suggested:
            more.append(_("They suggest %(agency)s.") % {"agency": change.suggested})
        elif change.move in {"decline", "return"}:
            more.append(_("They do not know who could help instead."))
        yield Happening(
            change.at, _moved(change, referral, rested.get(change.pk.hex)), more, change.text, _by(change), change.move
        )


def _moved(change: StateChange, referral: Referral, until: str | None) -> str:
    """One change in words; what was taken back was not left unanswered. `until`: the day until which it rested."""
    day = say_day(dt.date.fromisoformat(until)) if until else _("a certain day")
    old: Any = TAKEN_BACK if change.move == "take_back" else None  # as it was called before
    return str(old or EVENTS[MOVES[change.move].event]) % {"agency": referral.agency, "until": day}


def _by(change: StateChange) -> str:
    who = str(change.by) if change.by else ("" if change.way == "link" else _("The system"))
    return ", ".join(str(part) for part in (who, WAYS.get(change.way, "")) if part)


def _rungs(referral: Referral) -> Iterable[Happening]:
    """What was climbed; the last rung is a move of its own."""
    again = set(referral.case.events.filter(kind=NUDGED_AGAIN).values_list("codes__of", flat=True))
    for row in referral.rungs.filter(state=SilenceRung.State.FIRED, rung__in=CLIMBED):
        assert row.fired_at is not None  # the constraint rung_fired_whole says so
        words = str(EVENTS[NUDGED_AGAIN if row.pk in again else CLIMBED[row.rung]]) % {"agency": referral.agency}
        yield Happening(row.fired_at, words, who=_("The system"))


def _ticks(referral: Referral) -> Iterable[Happening]:
    words = str(EVENTS["referral.ticked"]) % {"agency": referral.agency}
    for at, who in ((referral.owner_spoke_at, _("The support line")), (referral.agency_spoke_at, str(referral.agency))):
        if at:
            yield Happening(at, words, who=who)


def _asked_again(referral: Referral) -> Iterable[Happening]:
    for row in referral.asked_again.select_related("by"):
        parts = [str(CARD.get(code, _("Something else"))) for code in row.what]
        words = str(EVENTS["referral.asked_again"]) % {"agency": referral.agency}
        yield Happening(row.at, words, [", ".join(parts)], row.text, str(row.by))


def _answers(referral: Referral) -> Iterable[Happening]:
    for row in referral.caller_answers.select_related("by"):
        said = {"agency": referral.agency, "said": CALLER_ANSWERS[row.answer]}
        yield Happening(row.at, str(EVENTS["caller.answered"]) % said, text=row.text, who=str(row.by), is_answer=True)
