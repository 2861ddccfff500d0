"""Erase the numbers to call back whose time is up, without Celery."""

from typing import Any

from django.core.management.base import BaseCommand

from intake.actions import erase_numbers


class Command(BaseCommand):
    """What the worker does all the time. Harmless when run again or at the same time."""

    help = "Erase the numbers to call back whose time is up."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{erase_numbers()} erased")
