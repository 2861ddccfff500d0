"""The mark of a database that is being restored: until all of it is done, the forgotten forgotten again, nobody is served.

The mark is an empty schema. It is there before the first table is, it needs no table to be read, and each role sees it.
"""

from typing import Any

from django.db import connection

MARK = "helpline_restoring"
IS_MARKED = f"SELECT to_regnamespace('{MARK}') IS NOT NULL"
WHY = (
    "This database is being restored, or its restore was cut off: what was forgotten since the backup may still be in it. "
    "Let `manage.py restore` finish, or restore anew into an empty database (docs/backup.md)."
)


def is_restoring() -> bool:
    """Whether this database has the mark."""
    with connection.cursor() as cursor:
        return is_marked(cursor)


def is_marked(cursor: Any) -> bool:
    """The same, by a cursor on any database."""
    cursor.execute(IS_MARKED)
    return bool(cursor.fetchone()[0])
