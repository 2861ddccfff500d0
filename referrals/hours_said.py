"""When an agency answers, as it is said aloud."""

from itertools import groupby

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import get_language, gettext

from referrals import hours
from referrals.models import PartnerAgency


def hours_said(agency: PartnerAgency) -> list[tuple[str, str]]:
    """Days and times, in order: (mon–fri, 8:00–16:30). Days on which it is closed are left out; an agency that has said
    nothing keeps office hours."""
    if agency.always_open:
        return [(gettext("Every day"), gettext("around the clock"))]
    rows = list(agency.hours.all())
    times = {day: [(row.opens, row.closes) for row in rows if row.weekday == day] for day in range(7)}
    if not rows:
        times = {day: [hours.UNSAID] if day < 5 else [] for day in range(7)}
    found = []
    for shifts, days in groupby(range(7), key=lambda day: times[day]):
        if shifts:
            found.append((_days(list(days)), ", ".join(f"{_time(opens)}–{_time(closes)}" for opens, closes in shifts)))
    return found


def _days(days: list[int]) -> str:
    first, last = str(WEEKDAYS_ABBR[days[0]]).lower(), str(WEEKDAYS_ABBR[days[-1]]).lower()
    return first if first == last else f"{first}–{last}"


def _time(moment: object) -> str:
    return f"{moment:%H.%M}" if get_language() == "sv" else f"{moment:%H:%M}"
