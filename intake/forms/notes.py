"""The form of what hangs under a signed note."""

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField
from intake.forms.cases import LONGEST, WORDS
from intake.labels import AMENDMENTS, SAID_BY
from intake.told import Told


class AmendForm(forms.Form):
    """An addition, a correction, or the person's own objection."""

    text = WordsField(label=_("Words"), max_length=LONGEST, widget=forms.Textarea(WORDS))

    def __init__(self, *args: object, label: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as every form takes them
        self.fields["text"].label = label


class BesideForm(forms.Form):
    """An addition, a correction or an objection beside what stands in a call."""

    about = forms.ChoiceField(label=_("What it is about"))
    amendment = forms.ChoiceField(
        label=_("What you write"), choices=lambda: list(AMENDMENTS.items()), widget=forms.RadioSelect
    )
    text = WordsField(
        label=_("Words"),
        max_length=LONGEST,
        widget=forms.Textarea(WORDS),
        help_text=_("An objection is written in the person’s own words."),
    )
    said_by = forms.ChoiceField(
        label=_("Whose objection it is"),
        choices=lambda: list(SAID_BY.items()),
        initial="caller",
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Each reads their own objection in an extract, and never that of the other."),
    )

    def __init__(self, *args: object, standing: list[Told], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as every form takes them
        chosen = [(one.key, one.label) for one in standing]
        self.fields["about"].choices = [("", _("Choose")), *chosen]  # type: ignore[attr-defined]
