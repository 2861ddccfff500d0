"""Erase the words of advice whose term has passed, without Celery."""

from typing import Any

from django.core.management.base import BaseCommand

from intake.actions import erase_words


class Command(BaseCommand):
    """What the worker does every night (docs/settings.md). Harmless when run again or at the same time."""

    help = "Erase the words of advice (track A) whose term has passed."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{erase_words()} erased")
