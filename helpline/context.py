"""What the frame of every page needs: the places of this role, the line's name, the language switch."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from helpline.disposals import waiting_lists
from helpline.log_review import waiting_for
from helpline.people.access import may
from helpline.people.live_sessions import new_log_in
from helpline.people.models import User
from intake.actions.emergency import to_review
from intake.duties import call_that_goes_on

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
# URL name -> how much waits there for this person. Who leads a unit sees such a place while something waits.
WAITS: dict[str, Callable[[User], int]] = {
    "intake:review-list": lambda user: to_review(user).count(),
    "log:review-list": waiting_for,
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


def places(request: HttpRequest) -> list[Place]:
    """The few places that this role works in."""
    found = []
    leads = may(request.user, "see_caseload")
    # The nearest: the reviews of the log stand below the log.
    here = max(
        (url for _act, name, _label in PLACES if request.path.startswith(url := reverse(name))), key=len, default=""
    )
    for act, name, label in PLACES:
        if may(request.user, act) and not (leads and name in ON_OVERVIEW):
            url = reverse(name)
            count = WAITS[name](request.user) if name in WAITS and isinstance(request.user, User) else 0
            if count or not (leads and name in WAITS):
                found.append(Place(str(label), url, url == here, count))
    return _with_bar(found)


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
        "going_on": SimpleLazyObject(lambda: call_that_goes_on(user) if isinstance(user, User) else None),
        "start_token": SimpleLazyObject(uuid.uuid4),
        "line_name": settings.LINE_NAME,
        "line_phone": settings.LINE_PHONE,
        "line_board": settings.LINE_BOARD,
        "demo": settings.DEMO,
        "new_log_in": new_log_in(request) if isinstance(user, User) else None,
    }
