"""What an extract shows on pages of the floors below."""

from typing import Any

from django.http import HttpRequest

from helpline.people.access import may
from intake.gate import person as who
from intake.models import Call, Person
from intake.search import ended_calls_of

Panel = tuple[str, dict[str, Any]]


def extract_of_person(request: HttpRequest, person: Person) -> Panel:
    """The way to an extract, for who may give one."""
    return "helpline/_extract_of_person.html", {"one": person, "shown": may(request.user, "give_extract")}


def extract_of_call(request: HttpRequest, call: Call) -> Panel:
    """The way to an extract for who is known from this call alone."""
    shown = may(request.user, "give_extract") and ended_calls_of(who(request)).filter(pk=call.pk).exists()
    return "helpline/_extract_of_call.html", {"call": call, "shown": shown}


def extract_of_found(request: HttpRequest, call: Call) -> Panel:
    """The same, beside a call that a search has found."""
    return "helpline/_extract_of_found.html", {"call": call, "shown": may(request.user, "give_extract")}
