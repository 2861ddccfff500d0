"""Text that people write, checked: what nobody types on purpose, and what deceives the eye, is refused at its field."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# Control characters (C0, delete, C1) but tab and line feed: no keyboard writes them, and a database or a screen may choke.
CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
# Half a character alone, and the mark that stands for bytes that were no text.
BROKEN = "\ud800-\udfff\ufffd"
# Marks that turn the direction of text without being seen: they can show other words than are stored. Letters of Arabic
# and Hebrew turn it by themselves.
TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
HOSTILE = re.compile(f"[{CONTROLS}{BROKEN}{TURNING}]")
BEFORE = 20  # characters that are shown before the place


def fault(text: str) -> str:
    """What is wrong with the first character that cannot be kept, in a sentence that says where; "" where none is."""
    found = HOSTILE.search(text)
    if found is None:
        return ""
    if re.match(f"[{BROKEN}]", found[0]):
        what = _("A character could not be read")
    elif re.match(f"[{TURNING}]", found[0]):
        what = _("There is an invisible mark that turns the direction of the text")
    else:
        what = _("There is a control character that cannot be kept")
    before = " ".join(text[: found.start()].split())[-BEFORE:]
    where = _("after “%(words)s”") % {"words": before} if before else _("at the beginning")
    return _("%(what)s, %(where)s. Write that place again.") % {"what": what, "where": where}


def check(text: str) -> None:
    """Raises ValidationError for text that holds what cannot be kept."""
    said = fault(text)
    if said:
        raise forms.ValidationError(said, code="hostile")


def check_length(text: str, limit: int) -> None:
    """Raises ValidationError that says by how much the text is too long."""
    over = len(text) - limit
    if over > 0:
        said = ngettext(
            "The text is one character too long: at most %(limit)s fit. Shorten it or divide it.",
            "The text is %(over)s characters too long: at most %(limit)s fit. Shorten it or divide it.",
            over,
        )
        raise forms.ValidationError(said % {"over": over, "limit": limit}, code="max_length")


class Checked:
    """For fields of text: line ends of one kind, nothing hostile, and a length that is said, never silently cut."""

    max_length: int | None

    def __init__(self, **kwargs: Any) -> None:
        limit = kwargs.pop("max_length", None)
        super().__init__(**kwargs)
        self.max_length = limit  # not given to the browser, which would cut off what is pasted without a word

    def clean(self, value: Any) -> Any:
        """The text as it is kept. Raises ValidationError."""
        if isinstance(value, str):
            value = value.replace("\r\n", "\n").replace("\r", "\n")
            check(value)
            if self.max_length is not None:
                check_length(value.strip(), self.max_length)
        return super().clean(value)  # type: ignore[misc]  # of the field that it is mixed with


class WordsField(Checked, forms.CharField):
    """A field for words. Every text field of the house is one."""


class EmailField(Checked, forms.EmailField):
    """A field for an e-mail address."""
