"""A question without a name: what is asked and whom; and the answer."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from intake import triage
from intake.models import Case
from referrals.actions.pre_questions import AT_MOST, police_areas
from referrals.labels import PRE_ANSWERS
from referrals.models import PartnerAgency
from referrals.partners import DEIDENTIFIED, HANDOVER, partner_types


class AskFirstForm(forms.Form):
    """What is asked, from lists alone; and which agencies."""

    need = forms.ChoiceField(label=_("Can you help with"), choices=lambda: triage.choices("needs"))
    age_band = forms.ChoiceField(label=_("Age of the person"), choices=lambda: triage.choices("age_bands"))
    police_area = forms.ChoiceField(
        label=_("Area"), required=False, choices=lambda: [("", _("Not said")), *((one, one) for one in police_areas())]
    )
    agencies = forms.ModelMultipleChoiceField(
        PartnerAgency.objects.none(),
        label=_("Whom to ask"),
        error_messages={"required": _("Choose at least one agency.")},
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = [code for code, kind in partner_types().items() if kind.channel in {HANDOVER, DEIDENTIFIED}]
        field: Any = self.fields["agencies"]
        field.queryset = PartnerAgency.objects.active().filter(type__in=asked)

    @classmethod
    def known_of(cls, case: Case) -> dict[str, str]:
        """What the case knows of what is asked."""
        return {
            "need": next(iter(case.needs), ""),
            "age_band": case.age_band,
            "police_area": case.municipality.police_area if case.municipality else "",
        }

    def clean_agencies(self) -> Any:
        chosen = self.cleaned_data["agencies"]
        if len(chosen) > AT_MOST:
            raise forms.ValidationError(_("Choose at most %(count)s agencies.") % {"count": AT_MOST})
        return chosen

    @property
    def chosen_need(self) -> str:
        """The need that stands in the form now; "" where it is none of the list."""
        need = str(self["need"].value() or "")
        return need if need in triage.codes("needs") else ""

    @property
    def ticked(self) -> set[str]:
        """The agencies that stand ticked now, as the form has them."""
        return {str(value) for value in self["agencies"].value() or []}


class AnswerFirstForm(forms.Form):
    """Yes, perhaps or no, and from when."""

    said = forms.ChoiceField(
        label=_("Can you?"),
        choices=list(PRE_ANSWERS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an answer.")},
    )
    can_from = forms.DateField(
        label=_("From when, if you can"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_("Leave it empty if you can at once."),
    )
