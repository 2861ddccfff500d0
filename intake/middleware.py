"""A case of the unit that is not one's own asks for a reason before it opens; nothing is written where the words are erased."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from helpline.people.given_back import give_back, sent_words
from helpline.people.sealed import Forgotten
from intake.gate import ReasonNeeded
from intake.protection import watch


class AskReasonMiddleware:
    """Sends whoever meets gate.ReasonNeeded to the page that asks for the reason, and back afterwards. Words that were
    sent are given back: the case went into other hands, or a reason ran out, while they were written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, ReasonNeeded):
            return None
        if words := sent_words(request):
            return give_back(request, "intake/words_back.html", words, case=exception.case)
        back = request.get_full_path() if request.method == "GET" else ""
        ask = reverse("intake:case-reason", args=[exception.case.slug])
        return HttpResponseRedirect(f"{ask}?{urlencode({'next': back})}" if back else ask)


class KeptWordsMiddleware:
    """Says what became of words on their way to the store: an address that was taken out, on whatever page it was written;
    and where the words of a call or a case are erased, that nothing more can be written there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with watch() as taken_out:
            response = self.get_response(request)
        if taken_out and "HX-Request" not in request.headers:  # the page of a call says it at the field
            messages.warning(
                request, _("An address was taken out: it must not be stored for this person. The rest is saved.")
            )
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Forgotten):
            return None
        messages.error(request, _("The words here are erased, and nothing more can be written. Nothing was saved."))
        code = request.resolver_match.kwargs.get("code") if request.resolver_match else None
        return HttpResponseRedirect(reverse("intake:case", args=[code]) if code else reverse("home"))
