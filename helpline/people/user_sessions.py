"""allauth's list of log-ins as a Django app, kept by ourselves: it takes the key of a row for the cookie."""

from typing import Any

from allauth.usersessions.apps import UserSessionsConfig


class UserSessions(UserSessionsConfig):
    """The same models and migrations; what is written into them at a log-in is ours."""

    def ready(self) -> None:
        """A log-in is a row of the list."""
        from allauth.account.signals import user_logged_in

        user_logged_in.connect(_on_log_in, dispatch_uid="a log-in is listed")


def _on_log_in(sender: Any, request: Any, **rest: Any) -> None:
    from helpline.people.live_sessions import remember_this

    remember_this(request)
