"""Hints: what in a free text may point somebody out. A hint is shown to the worker; it stops nothing and changes no word.

Pure functions. Better one name too few than a page that cries at every second word: a word counts as a name when it is one
of the given names that are common here, or when it has a capital letter in the middle of a sentence and is no word that has
one anyway (municipalities, authorities, months, milieus).
"""

import csv
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

LETTER = r"[^\W\d_]"
WORD = re.compile(rf"{LETTER}+(?:[-'’]{LETTER}+)*")
# A personal or coordination number: with or without century, + for who is over 100, the day raised by 60.
PERSONAL_NUMBER = re.compile(
    r"(?<![\d-])(?:(?:19|20)?\d{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])\s?[-+]?\s?\d{4}(?![\d-])"
)
PHONE = re.compile(r"(?<![\w.,:/-])(?:\+|00)?\d(?:[\s()/-]{0,2}\d){6,14}(?![\w:])")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
HANDLE = re.compile(r"(?<![\w.@])@[\w.]{2,30}\b")
SUFFIX = "gatan|vägen|gränden|stigen|allén|gata|väg|gränd|stig|street|road"
CAPITAL_SUFFIX = (
    f"{SUFFIX}|torget|torg|backen|backe|gården|kroken|svängen|slingan|stråket|leden|rundan|plan|hagen|avenue"
)
COUNTED = r"(?!\s(?:gånger|minuter|timmar|dagar|veckor|meter|kilometer|km|mil|personer|killar|times|minutes|people)\b)"
# In small letters only what is surely a street; with a capital letter more, and names of several words.
STREET = re.compile(
    rf"\b(?:(?:[A-ZÅÄÖ]{LETTER}+s?\s){{0,2}}[A-ZÅÄÖ]{LETTER}+(?:{CAPITAL_SUFFIX})"
    rf"|(?:[A-ZÅÄÖ]{LETTER}+\s){{1,3}}(?:{CAPITAL_SUFFIX}|Street|Road|Avenue)"
    rf"|{LETTER}{{2,}}(?:{SUFFIX}))\s\d{{1,4}}(?:[A-Za-z]\b|\s[A-H]\b)?(?!\d|[.:]\d)" + COUNTED
)
POSTAL = re.compile(rf"(?<!\d)(?:SE?[- ])?\d{{3}} ?\d{{2}}\s(?!kr|kronor|personer|gånger|meter|kilo){LETTER}{{2,}}")
POSTAL_CAPITAL = re.compile(rf"\d{{3}} ?\d{{2}}\s[A-ZÅÄÖ]{LETTER}+(?:\s[A-ZÅÄÖ]{LETTER}+)?")
SENTENCE_END = re.compile(r"(?:^|[.!?:…\n\r–—•*])[\s\"”“'’(\[»\-]*$")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}")


def numbers_in(text: str) -> list[str]:
    """Personal and coordination numbers, and phone numbers."""
    found = [one[0].strip() for one in PERSONAL_NUMBER.finditer(text)]
    rest = text
    for one in found:
        rest = rest.replace(one, " ")
    return found + [one for one in (match[0].strip() for match in PHONE.finditer(DATE.sub(" ", rest))) if _dialled(one)]


def _dialled(digits: str) -> bool:
    """Whether it is dialled like a phone number, and is no number of ours that everybody may know."""
    plain = re.sub(r"\D", "", digits)
    return digits.strip().startswith(("+", "00", "0")) and 7 <= len(plain) <= 15 and plain not in PUBLIC


PUBLIC = {"0500497782", "020100200", "0105687000", "0852744290"}


def contacts_in(text: str) -> list[str]:
    """E-mail addresses and user names."""
    mails = EMAIL.findall(text)
    return mails + HANDLE.findall(EMAIL.sub(" ", text))


def addresses_in(text: str) -> list[str]:
    """Streets with a number, and postal codes with a town."""
    streets = [match[0].strip() for match in STREET.finditer(text)]
    return streets + [match[0].strip() for match in POSTAL_CAPITAL.finditer(text) if POSTAL.match(match[0])]


def names_in(text: str) -> list[str]:
    """Words that are likely a person's name."""
    bare = EMAIL.sub(lambda match: " " * len(match[0]), text)
    found: list[tuple[int, str]] = []
    for match in WORD.finditer(bare):
        if _is_name(match[0], _begins_sentence(bare, match.start())):
            if found and bare[found[-1][0] : match.start()] == " ":  # first name and surname are one
                found[-1] = (match.end(), f"{found[-1][1]} {match[0]}")
            else:
                found.append((match.end(), match[0]))
    return list(dict.fromkeys(name for _end, name in found))


def _begins_sentence(text: str, start: int) -> bool:
    return bool(SENTENCE_END.search(text[max(0, start - 40) : start]))


def _is_name(word: str, begins: bool) -> bool:
    """A given name, also in the genitive and in small letters where it is no word; or a capital letter where none belongs."""
    small = word.casefold()
    stem = small[:-1] if small.endswith("s") else small
    if len(small) < 2 or {small, stem} & (nobodys() | places()):
        return False
    capital = word[0].isupper()
    given = {small, stem} & given_names()
    if given:
        only_names = not {small, stem} & words_of("names_that_are_words.txt")
        return only_names or (capital and not begins)
    shouted = word.isupper() and len(word) > 1
    return capital and not begins and not shouted and len(small) > 2


@lru_cache
def words_of(file: str) -> frozenset[str]:
    """The words of a list beside this file, in small letters."""
    lines = (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines()
    return frozenset(word.casefold() for line in lines if not line.startswith("#") for word in line.split())


def given_names() -> frozenset[str]:
    """The common given names."""
    return words_of("given_names.txt")


def nobodys() -> frozenset[str]:
    """The words that have a capital letter though they are nobody."""
    return words_of("capital_words.txt")


@lru_cache
def places() -> frozenset[str]:
    """The municipalities, in small letters, each of its words: a place points nobody out."""
    with (Path(__file__).parent / "municipalities.csv").open(encoding="utf-8") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    return frozenset(word.casefold() for name in names for word in WORD.findall(name))


def found_in(text: str) -> list[str]:
    """All that may point somebody out in a text, as it stands there, each once."""
    if not text:
        return []
    addresses = addresses_in(text)
    rest = without(text, addresses, " ")
    contacts = contacts_in(rest)
    rest = without(rest, contacts, " ")
    numbers = numbers_in(rest)
    return list(dict.fromkeys([*numbers, *contacts, *addresses, *names_in(without(rest, numbers, " "))]))


def without(text: str, parts: Iterable[str], mark: str) -> str:
    """The text with each part replaced by a mark."""
    for part in sorted(set(parts), key=len, reverse=True):
        text = text.replace(part, mark)
    return text


def quoted(found: Iterable[str]) -> Iterator[str]:
    """What was found, shortened as it may stand in a line of the page: enough to find it again, not all of a number."""
    for one in found:
        digits = sum(letter.isdigit() for letter in one)
        yield f"{one[:4]}…" if digits >= 7 else one
