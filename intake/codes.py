"""Case references that survive a bad line: two plain words and two digits, "Tegel-Måne 58"."""

import re
import secrets
import unicodedata
from functools import lru_cache
from pathlib import Path

# Nobody who calls this line is to be given one of these.
BARRED = {
    11: "11 September; in 311 the Ku Klux Klan, three times the eleventh letter",
    12: "Aryan Brotherhood: the letters AB",
    13: "Aryan Circle: the letters AC; in 1312 hatred of the police",
    14: "the fourteen words, the creed of white supremacists",
    18: "Adolf Hitler: the letters AH; Combat 18",
    22: "22 July, the attacks in Norway",
    23: "W for white, the twenty-third letter",
    28: "Blood & Honour: the letters BH",
    38: "crossed hammers: the letters CH, the Hammerskins",
    43: "Supreme White Alliance: its letters added up",
    69: "a sexual meaning: not for somebody in distress",
    83: "Heil Christ: the letters HC",
    87: "a veiled 88, as in 14/87",
    88: "Heil Hitler: the letters HH",
}
NUMBERS = tuple(number for number in range(10, 100) if number not in BARRED)

MARKS = re.compile(r"[\u0300-\u036f]")
SEPARATORS = re.compile(r"[\s\-\u2010-\u2015._,/]")
LONGEST = 60
LEAST = 4  # letters of a beginning that is searched for


@lru_cache
def words() -> tuple[str, ...]:
    """The words that references are made of; tests/intake/test_codes.py says what a word must be like."""
    return tuple((Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split())


COMBINATIONS: int = len(words()) * (len(words()) - 1) * len(NUMBERS)


def new_code() -> str:
    """A random reference in its stored form: "tegel-måne-58"."""
    first, second = secrets.SystemRandom().sample(words(), 2)
    return f"{first}-{second}-{secrets.choice(NUMBERS)}"


def normalise(text: str) -> str:
    """The stored form of a reference as somebody typed it, or "" where it cannot be one.

    Capitals, spaces and hyphens do not matter, nor do the dots of å, ä and ö, nor whether a letter is doubled:
    no two words differ in these alone, and no two pairs of words run together alike.
    """
    typed = re.fullmatch(r"([a-z]+)([1-9][0-9])", SEPARATORS.sub("", _fold(text))) if len(text) <= LONGEST else None
    if not typed or int(typed[2]) in BARRED:
        return ""
    known, letters = _words_by_key(), typed[1]
    halves = ((known.get(_key(letters[:i])), known.get(_key(letters[i:]))) for i in range(1, len(letters)))
    pairs = {(first, second) for first, second in halves if first and second and first != second}
    return f"{'-'.join(pairs.pop())}-{typed[2]}" if len(pairs) == 1 else ""


def begins(text: str) -> list[str]:
    """How a stored reference can begin whose spoken form begins with this, as somebody typed it; nothing for fewer than four
    letters, or where no reference begins so. "tegel m" gives "tegel-måne-", "tegel-mur-" ..."""
    typed = re.fullmatch(r"([a-z]+)([1-9]?)", SEPARATORS.sub("", _fold(text))) if len(text) <= LONGEST else None
    if not typed or len(typed[1]) < LEAST:
        return []
    letters, digit, known = typed[1], typed[2], _words_by_key()
    found = [] if digit else [f"{word}-" for word in _words_beginning(letters)]
    for place in range(1, len(letters)):
        first = known.get(_key(letters[:place]))
        seconds = _words_beginning(letters[place:], whole=bool(digit)) if first else []
        found += [f"{first}-{second}-{digit}" for second in seconds if second != first]
    return sorted(set(found))


def _words_beginning(letters: str, *, whole: bool = False) -> list[str]:
    """The words that begin with these letters, or are these."""
    key = _key(letters)
    return [word for one, word in _words_by_key().items() if (one == key if whole else one.startswith(key))]


def spoken(code: str) -> str:
    """A stored reference as people say and write it: "Tegel-Måne 58"."""
    first, second, number = code.split("-")
    return f"{first.capitalize()}-{second.capitalize()} {number}"


def slug(code: str) -> str:
    """A stored reference in plain letters, for an address: "tegel-mane-58"."""
    return _fold(code)


def _fold(text: str) -> str:
    """In lower case, å, ä and ö as a and o."""
    return MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))


def _key(word: str) -> str:
    """What words are told apart by: plain letters, none of them doubled."""
    return re.sub(r"(.)\1+", r"\1", _fold(word))


@lru_cache
def _words_by_key() -> dict[str, str]:
    return {_key(word): word for word in words()}
