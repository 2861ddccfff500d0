"""How people come in and go: allauth with sign-up closed; the keeper makes the accounts."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpline.people import audit
from helpline.people.live_sessions import forget_this, others_of, tell_others
from helpline.people.models import LogEntry, User
from helpline.people.pace import turned_away
from helpline.people.second_factor import FACTOR, FEW_CODES, codes_left
from helpline.people.sessions import resume
from helpline.people.shown_again import shown_at_log_in
from helpline.people.templatetags.people import said_time


def log_failure(user: User | None, *, step: str, by: User | None = None) -> None:
    """Log a log-in that failed: whose account, where there is one, and from where; never what was written. `step` is
    password, code, setup, passkey or sign_on."""
    row = LogEntry(event="user.login_failed", user=by, role=by.role if by else "", row=str(user.pk) if user else "")
    row.source, row.codes = audit.SOURCE.get(), {"step": step}
    audit.write(row)


def log_throttled(user: User | None, *, step: str) -> None:
    """Log a log-in that was turned away unheard, since there were too many before it. `step` is password, code or door."""
    row = LogEntry(event="user.login_throttled", row=str(user.pk) if user else "")
    row.source, row.codes = audit.SOURCE.get(), {"step": step}
    audit.write(row)


def _named(credentials: dict[str, Any]) -> User | None:
    return User.objects.filter(username=str(credentials.get("username", "")).replace("\0", "")).first()


def methods_of(request: HttpRequest, user: User) -> list[str]:
    """How this person has shown who they are: password, totp, webauthn, recovery_codes, sign_on."""
    found = [
        "sign_on" if record["method"] == "socialaccount" else str(record.get("type", record["method"]))
        for record in get_authentication_records(request, user)
        if not record.get("reauthenticated")
    ]
    return list(dict.fromkeys(found))


class ClosedAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves; each log-in, failure and log-out is a row in the log."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return ["helpline.people.second_factor.FactorStage"]

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count failures for account and address together."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{self.get_client_ip(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises ValidationError where there were too many tries; that is a row of the log too."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            log_throttled(_named(credentials), step="password")
            key = self._get_login_attempts_cache_key(request, **credentials)
            raise turned_away(request, action="login_failed", key=key) from None

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Log it, with the account where the name is one."""
        found = _named(credentials)
        log_failure(found, step="password", by=request.user if isinstance(request.user, User) else None)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Whose access is over hears it, after the right password and not before."""
        return shut(request, user)

    def login(self, request: HttpRequest, user: User) -> None:
        """Log in: a new session with a new id, known to the person's other sessions."""
        if answer := shut(request, user):
            raise ImmediateHttpResponse(answer)
        how = methods_of(request, user)
        others = others_of(user)
        with transaction.atomic():
            super().login(request, user)
            audit.log("user.logged_in", by=user, how=how)
        tell_others(others)
        request.session[FACTOR] = len(set(how) & {"totp", "webauthn", "recovery_codes", "sign_on"}) > 0
        if set(how) - {"sign_on"}:  # for some minutes nobody is asked again for what was just given
            shown_at_log_in(request, user, how[0])
        with translation.override(user.language):  # the page that was posted was nobody's yet
            self._say(request, user, how, others)

    def _say(self, request: HttpRequest, user: User, how: list[str], others: list[Any]) -> None:
        if others:
            since = said_time(max(one.began for one in others))
            messages.info(request, _("You are logged in in another place too, since %(time)s.") % {"time": since})
        left = codes_left(user)
        if "recovery_codes" in how and left is not None:
            said = ngettext("You have %(left)s recovery code left.", "You have %(left)s recovery codes left.", left)
            messages.warning(request, said % {"left": left} + (_(" Make new ones.") if left <= FEW_CODES else ""))

    def logout(self, request: HttpRequest) -> None:
        """Log out: the session is gone from the database, and its cookie opens nothing."""
        with transaction.atomic():
            audit.log("user.logged_out", by=request.user if isinstance(request.user, User) else None)
            forget_this(request)
            super().logout(request)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Who was in the middle of something is brought back to it, wherever the way led."""
        if place := resume(user):
            kwargs["redirect_url"] = place
        return super().post_login(request, user, **kwargs)


def shut(request: HttpRequest, user: User) -> HttpResponse | None:
    """The page for whose account is switched off, or whose last day has passed; None for everybody else."""
    if user.is_in_use:
        return None
    clear_login(request)
    log_failure(user, step="over" if user.is_active else "off")
    translation.activate(user.language)
    return render(request, "people/access_over.html", {"until": user.access_until}, status=403)
