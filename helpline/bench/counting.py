"""How many statements a request made, and how long the database took, where the bench asks for it."""

import re
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

ASKED = "X-Bench"
QUERIES, MILLISECONDS, GUARD = "X-Bench-Queries", "X-Bench-Database-Ms", "X-Bench-Guard"
# What a statement is about, by the first table that it names outside its subselects; and the tables of the guard: who may, and
# the log of it.
INNER = re.compile(r"\([^()]*\)")
ABOUT = re.compile(r'(?:FROM|INTO|UPDATE) "(\w+)"')
GUARDS = {"people_logentry", "people_loglink", "intake_caseopening", "intake_namedaccess", "usersessions_usersession"}
# What begins and ends is no statement of the page; the time of a commit is its database's all the same.
UNCOUNTED = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "BEGIN", "COMMIT")


class Tally:
    """The statements of one request. Seconds until their rows could be read, those of commits included."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.seconds = 0.0
        self.guard_statements = 0
        self.guard_seconds = 0.0
        self.commit_seconds = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Of django.db's execute_wrapper."""
        if not sql.startswith(UNCOUNTED):
            self.statements.append(sql)
        before = self.seconds
        try:
            return self.timed(execute, sql, params, many, context)
        finally:
            if self.is_of_guard(sql):
                self.guard_statements += 1
                self.guard_seconds += self.seconds - before

    def committed(self, commit: Callable[[], None]) -> None:
        """The commit; where the log has a new row, its link in the chain is made by it."""
        before = self.seconds
        self.timed(commit)
        self.commit_seconds += self.seconds - before

    @staticmethod
    def is_of_guard(sql: str) -> bool:
        """Whether a statement asks who may, or writes what was read into the log."""
        outer = sql
        while INNER.search(outer):
            outer = INNER.sub("", outer)
        about = ABOUT.search(outer)
        return about[1] in GUARDS if about else "set_config" in sql

    def timed(self, act: Callable[..., Any], *args: Any) -> Any:
        """Do it, and add how long it took."""
        began = time.perf_counter()
        try:
            return act(*args)
        finally:
            self.seconds += time.perf_counter() - began


class CountingMiddleware:
    """Tells the bench in two headers. A request that does not ask goes through untouched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if ASKED not in request.headers:
            return self.get_response(request)
        connection.ensure_connection()
        # Django tells nobody of a commit: its own step is timed while the request lasts, and put back.
        tally, commit = Tally(), connection._commit  # type: ignore[attr-defined]
        connection._commit = lambda: tally.committed(commit)  # type: ignore[attr-defined]
        try:
            with connection.execute_wrapper(tally):
                response = self.get_response(request)
        finally:
            del connection._commit  # type: ignore[attr-defined]
        response[QUERIES], response[MILLISECONDS] = str(len(tally.statements)), f"{1000 * tally.seconds:.3f}"
        response[GUARD] = f"{tally.guard_statements} {1000 * (tally.guard_seconds + tally.commit_seconds):.3f}"
        return response
