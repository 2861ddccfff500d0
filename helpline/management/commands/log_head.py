"""Print the head of the log as one line: date, place and hash. Keep it where this system cannot take it back."""

from typing import Any

from django.core.management.base import BaseCommand

from helpline.people.chain import head


class Command(BaseCommand):
    """For a timer of another machine, where neither a mailbox nor a file is set."""

    help = "Print the day's head of the log, to be kept outside and given to verify_log --head."

    def handle(self, *args: Any, **options: Any) -> None:
        found = head()
        self.stdout.write(str(found) if found else "Nothing is logged yet.")
