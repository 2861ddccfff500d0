"""How many statements a request made, and how long the database took, where the bench asks for it."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

ASKED = "X-Bench"
QUERIES, MILLISECONDS = "X-Bench-Queries", "X-Bench-Database-Ms"
# What begins and ends is no statement of the page; the time of a commit is its database's all the same.
UNCOUNTED = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "BEGIN", "COMMIT")


class Tally:
    """The statements of one request. Seconds until their rows could be read, those of commits included."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.seconds = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Of django.db's execute_wrapper."""
        if not sql.startswith(UNCOUNTED):
            self.statements.append(sql)
        return self.timed(execute, sql, params, many, context)

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
        tally, commit = Tally(), connection._commit  # type: ignore[attr-defined]
        connection._commit = lambda: tally.timed(commit)  # type: ignore[attr-defined]
        try:
            with connection.execute_wrapper(tally):
                response = self.get_response(request)
        finally:
            del connection._commit  # type: ignore[attr-defined]
        response[QUERIES], response[MILLISECONDS] = str(len(tally.statements)), f"{1000 * tally.seconds:.3f}"
        return response
