"""Logging in and out, step by step: allauth's views, each mounted by itself, with what we ask of them besides."""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from requests import RequestException

from helpline.people import sign_on
from helpline.people.access import open_to_anyone
from helpline.people.account_forms import ChoosePasswordForm
from helpline.people.accounts import log_failure
from helpline.people.errors import Refused
from helpline.people.invitations import INVITED, digest_of, invitation_of, take_by_password
from helpline.people.passkeys import options_of
from helpline.people.provider import Callback, SignOnAdapter
from helpline.people.second_factor import before_factor


class Login(account.LoginView):
    """Name and password, a passkey, or the municipality's own log-in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "sign_on": settings.OIDC_NAME if sign_on.is_on() else ""}


class Code(mfa.AuthenticateView):
    """The second step."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        types = set(self.stage.login.user.authenticator_set.values_list("type", flat=True))
        return {**found, "has_code": types & {"totp", "recovery_codes"}, "passkey": options_of(found, types)}

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_invalid(form)
        answer.status_code = 422
        return answer


login = before_factor(open_to_anyone(Login.as_view()))
code = open_to_anyone(Code.as_view())
passkey = open_to_anyone(webauthn.login_webauthn)
signup = open_to_anyone(account.signup)


@before_factor
@open_to_anyone
def logout(request: HttpRequest) -> HttpResponse:
    """Log out. The browser forgets every page it has kept, and what a page has stored in it."""
    answer: HttpResponse = account.logout(request)
    if request.method == "POST":
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@open_to_anyone
@require_POST
def sign_on_login(request: HttpRequest) -> HttpResponse:
    """To the municipality's own log-in, and back to where one was going."""
    there = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(there, allowed_hosts={request.get_host()})
    return sign_on.begin(request, AuthProcess.LOGIN, next_url=there if safe else None)


@open_to_anyone
@require_GET
def sign_on_callback(request: HttpRequest) -> HttpResponse:
    """Back from it."""
    if not sign_on.is_on():
        raise Http404
    try:
        answer: HttpResponse = Callback.adapter_view(SignOnAdapter(request, sign_on.SIGN_ON))(request)
    except (ValueError, TypeError, KeyError, ImproperlyConfigured, OAuth2Error, RequestException) as error:
        # No answer, or one that is no JSON, is another issuer's, lacks a part, or names somebody at far too great length.
        log_failure(None, step="sign_on")
        return sign_on.failed(request, error)
    return answer


@open_to_anyone
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The way in to a new account. Looking uses nothing up: a scanner of links may come first."""
    found = invitation_of(token)
    if found is None:
        return render(request, "people/invitation_over.html", status=404)
    if request.method == "POST" and request.POST.get("part") == "sign_on":
        return sign_on.begin(request, AuthProcess.LOGIN, data={INVITED: digest_of(token)})
    form = ChoosePasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (answer := _take(request, token, form)):
        return answer
    context = {"form": form, "invited": found.user, "until": found.until, "sign_on": settings.OIDC_NAME}
    context["sign_on_is_on"] = sign_on.is_on()
    return render(request, "people/invitation.html", context, status=422 if form.errors else 200)


def _take(request: HttpRequest, token: str, form: ChoosePasswordForm) -> HttpResponse | None:
    """Take it up and log in; the second factor is asked for, or set up, next."""
    from allauth.account.internal.flows.login import perform_password_login
    from allauth.account.models import Login as Entry

    try:
        user = take_by_password(token, form.cleaned_data["password"])
    except Refused as refused:
        form.add_error("password" if refused.at else None, str(refused))
        return None
    if request.user.is_authenticated:  # whoever was logged in in this browser
        account.get_adapter().logout(request)
    answer: HttpResponse = perform_password_login(request, {}, Entry(user=user, redirect_url=None))
    return answer
