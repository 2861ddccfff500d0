"""Write a backup in two halves: the data in one folder, the keys in another."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.backup import contents, keep, server
from helpline.backup.make import backup
from helpline.people import clock


class Command(BaseCommand):
    """Every night by a timer of the machine (docs/backup.md). As the owner of the tables: OWNER_DATABASE_URL."""

    help = "Write a backup: data and keys apart, both of one moment, with a list of contents to compare a restore with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", nargs="?", default=settings.BACKUP_DIR, help="for the data; else BACKUP_DIR")
        parser.add_argument("--keys-dir", default=settings.BACKUP_KEYS_DIR, help="for the keys; else BACKUP_KEYS_DIR")
        parser.add_argument("--keep", type=int, default=keep.DATA_DAYS, help="days that data are kept (%(default)s)")
        parser.add_argument(
            "--keep-keys", type=int, default=keep.KEYS_DAYS, help="days that keys are kept (%(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["folder"] or not options["keys_dir"]:
            raise CommandError("Two folders are needed, one for the data and another, --keys-dir, for the keys.")
        if options["keep"] < 1 or options["keep_keys"] < 1:
            raise CommandError("Backups are kept for one day at least.")
        folder, keys_folder = Path(options["folder"]), Path(options["keys_dir"])
        try:
            made = backup(server.owner(), folder, keys_folder, self.stdout.write)
        except (server.Trouble, OSError, server.psycopg2.Error) as error:
            raise CommandError(f"No backup was made. {error}") from None
        for place, days, lists in (
            (folder, options["keep"], contents.DATA),
            (keys_folder, options["keep_keys"], contents.KEYS),
        ):
            for name in keep.remove_older(place, days=days, lists=lists, now=clock.now()):
                self.stdout.write(f"removed, older than {days} days: {place / name}")
        self.stdout.write(f"written: {made}, its keys: {keys_folder / made.name}")
