"""What an extract shows on pages of the floors below."""

from typing import Any

from django.http import HttpRequest

from helpline.people.access import may
from intake.models import Person

Panel = tuple[str, dict[str, Any]]


def extract_of_person(request: HttpRequest, person: Person) -> Panel:
    """The way to an extract, for who may give one."""
    return "helpline/_extract_of_person.html", {"one": person, "shown": may(request.user, "give_extract")}
