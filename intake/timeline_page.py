"""What one page of a case's timeline shows, read with as many statements however many lines it has."""

import uuid

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from helpline.people.paging import Page
from intake.models import Call, Case, Event, Note, Person
from intake.there import there_may_be


def with_words(case: Case, page: Page[Event]) -> Page[Event]:
    """The lines with their notes and calls; each opens with a key that is here already. What was written beside afterwards
    is asked for where there is any."""
    notes = [event.note for event in page.rows if event.note]
    hung = Note.objects.select_related("by") if there_may_be(case, "amended") else Note.objects.none()
    prefetch_related_objects(notes, Prefetch("amendments", hung))  # put in order where they are read (Note.hanging)
    named = [*(event.call_id for event in page.rows), *(note.call_id for note in notes)]
    calls = _calls({pk for pk in named if pk}, hung)
    for event in page.rows:
        event.call = calls.get(event.call_id)
    for note in notes:
        note.call, note.case = calls.get(note.call_id), case if note.case_id == case.pk else note.case
    return page


def _calls(keys: set[uuid.UUID], hung: QuerySet[Note]) -> dict[uuid.UUID | None, Call]:
    rows = Call.objects.select_related("key", "municipality").prefetch_related("answers", Prefetch("notes", hung))
    return {call.pk: call for call in rows.filter(pk__in=keys)} if keys else {}


def everybody_in(case: Case) -> list[Person]:
    """All who stand or stood in a case, as `everybody` of its row: the page lists those of today, and how long it is kept
    depends on the others too."""
    prefetch_related_objects([case], Prefetch("people", Person.everybody.order_by("pk"), to_attr="everybody"))
    found: list[Person] = case.everybody  # type: ignore[attr-defined]  # set just now
    return found
