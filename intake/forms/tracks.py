"""The forms of the page where track, identity, actualisation and protection of a case change."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField
from intake import triage
from intake.models import Case

YES_NO = [("yes", _("Yes")), ("no", _("No"))]


def why_field() -> WordsField:
    """Why it changes: kept in the timeline."""
    return WordsField(label=_("Why"), max_length=2_000, widget=forms.Textarea({"rows": 2, "autocomplete": "off"}))


class TrackForm(forms.Form):
    """Track and identity, and the name where there is one. A name has no field of its own on track A."""

    track = forms.ChoiceField(label=_("Track"), choices=lambda: _tracks(), widget=forms.RadioSelect)
    identity = forms.ChoiceField(
        label=_("Identity"), choices=lambda: triage.choices("identities"), widget=forms.RadioSelect
    )
    told = forms.BooleanField(label=_("Said"), required=False)
    name = WordsField(
        label=_("Name of the caller"), max_length=120, required=False, widget=forms.TextInput({"autocomplete": "off"})
    )
    why = why_field()

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"track": case.track, "identity": case.identity})
        super().__init__(*args, **kwargs)


def _tracks() -> list[tuple[str, str]]:
    return [(code, f"{code}: {name}") for code, name in triage.choices("tracks")]


class ActualisationForm(forms.Form):
    """Whether this is an actualisation, decided anew."""

    actualisation = forms.ChoiceField(label=_("Is this an actualisation?"), choices=YES_NO, widget=forms.RadioSelect)
    actualisation_reason = why_field()


class ProtectionForm(forms.Form):
    """Protected personal data."""

    level = forms.ChoiceField(
        label=_("Protected personal data"), choices=lambda: triage.choices("protections"), widget=forms.RadioSelect
    )
    why = why_field()
