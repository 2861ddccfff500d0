"""What is said at a field about the words in it: what may point somebody out, and that an address was taken out."""

from collections.abc import Sequence
from typing import Any

from django import template

from intake.hints import found_in, quoted
from intake.protection import had_address as was_taken_out

register = template.Library()
LONGEST = 20_000  # characters; a longer text is refused, and waits for nobody to look through it


@register.filter
def pointing_out(text: Any) -> Sequence[str]:
    """What in a text may point somebody out, as it may be quoted."""
    return list(quoted(found_in(str(text or "")[:LONGEST])))


@register.filter
def had_address(text: Any) -> bool:
    """Whether an address was taken out of a text."""
    return was_taken_out(str(text or ""))
