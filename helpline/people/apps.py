"""The ground floor as a Django app."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    """Label `people`, inside the project package."""

    name = "helpline.people"
    label = "people"
    verbose_name = "People"

    def ready(self) -> None:
        """Grants follow every migration; checks register themselves; whoever is a deputy is not switched off unseen."""
        from helpline.people import (
            checks,  # noqa: F401  registers the checks
            live_sessions,
            second_factor,
            shown_again,
        )
        from helpline.people.absences import standing_in
        from helpline.people.actions import HOLDS
        from helpline.people.grants import grant_application_role
        from helpline.people.logs import keep_quiet
        from helpline.people.notices import KINDS
        from helpline.people.sessions import begin

        if not settings.DEBUG:
            keep_quiet()
        HOLDS.append(standing_in)
        KINDS["log_in_reset"] = _("The system keeper has reset how you log in")
        KINDS["account_made"] = _("A new account was made. Was it agreed? The log says whose")
        KINDS["account_reset"] = _("How somebody logs in was reset. Did they ask for it? The log says whose")
        KINDS["account_invited"] = _("Somebody was given a new invitation. Did they ask for it? The log says who")
        live_sessions.listen()
        second_factor.listen()
        shown_again.listen()
        user_logged_in.connect(begin)
        post_migrate.connect(grant_application_role, sender=self)
