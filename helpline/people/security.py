"""A person's own page of how they log in: second factor, password, where they are logged in. Each part asks again who it is."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account import views as account
from allauth.account.adapter import get_adapter
from allauth.mfa.adapter import get_adapter as factors
from allauth.mfa.base import views as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.mfa.webauthn.internal import auth as webauthn_auth
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline.people import live_sessions, sign_on
from helpline.people.access import needs
from helpline.people.account_forms import ChoosePasswordForm
from helpline.people.actions import set_password
from helpline.people.errors import Refused
from helpline.people.factor_forms import SPENT
from helpline.people.models import User
from helpline.people.passkeys import as_data, options_of
from helpline.people.second_factor import FEW_CODES, before_factor, codes_left
from helpline.people.shown_again import is_fresh

View = Callable[..., HttpResponse]


def me(request: HttpRequest) -> User:
    """Who asks; the views here have said that it is somebody."""
    assert isinstance(request.user, User)
    return request.user


def fresh(view: View) -> View:
    """A view that asks again for password or factor. Nothing that was sent is kept meanwhile: a password may be in it."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        ways = get_adapter().get_reauthentication_methods(me(request))
        way = ways[0]["url"] if ways else reverse("account-again-sign-on")
        then = request.path if request.method == "GET" else reverse("mfa_index")
        return redirect(f"{way}?{urlencode({'next': then})}")

    return guarded


def own(view: View) -> View:
    """A page of how one logs in: for everybody, also before there is a second factor, in one transaction with its log."""
    guarded: View = before_factor(needs("use_account")(fresh(transaction.atomic(view))))
    return guarded


@require_GET
@own
def index(request: HttpRequest) -> HttpResponse:
    """What there is, and what to do about it."""
    user = me(request)
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    left = codes_left(user)
    context = {
        "app": next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        "keys": [row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        "codes_left": left,
        "few_codes": left is not None and left <= FEW_CODES,
        "must": settings.REQUIRE_SECOND_FACTOR and not request.session.get("factor"),
        "has_password": user.has_usable_password(),
        "sign_on": settings.OIDC_NAME if sign_on.is_on() else "",
        "connected": sign_on.connected(user),
        "log_ins": live_sessions.places_of(user),
        "this_key": live_sessions.stored(request.session.session_key),
    }
    return render(request, "people/security.html", context)


# -- the app, the passkeys, the codes ----------------------------------------------------------------------------------


class NewApp(totp.ActivateTOTPView):
    """An app for codes. One that there was is replaced when the new one has shown its first code, and not before."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super(totp.ActivateTOTPView, self).dispatch(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        mine = Authenticator.objects.filter(user=me(self.request), type=Authenticator.Type.TOTP)
        mine.delete()
        answer: HttpResponse = super().form_valid(form)
        row = mine.get()
        row.data[SPENT] = form.step
        row.save(update_fields=["data"])
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class NewKey(webauthn.AddWebAuthnView):
    """A passkey."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        options = webauthn_auth.begin_registration(me(self.request), True)
        return {**super(webauthn.AddWebAuthnView, self).get_context_data(**kwargs), "passkey": as_data(options)}

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class RemoveKey(webauthn.RemoveWebAuthnView):
    """A passkey that is lost, or of a machine that one has left."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        if not factors().can_delete_authenticator(self.object):
            messages.error(self.request, str(factors().error_messages["cannot_delete_authenticator"]))
            return redirect("mfa_index")
        answer: HttpResponse = super().form_valid(form)
        return answer


new_app = own(NewApp.as_view())
remove_app = own(totp.deactivate_totp)
new_key = own(NewKey.as_view())
remove_key = own(RemoveKey.as_view())
show_codes = own(codes.view_recovery_codes)
new_codes = own(codes.generate_recovery_codes)


# -- who is it? --------------------------------------------------------------------------------------------------------


class KeyAgain(webauthn.ReauthenticateWebAuthnView):
    """Again, by passkey."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        alternatives = self.get_reauthentication_alternatives()
        return {**found, "passkey": options_of(found, ["webauthn"]), "reauthentication_alternatives": alternatives}

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


def again(view: View) -> View:
    """One of the ways to show again who one is."""
    guarded: View = before_factor(needs("use_account")(view))
    return guarded


password_again = again(account.reauthenticate)
code_again = again(mfa.reauthenticate)
key_again = again(KeyAgain.as_view())


@require_http_methods(["GET", "POST"])
@again
def sign_on_again(request: HttpRequest) -> HttpResponse:
    """For who comes in by the municipality's log-in alone: there, asked for anew."""
    if request.method == "POST":
        return sign_on.begin(request, AuthProcess.LOGIN, next_url=reverse("mfa_index"), anew=True)
    return render(request, "people/sign_on_again.html", {"name": settings.OIDC_NAME})


# -- password, the municipality's log-in -------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@own
def password(request: HttpRequest) -> HttpResponse:
    """A new password of one's own. Every other log-in of this person ends."""
    form = ChoosePasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            set_password(by=me(request), user=me(request), password=form.cleaned_data["password"])
        except Refused as refused:
            form.add_error("password", str(refused))
        else:
            _stay(request)
            messages.success(request, _("The new password holds. Wherever else you were logged in you are out."))
            return redirect("mfa_index")
    return render(request, "people/password.html", {"form": form}, status=422 if form.errors else 200)


def _stay(request: HttpRequest) -> None:
    """This session goes on with the new password; the others end."""
    user = User.objects.get(pk=me(request).pk)
    live_sessions.forget_this(request)
    update_session_auth_hash(request, user)
    request.user = user
    live_sessions.end_others(by=user, request=request)
    live_sessions.know(request)
    live_sessions.remember_this(request)


@require_POST
@own
def connect(request: HttpRequest) -> HttpResponse:
    """To the municipality's log-in, which is connected when one comes back."""
    return sign_on.begin(request, AuthProcess.CONNECT, anew=True)


@require_POST
@own
def disconnect(request: HttpRequest) -> HttpResponse:
    """It opens this account no more."""
    try:
        sign_on.disconnect(by=me(request), user=me(request))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("mfa_index")


# -- where one is logged in --------------------------------------------------------------------------------------------


@require_POST
@own
def end_one(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own log-ins."""
    try:
        live_sessions.end_place(by=me(request), user=me(request), pk=pk)
    except Refused:
        raise Http404 from None
    if not live_sessions.others_of(me(request), request):
        live_sessions.know(request)
    return redirect("mfa_index")


@require_POST
@own
def end_others(request: HttpRequest) -> HttpResponse:
    """End all but this one."""
    live_sessions.end_others(by=me(request), request=request)
    live_sessions.know(request)
    messages.success(request, _("You are logged in here, and nowhere else."))
    return redirect("mfa_index")


@require_POST
@again
def known(request: HttpRequest) -> HttpResponse:
    """The new log-in was one's own: no more is said of it."""
    live_sessions.know(request)
    return redirect("home")
