"""Where sessions are kept: in the database. One that is down is a fault of ours, and never said to be a fault of the request."""

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import OperationalError


class SessionStore(DatabaseSessionStore):
    """Django takes every fault of the database for a session that was deleted meanwhile, and answers 400; then a person
    reads that what was sent is wrong, after it has been saved."""

    def save(self, must_create: bool = False) -> None:
        """Save the session. Raises OperationalError where the database does not answer, UpdateError where it is gone."""
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError):
                raise error.__context__ from None
            raise
