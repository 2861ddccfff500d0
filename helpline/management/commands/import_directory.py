"""Say what a file of Open Referral HSDS 3.x would change in the directory; with --apply, change it. Deletes nothing."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from referrals.hsds.changes import import_directory, words_of


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--apply", action="store_true", help="change it: all of it, or nothing where anything is wrong"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from None
        with translation.override("en"):
            plan = import_directory(by=None, data=data, apply=options["apply"])
        if plan.faults:
            raise CommandError("\n".join(["nothing is changed:", *plan.faults]))
        for line in words_of(plan):
            self.stdout.write(line)
        if plan.changes and not options["apply"]:
            self.stdout.write("nothing is changed yet: give --apply to change it")
