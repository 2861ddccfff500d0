"""Handing over: to whom, on which ground, in which words; then sent."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpline.people import clock
from helpline.people.access import needs
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake.gate import case_for, person
from intake.models import Case
from referrals import actions, deadlines
from referrals.actions.moves import missing_parts
from referrals.forms.drafts import ChooseForm, DraftForm
from referrals.gate import referral_for
from referrals.labels import CARD
from referrals.models import PartnerAgency, Referral
from referrals.offers import HISTORY, groups_of, history_of
from referrals.sight import sight
from referrals.views import owner


@require_http_methods(["GET", "POST"])
@needs("refer")
def choose(request: HttpRequest, code: str) -> HttpResponse:
    """Who can help, grouped by need; choosing one begins a draft."""
    case = case_for(request, code)
    form = ChooseForm(request.POST or None, case=case)
    if request.method == "POST" and form.is_valid():
        try:
            draft = _begin(person(request), case, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("referrals:referral", draft.pk)
    values = {
        "case": case,
        "form": form,
        "groups": groups_of(case),
        "history": _history(case),
        "instead": _instead(request),
    }
    return render(request, "referrals/choose.html", values, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@needs("refer")
def referral(request: HttpRequest, pk: str) -> HttpResponse:
    """A draft in four parts, or what was sent and where it stands."""
    held = referral_for(request, pk)
    if held.state != "draft" and request.method == "GET":
        return owner.show(request, held)
    form = DraftForm(request.POST or None, referral=held, by=person(request))
    if request.method == "POST" and _save(request, form):
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
    saved = _save(request, form)
    if saved is None:
        return _page(request, form, status=422)
    try:
        sent = actions.send(by=person(request), referral=saved)
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
        actions.discard_draft(by=person(request), referral=held)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("referrals:referral", held.pk)
    messages.success(request, _("The draft is thrown away. Nothing was sent."))
    return redirect("intake:case", held.case.slug)


def _begin(user: User, case: Case, *, agency: PartnerAgency, need: str, instead: Referral | None) -> Referral:
    """The draft for this agency and need: the one that is begun, or a new one. What was told once is carried over; a
    draft that it stands in for is thrown away."""
    begun = case.referrals.filter(state="draft", agency=agency, need=need).first()
    if begun:
        return begun
    with transaction.atomic():
        draft = actions.draft_referral(by=user, case=case, agency=agency, need=need)
        if instead:
            told = {field: getattr(instead, field) for field in CARD}
            draft = actions.save_draft(by=user, referral=draft, words={**told, "age_band": instead.age_band})
        if instead and instead.state == "draft":
            actions.discard_draft(by=user, referral=instead)
    return draft


def _save(request: HttpRequest, form: DraftForm) -> Referral | None:
    """Save what is written; None where it was refused, and the form says why."""
    if not form.is_valid():
        return None
    try:
        saved = actions.save_draft(
            by=person(request),
            referral=form.referral,
            words=form.words(),
            approved=form.approved_now(),
            consent=form.consent(),
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return None
    if form.ground_fell:
        messages.warning(request, _("The legal ground is not possible for this age. Choose another."))
    return saved


def _page(request: HttpRequest, form: DraftForm, *, status: int) -> HttpResponse:
    """The draft, with exactly what its receiver will see."""
    held = form.referral
    values = {
        "referral": held,
        "case": held.case,
        "form": form,
        "sight": sight(held, form.parts),
        "missing": missing_parts(held),
        "refused": status == 422,
        "back_by": deadlines.next_working_day(held.urgency, deadlines.answer_due(held.urgency, clock.now())),
    }
    return render(request, "referrals/draft.html", values, status=status)


def _history(case: Case) -> dict[int, str]:
    """Agency -> what there was with it before, in words."""
    return {agency: str(HISTORY[state]) for agency, state in history_of(case).items()}


def _instead(request: HttpRequest) -> str:
    """The referral whose words are to be carried over, as the address or the form has it."""
    return request.POST.get("instead") or request.GET.get("instead", "")
