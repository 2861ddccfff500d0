"""The secret address of one's own calendar: made, renewed, ended, and who stands behind it."""

import hashlib
import secrets

from django.db import transaction

from helpline.people import clock
from helpline.people.access import may
from helpline.people.audit import log
from helpline.people.models import CalendarAddress, User

ACT = "work_case"  # of access.MAY: who has steps has a calendar of them


def digest_of(token: str) -> str:
    """What is kept of an address (SHA-256)."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def address_of(user: User) -> CalendarAddress | None:
    """The address of this person, without its secret; none where it is switched off."""
    return CalendarAddress.objects.filter(user=user).first()


def mark_of(address: CalendarAddress | None) -> str:
    """What a page says of the address that it was drawn with: another one has another mark; "" where there is none."""
    return address.made_at.isoformat() if address else ""


def make_address(*, by: User, instead_of: str | None = None) -> str:
    """Switch one's own address on, or renew it: the one from before leads nowhere from now on. Returns the secret part, which
    is kept nowhere; "" where there is another by now than `instead_of` (its mark): a page that is sent once more, by a
    reload, does nothing."""
    token = secrets.token_urlsafe(32)
    fresh = {"digest": digest_of(token), "made_at": clock.now(), "read_on": None}
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=by.pk)
        if instead_of is not None and instead_of != mark_of(address_of(by)):
            return ""
        CalendarAddress.objects.update_or_create(user=by, defaults=fresh)
        log("calendar.made", by=by, row=by.pk)
    return token


def end_address(*, by: User | None, user: User) -> bool:
    """Switch it off. False where it was off. Harmless when run twice."""
    with transaction.atomic():
        ended, _rows = CalendarAddress.objects.filter(user=user).delete()
        if ended:
            log("calendar.ended", by=by, row=user.pk)
    return bool(ended)


def holder_of(token: str) -> User | None:
    """Whose address this is, for an account that can log in today and has steps; the first reading of a day is a row of the
    log. It says whose calendar was read, and not by whom: nobody has logged in."""
    found = CalendarAddress.objects.filter(digest=digest_of(token)).select_related("user").first()
    if found is None or not may(found.user, ACT):
        return None
    today = clock.today()
    if found.read_on != today:
        with transaction.atomic():
            if CalendarAddress.objects.filter(pk=found.pk).exclude(read_on=today).update(read_on=today):
                log("calendar.read", by=None, row=found.user_id)
    return found.user
