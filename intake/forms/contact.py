"""The forms of reaching a person: that one has read how, what came of it, a number, a passphrase."""

import copy
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField
from intake.actions.contact import LONGEST_NUMBER, may_leave_message, with_number
from intake.actions.continuity import plain_phrase
from intake.forms.cases import LONGEST, WORDS
from intake.models import Case, Person

OFF = {"autocomplete": "off"}


class ReadForm(forms.Form):
    """Somebody has read how the person can be reached."""

    read = forms.BooleanField(
        label=_("I have read this"),
        error_messages={"required": _("Read how the person can be reached, and tick that you have.")},
    )


class ResultForm(forms.Form):
    """We called the person: what came of it. `prepared`: it was read before how."""

    outcome = forms.ChoiceField(label=_("Did you reach the person?"), widget=forms.RadioSelect)
    person = forms.ModelChoiceField(
        Person.objects.none(), label=_("Who was called"), required=False, empty_label=_("Choose")
    )
    text = WordsField(
        label=_("What was said, or what you tried"), max_length=LONGEST, required=False, widget=forms.Textarea(WORDS)
    )
    keep_number = forms.BooleanField(
        label=_("We have agreed to call again on this number"),
        required=False,
        help_text=_("Otherwise the number is erased when you have reached the person."),
    )

    def __init__(self, *args: Any, case: Case, prepared: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outcomes = [("reached", _("Reached")), ("no_answer", _("No answer"))]
        if may_leave_message(case):
            outcomes.append(("message", _("Left a message")))
        self.fields["outcome"].choices = outcomes  # type: ignore[attr-defined]
        called = with_number(case)
        if not called:
            del self.fields["keep_number"]
        if len(called) > 1:
            field = self.fields["person"]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = case.people.select_related("case__key").filter(pk__in=[one.pk for one in called])
            field.label_from_instance = _named  # type: ignore[method-assign,assignment]
        else:
            del self.fields["person"]
        if not prepared:
            self.fields = {"read": copy.deepcopy(ReadForm.base_fields["read"]), **self.fields}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "person" in self.fields and data.get("outcome") == "reached" and not data.get("person"):
            self.add_error("person", gettext("Choose who was called: that number is erased, and no other."))
        return data


def _named(person: Any) -> str:
    return " · ".join(filter(None, (person.part_name, person.relation_name, person.name)))


class NumberForm(forms.Form):
    """A number to call back on."""

    phone = WordsField(
        label=_("Number to call back"), max_length=LONGEST_NUMBER, widget=forms.TextInput({**OFF, "type": "tel"})
    )


class PassphraseForm(forms.Form):
    """A passphrase, or none."""

    passphrase = WordsField(
        label=_("New passphrase"),
        max_length=120,
        required=False,
        widget=forms.TextInput(OFF),
        help_text=_("Some words that the caller chooses. Leave it empty to take the passphrase away."),
    )

    def clean_passphrase(self) -> str:
        phrase: str = self.cleaned_data["passphrase"]
        if phrase and not plain_phrase(phrase):
            raise forms.ValidationError(_("The passphrase needs letters or figures."))
        return phrase
