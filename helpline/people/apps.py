"""The ground floor as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    """Label `people`, inside the project package."""

    name = "helpline.people"
    label = "people"
    verbose_name = "People"

    def ready(self) -> None:
        """Grants follow every migration; checks register themselves."""
        from helpline.people import checks  # noqa: F401  registers the checks
        from helpline.people.grants import grant_application_role

        post_migrate.connect(grant_application_role, sender=self)
