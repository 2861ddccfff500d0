"""Add a system keeper, who makes the other accounts. Prints the link by which that person chooses a password."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from helpline.people.actions import add_user
from helpline.people.errors import Refused
from helpline.people.invitations import begin_again_by_command, invite, link_of
from helpline.people.models import Role, User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="first and last name")
        parser.add_argument("--email", default="")
        parser.add_argument("--again", action="store_true", help="a keeper who has no way in any more begins again")

    def handle(self, *args: Any, username: str, name: str, email: str, again: bool, **options: Any) -> None:
        try:
            token = self._again(username) if again else self._new(username, name, email)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        except IntegrityError as error:
            raise CommandError(f"There is already an account {username}.") from error
        self.stdout.write(f"{username} comes in by this link, once:\n{link_of(token)}")

    def _new(self, username: str, name: str, email: str) -> str:
        first, _, last = name.partition(" ")
        facts = {"role": Role.KEEPER, "unit": None, "first_name": first, "last_name": last, "email": email}
        with transaction.atomic():
            return invite(by=None, user=add_user(by=None, username=username, facts=facts))

    def _again(self, username: str) -> str:
        keeper = User.objects.filter(username=username, role=Role.KEEPER).first()
        if keeper is None:
            raise Refused(f"There is no keeper {username}.")
        return begin_again_by_command(keeper)
