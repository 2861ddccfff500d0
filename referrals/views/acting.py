"""The one view that carries out the acts of the owner's table."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from helpline.people.access import View, needs
from helpline.people.errors import Refused, TooLate
from intake.gate import person
from referrals.gate import referral_for
from referrals.views.owner import show, show_late
from referrals.views.owner_acts import Act, done_of, form_of, offered


def view_of(act: Act) -> View:
    """The view of one act."""

    @require_POST
    @needs("refer")
    def view(request: HttpRequest, pk: str) -> HttpResponse:
        return _act(request, pk, act)

    return view


def _act(request: HttpRequest, pk: str, act: Act) -> HttpResponse:
    referral = referral_for(request, pk)
    form = form_of(act, referral, data=request.POST)
    if not form.is_valid():
        return show(request, referral, (act.code, form)) if act in offered(referral) else show_late(request, referral)
    try:
        act.do(by=person(request), referral=referral, **form.cleaned_data)
    except TooLate as late:
        return show_late(request, referral, str(late))
    except Refused as refused:
        if act not in offered(referral_for(request, pk)):  # it was done meanwhile
            return show_late(request, referral, str(refused))
        form.add_error(refused.at or None, str(refused))
        return show(request, referral, (act.code, form))
    messages.success(request, done_of(act, referral_for(request, pk)))
    return redirect("referrals:referral", referral.pk)
