"""Write docs/statistics.md from the table of definitions. With --check only look."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from helpline.definitions import NUMBERS, RULES, TABLES

FILE = "docs/statistics.md"
FILES = (
    "CSV: semicolons, decimal comma and byte order mark, whatever the language of who saves it: a Swedish spreadsheet "
    "opens it as it is, and would take 0.8 for a date.",
    "XLSX: numbers are numbers; the spreadsheet shows them as its own language has them.",
    "PDF: numbers as the page has them, in the language of who saves it.",
)


def draw() -> str:
    """The document, in English."""
    with translation.override("en"):
        return "\n".join(
            [
                "# Statistics that leave the house",
                "",
                "Drawn from `helpline/definitions.py` by `manage.py draw_statistics`. Why it is so: decisions/0022.",
                "",
                "## Numbers",
                *(f"- **{one.label}.** {one.says}" for one in NUMBERS),
                "",
                "## Tables",
                *(f"- **{one.label}.** {one.says}" for one in TABLES),
                "",
                "## What is told, and what is not",
                *(f"- {rule}" for rule in RULES),
                "",
                "## Files",
                *(f"- {says}" for says in FILES),
                "",
            ]
        )


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail where the file is not what would be drawn")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        file, text = Path(settings.BASE_DIR) / FILE, draw()
        if not check:
            file.write_text(text, encoding="utf-8")
            self.stdout.write(f"{FILE} is drawn")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            raise CommandError(f"{FILE} is not what the table says: run manage.py draw_statistics")
