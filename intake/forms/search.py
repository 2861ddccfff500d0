"""The one field of the search."""

from django import forms
from django.utils.translation import gettext_lazy as _

from helpline.people.words import WordsField


class SearchForm(forms.Form):
    """A name, a personal or coordination number, or the number of a case."""

    term = WordsField(
        label=_("Name, personal number or case number"),
        max_length=120,
        help_text=_(
            "The whole name as it is written there, a personal or coordination number, or a case number. Of a case number "
            "the first four letters are enough. Nothing else is searched, and each search is logged without what you wrote."
        ),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
