"""The form of what hangs under a signed note."""

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField
from intake.forms.cases import LONGEST, WORDS


class AmendForm(forms.Form):
    """An addition, a correction, or the person's own objection."""

    text = WordsField(label=_("Words"), max_length=LONGEST, widget=forms.Textarea(WORDS))

    def __init__(self, *args: object, label: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as every form takes them
        self.fields["text"].label = label
