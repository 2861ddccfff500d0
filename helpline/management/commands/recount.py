"""Counts the sums by day anew, from the rows alone."""

from typing import Any

from django.core.management.base import BaseCommand

from helpline.sums import recount_all


class Command(BaseCommand):
    """Harmless at any time: the sums are what they were, or right."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        recount_all()
