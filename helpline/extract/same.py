"""Where else the same person is: cases and calls of the unit with the same personal number or the same name. A name is no proof:
the manager ticks which truly are the same."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from helpline.people.models import User
from intake.marks import marks_of
from intake.models import Call, Case, Person, SearchMark
from intake.search import calls_known_to, ended_calls_of, known_to


@dataclass(frozen=True)
class Same:
    """Somebody who may be the same."""

    value: str  # person:<id> or call:<id>
    case: Case | None
    call: Call | None
    part: str
    by_number: bool


def same_as(user: User, whose: Person | Call) -> list[Same]:
    """All that this user may know of, those with the same number first. Of a call it is who called."""
    marks = [mark for _kind, mark in marks_of(whose)]
    cases, calls = known_to(user), calls_known_to(user)
    own = Q(person=whose) if isinstance(whose, Person) else Q(call=whose)
    found = SearchMark.objects.filter(mark__in=marks).exclude(own)
    rows = [
        *found.filter(case__in=cases).select_related("case__owner", "person"),
        *found.filter(call__in=calls).select_related("call__taken_by"),
    ]
    by_value: dict[str, Same] = {}
    for row in sorted(rows, key=lambda row: (row.kind != SearchMark.Kind.NUMBER, row.pk)):
        value = f"person:{row.person_id}" if row.person_id else f"call:{row.call_id}"
        part = row.person.part_name if row.person else ""
        by_value.setdefault(value, Same(value, row.case, row.call, part, row.kind == SearchMark.Kind.NUMBER))
    return list(by_value.values())


def covered(user: User, values: Iterable[str]) -> tuple[list[Person], list[Call]]:
    """The rows that a decision covers, as far as this user may know of them; the cases' keys are read with them."""
    ids: dict[str, list[str]] = {"person": [], "call": []}
    for value in values:
        kind, _colon, pk = value.partition(":")
        ids[kind].append(pk)
    people = Person.objects.filter(pk__in=ids["person"], case__in=known_to(user))
    people = people.select_related("case__key", "case__unit", "case__municipality", "case__owner").order_by("pk")
    calls = ended_calls_of(user).filter(pk__in=ids["call"]).select_related("key", "municipality", "unit").order_by("pk")
    return list(people), list(calls)
