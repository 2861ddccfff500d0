"""Telling somebody where to go alone: the number to read aloud, and that it was told."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from intake import triage
from intake.gate import call_for, case_for, person
from intake.models import Call, Case
from intake.views.calls import SeeOther, by_the_writer, sent_form, show_call, too_late
from referrals.actions import tell_where
from referrals.actions.signposts import could_be_handed_over
from referrals.forms.signposts import SignpostForm
from referrals.hours_said import hours_said
from referrals.models import PartnerAgency, Signposting


@require_POST
@needs("refer")
@by_the_writer
def call_signpost_leave(request: HttpRequest, pk: Any, agency: int, need: str) -> HttpResponse:
    """Save the words of the call, then go to the number: nothing that is written is lost on the way."""
    form = sent_form(request, pk)
    try:
        saved = form.save(by=person(request))
    except TooLate:
        return too_late(request, form)
    if saved.is_finished:
        return too_late(request, form)
    if form.errors:
        return show_call(request, form, status=422)
    return SeeOther(reverse("referrals:call-signpost", args=[pk, agency, need]))


@require_http_methods(["GET", "POST"])
@needs("refer")
def call_signpost(request: HttpRequest, pk: Any, agency: int, need: str) -> HttpResponse:
    """In a call: the number large; written down, back to the call."""
    call = call_for(request, pk)
    if call.is_finished:
        return redirect("intake:call", call.pk)
    return _tell(request, agency, need, back=reverse("intake:call", args=[call.pk]), call=call)


@require_http_methods(["GET", "POST"])
@needs("refer")
def case_signpost(request: HttpRequest, code: str, agency: int, need: str) -> HttpResponse:
    """In a case: the same, back to the case."""
    case = case_for(request, code)
    return _tell(request, agency, need, back=reverse("intake:case", args=[case.slug]), case=case)


def _tell(
    request: HttpRequest, agency: int, need: str, *, back: str, call: Call | None = None, case: Case | None = None
) -> HttpResponse:
    if need not in triage.codes("needs"):
        raise Http404
    place = get_object_or_404(PartnerAgency.objects.active().prefetch_related("hours", "absences"), pk=agency)
    thing = call or case
    assert thing is not None
    asks_why = could_be_handed_over(thing, need)
    form = SignpostForm(request.POST if request.method == "POST" else None, asks_why=asks_why)
    if form.is_valid():
        try:
            tell_where(by=person(request), agency=place, need=need, call=call, case=case, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        else:
            messages.success(request, _("Written down: told of %(agency)s. Nothing was sent.") % {"agency": place})
            return SeeOther(back)
    told = Signposting.objects.filter(agency=place, need=need, call=call, case=case).order_by("-given_at").first()
    values = {"place": place, "form": form, "back": back, "call": call, "case": case, "told": told}
    values |= {"hours": hours_said(place), "need": triage.name_of("needs", need)}
    return render(request, "referrals/signpost.html", values, status=422 if form.is_bound else 200)
