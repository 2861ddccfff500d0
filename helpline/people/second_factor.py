"""The second factor: who must have one, what one may do before, and how its secrets are kept (allauth.mfa does the rest)."""

import base64
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib.auth import logout
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from helpline.people.audit import log
from helpline.people.given_back import give_back, sent_words
from helpline.people.middleware import log_in_first
from helpline.people.models import User
from helpline.people.sealed import NONCE, master_keys

FACTOR = "factor"  # of the session: a second factor was given in it, here or at the municipality's own log-in
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
FEW_CODES = 3
BOUND = b"second factor"
logger = logging.getLogger(__name__)


def has_factor(user: User) -> bool:
    """Whether this person has an app or a passkey; recovery codes alone are none."""
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def codes_left(user: User) -> int | None:
    """How many recovery codes are unused; None where there are none at all."""
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(found.wrap().get_unused_codes()) if found else None


def _masters() -> dict[str, bytes]:
    return master_keys(tuple(settings.HELPLINE_KEYS))


def _open(masters: Mapping[str, bytes], text: str) -> str:
    key_id, _colon, encoded = text.rpartition(":")
    sealed = base64.b64decode(encoded)
    return AESGCM(masters[key_id]).decrypt(sealed[:NONCE], sealed[NONCE:], BOUND).decode()


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
        """Under the current master key, with its id before it."""
        key_id, key = next(iter(_masters().items()))
        nonce = secrets.token_bytes(NONCE)
        sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), BOUND)
        return f"{key_id}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        """Raises KeyError where the master key of that id is not configured any more."""
        return _open(_masters(), encrypted_text)


def _sealed(held: Authenticator) -> set[str]:
    """The names of what is sealed in this row: the key of an app, the seed of recovery codes. A passkey holds no secret."""
    return {"secret", "seed"} & set(held.data)


def sealed_under() -> dict[str, list[Authenticator]]:
    """Master key id -> the second factors whose secret is sealed under it."""
    found: dict[str, list[Authenticator]] = {}
    for held in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk"):
        for name in _sealed(held):
            found.setdefault(held.data[name].rpartition(":")[0], []).append(held)
    return found


def opens(held: Authenticator, masters: Mapping[str, bytes]) -> bool:
    """Whether what is sealed in this row is opened by the master key that it names."""
    try:
        return all(_open(masters, held.data[name]) for name in _sealed(held))
    except (KeyError, InvalidTag):
        return False


def seal_again(batch: int | None = None, failed: set[Any] | None = None) -> int:
    """Put secrets under the current master key, when keys are rotated; `batch` of them at most. Returns how many were under
    another. One that cannot be opened is left as it is, keeps no other waiting, and is added to `failed`."""
    current, moved = next(iter(_masters())), 0
    failed = set() if failed is None else failed
    old = [held.pk for master, rows in sealed_under().items() if master != current for held in rows]
    for pk in [pk for pk in old if pk not in failed][:batch]:
        try:
            moved += _seal_one(pk, current)
        except (KeyError, InvalidTag) as error:
            logger.error("a second factor could not be sealed anew: %s", type(error).__name__)
            failed.add(pk)
    return moved


def _seal_one(pk: Any, current: str) -> int:
    with transaction.atomic():  # a code that is used at the same moment waits, and stays used
        held, factors, moved = Authenticator.objects.select_for_update().filter(pk=pk).first(), Factors(), 0
        for name in _sealed(held) if held else ():
            if not held.data[name].startswith(f"{current}:"):
                held.data[name] = factors.encrypt(factors.decrypt(held.data[name]))
                held.save(update_fields=["data"])
                moved += 1
    return moved


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
    post_save.connect(on_added, sender=Authenticator, dispatch_uid="second factor added")
    post_delete.connect(on_removed, sender=Authenticator, dispatch_uid="second factor removed")
