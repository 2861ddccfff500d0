"""What an agency does with a handover: one street an act, each a row of acts.ACTS."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from helpline.people.wall import by_us
from intake.gate import person
from referrals import states
from referrals.acts import ACTS
from referrals.gate import portal_referral_for
from referrals.views.portal_page import gone, show, too_late


@require_POST
@needs("answer_referral")
def accept(request: HttpRequest, pk: str) -> HttpResponse:
    """Take it on, and say who and by when."""
    return _act(request, pk, "accept")


@require_POST
@needs("answer_referral")
def decline(request: HttpRequest, pk: str) -> HttpResponse:
    """Say no, why, and who could help instead."""
    return _act(request, pk, "decline")


@require_POST
@needs("answer_referral")
def ask(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask before answering."""
    return _act(request, pk, "ask")


@require_POST
@needs("answer_referral")
def book(request: HttpRequest, pk: str) -> HttpResponse:
    """Book a time with the person, alone or together with us; or another time."""
    return _act(request, pk, "book")


@require_POST
@needs("answer_referral")
def tick(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that we spoke together."""
    return _act(request, pk, "tick")


@require_POST
@needs("answer_referral")
def contact(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that there has been contact."""
    return _act(request, pk, "contact")


@require_POST
@needs("answer_referral")
def miss(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that the contact did not come about."""
    return _act(request, pk, "miss")


@require_POST
@needs("answer_referral")
def wait(request: HttpRequest, pk: str) -> HttpResponse:
    """Let it rest until a day."""
    return _act(request, pk, "hold")


@require_POST
@needs("answer_referral")
def resume(request: HttpRequest, pk: str) -> HttpResponse:
    """Take it up again."""
    return _act(request, pk, "resume")


@require_POST
@needs("answer_referral")
def complete(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that it is done."""
    return _act(request, pk, "complete")


@require_POST
@needs("answer_referral")
def give_back(request: HttpRequest, pk: str) -> HttpResponse:
    """Give it back, and say why."""
    return _act(request, pk, "return")


@require_POST
@needs("answer_referral")
def fail(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that it did not lead to help."""
    return _act(request, pk, "fail")


def _act(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    try:
        held = portal_referral_for(request, pk)
    except Http404:
        return gone(request, pk, name)
    act = ACTS[name]
    form = act.form_for(held, data=request.POST)
    if not form.is_valid():
        return show(request, held, tried=(name, form))
    try:
        moved = by_us(act.do, by=person(request), referral=held, **form.cleaned_data)
    except TooLate as late:
        return too_late(request, pk, name, str(late))
    except Refused as refused:
        form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        return show(request, held, tried=(name, form))
    messages.success(request, str(act.done))
    return redirect("portal:referral", moved.pk) if moved.state in states.SEEN_BY_AGENCY else redirect("portal:inbox")
