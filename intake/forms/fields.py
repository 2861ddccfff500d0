"""Fields that several forms share."""

from typing import Any

from django import forms

from helpline.people import words
from helpline.people.errors import Refused
from intake import personal_numbers


class WordsField(words.WordsField):
    """Words that may be missing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)


def number_of(text: str) -> str:
    """A personal or coordination number as it is kept; empty stays empty. Raises ValidationError."""
    try:
        return personal_numbers.read(text) if text.strip() else ""
    except Refused as wrong:
        raise forms.ValidationError(str(wrong)) from None
