"""Add a unit of social services that answers the line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from helpline.people.audit import log
from helpline.people.models import Municipality, Unit


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("municipality", help="its code, as 1496")
        parser.add_argument("--phone", default="")

    def handle(self, *args: Any, name: str, municipality: str, phone: str, **options: Any) -> None:
        place = Municipality.objects.filter(pk=municipality).first()
        if place is None:
            raise CommandError(f"There is no municipality {municipality}. Has load_reference been run?")
        unit, is_new = Unit.objects.get_or_create(name=name, defaults={"municipality": place, "phone": phone})
        if is_new:
            log("unit.added", by=None, row=unit.pk)
        self.stdout.write(f"{unit} {'is added' if is_new else 'was there already'}")
