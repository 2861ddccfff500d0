"""Who one is, shown again before something that changes how one logs in: it holds for some minutes, under a new session key."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.signals import authentication_step_completed
from django.http import HttpRequest

from helpline.people.live_sessions import renew
from helpline.people.models import User

AT_LOG_IN = "at_log_in"  # of a record: part of the log-in itself, which has made a new session


def is_fresh(request: HttpRequest) -> bool:
    """Whether this person has shown within the last minutes who they are: by password or factor, or at the municipality's
    log-in where it was asked for anew. A log-in there that asked for nothing, since one was in already, is none."""
    user = request.user if isinstance(request.user, User) else None
    records = [record for record in get_authentication_records(request, user) if record.get("reauthenticated")]
    last = max((record["at"] for record in records), default=0)
    return bool(time.time() - last < app_settings.REAUTHENTICATION_TIMEOUT)


def shown_at_log_in(request: HttpRequest, user: User, method: str) -> None:
    """What was given at the log-in is not asked for again in the first minutes."""
    record_authentication(request, user, method=method, reauthenticated=True, **{AT_LOG_IN: True})


def shown_by_sign_on(request: HttpRequest, user: User) -> None:
    """The municipality's log-in has asked for it anew."""
    record_authentication(request, user, method="socialaccount", reauthenticated=True)


def on_shown(sender: Any, request: HttpRequest, user: User, **rest: Any) -> None:
    """Whichever way it was: whoever has the cookie from before is out."""
    if rest.get("reauthenticated") and not rest.get(AT_LOG_IN) and request.user == user:
        renew(request)


def listen() -> None:
    """Called at start."""
    authentication_step_completed.connect(on_shown, dispatch_uid="a new session key")
