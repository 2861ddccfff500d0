"""The second step of a log-in: a code is good once, and who guesses keeps nobody else out."""

import datetime as dt
import logging
from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.accounts import log_failure, log_throttled
from helpline.people.factor_seals import Unreadable
from helpline.people.models import LogEntry, User
from helpline.people.pace import turned_away
from helpline.people.words import WordsField

SPENT = "spent"  # of an app's row: the step in time of the last code that was taken
logger = logging.getLogger(__name__)
KNOWN_FOR = dt.timedelta(days=90)  # an address from which this person has logged in is theirs for so long


class Tries:
    """Counts a try against account and address together, and where the address is new to the account against all such
    addresses together: with many of them six digits could be guessed. Who is at a usual address is kept out by nobody."""

    def __init__(self, user: User) -> None:
        self.user, self.request = user, context.request
        self.address = account_adapter().get_client_ip(self.request)
        self.used: list[Any] = []
        self._use("login_failed", f"factor:{user.pk}:{self.address}")
        if not self._is_known():
            self._use("factor_from_strangers", f"factor:{user.pk}")

    def _use(self, action: str, key: str) -> None:
        used = ratelimit.consume(self.request, app="allauth.account", action=action, key=key)
        if not used:
            log_throttled(self.user, step="code")
            raise turned_away(self.request, action=action, key=key)
        self.used.append(used)

    def _is_known(self) -> bool:
        since = clock.now() - KNOWN_FOR
        rows = LogEntry.objects.filter(user=self.user, event="user.logged_in", source=self.address, at__gte=since)
        return rows.exists()

    def right(self) -> None:
        """The try was none: what it used is given back."""
        for used in self.used:
            used.rollback()

    def wrong(self, step: str) -> ValidationError:
        """Log the failure; returns what to raise."""
        log_failure(self.user, step=step)
        error: ValidationError = get_adapter().validation_error("incorrect_code")
        return error


def step_of(secret: str, code: str) -> int | None:
    """The step in time that this code is of, or None where it is of none that counts now."""
    for step in totp.yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, step))):
            return int(step)
    return None


def spend(row: Authenticator, step: int) -> bool:
    """Take a code of an app, once: that of this step or an earlier one is not taken again."""
    with transaction.atomic():
        held = Authenticator.objects.select_for_update().get(pk=row.pk)
        if step <= held.data.get(SPENT, -1):
            return False
        held.data[SPENT] = step
        held.save(update_fields=["data"])
    return True


def taken(user: User, code: str) -> Authenticator | None:
    """The factor whose code this is, now used up: of the app once, of the recovery codes once each."""
    for row in Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN):
        try:
            if _is_of(row, code):
                return Authenticator.objects.get(pk=row.pk)
        except Unreadable as error:  # moved here from another person's row, or its master key is gone
            logger.error("a second factor of an account does not open: %s", error)
    return None


def _is_of(row: Authenticator, code: str) -> bool:
    if row.type == Authenticator.Type.TOTP:
        step = step_of(decrypt(row.data["secret"]), code)
        return step is not None and spend(row, step)
    return bool(row.wrap().validate_code(code))


CODE_HELP = _("Six digits from your app, or one of your recovery codes.")


def _plain_code(field: forms.Field, help_text: Any = "") -> None:
    field.label, field.help_text = _("Code"), help_text
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update(autocomplete="one-time-code", inputmode="numeric", autocapitalize="none", maxlength="40")


class _Code:
    """A code for the person `user`."""

    user: User
    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain_code(self.fields["code"], CODE_HELP)

    def clean_code(self) -> str:
        """Raises ValidationError for a wrong code, one that was used, and too many tries."""
        code, tries = str(self.cleaned_data["code"]), Tries(self.user)
        found = taken(self.user, code)
        if found is None:
            raise tries.wrong("code")
        tries.right()
        self.authenticator = found
        return code


class CodeForm(_Code, AuthenticateForm):
    """The second step."""


class CodeAgainForm(_Code, ReauthenticateForm):
    """Before something that changes how one logs in."""


class AppForm(ActivateTOTPForm):
    """The first code of a new app. It counts as used."""

    step = -1

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain_code(self.fields["code"], _("Six digits, as the app shows them now."))

    def clean_code(self) -> str:
        """Raises ValidationError for a wrong code and too many tries."""
        code, tries = str(self.cleaned_data["code"]), Tries(self.user)
        step = step_of(self.secret, code)
        if step is None:
            raise tries.wrong("setup")
        tries.right()
        self.step = step
        return code


def _checked(user: User | None, credential: Any) -> Authenticator:
    """The passkey that answered. Whatever is wrong with an answer, it is refused like any other."""
    try:
        webauthn.parse_authentication_response(credential)
        who = user or webauthn.extract_user_from_response(credential)
        return webauthn.complete_authentication(who, credential)
    except ValidationError:
        raise
    except Exception:  # a forged answer fails in many ways inside the library: a signature, a length, a type
        raise get_adapter().validation_error("incorrect_code") from None


class _Key:
    """A passkey of the person `user`, after the password."""

    user: User
    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Authenticator:
        """Raises ValidationError where it is not theirs. A signature is not guessed, so no try is counted: whoever guesses
        codes keeps nobody out who has a passkey, wherever they are."""
        try:
            return _checked(self.user, self.cleaned_data["credential"])
        except ValidationError:
            log_failure(self.user, step="passkey")
            raise


class KeyForm(_Key, AuthenticateWebAuthnForm):
    """The second step, by passkey."""


class KeyAgainForm(_Key, ReauthenticateWebAuthnForm):
    """Before something that changes how one logs in, by passkey."""


class KeyLoginForm(LoginWebAuthnForm):
    """A log-in by passkey alone: there is nothing in it to guess, so nothing is counted per account."""

    def clean_credential(self) -> Authenticator:
        """Raises ValidationError where nobody has this passkey."""
        try:
            return _checked(None, self.cleaned_data["credential"])
        except ValidationError:
            log_failure(None, step="passkey")
            raise


class NewKeyForm(AddWebAuthnForm):
    """A new passkey. It logs in without a password, so it asks for a finger, a face or a PIN of its own."""

    name = WordsField(label=_("Name"), required=False, max_length=60, help_text=_("So that you know it again."))
    passwordless = None

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError for an answer that is no new passkey."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            raise
        except Exception:  # as in _checked
            raise get_adapter().validation_error("incorrect_code") from None
        return cleaned
