"""How often a door is used, from one place where it is open to anyone, else by one person: who tries too often waits."""

import ipaddress
import math
import time

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import ngettext

from helpline.people import clock
from helpline.people.models import User

ALLAUTH = "allauth.account"
MINUTE, HOUR = 60, 3600  # seconds


def too_often(request: HttpRequest, *, what: str, a_minute: int) -> bool:
    """Whether this was more than so many times within this minute. Of the first, two at the very same moment may count as
    one: it keeps a crowd out, not a single one more."""
    return _times(what, _place(request), MINUTE) > a_minute


def too_many(user: User, *, what: str, most: int, within: int = MINUTE) -> bool:
    """Whether this was more than so many times of one person within this minute, or within so many seconds: wherever they
    sit, and whoever else sits there."""
    return _times(what, f"user-{user.pk}", within) > most


def minutes_to_wait(request: HttpRequest, *, action: str, key: str) -> int:
    """For how many whole minutes log-ins of this kind are still turned away (settings.ACCOUNT_RATE_LIMITS); at least one."""
    now, waits = time.time(), [0.0]
    for rate in ratelimit.get_rates(app=ALLAUTH, action=action):
        place = ratelimit.get_cache_key(request, app=ALLAUTH, action=action, rate=rate, key=key)
        tries = cache.get(place, [])  # the latest first
        if len(tries) >= rate.amount:
            waits.append(tries[rate.amount - 1] + rate.duration - now)
    return max(1, math.ceil(max(waits) / MINUTE))


def turned_away(request: HttpRequest, *, action: str, key: str) -> ValidationError:
    """What is said after too many tries: in how many minutes there is one again."""
    minutes = minutes_to_wait(request, action=action, key=key)
    said = ngettext(
        "Too many tries. Try again in %(minutes)s minute.", "Too many tries. Try again in %(minutes)s minutes.", minutes
    )
    return ValidationError(said % {"minutes": minutes}, code="too_many_login_attempts")


def _times(what: str, whose: str, within: int) -> int:
    key = f"pace:{what}:{whose}:{int(clock.now().timestamp()) // within}"
    try:
        return cache.incr(key)
    except ValueError:  # the first within this time
        cache.add(key, 1, 2 * within)
        return 1


def _place(request: HttpRequest) -> str:
    """The address that it comes from; of the long kind the part that one household or office has."""
    address = str(get_adapter().get_client_ip(request))
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{place}/64", strict=False)) if place.version == 6 else str(place)
