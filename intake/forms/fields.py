"""A field that several forms share."""

from typing import Any

from helpline.people import words


class WordsField(words.WordsField):
    """Words that may be missing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
