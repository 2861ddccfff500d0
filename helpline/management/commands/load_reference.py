"""Load what every line needs before its first call: municipalities and the question sets. Harmless when run again."""

from typing import Any

from django.core.management.base import BaseCommand

from intake.reference import load_municipalities, load_questions


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        count = load_municipalities()
        version = load_questions().version
        self.stdout.write(f"{count} municipalities; question sets, version {version}")
