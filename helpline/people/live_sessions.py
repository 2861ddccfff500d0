"""Where somebody is logged in: seen by themselves, ended by themselves or by the keeper, and told of a new one."""

import datetime as dt
import re
import time
from dataclasses import dataclass
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import pre_save
from django.http import HttpRequest

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.calendar_address import end_address
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.people.session_store import NEWER, SEEN, SessionStore, stored
from helpline.people.sessions import ACTIVE, BEGAN, end_all, over

# A device as its owner knows it again, and no more than that.
BROWSERS = [("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari")]
SYSTEMS = [
    *(("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS", "Mac")),
    ("Linux", "Linux"),
]


@dataclass(frozen=True)
class Place:
    """One log-in that goes on. Not a line of what was done in it."""

    pk: int
    key: str
    began: dt.datetime
    active: dt.datetime
    address: str
    device: str


def device_of(user_agent: str) -> str:
    """ "Chrome, Windows": nothing that tells two like ones apart."""
    parts = [next((name for mark, name in names if re.search(mark, user_agent)), "") for names in (BROWSERS, SYSTEMS)]
    return ", ".join(part for part in parts if part)


def shorten(sender: Any, instance: UserSession, **rest: Any) -> None:
    """What a browser says of itself is cut before it is stored."""
    instance.user_agent = device_of(instance.user_agent) if "/" in instance.user_agent else instance.user_agent


def listen() -> None:
    """Called at start."""
    pre_save.connect(shorten, sender=UserSession, dispatch_uid="shorten the user agent")


def places_of(user: User) -> list[Place]:
    """Where this person is logged in now, the newest first. What is over is cleared away, of the rows that
    were read here: one that was listed meanwhile, or has a new key by now, is not over."""
    rows = {row.session_key: row for row in UserSession.objects.filter(user=user)}
    stored = {row.pk: row.get_decoded() for row in Session.objects.filter(pk__in=rows)}
    live = {key: data for key, data in stored.items() if _is_live(user, data)}
    UserSession.objects.filter(user=user, session_key__in=rows.keys() - live.keys()).delete()
    places = [_place(rows[key], data) for key, data in live.items()]
    return sorted(places, key=lambda place: place.began, reverse=True)


def _is_live(user: User, data: dict[str, Any]) -> bool:
    now = int(time.time())
    began, active = data.get(BEGAN, now), data.get(ACTIVE, now)
    ours = data.get(SESSION_KEY) == str(user.pk) and data.get("_auth_user_hash") == user.get_session_auth_hash()
    return ours and not over(user, now - began, now - active)


def _place(row: UserSession, data: dict[str, Any]) -> Place:
    began, active = (dt.datetime.fromtimestamp(data.get(key, time.time()), dt.UTC) for key in (BEGAN, ACTIVE))
    return Place(row.pk, row.session_key, began, active, row.ip, row.user_agent)


def others_of(user: User, request: HttpRequest | None = None) -> list[Place]:
    """Where else, besides the session of this request."""
    here = stored(request.session.session_key) if request else None
    return [place for place in places_of(user) if place.key != here]


def tell_others(places: list[Place]) -> None:
    """Leave word in other sessions that there is a new log-in: their next page says so."""
    now = clock.now().isoformat()
    for place in places:
        with transaction.atomic():
            row = UserSession.objects.select_for_update().filter(pk=place.pk).first()  # it may have a new key by now
            held = Session.objects.select_for_update().filter(pk=row.session_key).first() if row else None
            if held:
                held.session_data = SessionStore().encode({**held.get_decoded(), NEWER: now})
                held.save(update_fields=["session_data"])


def new_log_in(request: HttpRequest) -> dt.datetime | None:
    """When somebody logged in elsewhere as this person, and this session has not said that it knows."""
    told = request.session.get(NEWER)
    return dt.datetime.fromisoformat(told) if told and told > request.session.get(SEEN, "") else None


def know(request: HttpRequest) -> None:
    """The person says: that was me; or has ended every other log-in."""
    if told := request.session.get(NEWER):
        request.session[SEEN] = told


def end_place(*, by: User, user: User, pk: int) -> None:
    """End one log-in. Raises Refused where there is none such."""
    with transaction.atomic():
        row = UserSession.objects.select_for_update().filter(user=user, pk=pk).first()
        if row is None:
            raise Refused("")
        _end([row])
        log("session.closed", by=by, row=user.pk, many=1)


def _end(rows: list[UserSession]) -> None:
    """The session itself, then its place in the list. allauth's own way of ending one takes its key for the cookie."""
    Session.objects.filter(pk__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()


def end_others(*, by: User, request: HttpRequest) -> int:
    """End every log-in of this person but the one of this request. Returns how many."""
    rows = list(UserSession.objects.filter(user=by).exclude(session_key=stored(request.session.session_key)))
    with transaction.atomic():
        _end(rows)
        if rows:
            log("session.closed", by=by, row=by.pk, many=len(rows))
    return len(rows)


def end_all_of(*, by: User, user: User) -> None:
    """The keeper ends every log-in of somebody, and with them the secret address of their calendar, which needs none."""
    with transaction.atomic():
        many = end_all(user)
        end_address(by=by, user=user)
        log("session.closed", by=by, row=user.pk, many=many)


def forget_this(request: HttpRequest) -> None:
    """The row of a session that ends by itself or by logging out."""
    if request.session.session_key:
        UserSession.objects.filter(session_key=stored(request.session.session_key)).delete()


def renew(request: HttpRequest) -> None:
    """The session goes on under a new key, and the old cookie opens nothing. Its place in the list goes with it, and so does
    word that another log-in left in it meanwhile. Raises SessionInterrupted where it was ended at this moment."""
    with transaction.atomic():
        row = UserSession.objects.select_for_update().filter(session_key=stored(request.session.session_key)).first()
        try:
            request.session.save()
        except UpdateError as error:
            raise SessionInterrupted("the session was ended meanwhile") from error
        request.session.cycle_key()
        if row:
            UserSession.objects.filter(pk=row.pk).update(session_key=stored(request.session.session_key))


def remember_this(request: HttpRequest) -> None:
    """The session of this request is new, or has a new key: list it under that."""
    request.session.save()
    said = request.META.get("HTTP_USER_AGENT", "")[: UserSession._meta.get_field("user_agent").max_length]
    facts = {"user": request.user, "ip": get_adapter().get_client_ip(request), "user_agent": said}
    UserSession.objects.update_or_create(session_key=stored(request.session.session_key), defaults=facts)
