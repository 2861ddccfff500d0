"""Print who can log in to the demo. In demo mode alone."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from helpline.demo.logins import table


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not demo mode (DEMO=1): there are no demo logins.")
        self.stdout.write(table())
