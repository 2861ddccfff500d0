"""The last part of a restore, in the restored database: forget again, verify the log, and take the mark away."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from helpline.backup import contents, forget, server
from helpline.people.audit import log
from helpline.people.chain import Finding, verify
from helpline.people.restoring import MARK, is_restoring

MOST = 20  # findings that are told, and rows of them that are logged
WAY_ON = (
    "Everything else is restored. Take an older backup whose log is whole, or, where it must be served from now and whoever is "
    "responsible for the log has decided it, restore it anew with --with-broken-log (docs/backup.md)"
)


class Command(BaseCommand):
    """`manage.py restore` runs it, with DATABASE_URL naming the restored database as its owner."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", help="the name of the backup, for the log")
        parser.add_argument("forgotten", type=Path)
        parser.add_argument("--with-broken-log", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_restoring():
            raise CommandError("This database is not being restored: there is nothing to finish.")
        try:
            told = contents.read(Path(options["forgotten"]))
        except server.Trouble as error:
            raise CommandError(str(error)) from None
        done: dict[str, Any] = {**forget.again(told), **forget.begin_anew()}
        count, findings = verify()
        if findings and not options["with_broken_log"]:
            raise CommandError(f"The log is not as it was written: {_told(findings)}. {WAY_ON}")
        with transaction.atomic(), connection.cursor() as cursor:
            if findings:
                told = {"kinds": sorted({one.kind for one in findings}), "rows": [one.row for one in findings][:MOST]}
                log("restore.broken_log", by=None, row=options["backup"], found=len(findings), **told)
            log("restore.done", by=None, row=options["backup"], **done)
            cursor.execute(f"DROP SCHEMA {MARK}")
        self.stdout.write(f"forgotten again: {', '.join(f'{name} {number}' for name, number in done.items())}")
        said = f"restored with a broken log, as was asked: {_told(findings)}" if findings else "the log is whole"
        self.stdout.write(f"{said}: {count} rows")


def _told(findings: list[Finding]) -> str:
    """What is wrong, the first of it in words."""
    more = f"; and {len(findings) - MOST} more" if len(findings) > MOST else ""
    return "; ".join(one.text for one in findings[:MOST]) + more
