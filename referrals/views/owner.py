"""What we have handed over: the list, one of them, and what its owner can do."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from helpline.people.access import may, needs
from helpline.people.errors import Refused, TooLate
from helpline.people.paging import page_of
from intake.gate import person
from intake.models import FollowUp
from referrals import actions
from referrals.forms.owner import AnswerForm, PhoneForm, TakeBackForm
from referrals.gate import referral_for
from referrals.labels import EVENTS
from referrals.models import Referral, ReferralQuerySet, StateChange
from referrals.sight import sight
from referrals.states import MOVES, OPEN, OWNER, moves_from
from referrals.turns import line, lines

# Moments beyond any that a referral has, for an order of three kinds in one column.
AGES = dt.timedelta(days=365_000)
FAR = Value(dt.datetime(4000, 1, 1, tzinfo=dt.UTC), output_field=DateTimeField())
TAKEN_BACK = _("We took the handover back")


@dataclass(frozen=True)
class Act:
    """What the owner can do by one move: its page, its words, its form and its action."""

    move: str
    url: str
    title: str | Promise
    says: str | Promise
    button: str | Promise
    form: type[forms.Form]
    do: Callable[..., Referral]


ACTS: dict[str, Act] = {
    act.move: act
    for act in [
        Act(
            *("answer", "referrals:answer", _("Answer the question")),
            *(_("Their time to answer begins anew when you have answered."), _("Send the answer")),
            *(AnswerForm, actions.answer_question),
        ),
        Act(
            *("contact", "referrals:contact", _("They say by phone that contact is made")),
            *(_("You ask the person in a few days how it went."), _("Write down the contact")),
            *(PhoneForm, lambda **rest: actions.contact_made(who=OWNER, way="phone", **rest)),
        ),
        Act(
            *("complete", "referrals:complete", _("They say by phone that they have finished")),
            *(_("Whether it helped is for the person to say."), _("Write down that it is finished")),
            *(PhoneForm, lambda **rest: actions.complete(who=OWNER, way="phone", **rest)),
        ),
        Act(
            *("withdraw", "referrals:take-back", _("Take the handover back")),
            *(_("The agency no longer sees it, and is told so. You choose who can help instead."), _("Take back")),
            *(TakeBackForm, lambda **rest: actions.withdraw(reason="no_answer", **rest)),
        ),
    ]
}


@require_GET
@needs("refer")
def referral_list(request: HttpRequest) -> HttpResponse:
    """The referrals of one's own cases; for a manager those of the unit. What is open comes first, by its time."""
    user = person(request)
    mine = Referral.objects.visible_to(user).select_related("case__owner", "agency")
    if not may(user, "see_caseload"):
        in_hand = FollowUp.objects.planned().filter(owner=user).exclude(about="").values("case")
        mine = mine.filter(Q(case__owner=user) | Q(case__in=in_hand))  # also what one stands in for
    page = page_of(_in_order(mine), "place", request.GET.get("after", ""))
    return render(request, "referrals/list.html", {"lines": lines(page.rows, user), "next_key": page.next_key})


@require_POST
@needs("refer")
def referral_answer(request: HttpRequest, pk: str) -> HttpResponse:
    """Answer an agency's question."""
    return _act(request, pk, "answer")


@require_POST
@needs("refer")
def referral_take_back(request: HttpRequest, pk: str) -> HttpResponse:
    """Wait no longer."""
    return _act(request, pk, "withdraw")


@require_POST
@needs("refer")
def referral_contact(request: HttpRequest, pk: str) -> HttpResponse:
    """Write down that an agency told us by phone that it has had contact."""
    return _act(request, pk, "contact")


@require_POST
@needs("refer")
def referral_complete(request: HttpRequest, pk: str) -> HttpResponse:
    """Write down that an agency told us by phone that it has finished."""
    return _act(request, pk, "complete")


def show(request: HttpRequest, referral: Referral, tried: tuple[str, forms.Form] | None = None) -> HttpResponse:
    """What was sent, where it stands, and what can be done; with the form that was refused, if one was."""
    user = person(request)
    refused = dict([tried] if tried else [])
    allowed = [ACTS[move.name] for move in moves_from(referral.state, OWNER) if move.name in ACTS]
    changes = _changes(referral)
    values = {
        "referral": referral,
        "case": referral.case,
        "refused": tried[1] if tried else None,
        "asked": next((change.text for change in reversed(changes) if change.move == "ask"), ""),
        "line": line(referral, user),
        "sight": sight(referral),
        "acts": [(act, refused.get(act.move) or _form(act)) for act in allowed],
        "changes": [(change, _what_happened(change)) for change in changes],
    }
    return render(request, "referrals/sent.html", values, status=422 if tried else 200)


def _act(request: HttpRequest, pk: str, move: str) -> HttpResponse:
    referral = referral_for(request, pk)
    form = _form(ACTS[move], request.POST)
    if not form.is_valid():
        return show(request, referral, (move, form))
    try:
        ACTS[move].do(by=person(request), referral=referral, text=form.cleaned_data["text"])
    except TooLate as late:
        messages.error(request, str(late))
    except Refused as refused:
        form.add_error(None, str(refused))
        return show(request, referral, (move, form))
    return redirect("referrals:referral", referral.pk)


def _form(act: Act, data: Any = None) -> forms.Form:
    """An act's form; several stand on one page, so each has fields with ids of its own."""
    return act.form(data, auto_id=f"id_{act.move}_%s")


def _changes(referral: Referral) -> list[StateChange]:
    return list(referral.changes.select_related("by").order_by("at", "id"))


def _what_happened(change: StateChange) -> str:
    """One change in words; what was taken back was not left unanswered."""
    words: Any = (
        TAKEN_BACK if change.move == "take_back" else EVENTS[MOVES[change.move].event]
    )  # as it was called before
    return str(words) % {"agency": change.referral.agency}


def _in_order(rows: ReferralQuerySet) -> ReferralQuerySet:
    """With `place`, one moment to page by: the open ones by their answer time, then drafts, then what has ended, newest
    first."""
    draft = ExpressionWrapper(F("created_at") + Value(AGES), DateTimeField())
    ended = ExpressionWrapper(FAR + (FAR - F("ended_at")), DateTimeField())
    return rows.annotate(
        place=Case(When(state__in=OPEN, then=F("answer_due_at")), When(state="draft", then=draft), default=ended)
    )
