"""One case: its track, who the person is in it, whether it is an actualisation, and how it is protected, changed later."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from helpline.people.access import needs
from helpline.people.errors import Refused
from intake import actions, triage
from intake.forms.tracks import ActualisationForm, ProtectionForm, TrackForm
from intake.gate import case_for, person
from intake.models import Case
from intake.protection import FICTITIOUS


@needs("work_case")
@require_http_methods(["GET", "POST"])
def case_track(request: HttpRequest, code: str) -> HttpResponse:
    """Three forms on one page; which of them is said by the button."""
    case = case_for(request, code)
    part = request.POST.get("part", "")
    shown = _forms(case, request, part)
    form = shown.get(part)
    if form is not None and form.is_valid():
        try:
            PARTS[part](request, case, form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        else:
            return redirect("intake:case", case.slug)
    context = {
        "case": case,
        "naming": _naming(),
        "takes_identity": case.takes_identity,
        "refused": form,
        **_named(shown),
    }
    return render(request, "intake/case_track.html", context, status=422 if request.method == "POST" else 200)


def _forms(case: Case, request: HttpRequest, part: str) -> dict[str, forms.Form]:
    def data(name: str) -> Any:
        return request.POST if name == part else None

    return {
        "track": TrackForm(data("track"), case=case),
        "actualisation": ActualisationForm(data("actualisation"), initial={"actualisation": case.actualisation}),
        "protection": ProtectionForm(
            data("protection"), initial={"level": case.protection}, auto_id="id_protection_%s"
        ),
    }


def _named(shown: dict[str, forms.Form]) -> dict[str, forms.Form]:
    return {f"{name}_form": form for name, form in shown.items()}


def _naming() -> str:
    """What is said before a name is asked for."""
    question = triage.guide_today().questions.get("named")
    return question.text if question else ""


def _change_track(request: HttpRequest, case: Case, data: dict[str, Any]) -> None:
    actions.change_track(by=person(request), case=case, **data)
    messages.success(request, _("Track and identity are saved."))


def _decide(request: HttpRequest, case: Case, data: dict[str, Any]) -> None:
    answer, reason = data["actualisation"], data["actualisation_reason"]
    actions.decide_actualisation(by=person(request), case=case, answer=answer, reason=reason)
    messages.success(request, _("The answer is saved."))


def _protect(request: HttpRequest, case: Case, data: dict[str, Any]) -> None:
    signed = actions.change_protection(by=person(request), case=case, **data)
    messages.success(request, _("The protection is saved."))
    if signed and data["level"] == FICTITIOUS:
        said = ngettext(
            "%(count)s text that is signed or finished holds what looks like an address, a personal number or a name, and so "
            "leads to the other identity. It is not changed by anybody: tell your unit manager.",
            "%(count)s texts that are signed or finished hold what looks like an address, a personal number or a name, and so "
            "lead to the other identity. They are not changed by anybody: tell your unit manager.",
            signed,
        )
        messages.warning(request, said % {"count": signed})
    elif signed:
        said = ngettext(
            "%(count)s text that is signed or finished holds what looks like an address. It is not changed by anybody: "
            "tell your unit manager.",
            "%(count)s texts that are signed or finished hold what looks like an address. They are not changed by anybody: "
            "tell your unit manager.",
            signed,
        )
        messages.warning(request, said % {"count": signed})


PARTS: dict[str, Callable[[HttpRequest, Case, dict[str, Any]], None]] = {
    "track": _change_track,
    "actualisation": _decide,
    "protection": _protect,
}
