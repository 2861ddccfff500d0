"""The roof as a Django app: commands, the caseload, the demo."""

from django.apps import AppConfig


class HelplineConfig(AppConfig):
    """The project package itself."""

    name = "helpline"
