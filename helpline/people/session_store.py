"""Where sessions are kept: in the database, under a hash, so that who reads the table is logged in as nobody. A database that
is down is a fault of ours, and never said to be a fault of the request."""

import hashlib
from typing import Any

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import OperationalError, router, transaction
from django.utils import timezone

WIDE = 40  # characters of the column: 160 bits of a hash
NEWER, SEEN = "newer_log_in", "newer_log_in_seen"  # when somebody logged in elsewhere as this person; and what is known


def stored(key: str | None) -> str:
    """Under what the session of this cookie stands in the tables (django_session, usersessions)."""
    return hashlib.sha256((key or "").encode("utf-8", "replace")).hexdigest()[:WIDE]


class SessionStore(DatabaseSessionStore):
    """Django takes every fault of the database for a session that was deleted meanwhile, and answers 400; then a person
    reads that what was sent is wrong, after it has been saved. Its `session_key` is the cookie; no table holds that one."""

    _as_read = ""  # what its row held

    def _get_session_from_db(self) -> Any:
        held = (
            super()
            .get_model_class()
            .objects.filter(pk=stored(self.session_key), expire_date__gt=timezone.now())
            .first()
        )
        if held is None:
            self._session_key = None  # a key that somebody else chose is never taken up
        self._as_read = held.session_data if held else ""
        return held

    def exists(self, session_key: str) -> bool:
        """Whether a cookie with this key opens one."""
        return bool(super().exists(stored(session_key)))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row, under its hash."""
        row = super().create_model_instance(data)
        row.session_key = stored(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Remove the row of this key, or of this session."""
        if key := session_key or self.session_key:
            super().delete(stored(key))

    def save(self, must_create: bool = False) -> None:
        """Save the session. Raises OperationalError where the database does not answer, UpdateError where it is gone."""
        if not must_create and self._written_over():
            return
        try:
            with transaction.atomic(using=router.db_for_write(self.model)):
                self._keep_what_was_told(must_create)
                super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError):
                raise error.__context__ from None
            raise

    def _written_over(self) -> bool:
        """Write over the row of this session, by one statement; False where it is not as it was read, and nothing is done."""
        if not self.session_key or not self._as_read:
            return False
        row = self.create_model_instance(self._get_session())  # type: ignore[attr-defined]
        as_read = self.model.objects.filter(pk=row.pk, session_data=self._as_read)
        if not as_read.update(session_data=row.session_data, expire_date=row.expire_date):
            return False
        self._as_read = row.session_data
        return True

    def _keep_what_was_told(self, must_create: bool) -> None:
        """Word of a new log-in that another session left here meanwhile (live_sessions.tell_others) is not written over."""
        if must_create or not self.session_key:
            return
        held = self.model.objects.select_for_update().filter(pk=stored(self.session_key)).first()
        told = held.get_decoded().get(NEWER, "") if held else ""
        if told > self.get(NEWER, ""):
            self[NEWER] = told
