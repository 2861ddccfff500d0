"""What must be done at once: ticked with the time, given its reference, or explained. Nothing of it is taken back."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake import triage
from intake.actions.timeline import lock_call, record
from intake.models import AcuteMeasure, Call, Case


def write_measures(
    *,
    by: User,
    call: Call,
    done: Collection[str] = (),
    references: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
) -> None:
    """Tick lines as done now, write their reference, or why they cannot be done. Raises Refused or TooLate.

    A stamp stays as it was made; what is wrong with it is told in words beside it. While the call goes on its words can be
    changed as all others can; once it is completed, words are only added, and each stands in the timeline.
    """
    with transaction.atomic():
        call = _held(call)
        write_held(by, call, done, references or {}, reasons or {})
        if not call.is_finished:
            call.saved_at = clock.now()
            call.save(update_fields=["saved_at"])


def write_held(
    by: User, call: Call, done: Collection[str], references: Mapping[str, str], reasons: Mapping[str, str]
) -> None:
    """What `write_measures` does, in a call that is held already."""
    rows = {row.kind: row for row in call.measure_rows}
    known = triage.codes("acute_lines")
    for kind in sorted({*done, *references, *reasons}, key=lambda kind: known.index(kind) if kind in known else -1):
        if kind not in known:
            raise Refused(_("There is no such line in the list of what is acute."))
        row = rows.setdefault(kind, AcuteMeasure(call=call, kind=kind, by=by, at=clock.now()))
        for event, text in _change(row, kind in done, references.get(kind), reasons.get(kind)):
            _keep(by, row, event, text)
    call.measure_rows = [row for row in rows.values() if row.done_at or row.why_not]


def tell_measures(by: User, case: Case, call: Call) -> None:
    """What was done at once, and what was not, in the timeline of the case that the call now belongs to."""
    for row in call.measure_rows:
        words = [_("Reference: %(reference)s") % {"reference": row.reference}] if row.reference else []
        text = "\n".join([*words, *([row.why_not] if row.why_not else [])])
        _tell("measure.done" if row.done_at else "measure.explained", by, case, row, text)


def _held(call: Call) -> Call:
    held = lock_call(call)
    if held.voided_at is not None:
        raise TooLate(_("This call is taken away."))
    return held


def _change(row: AcuteMeasure, done: bool, reference: str | None, why: str | None) -> list[tuple[str, str]]:
    """Change the row, and say what happened: (event, words)."""
    happened = []
    if done and row.done_at is None:
        row.done_at = clock.now()
        happened.append(("measure.done", ""))
    if reference is not None and _is_news(row, row.reference, reference):
        if row._state.adding and row.done_at is None:
            raise Refused(_("Tick the line before you write its reference."), at=f"ref.{row.kind}")
        row.reference = _with(row, row.reference, reference.strip(), ", ")
        happened.append(("measure.referenced", reference.strip()))
    if why is not None and _is_news(row, row.why_not, why):
        row.why_not = _with(row, row.why_not, why.strip(), "\n")
        happened.append(("measure.corrected" if row.done_at else "measure.explained", why.strip()))
    return happened


def _is_news(row: AcuteMeasure, before: str, text: str) -> bool:
    """Whether words say something that does not stand there; of a completed call, the empty say nothing."""
    if row.call.is_finished:
        return bool(text.strip()) and text.strip() not in (before, before.split("\n")[-1])
    return text.strip() != before


def _with(row: AcuteMeasure, before: str, text: str, joint: str) -> str:
    """New words in place of the old while the call goes on, and after them once it is completed."""
    return f"{before}{joint}{text}" if row.call.is_finished and before else text


def _keep(by: User, row: AcuteMeasure, event: str, text: str) -> None:
    row.by = by
    if row.done_at or row.why_not:
        row.save()
    elif not row._state.adding:  # its words were taken out while the call goes on: the line is to do again
        row.delete()
        event = "measure.reopened"
    if row.call.completed_at is not None and row.call.case is not None:
        _tell(event, by, row.call.case, row, text)
    else:
        log(event, by=by, call=row.call_id, case=row.call.case_id, row=row.pk or "", measure=row.kind)


def _tell(event: str, by: User, case: Case, row: AcuteMeasure, text: str) -> None:
    codes: dict[str, Any] = {"done_at": row.done_at.isoformat()} if row.done_at else {}
    record(event, by=by, case=case, text=text, row=row.pk, measure=row.kind, **codes)
