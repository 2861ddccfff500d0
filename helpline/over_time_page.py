"""How it was over time, of one unit: calls, contacts, handovers, the time to a first contact and answers in time, by month,
quarter or year and told apart in one way at a time. Read from the sums by day, never from the history."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Sum
from django.db.models.functions import TruncMonth
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from helpline.charts import Chart, bar_chart, line_chart
from helpline.over_time import HALF, NINE_OF_TEN, Hours, quantile_of
from helpline.people import clock
from helpline.people.models import Municipality, User
from helpline.statistics import quantile, quarter_of
from helpline.sums import kept_from
from intake import triage
from intake.models import DaySum
from referrals.models import PartnerAgency

SHOWN: dict[str, Promise] = {
    "calls": gettext_lazy("Calls"),
    "cases": gettext_lazy("Contacts begun"),
    "handovers": gettext_lazy("Handovers"),
    "contact": gettext_lazy("Time to first contact"),
    "answered": gettext_lazy("Handovers answered in time"),
}
WHAT = {
    **{"calls": ["call"], "cases": ["case"], "handovers": ["handover"], "contact": ["contact"]},
    "answered": ["in_time", "late"],
}
BY: dict[str, Promise] = {
    "": gettext_lazy("All together"),
    "caller": gettext_lazy("Who called"),
    "milieu": gettext_lazy("Milieu"),
    "age": gettext_lazy("Age"),
    "place": gettext_lazy("Municipality"),
    "agency": gettext_lazy("Agency"),
    "urgency": gettext_lazy("Urgency"),
}
OF_HANDOVERS = {"agency"}  # no call, and no contact with us, has one
STEPS: dict[str, Promise] = {
    "month": gettext_lazy("Month"),
    "quarter": gettext_lazy("Quarter"),
    "year": gettext_lazy("Year"),
}
A_DAY = dt.timedelta(days=1)
LONGEST = {"month": 31, "quarter": 92, "year": 366}  # days: so many after its beginning the next has begun
MOST_ROWS, MOST_COLUMNS, WIDE = 60, 12, 3
Row = tuple[str, list[str]]


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see."""

    show: str
    by: str
    step: str
    first: dt.date
    last: dt.date

    @property
    def begins(self) -> list[dt.date]:
        """The first day of each month, quarter or year between the two days."""
        found = [_begin(self.step, self.first)]
        while (after := _end(self.step, found[-1]) + A_DAY) <= self.last:
            found.append(after)
        return found

    @property
    def names(self) -> list[str]:
        """What each is called; of one that the two days cut, from when or until when it is."""
        return [self._name_of(begin) for begin in self.begins]

    def _name_of(self, begin: dt.date) -> str:
        name, end = _name(self.step, begin), _end(self.step, begin)
        if begin < self.first:
            name = _("%(period)s, from %(day)s") % {"period": name, "day": _day(self.first)}
        if self.last < end and begin != _begin(self.step, clock.today()):  # what goes on is said to go on
            name = _("%(period)s, to %(day)s") % {"period": name, "day": _day(self.last)}
        return name

    @property
    def is_unfinished(self) -> bool:
        """Whether its last period goes on."""
        return self.begins[-1] == _begin(self.step, clock.today())


@dataclass
class Answer:
    """The picture, and the table that says the same."""

    heads: list[str]
    rows: list[Row]
    chart: Chart | None = None
    shares: list[int] = field(default_factory=list)  # of the rows, for a bar beside each: hundredths of the longest
    sums: Row | None = None

    @property
    def is_wide(self) -> bool:
        """Whether it has more columns than a narrow window."""
        return len(self.heads) > WIDE


def _begin(step: str, day: dt.date) -> dt.date:
    if step == "year":
        return dt.date(day.year, 1, 1)
    return quarter_of(day).first if step == "quarter" else day.replace(day=1)


def _end(step: str, begin: dt.date) -> dt.date:
    """The last day of a period."""
    return _begin(step, begin + dt.timedelta(days=LONGEST[step])) - A_DAY


def _day(day: dt.date) -> str:
    return date_format(day, "j b" if get_language() == "sv" else "j M")


def _name(step: str, begin: dt.date) -> str:
    if step == "year":
        return str(begin.year)
    if step == "quarter":
        return _("Q%(quarter)s %(year)s") % {"quarter": quarter_of(begin).quarter, "year": begin.year}
    return date_format(begin, "M Y").lower()


def answer(user: User, asked: Asked) -> Answer:
    """What is asked, of this person's unit; of what is closed to them nothing, and of who is protected no fact. Four queries
    at the most, and one for the names of what it is told apart by."""
    rows = [_summed(what, user, asked) for what in WHAT[asked.show]]
    if asked.show == "contact":
        return _contacts_told(rows[0], asked)
    if asked.show == "answered":
        return _answered_told(rows[0], rows[1], asked)
    return _counts_told(rows[0], asked)


Summed = dict[tuple[dt.date, str], Hours]  # (begin of a period, value) -> hours -> how many


def _summed(what: str, user: User, asked: Asked) -> Summed:
    """Grouped by month in the database, and to quarters and years here; less what is not told to this person."""
    rows = DaySum.objects.of(what, asked.by).filter(unit=user.unit_id, day__range=(asked.first, asked.last))
    kept = ["month", "value", "hours"] if what == "contact" else ["month", "value"]
    found: Summed = defaultdict(Counter)
    grouped = rows.annotate(month=TruncMonth("day")).order_by().values_list(*kept)
    for month, value, *hours, count in grouped.annotate(n=Sum("count")):
        found[_begin(asked.step, month), value][hours[0] if hours else 0] += count
    for day, value, hour, count in kept_from(user, what, asked.by, asked.first, asked.last):
        found[_begin(asked.step, day), value][hour] -= count
    told = {cell: +hours for cell, hours in found.items() if +hours}
    return defaultdict(Counter, told)


def _counts_told(rows: Summed, asked: Asked) -> Answer:
    begins = asked.begins
    names = asked.names
    if not asked.by:
        counts = [rows[begin, ""].total() for begin in begins]
        chart = bar_chart(names, counts, unfinished=len(names) - 1 if asked.is_unfinished else -1)
        told = [(name, [str(count)]) for name, count in zip(names, counts, strict=True)]
        return Answer([str(SHOWN[asked.show])], told, chart, sums=(_("All"), [str(sum(counts))]))
    totals: Counter[str] = Counter()
    for (_begun, value), hours in rows.items():
        totals[value] += hours.total()
    values = _in_order(asked.by, totals)
    told = [
        (name, [str(totals[value]), *(str(rows[begin, value].total()) for begin in begins)]) for value, name in values
    ]  # the sum first: a narrow window shows it without being pushed sideways
    return Answer([_("All"), *names], told, shares=_shares([totals[value] for value, _name_ in values]))


def _contacts_told(rows: Summed, asked: Asked) -> Answer:
    heads = [_("First contacts"), _("Half within, hours"), _("9 of 10 within, hours")]
    if asked.by:
        hours = _over_all(rows)
        values = _in_order(asked.by, hours)
        halves = [quantile(hours[value], HALF) for value, _name_ in values]
        return Answer(heads, [(name, _times(hours[value])) for value, name in values], shares=_shares(halves))
    names = asked.names
    by_period = [rows[begin, ""] for begin in asked.begins]
    lines = [
        (words, [quantile_of(hours, share) for hours in by_period])
        for words, share in ((_("half"), HALF), (_("9 of 10"), NINE_OF_TEN))
    ]
    told = [(name, _times(hours)) for name, hours in zip(names, by_period, strict=True)]
    return Answer(
        heads, told, line_chart(names, lines, room_for_words=80), sums=(_("All"), _times(_over_all(rows)[""]))
    )


def _over_all(rows: Summed) -> dict[str, Hours]:
    found: dict[str, Hours] = defaultdict(Counter)
    for (_begun, value), hours in rows.items():
        found[value].update(hours)
    return found


def _times(hours: Hours) -> list[str]:
    if not hours:
        return ["0", "–", "–"]
    return [str(hours.total()), str(quantile(hours, HALF)), str(quantile(hours, NINE_OF_TEN))]


def _answered_told(in_time: Summed, late: Summed, asked: Asked) -> Answer:
    heads = [_("In time"), _("Late or not at all"), _("Share in time")]
    if asked.by:
        good, bad = _over_all(in_time), _over_all(late)
        values = _in_order(asked.by, {**good, **bad})
        pairs = [(good[value].total(), bad[value].total()) for value, _name_ in values]
        told = [(name, _share_told(*pair)) for (_value, name), pair in zip(values, pairs, strict=True)]
        return Answer(heads, told, shares=[_percent(*pair) or 0 for pair in pairs])
    names = asked.names
    pairs = [(in_time[begin, ""].total(), late[begin, ""].total()) for begin in asked.begins]
    shares = [_percent(*pair) for pair in pairs]
    said = ["–" if share is None else f"{share} %" for share in shares]
    chart = bar_chart(names, shares, unfinished=len(names) - 1 if asked.is_unfinished else -1, said=said)
    told = [(name, _share_told(*pair)) for name, pair in zip(names, pairs, strict=True)]
    return Answer(heads, told, chart, sums=(_("All"), _share_told(sum(p[0] for p in pairs), sum(p[1] for p in pairs))))


def _percent(good: int, bad: int) -> int | None:
    return round(100 * good / (good + bad)) if good + bad else None


def _share_told(good: int, bad: int) -> list[str]:
    share = _percent(good, bad)
    return [str(good), str(bad), "–" if share is None else f"{share} %"]


def _shares(counts: list[int]) -> list[int]:
    most = max([*counts, 1])
    return [round(100 * count / most) for count in counts]


# -- names -------------------------------------------------------------------------------------------------------------


def _in_order(by: str, found: Iterable[str]) -> list[tuple[str, str]]:
    """What was found, with its words, in the order of its list; what is not known last."""
    values = set(found)
    if by in ("place", "agency"):
        names = _named(by, values)
        return sorted(names.items(), key=lambda one: (one[0] == "-", one[0] == Municipality.ELSEWHERE, one[1]))
    words, order = LISTS[by]
    codes = order()
    return [(value, words(value)) for value in sorted(values, key=lambda v: (codes.index(v) if v in codes else 99, v))]


def _named(by: str, values: set[str]) -> dict[str, str]:
    rows: Any = Municipality.objects if by == "place" else PartnerAgency.objects
    known = values - {"-"}
    names = {str(row.pk): str(row) for row in rows.filter(pk__in=known)}
    return {value: names.get(value, _("Not known")) for value in values}


LISTS: dict[str, tuple[Callable[[str], str], Callable[[], list[str]]]] = {
    "caller": (triage.caller_name, lambda: list(triage.guide_today().callers)),
    "milieu": (lambda code: triage.name_of("milieus", code), lambda: triage.codes("milieus")),
    "age": (lambda code: triage.name_of("age_bands", code), lambda: triage.codes("age_bands")),
    "urgency": (lambda code: triage.name_of("urgencies", code), lambda: triage.codes("urgencies")),
}
