"""An agency's opening hours as moments: on Swedish working days, by its own hours; a public holiday is closed.

All moments are in UTC: an hour more or less, in the nights when the clock is changed, is not made up or lost.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Protocol

from helpline.people import clock
from helpline.people.workdays import is_holiday, local

Shift = tuple[dt.datetime, dt.datetime]
UNSAID = (dt.time(8), dt.time(16, 30))  # the hours of an agency that has not said its own
A_DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
LOOK_AHEAD = 60  # days; beyond, hours that never come do not keep anybody waiting


class HasHours(Protocol):
    """An agency, as far as its hours go."""

    always_open: bool
    hours: Any  # its OpeningHours


def shifts_on(agency: HasHours, day: dt.date) -> list[Shift]:
    """When it is open that day, as moments, in order, none touching another. Always open means around the clock on every
    day."""
    return _shifts_on(agency, list(agency.hours.all()), day)


def _shifts_on(agency: HasHours, rows: list[Any], day: dt.date) -> list[Shift]:
    if agency.always_open:
        return [(_moment(day, dt.time()), _moment(day + A_DAY, dt.time()))]
    ours = sorted((row.opens, row.closes) for row in rows if row.weekday == day.weekday())
    if not rows:
        ours = [UNSAID] if day.weekday() < 5 else []
    return [] if is_holiday(day) else _joined([(_moment(day, opens), _moment(day, closes)) for opens, closes in ours])


def _moment(day: dt.date, at: dt.time) -> dt.datetime:
    return local(day, at).astimezone(dt.UTC)


def _joined(shifts: list[Shift]) -> list[Shift]:
    """Two that overlap, or of which one begins where the other ends, are one. None is empty: an hour that the clock leaps
    over is no time."""
    joined: list[Shift] = []
    for start, end in shifts:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif start < end:
            joined.append((start, end))
    return joined


def is_open(agency: HasHours, moment: dt.datetime) -> bool:
    """Whether somebody answers there at that moment."""
    return any(start <= moment < end for start, end in shifts_on(agency, clock.local_date(moment)))


def next_open(agency: HasHours, moment: dt.datetime) -> dt.datetime:
    """That moment where it is open then, else when it opens next; the moment itself where that never comes."""
    return passed(agency, moment, dt.timedelta())


def passed(agency: HasHours, moment: dt.datetime, time: dt.timedelta) -> dt.datetime:
    """When this much of its open time has passed since a moment: always while it is open. Where it never is, so much later
    by the clock."""
    moment, left = moment.astimezone(dt.UTC), time
    for start, end in _shifts(agency, moment):
        begin = max(start, moment)
        if left < end - begin:
            return begin + left
        left -= max(end - begin, dt.timedelta())
    return moment + time


def within(agency: HasHours, due: dt.datetime, *, after: dt.datetime) -> dt.datetime:
    """A due time moved into its hours: the same moment, or when it closes earlier that day, or an hour after it opens
    next. Always later than `after`, where `due` is."""
    today = shifts_on(agency, clock.local_date(due))
    if any(start < due <= end for start, end in today):
        return due
    closed = [end for _start, end in today if after < end <= due]
    if closed:
        return closed[-1]
    return next((min(start + HOUR, end) for start, end in _shifts(agency, due) if start >= due), due)


def share(agency: HasHours, start: dt.datetime, end: dt.datetime, part: float) -> dt.datetime | None:
    """The moment at which this part of its open time between the two has passed; None where it is closed throughout."""
    start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    whole = sum((min(close, end) - max(opens, start) for opens, close in _between(agency, start, end)), dt.timedelta())
    return passed(agency, start, whole * part) if whole else None


def _between(agency: HasHours, start: dt.datetime, end: dt.datetime) -> Iterator[Shift]:
    return ((one, other) for one, other in _shifts(agency, start) if one < end and other > start)


def _shifts(agency: HasHours, moment: dt.datetime) -> Iterator[Shift]:
    """Its open times from the day of that moment on. Its hours are read once."""
    day, rows = clock.local_date(moment), list(agency.hours.all())
    for ahead in range(LOOK_AHEAD):
        yield from _shifts_on(agency, rows, day + ahead * A_DAY)
