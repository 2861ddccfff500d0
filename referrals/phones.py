"""Telephone numbers of the directory: one that can be called from Sweden, written as people write it."""

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import shortnumberinfo

from helpline.people.errors import Refused

COUNTRY = "SE"


def check_phone(text: str) -> str:
    """The number as it was written, without spaces around it; "" for none. Raises Refused for what cannot be called."""
    text = text.strip()
    if text and not _can_be_called(text):
        raise Refused(
            _("“%(number)s” cannot be called from Sweden. Write it as 0500-49 80 00 or 116 111.") % {"number": text},
            at="phone",
        )
    return text


def _can_be_called(text: str) -> bool:
    """A whole number of any country, or a short one of ours (112, 114 14, 1177)."""
    try:
        number = phonenumbers.parse(text, COUNTRY)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) or shortnumberinfo.is_valid_short_number_for_region(number, COUNTRY)
