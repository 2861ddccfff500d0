"""Forget again, in the database in use, what a list says: after a recovery that did not go by `manage.py restore`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.backup import contents, forget, server
from helpline.people.audit import log


class Command(BaseCommand):
    """After a point in time recovery, before anybody is served (docs/backup.md). Harmless when run twice."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("forgotten", type=Path, help="as export_forgotten or a backup wrote it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done: dict[str, Any] = forget.again(contents.read(Path(options["forgotten"])))
        except server.Trouble as error:
            raise CommandError(str(error)) from None
        done |= forget.begin_anew()
        log("restore.forgotten", by=None, **done)
        self.stdout.write(f"forgotten again: {', '.join(f'{name} {number}' for name, number in done.items())}")
