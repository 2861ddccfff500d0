"""Forgetting one case, or one call without a case: which rows go in which order, and the anonymous row that remains.

A table that hangs on a case or a call stands in GOES, children before what they hang on; a test compares it with the models,
and the database refuses what was left out (foreign keys) or is not approved (triggers).
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from helpline.people import clock
from helpline.people.models import Notice
from helpline.sums import counted_calls
from intake.models import Bounce, Call, Case, Note, PastCase
from referrals.models import Referral, StateChange


@dataclass(frozen=True)
class Rows:
    """The rows of one table that go: the ways from it to their case, and to their call."""

    model: str
    case: tuple[str, ...] = ()
    call: tuple[str, ...] = ()

    def of(self, target: "Case | Call", calls: list[uuid.UUID]) -> QuerySet[Any]:
        """The rows of a case and its calls, or of a call. People who were taken off a list are rows too."""
        query = Q(pk__in=[])
        for path in self.call:
            query |= Q(**{f"{path}__in": calls})
        for path in self.case if isinstance(target, Case) else ():
            query |= Q(**{path: target.pk})
        return apps.get_model(self.model)._base_manager.filter(query)


_REFERRAL = ("referral__case",)
GOES: tuple[Rows, ...] = (
    Rows("intake.SearchMark", ("case", "person__case"), ("call",)),
    Rows("intake.SecrecyDecision", ("case",), ("call",)),
    Rows("intake.ShiftHandover_steps", ("followup__case",)),
    Rows("intake.Reminder", ("step__case",)),
    Rows("referrals.Disclosure", ("case",)),
    Rows("referrals.Message", _REFERRAL),
    Rows("referrals.AskedAgain", _REFERRAL),
    Rows("referrals.QualityComment", _REFERRAL),
    Rows("referrals.CallerAnswer", _REFERRAL),
    Rows("referrals.SilenceRung", _REFERRAL),
    Rows("referrals.FirstLook", _REFERRAL),
    Rows("referrals.StateChange", _REFERRAL),
    Rows("referrals.Referral", ("case",)),
    Rows("referrals.Consent", ("case",)),
    Rows("referrals.PreAnswer", ("question__case",)),
    Rows("referrals.PreQuestion", ("case",)),
    Rows("referrals.Signposting", ("case",), ("call",)),
    Rows("intake.Bounce", ("case",), ("call",)),
    Rows("intake.Event", ("case",)),
    Rows("intake.FollowUp", ("case",)),
    Rows("intake.ChildClock", ("report__case",)),
    Rows("intake.ConcernReport", ("case",)),
    Rows("intake.CaseOpening", ("case",)),
    Rows("intake.NamedAccess", ("case",)),
    Rows("intake.LockedOut", ("case",)),
    Rows("intake.CaseLink", ("one", "other")),
    Rows("intake.Person", ("case",)),
    Rows("intake.AcuteMeasure", (), ("call",)),
    Rows("intake.Answer", (), ("call",)),
    Rows("intake.Claim", ("case",), ("call",)),
    Rows("intake.Note", ("case",), ("call",)),
    Rows("intake.Call", ("case",), ("pk",)),
    Rows("intake.Case", ("pk",)),
)
# What names a case or a call without a foreign key, or stays for another reason: what becomes of it.
STAYS = {
    "people.LogEntry": "codes alone; who looked is shown as long as the log is kept",
    "people.DisposalItem": "the record of the disposal: the number, never a name",
    "people.DataKey": "the destroyed key: nothing leads from it to a case",
    "people.Notice": "taken away by `remove`: it names the case, or a row of it",
}


def remove(target: Case | Call) -> None:
    """Take away every row of a case with its calls, or of a call without a case, and destroy the keys. The transaction must
    be that of an approved item (`DisposalItem.doing`): the triggers ask."""
    calls = list(target.calls.all()) if isinstance(target, Case) else [target]
    ids = [call.pk for call in calls]
    keys = [target.key, *(call.key for call in calls if call.pk != target.pk)]
    _notices(target, ids).delete()
    for rows in GOES:
        found = rows.of(target, ids)
        _remove_notes(found) if rows.model == "intake.Note" else found.delete()
    for key in keys:
        key.destroy()


def _remove_notes(notes: QuerySet[Note]) -> None:
    """What hangs under a note before the note."""
    while notes.filter(amendments__isnull=True).delete()[0]:
        pass


def _notices(target: Case | Call, calls: list[uuid.UUID]) -> QuerySet[Notice]:
    """Notices about it, or about a row of it: a step, a handover, a first look, a question without a name."""
    about = {
        str(pk) for rows in GOES if rows.model in ABOUT for pk in rows.of(target, calls).values_list("pk", flat=True)
    }
    return Notice.objects.filter(Q(case=target.pk) | Q(about__in=about))


ABOUT = {
    *("intake.FollowUp", "referrals.Referral", "referrals.FirstLook", "referrals.PreAnswer", "referrals.PreQuestion"),
    *("referrals.QualityComment", "referrals.Message"),
}


# -- what remains ------------------------------------------------------------------------------------------------------


def quarter(moment: dt.datetime) -> dt.date:
    """The first day of the quarter of a moment, in Sweden."""
    day = clock.local_date(moment)
    return dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def past_of(target: Case | Call) -> PastCase | None:
    """The anonymous row of a case or a call, not saved: coded facts, and the quarter as the only time. None of a call that was
    taken away, which nothing ever counted."""
    if isinstance(target, Call) and target.completed_at is None:
        return None
    row = PastCase(unit=target.unit, municipality=target.municipality)
    for name in ("caller_type", "track", "milieu", "age_band", "urgency"):
        setattr(row, name, getattr(target, name))
    if isinstance(target, Call):
        row.is_call, row.calls = True, 1
        row.opened_quarter = quarter(target.received_at)
        row.bounces = Bounce.objects.filter(call=target).count()
        return row
    sent = Referral.objects.filter(case=target, sent_at__isnull=False)
    row.opened_quarter = quarter(target.opened_at)
    row.closed_quarter = quarter(target.closed_at) if target.closed_at else None
    row.closing_reason = target.closing_reason
    row.calls, row.handovers = counted_calls().filter(case=target).count(), sent.count()
    row.bounces = Bounce.objects.of(target).count()
    row.days_to_contact = _days_to_contact(target, sent)
    return row


def _days_to_contact(case: Case, sent: QuerySet[Referral]) -> int | None:
    """Whole days from the first handover to the first contact that an agency had; None where there was none."""
    first = sent.order_by("sent_at").values_list("sent_at", flat=True).first()
    contacts = StateChange.objects.filter(referral__case=case, move="contact").order_by("at")
    contact = contacts.values_list("at", flat=True).first()
    return max((contact - first).days, 0) if first and contact else None
