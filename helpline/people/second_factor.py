"""The second factor: who must have one, and what one may do before (allauth.mfa does the rest, factor_seals keeps secrets)."""

import logging
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.contrib.auth import logout
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from helpline.people import factor_seals
from helpline.people.audit import log
from helpline.people.factor_seals import Unreadable, opened, seal
from helpline.people.given_back import give_back, sent_words
from helpline.people.middleware import log_in_first
from helpline.people.models import User

FACTOR = "factor"  # of the session: a second factor was given in it, here or at the municipality's own log-in
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
FEW_CODES = 3
logger = logging.getLogger(__name__)


def has_factor(user: User) -> bool:
    """Whether this person has an app or a passkey; recovery codes alone are none."""
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def codes_left(user: User) -> int | None:
    """How many recovery codes are unused; None where there are none at all. Of what does not open none is left."""
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    try:
        return len(found.wrap().get_unused_codes()) if found else None
    except Unreadable:
        logger.error("the recovery codes of an account do not open")
        return 0


class Factors(DefaultMFAAdapter):
    """What allauth asks us: names without an address, secrets under the master key, plain words."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _("It is your only second factor. Add another before you remove it."),
        "incorrect_code": _("The code is not right, or it has been used. Wait for the next one, and try again."),
    }

    def get_totp_issuer(self) -> str:
        return str(settings.LINE_NAME)

    def get_totp_label(self, user: Any) -> str:
        return str(user.username)

    def _get_user_identifier(self, user: Any) -> str:
        return str(user.username)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The host that a passkey belongs to. It is fixed: with another one every passkey is lost."""
        return {"id": settings.PASSKEY_HOST, "name": settings.LINE_NAME}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Where it is required, somebody keeps one: another is added before the last is removed."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=FACTORS).exclude(
            pk=authenticator.pk
        )
        return not settings.REQUIRE_SECOND_FACTOR or others.exists()

    def encrypt(self, text: str) -> str:
        """Under the current master key. Whose it is its row says, when it is written (factor_seals)."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises Unreadable where its master key is not configured any more, and where it is not this person's."""
        return opened(encrypted_text)


class FactorStage(AuthenticateStage):
    """Asks for the second factor after the password. The municipality's own log-in has asked for its own."""

    def _should_handle(self, request: HttpRequest) -> bool:
        from allauth.account.internal.flows.login import get_authentication_records

        records = get_authentication_records(request, self.login.user)
        if any(record["method"] == "socialaccount" for record in records):
            return False
        return bool(super()._should_handle(request))


# -- nothing without it ------------------------------------------------------------------------------------------------


def before_factor(view: Any) -> Any:
    """A view that a person without a second factor reaches: its set-up, the log-out, the language."""
    view.before_factor = True
    return view


class SecondFactorMiddleware:
    """Who must have a second factor and has given none reaches its set-up, the log-out and the language, and no more."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer: HttpResponse = self.get_response(request)
        return answer

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not settings.REQUIRE_SECOND_FACTOR or request.path in settings.PROBES:
            return None
        if not isinstance(request.user, User) or request.session.get(FACTOR):
            return None
        if has_factor(request.user):  # a session from before it was set up, elsewhere
            logout(request)
            return log_in_first(request) if sent_words(request) else redirect(settings.LOGIN_URL)
        return None if getattr(view, "before_factor", False) else _set_up_first(request)


def _set_up_first(request: HttpRequest) -> HttpResponse:
    """The way to the set-up; where words were sent they are given back on it (403)."""
    if words := sent_words(request):
        return give_back(
            request, "403.html", words, explanation=_("Set up your second step first, under your account.")
        )
    return redirect("mfa_index")


# -- on record ---------------------------------------------------------------------------------------------------------
# allauth says that a factor is added when the transaction is over. A row of the log stands in the same one, so we listen to
# the rows themselves: no way of adding or removing one leaves it out.


def _by() -> User | None:
    request = context.request
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


def on_added(sender: Any, instance: Authenticator, created: bool, raw: bool = False, **rest: Any) -> None:
    """Log a new factor, and take the session in which it was added as one with a second factor."""
    if not created or raw:
        return
    by = _by()
    log("second_factor.added", by=by, row=instance.user_id, kind=instance.type)
    if by and by.pk == instance.user_id and instance.type in FACTORS:
        context.request.session[FACTOR] = True


def on_removed(sender: Any, instance: Authenticator, **rest: Any) -> None:
    """Log a factor that is gone, whoever removed it."""
    log("second_factor.removed", by=_by(), row=instance.user_id, kind=instance.type)


def listen() -> None:
    """Called at start."""
    factor_seals.listen()
    post_save.connect(on_added, sender=Authenticator, dispatch_uid="second factor added")
    post_delete.connect(on_removed, sender=Authenticator, dispatch_uid="second factor removed")
