"""Work out the chain of the log anew, and say which rows are not as they were written."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpline.people.chain import Head, read_heads, verify
from helpline.people.models import User


class Command(BaseCommand):
    """Exit code 1 where anything is wrong, 2 where what was given as a head is none."""

    help = "Verify the log: names changed, removed, inserted and reordered rows; with --head a cut tail and a rewritten chain."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            help="as log_head printed it and it was kept outside: the line itself, or a file of such lines",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        heads = [head for given in options["head"] for head in _heads(given)]
        count, findings = verify(heads)
        for finding in findings:
            self.stdout.write(f"{finding.kind}: {finding.text}")
        if not count and User.objects.exists():
            raise CommandError(
                "The log is empty, and yet there are people who log in: it was emptied, or never written."
            )
        if findings:
            raise CommandError(f"The log is not as it was written: {len(findings)} found among {count} rows.")
        also = f", and {len(heads)} published heads agree" if heads else ""
        self.stdout.write(f"The log is whole: {count} rows{also}.")


def _heads(given: str) -> list[Head]:
    try:
        try:
            return read_heads([given])
        except ValueError:
            return read_heads(Path(given).read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise CommandError(
            f"--head: neither a head (date, place and hash) nor a file of such lines: {given}", returncode=2
        ) from error
