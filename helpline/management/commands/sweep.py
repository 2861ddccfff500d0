"""Do all that Celery's beat would wake up now, without Celery."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from helpline.people.restoring import WHY, is_restoring

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """For a timer of the machine, every five minutes, beside Celery or in its place: rows with a time are the queue, and
    whoever looks does what is due, once. What fails keeps nothing else waiting; the exit code is 1 where something did."""

    help = "Do what is due: reminders, silent handovers, mail, deputies, what is to be erased. Harmless at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        if is_restoring():
            raise CommandError(WHY)
        ticks = {name: str(entry["task"]) for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
        in_order = sorted(ticks, key=lambda name: name == "deliver")  # at last the mail of all that was done
        failed = [name for name in in_order if not self._do(name, ticks[name])]
        if failed:
            raise CommandError(f"failed: {', '.join(failed)}")

    def _do(self, name: str, task: str) -> bool:
        try:
            import_string(task).run()
        except Exception as error:
            logger.error("%s failed: %s", name, type(error).__name__)
            return False
        self.stdout.write(f"{name}: done")
        return True
