"""Notes of a case, and our own attempts to reach the person."""

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import User
from intake.actions.timeline import lock, record
from intake.labels import NOTE_KINDS
from intake.models import Case, Event, Note


def add_note(*, by: User, case: Case, kind: str, text: str) -> Note:
    """Write and sign a note (FL 27 §: when and by whom). Raises Refused when it is empty."""
    if kind not in NOTE_KINDS:
        raise Refused(_("Choose what kind of note it is."))
    if not text.strip():
        raise Refused(_("The note is empty."))
    with transaction.atomic():
        case = lock(case)
        now = clock.now()
        note = Note.objects.create(case=case, kind=kind, text=text.strip(), by=by, at=now, signed_at=now)
        record("note.signed", by=by, case=case, note=note, row=note.pk, note_kind=kind)
    return note


def log_contact(*, by: User, case: Case, reached: bool, text: str = "") -> Event:
    """Write that we called the person, whether or not they answered: a failed attempt is an event too."""
    with transaction.atomic():
        case = lock(case)
        kind = "contact.reached" if reached else "contact.no_answer"
        return record(kind, by=by, case=case, text=text.strip())
