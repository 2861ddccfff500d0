"""A consent that the person takes back: what follows is said first, then it is done."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpline.people.access import needs
from helpline.people.errors import TooLate
from intake.gate import case_for, person
from intake.models import Case
from referrals import actions
from referrals.actions.consents import drafts_on, handovers_on, withdrawn_before
from referrals.consents import Given, consents_of
from referrals.forms.owner import ConsentForm
from referrals.models import Consent
from referrals.views.owner import written


@require_http_methods(["GET", "POST"])
@needs("refer")
def consent_withdraw(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """What happens when it is withdrawn; and withdraw it."""
    case = case_for(request, code)
    consent = get_object_or_404(case.consents.select_related("case", "agency", "withdrawn_to"), pk=pk)
    form = ConsentForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, case, consent, form=form, status=422 if form.is_bound else 200)
    try:
        ended = actions.withdraw_consent(by=person(request), consent=consent, text=form.cleaned_data["text"])
    except TooLate as late:
        return _page(request, case, consent, form=form, late=str(late), words=written(request), status=409)
    told = _("The consent is withdrawn. Call %(agency)s: they must stop.")
    if consent.agency.has_accounts:
        told = _("The consent is withdrawn. %(agency)s is told.")
    messages.success(request, told % {"agency": consent.agency} if ended else _("The consent is withdrawn."))
    return redirect("intake:case", case.slug)


def _page(request: HttpRequest, case: Case, consent: Consent, *, status: int, **more: Any) -> HttpResponse:
    others = consents_of(case).filter(agency=consent.agency_id, withdrawn_at__isnull=True).exclude(pk=consent.pk)
    values = {
        "case": case,
        "given": Given(consent),
        "drafts": drafts_on(consent),
        "standing": handovers_on(consent),
        "others": others,
        "late": withdrawn_before(consent) if consent.withdrawn_at else "",
        "words": [],
        **more,
    }
    return render(request, "referrals/consent_withdraw.html", values, status=status)
