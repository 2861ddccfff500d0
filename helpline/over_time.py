"""The two charts of the overview: calls and hours to the first contact by month, read from the sums by day."""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Sum
from django.db.models.functions import TruncMonth
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpline.charts import Chart, bar_chart, line_chart
from helpline.people import clock
from helpline.people.models import User
from helpline.statistics import quantile
from helpline.sums import kept_from, months_of
from intake.models import DaySum

HALF, NINE_OF_TEN = 0.5, 0.9
Hours = Counter[int]  # begun hours -> how many
Kept = list[tuple[dt.date, str, int, int]]  # day, value, hours, how many


def months_back(day: dt.date, back: int) -> dt.date:
    """The first day of a month so many months before that of a day."""
    month = day.year * 12 + day.month - 1 - back
    return dt.date(month // 12, month % 12 + 1, 1)


@dataclass(frozen=True)
class OnOverview:
    """One chart of the overview: one sentence that says what it shows, the picture, and its numbers."""

    says: str
    chart: Chart
    months: list[str]
    rows: list[tuple[str, list[int | None]]]


def charts_of(user: User, months: int = 6, *, is_locked_out: bool = True) -> dict[str, OnOverview]:
    """The two charts of the overview, of the last months of the unit, this one included. Two queries; two more for who
    `is_locked_out` of a case, of which they tell nothing (0021)."""
    firsts = [months_back(clock.today(), back) for back in reversed(range(months))]
    names = [date_format(first, "M").lower().rstrip(".") for first in firsts]
    kept = {
        what: kept_from(user, what, "", firsts[0], clock.today()) if is_locked_out else []
        for what in ("call", "contact")
    }
    return {
        "calls": _calls(user, firsts, names, kept["call"]),
        "contact": _contact(user, firsts, names, kept["contact"]),
    }


def _calls(user: User, firsts: list[dt.date], names: list[str], kept: Kept) -> OnOverview:
    found = Counter(months_of("call", "", firsts[0], clock.today(), user.unit_id))
    for day, value, _hours, count in kept:
        found[day.replace(day=1), value] -= count
    counts: list[int | None] = [found[first, ""] for first in firsts]
    now = counts[-1] or 0
    words = {"count": now, "month": date_format(firsts[-1], "F")}
    says = ngettext("%(count)s call so far in %(month)s.", "%(count)s calls so far in %(month)s.", now) % words
    without = _("Practice is not counted.")
    chart = bar_chart(names, counts, unfinished=len(names) - 1)
    return OnOverview(f"{says} {without}", chart, names, [(_("Calls"), counts)])


def _contact(user: User, firsts: list[dt.date], names: list[str], kept: Kept) -> OnOverview:
    by_month = hours_by_month(user.unit_id, firsts[0], clock.today())
    for day, _value, hours, count in kept:
        by_month[day.replace(day=1)][hours] -= count
    half, most = ([quantile_of(by_month.get(first), share) for first in firsts] for share in (HALF, NINE_OF_TEN))
    last = next((place for place in reversed(range(len(firsts))) if half[place] is not None), None)
    if last is None:
        return OnOverview(_("No first contact in these months."), line_chart(names, []), names, [])
    words = {"month": date_format(firsts[last], "F"), "half": half[last], "most": most[last]}
    says = _("In %(month)s half had contact within %(half)s hours, nine of ten within %(most)s.") % words
    lines = [
        (_("half: %(hours)s") % {"hours": half[last]}, half),
        (_("9 of 10: %(hours)s") % {"hours": most[last]}, most),
    ]
    rows = [(_("Half within, hours"), half), (_("9 of 10 within, hours"), most)]
    return OnOverview(says, line_chart(names, lines), names, rows)


def hours_by_month(unit: int | None, first: dt.date, last: dt.date) -> dict[dt.date, Hours]:
    """First day of a month -> begun hours to the first contact, and how many took so long."""
    rows = DaySum.objects.of("contact").filter(unit=unit, day__range=(first, last))
    found: dict[dt.date, Hours] = defaultdict(Counter)
    grouped = rows.annotate(month=TruncMonth("day")).order_by().values_list("month", "hours")
    for month, hours, count in grouped.annotate(n=Sum("count")):
        found[month][hours] += count
    return found


def quantile_of(hours: Hours | None, share: float) -> int | None:
    return quantile(some, share) if hours and (some := +hours) else None
