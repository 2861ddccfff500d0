"""What the frame of every page needs: the places of this role, the line's name, the language switch."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from helpline.people.access import may
from helpline.people.models import User
from intake.duties import call_that_goes_on

# act -> (URL name, label), in the order of the top bar. A role sees the places whose act it has.
PLACES = [
    ("see_caseload", "caseload", gettext_lazy("Overview")),
    ("work_case", "intake:my-day", gettext_lazy("My day")),
    ("see_cases", "intake:case-list", gettext_lazy("Cases")),
    ("refer", "referrals:list", gettext_lazy("Handovers")),
    ("see_agencies", "referrals:agency-list", gettext_lazy("Partner agencies")),
    ("answer_referral", "portal:inbox", gettext_lazy("Handovers")),
    ("keep_users", "keeper:user-list", gettext_lazy("Users")),
    ("keep_agencies", "keeper:agency-list", gettext_lazy("Partner agencies")),
    ("keep_grounds", "keeper:grounds", gettext_lazy("Legal grounds")),
    ("keep_board", "keeper:board", gettext_lazy("The board")),
]


@dataclass(frozen=True)
class Place:
    """One place of the top bar."""

    label: str
    url: str
    current: bool


def places(request: HttpRequest) -> list[Place]:
    """The few places that this role works in."""
    found = []
    for act, name, label in PLACES:
        if may(request.user, act):
            url = reverse(name)
            found.append(Place(str(label), url, request.path.startswith(url)))
    return found


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
    }
