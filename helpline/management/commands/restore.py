"""Restore a backup into an empty database, without what was forgotten since."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.backup import contents, forgotten, server
from helpline.backup.restore import Backup, list_of, make_database, opened, restore


class Command(BaseCommand):
    """Until all is done the database has a mark at which neither web server, worker nor beat starts (docs/backup.md)."""

    help = "Restore a backup into an empty database, compare it row by row, and forget again what was forgotten since."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="one backup: the folder with manifest.json")
        parser.add_argument(
            "--keys", type=Path, required=True, help="its keys, or newer ones: the folder with keys.json"
        )
        parser.add_argument(
            "--into", required=True, help="an empty database: its URL as the owner, or a name beside ours"
        )
        parser.add_argument("--forgotten", type=Path, help="a newer list, as export_forgotten wrote it")
        parser.add_argument(
            "--replaces", help="the database that is replaced, where it can still be reached; else ours"
        )
        parser.add_argument(
            "--nothing-was-forgotten-since",
            action="store_true",
            help="there is no newer list, and nothing was erased, removed or switched off since the backup",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup = opened(Path(options["folder"]), Path(options["keys"]))
            into = server.Database.at(options["into"])
            newer = list(self._newer(backup, into, options))
            make_database(into)
            restore(backup, into, newer, self.stdout.write)
        except server.Trouble as error:
            raise CommandError(str(error)) from None
        except (OSError, server.psycopg2.Error) as error:
            raise CommandError(f"Not restored: {type(error).__name__}: {str(error).splitlines()[0]}") from None
        self.stdout.write(f"{into.name} is restored from {backup.name}, and can be served from.")

    def _newer(self, backup: Backup, into: server.Database, options: dict[str, Any]) -> Iterator[forgotten.List]:
        """The lists that may know more than the backup. Without one, somebody must say that there is nothing to know."""
        known, since = 0, dt.datetime.fromisoformat(backup.data["made_at"])
        if options["forgotten"]:
            told = contents.read(Path(options["forgotten"]))
            known += dt.datetime.fromisoformat(told["made_at"]) >= since
            yield told
        replaced = server.Database.at(options["replaces"]) if options["replaces"] else server.owner()
        told_there = list_of(replaced) if replaced.place != into.place else None
        if told_there is not None:
            known += 1
            self.stdout.write(f"{replaced.name}, which is replaced, still says: {forgotten.counted(told_there)}")
            yield told_there
        elif options["replaces"]:
            raise server.Trouble(f"{replaced.name} cannot be reached.")
        if not known and not options["nothing_was_forgotten_since"]:
            raise server.Trouble(
                f"Nobody says what was forgotten after {backup.data['made_at']}, and this backup would bring it back. Give a "
                "newer list with --forgotten FILE, or say --nothing-was-forgotten-since."
            )
