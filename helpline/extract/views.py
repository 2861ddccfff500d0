"""An extract for one person of a case: decided, looked through, made. The manager alone."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpline.extract import actions
from helpline.extract.forms import DecisionForm, MaskForm
from helpline.extract.same import same_as
from helpline.people.access import needs
from helpline.people.errors import Refused
from intake.gate import case_for, person
from intake.models import SecrecyDecision
from intake.views.cases import posted, status_of


@needs("give_extract")
@require_http_methods(["GET", "POST"])
def extract(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """The decision: which cases concern the same person, what is given out."""
    case = case_for(request, code)
    whose = get_object_or_404(case.people.select_related("case__key"), pk=pk)
    form = DecisionForm(posted(request), same=same_as(person(request), whose))
    if form.is_valid():
        same = form.cleaned_data.pop("same", [])
        try:
            made = actions.decide_extract(by=person(request), person=whose, facts=form.cleaned_data, same=same)
        except Refused as refused:
            form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        else:
            if made.outcome == actions.REFUSED:
                messages.success(request, _("The decision is recorded. Nothing is given out."))
                return redirect("intake:people", case.slug)
            return redirect("extract-read", made.pk)
    before = case.secrecy_decisions.filter(person=whose).select_related("decided_by").order_by("-decided_at")
    context = {"case": case, "whose": whose, "form": form, "before": before}
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
    """A decision in a case that one may open. Raises Http404 or ReasonNeeded."""
    found = SecrecyDecision.objects.select_related("case__key", "decided_by", "person").filter(pk=pk).first()
    if found is None:
        raise Http404
    found.case = case_for(request, found.case.slug)
    found.person.case = found.case
    return found


def _page(request: HttpRequest, decision: SecrecyDecision, form: MaskForm) -> HttpResponse:
    """The page of what is given out; with a form that was refused, as it was sent."""
    form.is_valid()
    try:
        made = actions.read_extract(by=person(request), decision=decision, ticked=form.ticked, words=form.masked_words)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("extract", decision.case.slug, decision.person_id)
    ticked = set(form.ticked)
    context = {"decision": decision, "case": decision.case, "extract": made, "form": form, "ticked": ticked}
    return render(request, "helpline/extract_read.html", context, status=status_of(form))
