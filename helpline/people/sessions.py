"""How long a log-in lasts: at most a working day, and no longer than somebody is there."""

import time
from collections.abc import Callable
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from helpline.people.audit import log
from helpline.people.models import User
from helpline.people.session_store import stored

GetResponse = Callable[[HttpRequest], HttpResponse]
# Who is in the middle of something is not idle, however long no key is pressed. Each floor adds its own at start.
BUSY: list[Callable[[User], bool]] = []
# Where somebody is brought back to after logging in; empty where there is no such place. Each floor adds its own.
RESUMES: list[Callable[[User], str]] = []
QUIET = "X-Quiet"  # the header of a request that a page makes by itself: no sign that somebody is there
BEGAN, ACTIVE = "began", "active"  # of the session, in seconds
STEP = 60  # seconds: how often the time of the last request is written down


def begin(request: HttpRequest, **rest: Any) -> None:
    """Stamp a session at log-in: the day counts from now, whatever is done meanwhile."""
    request.session[BEGAN] = request.session[ACTIVE] = int(time.time())


def resume(user: User) -> str:
    """Where this person was in the middle of something, or nowhere."""
    return next((place for resumes in RESUMES if (place := resumes(user))), "")


def end_all(user: User) -> int:
    """End every session of this person, on whatever machine: opening the account again opens none of them. Returns how
    many there were."""
    with transaction.atomic():
        # While these are held none gets a new key (live_sessions.renew).
        list(UserSession.objects.select_for_update().filter(user=user))
        theirs = [row.pk for row in Session.objects.iterator() if row.get_decoded().get(SESSION_KEY) == str(user.pk)]
        Session.objects.filter(pk__in=theirs).delete()
        UserSession.objects.filter(user=user).delete()
    return len(theirs)


class SessionEndsMiddleware:
    """Ends a session after a working day (SESSION_COOKIE_AGE), or after IDLE_MINUTES without a request of a person."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in settings.PROBES and isinstance(request.user, User):
            _end_or_go_on(request, request.user)
        return self.get_response(request)


def _end_or_go_on(request: HttpRequest, user: User) -> None:
    session, now = request.session, int(time.time())
    if BEGAN not in session:
        begin(request)
    if why := over(user, now - session[BEGAN], now - session[ACTIVE]):
        log("session.ended", by=user, why=why)
        UserSession.objects.filter(session_key=stored(session.session_key)).delete()
        logout(request)
    elif QUIET not in request.headers and now - session[ACTIVE] >= STEP:
        session[ACTIVE] = now


def over(user: User, lasted: int, idle: int) -> str:
    """Why the session is over, or nothing. Both in seconds."""
    if user.is_over:
        return "access"
    if lasted >= settings.SESSION_COOKIE_AGE:
        return "day"
    if idle >= settings.IDLE_MINUTES * 60 and not any(busy(user) for busy in BUSY):
        return "idle"
    return ""
