"""How a test that commits leaves the database: as every test finds it, without emptying what it never filled.

Django truncates all tables after such a test, which takes half a second. Here only tables that have rows are emptied, and
reference data that the test changed is put back from a copy."""

from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction

COPIES = "reference_copies"  # a schema of the test database alone


@contextmanager
def as_owner():
    """The cursor of the tables' owner; afterwards the connection is the application's again."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        try:
            yield cursor
        finally:
            cursor.execute(f"SET ROLE {settings.APP_ROLE}")


def keep_copies() -> None:
    """Of each table with rows, as all tests are to find it."""
    with as_owner() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {COPIES} CASCADE; CREATE SCHEMA {COPIES}")
        for table in _filled(cursor):
            cursor.execute(f'CREATE TABLE {COPIES}."{table}" AS TABLE public."{table}"')


def empty() -> None:
    """Empty what has rows that no test finds at its beginning, and put the copies back."""
    with as_owner() as cursor:
        changed = _changed(cursor)
        triggers = _against_deleting(cursor, changed)
        _switch(cursor, "DISABLE", triggers)
        try:
            with transaction.atomic():  # keys that point at other rows are looked at when all is gone and back
                for table in changed:
                    cursor.execute(f'DELETE FROM public."{table}"')
                for table in sorted(set(changed) & _copies(cursor)):
                    cursor.execute(f'INSERT INTO public."{table}" OVERRIDING SYSTEM VALUE TABLE {COPIES}."{table}"')
        finally:
            _switch(cursor, "ENABLE", triggers)


def _tables() -> list[str]:
    return connection.introspection.django_table_names(only_existing=True, include_views=False)


def _filled(cursor) -> list[str]:
    cursor.execute(" UNION ALL ".join(f"SELECT '{one}' WHERE EXISTS (TABLE public.\"{one}\")" for one in _tables()))
    return [row[0] for row in cursor.fetchall()]


def _copies(cursor) -> set[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [COPIES])
    return {row[0] for row in cursor.fetchall()}


def _changed(cursor) -> list[str]:
    """Tables with rows; of those that have a copy, the ones that are no longer like it."""
    copies = _copies(cursor)
    changed = [table for table in _filled(cursor) if table not in copies]
    for table in sorted(copies):
        here, there = f'TABLE public."{table}"', f'TABLE {COPIES}."{table}"'
        cursor.execute(f"SELECT EXISTS (({here} EXCEPT ALL {there}) UNION ALL ({there} EXCEPT ALL {here}))")
        changed += [table] if cursor.fetchone()[0] else []
    return changed


def _against_deleting(cursor, tables: list[str]) -> list[tuple[str, str]]:
    """The triggers that speak where a row goes: table and name."""
    cursor.execute(
        "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND tgenabled <> 'D' AND (tgtype & 8) <> 0 AND relname = ANY(%s)",
        [tables],
    )
    return cursor.fetchall()


def _switch(cursor, way: str, triggers: list[tuple[str, str]]) -> None:
    for table, name in triggers:
        cursor.execute(f'ALTER TABLE public."{table}" {way} TRIGGER "{name}"')
