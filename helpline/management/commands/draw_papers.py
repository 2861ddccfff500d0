"""Write docs/papers/record-of-processing.md from the tables. With --check only look."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.papers import FILE, record_of_processing


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail where the file is not what would be drawn")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        file, text = Path(settings.BASE_DIR) / FILE, record_of_processing()
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
            self.stdout.write(f"{FILE} is drawn")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            raise CommandError(f"{FILE} is not what the tables say: run manage.py draw_papers")
