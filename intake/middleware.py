"""A case of the unit that is not one's own asks for a reason before it opens."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from intake.gate import ReasonNeeded


class AskReasonMiddleware:
    """Sends whoever meets gate.ReasonNeeded to the page that asks for the reason, and back afterwards."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, ReasonNeeded):
            return None
        back = request.get_full_path() if request.method == "GET" else ""
        ask = reverse("intake:case-reason", args=[exception.case.slug])
        return HttpResponseRedirect(f"{ask}?{urlencode({'next': back})}" if back else ask)
