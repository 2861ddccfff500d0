"""Write the list of what was forgotten, so that a restore of an older backup does not bring it back."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.backup import contents, forgotten, server
from helpline.people import clock


class Command(BaseCommand):
    """Identities and numbers alone. To be kept on another machine than the database (docs/backup.md)."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        new = path.with_name(f".{path.name}.new")
        try:
            with server.owner().transaction() as cursor:
                found = forgotten.read(cursor, clock.now())
            new.unlink(missing_ok=True)
            contents.write(new, found)
            new.replace(path)
        except (server.Trouble, OSError, server.psycopg2.Error) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"written: {path}: {forgotten.counted(found)}")
