"""The keeper's page of what the board has decided for its line. Rows are added, never changed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from helpline.people import clock
from helpline.people.access import needs
from helpline.people.errors import Refused
from helpline.people.models import Municipality
from helpline.people.words import WordsField
from intake import actions
from intake.actions.board import MONTHS, WITHOUT_IDENTITY, months_of_words
from intake.gate import person
from intake.models import BoardDecision
from intake.views.cases import posted

KINDS = {
    MONTHS: gettext_lazy("How long the words of advice (track A) are kept"),
    WITHOUT_IDENTITY: gettext_lazy("Support without assessment (track B) without identity (SoL 14:5)"),
}


class BoardForm(forms.Form):
    """One decision. A shorter term erases words: that is said with a tick."""

    municipality = forms.ModelChoiceField(
        Municipality.objects.filter(unit__isnull=False).distinct(), label=gettext_lazy("Municipality"), empty_label=None
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What the board has decided about"), choices=list(KINDS.items()), widget=forms.RadioSelect
    )
    months = forms.IntegerField(label=gettext_lazy("Months"), required=False, min_value=1, max_value=120)
    without = forms.ChoiceField(
        label=gettext_lazy("Without identity"),
        required=False,
        choices=[("1", gettext_lazy("Yes")), ("0", gettext_lazy("No"))],
        widget=forms.RadioSelect,
    )
    valid_from = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    registry_number = WordsField(label=gettext_lazy("Registry number"), max_length=40)
    erases = forms.BooleanField(
        label=gettext_lazy("A shorter term erases older words for good, the night after it begins"), required=False
    )

    def clean(self) -> dict[str, Any]:
        """The value that belongs to the kind."""
        data = super().clean() or {}
        kind = data.get("kind")
        name = {MONTHS: "months", WITHOUT_IDENTITY: "without"}.get(str(kind), "")
        if name and data.get(name) in (None, "") and name not in self.errors:
            self.add_error(name, _("Choose from 1 to 120 months.") if kind == MONTHS else _("Choose yes or no."))
        if name and not self.errors:
            data["value"] = int(data[name])
            if kind == MONTHS and data["value"] < months_of_words(data["municipality"].pk) and not data.get("erases"):
                self.add_error("erases", _("Tick that you know it: the words cannot be brought back."))
        return data


@require_http_methods(["GET", "POST"])
@needs("keep_board")
def board(request: HttpRequest) -> HttpResponse:
    """What holds now in each municipality that has a unit, every decision, and a form for a new one."""
    form = BoardForm(posted(request), initial={"valid_from": clock.today(), "kind": MONTHS})
    if form.is_valid() and _decide(request, form):
        return redirect("keeper:board")
    context = {"form": form, "now": _now(), "decisions": _decisions()}
    return render(request, "keeper/board.html", context, status=422 if form.errors else 200)


def _decide(request: HttpRequest, form: BoardForm) -> bool:
    names = ("municipality", "kind", "value", "valid_from", "registry_number")
    try:
        actions.decide(by=person(request), **{name: form.cleaned_data[name] for name in names})
    except Refused as refused:
        form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        return False
    messages.success(request, _("The decision is written."))
    return True


def _now() -> list[dict[str, Any]]:
    """Each municipality that has a unit, with what holds there today."""
    today = clock.today()
    return [
        {
            "municipality": place,
            "months": months_of_words(place.pk),
            "is_decided": BoardDecision.objects.in_force(MONTHS, place.pk, today) is not None,
            "without": bool(BoardDecision.objects.in_force(WITHOUT_IDENTITY, place.pk, today)),
        }
        for place in Municipality.objects.filter(unit__isnull=False).distinct()
    ]


def _decisions() -> list[dict[str, Any]]:
    rows = BoardDecision.objects.select_related("municipality", "entered_by").order_by("-valid_from", "-pk")
    return [{"row": row, "what": KINDS[row.kind], "is_months": row.kind == MONTHS} for row in rows]
