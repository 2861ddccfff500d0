"""The forms of break-glass: what is opened and why; what was found of it afterwards."""

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField
from intake.forms.people import OFF
from intake.labels import EMERGENCIES

FOUND = [("justified", _("It was justified")), ("investigate", _("It is to be investigated"))]


class EmergencyForm(forms.Form):
    """The exact number, and why."""

    number = WordsField(
        label=_("Number"),
        max_length=60,
        widget=forms.TextInput(OFF),
        help_text=_("Two words and two figures, exactly as they were said."),
    )
    reason = forms.ChoiceField(
        label=_("Why do you open it?"), choices=lambda: list(EMERGENCIES.items()), widget=forms.RadioSelect
    )
    words = WordsField(
        label=_("What has happened"),
        max_length=500,
        widget=forms.Textarea({"rows": 3, **OFF}),
        help_text=_("The unit manager who reviews it reads this. It stands in the case."),
    )


class ReviewForm(forms.Form):
    """What was found; a manager also says why."""

    verdict = forms.ChoiceField(label=_("What you found"), choices=FOUND, widget=forms.RadioSelect)
    words = WordsField(
        label=_("Why"),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 2, **OFF}),
        help_text=_("In a sentence."),
    )
