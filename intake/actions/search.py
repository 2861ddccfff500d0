"""A search: what this person may know of what was typed, and that it was made, never for what."""

from dataclasses import dataclass

from django.db import transaction

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Role, User, in_use
from helpline.people.notices import notify
from helpline.people.workdays import at_work
from intake.actions.emergency import log_reviewers
from intake.models import Call, Case
from intake.search import CASE_NUMBER, MOST, calls_found, cases_found, kind_tried, masked_case, understand

MANY = "search.many"  # of the log, and the kind of the notice


def refuse_search(*, by: User, text: str, fault: str) -> None:
    """A row for a search that did not get past its form: what kind it seems to have been, and what was wrong with it as a
    code of the form; never what was typed."""
    log("search.refused", by=by, kind=kind_tried(text), fault=fault)


def tell_of_many(*, by: User) -> None:
    """Tell the unit's other managers, where there is none those who review logs, that somebody searches very often: once a
    day, whoever else presses; who it is, and never for what. The searcher hears nothing of it."""
    with transaction.atomic():
        managers = User.objects.filter(in_use(), role=Role.MANAGER, unit=by.unit_id).exclude(pk=by.pk).order_by("pk")
        day, mail_at = clock.today(), at_work(clock.now())
        told = [
            notify(user=one, kind=MANY, source=f"{MANY}:{by.pk}:{day}:{one.pk}", about=str(by.pk), mail_at=mail_at)
            for one in list(managers) or log_reviewers({by.pk})
        ]
        if any(told):
            log(MANY, by=by, told=sum(told))


@dataclass(frozen=True)
class Found:
    """What a search tells."""

    kind: str
    cases: list[Case]
    calls: list[Call]
    more: bool  # there are more; so many are not shown
    masked: Case | None = None  # asked for by its number, and not this person's to read

    @property
    def is_nothing(self) -> bool:
        return not self.count

    @property
    def count(self) -> int:
        """How many are shown."""
        return len(self.cases) + len(self.calls) + bool(self.masked)


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
        masked = masked_case(by, term) if term.kind == CASE_NUMBER and not cases else None
        found = Found(term.kind, cases[:MOST], calls[:MOST], max(len(cases), len(calls)) > MOST, masked)
        log(
            "search.made",
            by=by,
            kind=term.kind,
            found=found.count,
            own=term.is_of(by),
            cases=[str(case.pk) for case in [*found.cases, *([masked] if masked else [])]],
            calls=[str(call.pk) for call in found.calls],
        )
    return found
