"""An agency's opening hours as moments: on Swedish working days, by its own hours; a public holiday is closed."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Protocol

from helpline.people import clock
from helpline.people.workdays import is_holiday, local

Shift = tuple[dt.datetime, dt.datetime]
OFFICE = (dt.time(8), dt.time(16, 30))  # of an agency that has not said its hours
A_DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
LOOK_AHEAD = 60  # days; beyond, hours that never come do not keep anybody waiting


class HasHours(Protocol):
    """An agency, as far as its hours go."""

    always_open: bool
    hours: Any  # its OpeningHours


def shifts_on(agency: HasHours, day: dt.date) -> list[Shift]:
    """When it is open that day, as moments, in order. Always open means around the clock on every day."""
    if agency.always_open:
        return [(local(day, dt.time()), local(day + A_DAY, dt.time()))]
    rows = list(agency.hours.all())
    ours = sorted((row.opens, row.closes) for row in rows if row.weekday == day.weekday())
    if not rows:
        ours = [OFFICE] if day.weekday() < 5 else []
    return [] if is_holiday(day) else [(local(day, opens), local(day, closes)) for opens, closes in ours]


def is_open(agency: HasHours, moment: dt.datetime) -> bool:
    """Whether somebody answers there at that moment."""
    return any(start <= moment < end for start, end in shifts_on(agency, clock.local_date(moment)))


def next_open(agency: HasHours, moment: dt.datetime) -> dt.datetime:
    """That moment where it is open then, else when it opens next; the moment itself where that never comes."""
    return next((max(start, moment) for start, end in _shifts(agency, moment) if end > moment), moment)


def within(agency: HasHours, due: dt.datetime, *, after: dt.datetime) -> dt.datetime:
    """A due time moved into its hours: the same moment, or when it closes earlier that day, or an hour after it opens
    next. Always later than `after`."""
    for start, end in shifts_on(agency, clock.local_date(due)):
        if start <= due <= end:
            return due
    closed = [end for _start, end in shifts_on(agency, clock.local_date(due)) if after < end <= due]
    if closed:
        return closed[-1]
    return next((min(start + HOUR, end) for start, end in _shifts(agency, due) if start > due), due)


def share(agency: HasHours, start: dt.datetime, end: dt.datetime, part: float) -> dt.datetime | None:
    """The moment at which this part of its open time between the two has passed; None where it is closed throughout."""
    open_times = [(max(one, start), min(other, end)) for one, other in _shifts(agency, start) if one < end]
    open_times = [(one, other) for one, other in open_times if one < other]
    left = sum((other - one for one, other in open_times), dt.timedelta()) * part
    for one, other in open_times:
        if left <= other - one:
            return one + left
        left -= other - one
    return None


def _shifts(agency: HasHours, moment: dt.datetime) -> Iterator[Shift]:
    """Its open times from the day of that moment on."""
    day = clock.local_date(moment)
    for ahead in range(LOOK_AHEAD):
        yield from shifts_on(agency, day + ahead * A_DAY)
