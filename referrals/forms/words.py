"""A field for words."""

from typing import Any

from django import forms

from helpline.people.words import WordsField

LONGEST = 5000


def words_field(label: Any, rows: int = 3, *, required: bool = False, help_text: Any = "") -> WordsField:
    """A field for words, of a height that fits them."""
    area = forms.Textarea(attrs={"rows": rows, "autocomplete": "off"})
    return WordsField(label=label, required=required, max_length=LONGEST, widget=area, help_text=help_text)
