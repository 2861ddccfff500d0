"""Every view declares what it needs; whence a request comes, and in which language it is answered."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation

from helpline.people.access import ANYONE, may
from helpline.people.asking import is_over
from helpline.people.audit import SOURCE
from helpline.people.given_back import came_from, give_back, sent_words
from helpline.people.sessions import QUIET

GetResponse = Callable[[HttpRequest], HttpResponse]
OPEN_MODULES = ("django.contrib.staticfiles.",)


class DenyByDefaultMiddleware:
    """A view without a declared act answers 403, whoever asks; access.needs() declares it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        if view.__module__.startswith(OPEN_MODULES):
            return None
        act = getattr(view, "act", None)
        if act == ANYONE:
            return None
        if not request.user.is_authenticated:
            by_itself = getattr(view, "asks", False) and QUIET in request.headers
            return is_over(request) if by_itself else log_in_first(request)
        if act is None or not may(request.user, act):
            raise PermissionDenied
        return None


def log_in_first(request: HttpRequest) -> HttpResponse:
    """The way to the log-in; where words were sent they are given back on it (403)."""
    to_login = redirect_to_login(came_from(request) if request.method == "POST" else request.get_full_path())
    words = sent_words(request)
    return give_back(request, "people/words_back.html", words, login=to_login.url) if words else to_login


class SourceMiddleware:
    """From where a request comes, for the rows of the log that it writes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = SOURCE.set(get_adapter().get_client_ip(request))
        try:
            return self.get_response(request)
        finally:
            SOURCE.reset(token)


class PersonalLanguageMiddleware:
    """The language that a person chose holds at every login."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in settings.PROBES:
            return self.get_response(request)
        language = request.user.language if request.user.is_authenticated else None
        language = language or request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or settings.LANGUAGE_CODE
        if language not in dict(settings.LANGUAGES):
            language = settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers["Content-Language"] = language
        return response
