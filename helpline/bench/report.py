"""What a bench tells: a table of ratios on the screen, build/bench.json, and docs/performance.md where it is a whole one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpline.bench.measure import Beside
from helpline.bench.order import SIZES
from helpline.local.console import say

Taken = Mapping[int, Mapping[str, Beside]]  # cases -> name of the page -> what was measured
SMALLEST = SIZES[0]
BEGIN, END = "<!-- drawn by make bench: begin -->", "<!-- drawn by make bench: end -->"
HEADS = [
    "page",
    "p50 ms",
    "p95 ms",
    "req/s by 8",
    "queries",
    "bytes",
    "floor p50",
    "of floor",
    "SQL p50",
    "of SQL",
    "growth",
    "guard",
]


def figures(taken: Taken) -> dict[str, Any]:
    """The figures of the biggest size, as build/bench.json has them. Milliseconds; ratio_to_floor of the medians, ratio_to_sql
    of the page's time in the database; growth_from_20k of the medians, null where 20,000 were not measured."""
    cases = max(taken)
    smallest = taken.get(SMALLEST, {}) if cases > SMALLEST else {}
    return {"cases": cases, "pages": [_page(name, one, smallest.get(name)) for name, one in taken[cases].items()]}


def _page(name: str, one: Beside, small: Beside | None) -> dict[str, Any]:
    return {
        "name": name,
        "p50_ms": round(one.page.p50, 2),
        "p95_ms": round(one.page.p95, 2),
        "rps": round(one.page.rps, 1),
        "queries": one.page.queries,
        "bytes": one.page.bytes,
        "ratio_to_floor": round(one.page.p50 / one.floor.p50, 2),
        "ratio_to_sql": round(one.page.database / one.sql_p50, 2),
        "growth_from_20k": round(one.page.p50 / small.page.p50, 2) if small else None,
        "guard_queries": one.page.guard_queries,
        "guard_share": round(one.page.guard / one.page.p50, 2),
    }


def rows(taken: Taken, cases: int) -> list[list[str]]:
    """The table of one size, as text."""
    found = figures({size: one for size, one in taken.items() if size <= cases})
    return [_row(page, taken[cases][page["name"]]) for page in found["pages"]]


def _row(page: Mapping[str, Any], one: Beside) -> list[str]:
    growth = page["growth_from_20k"]
    return [
        *(page["name"], f"{page['p50_ms']:.1f}", f"{page['p95_ms']:.1f}", f"{page['rps']:.0f}", str(page["queries"])),
        *(f"{page['bytes']:,}", f"{one.floor.p50:.1f} [{one.floor.queries}]", f"{page['ratio_to_floor']:.2f}"),
        *(f"{one.sql_p50:.2f}", f"{page['ratio_to_sql']:.1f}", "-" if growth is None else f"{growth:.2f}"),
        f"{page['guard_share']:.0%} [{page['guard_queries']}]",
    ]


def table(lines: Sequence[Sequence[str]]) -> str:
    """The lines under their heads, in columns; as Markdown has it too."""
    every = [HEADS, *lines]
    wide = [max(len(line[place]) for line in every) for place in range(len(HEADS))]
    told = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, wide, strict=True)) + " |" for line in every
    ]
    told.insert(1, "|" + "|".join("-" * (width + 2) for width in wide) + "|")
    return "\n".join(told)


def show(taken: Taken, cases: int) -> None:
    """The table of one size, on the screen."""
    say(f"\n{cases:,} cases\n\n{table(rows(taken, cases))}\n")


def write(taken: Taken, path: Path) -> None:
    """build/bench.json."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures(taken), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def draw(taken: Taken, about: str, path: Path) -> None:
    """The tables of all sizes, biggest first, in their place in docs/performance.md. Raises ValueError where it has none."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path.name} has no place for the tables")
    tables = "\n\n".join(f"### {cases:,} cases\n\n{table(rows(taken, cases))}" for cases in sorted(taken, reverse=True))
    path.write_text(f"{before}{begin}\n{about}\n\n{tables}\n{end}{after}", encoding="utf-8")
