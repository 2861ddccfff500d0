"""Whose account a municipality's log-in opens: the one that was connected, by an invitation or by who was logged in."""

import logging
from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from requests import RequestException

from helpline.people.accounts import log_failure
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.invitations import INVITED, take_by_sign_on
from helpline.people.models import User
from helpline.people.provider import SIGN_ON, SINCE
from helpline.people.shown_again import is_fresh, shown_by_sign_on

logger = logging.getLogger(__name__)


def is_on() -> bool:
    """Whether a municipality's log-in is configured."""
    return bool(settings.OIDC_ISSUER and settings.OIDC_CLIENT_ID)


def connected(user: User) -> bool:
    """Whether this person can come in by it."""
    return SocialAccount.objects.filter(user=user).exists()


def connect(*, by: User, user: User, login: SocialLogin) -> None:
    """Connect an account of the municipality's log-in. Raises Refused where it is another person's."""
    with transaction.atomic():
        account, made = SocialAccount.objects.get_or_create(
            provider=login.account.provider, uid=login.account.uid, defaults={"user": user, "extra_data": {}}
        )
        if account.user_id != user.pk:
            raise Refused(_("That log-in already belongs to another account here."))
        if made:
            log("sign_on.connected", by=by, row=user.pk)
    login.account, login.user = account, user


def disconnect(*, by: User, user: User) -> None:
    """Take the municipality's log-in from an account. Raises Refused where it is the only way in."""
    with transaction.atomic():
        if not user.has_usable_password():
            raise Refused(_("It is your only way in. Ask the system keeper for an invitation instead."))
        if SocialAccount.objects.filter(user=user).delete()[0]:
            log("sign_on.removed", by=by, row=user.pk)


class SignOn(DefaultSocialAccountAdapter):
    """Nobody gets an account by signing on; an address that is the same connects nobody."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[Any]:
        """From the settings alone."""
        found = super().list_apps(request, provider=provider, client_id=client_id)
        return [app for app in found if app.pk is None]

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        return None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Who was sent by an invitation or from their security page is connected; an unknown one is told so (403)."""
        try:
            if sociallogin.state.get("process") == AuthProcess.CONNECT:
                raise ImmediateHttpResponse(_connect_own(request, sociallogin))
            if sociallogin.state.get(SINCE):
                raise ImmediateHttpResponse(_shown_again(request, sociallogin))
            if digest := (sociallogin.state.get("data") or {}).get(INVITED):
                take_by_sign_on(digest, lambda user: connect(by=user, user=user, login=sociallogin))
        except Refused as refused:
            log_failure(None, step="sign_on")
            raise ImmediateHttpResponse(_refused(request, str(refused))) from None
        if not sociallogin.is_existing:
            log_failure(None, step="sign_on")
            raise ImmediateHttpResponse(_refused(request, ""))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """It did not come off: a page that says so (502), or back to the log-in where it was cancelled there."""
        if error == AuthError.CANCELLED:
            messages.info(request, _("You cancelled. Nothing has happened."))
            raise ImmediateHttpResponse(redirect(settings.LOGIN_URL))
        log_failure(None, step="sign_on")
        raise ImmediateHttpResponse(failed(request, exception))


def begin(
    request: HttpRequest,
    process: str,
    *,
    next_url: str | None = None,
    anew: bool = False,
    data: dict[str, str] | None = None,
) -> HttpResponse:
    """The way to the municipality's log-in, in this browser and for ten minutes; `anew` where it must ask for everything
    again, whoever is in there already. Raises Http404 where there is none."""
    if not is_on():
        raise Http404
    provider = SignOn(request).get_provider(request, SIGN_ON)
    try:
        answer: HttpResponse = provider.redirect(request, process, next_url=next_url, data=data or {}, anew=anew)
    except (RequestException, OAuth2Error) as error:
        return failed(request, error)
    return answer


def failed(request: HttpRequest, error: Any) -> HttpResponse:
    """It did not come off (502): for the log of the machine what kind of fault, and no more."""
    logger.warning("sign-on failed: %s", type(error).__name__)
    return render(request, "people/sign_on_failed.html", {"name": settings.OIDC_NAME}, status=502)


def _connect_own(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    """For who is logged in and was asked for a password or a factor just now."""
    user = request.user
    if not isinstance(user, User) or not is_fresh(request):
        return redirect(settings.LOGIN_URL)
    connect(by=user, user=user, login=sociallogin)
    messages.success(request, _("Your municipality's log-in opens this account from now on."))
    return redirect("mfa_index")


def _shown_again(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    """For who is logged in, and has shown there anew who they are. Raises Refused where it was somebody else."""
    user = request.user
    if not isinstance(user, User):
        return redirect(settings.LOGIN_URL)
    if not sociallogin.is_existing or sociallogin.user != user:
        raise Refused(_("That log-in is not the one of this account."))
    shown_by_sign_on(request, user)
    return redirect(sociallogin.get_redirect_url(request) or "mfa_index")


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    if request.user.is_authenticated:
        account_adapter().logout(request)
    context = {"name": settings.OIDC_NAME, "why": why, "login": reverse(settings.LOGIN_URL)}
    return render(request, "people/sign_on_unknown.html", context, status=403)
