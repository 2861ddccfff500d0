"""Accounts whose last day is near or past while something is in their hands: their managers are told in time."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from helpline.people import clock
from helpline.people.absences import answer_for
from helpline.people.actions import in_hand
from helpline.people.models import Role, User, in_use
from helpline.people.notices import notify

AHEAD = dt.timedelta(days=7)
STAFF = (Role.CASEWORKER, Role.MANAGER)


@dataclass(frozen=True)
class Ending:
    """A colleague whose access ends soon or has ended, and what they still have in hand, counted, in words."""

    user: User
    held: list[str]


def endings(unit: int | None = None) -> Iterator[Ending]:
    """Whoever's last day of access is at most a week away, or past, and who still has something in hand; of all units, or
    of one. The one whose access ends first comes first."""
    staff: QuerySet[User] = User.objects.filter(role__in=STAFF, is_active=True, unit__isnull=False)
    near = staff.filter(access_until__lte=clock.today() + AHEAD).order_by("access_until", "pk")
    for user in near.filter(unit=unit) if unit else near:
        if held := in_hand(user):
            yield Ending(user, held)


def tell_of_endings() -> int:
    """Tell those who answer for a colleague whose access ends while something is in their hands: once in the week before,
    and once on the last day or after it. Returns how many notices. Harmless when run twice or at once."""
    told = 0
    for ending in endings():
        user, until = ending.user, ending.user.access_until
        assert until is not None  # chosen above
        kind = "access.ending" if until > clock.today() else "access.ended"
        for one in answer_for(user, clock.today()) or _keepers():
            source = f"{kind}:{user.pk}:{until.isoformat()}:{one.pk}"
            told += notify(user=one, kind=kind, source=source, about=str(user.pk))
    return told


def _keepers() -> list[User]:
    """A unit of one: the keeper can give the account another day, or the unit another worker."""
    return list(User.objects.filter(in_use(), role=Role.KEEPER).order_by("pk"))
