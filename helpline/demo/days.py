"""Moments of the demo, counted from the day on which it is loaded, so that it always looks alive."""

import datetime as dt
from dataclasses import dataclass

from helpline.people import clock
from helpline.people.workdays import add_working_days, is_working_day, local

MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Calendar:
    """0 is today, whatever day that is; -1 the last working day before it, 1 the next one."""

    now: dt.datetime

    def day(self, count: int) -> dt.date:
        """That many working days from today."""
        day = clock.local_date(self.now)
        if count > 0:
            return add_working_days(day, count)
        while count < 0:
            day -= dt.timedelta(days=1)
            count += is_working_day(day)
        return day

    def moment(self, count: int, time: str) -> dt.datetime:
        """A time of that day."""
        return local(self.day(count), dt.time.fromisoformat(time))

    def to_come(self, count: int, time: str) -> dt.datetime:
        """The same for what is planned: a time of today that has passed becomes a later one, while the day lasts."""
        wanted = self.moment(count, time)
        if count != 0 or wanted > self.now:
            return wanted
        return max(min(self.now + 60 * MINUTE, self.moment(0, "23:45")), self.now + 5 * MINUTE)

    def past(self, wanted: dt.datetime, left: int) -> dt.datetime:
        """A moment that has been: early in the day what would be later has just happened, with room for what is left."""
        return min(wanted, self.now - 2 * left * MINUTE)
