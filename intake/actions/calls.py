"""A call: opened with one key, saved as it goes, completed when it is over, voided when it was a mistake."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.sealed import DataKey
from intake import triage
from intake.actions.cases import open_case, tell_case
from intake.labels import NOTE_KINDS
from intake.models import Answer, Call, Note, QuestionSet

FACTS = {
    *("received_at", "channel", "caller_type", "track", "identity", "protection", "municipality_id", "milieu"),
    *("age_band", "language", "interpreter", "urgency", "urgency_reason", "caller_name", "phone", "safe_contact"),
    *("step_what", "step_due_at", "wants_case", "actualisation", "actualisation_reason", "passphrase", "is_practice"),
    *("entered_late", "lasted_minutes"),
}


def start_call(*, by: User) -> Call:
    """A new call: the time is stamped, the questions of today are fixed for it."""
    if by.unit is None:
        raise Refused(_("Only a person of a unit can take calls."))
    with transaction.atomic():
        call = Call.objects.create(
            key=DataKey.new(),
            unit=by.unit,
            taken_by=by,
            question_set=QuestionSet.objects.latest("version"),
            received_at=clock.now(),
            saved_at=clock.now(),
        )
        log("call.started", by=by, call=call.pk)
    return call


def save_call(
    *,
    by: User,
    call: Call,
    facts: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    remarks: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Call:
    """Save what is given, and only that. An empty answer takes the answer away. Raises Refused, TooLate or BadAnswer."""
    with transaction.atomic():
        call = _ongoing(call)
        for name, value in (facts or {}).items():
            if name not in FACTS:
                raise Refused(_("A call has no “%(name)s”.") % {"name": name})
            setattr(call, name, value)
        _save_answers(call, answers or {}, remarks or {})
        _save_notes(by, call, notes or {})
        call.urgency_at_least = call.assessment.urgency
        call.saved_at = clock.now()
        call.save()
        log(
            "call.saved",
            by=by,
            call=call.pk,
            parts=sorted({*(facts or {}), *(answers or {}), *(remarks or {}), *(notes or {})}),
        )
    return call


def complete_call(
    *,
    by: User,
    call: Call,
    what: str = "",
    due_at: dt.datetime | None = None,
    open_a_case: bool = False,
) -> Call:
    """Complete a call: the notes are signed, and a serious call gets its case. Raises Refused or TooLate.

    The urgency must be confirmed; one that is lower than the answers call for needs a reason.
    """
    with transaction.atomic():
        call = _ongoing(call)
        found = call.assessment
        if not call.caller_type:
            raise Refused(_("Choose who is calling before you finish the call."), at="caller_type")
        if not call.urgency:
            raise Refused(_("Confirm how urgent it is before you finish the call."), at="urgency")
        if triage.rank(call.urgency) > triage.rank(found.urgency) and not call.urgency_reason.strip():
            raise Refused(
                _("The answers call for at least “%(urgency)s”. Say why it is lower.")
                % {"urgency": triage.name_of("urgencies", found.urgency)},
                at="urgency_reason",
            )
        gets_a_case = call.case is not None or open_a_case or found.needs_a_case
        if gets_a_case:
            _check_actualisation(call)
        call.urgency_at_least = found.urgency
        call.completed_at = max(clock.now(), call.received_at)
        if call.track == "A":
            call.caller_name = ""  # advice has no identity (SoL 14:4); a slip of track meanwhile erases nothing
        if call.case is not None:
            tell_case(by, call.case, call)
        elif gets_a_case:
            call.case = open_case(by=by, call=call, what=what, due_at=due_at)
        call.phone = call.passphrase = ""  # they are the case's now
        call.save()
        call.notes.filter(signed_at__isnull=True).update(signed_at=clock.now())
        log("call.completed", by=by, call=call.pk, case=call.case_id, urgency=call.urgency, caller=call.caller_type)
    return call


def void_call(*, by: User, call: Call, why: str) -> None:
    """Take away a call that was opened by mistake. Its row and the reason remain. Raises Refused or TooLate."""
    if not why.strip():
        raise Refused(_("Say why the call is taken away."))
    with transaction.atomic():
        call = _ongoing(call)
        call.voided_at = clock.now()
        call.urgency_reason = why.strip()
        call.phone = call.passphrase = ""
        call.save()
        log("call.voided", by=by, call=call.pk)


def _check_actualisation(call: Call) -> None:
    """Somebody has said whether this is an actualisation, and why: a call can be one (SoL 14:2). Raises Refused."""
    if not call.actualisation or not call.actualisation_reason.strip():
        raise Refused(_("Say whether this is an actualisation, and why."), at="actualisation")
    if call.actualisation == "yes" and call.track != "C":
        raise Refused(_("An actualisation is documented on track C. Choose it, or say why this is none."), at="track")


def _ongoing(call: Call) -> Call:
    """The call's row, held; refused when it is finished: what is signed is not changed."""
    held = Call.objects.select_for_update(of=("self",)).select_related("key", "unit", "taken_by").get(pk=call.pk)
    if held.is_finished:
        raise TooLate(_("This call is finished. What comes now is added to the case."))
    return held


def _save_answers(call: Call, answers: Mapping[str, Any], remarks: Mapping[str, str]) -> None:
    rows = {row.question: row for row in call.answer_rows}
    for key in {**answers, **remarks}:
        row = rows.get(key) or Answer(call=call, question=key)
        if key in answers:
            value = call.guide.clean(key, answers[key]) if answers[key] else ""
            row.value = json.dumps(value, ensure_ascii=False) if value else ""
            if value and call.guide.questions[key].type == "age" and value != "unknown":
                call.age_band = str(
                    value
                )  # the age that was answered is the age of the call, until it is set otherwise
        if key in remarks:
            row.remark = remarks[key].strip()
        row.answered_at = clock.now()
        if row.value or row.remark:
            row.save()
        elif not row._state.adding:
            row.delete()
    for cached in ("answer_rows", "answered", "remarks"):
        call.__dict__.pop(cached, None)


def _save_notes(by: User, call: Call, notes: Mapping[str, str]) -> None:
    for kind, text in notes.items():
        if kind not in NOTE_KINDS:
            raise Refused(_("There is no note “%(name)s”.") % {"name": kind})
        note = call.notes.filter(kind=kind).first() or Note(call=call, kind=kind, by=by)
        note.call = call
        if note.text != text.strip():
            note.text, note.at, note.by = text.strip(), clock.now(), by
            note.save()
