"""The pages of the roof that belong to no floor: where to begin, health, language, the demo's mail, faults."""

import datetime as dt
import email
import email.policy
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import Error, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from redis import Redis
from redis.exceptions import RedisError

from helpline.context import places
from helpline.people import heartbeat
from helpline.people.access import needs, open_to_anyone
from helpline.people.actions import set_keys
from helpline.people.given_back import sent_words
from helpline.people.middleware import log_in_first
from helpline.people.models import User
from helpline.people.outside import FileSent
from helpline.people.second_factor import before_factor
from helpline.people.sessions import resume
from helpline.watch import late_since


@needs("use_account")
def home(request: HttpRequest) -> HttpResponse:
    """What this person is in the middle of, or the first page of this role: the first of its places."""
    assert isinstance(request.user, User)
    return HttpResponseRedirect(resume(request.user) or places(request)[0].url)


@open_to_anyone
@require_GET
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers. Depends on nothing."""
    return HttpResponse("ok\n", content_type="text/plain")


@open_to_anyone
@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """Whether each part works; 503 where one does not. Says no more than that."""
    parts = {"database": _database_answers(), "redis": _redis_answers()}
    for name in ("worker", "beat"):
        parts[name] = parts["database"] and heartbeat.is_alive(name)
    parts["due"] = parts["database"] and _is_on_time()
    words = {name: "ok" if works else "down" for name, works in parts.items()}
    whole = all(parts.values())
    return JsonResponse({"status": "ok" if whole else "down", **words}, status=200 if whole else 503)


def _is_on_time() -> bool:
    """Whether no reminder, rung or mail is long past its time."""
    try:
        return late_since() is None
    except Error:  # not migrated yet, or down
        return False


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _redis_answers() -> bool:
    try:
        with Redis.from_url(settings.REDIS_URL, **settings.BROKER_TIMEOUT) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False


@before_factor
@open_to_anyone
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language; kept per person, and for who is not logged in by a cookie."""
    chosen = request.POST.get("language", "")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("home")
    response = HttpResponseRedirect(back)
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=31_536_000,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        if isinstance(request.user, User):
            get_user_model().objects.filter(pk=request.user.pk).update(language=chosen)
    return response


@needs("use_account")
@require_POST
def keys(request: HttpRequest) -> HttpResponse:
    """Switch single keys on or off, for this person (WCAG 2.1.4)."""
    assert isinstance(request.user, User)
    set_keys(by=request.user, on=request.POST.get("uses_keys") == "on")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(back if safe else reverse("home"))


@needs("use_account")
@require_GET
def here(request: HttpRequest) -> HttpResponse:
    """Somebody is writing in a page (static/js/helpline.js says so): the session goes on."""
    return HttpResponse(status=204)


@needs("read_demo_mail")
@require_GET
def demo_mail(request: HttpRequest) -> HttpResponse:
    """The mail that would have gone out, newest first. In demo mode alone; the address of each is an invented one."""
    files = Path(settings.EMAIL_FILE_PATH).glob("*.log")
    mails = [_mail(part) for file in files for part in file.read_bytes().split(b"-" * 79 + b"\n") if part.strip()]
    mails.sort(key=lambda mail: mail["at"], reverse=True)
    return render(request, "helpline/demo_mail.html", {"mails": mails[:50]})


def _mail(text: bytes) -> dict[str, Any]:
    message = email.message_from_bytes(text, policy=email.policy.default)
    at = message["Date"].datetime.replace(tzinfo=dt.UTC)  # it says -0000: UTC, of no known zone
    return {"to": message["To"], "at": at, "subject": message["Subject"], "body": message.get_content().strip()}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's key is too old: usually a session that ended. What was written is given back."""
    if sent_words(request):
        return log_in_first(request)
    return HttpResponse(
        render_to_string(
            "403.html",
            {"explanation": _("Your session has ended. Go back, copy what you wrote, and log in.")},
            request=request,
        ),
        status=403,
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", {"file_sent": isinstance(exception, FileSent)}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What a role may not do; with the sentence of whoever refused it, and with the words that were sent."""
    context = {"explanation": str(exception), "words": sent_words(request)}
    return render(request, "403.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What is not there, and what is not there for this person: alike. Words that were sent are given back, whatever it was."""
    return render(request, "404.html", {"words": sent_words(request)}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Needs nothing that may be broken: no database, no session. Where it is the database that does not answer, that will
    pass (503)."""
    away = isinstance(sys.exc_info()[1], (OperationalError, InterfaceError))
    return HttpResponse(
        render_to_string("500.html"), status=503 if away else 500, headers={"Retry-After": "30"} if away else {}
    )
