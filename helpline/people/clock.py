"""What time it is. One door, so that the demo and the scenarios can live through a year in a minute."""

import contextlib
import contextvars
import datetime as dt
from collections.abc import Iterator

from django.utils import timezone

_given: contextvars.ContextVar[dt.datetime | None] = contextvars.ContextVar("given_now", default=None)


def now() -> dt.datetime:
    """The moment, aware, in UTC; or the moment given by `at`."""
    return _given.get() or timezone.now()


def today() -> dt.date:
    """Today's date in Sweden: "the same day" is a Swedish date, not one in UTC."""
    return local_date(now())


def local_time(moment: dt.datetime) -> dt.datetime:
    """A moment as the clocks in Sweden show it."""
    return timezone.localtime(moment, timezone.get_default_timezone())


def local_date(moment: dt.datetime) -> dt.date:
    """The date in Sweden of a moment."""
    return local_time(moment).date()


@contextlib.contextmanager
def at(moment: dt.datetime) -> Iterator[None]:
    """Within the block it is `moment` (aware)."""
    if timezone.is_naive(moment):
        raise ValueError("a moment needs its time zone")
    token = _given.set(moment.astimezone(dt.UTC))
    try:
        yield
    finally:
        _given.reset(token)
