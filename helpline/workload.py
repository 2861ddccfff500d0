"""Who has how much: the open cases of each worker weighed by urgency, and the room that is left."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, Count, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from helpline.caseload import Cell, link, open_cases
from helpline.people import clock
from helpline.people.absences import absences_on
from helpline.people.access import STAFF
from helpline.people.counts import by_day, first_of_each
from helpline.people.models import User, in_use
from helpline.people.templatetags.people import say_day
from intake import triage

ORDINARY = "SKYNDSAM"  # room is said in cases of this urgency


def weight_of(urgency: str) -> int:
    """How much a case of this urgency weighs (settings.CASELOAD_WEIGHTS); one that the setting does not name, 1."""
    return int(settings.CASELOAD_WEIGHTS.get(urgency, 1))


@dataclass(frozen=True)
class Worker:
    """One line: whose, how many of each urgency, how heavy, how much room."""

    who: User
    counts: dict[str, int]
    away_until: dt.date | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def weight(self) -> int:
        return sum(weight_of(urgency) * count for urgency, count in self.counts.items())

    @property
    def room(self) -> int:
        """How many more of ordinary urgency there is room for."""
        return max(settings.CASELOAD_FULL - self.weight, 0) // max(weight_of(ORDINARY), 1)

    @property
    def takes(self) -> bool:
        """Whether a case may be given to this one today."""
        return self.who.is_in_use and self.away_until is None and self.who.role in STAFF

    @property
    def why_not(self) -> str:
        """Why not, and until when."""
        if not self.who.is_active:
            return _("switched off")
        if self.who.access_until and self.who.is_over:
            return _("access ended %(day)s") % {"day": say_day(self.who.access_until)}
        return _("away to the end of %(day)s") % {"day": say_day(self.away_until)} if self.away_until else ""

    @property
    def cells(self) -> list[tuple[str, str, Cell]]:
        """Urgency, its name, and how many with where they are."""
        return [
            (code, name, Cell(self.counts.get(code, 0), link("open", owner=self.who.pk, urgency=code)))
            for code, name in triage.choices("urgencies")
        ]

    @property
    def all(self) -> Cell:
        return Cell(self.total, link("open", owner=self.who.pk))


def workers_of(user: User) -> list[Worker]:
    """Everybody of the unit who can log in, and whoever else has an open case of it; one statement."""
    asked = dict(_asked(user))
    of_unit = Q(in_use(), unit=user.unit_id, unit__isnull=False)
    people = User.objects.alias(has_cases=asked.pop("has_cases")).filter(of_unit | Q(has_cases=True))
    return [_worker(one) for one in people.annotate(**asked).order_by("first_name", "last_name", "pk")]


@by_day
def _asked(user: User) -> dict[str, Any]:
    """Of each person. Whoever has such a case has a page of their own (week.whose_week)."""
    theirs = open_cases(user).filter(owner=OuterRef("pk")).order_by()
    told = theirs.values("urgency").annotate(
        n=Count("*"), told=Concat("urgency", Value(":"), Cast(Count("*"), CharField()))
    )
    away = absences_on(clock.today()).filter(user=OuterRef("pk")).order_by("-last_day")
    return {
        "told": ArraySubquery(told.values("told")),
        "away_until": first_of_each(away, "last_day"),
        "has_cases": Exists(theirs),
    }


def _worker(user: Any) -> Worker:
    pairs = [told.rsplit(":", 1) for told in user.told]
    return Worker(user, {urgency: int(count) for urgency, count in pairs}, user.away_until)


def legend() -> str:
    """What weighs how much, in words."""
    parts = [f"{name.lower()} {weight_of(code)}" for code, name in triage.choices("urgencies")]
    return _("Weight: %(weights)s. Full at %(full)s. Room is said in cases of “%(ordinary)s”.") % {
        "weights": ", ".join(parts),
        "full": settings.CASELOAD_FULL,
        "ordinary": triage.name_of("urgencies", ORDINARY).lower(),
    }
