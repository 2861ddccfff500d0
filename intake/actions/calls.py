"""A call: opened with one key, saved as it goes, completed when it is over, voided when it was a mistake."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.sealed import DataKey, write_new
from intake import triage
from intake.actions import tracks
from intake.actions.acute import write_held
from intake.actions.cases import open_case
from intake.actions.continuity import continue_case, leave_case
from intake.actions.opening import open_once
from intake.actions.timeline import lock_call, together
from intake.labels import NOTE_KINDS
from intake.models import Answer, Call, Note, QuestionSet

# What is done when a finished call has its case, in the same transaction: by, call. Upper floors add theirs at start.
CAME_TO_CASE: list[Callable[[User, Call], None]] = []
FACTS = {
    *("received_at", "channel", "caller_type", "track", "identity", "protection", "municipality_id", "milieu"),
    *("age_band", "language", "interpreter", "urgency", "urgency_reason", "caller_name", "phone", "safe_contact"),
    "personal_number",
    *("step_what", "step_due_at", "wants_case", "actualisation", "actualisation_reason", "passphrase", "is_practice"),
    *("entered_late", "lasted_minutes"),
}


def start_call(*, by: User, is_practice: bool = False, token: uuid.UUID | None = None) -> Call:
    """A new call: the time is stamped, the questions of today are fixed for it. Practice stays out of every figure.
    `token` is that of the page which it is opened from: pressed twice, it opens one call."""
    unit = by.unit_id
    if unit is None:
        raise Refused(_("Only a person of a unit can take calls."))

    def start(token: uuid.UUID | None) -> Call:
        call = Call.objects.create(
            key=DataKey.new(),
            unit_id=unit,
            taken_by=by,
            question_set=QuestionSet.objects.latest("version"),
            received_at=clock.now(),
            saved_at=clock.now(),
            is_practice=is_practice,
            start_token=token,
        )
        log("call.started", by=by, call=call.pk)
        return call

    return open_once(by, token, start)


def save_call(
    *,
    by: User,
    call: Call,
    facts: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    remarks: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    safe: Mapping[str, Any] | None = None,
    done: Collection[str] = (),
    references: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
    is_held: bool = False,
) -> Call:
    """Save what is given, and only that. An empty answer takes the answer away. `safe` is by key of intake/safe.py: two
    windows take no line from each other. `done`, `references` and `reasons` are of the lines that must be done at once
    (actions/acute.py). `is_held`: who calls this holds the row, and `call` is as it stands. Raises Refused, TooLate or
    BadAnswer."""
    parts = (facts, answers, remarks, notes, safe, references, reasons)
    with transaction.atomic():
        call = unfinished(call) if is_held else hold_call(call)
        for name, value in (facts or {}).items():
            if name not in FACTS:
                raise Refused(_("A call has no “%(name)s”.") % {"name": name})
            setattr(call, name, value)
        if safe:
            call.safe_contact = call.safe.changed(safe).write()
        _save_answers(call, answers or {}, remarks or {})
        if (facts or {}).get("caller_name"):
            tracks.check_name(call)
        if (facts or {}).get("personal_number"):
            tracks.check_number(call)
        _save_notes(by, call, notes or {})
        call.urgency_at_least = call.assessment.urgency
        call.saved_at = clock.now()
        call.save()
        if done or references or reasons:
            write_held(by, call, done, references or {}, reasons or {})
        log(
            "call.saved",
            by=by,
            call=call.pk,
            parts=sorted({*done, *(key for part in parts for key in part or {})}),
        )
    return call


def complete_call(
    *,
    by: User,
    call: Call,
    what: str = "",
    due_at: dt.datetime | None = None,
    open_a_case: bool = False,
    is_held: bool = False,
) -> Call:
    """Complete a call: the notes are signed, and a serious call gets its case. `is_held` as in `save_call`. Raises Refused or
    TooLate.

    The urgency must be confirmed; one that is lower than the answers call for needs a reason.
    """
    with transaction.atomic(), together():
        call = unfinished(call) if is_held else hold_call(call)
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
        _check_consultation(call)
        gets_a_case = call.case is not None or open_a_case or found.needs_a_case
        tracks.check_identity(call)
        if gets_a_case:
            tracks.check_actualisation(call.actualisation, call.actualisation_reason, call.track)
        call.urgency_at_least = found.urgency
        call.completed_at = max(clock.now(), call.received_at)
        tracks.without_identity(call)
        if call.case is not None:
            continue_case(by=by, call=call, what=what, due_at=due_at)
        elif gets_a_case:
            call.case = open_case(by=by, call=call, what=what, due_at=due_at)
        call.phone = call.passphrase = ""  # they are the case's now
        if call.case is not None:
            call.personal_number = ""  # so is this
        call.save()
        _sign_notes(call)
        if call.case is None:  # else it is a line of the case's timeline, and that has the row
            log("call.completed", by=by, call=call.pk, urgency=call.urgency, caller=call.caller_type)
        for follow in CAME_TO_CASE if call.case else []:
            follow(by, call)
    return call


def _sign_notes(call: Call) -> None:
    if call.note_rows:
        call.notes.filter(signed_at__isnull=True).update(signed_at=clock.now())
        del call.note_rows  # as they were before


def _check_consultation(call: Call) -> None:
    """Who asks for advice without identity is on track A, where nobody has a name. Raises Refused."""
    if call.is_consultation and call.track != "A":
        raise Refused(
            _(
                "A consultation without identity stays on track A. Where somebody is named it is a report: change the purpose."
            ),
            at="track",
        )


def void_call(*, by: User, call: Call, why: str) -> None:
    """Take away a call that was opened by mistake. Its row and the reason remain. Raises Refused or TooLate; nobody would
    hear of one that is acute, so it is finished."""
    if not why.strip():
        raise Refused(_("Say why the call is taken away."), at="void_reason")
    with transaction.atomic():
        call = hold_call(call)
        _check_nothing_acute(call)
        leave_case(by=by, call=call)
        call.voided_at = clock.now()
        call.urgency_reason = why.strip()
        call.phone = call.passphrase = ""
        tracks.without_identity(call)
        call.save()
        log("call.voided", by=by, call=call.pk)


def _check_nothing_acute(call: Call) -> None:
    """No answer is acute, and nothing was done at once. Practice is never acute. Raises Refused."""
    if call.is_practice:
        return
    if call.assessment.acute:
        raise Refused(_("An answer is acute. Take the answer back first, or finish the call."), at="void_reason")
    if call.measure_rows:
        said = _("It is written down what was done at once. Finish the call, so that it is kept.")
        raise Refused(said, at="void_reason")


def hold_call(call: Call) -> Call:
    """The call's row, held; refused when it is finished: what is signed is not changed."""
    return unfinished(lock_call(call))


def unfinished(held: Call) -> Call:
    """A call that is held, and still goes on. Raises TooLate."""
    if held.is_finished:
        raise TooLate(_("This call is finished. What comes now is added to the case."))
    return held


def _save_answers(call: Call, answers: Mapping[str, Any], remarks: Mapping[str, str]) -> None:
    rows = {row.question: row for row in call.answer_rows}
    for key in {**answers, **remarks}:
        row = rows.setdefault(key, Answer(call=call, question=key))
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
        if not row._state.adding:
            row.save() if row.value or row.remark else row.delete()
    write_new([row for row in rows.values() if row._state.adding and (row.value or row.remark)])
    call.answer_rows = [row for row in rows.values() if row.value or row.remark]
    for cached in ("answered", "remarks"):
        call.__dict__.pop(cached, None)


def _save_notes(by: User, call: Call, notes: Mapping[str, str]) -> None:
    rows = {row.kind: row for row in call.note_rows}
    for kind, text in notes.items():
        if kind not in NOTE_KINDS:
            raise Refused(_("There is no note “%(name)s”.") % {"name": kind})
        note = rows.setdefault(kind, Note(call=call, kind=kind, by=by))
        if note.text != text.strip():
            note.text, note.at, note.by = text.strip(), clock.now(), by
            if not note._state.adding:
                note.save()
    write_new([note for note in rows.values() if note._state.adding and note.text])
    call.note_rows = [note for note in rows.values() if not note._state.adding]
