"""Hours as people say them ("22.00-23.30", "efter 21"): whether it is one of them now."""

import datetime as dt
import re

from django.utils import timezone

TIME = r"([01]?\d|2[0-4])(?:[.:]([0-5]\d))?"
FROM_TO = re.compile(rf"(?<![\d.:-]){TIME}\s*(?:-|–|—|till|to|och|and)\s*{TIME}(?![\d.:]*\d)", re.IGNORECASE)
AFTER = re.compile(rf"\b(?:efter|after|från|from)\s+(?:kl\.?\s*)?{TIME}(?![\d.:]*\d)", re.IGNORECASE)
BEFORE = re.compile(rf"\b(?:före|innan|before|until)\s+(?:kl\.?\s*)?{TIME}(?![\d.:]*\d)", re.IGNORECASE)
MIDNIGHT = 24 * 60

Span = tuple[int, int]  # minutes of the day; the end before the beginning: over midnight


def spans(words: str) -> list[Span]:
    """The times of day that can be read in the words; none where there are none."""
    found = [(_minutes(*match[:2]), _minutes(*match[2:])) for match in FROM_TO.findall(words)]
    if not found:
        found = [(_minutes(*match), MIDNIGHT) for match in AFTER.findall(words)]
        found += [(0, _minutes(*match)) for match in BEFORE.findall(words)]
    return found


def is_outside(words: str, moment: dt.datetime) -> bool:
    """Whether the words name times of day, and the moment (aware; Swedish time counts) is in none of them."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    now = local.hour * 60 + local.minute
    read = spans(words)
    return bool(read) and not any(_holds(span, now) for span in read)


def _holds(span: Span, now: int) -> bool:
    start, end = span
    return start <= now <= end if start <= end else now >= start or now <= end


def _minutes(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes or 0)
