"""Write the directory as JSON of Open Referral HSDS 3.x. A confidential entry is never in it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from helpline.people.audit import log
from referrals.hsds.write import as_json


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, help="the file to write; without it, it is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        text = as_json()
        log("directory.exported", by=None)
        if options["output"] is None:
            self.stdout.write(text, ending="")
        else:
            options["output"].write_text(text, encoding="utf-8")
            self.stdout.write(f"written: {options['output']}")
