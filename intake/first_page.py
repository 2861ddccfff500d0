"""Whether a worker's first page still says what is true: what stands on it in short, and the same asked again."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, Q, QuerySet, Subquery
from django.http import HttpRequest

from helpline.people import clock
from helpline.people.counts import Count, Listed, asked_once, by_day, frame_asks, frame_knows
from helpline.people.models import Notice, User
from intake.actions.shifts import waiting_shifts
from intake.acute import left_in_cases_of
from intake.models import Case, FollowUp
from intake.models.steps import FollowUpQuerySet
from intake.news import MOST, News, come_since, seen_until, unseen
from intake.standing_in import unfinished_for


@dataclass(frozen=True)
class There:
    """What there is besides the steps: how many open cases, which unfinished calls and which changes of shift; whether
    something is new, or left to do at once in a case."""

    open: int
    calls: list[uuid.UUID]
    shifts: list[int]
    has_news: bool = True
    has_acute: bool = True


def steps_of(user: User) -> FollowUpQuerySet:
    """What this person has to do, first due first."""
    return FollowUp.objects.visible_to(user).planned().filter(owner=user).in_order()


def there_for(request: HttpRequest, user: User) -> There:
    """What there is, in one statement with what the frame asks: what there is none of is not asked for."""
    found = asked_once(user, {**_asked(user), **_besides(user), **frame_asks(user)})
    frame_knows(request, found)
    return replace(_there(found), has_news=found["has_news"], has_acute=bool(found["left_acute"]))


@by_day
def _besides(user: User) -> dict[str, Subquery]:
    return {"has_news": Exists(unseen(user)), "left_acute": Count(left_in_cases_of(user))}


@by_day
def _asked(user: User) -> dict[str, Subquery]:
    shifts = waiting_shifts().filter(Q(given_to=user) | Q(given_by=user))
    cases = Case.objects.visible_to(user).of(user).counted().open()
    return {
        "open": Count(cases),
        "calls": _listed(unfinished_for(user).order_by("pk")),
        "shifts": _listed(shifts.order_by("pk")),
    }


def _listed(rows: QuerySet[Any], value: str = "pk") -> Listed:
    return Listed(rows, value, MOST)


def _there(found: dict[str, Any]) -> There:
    return There(found["open"], found["calls"] or [], found["shifts"] or [])


def mark_of(there: There, steps: Iterable[FollowUp], news: list[News]) -> str:
    """What a page that is made now shows, as `asked_again` reads it. No statement."""
    return f"{seen_until(news)}~{_digest(there, [(step.pk, step.due_at) for step in steps])}"


def _digest(there: There, steps: Iterable[tuple[uuid.UUID, dt.datetime]]) -> str:
    """The same as long as the page would say the same; a time that has passed and a new day are a change too."""
    now = clock.now()
    times = [(str(pk), due.timestamp(), due < now) for pk, due in steps]
    said = (clock.today(), there.open, sorted(map(str, there.calls)), sorted(there.shifts), times)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Changed:
    """What a page does not show: something new, or another state of what stands there."""

    has_come: bool
    differs: bool

    def __bool__(self) -> bool:
        return self.has_come or self.differs


def asked_again(user: User, mark: str) -> Changed:
    """What a page with this mark does not show. One statement. Raises ValueError for a mark that is none."""
    seen, _sign, digest = mark.rpartition("~")
    new: QuerySet[Notice] = come_since(user, seen)
    steps = steps_of(user)
    times = {"steps": _listed(steps), "due": _listed(steps, "due_at")}
    found = asked_once(user, {"new": Exists(new), **_asked(user), **times})
    planned = zip(found["steps"] or [], found["due"] or [], strict=True)
    return Changed(bool(found["new"]), digest != _digest(_there(found), planned))
