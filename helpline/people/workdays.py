"""Working days in Sweden: Monday to Friday, no public holiday, no Midsummer Eve, Christmas Eve or New Year's Eve.

Public holidays: lag (1989:253) om allmänna helgdagar. Last day of a statutory time: lag (1930:173) 2 §.
"""

import datetime as dt
from functools import lru_cache

import holidays
from django.utils import timezone

MORNING = dt.time(9)
AT_WORK = (dt.time(8), dt.time(16, 30))  # when one of us is at work: a mail reaches them, and they take something on


@lru_cache
def _days_off() -> holidays.HolidayBase:
    # Without de_facto the three eves count as working days.
    return holidays.country_holidays("SE", categories=("public", "de_facto"), include_sundays=False)


def is_holiday(day: dt.date) -> bool:
    """Whether it is a public holiday or one of the three eves; an ordinary Saturday or Sunday is neither."""
    return day in _days_off()


def is_working_day(day: dt.date) -> bool:
    """Whether offices work that day."""
    return day.weekday() < 5 and not is_holiday(day)


def add_working_days(day: dt.date, count: int) -> dt.date:
    """The working day that comes `count` working days after `day`; count 0 is the day itself or the next that is one."""
    while count > 0 or not is_working_day(day):
        day += dt.timedelta(days=1)
        count -= is_working_day(day) and count > 0
    return day


def statutory_last_day(day: dt.date) -> dt.date:
    """The last day by law: a Saturday, Sunday, holiday or one of the three eves moves to the next working day."""
    return add_working_days(day, 0)


def local(day: dt.date, at: dt.time) -> dt.datetime:
    """A wall-clock time in Sweden as a moment; the hour that comes twice is the first of the two."""
    return timezone.make_aware(dt.datetime.combine(day, at), timezone.get_default_timezone())


def next_working_morning(moment: dt.datetime, days: int = 1) -> dt.datetime:
    """09.00 of the working day that comes `days` working days after the day of `moment`."""
    today = timezone.localtime(moment, timezone.get_default_timezone()).date()
    return local(add_working_days(today, days), MORNING)


def is_at_work(moment: dt.datetime) -> bool:
    """Whether one of us is at work at that moment."""
    at = timezone.localtime(moment, timezone.get_default_timezone())
    return is_working_day(at.date()) and AT_WORK[0] <= at.time() < AT_WORK[1]


def at_work(moment: dt.datetime) -> dt.datetime:
    """That moment where offices are at work then, else the next working morning: nobody is woken for what can wait."""
    if is_at_work(moment):
        return moment
    at = timezone.localtime(moment, timezone.get_default_timezone())
    return next_working_morning(moment, 0 if at.time() < AT_WORK[0] or not is_working_day(at.date()) else 1)
