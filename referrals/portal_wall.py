"""Where a request of the portal stands behind the second wall: at the agency of who is logged in, or before what a link opens."""

from collections.abc import Iterable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern

from helpline.people import clock
from helpline.people.access import View
from helpline.people.models import User
from helpline.people.wall import Expression, behind_the_wall

# Asked while the application's role may still see whose agency it is; one statement with all that is set.
AGENCY_OF = """
    SELECT m.agency_id FROM referrals_agencymember m JOIN referrals_partneragency a ON a.id = m.agency_id
     WHERE m.user_id = %s AND a.is_active
"""
NOWHERE: Expression = ("''", [])


def all_walled(patterns: Iterable[URLPattern]) -> list[URLPattern]:
    """The URLs, each with its view behind the wall: a new row of the portal stands there by itself."""
    found = list(patterns)
    for pattern in found:
        pattern.callback = walled(pattern.callback)
    return found


def walled(view: View) -> View:
    """The view, reading behind the wall, in one transaction from its gate to the last word of its page."""

    @wraps(view)
    def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        refused: Exception | None = None
        with behind_the_wall(context_of(request)):
            try:
                answer = _finished(view(request, *args, **kwargs))
            except (Http404, PermissionDenied) as error:  # an answer too: what was written until then stays
                refused = error
        if refused is not None:
            raise refused
        return answer

    inside.walled = True  # type: ignore[attr-defined]  # read by a test
    return inside


def context_of(request: HttpRequest) -> dict[str, Expression]:
    """Each setting: where this request stands, and the day and the moment of our clock."""
    user = request.user
    return {
        "helpline.agency": (f"SELECT coalesce(({AGENCY_OF})::text, '')", [user.pk])
        if isinstance(user, User)
        else NOWHERE,
        **dict.fromkeys(("helpline.look", "helpline.pre_answer", "helpline.ended", "helpline.counts"), NOWHERE),
        "helpline.today": ("%s", [clock.today().isoformat()]),
        "helpline.now": ("%s", [clock.now().isoformat()]),
    }


def _finished(answer: HttpResponse) -> HttpResponse:
    """The page with its last word. One that is written after the view would be written without the wall."""
    if answer.streaming:
        raise RuntimeError("a page of the portal is never streamed: it would be read on this side of the wall")
    if not getattr(answer, "is_rendered", True):
        rendered: HttpResponse = answer.render()  # type: ignore[attr-defined]  # a TemplateResponse
        return rendered
    return answer
