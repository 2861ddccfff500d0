"""Where sessions are kept: in the database. One that is down is a fault of ours, and never said to be a fault of the request."""

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import OperationalError, router, transaction

NEWER, SEEN = "newer_log_in", "newer_log_in_seen"  # when somebody logged in elsewhere as this person; and what is known


class SessionStore(DatabaseSessionStore):
    """Django takes every fault of the database for a session that was deleted meanwhile, and answers 400; then a person
    reads that what was sent is wrong, after it has been saved."""

    def save(self, must_create: bool = False) -> None:
        """Save the session. Raises OperationalError where the database does not answer, UpdateError where it is gone."""
        try:
            with transaction.atomic(using=router.db_for_write(self.model)):
                self._keep_what_was_told(must_create)
                super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError):
                raise error.__context__ from None
            raise

    def _keep_what_was_told(self, must_create: bool) -> None:
        """Word of a new log-in that another session left here meanwhile (live_sessions.tell_others) is not written over."""
        if must_create or not self.session_key:
            return
        held = self.model.objects.select_for_update().filter(pk=self.session_key).first()
        told = held.get_decoded().get(NEWER, "") if held else ""
        if told > self.get(NEWER, ""):
            self[NEWER] = told
