"""What is masked in the words of an extract: every name, phone number and personal number of somebody else that is known, any
other personal number, and what the manager names. Pure functions."""

import re
import unicodedata
from collections.abc import Iterable

from django.utils.translation import gettext as _

from intake import hints

LEAST = 2  # letters of a part of a name
A_PHONE = 6  # digits
GAP = r"[\s()/.\u00a0-]{0,3}"


def other() -> str:
    """What stands for what is about somebody else."""
    return _("[about somebody else]")


def reporter() -> str:
    """What stands for who reported, and for what would tell who it was (OSL 26:5)."""
    return _("[who reported]")


class Masks:
    """Patterns, each with what stands for what it finds; the longest first."""

    def __init__(self, own_names: Iterable[str] = (), own_numbers: Iterable[str] = ()) -> None:
        self.own = {part for name in own_names for part in _parts(name)}
        self.own_numbers = set(own_numbers)
        self._found: dict[str, str] = {}

    def add_person(self, mark: str, *, name: str = "", phone: str = "", number: str = "") -> None:
        """Somebody else: the whole name and each part of it that is not a part of the person's own."""
        parts = _parts(name)
        if len(parts) > 1:
            self._add(r"[\s\u00a0]+".join(map(re.escape, parts)), mark)
        for part in parts:
            if part not in self.own and len(part) >= LEAST:
                self._add(re.escape(part), mark)
        digits = re.sub(r"\D", "", re.sub(r"^(\+|00)46", "0", phone.strip()))
        if len(digits) >= A_PHONE:
            self._add(rf"(?:(?:\+|00)46{GAP}(?:\(0\))?|0)" + GAP + GAP.join(digits.lstrip("0")), mark, bare=True)
        if number and number not in self.own_numbers:
            self._add(rf"(?:{number[:2]})?{number[2:8]}\s?[-+\u2010-\u2015]?\s?{number[8:]}", mark, bare=True)

    def add_words(self, words: Iterable[str]) -> None:
        """What the manager wants masked, wherever it stands."""
        for one in words:
            text = " ".join(_folded(one).split())
            if text:
                self._add(r"[\s\u00a0]+".join(map(re.escape, text.split(" "))), other(), bare=not text[0].isalnum())

    def _add(self, pattern: str, mark: str, *, bare: bool = False) -> None:
        whole = rf"(?<!\d){pattern}(?!\d)" if bare else rf"(?<!\w){pattern}(?:s|’s|'s)?(?!\w)"
        self._found.setdefault(whole, mark)

    def on(self, text: str) -> str:
        """The text with all of it masked."""
        text = unicodedata.normalize("NFC", text)
        for pattern in sorted(self._found, key=len, reverse=True):
            text = re.sub(pattern, self._found[pattern].replace("\\", r"\\"), text, flags=re.IGNORECASE)
        return hints.PERSONAL_NUMBER.sub(self._unless_own, text)

    def is_own(self, hint: str) -> bool:
        """Whether it points out the person alone, whose extract it is: their own name or a part of it, their own number."""
        digits = re.sub(r"\D", "", hint)
        if digits and hints.PERSONAL_NUMBER.fullmatch(hint):
            return any(number.endswith(digits) for number in self.own_numbers)
        parts = _parts(hint)
        return bool(parts) and all({part, part.removesuffix("s")} & self.own for part in parts)

    def _unless_own(self, found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found[0])
        return found[0] if any(number.endswith(digits) for number in self.own_numbers) else other()


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _parts(name: str) -> list[str]:
    """The parts of a name, in lower case; those of a double name also alone."""
    found = [part.strip(".,;") for part in _folded(name).casefold().split()]
    return [part for part in found if part]
