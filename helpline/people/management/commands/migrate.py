"""Migrate as the owner of the tables; the application's role owns nothing."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from helpline.people.grants import grant_application_role


class Command(migrate.Command):
    """Django's migrate with the owner's connection as its default, and the table of the cache."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        call_command("createcachetable", database=options["database"], verbosity=0)
        grant_application_role(using=options["database"])
