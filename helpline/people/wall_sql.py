"""The second wall as PostgreSQL has it: the role's rights and the policies, raised by the owner after each migration."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections, transaction

from helpline.people.wall import FUNCTIONS, WALL, Walled

OURS, THEIRS = "ours_alone", "portal_reads"  # the two policies of a table
LOG = "people_logentry"  # a reading behind the wall is written down, and no row of it read

ROLE = """
    SELECT pg_has_role(a.oid, p.oid, 'SET'), pg_has_role(a.oid, p.oid, 'USAGE'), p.rolbypassrls OR p.rolsuper,
           EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = p.oid), p.rolcanlogin,
           EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = p.oid), a.oid = p.oid
      FROM pg_roles p, pg_roles a WHERE p.rolname = %s AND a.rolname = %s
"""
ANYBODY_CREATES = """
    SELECT EXISTS (SELECT 1 FROM pg_namespace n, aclexplode(n.nspacl) a
                    WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE')
"""
MAY_CREATE = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
POLICIES = "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' AND policyname = %s"
OPEN = """
    SELECT t.name FROM unnest(%s) AS t(name) LEFT JOIN pg_class c ON c.oid = to_regclass('public.' || quote_ident(t.name))
     WHERE NOT coalesce(c.relrowsecurity, false)
        OR NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %s)
     ORDER BY 1
"""


def two_lines() -> str:
    """What makes the role, for a superuser or who may create roles."""
    role, application = _quoted(settings.PORTAL_ROLE), _quoted(_app())
    return f"CREATE ROLE {role} NOLOGIN;\n  GRANT {role} TO {application} WITH INHERIT FALSE, SET TRUE;"


def make_role(using: str) -> bool:
    """Make the role where it is missing and we may. Whether there is one. Outside demo mode raises CommandError where there
    is none; there it warns, and the portal works without its second wall."""
    with connections[using].cursor() as cursor:
        cursor.execute(ROLE, [settings.PORTAL_ROLE, _app()])
        found = cursor.fetchone()
        if found and (found[0] or found[-1]):
            return True
        cursor.execute(MAY_CREATE)
        if cursor.fetchone()[0]:
            lines = two_lines().split(";\n")
            for line in lines[1:] if found else lines:
                cursor.execute(line)
            return True
    missing = (
        f"The second wall is missing: there is no role {settings.PORTAL_ROLE} that {_app()} may take on, and "
        f"this login may not make it. As a superuser, once:\n  {two_lines()}\nThen migrate again."
    )
    if not settings.DEMO:
        raise CommandError(missing)
    print(f"WARNING. {missing}\nUntil then agencies are kept apart by the application alone.", file=sys.stderr)
    return False


def lower_wall(using: str) -> None:
    """Take down what would stand in the way of a migration: meanwhile the portal's role sees no row at all."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(POLICIES, [THEIRS])
        for table, policy in cursor.fetchall():
            cursor.execute(f"DROP POLICY {policy} ON {_quoted(table)}")
        for signature in FUNCTIONS:
            cursor.execute(f"DROP FUNCTION IF EXISTS {signature}")


def raise_wall(using: str) -> None:
    """Give the portal's role what WALL says, and nothing else. Runs as the owner of the tables; harmless when run again.
    Raises CommandError as make_role() does."""
    connection = connections[using]
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    if not {walled.table for walled in WALL} | {LOG} <= there:  # migrated to before there was such a wall
        return
    if not make_role(using):
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        role = _quoted(settings.PORTAL_ROLE)
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        for signature, definition in FUNCTIONS.items():
            cursor.execute(f"CREATE OR REPLACE FUNCTION {signature} {definition}")
            cursor.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {role}")
        for walled in WALL:
            _wall_off(cursor, walled, role)
        cursor.execute(f"GRANT INSERT, SELECT (id) ON {LOG} TO {role}")


def _wall_off(cursor: Any, walled: Walled, role: str) -> None:
    table = _quoted(walled.table)
    cursor.execute(f"GRANT SELECT ({', '.join(map(_quoted, walled.columns))}) ON {table} TO {role}")
    if not walled.rows:
        return
    cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    cursor.execute(f"DROP POLICY IF EXISTS {OURS} ON {table}")
    cursor.execute(f"DROP POLICY IF EXISTS {THEIRS} ON {table}")
    cursor.execute(f"CREATE POLICY {OURS} ON {table} TO {_quoted(_app())} USING (true) WITH CHECK (true)")
    cursor.execute(f"CREATE POLICY {THEIRS} ON {table} FOR SELECT TO {role} USING ({walled.rows})")


def faults_of_wall(using: str = "default") -> list[str]:
    """What is wrong with the wall, each as a sentence; empty where it stands."""
    with connections[using].cursor() as cursor:
        cursor.execute(ROLE, [settings.PORTAL_ROLE, _app()])
        row = cursor.fetchone()
        if row is None or not row[0]:
            return [f"The role of the portal is missing. As a superuser, then migrate:\n  {two_lines()}"]
        cursor.execute(OPEN, [[walled.table for walled in WALL if walled.rows], THEIRS])
        unguarded = [name for (name,) in cursor.fetchall()]
        cursor.execute(ANYBODY_CREATES)
        anybody = bool(cursor.fetchone()[0])
    _set, inherits, bypasses, owns, logs_in, is_member, is_app = row
    role = settings.PORTAL_ROLE
    faults = {
        f"PORTAL_ROLE is the application's own role: {role}.": is_app,
        f"The role {role} is granted with INHERIT: grant it again WITH INHERIT FALSE, SET TRUE.": inherits
        and not is_app,
        f"The role {role} bypasses row-level security.": bypasses,
        f"The role {role} owns tables.": owns,
        f"The role {role} may log in.": logs_in,
        f"The role {role} is a member of another role.": is_member,
        f"Row-level security is off, or lacks its policy, on {', '.join(unguarded)}: migrate again.": bool(unguarded),
        "Anybody may create tables in the schema public: REVOKE CREATE ON SCHEMA public FROM PUBLIC, as its owner.": anybody,
    }
    return [text for text, is_so in faults.items() if is_so]


def _app() -> str:
    return str(settings.APP_ROLE)


def _quoted(name: str) -> str:
    return '"' + str(name).replace('"', '""') + '"'
