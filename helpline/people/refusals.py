"""Every refused attempt is a row of the log: by role, by row, by an old form; and without a row there is no page."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from helpline.people.accounts import log_throttled
from helpline.people.audit import REFUSED, NotLogged, log, write
from helpline.people.given_back import sent_words
from helpline.people.models import LogEntry, User
from helpline.people.pace import too_often

REFUSALS = {403, 404, 429}
DOORS = {"account_login", "account_signup", "mfa_login_webauthn"}  # at which allauth turns away who comes too often
A_MINUTE = 20  # rows of strangers from one place: a crowd at the door does not fill the log
# part of an address -> what the log may say of it: a code of ours, or "unknown". Each floor adds its own at start.
CODES: dict[str, Callable[[str], str]] = {}


class RefusalsMiddleware:
    """After the view, and outside its transaction: writes again the refusals that were rolled back, and one row for a 403, a
    404 or a 429 of which nobody wrote any. Where the log cannot be written the answer is 503."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = REFUSED.set([])
        try:
            response = self.get_response(request)
            return _written(request, response)
        except NotLogged:
            return not_logged(request)
        finally:
            REFUSED.reset(token)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What the log itself failed at, at once or when the transaction was to be committed."""
        return not_logged(request) if isinstance(exception, NotLogged) or _is_of_the_log(exception) else None


def not_logged(request: HttpRequest) -> HttpResponse:
    """The page without what was asked for (503), with the words that were sent. Needs no database."""
    page = render_to_string("503.html", {"words": sent_words(request)})
    return HttpResponse(page, status=503, headers={"Retry-After": "60"})


def _written(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    refused = REFUSED.get()
    assert refused is not None  # __call__ has just set it
    if response.status_code in REFUSALS and not refused:
        _log_refused(request, response.status_code)
    if response.status_code >= 400 and refused:
        _keep(refused)
    return response


def _keep(refused: list[LogEntry]) -> None:
    """Write again what was rolled back with the rest."""
    there = set(LogEntry.objects.filter(pk__in=[entry.pk for entry in refused]).values_list("pk", flat=True))
    for entry in refused:
        if entry.pk not in there:
            entry.pk = None
            write(entry)


def _log_refused(request: HttpRequest, status: int) -> None:
    """The name of the view and codes of ours alone, never what was typed. An address that leads to no view is none of ours."""
    match = request.resolver_match
    if match is None or connection.needs_rollback:
        return
    user = request.user if isinstance(request.user, User) else None
    if user is None and too_often(request, what="refused", a_minute=A_MINUTE):
        return
    if user is None and status == 429 and match.view_name in DOORS:
        log_throttled(None, step="door")
        return
    log("access.refused", by=user, row=_row(match.kwargs), view=match.view_name, method=request.method, status=status)


def _row(parts: dict[str, Any]) -> str:
    """Which row was asked for: an id of ours, or a code as its floor reads it."""
    for name, value in parts.items():
        if isinstance(value, (int, uuid.UUID)):
            return str(value)
        if name in CODES:
            return CODES[name](value)
    return ""


def _is_of_the_log(exception: Exception) -> bool:
    """Whether the database failed at the log or at its chain."""
    cause = exception.__cause__
    if not isinstance(exception, Error) or cause is None:
        return False
    said = getattr(cause, "diag", None)
    told = f"{getattr(said, 'table_name', '') or ''} {getattr(said, 'context', '') or ''}"
    return "people_log" in told or "helpline_log" in told
