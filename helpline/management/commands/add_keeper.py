"""Add a system keeper, who makes the other accounts. The password is asked for, never given on the command line."""

from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from helpline.people.actions import add_user
from helpline.people.errors import Refused
from helpline.people.models import Role


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="first and last name")
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, username: str, name: str, email: str, **options: Any) -> None:
        first, _, last = name.partition(" ")
        facts = {"role": Role.KEEPER, "unit": None, "first_name": first, "last_name": last, "email": email}
        try:
            add_user(by=None, username=username, password=getpass("Password (15 characters or more): "), facts=facts)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        except IntegrityError as error:
            raise CommandError(f"There is already an account {username}.") from error
        self.stdout.write(f"{username} can log in, and make the other accounts.")
