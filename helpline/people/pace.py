"""How often a door that is open to anyone is used from one place: who tries too often is asked to wait."""

import ipaddress

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from helpline.people import clock

MINUTE = 60  # seconds


def too_often(request: HttpRequest, *, what: str, a_minute: int) -> bool:
    """Whether this was more than so many times within this minute. Two at the very same moment may count as one: it keeps a
    crowd out, not a single one more."""
    key = f"pace:{what}:{_place(request)}:{int(clock.now().timestamp()) // MINUTE}"
    times = int(cache.get(key, 0)) + 1
    cache.set(key, times, 2 * MINUTE)
    return times > a_minute


def _place(request: HttpRequest) -> str:
    """The address that it comes from; of the long kind the part that one household or office has."""
    address = str(get_adapter().get_client_ip(request))
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{place}/64", strict=False)) if place.version == 6 else str(place)
