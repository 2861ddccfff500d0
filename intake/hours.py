"""Hours as people say them ("22.00-23.30", "efter 21"): whether it is one of them now. What is not understood word for
word is not judged: whoever calls reads it."""

import datetime as dt
import re

from django.utils import timezone

TIME = r"([01]?\d|2[0-4])(?:[.:]([0-5]\d))?(?![.:]?\d)"
KL = r"(?:klockan\s+|kl\.?\s*)?"
FROM_TO = re.compile(
    rf"(?<![\w.:-])(?:(?:(?:mellan|between)\s+)?{KL}{TIME}\s*(?:-|–|—)\s*|(?:från\s+|from\s+)?{KL}{TIME}\s*(?:till|to)\s+|"
    rf"(?:mellan|between)\s+{KL}{TIME}\s+(?:och|and)\s+){KL}{TIME}(?!\w)",
    re.IGNORECASE,
)
AFTER = re.compile(rf"\b(?:efter|after|från|from)\s+{KL}{TIME}(?!\w)", re.IGNORECASE)
BEFORE = re.compile(rf"\b(?:före|innan|before|until)\s+{KL}{TIME}(?!\w)", re.IGNORECASE)
BETWEEN = re.compile(r"[\s,;.]|\b(?:och|and|eller|or|samt)\b", re.IGNORECASE)  # what may stand beside them
MIDNIGHT, NOON = 24 * 60, 12 * 60

Span = tuple[int, int]  # minutes of the day; the end before the beginning: over midnight


def spans(words: str) -> list[Span]:
    """The times of day that the words name; none where there are none, or where one word beside them is not understood:
    it may be "not", or a day of the week."""
    rest, found = _take(FROM_TO, words)
    rest, after = _take(AFTER, rest)
    rest, before = _take(BEFORE, rest)
    if BETWEEN.sub("", rest) or (found and (after or before)) or len(after) > 1 or len(before) > 1:
        return []
    if any(end < start < NOON for start, end in found):  # "9-5": of the day or of the night?
        return []
    if after or before:
        return [(after[0][0] if after else 0, before[0][0] if before else MIDNIGHT)]
    return [(times[0], times[1]) for times in found]


def is_outside(words: str, moment: dt.datetime) -> bool:
    """Whether the words name times of day, and the moment (aware; Swedish time counts) is in none of them."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    now = local.hour * 60 + local.minute
    read = spans(words)
    return bool(read) and not any(_holds(span, now) for span in read)


def must_be_read(words: str) -> bool:
    """Whether there are words about hours that only a person can judge."""
    return bool(words.strip()) and not spans(words)


def _take(pattern: re.Pattern[str], words: str) -> tuple[str, list[list[int]]]:
    """The words without what was found, and the times of each place found, in minutes of the day."""
    found = [_times(match) for match in pattern.finditer(words)]
    return pattern.sub(" ", words), found


def _times(match: re.Match[str]) -> list[int]:
    pairs = zip(match.groups()[::2], match.groups()[1::2], strict=True)
    return [int(hours) * 60 + int(minutes or 0) for hours, minutes in pairs if hours]


def _holds(span: Span, now: int) -> bool:
    start, end = span
    return start <= now <= end if start <= end else now >= start or now <= end
