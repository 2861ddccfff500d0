"""The page of one handover as the agency sees it, and what it is told when somebody was first."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Value, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.given_back import sent_words
from helpline.people.models import User
from helpline.people.wall import as_granted
from intake.gate import person
from referrals.actions.asked_again import AFTER_CONTACT
from referrals.actions.go import already
from referrals.acts import ACTS, ONE_OF_TWO, acts_for, can_tick
from referrals.forms.exchange import AskedAgainForm, CommentForm, MessageForm
from referrals.forms.portal import last_change
from referrals.gate import ended_before, portal_referral_for
from referrals.models import PartnerAgency, QualityComment, Referral
from referrals.portal_parts import answers_the_phone, questions_for
from referrals.shown import words_shown
from referrals.sight import sight

BESIDE = {"message": MessageForm, "comment": CommentForm, "asked-again": AskedAgainForm}
Tried = tuple[str, forms.Form]  # the name of the act and its form as it was sent


def show(request: HttpRequest, held: Referral, *, tried: Tried | None = None, late: str = "") -> HttpResponse:
    """One handover beside the list, with what can be done now; the form that was refused lies open. `late`: who was
    first. Words for which there is no place any more are given back."""
    user = person(request)
    sent = dict([tried] if tried else [])
    seen = last_change(held)
    prefetch_related_objects([held], "comments", "asked_again", "agency__hours")
    acts = {act.name: (act, sent.get(act.name) or act.form_for(held, str(user), seen=seen)) for act in acts_for(held)}
    beside = {name: sent.get(name) or _beside(name, held) for name in _possible(held)}
    homeless = [name for name in sent if name not in acts and name not in beside]
    first = next(iter(acts)) if acts and held.state != "question" else ""
    values = {
        **world(user, held.agency),
        "referral": held,
        "sight": sight(held),
        "answers": {name: form for name, (_act, form) in acts.items()} if held.is_waiting else {},
        "chosen": next(iter(sent), "") if next(iter(sent), "") in acts else first,
        "first": acts.get(first) if not held.is_waiting else None,
        "others": [row for name, row in acts.items() if name != first] if not held.is_waiting else [],
        "beside": {name.replace("-", "_"): form for name, form in beside.items()},
        "can_tick": can_tick(held),
        "refused": tried[1] if tried and not homeless and not late else None,
        "late": late,
        "words": sent_words(request, tried[1] if tried else None)
        if homeless or (tried and _lacks(request, tried[1]))
        else [],
        "said": _said(held),
        "comment": held.comments.first(),
        "told_again": held.asked_again.first(),
        "contact": answers_the_phone(held),
        "contact_phone": held.case.unit.phone,
    }
    return render(request, "portal/referral.html", values, status=409 if late else 422 if tried else 200)


def _lacks(request: HttpRequest, form: forms.Form) -> bool:
    """Whether something was written for which the form has no place any more."""
    return any(
        form.add_prefix(name) not in form.fields and name.endswith("text") and text
        for name, text in request.POST.items()
    )


def _possible(held: Referral) -> list[str]:
    """What can be written beside an answer: a message always; a comment, and what had to be asked again, once."""
    names = ["message"]
    names += [] if held.comments.exists() else ["comment"]
    return names + (["asked-again"] if held.state in AFTER_CONTACT and not held.asked_again.exists() else [])


def _beside(name: str, held: Referral, data: Any = None) -> forms.Form:
    return BESIDE[name](data, referral=held, auto_id=f"id_{name}_%s")


def _said(held: Referral) -> list[dict[str, Any]]:
    """What was said between them and us: questions, answers and messages, in the order of time."""
    asked = as_granted(held.changes.filter(move__in=["ask", "answer"]), "by")
    rows = [
        {
            "at": row.at,
            "theirs": row.move == "ask",
            "by": None if row.way == "phone" else row.by,
            "text": words_shown(row),
        }
        for row in asked  # what they asked by phone one of us wrote down: not who asked
    ]
    rows += [
        {"at": row.at, "theirs": row.from_agency, "by": row.by, "text": words_shown(row)}
        for row in as_granted(held.messages.all(), "by")
    ]
    return sorted(rows, key=lambda row: row["at"])


def world(user: User, agency: PartnerAgency) -> dict[str, Any]:
    """What every page of the portal shows: whose it is, what to confirm and to answer, what is in progress. Of police
    nothing: they have no list, only the handover that a mail leads to."""
    if agency.is_police:
        names = ("to_confirm", "to_answer", "questions", "in_progress", "answered", "ended")
        return {"agency": agency, **{name: [] for name in names}}
    found = _listed(user)
    prefetch_related_objects(found["answered"], "comments")
    theirs = _by_time(found["theirs"], lambda row: row.answer_due_at)
    return {
        "agency": agency,
        "to_confirm": _by_time(found["to_confirm"], lambda row: row.ended_at),
        "to_answer": [row for row in theirs if row.is_waiting],
        "questions": questions_for(agency),
        "in_progress": [row for row in theirs if not row.is_waiting],
        "answered": _by_time(found["answered"], _answered_at, newest_first=True),
        "ended": _by_time(found["ended"], lambda row: row.ended_at, newest_first=True),
    }


# What a line of the list says: no word of the card.
OF_A_LINE = (
    *("state", "need", "urgency", "sent_at", "answer_due_at", "contact_due_at", "contact_kind", "contact_at"),
    *("hold_until", "ended_at"),
)


def _listed(user: User) -> dict[str, list[Any]]:
    """What the list holds, by part: in one statement, in which each part walks its own index."""
    rows = Referral.objects
    parts = {
        "theirs": rows.for_agency_of(user),
        "to_confirm": rows.to_confirm_by(user),
        "answered": rows.answered_for(user),
        "ended": rows.lately_ended_for(user),
    }
    one, *others = (found.only(*OF_A_LINE).annotate(part=Value(part)) for part, found in parts.items())
    listed: dict[str, list[Any]] = {part: [] for part in parts}
    for row in one.union(*others, all=True):
        listed[row.part].append(row)
    return listed


def _answered_at(row: Referral) -> dt.datetime | None:
    return next((comment.answered_at for comment in row.comments.all()), None)


def _by_time(
    rows: list[Referral], time: Callable[[Referral], dt.datetime | None], *, newest_first: bool = False
) -> list[Referral]:
    """In the order of a time, and of their ids where it is the same."""
    rows = sorted(rows, key=lambda row: row.pk)
    return sorted(rows, key=lambda row: ((when := time(row)) is None, when), reverse=newest_first)


# -- who comes second --------------------------------------------------------------------------------------------------


def too_late(request: HttpRequest, pk: str, name: str, late: str) -> HttpResponse:
    """Somebody was first, or the page was old: said on the page as it is now, with what was written in its place, so that
    it can be sent once more by who has read. A second press of the same is no fault (409, or the page)."""
    try:
        held = portal_referral_for(request, pk)
    except Http404:
        return gone(request, pk, name)
    if _same_press(request, held, name):
        return redirect("portal:referral", held.pk)
    data = request.POST.copy()
    data["seen"] = last_change(held)
    if name == "message":
        data["seen"] = str(MessageForm(referral=held).initial["seen"])
    form = _beside(name, held, data) if name in BESIDE else ACTS[name].form_for(held, data=data)
    return show(request, held, tried=(name, form), late=late)


def gone(request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """It is no longer with them: said who was first, and what was written is given back (409). Raises Http404 where it
    never was theirs."""
    held = ended_before(request, pk)
    if _same_press(request, held, name):
        messages.success(request, str(ACTS[name].done))
        return redirect("portal:inbox")
    sees = held.case.is_open and held.access_until is not None and held.access_until >= clock.today()
    values = {
        "agency": held.agency,
        "late": already(held) if sees else _("This handover is no longer with you."),
        "words": sent_words(request, _sent_form(request, held, name)),
        "to_confirm": held if Referral.objects.to_confirm_by(person(request)).filter(pk=held.pk).exists() else None,
    }
    return render(request, "portal/gone.html", values, status=409)


def _sent_form(request: HttpRequest, held: Referral, name: str) -> forms.Form:
    return _beside(name, held, request.POST) if name in BESIDE else ACTS[name].form_for(held, data=request.POST)


# What is chosen in a form -> where the handover, or its last change, holds it.
HELD = {"handled_by": "handled_by", "contact_by": "contact_due_at", "at": "contact_at", "until": "hold_until"}
CHANGED = {"text": "text", "reason": "reason", "suggested": "suggested_id"}


def _same_press(request: HttpRequest, held: Referral, name: str) -> bool:
    """Whether this very form, drawn before the last change, made that change: by the same person, and nothing in it is
    another now."""
    two = list(held.changes.order_by("-at", "-id")[:2])
    if len(two) < 2 or two[0].by_id != person(request).pk or ONE_OF_TWO.get(two[0].move, two[0].move) != name:
        return False
    form = ACTS[name].form_for(held, data=request.POST)
    if not form.is_valid() or form.cleaned_data["seen"] != str(two[1].pk):
        return False
    sent = form.cleaned_data
    same = [sent[field] == getattr(held, kept) for field, kept in HELD.items() if field in sent]
    same += [_key(sent[field]) == getattr(two[0], kept) for field, kept in CHANGED.items() if field in sent]
    return all(same) and sent.get("warm", held.contact_kind == "warm") == (held.contact_kind == "warm")


def _key(chosen: Any) -> Any:
    return getattr(chosen, "pk", chosen)


def left(request: HttpRequest, held: Referral) -> HttpResponse:
    """What is left of a handover that has ended: that it was taken back, or our answer to their comment."""
    values: dict[str, Any] = {**world(person(request), held.agency), "referral": held}
    if held.state == "withdrawn":
        return render(request, "portal/withdrawn.html", values)
    found: QualityComment = held.comments.get()
    return render(request, "portal/answered.html", {**values, "comment": found})
