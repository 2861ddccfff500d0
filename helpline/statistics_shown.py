"""The statistics of a period in words, as the page and each file have them: numbers, tables, the picture of the region."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from helpline.charts import Chart, bar_chart
from helpline.definitions import DEFINITIONS, NUMBERS, REST, RULES, TABLES, Definition
from helpline.statistics import Period, told
from helpline.suppression import Told
from intake.models import ToldPeriod

Number = int | float | None  # None: not told

# Where the municipalities of Skaraborg lie to each other, as tiles: (column, row), north above.
TILES: dict[str, tuple[int, int]] = {
    "1493": (2, 0),
    "1447": (3, 0),
    "1494": (0, 1),
    "1471": (1, 1),
    "1473": (3, 1),
    "1444": (0, 2),
    "1495": (1, 2),
    "1496": (2, 2),
    "1472": (3, 2),
    "1446": (4, 2),
    "1470": (0, 3),
    "1499": (1, 3),
    "1498": (2, 3),
    "1497": (3, 3),
    "1445": (0, 4),
}
WIDE, HIGH, SHADES = 110, 62, 4


@dataclass(frozen=True)
class Told1:
    """One line: what, and how many; None: not told."""

    label: str
    count: Number
    share: int = 0  # hundredths of the longest that is told


@dataclass(frozen=True)
class Table:
    """One table: its lines, what is told together of those that are not told by themselves, and all."""

    definition: Definition
    lines: list[Told1]
    together: int | None
    total: int | None

    @property
    def title(self) -> str:
        return str(self.definition.label)

    @property
    def told(self) -> list[Told1]:
        return [line for line in self.lines if line.count is not None]

    @property
    def untold(self) -> str:
        """The names of the lines that are not told."""
        return ", ".join(line.label for line in self.lines if line.count is None)


@dataclass(frozen=True)
class Tile:
    """One municipality in the picture of the region; the darker, the more."""

    name: str
    count: int | None
    x: int
    y: int
    shade: int  # 0: not told

    @property
    def middle(self) -> int:
        return self.x + WIDE // 2 - 3

    @property
    def name_y(self) -> int:
        return self.y + 24

    @property
    def count_y(self) -> int:
        return self.y + 46


@dataclass(frozen=True)
class Sheet:
    """All that is told of a period."""

    period: Period
    numbers: list[Told1]
    tables: list[Table]
    tiles: list[Tile]
    by_quarter: list[tuple[str, list[Number]]]  # of a year: each number in each quarter, and in the year
    quarters: list[str]
    chart: Chart | None

    @property
    def title(self) -> str:
        if not self.period.quarter:
            return _("Yearly report %(year)s") % {"year": self.period.year}
        words = {"quarter": self.period.quarter, "year": self.period.year}
        return _("Statistics, quarter %(quarter)s of %(year)s") % words

    @property
    def definitions(self) -> list[tuple[str, str]]:
        return [(str(one.label), str(one.says)) for one in DEFINITIONS]

    @property
    def rules(self) -> list[str]:
        return [str(rule) for rule in RULES]


def _per(part: Number, whole: Number, digits: int | None = None) -> Number:
    return round(part / whole, digits) if part is not None and whole else None


def _of(found: Mapping[str, Any], what: str, name: str = "all") -> Number:
    """One number of what was told; None where it is not, or was not counted then."""
    number: Number = found.get(what, {}).get(name)
    return number


# key of NUMBERS -> how it is read from what was told. No call lasts no time: where hours or length come to none, it is not known.
READ: dict[str, Callable[[Mapping[str, Any]], Number]] = {
    "calls": lambda found: _of(found, "call"),
    "hours": lambda found: _per(_of(found, "call", "minutes"), 60) or None,
    "length": lambda found: _per(_of(found, "call", "minutes"), _of(found, "call")) or None,
    "cases": lambda found: _of(found, "case"),
    "closed": lambda found: _of(found, "closed"),
    "handovers": lambda found: _of(found, "handover"),
    "per_case": lambda found: _per(_of(found, "handover"), _of(found, "case"), 1),
    "contacts": lambda found: _of(found, "contact"),
    "median": lambda found: _of(found, "contact", "median"),
    "reports": lambda found: _of(found, "report"),
    "asked": lambda found: _of(found, "asked"),
}


def sheet(period: Period) -> Sheet:
    """What was told of a period, in words. Raises ToldPeriod.DoesNotExist. A number or a table that there was not then is
    left out."""
    found = told(period)
    quarters = [] if period.quarter else _quarters(period)
    calls = [READ["calls"](one) for _quarter, one in quarters]
    names = [_("Q%(quarter)s") % {"quarter": quarter.quarter} for quarter, _one in quarters]
    numbers = [one for one in NUMBERS if one.what in found]
    return Sheet(
        period,
        [Told1(str(one.label), READ[one.key](found)) for one in numbers],
        [_table(one, found[one.what]) for one in TABLES if one.part in found.get(one.what, {}).get("parts", {})],
        _tiles(found.get("call", {}).get("parts", {}).get("place", {})),
        [
            (str(one.label), [*(READ[one.key](quarter) for _period, quarter in quarters), READ[one.key](found)])
            for one in numbers
        ],
        names,
        bar_chart(names, [None if count is None else int(count) for count in calls]) if quarters else None,
    )


def _quarters(year: Period) -> list[tuple[Period, dict[str, Any]]]:
    rows = dict(ToldPeriod.objects.filter(period__in=[one.code for one in year.quarters]).values_list("period", "told"))
    return [(one, rows[one.code]) for one in year.quarters if one.code in rows]


def _table(definition: Definition, found: Mapping[str, Any]) -> Table:
    words, cells = definition.words(), found["parts"][definition.part]
    codes = [
        code for code in [*words, *(code for code in cells if code not in words)] if code in cells and code != REST
    ]
    most = max([count for count in cells.values() if count is not None] or [1])
    lines = [_line(str(words.get(code, code)), cells[code], most) for code in codes]
    is_shown = cells.get(REST) is not None or found["all"] is None or any(cells[code] is None for code in codes)
    if REST in cells and is_shown:
        lines.append(_line(str(definition.rest), cells[REST], most))
    left = found["all"] - sum(count for count in cells.values() if count is not None) if found["all"] else None
    return Table(definition, lines, left if any(line.count is None for line in lines) else None, found["all"])


def _line(label: str, count: int | None, most: int) -> Told1:
    return Told1(label, count, round(100 * (count or 0) / max(most, 1)))


def _tiles(cells: Told) -> list[Tile]:
    """The municipalities that have a place in the picture."""
    words = next(one for one in TABLES if one.part == "place").words()
    most = max([cells.get(code) or 0 for code in TILES] + [1])
    return [
        Tile(
            str(words.get(code, code)),
            count := cells.get(code),
            WIDE * column,
            HIGH * row,
            0 if count is None else min(SHADES, 1 + (SHADES * count) // (most + 1)),
        )
        for code, (column, row) in TILES.items()
        if code in cells
    ]
