"""The words of advice (track A) are erased when the board's term has passed. What is coded remains: the statistics."""

import calendar
import datetime as dt
import logging
import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import Unit
from helpline.people.workdays import local
from intake.actions.board import months_of_words
from intake.actions.timeline import record
from intake.models import Call, Case, ConcernReport, Event, Note

Rows = QuerySet[Any]  # calls or cases, with `last_entry`: the time of the last entry
BATCH = 50
# Events that are no entry about the person: that a colleague looked or made a text, that words or a number are gone, what
# belongs together.
NO_ENTRY = [
    *("case.opened_by_other", "words.erased", "text.made", "number.erased", "case.linked", "case.unlinked"),
    *("extract.decided", "extract.made"),
    *("opening.made", "opening.reviewed", "step.given_back"),
    *("case.unclaimed", "retention.held", "retention.released"),
]
logger = logging.getLogger(__name__)


def erase_words() -> int:
    """Erase the words that the board's term has passed for, in every municipality. Returns how many calls and cases.

    Two at once never hold the same row; a crash is a rollback of one batch, and the next run goes on.
    """
    erased = 0
    for municipality in Unit.objects.order_by().values_list("municipality", flat=True).distinct():
        before = _first_kept(months_of_words(municipality))
        for due in (_calls(municipality, before), _cases(municipality, before)):
            erased += _in_batches(due)
    return erased


def words_go_on(row: Call | Case) -> dt.date | None:
    """The day on which the words of a finished call or a closed case on track A are erased; None where they are not, or are
    already. A call that has a case goes with its case."""
    if row.track != "A" or row.is_forgotten:
        return None
    if isinstance(row, Call) and row.case is not None:
        return words_go_on(row.case)
    found = _last_entry(row)
    return months_later(clock.local_date(found), months_for(row)) if found else None


def months_for(row: Call | Case) -> int:
    """How many months the words of a call or a case on track A are kept; read with the row, or asked for now."""
    if "months_decided" in row.__dict__:
        return row.__dict__["months_decided"] or settings.ADVICE_WORDS_MONTHS
    return months_of_words(row.unit.municipality_id)


def _last_entry(row: Call | Case) -> dt.datetime | None:
    """When the last entry was made, of what is ended and advice alone; read with the row (entry_facts), or asked for now."""
    if "last_entry" in row.__dict__ and isinstance(row, Case):
        last: dt.datetime | None = None if row.is_open or is_kept(row) else row.__dict__["last_entry"]
        return last
    rows = _finished() if isinstance(row, Call) else _closed()
    return rows.filter(pk=row.pk).values_list("last_entry", flat=True).first()


def is_kept(row: Call | Case) -> bool:
    """Whether the words of a call or a case on track A stay all the same, since more than advice is documented."""
    case = row if isinstance(row, Case) else row.case
    if case is not None and "is_documented" in case.__dict__:
        return bool(case.__dict__["is_documented"])
    return case is not None and Case.objects.filter(documented(), pk=case.pk).exists()


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day of a later month, or the last day of that month (lag 1930:173 1 §)."""
    month = day.year * 12 + day.month - 1 + months
    year, month = month // 12, month % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def _first_kept(months: int) -> dt.datetime:
    """The moment from which an entry is still kept today: all that is older has reached its day."""
    day = months_later(clock.today(), -months)
    while months_later(day, months) <= clock.today():
        day += dt.timedelta(days=1)
    return local(day, dt.time())


def _latest(rows: Rows) -> Subquery:
    return Subquery(rows.order_by("-at").values("at")[:1], output_field=DateTimeField())


def _finished() -> Rows:
    """Finished calls on track A that have no case, with the time of their last entry."""
    end = Coalesce("completed_at", "voided_at")
    rows = Call.objects.filter(track="A", case__isnull=True, key__wrapped__isnull=False).exclude(
        completed_at__isnull=True, voided_at__isnull=True
    )
    notes = _latest(Note.objects.filter(call=OuterRef("pk")))
    return rows.annotate(last_entry=Greatest(end, Coalesce(notes, end)))


def documented() -> Q:
    """The cases that were more than advice at some time, whatever they are now (SoL 16:1): a call or the case itself on
    another track, or a report of concern with what was assessed and decided on it (SoL 20)."""
    calls = Call.objects.filter(case=OuterRef("pk")).exclude(track="A")
    changes = Event.objects.filter(case=OuterRef("pk"), kind="track.changed")
    changes = changes.filter(~Q(codes__track="A") | ~Q(codes__was="A"))
    return Q(Exists(calls)) | Q(Exists(changes)) | Q(Exists(ConcernReport.objects.filter(case=OuterRef("pk"))))


def entry_facts() -> dict[str, Any]:
    """Of a case: the time of its last entry, empty where it is not closed, and whether it was more than advice."""
    return {
        "last_entry": Greatest("closed_at", Coalesce(_latest(_entries()), "closed_at")),
        "is_documented": ExpressionWrapper(documented(), BooleanField()),
    }


def _entries() -> Rows:
    return Event.objects.filter(case=OuterRef("pk")).exclude(kind__in=NO_ENTRY)


def _closed() -> Rows:
    """Closed cases that were advice throughout, with the time of their last entry. What was documented on another track is
    kept as the law says, also where the case went down to A later; so is a case with a report of concern."""
    rows = Case.objects.filter(~documented(), track="A", closed_at__isnull=False, key__wrapped__isnull=False)
    return rows.annotate(last_entry=entry_facts()["last_entry"])


def _calls(municipality: str, before: dt.datetime) -> Rows:
    return _finished().filter(unit__municipality=municipality, last_entry__lt=before)


def _cases(municipality: str, before: dt.datetime) -> Rows:
    """Without those that a call is still going on about: it will be an entry."""
    unfinished = Call.objects.unfinished().filter(case__isnull=False).values("case")
    return _closed().filter(unit__municipality=municipality, last_entry__lt=before).exclude(pk__in=unfinished)


def _in_batches(due: Rows) -> int:
    erased, failed = 0, set[uuid.UUID]()
    while True:
        with transaction.atomic():
            rows = list(
                due.exclude(pk__in=failed)
                .select_related("key")
                .order_by("pk")
                .select_for_update(skip_locked=True, of=("self", "key"))[:BATCH]
            )
            for row in rows:
                try:
                    with transaction.atomic():
                        if due.filter(pk=row.pk).exists():  # asked again now that it is held: a call may have joined
                            erased += _erase(row)
                except Exception as error:  # one row that cannot be erased keeps no other waiting
                    logger.error("words could not be erased: %s", type(error).__name__)
                    failed.add(row.pk)
        if len(rows) < BATCH:
            return erased


def _erase(row: Call | Case) -> int:
    """Destroy the keys of a call, or of a case and its calls. Returns how many were destroyed."""
    if isinstance(row, Case):
        calls = _forget(row.calls.select_related("key").select_for_update(of=("self", "key")))
        record("words.erased", by=None, case=row, row=row.pk)
        return calls + row.key.destroy()
    return _forget([row])


def _forget(calls: Iterable[Call]) -> int:
    erased = 0
    for call in calls:
        if call.key.destroy():
            log("words.erased", by=None, case=call.case_id, call=call.pk, row=call.pk)
            erased += 1
    return erased
