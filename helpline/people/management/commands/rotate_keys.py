"""Wrap every key of a call or a case, that of the index, and the second factors anew under the current master key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.people import rotation
from helpline.people.audit import log
from helpline.people.sealed import current_master


class Command(BaseCommand):
    """While everything runs, again, or twice at once: harmless (docs/backup.md says when the old key can go)."""

    help = "Wrap every key anew under the current master key, the first of HELPLINE_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit code 1 while a row needs an old key"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            self._rotate()
        if waiting := rotation.left():
            raise CommandError("; ".join(f"{count} keys still need {master}" for master, count in waiting.items()))
        self.stdout.write(
            f"Every key is under {current_master()}. No row needs another master key any more: the old key can be taken "
            "away from HELPLINE_KEYS. Backups of keys that were made before now need it still: keep it, apart, as long as they."
        )

    def _rotate(self) -> None:
        done, of = 0, sum(rotation.left().values())
        try:
            for number in rotation.rotate():
                done += number
                self.stdout.write(f"{done} of {max(of, done)} wrapped anew")
                self.stdout.flush()
        finally:
            if done:
                log("keys.rotated", by=None, row=current_master(), keys=done)
