"""How PostgreSQL comes to the rows of each list and tile: EXPLAIN (ANALYZE, BUFFERS) of each query that a page makes, in the
page's own request, so that it stands where the page stands (role, settings, transaction)."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from helpline.bench.desk import Desk

READS = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
# What one reads in a plan: neither the thousand digits of a list of numbers nor the bytes of a key.
LONG = re.compile(r"\{[^{}]{200,}\}|(?<=IN \()[^()]{300,}(?=\))")
LISTS = {
    "my-day": ("worker", "/my-day/"),
    "cases-mine": ("worker", "/cases/"),
    "cases-unit": ("worker", "/cases/?which=unit"),
    "cases-closed": ("worker", "/cases/?which=closed"),
    "case": ("worker", "case"),
    "call": ("worker", "call"),
    "handovers-worker": ("worker", "/handovers/"),
    "handovers-worker-ended": ("worker", "/handovers/?which=ended"),
    "handovers-unit": ("manager", "/handovers/"),
    "handovers-unit-ended": ("manager", "/handovers/?which=ended"),
    "overview": ("manager", "/overview/"),
    "statistics": ("manager", "/statistics/"),
    "inbox": ("partner", "/portal/"),
}


class Explaining:
    """Explains each query before it is made. Of django.db's execute_wrapper."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.slowest: list[tuple[float, str]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if READS.match(sql) and "FOR UPDATE" not in sql and "set_config" not in sql and not many:
            cursor = context["cursor"].cursor
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
            plan = [row[0] for row in cursor.fetchall()]
            took = float(plan[-1].partition(": ")[2].partition(" ")[0])
            short = LONG.sub("...", sql if len(sql) < 6_000 else sql[:6_000] + " ...")
            self.told.append(f"{short}\n\n" + "\n".join(LONG.sub("...", line) for line in plan))
            self.slowest.append((took, short))
        return execute(sql, params, many, context)


def explain(desks: dict[str, Desk], folder: Path) -> list[tuple[float, str, str]]:
    """Write a file for each list, and for the overview with all its tiles. The queries, slowest first: milliseconds, page,
    statement."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name, (who, path) in LISTS.items():
        desk = desks[who]
        path = (
            {"case": f"/cases/{desk.cases[0][2]}/", "call": f"/calls/{desk.call}/"}.get(path, path)
            if desk.cases
            else path
        )
        told = _explained(desk, path)
        if told is None:
            continue
        text = "\n\n\n".join(f"-- {number}\n{one}" for number, one in enumerate(told.told, 1))
        (folder / f"{name}.txt").write_text(text + "\n", encoding="utf-8")
        found += [(took, name, sql) for took, sql in told.slowest]
    return sorted(found, reverse=True)


def _explained(desk: Desk, path: str) -> Explaining | None:
    browser, told = Client(HTTP_X_FORWARDED_PROTO="https", HTTP_HOST="localhost"), Explaining()
    name, _equals, value = desk.client.cookie.partition("=")
    browser.cookies[name] = value
    connection.ensure_connection()
    with override_settings(ALLOWED_HOSTS=["localhost"]):
        browser.get(path, secure=True)  # the first look at statistics counts what is past, once for all
        with connection.execute_wrapper(told):
            answer = browser.get(path, secure=True)
    return told if answer.status_code == 200 else None
