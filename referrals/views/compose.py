"""Handing over: to whom, on which ground, in which words; then sent."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from intake.gate import case_for, may_do, person
from referrals import actions
from referrals.actions.checks import leading_other, missing_parts
from referrals.actions.drafts import DraftMoved, has_moved
from referrals.drawn import mark_of
from referrals.forms.drafts import ChooseForm, DraftForm
from referrals.forms.drafts_moved import moved_form
from referrals.gate import referral_for
from referrals.models import Referral
from referrals.offers import groups_of, words_of
from referrals.remarks import remarks
from referrals.sight import sight
from referrals.standing import call_them, on_silence, standing
from referrals.views import owner


@require_http_methods(["GET", "POST"])
@needs("refer")
def choose(request: HttpRequest, code: str) -> HttpResponse:
    """Who can help, grouped by need; choosing one begins a draft."""
    case = case_for(request, code)
    form = ChooseForm(request.POST or None, case=case)
    if request.method == "POST" and form.is_valid():
        try:
            draft = actions.draft_referral(by=person(request), case=case, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("referrals:referral", draft.pk)
    values = {
        "case": case,
        "form": form,
        "groups": groups_of(case),
        "history": words_of(case),
        "instead": _instead(request),
    }
    return render(request, "referrals/choose.html", values, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@needs("refer")
def referral(request: HttpRequest, pk: str) -> HttpResponse:
    """A draft in four parts, or what was sent and where it stands."""
    held = referral_for(request, pk)
    drafts = held.state == "draft" and may_do(request, held.case, "referrals:referral")
    if request.method == "GET" and not drafts:
        return owner.show(request, held)
    form = DraftForm(request.POST or None, referral=held, by=person(request))
    try:
        saved = _save(request, form) if request.method == "POST" else None
    except DraftMoved as late:
        return _moved(request, form, str(late))
    if saved:
        messages.success(request, _("Saved. Nothing is sent yet."))
        return redirect(
            reverse("referrals:referral", args=[held.pk]) + ("#ground" if "at_ground" in request.POST else "")
        )
    return _page(request, form, status=422 if form.is_bound else 200)


@require_POST
@needs("refer")
def referral_send(request: HttpRequest, pk: str) -> HttpResponse:
    """Save what is written, then send it. What is missing comes back listed, and nothing is lost."""
    form = DraftForm(request.POST, referral=referral_for(request, pk), by=person(request))
    try:
        saved = _save(request, form)
    except DraftMoved as late:
        return _moved(request, form, str(late))
    if saved is None:
        return _page(request, form, status=422)
    try:
        sent = actions.send(by=person(request), referral=saved, drawn=mark_of(saved))
    except DraftMoved as late:
        return _moved(request, form, str(late))
    except TooLate as late:
        messages.error(request, str(late))
    except Refused:
        return _page(request, DraftForm(referral=saved, by=person(request)), status=422)
    else:
        messages.success(request, _("Handed to %(agency)s. The case is still yours.") % {"agency": sent.agency})
    return redirect("referrals:referral", saved.pk)


@require_POST
@needs("refer")
def referral_discard(request: HttpRequest, pk: str) -> HttpResponse:
    """Throw a draft away."""
    held = referral_for(request, pk)
    try:
        actions.discard_draft(by=person(request), referral=held, drawn=request.POST.get("drawn"))
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("referrals:referral", held.pk)
    messages.success(request, _("The draft is thrown away. Nothing was sent."))
    return redirect("intake:case", held.case.slug)


def _save(request: HttpRequest, form: DraftForm) -> Referral | None:
    """Save what is written; None where it was refused, and the form says why. Raises DraftMoved for an old page."""
    drawn = str(form.data.get("drawn", ""))
    if not form.is_valid():
        if form.referral.state == "draft" and drawn != mark_of(form.referral):
            raise DraftMoved(has_moved())
        return None
    try:
        saved = actions.save_draft(
            by=person(request),
            referral=form.referral,
            words=form.words(),
            approved=form.approved_now(),
            consent=form.consent(),
            leads=form.leads(),
            drawn=drawn,
        )
    except DraftMoved:
        raise
    except Refused as refused:
        form.add_error(None, str(refused))
        return None
    if form.ground_fell:
        messages.warning(request, _("The legal ground is not possible for this age. Choose another."))
    return saved


def _moved(request: HttpRequest, tried: DraftForm, late: str) -> HttpResponse:
    """An old page: the draft as it is now, with what was written there; nothing is saved before it is pressed anew (409)."""
    held = referral_for(request, tried.referral.pk)
    if held.state != "draft":
        return owner.show_late(request, held, late)
    return _page(request, moved_form(tried, referral=held, by=person(request)), status=409, late=late)


def _page(request: HttpRequest, form: DraftForm, *, status: int, late: str = "") -> HttpResponse:
    """The draft, with exactly what its receiver will see."""
    held = form.referral
    values = {
        "referral": held,
        "case": held.case,
        "form": form,
        "sight": sight(held, form.parts),
        "missing": missing_parts(held),
        "remarks": remarks(held),
        "refused": status == 422,
        "late": late,
        "drawn": mark_of(held),
        "other": leading_other(held),
        "standing": standing(held.agency),
        "call_them": call_them(held),
        "on_silence": on_silence(held, person(request)),
    }
    return render(request, "referrals/draft.html", values, status=status)


def _instead(request: HttpRequest) -> str:
    """The referral whose words are to be carried over, as the address or the form has it."""
    return request.POST.get("instead") or request.GET.get("instead", "")
