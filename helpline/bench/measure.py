"""The clients: one that asks again and again, then eight at once; for the page, for its floor, and the bare SQL beside."""

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2

from helpline.bench.clients import Answer, Ask
from helpline.bench.desk import Desk
from helpline.bench.order import Order
from helpline.bench.pages import Measured
from helpline.local.console import Trouble, pause

WARM = 8  # requests that are not counted
COUNTED = 10  # requests that say how many statements they made: they take longer, and are none of the measured


@dataclass(frozen=True)
class Figures:
    """What one page took. Milliseconds."""

    p50: float
    p95: float
    rps: float
    queries: int
    database: float
    bytes: int
    guard_queries: int = 0
    guard: float = 0.0


@dataclass(frozen=True)
class Beside:
    """A page, its floor, and the bare SQL of the same work."""

    page: Figures
    floor: Figures
    sql_p50: float
    sql_p95: float


def quantile(values: list[float], part: float) -> float:
    """The smallest value that this part of all values does not exceed. Raises ValueError where there is none."""
    if not values:
        raise ValueError("nothing was measured")
    ranked = sorted(values)
    return ranked[max(0, -(-round(part * len(ranked) * 1_000) // 1_000) - 1)]


def beside(page: Measured, desks: list[Desk], other: Desk, order: Order, dsn: str) -> Beside:
    """All three, one after the other. What the bare SQL writes is the other's. `dsn` is that of the application's role."""
    sql = bare_times(page, other if page.writes else desks[0], order, dsn)
    floor = figures(page.name, page.floor, desks, order, (200, 302), uses_up=False)
    whole = figures(page.name, page.ask, desks, order, page.is_right, uses_up=page.uses_up)
    return Beside(whole, floor, quantile(sql, 0.5), quantile(sql, 0.95))


def figures(
    name: str,
    ask: Callable[[Desk], Ask],
    desks: list[Desk],
    order: Order,
    is_right: tuple[int, ...],
    *,
    uses_up: bool,
) -> Figures:
    """One client, then all of them. Raises Trouble where an answer is not what it should be."""
    first, times = desks[0], []
    for _number in range(WARM):
        answer = _right(name, first.client.ask(ask(first)), is_right)
    counted = [_right(name, first.client.ask(ask(first), counted=True), is_right) for _number in range(COUNTED)]
    for _number in range(order.requests):
        answer = _right(name, first.client.ask(ask(first)), is_right)
        times.append(answer.took)
    pause(0)
    return Figures(
        p50=quantile(times, 0.5),
        p95=quantile(times, 0.95),
        rps=_together(name, ask, desks, order.seconds, is_right, uses_up=uses_up),
        queries=round(statistics.median(one.queries for one in counted)),
        database=statistics.median(one.database for one in counted),
        bytes=len(answer.body),
        guard_queries=round(statistics.median(one.guard[0] for one in counted)),
        guard=statistics.median(one.guard[1] for one in counted),
    )


def _right(name: str, answer: Answer, is_right: tuple[int, ...]) -> Answer:
    if answer.status not in is_right or "/login/" in answer.location:
        raise Trouble(f"{name}: {answer.status} {answer.location} instead of the page; {answer.body[:2000]!r}")
    return answer


def _together(
    name: str,
    ask: Callable[[Desk], Ask],
    desks: list[Desk],
    seconds: float,
    is_right: tuple[int, ...],
    *,
    uses_up: bool,
) -> float:
    """Requests a second by all of them at once."""
    done: list[tuple[int, float]] = []
    wrong: list[str] = []
    until = time.monotonic() + seconds

    def work(desk: Desk) -> None:
        count = 0
        try:
            while time.monotonic() < until and not (uses_up and not desk.to_complete):
                _right(name, desk.client.ask(ask(desk)), is_right)
                count += 1
        except (Trouble, OSError) as error:
            wrong.append(str(error))
        done.append((count, time.monotonic()))

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=[desk]) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise Trouble(wrong[0])
    return sum(count for count, _ended in done) / (max(ended for _count, ended in done) - began)


def bare_times(page: Measured, desk: Desk, order: Order, dsn: str) -> list[float]:
    """How long the bare SQL takes, each time in a transaction of its own."""
    connection = psycopg2.connect(dsn)
    times = []
    try:
        for number in range(WARM + order.requests):
            began = time.perf_counter()
            with connection, connection.cursor() as cursor:
                page.sql(cursor, desk)
            if number >= WARM:
                times.append(1000 * (time.perf_counter() - began))
    finally:
        connection.close()
    return times
