"""The partner agency's whole world: what to answer and until when, what is in progress, and one handover at a time."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpline.people.access import needs
from helpline.people.wall import by_us
from intake.gate import person
from referrals import actions
from referrals.gate import agency_of, ended_before, handed, left_for, portal_referral_for
from referrals.views.portal_page import left, show, world


@require_GET
@needs("answer_referral")
def inbox(request: HttpRequest) -> HttpResponse:
    """What to answer, by its time, and what is in progress."""
    user = person(request)
    agency = agency_of(user)
    if agency is None:
        return render(request, "portal/no_agency.html")
    return render(request, "portal/inbox.html", world(user, agency))


@require_GET
@needs("answer_referral")
def referral(request: HttpRequest, pk: str) -> HttpResponse:
    """One handover. Reading it the first time tells its owner that it is opened. Of one that has ended, what is left."""
    if ended := left_for(request, pk):
        return left(request, ended)
    held = portal_referral_for(request, pk)
    opened = by_us(actions.open_referral, by=person(request), referral=held)
    shown = held if opened.state == held.state else handed(request, pk)
    if shown is None:  # taken back in this very moment
        return redirect("portal:referral", opened.pk)
    return show(request, shown)


@require_POST
@needs("answer_referral")
def referral_confirm(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that one has stopped with what was taken back."""
    held = ended_before(request, pk)
    if held.state != "withdrawn":
        raise Http404
    by_us(actions.confirm_withdrawal, by=person(request), referral=held)
    messages.success(request, _("Thank you. The support line knows that you have stopped."))
    return redirect("portal:inbox")
