"""A search: what this person may know of what was typed, and that it was made, never for what."""

from dataclasses import dataclass

from django.db import transaction

from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from intake.models import Call, Case
from intake.search import MOST, calls_found, cases_found, kind_tried, understand


@dataclass(frozen=True)
class Found:
    """What a search tells."""

    kind: str
    cases: list[Case]
    calls: list[Call]
    more: bool  # there are more; so many are not shown

    @property
    def is_nothing(self) -> bool:
        return not self.cases and not self.calls


def search(*, by: User, text: str) -> Found:
    """Look for a name, a personal or coordination number, or the number of a case. Raises Refused for anything else.

    The log says what kind of search it was, how much was found, which cases were shown and whether it was for the own name;
    never what was typed. One that is refused is a row too."""
    try:
        term = understand(text)
    except Refused:
        log("search.refused", by=by, kind=kind_tried(text))
        raise
    with transaction.atomic():
        cases, calls = list(cases_found(by, term)[: MOST + 1]), list(calls_found(by, term)[: MOST + 1])
        found = Found(term.kind, cases[:MOST], calls[:MOST], more=max(len(cases), len(calls)) > MOST)
        log(
            "search.made",
            by=by,
            kind=term.kind,
            found=len(found.cases) + len(found.calls),
            own=term.is_of(by),
            cases=[str(case.pk) for case in found.cases],
            calls=[str(call.pk) for call in found.calls],
        )
    return found
