"""Notes of a case, and our own attempts to reach the person."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.people.sealed import DataKey
from intake.actions.timeline import just_written, lock, record
from intake.labels import AMENDMENTS, CASE_NOTES, SAID_BY
from intake.models import Call, Case, Note
from intake.told import standing_in


def add_note(*, by: User, case: Case, kind: str, text: str) -> Note:
    """Write and sign a note (FL 27 §: when and by whom); pressed twice, it is written once. Raises Refused when it is
    empty."""
    if kind not in CASE_NOTES:
        raise Refused(_("Choose what kind of note it is."))
    if not text.strip():
        raise Refused(_("The note is empty."))
    with transaction.atomic():
        case = lock(case)
        for before in just_written(by, case, "note.signed"):
            if before.note and (before.note.kind, before.note.text) == (kind, text.strip()):
                return before.note
        now = clock.now()
        note = Note.objects.create(case=case, kind=kind, text=text.strip(), by=by, at=now, signed_at=now)
        record("note.signed", by=by, case=case, note=note, row=note.pk, note_kind=kind)
    return note


def amend_note(*, by: User, note: Note, amendment: str, text: str) -> Note:
    """Hang an addition, a correction or the person's own objection under a signed note, which stays as it is (SoL 14:6).

    Raises Refused for what is not signed, or hangs under a note itself. The same words sent twice hang there once.
    """
    if amendment not in AMENDMENTS:
        raise Refused(_("Choose what you add to the note."), at="amendment")
    if not text.strip():
        raise Refused(_("Write the words."), at="text")
    with transaction.atomic():
        case = _case_of(note)
        if case is not None:
            lock(case)  # first the case, then the key, as the erasure does: so no two wait for each other
        original = Note.objects.select_for_update(of=("self",)).get(pk=note.pk)
        if DataKey.objects.select_for_update().get(pk=original.seal_key().pk).is_destroyed:
            raise Refused(_("The words of this note are erased."))
        if original.signed_at is None or original.amends_id is not None or original.about:
            raise Refused(_("Only a signed note can be added to, and what is added is added to no more."))
        before = original.amendments.filter(amendment=amendment, by=by).order_by("-at", "-id").first()
        if before is not None and before.text == text.strip():
            return before
        now = clock.now()
        made = Note.objects.create(
            call=original.call,
            case=original.case,
            kind=original.kind,
            text=text.strip(),
            by=by,
            at=now,
            signed_at=now,
            amends=original,
            amendment=amendment,
        )
        _tell_amended(by, original, made)
    return made


def amend_call(*, by: User, call: Call, about: str, amendment: str, text: str, said_by: str = "") -> Note:
    """Write an addition, a correction or the person's own objection beside an answer or a fact of a finished call, which
    stays as it is (SoL 14:6). Of an objection `said_by` says whose it is, who called or the person of concern: each reads
    their own in an extract. Raises Refused with its field. The same words sent twice stand there once."""
    if amendment not in AMENDMENTS:
        raise Refused(_("Choose what you add to the note."), at="amendment")
    if not text.strip():
        raise Refused(_("Write the words."), at="text")
    said_by = said_by if amendment == "objection" else ""
    if said_by and said_by not in SAID_BY:
        raise Refused(_("Choose whose objection it is."), at="said_by")
    with transaction.atomic():
        if call.case is not None:
            lock(call.case)  # first the case, then the call, then the key, as the erasure does
        call = Call.objects.select_for_update(of=("self",)).select_related("municipality", "case").get(pk=call.pk)
        call.key = DataKey.objects.select_for_update().get(pk=call.key_id)
        if call.key.is_destroyed:
            raise Refused(_("The words of this call are erased."))
        if not call.is_finished:
            raise Refused(_("The call is still going on: change what stands there."))
        if about not in {one.key for one in standing_in(call)}:
            raise Refused(_("Choose among what stands in the call."), at="about")
        same = (amendment, said_by, by.pk)
        before = [one for one in call.beside.get(about, []) if (one.amendment, one.said_by, one.by_id) == same]
        if before and before[-1].text == text.strip():
            return before[-1]
        now = clock.now()
        made = Note.objects.create(
            call=call,
            text=text.strip(),
            by=by,
            at=now,
            signed_at=now,
            amendment=amendment,
            about=about,
            said_by=said_by,
        )
        _tell_amended(by, made, made)
    return made


def _tell_amended(by: User, original: Note, made: Note) -> None:
    """In the timeline of its case; of a call without a case, in the log."""
    case = _case_of(original)
    codes: dict[str, Any] = {"amendment": made.amendment}
    if made.about:
        codes["about"] = made.about
    if case is None:
        log("note.amended", by=by, call=original.call_id, row=made.pk, **codes)
    else:
        record("note.amended", by=by, case=lock(case), note=made, row=made.pk, **codes)


def _case_of(note: Note) -> Case | None:
    return note.case or (note.call.case if note.call else None)
