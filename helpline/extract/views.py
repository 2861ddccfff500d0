"""An extract for one person of a case, or known from a call without one: decided, looked through, made. The manager alone."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpline.extract import actions
from helpline.extract.forms import DecisionForm, MaskForm
from helpline.extract.same import same_as
from helpline.extract.tables import CALL_PARTS, in_words
from helpline.people.access import needs
from helpline.people.errors import Refused
from intake.gate import call_for_rights, case_for, person
from intake.models import Call, Person, SecrecyDecision
from intake.views.cases import posted, status_of


@needs("give_extract")
@require_http_methods(["GET", "POST"])
def extract(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """The decision: which cases concern the same person, what is given out."""
    case = case_for(request, code)
    whose = get_object_or_404(case.people.select_related("case__key"), pk=pk)
    return _decide(request, whose, {"case": case, "whose": whose, "back": reverse("intake:people", args=[case.slug])})


@needs("give_extract")
@require_http_methods(["GET", "POST"])
def extract_call(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The same for who is known from a call without a case: who called, or whom it was about."""
    call = call_for_rights(request, pk)
    back = reverse("intake:call", args=[pk]) if call.taken_by_id == person(request).pk else reverse("intake:search")
    return _decide(request, call, {"call": call, "back": back})


def _decide(request: HttpRequest, whose: Person | Call, context: dict[str, Any]) -> HttpResponse:
    """The page of a decision; recorded, it leads to what is given out."""
    form = DecisionForm(posted(request), same=same_as(person(request), whose), of_call=isinstance(whose, Call))
    if form.is_valid():
        same = form.cleaned_data.pop("same", [])
        try:
            made = actions.decide_extract(by=person(request), whose=whose, facts=form.cleaned_data, same=same)
        except Refused as refused:
            form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        else:
            if made.outcome == actions.REFUSED:
                messages.success(request, _("The decision is recorded. Nothing is given out."))
                return redirect(context["back"])
            return redirect("extract-read", made.pk)
    decided = whose.secrecy_decisions.select_related("decided_by").order_by("-decided_at")
    before = [(one, CALL_PARTS.get(one.call_part, ""), in_words(one.held_back)) for one in decided]
    owner = whose.case if isinstance(whose, Person) else whose
    context |= {"form": form, "before": before, "is_protected": owner.is_protected}
    return render(request, "helpline/extract.html", context, status=status_of(form))


@needs("give_extract")
@require_http_methods(["GET", "POST"])
def extract_read(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What is given out, exactly as it is; what is masked besides is sent, and it is shown again."""
    decision = _decision(request, pk)
    return _page(request, decision, MaskForm(request.POST))


@needs("give_extract")
@require_POST
def extract_make(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The extract as a PDF, or as text to copy."""
    decision = _decision(request, pk)
    form = MaskForm(request.POST)
    if not form.is_valid():
        return _page(request, decision, form)
    if not form.cleaned_data["read"]:
        form.add_error("read", _("Look through all of it first, and tick that you have."))
        return _page(request, decision, form)
    chosen = {"ticked": form.ticked, "words": form.masked_words}
    seen = request.POST.get("seen", "")
    wanted = "pdf" if request.POST.get("form") == "pdf" else "text"
    try:
        made = actions.make_extract(by=person(request), decision=decision, form=wanted, seen=seen, **chosen)
    except Refused as refused:
        form.add_error(None, str(refused))
        return _page(request, decision, form)
    if wanted == "text":
        return render(request, "helpline/extract_text.html", {"decision": decision, "text": made})
    name = f'attachment; filename="{decision.pk}.pdf"'
    return HttpResponse(made, content_type="application/pdf", headers={"Content-Disposition": name})


def _decision(request: HttpRequest, pk: uuid.UUID) -> SecrecyDecision:
    """A decision in a case that one may open, or on a call that one may know of. Raises Http404 or ReasonNeeded."""
    related = ("case__key", "call__key", "decided_by", "person")
    found = SecrecyDecision.objects.select_related(*related).filter(pk=pk).first()
    if found is None:
        raise Http404
    if found.case is None or found.person is None:
        found.call = call_for_rights(request, found.call_id)
    else:
        found.case = case_for(request, found.case.slug)
        found.person.case = found.case
    return found


def _way_back(decision: SecrecyDecision) -> str:
    """The page of the decision."""
    if decision.case is None:
        return reverse("extract-call", args=[decision.call_id])
    return reverse("extract", args=[decision.case.slug, decision.person_id])


def _page(request: HttpRequest, decision: SecrecyDecision, form: MaskForm) -> HttpResponse:
    """The page of what is given out; with a form that was refused, as it was sent."""
    form.is_valid()
    try:
        made = actions.read_extract(by=person(request), decision=decision, ticked=form.ticked, words=form.masked_words)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(_way_back(decision))
    context = {"decision": decision, "back": _way_back(decision), "extract": made, "form": form}
    context["ticked"] = set(form.ticked)
    return render(request, "helpline/extract_read.html", context, status=status_of(form))
