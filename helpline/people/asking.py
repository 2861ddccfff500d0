"""A page that asks by itself whether something has changed: cheaply, without a row of the log, and as no sign that somebody is
there (sessions.QUIET). It says nothing that its own page would not say to the same person at the same moment."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from helpline.people import clock
from helpline.people.access import View
from helpline.people.templatetags.people import say_time

STOP = 286  # htmx takes the answer, and asks no more
UPDATED = "X-Updated"  # the header of an answer: as of when its page is true


def asks(view: View) -> View:
    """Mark a view that pages ask by themselves: where the session is over it answers with a line, and not with the log-in."""
    view.asks = True  # type: ignore[attr-defined]  # read by the middleware
    return view


def every() -> int:
    """How often a page asks, in seconds: however it is set, with the counting of the sums before it (every ten seconds) within
    half a minute."""
    return min(max(int(settings.FRESH_SECONDS), 1), 15)


def unchanged() -> HttpResponse:
    """What stands on the page holds, all of it: for a view that has asked for all that stands there."""
    return HttpResponse(status=204, headers={UPDATED: say_time(clock.now())})


def unknown() -> HttpResponse:
    """What the page shows cannot be told from its mark: it keeps the time that it has."""
    return HttpResponse(status=204)


def changed(request: HttpRequest, template: str, context: dict[str, Any], *, last: bool = False) -> HttpResponse:
    """What now stands there instead. `last`: the page asks no more."""
    answer = render(request, template, {"fresh_seconds": every(), **context}, status=STOP if last else 200)
    answer.headers[UPDATED] = say_time(clock.now())
    return answer


def is_over(request: HttpRequest) -> HttpResponse:
    """The session has ended: a calm line instead of all that stands on the page, which asks no more."""
    answer = render(request, "people/_asking_over.html", status=STOP)
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "main", "innerHTML"
    return answer
