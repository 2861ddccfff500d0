"""The forms of the people in a case, and of cases that belong together."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField
from intake import triage
from intake.forms.fields import number_of
from intake.labels import PARTS
from intake.models import Case
from intake.protection import FICTITIOUS

OFF = {"autocomplete": "off"}


class PersonForm(forms.Form):
    """Somebody in a case. Where the track holds no identity there is no field for a name, nor for a personal number; nor for
    the latter where a case is about a fictitious identity."""

    part = forms.ChoiceField(label=_("Who it is"), choices=lambda: list(PARTS.items()), widget=forms.RadioSelect)
    relation = forms.ChoiceField(
        label=_("To the person of concern"),
        required=False,
        choices=lambda: [("", _("Not known")), *triage.choices("relations")],
    )
    age_band = forms.ChoiceField(label=_("Age"), choices=lambda: triage.choices("age_bands"), initial="unknown")
    name = WordsField(label=_("Name"), required=False, max_length=120, widget=forms.TextInput(OFF))

    personal_number = WordsField(
        label=_("Personal or coordination number"),
        required=False,
        max_length=30,
        widget=forms.TextInput({**OFF, "inputmode": "numeric"}),
        help_text=_("Only where it is needed to know who it is. Ten or twelve digits."),
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        takes_identity = case.takes_identity
        if not takes_identity and not self.data.get("name"):
            del self.fields["name"]
        no_number = not takes_identity or case.protection == FICTITIOUS
        if no_number and not self.data.get("personal_number"):
            del self.fields["personal_number"]

    def clean_personal_number(self) -> str:
        """As it is kept: twelve digits."""
        return number_of(self.cleaned_data["personal_number"])


class LinkForm(forms.Form):
    """Two cases by their numbers, and why they belong together."""

    one = WordsField(label=_("One number"), max_length=60, widget=forms.TextInput(OFF))
    other = WordsField(label=_("The other number"), max_length=60, widget=forms.TextInput(OFF))
    reason = WordsField(
        label=_("Why they belong together"),
        max_length=2_000,
        widget=forms.Textarea({"rows": 3, **OFF}),
        help_text=_("Managers of the unit read this, nobody else. Write nothing of what is told in either."),
    )
