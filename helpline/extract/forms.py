"""The forms of an extract: the decision, and what is masked besides."""

import re
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpline.extract.same import Same
from helpline.extract.tables import ASKED_BY, CALL_PARTS, HELD_BACK, IDENTITY_CHECKED, LAWS, OUTCOMES
from helpline.people.templatetags.people import say_time
from helpline.people.words import WordsField

SEVERAL = forms.CheckboxSelectMultiple


class DecisionForm(forms.Form):
    """Who asked, how we know who it is, what is given out and why not all."""

    call_part = forms.ChoiceField(
        label=_("As whom the person stands in the call"),
        choices=lambda: list(CALL_PARTS.items()),
        widget=forms.RadioSelect,
    )
    same = forms.MultipleChoiceField(label=_("The same person"), required=False, widget=SEVERAL)
    asked_by = forms.ChoiceField(label=_("Who asks"), choices=lambda: list(ASKED_BY.items()), widget=forms.RadioSelect)
    identity_checked = forms.ChoiceField(
        label=_("How we know who it is"), choices=lambda: list(IDENTITY_CHECKED.items()), widget=forms.RadioSelect
    )
    registry_number = WordsField(
        label=_("Registry number"), max_length=40, widget=forms.TextInput({"autocomplete": "off"})
    )
    outcome = forms.ChoiceField(label=_("Decision"), choices=lambda: list(OUTCOMES.items()), widget=forms.RadioSelect)
    held_back = forms.MultipleChoiceField(
        label=_("What is held back"), required=False, choices=lambda: list(HELD_BACK.items()), widget=SEVERAL
    )
    law = forms.ChoiceField(
        label=_("On which law it is held back"), required=False, choices=lambda: [("", _("Nothing is")), *LAWS.items()]
    )
    reason = WordsField(
        label=_("Why"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea({"rows": 4, "autocomplete": "off"}),
        help_text=_("Needed where something is held back."),
    )

    def __init__(self, *args: Any, same: list[Same], of_call: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not of_call:
            del self.fields["call_part"]
        self.fields["same"].choices = [(one.value, _label(one)) for one in same]  # type: ignore[attr-defined]
        if not same:
            del self.fields["same"]


def _label(one: Same) -> str:
    """A case or call, in whose hands it is, and why it may be the same."""
    why = gettext("the same personal number") if one.by_number else gettext("the same name")
    if one.case is not None:
        return f"{one.case}: {one.part.lower()} · {one.case.owner} · {why}"
    assert one.call is not None
    return f"{gettext('Call')} {say_time(one.call.received_at)} · {one.call.taken_by} · {why}"


class MaskForm(forms.Form):
    """Words that are masked besides, wherever they stand; and the lines that are."""

    words = WordsField(
        label=_("Mask these words too"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea({"rows": 3, "autocomplete": "off"}),
        help_text=_("One on each line: a name, a place of work, what would tell who said it."),
    )
    lines = forms.MultipleChoiceField(required=False, widget=forms.MultipleHiddenInput)
    read = forms.BooleanField(label=_("I have looked through all of it"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sent = self.data.getlist("lines") if isinstance(self.data, QueryDict) else []
        known = [(key, key) for key in sent if re.fullmatch(r"[0-9a-f]{16}", key)]
        self.fields["lines"].choices = known  # type: ignore[attr-defined]

    @property
    def masked_words(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data.get("words", "").splitlines() if line.strip()]

    @property
    def ticked(self) -> list[str]:
        return list(self.cleaned_data.get("lines", []))
