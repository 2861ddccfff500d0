"""What the frame of every page needs: the places of this role, the line's name, the language switch."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from helpline.disposals import waiting_lists
from helpline.log_review import waiting_reviews
from helpline.people.access import may
from helpline.people.counts import Count, asked_once, by_day, first_of
from helpline.people.live_sessions import new_log_in
from helpline.people.models import User
from intake.actions.emergency import to_review
from intake.duties import calls_going_on
from intake.models import Call

# act -> (URL name, label), in the order of the top bar. A role sees the places whose act it has.
PLACES = [
    ("see_caseload", "caseload", gettext_lazy("Overview")),
    ("work_case", "intake:my-day", gettext_lazy("My day")),
    ("see_cases", "intake:case-list", gettext_lazy("Cases")),
    ("refer", "referrals:list", gettext_lazy("Handovers")),
    ("see_agencies", "referrals:agency-list", gettext_lazy("Partner agencies")),
    ("search_person", "intake:search", gettext_lazy("Search")),
    ("review_openings", "intake:review-list", gettext_lazy("Emergency openings")),
    ("see_statistics", "statistics", gettext_lazy("Statistics")),
    ("read_log", "log:list", gettext_lazy("Log")),
    ("review_log", "log:review-list", gettext_lazy("Log reviews")),
    ("answer_referral", "portal:inbox", gettext_lazy("Handovers")),
    ("approve_disposal", "disposals:disposal-list", gettext_lazy("Deletion")),
    ("keep_users", "keeper:user-list", gettext_lazy("Users")),
    ("keep_agencies", "keeper:agency-list", gettext_lazy("Partner agencies")),
    ("keep_grounds", "keeper:grounds", gettext_lazy("Legal grounds")),
    ("keep_board", "keeper:board", gettext_lazy("The board")),
]
# URL name -> what waits there for this person. Who leads a unit sees such a place while something waits.
WAITS: dict[str, Callable[[User], QuerySet[Any]]] = {
    "intake:review-list": to_review,
    "log:review-list": waiting_reviews,
    "disposals:disposal-list": waiting_lists,
}
IN_BAR = 5  # as many stand beside each other at 1280 px with the longest words; the others are in the menu
ON_OVERVIEW = {"statistics"}  # whoever has the overview comes there from it


@dataclass(frozen=True)
class Place:
    """One place of the top bar."""

    label: str
    url: str
    current: bool
    count: int = 0
    in_bar: bool = True  # of a wide window


@dataclass(frozen=True)
class Now:
    """What the frame asks the database, in one statement: how much waits at each place, and the call that goes on."""

    waits: dict[str, int]
    call: Call | None


def asked_of(user: User) -> dict[str, Any]:
    """The frame's part of a statement that asks for more (counts.asked_once)."""
    asked: dict[str, Any] = dict(_waits(user))
    if may(user, "log_call"):
        calls = calls_going_on(user)
        asked |= {"call": first_of(calls, "pk"), "call_since": first_of(calls, "received_at")}
    return asked


@by_day
def _waits(user: User) -> dict[str, Count]:
    acts = {name: act for act, name, _label in PLACES}
    return {name: Count(rows(user)) for name, rows in WAITS.items() if may(user, acts[name])}


def now_from(found: Mapping[str, Any]) -> Now:
    """What waits for this person, and the call that one is brought back into."""
    call = Call(pk=found["call"], received_at=found["call_since"]) if found.get("call") else None
    return Now({name: found.get(name, 0) for name in WAITS}, call)


def frame_known(request: HttpRequest, found: Mapping[str, Any]) -> None:
    """A page that has asked for the frame's part with its own leaves it here: it is not asked for again."""
    request.__dict__["frame_now"] = now_from(found)


def _now(request: HttpRequest) -> Now:
    """Asked once in a request."""
    user, known = getattr(request, "user", None), request.__dict__
    if "frame_now" not in known:
        asked = asked_of(user) if isinstance(user, User) else {}
        known["frame_now"] = now_from(asked_once(user, asked) if isinstance(user, User) and asked else {})
    now: Now = known["frame_now"]
    return now


def places(request: HttpRequest) -> list[Place]:
    """The few places that this role works in."""
    found, waits = [], _now(request).waits
    leads = may(request.user, "see_caseload")
    # The nearest: the reviews of the log stand below the log.
    here = max((url for url in _urls().values() if request.path.startswith(url)), key=len, default="")
    for act, name, label in PLACES:
        if may(request.user, act) and not (leads and name in ON_OVERVIEW):
            url = _urls()[name]
            count = waits.get(name, 0)
            if count or not (leads and name in WAITS):
                found.append(Place(str(label), url, url == here, count))
    return _with_bar(found)


@cache
def _urls() -> dict[str, str]:
    return {name: reverse(name) for _act, name, _label in PLACES}


def _with_bar(found: list[Place]) -> list[Place]:
    """The first few stand in the bar of a wide window, and of the last of those a duty that waits."""
    duties = [place for place in found if place.count][:2]
    first = [place for place in found if place not in duties][: IN_BAR - len(duties)]
    return [replace(place, in_bar=place in duties or place in first) for place in found]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor of every page."""
    user = getattr(request, "user", None)
    return {
        "places": SimpleLazyObject(lambda: places(request) if user and user.is_authenticated else []),
        "may_call": bool(user and user.is_authenticated and may(user, "log_call")),
        "going_on": SimpleLazyObject(lambda: _now(request).call),
        "start_token": SimpleLazyObject(uuid.uuid4),
        "line_name": settings.LINE_NAME,
        "line_phone": settings.LINE_PHONE,
        "line_board": settings.LINE_BOARD,
        "demo": settings.DEMO,
        "new_log_in": new_log_in(request) if isinstance(user, User) else None,
    }
