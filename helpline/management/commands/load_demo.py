"""Load an invented year of calls and cases, in demo mode and where there are no cases yet. Harmless when run again."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from helpline.demo.load import load


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not demo mode (DEMO=1): no demo data is made.")
        if not load(lambda line: self.stdout.write(f"  {line}")):
            self.stdout.write("  There are cases already: nothing is made.")
