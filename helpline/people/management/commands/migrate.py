"""Migrate as the owner of the tables; the application's role owns nothing."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from helpline.people.grants import grant_application_role
from helpline.people.wall_sql import lower_wall, raise_wall


class Command(migrate.Command):
    """Django's migrate with the owner's connection as its default, the table of the cache, and the second wall."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        database = options["database"]
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        lower_wall(using=database)  # else a column that a policy reads cannot be changed
        try:
            super().handle(*args, **options)
            call_command("createcachetable", database=database, verbosity=0)
            grant_application_role(using=database)
        finally:
            raise_wall(using=database)
