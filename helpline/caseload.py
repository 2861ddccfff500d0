"""What we count: one table of figures. The same queryset gives the number and the rows behind it."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.models import User, in_use
from intake import triage
from intake.models import Call, Case, FollowUp, HeavyCall
from referrals.models import Referral

Rows = QuerySet[Any]


@dataclass(frozen=True)
class Figure:
    """One number of the overview: what it is called, which rows it counts, in the order of which time."""

    key: str
    label: Any
    hint: Any
    asks: Callable[[User], Rows]
    shows: str  # case | step | referral | call: which template lists the rows
    order: str  # the time that the rows are listed by
    should_be_none: bool = False

    def rows(self, user: User) -> Rows:
        """The rows that it counts: of practice none, whatever it asks for."""
        return self.asks(user).filter(**{PRACTICE[self.shows]: False})


# What is listed -> where it says whether it is practice.
PRACTICE = {
    "case": "is_practice",
    "call": "is_practice",
    "step": "case__is_practice",
    "referral": "case__is_practice",
}


def open_cases(user: User) -> Rows:
    """The unit's open cases, without practice."""
    return Case.objects.visible_to(user).counted().open()


FIGURES: dict[str, Figure] = {
    figure.key: figure
    for figure in [
        Figure("open", _("Open cases"), _("all have an owner"), open_cases, "case", "next_due_at"),
        Figure(
            *("no-step", _("Open without a next step"), _("must always be none")),
            lambda user: open_cases(user).filter(next_due_at__isnull=True),
            *("case", "opened_at"),
            should_be_none=True,
        ),
        Figure(
            *("overdue", _("Steps past their time"), _("promised and not done")),
            lambda user: FollowUp.objects.visible_to(user).overdue(),
            *("step", "due_at"),
            should_be_none=True,
        ),
        Figure(
            *("waiting", _("Handovers that wait for an answer"), _("sent, and not yet answered")),
            lambda user: Referral.objects.visible_to(user).waiting(),
            *("referral", "sent_at"),
        ),
        Figure(
            *("silent", _("Silent handovers"), _("past their answer time")),
            lambda user: Referral.objects.visible_to(user).waiting().filter(answer_due_at__lt=clock.now()),
            *("referral", "answer_due_at"),
            should_be_none=True,
        ),
        Figure(
            *("questions", _("Questions from agencies"), _("ours to answer")),
            lambda user: Referral.objects.visible_to(user).filter(state="question"),
            *("referral", "sent_at"),
        ),
        Figure(
            *("with-agency", _("Handovers in progress"), _("accepted, contact not yet confirmed")),
            lambda user: Referral.objects.visible_to(user).filter(state="accepted"),
            *("referral", "sent_at"),
        ),
        Figure(
            *("unfinished", _("Calls not finished"), _("hung up, or going on")),
            lambda user: Call.objects.visible_to(user).unfinished(),
            *("call", "received_at"),
        ),
    ]
}

# What the open cases are told apart by; each part of the table links to exactly its rows.
PROTECTED = "protected"
PARTS = {"owner": "owner_id", "urgency": "urgency", "caller": "caller_type"}


def narrowed(rows: Rows, parts: Mapping[str, str]) -> Rows:
    """The rows of one cell. A part that there cannot be leaves none."""
    for name, column in PARTS.items():
        if name == "caller" and parts.get(name) == PROTECTED:
            rows = rows.exclude(protection="none")
        elif parts.get(name):
            if name == "caller":  # whose data are protected is counted apart: a list tells nobody who called
                rows = rows.filter(protection="none")
            if not re.fullmatch(r"[0-9]{1,9}" if name == "owner" else r"\w+", parts[name], re.ASCII):
                return rows.none()
            rows = rows.filter(**{column: parts[name]})
    return rows


def link(key: str, **parts: object) -> str:
    """The address of the rows behind a number."""
    query = urlencode({name: value for name, value in parts.items() if value})
    return reverse("caseload-rows", args=[key]) + (f"?{query}" if query else "")


@dataclass
class Cell:
    """One number of a table, and where its rows are."""

    count: int
    url: str


@dataclass
class Line:
    """One line of the table of workers: a cell for each urgency, and the sum."""

    who: User
    cells: list[Cell]
    total: Cell


@dataclass
class Caseload:
    """The open cases of a unit, told apart in two ways, from one grouped query."""

    lines: list[Line] = field(default_factory=list)
    callers: list[tuple[str, Cell]] = field(default_factory=list)
    total: int = 0


def caller_or_protected(code: str) -> str:
    """A caller type in words; of those whose data are protected only that."""
    return gettext("Protected data") if code == PROTECTED else triage.caller_name(code)


def caseload_of(user: User) -> Caseload:
    """Open cases by worker and urgency, and by caller type."""
    grouped = open_cases(user).values_list("owner_id", "urgency", "caller_type", "protection")
    grouped = grouped.annotate(count=Count("*")).order_by()
    by_worker: Counter[tuple[int, str]] = Counter()
    by_caller: Counter[str] = Counter()
    for owner, urgency, caller, protection, count in grouped:
        by_worker[owner, urgency] += count
        by_caller[caller if protection == "none" else PROTECTED] += count
    found = Caseload(total=sum(by_caller.values()))
    owners = {owner for owner, _urgency in by_worker}
    everyone = User.objects.filter(pk__in=owners) | User.objects.filter(unit=user.unit_id).filter(in_use())
    for worker in everyone.order_by("first_name", "last_name", "pk"):
        cells = [
            Cell(by_worker[worker.pk, urgency], link("open", owner=worker.pk, urgency=urgency))
            for urgency in triage.codes("urgencies")
        ]
        total = Cell(sum(cell.count for cell in cells), link("open", owner=worker.pk))
        found.lines.append(Line(worker, cells, total))
    for code, count in by_caller.most_common():
        found.callers.append((caller_or_protected(code), Cell(count, link("open", caller=code))))
    return found


def heavy_this_month(user: User) -> int:
    """How many calls of the unit somebody ticked as heavy this month: a number without rows, since rows would be names."""
    return HeavyCall.objects.filter(unit=user.unit_id, month=clock.today().replace(day=1)).count()


@dataclass
class Bar:
    """One bar of a chart, in the chart's own units (the drawing is 550 by 220)."""

    label: str
    count: int
    x: int
    y: int
    height: int
    is_unfinished: bool

    @property
    def middle(self) -> int:
        return self.x + 19

    @property
    def above(self) -> int:
        return self.y - 7


def calls_by_month(user: User, months: int = 6) -> list[Bar]:
    """Completed calls of the unit in the last months, this one included, as bars."""
    today = clock.today()
    firsts = [_months_back(today, back) for back in reversed(range(months))]
    begin = timezone.make_aware(dt.datetime.combine(firsts[0], dt.time()), timezone.get_default_timezone())
    rows = (
        Call.objects.visible_to(user)
        .counted()
        .filter(completed_at__isnull=False, received_at__gte=begin)
        .annotate(month=TruncMonth("received_at", tzinfo=timezone.get_default_timezone()))
        .values_list("month")
        .annotate(count=Count("*"))
        .order_by()
    )
    counts = {month.date(): count for month, count in rows}
    most = max([*counts.values(), 1])
    return [_bar(first, counts.get(first, 0), most, place, first == firsts[-1]) for place, first in enumerate(firsts)]


def _bar(first: dt.date, count: int, most: int, place: int, is_unfinished: bool) -> Bar:
    height = round(160 * count / most)
    return Bar(date_format(first, "M").lower(), count, 60 + 85 * place, 190 - height, height, is_unfinished)


def _months_back(day: dt.date, back: int) -> dt.date:
    month = day.year * 12 + day.month - 1 - back
    return dt.date(month // 12, month % 12 + 1, 1)
