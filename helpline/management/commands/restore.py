"""Restore a backup into an empty database, without what was forgotten since."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.backup import contents, forgotten, server
from helpline.backup.restore import Backup, holds_log_of, list_of, make_database, opened, restore

OLD = dt.timedelta(days=1)  # a list of what was forgotten is written every hour


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
            help="nothing was erased, removed or switched off since the backup, or since the list that is given",
        )
        parser.add_argument(
            "--with-broken-log",
            action="store_true",
            help="also where the log was tampered with before the backup: it is taken as it is, and says so",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup = opened(Path(options["folder"]), Path(options["keys"]))
            into = server.Database.at(options["into"])
            self._say("The backup", backup.forgotten)
            newer = list(self._newer(backup, into, options))
            make_database(into)
            restore(backup, into, newer, self.stdout.write, with_broken_log=options["with_broken_log"])
        except server.Trouble as error:
            raise CommandError(str(error)) from None
        except (OSError, server.psycopg2.Error) as error:
            raise CommandError(f"Not restored: {type(error).__name__}: {str(error).splitlines()[0]}") from None
        self.stdout.write(f"{into.name} is restored from {backup.name}, and can be served from.")

    def _newer(self, backup: Backup, into: server.Database, options: dict[str, Any]) -> Iterator[forgotten.List]:
        """The lists that may know more than the backup. Without one that is new, somebody must say that nothing is missing."""
        told = contents.read(Path(options["forgotten"])) if options["forgotten"] else None
        there = self._replaced(backup, into, options["replaces"])
        if told is not None:
            self._say("--forgotten", told)
        if not there and not options["nothing_was_forgotten_since"]:
            _refuse_old(backup, told)
        yield from (one for one in (told, there) if one)

    def _replaced(self, backup: Backup, into: server.Database, named: str | None) -> forgotten.List | None:
        """What the database says that is replaced, where it went on from this backup. Raises Trouble for one that was named
        and is not that one."""
        replaced = server.Database.at(named) if named else server.owner()
        told = list_of(replaced) if replaced.place != into.place else None
        if told is not None and holds_log_of(replaced, backup.data["log_head"]):
            self._say(f"{replaced.name}, which is replaced, still", told)
            return told
        why = (
            "cannot be reached"
            if told is None
            else "is not the one that is replaced: its log lacks the backup's last row"
        )
        if named:
            raise server.Trouble(f"{replaced.name} {why}.")
        self.stdout.write(f"{replaced.name} {why}: it is not asked what was forgotten.")
        return None

    def _say(self, who: str, told: forgotten.List) -> None:
        self.stdout.write(f"{who} says, as of {told['made_at']}: {forgotten.counted(told)}")


def _refuse_old(backup: Backup, told: forgotten.List | None) -> None:
    """Raises Trouble where nobody says what was forgotten, or an old list does, which knows nothing of the time since."""
    if told is None:
        raise server.Trouble(
            f"Nobody says what was forgotten after {backup.data['made_at']}, and this backup would bring it back. Give a "
            "newer list with --forgotten FILE, or say --nothing-was-forgotten-since."
        )
    made = dt.datetime.fromisoformat(told["made_at"])
    if made < dt.datetime.now(dt.UTC) - OLD or made < backup.newest_keys:
        raise server.Trouble(
            f"The list of what was forgotten is of {told['made_at']}: older than a day, or than the newest backup of keys. "
            "What was forgotten after it would come back. Give a newer one, or say --nothing-was-forgotten-since."
        )
