"""Passwords that anybody would guess here: the words of this house, with little besides, and what only repeats itself."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from helpline.people.models import Municipality, Unit

OWN = tuple((Path(__file__).parent / "own_words.txt").read_text(encoding="utf-8").split())
ROWS = ("qwertyuiopåasdfghjklöäzxcvbnm", "qwertyuiopasdfghjklzxcvbnm", "abcdefghijklmnopqrstuvwxyzåäö", "01234567890")
LEFT = 8  # letters and figures that must be left when our own words are taken out
DIFFERENT = 5  # characters
A_ROW = 4  # keys beside each other: fewer also stand so in a word


class OwnWordsValidator:
    """Refuses what is made of the line's, the units' and the municipalities' names, or of one thing over and over."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        said = password.lower()
        if _repeats(said) or _is_row(said):
            raise ValidationError(_("The password repeats itself or is a row of keys."), code="repeats")
        rest = said
        for word in _words():
            rest = rest.replace(word, "")
        if rest != said and len(re.sub(r"[\W_\d]", "", rest)) < LEFT:
            raise ValidationError(_("The password is made of words that anybody would guess here."), code="own_words")

    def get_help_text(self) -> str:
        """For a page that lists what is asked."""
        return _("Not the name of the line, of a unit or of a municipality.")


def _repeats(said: str) -> bool:
    """Few characters over and over. What is only short repeats nothing: another rule says that it is short."""
    few = len(set(said)) < DIFFERENT and len(said) >= 2 * DIFFERENT
    return few or bool(re.fullmatch(r"(.{2,}?)\1+.{0,2}", said, re.DOTALL))


def _is_row(said: str) -> bool:
    return len(said) >= A_ROW and any(said in row or said in row[::-1] for row in ROWS)


def _words() -> list[str]:
    names = [settings.LINE_NAME, settings.LINE_BOARD, *Unit.objects.values_list("name", flat=True)]
    names += Municipality.objects.values_list("name", flat=True)
    found = {part for name in names for part in re.findall(r"\w{3,}", str(name).lower())}
    return sorted(found | set(OWN), key=len, reverse=True)
