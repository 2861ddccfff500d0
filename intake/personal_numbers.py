"""Personal numbers (folkbokföringslagen 18 §) and coordination numbers (lag 2022:1697): read as they are written, checked, and
shown masked. Pure functions; a number is kept as twelve digits."""

import datetime as dt
import re

from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused
from intake import hints

WRITTEN = re.compile(r"([0-9]{2})?([0-9]{2})([0-9]{2})([0-9]{2})([-+]?)([0-9]{4})")
BLANKS = re.compile(r"[\s\u00a0\u2007\u202f]")
HYPHENS = re.compile(r"[\u2010-\u2015\u2212]")
COORDINATION = 60  # is added to the day
A_CENTURY = 100


def looks_like_one(text: str) -> bool:
    """Whether somebody meant a number: nothing but digits, blanks and signs, and at least six digits."""
    plain = HYPHENS.sub("-", BLANKS.sub("", text))
    return bool(re.fullmatch(r"[0-9+-]+", plain)) and sum(sign.isdigit() for sign in plain) >= 6


def read(text: str) -> str:
    """The twelve digits of a number as somebody wrote it: ten or twelve digits, with - or + or neither. Raises Refused with
    what is wrong with it."""
    found = WRITTEN.fullmatch(HYPHENS.sub("-", BLANKS.sub("", text)))
    if found is None:
        raise Refused(_("Write ten or twelve digits, as 19850412-1234."))
    century, year, month, day, sign, last = found.groups()
    if not _luhn(year + month + day + last):
        raise Refused(_("The last digit does not fit the others: something in the number is wrong."))
    for whole in [century] if century else _centuries(int(year), older=sign == "+"):
        born = _born(f"{whole}{year}", month, day)
        if born is not None and born <= clock.today():
            return f"{whole}{year}{month}{day}{last}"
    raise Refused(_("There is no such date of birth."))


def is_coordination(number: str) -> bool:
    """Whether twelve digits are a coordination number."""
    return int(number[6:8]) >= COORDINATION


def written(number: str) -> str:
    """Twelve digits as people write them: "19850412-1234"."""
    return f"{number[:8]}-{number[8:]}"


def masked(number: str) -> str:
    """A number as a list shows it: the last four digits are hidden."""
    return f"{number[:8]}-••••" if number else ""


def _luhn(digits: str) -> bool:
    """The check digit of the last ten (modulus 10)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _centuries(year: int, *, older: bool) -> list[str]:
    """The centuries that two digits of a year may stand for, the right one first: + is for who turns a hundred that year."""
    now = clock.today().year - (A_CENTURY if older else 0)
    latest = now - (now - year) % A_CENTURY
    return [f"{latest // A_CENTURY:02}", f"{latest // A_CENTURY - 1:02}"]


def _born(year: str, month: str, day: str) -> dt.date | None:
    """The date of birth; of a coordination number whose month or day is not known (00) the first of it."""
    days, months = int(day), int(month)
    if days >= COORDINATION:
        days, months = days - COORDINATION or 1, months or 1
    try:
        return dt.date(int(year), months, days)
    except ValueError:
        return None


def refuse_personal_number(registry_number: str) -> None:
    """A registry number stands in a plain column: it is nobody's personal number. Raises Refused, `at` its field."""
    if hints.PERSONAL_NUMBER.search(registry_number):
        raise Refused(_("This is a personal number. Write the registry number of your register."), at="registry_number")
