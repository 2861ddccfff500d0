"""The ground floor as a Django app."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    """Label `people`, inside the project package."""

    name = "helpline.people"
    label = "people"
    verbose_name = "People"

    def ready(self) -> None:
        """Grants follow every migration; checks register themselves; whoever is a deputy is not switched off unseen."""
        from helpline.people import checks  # noqa: F401  registers the checks
        from helpline.people.absences import standing_in
        from helpline.people.actions import HOLDS
        from helpline.people.grants import grant_application_role
        from helpline.people.sessions import begin

        HOLDS.append(standing_in)
        user_logged_in.connect(begin)
        post_migrate.connect(grant_application_role, sender=self)
