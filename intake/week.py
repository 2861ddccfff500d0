"""A worker's week: what is due on each day, the times of the law for children, and who is away."""

import datetime as dt
from dataclasses import dataclass, field
from itertools import islice

from django.db.models import Q
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.models import Absence, User
from helpline.people.templatetags.people import say_day
from helpline.people.workdays import is_working_day, local
from intake.models import Case, ChildClock, FollowUp

A_DAY = dt.timedelta(days=1)
A_WEEK = dt.timedelta(days=7)
MOST = 200  # rows of two weeks; a worker with more than this has other trouble than a long page


@dataclass
class Entry:
    """One line of a day: a step that is due, or a day of the law. `case` gives the number and no more."""

    case: Case
    what: str
    at: dt.datetime | None = None  # none: the whole day
    is_exact: bool = False  # at that time, and not by then
    is_late: bool = False
    others_turn: bool = False
    more: str = ""


@dataclass
class Day:
    """What stands in one day."""

    date: dt.date
    entries: list[Entry] = field(default_factory=list)
    absences: list[str] = field(default_factory=list)

    @property
    def is_today(self) -> bool:
        return self.date == clock.today()

    @property
    def is_working_day(self) -> bool:
        return is_working_day(self.date)

    @property
    def is_shown(self) -> bool:
        """A Saturday or a Sunday is there only when something stands in it."""
        return self.date.weekday() < 5 or bool(self.entries or self.absences) or self.is_today


@dataclass
class Week:
    """Seven days from a Monday. `late`: what was due before them and is not done, where they hold today."""

    monday: dt.date
    days: list[Day]
    late: list[Entry] = field(default_factory=list)
    is_cut: bool = False  # more than MOST in all weeks that were read together: what is due last is missing

    @property
    def number(self) -> int:
        return self.monday.isocalendar().week

    @property
    def shown(self) -> list[Day]:
        return [day for day in self.days if day.is_shown]

    @property
    def cases(self) -> list[Case]:
        """Whose words stand in it, for the log."""
        entries = [*self.late, *(entry for day in self.days for entry in day.entries)]
        return [entry.case for entry in entries]


def monday_of(day: dt.date) -> dt.date:
    """The Monday of its week."""
    return day - dt.timedelta(days=day.weekday())


def week_of(user: User, monday: dt.date, *, reader: User | None = None) -> Week:
    """The week of a worker from a Monday, as `reader` may see it; three statements, however much stands in it. Who asks
    writes to the log which cases were shown (gate.log_listed)."""
    return weeks_of(user, monday, 1, reader=reader)[0]


def weeks_of(user: User, monday: dt.date, many: int, *, reader: User | None = None) -> list[Week]:
    """Several weeks one after the other, by the same three statements. Another than the worker reads no words of theirs, and
    nothing of a case that the reader is locked out of; of a protected case nobody reads more than its number."""
    reader = reader or user
    end = monday + many * A_WEEK
    days = {monday + number * A_DAY: Day(monday + number * A_DAY) for number in range(7 * many)}
    weeks = [Week(first, [days[first + n * A_DAY] for n in range(7)]) for first in list(days)[::7]]
    clocks, told = _clocks(user, reader, monday, end), set()
    steps = _steps(user, reader, monday, end)
    for week in weeks:
        week.is_cut = max(len(steps), len(clocks)) > MOST
    for step in steps[:MOST]:
        runs, date = clocks.get(step.about), clock.local_date(step.due_at)
        told |= {step.about} if runs and runs.last_day == date else set()
        entries = days[date].entries if date in days else weeks[0].late
        entries.append(_entry(step, runs, is_own=reader.pk == user.pk))
    for about, runs in islice(clocks.items(), MOST):
        if runs.last_day in days and about not in told:
            days[runs.last_day].entries.append(_last_day(runs))
    _add_absences(user, days)
    return weeks


def _steps(user: User, reader: User, monday: dt.date, end: dt.date) -> list[FollowUp]:
    """What is planned in those days; where they hold today also what is late from before."""
    steps = FollowUp.objects.visible_to(reader).planned().filter(owner=user, due_at__lt=local(end, dt.time()))
    if not monday <= clock.today() < end:
        steps = steps.filter(due_at__gte=local(monday, dt.time()))
    return list(steps.select_related("case__key").in_order()[: MOST + 1])


def _entry(step: FollowUp, runs: ChildClock | None, *, is_own: bool) -> Entry:
    protected = step.case.is_protected
    last = runs and not protected and _("last day by law: %(day)s") % {"day": say_day(runs.last_day)}
    return Entry(
        case=step.case,
        what=_("Protected data") if protected else step.title if is_own else step.label,
        at=step.due_at,
        is_exact=step.is_exact,
        is_late=step.is_late,
        others_turn=step.others_turn,
        more=last or "",
    )


def _clocks(user: User, reader: User, monday: dt.date, end: dt.date) -> dict[str, ChildClock]:
    """The times of the law that run in this worker's open cases, and whose day to aim at or last day is one of those."""
    cases = Case.objects.visible_to(reader).open().of(user)
    days = (monday, end - A_DAY)
    found = ChildClock.objects.filter(Q(aim__range=days) | Q(last_day__range=days), done_at__isnull=True)
    found = found.filter(report__case__in=cases).select_related("report__case").order_by("last_day", "pk")
    return {str(one.pk): one for one in found[: MOST + 1]}


def _last_day(runs: ChildClock) -> Entry:
    """The last day by law, as a line of that day. The day to aim at is that of the step which every clock plans."""
    case, is_late = runs.report.case, runs.days_late > 0
    if case.is_protected:
        return Entry(case=case, what=_("Protected data"), is_late=is_late)
    return Entry(case=case, what=runs.name, is_late=is_late, more=_("last day by law"))


def _add_absences(user: User, days: dict[dt.date, Day]) -> None:
    """When this one is away, and for whom they stand in."""
    first, last = min(days), max(days)
    rows = Absence.objects.filter(Q(user=user) | Q(deputy=user), first_day__lte=last, last_day__gte=first)
    for row in rows.select_related("user", "deputy").order_by("first_day", "pk"):
        for date, day in days.items():
            if row.first_day <= date <= row.last_day:
                day.absences.append(_away(row, user))


def _away(row: Absence, user: User) -> str:
    if row.user_id != user.pk:
        return _("You stand in for %(name)s") % {"name": row.user}
    if row.deputy is None:
        return _("Away")
    return _("Away; %(name)s stands in") % {"name": row.deputy}
