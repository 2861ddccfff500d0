"""Calling again: the call joins its case, or that is taken back; the passphrase on the page of a case."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from intake import actions
from intake.forms.calls import CallForm
from intake.forms.contact import PassphraseForm
from intake.gate import case_for, person
from intake.views.calls import SeeOther, by_the_writer, sent_form, show_call, too_late
from intake.views.cases import case_page


@require_POST
@needs("log_call")
@by_the_writer
def call_again(request: HttpRequest, pk: Any) -> HttpResponse:
    """Save the words, then go on in the case whose number the caller says."""
    form = sent_form(request, pk)
    try:
        form.save(by=person(request))
        said = {"number": _word(form, "again_number"), "phrase": _word(form, "again_phrase")}
        actions.claim_case(by=person(request), call=form.call, **said)
    except TooLate:
        return too_late(request, form)
    except Refused as refused:
        form.refuse(refused)
    return _answer(request, form)


@require_POST
@needs("log_call")
@by_the_writer
def call_not_again(request: HttpRequest, pk: Any) -> HttpResponse:
    """Save the words, then take back that the call goes on in a case: it was somebody else."""
    form = sent_form(request, pk)
    try:
        form.save(by=person(request))
        actions.unclaim_case(by=person(request), call=form.call)
    except TooLate:
        return too_late(request, form)
    return _answer(request, form)


def _word(form: CallForm, name: str) -> str:
    return str(form.cleaned_data.get(name, ""))


def _answer(request: HttpRequest, form: CallForm) -> HttpResponse:
    if form.errors:
        form.call.refresh_from_db(fields=["case"])
        return show_call(request, form, status=422)
    return SeeOther(f"{reverse('intake:call', args=[form.call.pk])}#again")


@require_POST
@needs("work_case")
def passphrase(request: HttpRequest, code: str) -> HttpResponse:
    """Another passphrase, or none, as the caller wants it."""
    case = case_for(request, code)
    form = PassphraseForm(request.POST)
    if form.is_valid():
        try:
            actions.set_passphrase(by=person(request), case=case, phrase=form.cleaned_data["passphrase"])
        except Refused as refused:
            form.add_error("passphrase", str(refused))
        else:
            messages.success(request, _("It is saved. The passphrase is never shown."))
            return redirect("intake:case", case.slug)
    return case_page(request, case, status=422, passphrase_form=form)
