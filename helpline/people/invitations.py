"""The way in to an account that has no password yet: a link, given in person or by phone, good once and for some days."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.calendar_address import end_address
from helpline.people.errors import Refused
from helpline.people.models import Invitation, User
from helpline.people.notices import notify
from helpline.people.sessions import end_all
from helpline.people.watchers import tell_watchers

INVITED = (
    "invited"  # of what goes along to the municipality's log-in: the hash of the invitation that is taken up there
)


def digest_of(token: str) -> str:
    """What is kept of a link (SHA-256)."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def link_of(token: str) -> str:
    """The whole address, as it is given to the person."""
    return str(settings.SITE_URL).rstrip("/") + reverse("invitation", args=[token])


def invite(*, by: User | None, user: User) -> str:
    """Make an invitation, and end the earlier ones. Returns its token, which is kept nowhere. Raises Refused where there is a
    way in already: a second one, in the hand of whoever asked for it, would be a way in to somebody else's account."""
    if not user.is_in_use:
        raise Refused(_("The account is closed. Open it first."))
    token, now = secrets.token_urlsafe(24), clock.now()
    with transaction.atomic():
        if has_way_in(User.objects.select_for_update(of=("self",)).get(pk=user.pk)):
            raise Refused(_("%(name)s can log in already. The system keeper resets the log-in.") % {"name": user})
        if user.invitations.exists():  # the first belongs to the making of the account, which was told
            tell_watchers(about=user, by=by, kind="account_invited")
        open_ones(user).update(until=now)
        until = now + dt.timedelta(days=settings.INVITATION_DAYS)
        Invitation.objects.create(user=user, digest=digest_of(token), made_at=now, made_by=by, until=until)
        log("invitation.made", by=by, row=user.pk)
    return token


def has_way_in(user: User) -> bool:
    """Whether this person has a password, a second factor or the municipality's log-in."""
    return (
        user.has_usable_password()
        or SocialAccount.objects.filter(user=user).exists()
        or Authenticator.objects.filter(user=user).exists()
    )


def open_ones(user: User) -> models.QuerySet[Invitation]:
    """Those of this person that still hold."""
    return user.invitations.filter(used_at=None, until__gt=clock.now())


def invitation_of(token: str) -> Invitation | None:
    """The invitation of this link while it holds, for an account that is open."""
    return _held(digest_of(token))


def _held(digest: str) -> Invitation | None:
    held = Invitation.objects.filter(digest=digest, used_at=None, until__gt=clock.now())
    found = held.select_related("user").first()
    return found if found and found.user.is_in_use else None


def take_by_password(token: str, password: str) -> User:
    """Take the invitation up with a password of one's own. Raises Refused, with the place where it is the password."""
    with transaction.atomic():
        user = _take(digest_of(token), "password")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Refused(" ".join(error.messages), at="password") from None
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def take_by_sign_on(digest: str, connect: Callable[[User], None]) -> User:
    """Take it up with the municipality's log-in; `connect` connects that. Raises Refused."""
    with transaction.atomic():
        user = _take(digest, "sign_on")
        connect(user)
    return user


def _take(digest: str, how: str) -> User:
    """Use the invitation up: of two at once one is first."""
    found = _held(digest)
    used = found and open_ones(found.user).filter(pk=found.pk).update(used_at=clock.now())
    if not found or not used:
        raise Refused(_("The invitation no longer holds. Ask for a new one."))
    log("invitation.used", by=found.user, row=found.user.pk, how=how)
    return found.user


def begin_again(*, by: User, user: User) -> str:
    """The keeper takes away every way in (password, factors, the municipality's log-in) and ends every session; the person
    begins again by the invitation whose token is returned, and is told. Raises Refused."""
    if by.pk == user.pk:
        raise Refused(_("You cannot reset your own log-in. Another keeper does that."))
    return _begin_again(by, user)


def begin_again_by_command(user: User) -> str:
    """The same for the only keeper, by who has the machine. Raises Refused."""
    return _begin_again(None, user)


def _begin_again(by: User | None, user: User) -> str:
    with transaction.atomic():
        held = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        held.set_unusable_password()
        held.save(update_fields=["password"])
        factors, _rows = Authenticator.objects.filter(user=held).delete()
        SocialAccount.objects.filter(user=held).delete()
        end_all(held)
        end_address(by=by, user=held)
        log("second_factor.reset", by=by, row=held.pk, many=factors)
        notify(user=held, kind="log_in_reset", source=f"log_in_reset:{held.pk}:{clock.now().isoformat()}")
        tell_watchers(about=held, by=by, kind="account_reset")
        return invite(by=by, user=held)
