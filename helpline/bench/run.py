"""One run: at each size the database is filled further, and everything is measured; at the last one it is verified too."""

import datetime as dt
import os
import time
from pathlib import Path

import psycopg2

from helpline.bench import chain, desk, fill, people, report, whole
from helpline.bench.desk import Desk
from helpline.bench.explain import explain
from helpline.bench.measure import COUNTED, WARM, Beside, beside
from helpline.bench.order import SIZES, Order
from helpline.bench.pages import PAGES
from helpline.bench.stage import Stage
from helpline.local.console import say, step
from helpline.local.state import CHECKOUT

RESULT = CHECKOUT / "build" / "bench.json"
DOCUMENT = CHECKOUT / "docs" / "performance.md"
PLANS = {True: CHECKOUT / "docs" / "explain", False: CHECKOUT / "build" / "explain"}  # of a whole run, of a smaller one
WHOLE = SIZES[-1]
A_DESK = 45  # calls that each of eight clients may complete
ALONE = WARM + COUNTED  # more of them, for the one who also asks alone
SLOWEST = 12


def run(wanted: Order, stage: Stage) -> int:
    """The exit code: 1 where what was loaded is not as it should be."""
    with step("Making units, staff and agencies"):
        people.make()
    taken: dict[int, dict[str, Beside]] = {}
    had = 0
    for size in wanted.sizes:
        _fill(stage.dsn, had, size)
        if size == wanted.cases and (found := _faults(stage.dsn)):
            say("\n".join(["Not as it should be:", *found]))
            return 1
        taken[size] = _measure(wanted, stage, biggest=size == wanted.cases)
        report.show(taken, size)
        report.write(taken, RESULT)
        had = size
    is_whole = wanted.cases == WHOLE
    if is_whole:
        report.draw(taken, _about(stage), DOCUMENT)
    plans = PLANS[is_whole].relative_to(CHECKOUT)
    say(f"{RESULT.relative_to(CHECKOUT)} has the figures, {plans} how each list comes to its rows.")
    return 0


def _about(stage: Stage) -> str:
    """When and on what it was measured, and what sealing costs, as sentences."""
    where = "in memory" if stage.in_memory else "on the disk"
    sealed = fill.microseconds_to_seal()
    return (
        f"{dt.date.today():%Y-%m-%d}, {os.cpu_count()} cores, PostgreSQL {where}. Sealing a text of some sentences took "
        f"{sealed:.1f} µs of one core, wrapping a new key as much again."
    )


def _fill(dsn: str, had: int, size: int) -> None:
    began = time.monotonic()
    with step(f"Filling {had:,} to {size:,} cases"):
        counts = fill.fill(dsn, had, size)
    rows = sum(counts.values())
    with step("Linking the log"):
        rows += chain.link(dsn)
    with step("Vacuum, statistics"):
        fill.settle(dsn)
    with step("Sums by day"):
        fill.sums()
    took = time.monotonic() - began
    say(f"  {rows:,} rows in {took:.0f} s: {', '.join(f'{table} {n:,}' for table, n in counts.most_common())}")


def _faults(dsn: str) -> list[str]:
    with step("Verifying every reference, rule, link of the log, and words that open"):
        return whole.faults(dsn)


def _measure(wanted: Order, stage: Stage, *, biggest: bool) -> dict[str, Beside]:
    at = people.places()
    with step("Making sessions"):
        desks = {
            "worker": desk.workers(stage.port, at),
            "manager": desk.managers(stage.port, at),
            "partner": desk.partners(stage.port, at),
        }
        other, since = desk.stranger(stage.port, at), dt.datetime.now(dt.UTC)
    if biggest:
        folder = PLANS[wanted.cases == WHOLE]
        _explain(folder, {who: some[0] for who, some in desks.items()})
    found = {}
    for page in PAGES:
        with step(f"Measuring: {page.name}"):
            if page.uses_up:
                desk.give_calls(desks["worker"], A_DESK, A_DESK + ALONE + wanted.requests)
            found[page.name] = beside(page, desks[page.who], other, wanted, stage.env["DATABASE_URL"])
            desk.tidy([*desks["worker"], other])
    desk.leave([other, *(one for some in desks.values() for one in some)])
    connection = psycopg2.connect(stage.dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(fill.TRIGGERS_OFF)
        desk.hand_on(cursor, at, since)
    connection.close()
    return found


def _explain(folder: Path, desks: dict[str, Desk]) -> None:
    with step("Explaining each list and tile"):
        slow = explain(desks, folder)
    for took, page, sql in slow[:SLOWEST]:
        say(f"  {took:8.1f} ms  {page}: {sql[:150]}")
