"""Worker and beat say that they are alive by a row; /health/ reads how old it is."""

import datetime as dt
import time

from django.db import Error, close_old_connections, connection
from django.utils import timezone

EVERY = 5  # seconds between two rows of one process
FRESH = dt.timedelta(seconds=15)
_last: dict[str, float] = {}


def beat(name: str) -> None:
    """Write that `name` is alive, at most every EVERY seconds. A database that is down is no reason to die."""
    if time.monotonic() - _last.get(name, -EVERY) < EVERY:
        return
    _last[name] = time.monotonic()
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO people_heartbeat (name, at) VALUES (%s, now()) ON CONFLICT (name) DO UPDATE SET at = now()",
                [name],
            )
    except Error:
        connection.close()


def is_alive(name: str) -> bool:
    """Whether `name` wrote within FRESH."""
    from helpline.people.models import Heartbeat

    try:
        return Heartbeat.objects.filter(name=name, at__gt=timezone.now() - FRESH).exists()
    except Error:  # not migrated yet, or down
        return False
