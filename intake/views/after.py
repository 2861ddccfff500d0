"""After the call: what the caller is told, the heavy call, the text for another system, a call that is entered afterwards."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused
from helpline.people.models import Role, User, in_use
from intake import triage
from intake.actions import after as actions
from intake.forms.calls import MISDIAL
from intake.forms.late import LateForm
from intake.gate import Told, case_for, finished_call_for, own_call_unlogged, person
from intake.models import Call
from intake.spoken import Spoken, language_of, languages
from intake.views.calls import SeeOther


@require_GET
@needs("log_call")
def call_after(request: HttpRequest, pk: Any) -> HttpResponse:
    """What is said to the caller, in their language; with ?print=1 the page to give away. Nobody hears it of a misdial."""
    user, printed = person(request), request.GET.get("print") == "1"
    call = finished_call_for(request, pk, tell=lambda call: _told(request, call, printed))
    mine = call.taken_by_id == user.pk
    if _is_misdial(call):
        return render(request, "intake/call_done.html", {"call": call, "mine": mine})
    language = _language(request, call)
    spoken = Spoken(call, language, reader=user, printed=printed)
    context = {
        "call": call,
        "spoken": spoken,
        "languages": languages(),
        "mine": mine,
        "for_interpreter": _foreign(call),
    }
    if printed:
        return render(request, "intake/now_print.html", {"spoken": spoken, "sender": settings.PRINT_SENDER})
    return render(request, "intake/after.html", context)


def _is_misdial(call: Call) -> bool:
    return call.caller_type == MISDIAL and call.case is None


def _language(request: HttpRequest, call: Call) -> str:
    """The language that was asked for, where there are words in it; else the caller's."""
    asked = request.GET.get("language", "")
    return asked if asked in languages() else language_of(call)


def _told(request: HttpRequest, call: Call, printed: bool) -> Told:
    """How it stands in the log: that the words for the caller were shown, or printed, since a paper leaves the house."""
    if _is_misdial(call):
        return "call.read", {}
    return "after.printed" if printed else "after.shown", {"language": _language(request, call)}


def _foreign(call: Call) -> str:
    """The caller's language where we have no words in it."""
    return "" if call.language in languages() else triage.name_of("languages", call.language)


@require_GET
@needs("see_cases")
def case_after(request: HttpRequest, code: str) -> HttpResponse:
    """What was said to happen now, in the latest call of a case. Raises Http404 where none is completed."""
    case = case_for(request, code)
    latest = case.calls.filter(completed_at__isnull=False).order_by("-received_at", "-pk").first()
    if latest is None:
        raise Http404
    return redirect("intake:call-after", latest.pk)


@require_http_methods(["GET", "POST"])
@needs("log_call")
def call_heavy(request: HttpRequest, pk: Any) -> HttpResponse:
    """That a call was heavy: a tick that tells nobody, and whom to talk with. Leaves no row in the log."""
    user, call = person(request), own_call_unlogged(request, pk)
    if request.method == "POST":
        try:
            actions.tick_heavy(by=user, call=call, heavy=request.POST.get("heavy") == "yes")
        except Refused as refused:
            messages.error(request, str(refused))
        return SeeOther(reverse("intake:call-heavy", args=[pk]))
    managers = User.objects.filter(in_use(), unit=call.unit_id, role=Role.MANAGER).exclude(pk=user.pk)
    context = {"call": call, "ticked": actions.is_heavy(call), "managers": managers.order_by("first_name", "pk")}
    return render(request, "intake/heavy.html", context)


@require_POST
@needs("work_case")
def case_text(request: HttpRequest, code: str) -> HttpResponse:
    """Make the text of a case for the municipality's own system. Refused for a protected person."""
    case = case_for(request, code)
    try:
        text = actions.make_text(by=person(request), case=case)
    except Refused as refused:
        messages.error(request, str(refused))
        return SeeOther(reverse("intake:case", args=[case.slug]))
    return render(request, "intake/case_text.html", {"case": case, "text": text})


@require_http_methods(["GET", "POST"])
@needs("log_call")
def call_late(request: HttpRequest) -> HttpResponse:
    """Enter a call that was taken on paper: then its page, as of any call."""
    form = LateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            call = actions.start_late_call(by=person(request), **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            return SeeOther(reverse("intake:call", args=[call.pk]))
    return render(request, "intake/call_late.html", {"form": form}, status=422 if form.errors else 200)
