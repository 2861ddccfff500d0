"""Celery wakes up and says "look now"; the rows with a due time in PostgreSQL are the queue."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from celery.signals import beat_init, heartbeat_sent, setup_logging, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpline.settings")

app = Celery("helpline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class Scheduler(PersistentScheduler):
    """Beat's own scheduler, which also writes that it is alive: /health/ reads the row."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One round of beat. Never sleeps longer than the heartbeat needs."""
        from helpline.people.heartbeat import beat

        beat("beat")
        return min(super().tick(*args, **kwargs), 5.0)


@setup_logging.connect
def log_as_everywhere(**_: Any) -> None:
    """Celery adds no formatter of its own, which would write the message of an exception."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
@beat_init.connect
def refuse(**_: Any) -> None:
    """Worker and beat start under the same conditions as the web server."""
    from helpline.people.checks import refuse_unsafe_start

    refuse_unsafe_start()


@worker_init.connect
@beat_init.connect
def be_patient(**_: Any) -> None:
    """Nobody waits for a page here: a broker that is slow is no reason to begin anew."""
    from django.conf import settings

    app.conf.broker_transport_options = {**app.conf.broker_transport_options, **settings.WORKER_BROKER_TIMEOUT}


@heartbeat_sent.connect
def worker_is_alive(**_: Any) -> None:
    """The worker's main loop sends this every two seconds."""
    from helpline.people.heartbeat import beat

    beat("worker")
