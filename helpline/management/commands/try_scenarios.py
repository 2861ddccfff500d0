"""Try the calls described in a folder of YAML files through the real actions, and roll everything back."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.scenarios import try_folder


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        if not folder.is_dir() or not any(folder.glob("*.y*ml")):
            raise CommandError(f"{folder} is not a folder with YAML files")
        passed = failed = 0
        for result in try_folder(folder):
            for failure in result.failures:
                self.stdout.write(f"{result.name}: {failure}")
            failed += bool(result.failures)
            passed += not result.failures
        self.stdout.write(f"{passed} passed, {failed} failed")
        if failed:
            sys.exit(1)
