"""The partner agency's whole world: what to answer and until when, what is in progress, and one referral at a time."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from helpline.people import clock
from helpline.people.absences import stand_in
from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake.gate import person
from referrals import actions, states
from referrals.forms.portal import AcceptForm, AskForm, CompleteForm, ContactForm, DeclineForm
from referrals.gate import agency_of, portal_referral_for
from referrals.models import PartnerAgency, Referral
from referrals.sight import sight

# move -> its form, its action, and what is said when it is done
ACTS: dict[str, tuple[type[forms.Form], Callable[..., Referral], str | Promise]] = {
    "accept": (
        *(AcceptForm, actions.accept),
        _("You have accepted. The support line is told, and keeps the case until you have had contact."),
    ),
    "decline": (
        *(DeclineForm, actions.decline),
        _("You have declined. The support line is told; the person never hears of it."),
    ),
    "ask": (
        *(AskForm, actions.ask_question),
        _("Your question is sent. Your time to answer stands still until we have answered."),
    ),
    "contact": (ContactForm, actions.contact_made, _("Written down: you have had contact. Thank you.")),
    "complete": (
        *(CompleteForm, actions.complete),
        _("Written down: you have finished. You no longer see this handover."),
    ),
}


@require_GET
@needs("answer_referral")
def inbox(request: HttpRequest) -> HttpResponse:
    """What to answer, by its time, and what is in progress."""
    user = person(request)
    agency = agency_of(user)
    if agency is None:
        return render(request, "portal/no_agency.html")
    return render(request, "portal/inbox.html", _world(user, agency))


@require_GET
@needs("answer_referral")
def referral(request: HttpRequest, pk: str) -> HttpResponse:
    """One referral. Reading it the first time tells its owner that it is opened."""
    seen = portal_referral_for(request, pk)
    return _show(request, actions.open_referral(by=person(request), referral=seen))


@require_POST
@needs("answer_referral")
def referral_accept(request: HttpRequest, pk: str) -> HttpResponse:
    """Take it on, and say who and by when."""
    return _act(request, pk, "accept")


@require_POST
@needs("answer_referral")
def referral_decline(request: HttpRequest, pk: str) -> HttpResponse:
    """Say no, and why."""
    return _act(request, pk, "decline")


@require_POST
@needs("answer_referral")
def referral_ask(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask before answering."""
    return _act(request, pk, "ask")


@require_POST
@needs("answer_referral")
def referral_contact(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that there has been contact."""
    return _act(request, pk, "contact")


@require_POST
@needs("answer_referral")
def referral_complete(request: HttpRequest, pk: str) -> HttpResponse:
    """Say that it is done."""
    return _act(request, pk, "complete")


def _act(request: HttpRequest, pk: str, move: str) -> HttpResponse:
    held = portal_referral_for(request, pk)
    kind, do, done = ACTS[move]
    form = kind(request.POST, auto_id=f"id_{move}_%s")
    if not form.is_valid():
        return _show(request, held, move, form)
    try:
        moved = do(by=person(request), referral=held, **form.cleaned_data)
    except TooLate as late:
        messages.error(request, str(late))
        return redirect("portal:inbox")
    except Refused as refused:
        form.add_error(None, str(refused))
        return _show(request, held, move, form)
    messages.success(request, str(done))
    return redirect("portal:referral", moved.pk) if moved.state in states.SEEN_BY_AGENCY else redirect("portal:inbox")


def _show(request: HttpRequest, held: Referral, tried: str = "", refused: forms.Form | None = None) -> HttpResponse:
    """One referral beside the list, with the answers that are possible now; the one that was refused lies open."""
    user = person(request)
    moves = states.moves_from(held.state, states.AGENCY)
    answers = {move.name: _form(move.name, held, user) for move in moves if move.name in ACTS}
    if refused is not None and tried in answers:
        answers[tried] = refused
    values = {
        **_world(user, held.agency),
        "referral": held,
        "sight": sight(held),
        "answers": answers,
        "chosen": tried or "accept",
        "refused": refused,
        "exchange": held.changes.filter(move__in=["ask", "answer"]).order_by("at", "id"),
        "contact": stand_in(held.case.owner, clock.today()) if held.case.owner else None,
        "contact_phone": held.case.unit.phone,
    }
    return render(request, "portal/referral.html", values, status=422 if refused is not None else 200)


def _form(move: str, held: Referral, user: User) -> forms.Form:
    initial = AcceptForm.initial_for(held, str(user)) if move == "accept" else None
    return ACTS[move][0](initial=initial, auto_id=f"id_{move}_%s")


def _world(user: User, agency: PartnerAgency) -> dict[str, Any]:
    """What every page of the portal shows: whose it is, what to answer, what is in progress."""
    theirs = list(Referral.objects.for_agency_of(user).order_by("answer_due_at", "id"))
    return {
        "agency": agency,
        "to_answer": [row for row in theirs if row.is_waiting],
        "in_progress": [row for row in theirs if not row.is_waiting],
    }
