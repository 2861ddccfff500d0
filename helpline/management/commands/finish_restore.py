"""The last part of a restore, in the restored database: forget again, verify the log, and take the mark away."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from helpline.backup import contents, forget, server
from helpline.people.audit import log
from helpline.people.chain import verify
from helpline.people.restoring import MARK, is_restoring


class Command(BaseCommand):
    """`manage.py restore` runs it, with DATABASE_URL naming the restored database as its owner."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", help="the name of the backup, for the log")
        parser.add_argument("forgotten", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_restoring():
            raise CommandError("This database is not being restored: there is nothing to finish.")
        try:
            told = contents.read(Path(options["forgotten"]))
        except server.Trouble as error:
            raise CommandError(str(error)) from None
        done: dict[str, Any] = {**forget.again(told), **forget.begin_anew()}
        count, findings = verify()
        if findings:
            raise CommandError(f"The log is not as it was written: {'; '.join(one.text for one in findings)}")
        with transaction.atomic(), connection.cursor() as cursor:
            log("restore.done", by=None, row=options["backup"], **done)
            cursor.execute(f"DROP SCHEMA {MARK}")
        self.stdout.write(f"forgotten again: {', '.join(f'{name} {number}' for name, number in done.items())}")
        self.stdout.write(f"the log is whole: {count} rows")
