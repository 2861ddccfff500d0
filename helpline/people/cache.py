"""The cache in the database, in JSON: Django's own runs whatever a row of the table tells it to (pickle)."""
# ruff: noqa: S608  the name of the table is from settings; what is kept goes as a parameter

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, connections, router, transaction
from django.utils import timezone

MISS = object()
NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)  # of what has no end
# How a row that is there already is written over: mode -> the rest of the statement. `add` writes over what is past.
CLASH = {
    "set": "ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
    "add": "ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires"
    ' WHERE "{table}".expires < now()',
}


class JsonCache(DatabaseCache):
    """Holds numbers, words, lists and dicts of them. A row that is no JSON is a miss; what is none is a TypeError."""

    _table: str  # of Django's, and unknown to its types
    _base_delete_many: Any
    _cull: Any

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """Of the keys those that are there and not past."""
        asked = {self.make_and_validate_key(key, version=version): key for key in keys}
        with connections[router.db_for_read(self.cache_model_class)].cursor() as cursor:
            cursor.execute(
                f'SELECT cache_key, value, expires < now() FROM "{self._table}" WHERE cache_key = ANY(%s)',
                [list(asked)],
            )
            rows = cursor.fetchall()
        self._base_delete_many([key for key, _value, past in rows if past])
        read = {asked[key]: _read(value) for key, value, past in rows if not past}
        return {key: value for key, value in read.items() if value is not MISS}

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        """Write one row. False where it was not written: `add` to what is there, `touch` of what is not."""
        written = json.dumps(value)
        until = self.get_backend_timeout(timeout)
        ends = NEVER if until is None else dt.datetime.fromtimestamp(until, dt.UTC)
        database = router.db_for_write(self.cache_model_class)
        try:
            with transaction.atomic(using=database), connections[database].cursor() as cursor:
                if mode == "touch":
                    cursor.execute(f'UPDATE "{self._table}" SET expires = %s WHERE cache_key = %s', [ends, key])
                    return bool(cursor.rowcount)
                self._make_room(database, cursor)
                cursor.execute(
                    f'INSERT INTO "{self._table}" (cache_key, value, expires) VALUES (%s, %s, %s) '
                    + CLASH[mode].format(table=self._table),
                    [key, written, ends],
                )
                return bool(cursor.rowcount)
        except DatabaseError:  # as Django's: what is only counted stops nothing
            return False

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Count on, by one statement: two at the same moment are two. Raises ValueError where there is no number to count
        on from."""
        counted = self.make_and_validate_key(key, version=version)
        with connections[router.db_for_write(self.cache_model_class)].cursor() as cursor:
            cursor.execute(
                f'UPDATE "{self._table}" SET value = (value::bigint + %s)::text'
                " WHERE cache_key = %s AND expires >= now() AND translate(value, '-0123456789', '') = '' RETURNING value",
                [delta, counted],
            )
            found = cursor.fetchone()
        if found is None:
            raise ValueError(f"{key!r} is not there, or no number")
        return int(found[0])

    def _make_room(self, database: str, cursor: Any) -> None:
        cursor.execute(f'SELECT count(*) FROM "{self._table}"')
        many = cursor.fetchone()[0]
        if many > self._max_entries:
            self._cull(database, cursor, timezone.now().replace(microsecond=0), many)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return MISS
