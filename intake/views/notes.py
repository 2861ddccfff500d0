"""What hangs under a signed note, or stands beside what a call says: an addition, a correction, the person's own objection
(SoL 14:6)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from helpline.people.access import needs
from helpline.people.errors import Refused
from intake import actions
from intake.forms.notes import AmendForm, BesideForm
from intake.gate import call_for, call_to_amend, case_for, person
from intake.labels import AMENDMENTS
from intake.models import Call, Note
from intake.told import standing_in
from intake.views.cases import posted, status_of

# amendment -> (label of the field, what the page says about it)
ASKS = {
    "addition": (gettext_lazy("What is added"), gettext_lazy("The note stays as it is. What you add hangs under it.")),
    "correction": (
        gettext_lazy("How it should be"),
        gettext_lazy("The note stays as it is. The correction hangs under it, with the day and your name."),
    ),
    "objection": (
        gettext_lazy("The person’s own words"),
        gettext_lazy("The person thinks that something is wrong. Write it in their words: it stands with the note."),
    ),
}


@needs("work_case")
@require_http_methods(["GET", "POST"])
def note_amend(request: HttpRequest, code: str, pk: Any, amendment: str) -> HttpResponse:
    """Hang words under a note of a case, or of one of its calls."""
    case = case_for(request, code)
    notes = Note.objects.select_related("by", "call__key", "case__key")
    note = get_object_or_404(notes.filter(case=case) | notes.filter(call__case=case), pk=pk)
    back = reverse("intake:case", args=[case.slug])
    return _amend(request, note, amendment, {"case": case, "back": back})


@needs("log_call")
@require_http_methods(["GET", "POST"])
def call_note_amend(request: HttpRequest, call: Any, pk: Any, amendment: str) -> HttpResponse:
    """Hang words under a note of a finished call that has no case; where it has one, whoever may open the case."""
    found = call_for(request, call)
    if found.case is not None:
        case_for(request, found.case.slug)
    note = get_object_or_404(found.notes.select_related("by", "call__key", "case__key"), pk=pk)
    return _amend(request, note, amendment, {"call": found, "back": reverse("intake:call", args=[found.pk])})


@needs("log_call")
@require_http_methods(["GET", "POST"])
def call_amend(request: HttpRequest, pk: Any) -> HttpResponse:
    """Write beside an answer or a fact of a finished call; which, may come with the address (?about=)."""
    call = call_to_amend(request, pk)
    if call.is_forgotten:
        raise Http404
    standing = standing_in(call)
    form = BesideForm(posted(request), standing=standing, initial={"about": request.GET.get("about", "")})
    if form.is_valid():
        try:
            actions.amend_call(by=person(request), call=call, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        else:
            messages.success(request, _("It is signed, and stands beside what it is about."))
            return redirect(_back_from(request, call))
    context = {"call": call, "standing": standing, "form": form, "back": _back_from(request, call)}
    return render(request, "intake/call_amend.html", context, status=status_of(form))


def _back_from(request: HttpRequest, call: Call) -> str:
    """The page of its case; the call's own, for who took it; else the same page again."""
    if call.case is not None:
        return reverse("intake:case", args=[call.case.slug])
    name = "intake:call" if call.taken_by_id == person(request).pk else "intake:call-amend"
    return reverse(name, args=[call.pk])


def _amend(request: HttpRequest, note: Note, amendment: str, context: dict[str, Any]) -> HttpResponse:
    if amendment not in AMENDMENTS or note.signed_at is None or note.amends_id is not None or note.about:
        raise Http404
    label, says = ASKS[amendment]
    form = AmendForm(posted(request), label=str(label))
    if form.is_valid():
        try:
            actions.amend_note(by=person(request), note=note, amendment=amendment, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("It is signed, and hangs under the note."))
            return redirect(context["back"])
    context |= {"note": note, "form": form, "title": AMENDMENTS[amendment], "says": says}
    return render(request, "intake/note_amend.html", context, status=status_of(form))
