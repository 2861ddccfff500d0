"""The code of a first look."""

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField


class CodeForm(forms.Form):
    """Eight digits, as they were said."""

    code = WordsField(
        label=_("The code that you were told"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false", "class": "code-field"}
        ),
        help_text=_("Eight digits. You were told them by phone; they stand in no mail."),
    )
