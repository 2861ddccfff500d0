"""A colleague's week as the manager sees it: which steps on which day, by their labels, never their words."""

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.models import User
from helpline.people.workdays import local
from intake.models import Case, FollowUp

DAYS = 7
MOST = 200  # rows of a page


@dataclass
class Day:
    """One day, or what is late."""

    name: str
    day: dt.date | None
    steps: list[FollowUp] = field(default_factory=list)

    @property
    def is_late(self) -> bool:
        return self.day is None


@dataclass(frozen=True)
class Week:
    """Seven days from today, and before them what is late."""

    days: list[Day]
    is_cut: bool


def whose_week(user: User) -> QuerySet[User]:
    """Whose week this person may see: everybody of the own unit, and whoever else has an open case of it."""
    theirs = Case.objects.visible_to(user).open().filter(owner=OuterRef("pk")).order_by()
    return User.objects.filter(Q(unit=user.unit_id, unit__isnull=False) | Exists(theirs))


def week_of(who: User, reader: User) -> Week:
    """The steps of a colleague; none of practice, and of no case that its reader is locked out of. One statement."""
    today = clock.today()
    end = local(today + dt.timedelta(days=DAYS), dt.time())
    steps = FollowUp.objects.visible_to(reader).planned().filter(owner=who, due_at__lt=end, case__is_practice=False)
    rows = list(steps.select_related("case").in_order()[: MOST + 1])
    late = Day(_("Late steps"), None)
    days = {today + dt.timedelta(days=ahead): Day("", today + dt.timedelta(days=ahead)) for ahead in range(DAYS)}
    for step in rows[:MOST]:
        (late if step.is_late else days[clock.local_date(step.due_at)]).steps.append(step)
    return Week([*([late] if late.steps else []), *days.values()], len(rows) > MOST)
