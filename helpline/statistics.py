"""What is told outside of the line: ended quarters and years of all its units, counted and suppressed once, and then frozen."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Min, Sum

from helpline import sums
from helpline.definitions import DEFINITIONS, REST, TABLES, Definition, codes_of
from helpline.people import clock
from helpline.suppression import (
    LEAST,
    Cells,
    added,
    is_few_for_a_unit,
    told_cells,
    told_or_none,
    told_sum,
    total_of,
)
from intake.models import DayMark, DaySum, PastCase, ToldPeriod

SETTLES = dt.timedelta(days=30)  # after its end a quarter is told: calls taken on paper are entered, handovers answered
WHATS = sorted({one.what for one in DEFINITIONS})
MONTHS_OF_QUARTER = 3
LEAST_FOR_MEDIAN = 2 * LEAST  # it is one of the values: so many that five are no more than it, and five no less


@dataclass(frozen=True)
class Period:
    """A quarter of a year, or a whole one where `quarter` is 0."""

    year: int
    quarter: int = 0

    @property
    def code(self) -> str:
        return f"{self.year}-Q{self.quarter}" if self.quarter else str(self.year)

    @property
    def first(self) -> dt.date:
        return dt.date(self.year, MONTHS_OF_QUARTER * (self.quarter - 1) + 1 if self.quarter else 1, 1)

    @property
    def last(self) -> dt.date:
        after = Period(self.year + 1, 1) if self.quarter in (0, 4) else Period(self.year, self.quarter + 1)
        return after.first - dt.timedelta(days=1)

    @property
    def quarters(self) -> "list[Period]":
        """Those of a year."""
        return [Period(self.year, number) for number in (1, 2, 3, 4)]

    @property
    def told_from(self) -> dt.date:
        """The first day on which it is told."""
        return self.last + SETTLES + dt.timedelta(days=1)

    @property
    def has_settled(self) -> bool:
        """Whether it is told from today on, or before."""
        return self.told_from <= clock.today()


def quarter_of(day: dt.date) -> Period:
    """The quarter of a day."""
    return Period(day.year, (day.month - 1) // MONTHS_OF_QUARTER + 1)


def period_of(code: str) -> Period | None:
    """The period of a code that `Period.code` wrote; None of any other."""
    year, _dash, quarter = code.partition("-Q")
    if len(year) == 4 and year.isascii() and year.isdigit() and year != "0000" and quarter in ("", "1", "2", "3", "4"):
        period = Period(int(year), int(quarter or 0))
        return period if period.code == code else None
    return None


# -- counted -----------------------------------------------------------------------------------------------------------

# what -> {"all": unit -> n, "minutes": n, "hours": hour -> n, "parts": part -> value -> unit -> n}; minutes None: of some of
# them nobody knows any more how long they were.
Counts = dict[str, Any]


def counted(quarter: Period) -> Counts:
    """What is known of a quarter: its sums by day, and what remains of what is forgotten."""
    found: Counts = {
        what: {"all": Counter(), "minutes": 0, "hours": Counter(), "parts": _empty_tables(what)} for what in WHATS
    }
    days = DaySum.objects.filter(day__range=(quarter.first, quarter.last), what__in=WHATS).order_by()
    _add_totals(found, days.filter(part=""))
    for table in TABLES:
        cells = _cells_of(table, days.filter(what=table.what, part=table.part))
        _add(found[table.what]["parts"][table.part], codes_of(table), cells)
    _add_past(found, quarter)
    _see_to_the_rest(found, is_forgotten=PastCase.objects.filter(opened_quarter=quarter.first).exists())
    return found


def _empty_tables(what: str) -> dict[str, dict[str, Counter[str]]]:
    return {one.part: {code: Counter() for code in codes_of(one)} for one in TABLES if one.what == what}


def _add_totals(found: Counts, days: Any) -> None:
    rows = days.values_list("what", "unit", "hours").annotate(n=Sum("count"), took=Sum("minutes"))
    for what, unit, hours, count, minutes in rows:
        found[what]["all"][str(unit)] += count
        found[what]["minutes"] += minutes
        if what == "contact":
            found[what]["hours"][str(hours)] += count


def _cells_of(table: Definition, days: Any) -> list[tuple[str, str, int]]:
    """(code, unit, how many) of one table."""
    codes = table.read_as()
    rows = days.values_list("value", "unit").annotate(n=Sum("count"))
    return [(codes.get(value, value), str(unit), n) for value, unit, n in rows]


def _add(cells: dict[str, Counter[str]], codes: list[str], rows: Iterable[tuple[str, str, int]]) -> None:
    for value, unit, count in rows:
        cells[value if value in codes else REST][unit] += count


def _add_past(found: Counts, quarter: Period) -> None:
    """Of what is forgotten: its calls and handovers count in the quarter in which it began, its end in that of its closing."""
    begun = PastCase.objects.filter(opened_quarter=quarter.first).exclude(sums.NO_PAST_CALL).order_by()
    ended = PastCase.objects.filter(closed_quarter=quarter.first, is_call=False).order_by()
    for what, rows, amount in (
        ("call", begun, "calls"),
        ("case", begun.filter(is_call=False), ""),
        ("handover", begun, "handovers"),
        ("closed", ended, ""),
    ):
        tables = [one for one in TABLES if one.what == what]
        names = [one.past for one in tables if one.past]
        for row in rows.values("unit_id", *([amount] if amount else []), *names):
            unit, count = str(row["unit_id"]), row[amount] if amount else 1
            found[what]["all"][unit] += count
            found[what]["minutes"] = None if count else found[what]["minutes"]
            for table in tables:
                value = str(row[table.past]) if table.past else ""
                _add(found[what]["parts"][table.part], codes_of(table), [(value, unit, count)])


def _see_to_the_rest(found: Counts, *, is_forgotten: bool) -> None:
    """What was never said is in the rest of its table: a table holds all. Where no row can be in the rest, the table has none,
    and nobody takes it for a few; that it is there says that something of the quarter is forgotten, and not what."""
    for table in TABLES:
        one = found[table.what]
        cells: dict[str, Counter[str]] = one["parts"][table.part]
        said = sum(cells.values(), Counter())
        cells[REST] += Counter(one["all"]) - said
        if not (table.has_rest or is_forgotten or total_of(cells[REST])):
            del cells[REST]


# -- told --------------------------------------------------------------------------------------------------------------


def _median(hours: Mapping[str, int], units: Mapping[str, int]) -> int | None:
    """None where they are too few, or too few are of others than one unit."""
    if sum(hours.values()) < LEAST_FOR_MEDIAN or is_few_for_a_unit(units):
        return None
    return quantile({int(hour): count for hour, count in hours.items()}, 0.5)


def quantile(hours: Mapping[int, int], share: float) -> int:
    """So many begun hours, or fewer, took this share of them: of a count for each hour."""
    needed, so_far = sum(hours.values()) * share, 0
    for hour in sorted(hours):
        so_far += hours[hour]
        if so_far >= needed:
            return hour
    return 0


def told_of_quarter(counts: Counts) -> dict[str, Any]:
    """What is told of the counts of one quarter: its numbers. Tables are told of years alone (0022)."""
    return {what: _told_of(one) for what, one in counts.items()}


def _told_of(one: Mapping[str, Any]) -> dict[str, Any]:
    total = total_of(one["all"])
    if total < LEAST:
        return {"all": None, "minutes": None, "median": None}
    minutes = None if is_few_for_a_unit(one["all"]) else one["minutes"]
    return {"all": total, "minutes": minutes, "median": _median(one["hours"], one["all"])}


def told_of_year(counts: Sequence[Counts], told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is told of a year, of what its quarters were counted and told; nothing of what one of them did not count."""
    whats = [what for what in counts[0] if all(what in one for one in counts)]
    return {what: _told_of_year([one[what] for one in counts], [one[what] for one in told]) for what in whats}


def _told_of_year(counts: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The minutes are the sum of what was told. The median only where the total of each quarter is told: else it would say
    something of that quarter."""
    total = told_sum([total_of(one["all"]) for one in counts])
    hours, units = added(one["hours"] for one in counts), added(one["all"] for one in counts)
    return {
        "all": total,
        "minutes": told_or_none([one["minutes"] for one in told]),
        "median": None if any(one["all"] is None for one in told) else _median(hours, units),
        "parts": {
            part: dict.fromkeys(cells) if total is None else told_cells(cells)
            for part, cells in _tables_of_year(counts, told).items()
        },
    }


def _tables_of_year(counts: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]]) -> dict[str, Cells]:
    """Those that each quarter counted; none where a quarter told its own, as it once did."""
    if any("parts" in one for one in told):
        return {}
    each = [one["parts"] for one in counts]
    return {part: _summed([one[part] for one in each]) for part in each[0] if all(part in one for one in each)}


def _summed(tables: Sequence[Cells]) -> Cells:
    values = dict.fromkeys(value for cells in tables for value in cells)
    return {value: added(cells.get(value, {}) for cells in tables) for value in values}


# -- frozen ------------------------------------------------------------------------------------------------------------


def settle(*, waits: bool = True) -> bool:
    """Count, suppress and freeze each quarter and year that is told from now on, the oldest first; whether all of them are.
    Harmless when run twice, or by two. A day that is still to be counted anew lets its quarter wait. All is read as it was at
    one moment: what is forgotten meanwhile is counted once. `waits=False`: where somebody counts now, nothing is done."""
    if not _is_due():
        return True
    outermost = not connection.in_atomic_block  # in a test that is one transaction, nothing else moves
    with _while_no_day_is_counted(waits) as is_alone:
        return is_alone and _settle_at_one_moment(outermost)


def _settle_at_one_moment(outermost: bool) -> bool:
    with transaction.atomic(durable=True):
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _settle_all()


def _settle_all() -> bool:
    begun = _first_quarter()
    years = range(begun.year, clock.today().year + 1) if begun else range(0)
    return begun is None or all(_settle_year(Period(year), begun) for year in years)


@contextmanager
def _while_no_day_is_counted(waits: bool) -> Iterator[bool]:
    """Held before the transaction begins, for what it sees is what there was at its first question. Whether it is: who does
    not wait does not get it from one who counts."""
    lock = "SELECT pg_advisory_lock(%s) IS NOT NULL" if waits else "SELECT pg_try_advisory_lock(%s)"
    with connection.cursor() as cursor:
        cursor.execute(lock, [sums.LOCK])
        is_alone = bool(cursor.fetchone()[0])
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [sums.LOCK])


def _is_due() -> bool:
    """Whether the last quarter that has settled is not frozen, and the line was there then."""
    last = quarter_of(clock.today() - SETTLES - dt.timedelta(days=1))
    due = last if last.has_settled else quarter_of(last.first - dt.timedelta(days=1))
    if ToldPeriod.objects.filter(period=due.code).exists():
        return False
    begun = _first_quarter()
    return begun is not None and due.first >= begun.first


def _first_quarter() -> Period | None:
    """The first that was told. Where none was, the first of which there is anything: what is entered of an earlier one, when
    others are told, is told nowhere."""
    frozen = min((code for code in ToldPeriod.objects.values_list("period", flat=True) if "-Q" in code), default=None)
    if frozen:
        return period_of(frozen)
    kept = DaySum.objects.aggregate(first=Min("day"))["first"]
    past = PastCase.objects.aggregate(first=Min("opened_quarter"))["first"]
    first = min((day for day in (kept, past) if day), default=None)
    return quarter_of(first) if first else None


def _settle_year(year: Period, begun: Period) -> bool:
    """Whether nothing of it waits for a day that is counted anew."""
    own = [quarter for quarter in year.quarters if quarter.first >= begun.first]
    frozen = {one.period: one for one in ToldPeriod.objects.filter(period__startswith=year.code)}
    for quarter in own:
        if quarter.has_settled and quarter.code not in frozen:
            if _is_marked(quarter):
                return False
            counts = counted(quarter)
            frozen[quarter.code] = _freeze(quarter, counts, told_of_quarter(counts))
    parts = [frozen[quarter.code] for quarter in own if quarter.code in frozen]
    if own and len(parts) == len(own) and year.code not in frozen:
        _freeze(year, {}, told_of_year([one.counts for one in parts], [one.told for one in parts]))
    return True


def _is_marked(quarter: Period) -> bool:
    return DayMark.objects.filter(day__range=(quarter.first, quarter.last)).exists()


def _freeze(period: Period, counts: Counts, told: dict[str, Any]) -> ToldPeriod:
    row = ToldPeriod.objects.create(period=period.code, counts=counts, told=told)
    row.refresh_from_db()  # as JSON has it
    return row


def periods() -> list[Period]:
    """The periods that are told, the latest first, a year before its quarters."""
    found = [period_of(code) for code in ToldPeriod.objects.values_list("period", flat=True)]
    return sorted((one for one in found if one), key=lambda one: (-one.year, one.quarter and -one.quarter or -9))


def told(period: Period) -> dict[str, Any]:
    """What was told of a period. Raises ToldPeriod.DoesNotExist."""
    found: dict[str, Any] = ToldPeriod.objects.get(period=period.code).told
    return found
