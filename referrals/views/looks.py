"""A first look by a link: made on a page of ours, opened with a code by an agency without accounts, answered once."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline.people.access import needs, open_to_anyone
from helpline.people.errors import Refused, TooLate
from helpline.people.given_back import sent_words
from helpline.people.wall import by_us
from intake.gate import person
from referrals.actions.looks import NoLook, accept_by_link, look_behind, make_look, open_look, takes_code
from referrals.acts import ACTS, acts_for
from referrals.forms.looks import CodeForm
from referrals.forms.portal import UNKNOWN, ReasonForm, last_change
from referrals.gate import LOOK, last_moment, looked_at, referral_for
from referrals.models import Referral
from referrals.portal_parts import answers_the_phone
from referrals.sight import sight

SAID = "look_said"  # in the session: which look was answered and how, for the page that says what follows


@require_POST
@needs("refer")
def look(request: HttpRequest, pk: str) -> HttpResponse:
    """Make a link, and show its code: here and now alone."""
    held = referral_for(request, pk)
    try:
        made, code = make_look(by=person(request), referral=held, after=request.POST.get("after", ""))
    except Refused as refused:
        return render(request, "referrals/look.html", {"referral": held, "refused": str(refused)}, status=422)
    values = {"referral": held, "look": made, "code": f"{code[:4]} {code[4:]}", "refused": ""}
    return render(request, "referrals/look.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@open_to_anyone
def look_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link: a field for the code, and not a word of whom or what. Opening it uses nothing up."""
    found = look_behind(token)
    if found and request.session.get(LOOK) == str(found.pk) and looked_at(request):
        return redirect("portal:look-card")
    if found is None or not takes_code(found):
        return _nothing(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            by_us(open_look, look=found, code=form.cleaned_data["code"])
        except NoLook:
            return _nothing(request)
        except Refused as refused:
            form.add_error("code", str(refused))
        else:
            by_us(request.session.cycle_key)
            request.session.pop(SAID, None)  # it said so of another handover
            request.session[LOOK] = str(found.pk)
            return redirect("portal:look-card")
    return render(request, "portal/look.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@open_to_anyone
def look_card(request: HttpRequest) -> HttpResponse:
    """The card, in the browser that gave the code."""
    held = looked_at(request)
    return _show(request, held) if held else _nothing(request)


@require_POST
@open_to_anyone
def look_accept(request: HttpRequest) -> HttpResponse:
    """Take it on, and say who and by when."""
    return _act(request, "accept")


@require_POST
@open_to_anyone
def look_decline(request: HttpRequest) -> HttpResponse:
    """Say no, and why."""
    return _act(request, "decline")


@require_POST
@open_to_anyone
def look_ask(request: HttpRequest) -> HttpResponse:
    """Ask before answering."""
    return _act(request, "ask")


@require_GET
@open_to_anyone
def look_said(request: HttpRequest) -> HttpResponse:
    """What follows on the answer; nothing of the handover."""
    said = request.session.get(SAID, {}).get("act")
    if said not in ACTS:
        return _nothing(request)
    return render(request, "portal/look_said.html", {"said": said, "done": ACTS[said].done})


def _act(request: HttpRequest, name: str) -> HttpResponse:
    held = looked_at(request)
    if held is None:
        return _over(request, name)
    form = _form(held, name, request.POST)
    if not form.is_valid():
        return _show(request, held, (name, form))
    try:
        do = accept_by_link if name == "accept" else ACTS[name].do
        by_us(do, by=None, referral=held, way="link", **form.cleaned_data)
    except TooLate as late:
        return _late(request, name, str(late))
    except Refused as refused:
        form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        return _show(request, held, (name, form))
    request.session[SAID] = {"look": request.session.pop(LOOK, ""), "act": name}
    return redirect("portal:look-said")


def _late(request: HttpRequest, name: str, late: str) -> HttpResponse:
    """Somebody was first, or the page was old. Where the card is still theirs, the form comes back as it was written."""
    held = looked_at(request)
    if held is None:
        return _over(request, name)
    data = request.POST.copy()
    data["seen"] = last_change(held)
    form = _form(held, name, data)
    form.add_error(None, late)
    return _show(request, held, (name, form))


def _over(request: HttpRequest, name: str) -> HttpResponse:
    """Nothing is shown any more. A second press of the same leads to where the first led; where another look was opened
    since, nothing is said of this one, and what was written is given back."""
    said = request.session.get(SAID, {})
    same = said.get("act") == name and request.session.get(LOOK, said.get("look")) == said.get("look")
    return redirect("portal:look-said") if same else _nothing(request, _blank(name, request.POST))


def _blank(name: str, data: Any) -> forms.Form:
    """What was sent, for whoever sees nothing of the handover any more: no agency is named to them."""
    form = ACTS[name].form(data)
    if isinstance(form, ReasonForm):
        form.fields["suggested"].choices = [(UNKNOWN, _("Don't know"))]  # type: ignore[attr-defined]
    return form


def _show(request: HttpRequest, held: Referral, tried: tuple[str, forms.Form] | None = None) -> HttpResponse:
    """The card and the answers that are possible now; the one that was refused lies open."""
    sent = dict([tried] if tried else [])
    acts = [(act, sent.get(act.name) or _form(held, act.name)) for act in acts_for(held)]
    values: dict[str, Any] = {
        "referral": held,
        "sight": sight(held),
        "acts": acts,
        "chosen": tried[0] if tried else "",
        "refused": tried[1] if tried else None,
        "exchange": held.changes.filter(move__in=["ask", "answer"]).order_by("at", "id"),
        "contact": answers_the_phone(held),
        "contact_phone": held.case.unit.phone,
        "until": last_moment(held),
    }
    return render(request, "portal/look_card.html", values, status=422 if tried else 200)


def _form(held: Referral, name: str, data: Any = None) -> forms.Form:
    """As in the portal, but for a comment on our handover: our answer to it would reach nobody."""
    form = ACTS[name].form_for(held, data=data)
    form.fields.pop("comment_text", None)
    return form


def _nothing(request: HttpRequest, form: forms.Form | None = None) -> HttpResponse:
    """The one answer to every link that leads to nothing, whatever the reason; what was written is given back."""
    words = sent_words(request, form) if request.resolver_match and "token" not in request.resolver_match.kwargs else []
    return render(request, "portal/look_nothing.html", {"words": words}, status=404)
