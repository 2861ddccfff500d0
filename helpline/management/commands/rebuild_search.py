"""Make the index of exact search anew from the words; or, with --check, say whether it is what they say."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from intake.marks import drift, rebuild


class Command(BaseCommand):
    """After the key of the index was lost or changed, and after a restore. Harmless at any time."""

    help = "Rebuild the keyed index of names and personal numbers. --check only says what is missing or wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail where the index has drifted")

    def handle(self, *args: Any, **options: Any) -> None:
        missing, wrong = drift() if options["check"] else rebuild()
        said = f"{missing} missing, {wrong} wrong"
        if options["check"] and (missing or wrong):
            raise CommandError(said)
        self.stdout.write(said)
