"""Codes of an app, as a telephone would show them."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.urls import reverse

WORDS = "fyra gamla granar sjunger"


def code_of(user, step: int = 0) -> str:
    """What the app of this person shows now, or `step` half minutes from now."""
    row = Authenticator.objects.get(user=user, type="totp")
    return code_for(decrypt(row.data["secret"]), step)


def code_for(secret: str, step: int = 0) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + step))


def log_in(client, user, password: str = "pw", **rest):
    return client.post(reverse("account_login"), {"login": user.username, "password": password, **rest})


def enrol(client) -> str:
    """Set up an app, in a session that has just shown who it is. Returns the code that was used."""
    url = reverse("mfa_activate_totp")
    page = client.get(url)
    assert page.status_code == 200, page.headers
    code = code_for(page.context["form"].secret)
    answer = client.post(url, {"code": code})
    assert answer.status_code == 302, answer.content.decode()
    return code


def second_step(client, code: str):
    return client.post(reverse("mfa_authenticate"), {"code": code})
