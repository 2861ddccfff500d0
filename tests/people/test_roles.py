"""Two database roles: the application's runs and owns nothing."""

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction


def ask(question: str, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchall()


def test_the_owner_is_another_role(db):
    owners = {row[0] for row in ask("SELECT tableowner FROM pg_tables WHERE schemaname = 'public'")}
    assert len(owners) == 1 and settings.APP_ROLE not in owners


def test_the_applications_role_owns_nothing(db):
    owned = ask(
        "SELECT relname FROM pg_class WHERE relowner = %(role)s::regrole"
        " UNION ALL SELECT proname FROM pg_proc WHERE proowner = %(role)s::regrole"
        " UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = %(role)s::regrole"
        " UNION ALL SELECT datname FROM pg_database WHERE datdba = %(role)s::regrole".replace(
            "%(role)s", f"'{settings.APP_ROLE}'"
        )
    )
    assert owned == []


def test_the_applications_role_is_no_superuser_and_no_member_of_the_owner(db):
    rights = ask(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s",
        settings.APP_ROLE,
    )
    assert rights == [(False,) * 5]
    (owner,) = ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")[0]
    assert ask("SELECT pg_has_role(%s, %s, 'MEMBER')", settings.APP_ROLE, owner) == [(False,)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE intake_case ADD COLUMN mine int",
        "ALTER TABLE people_logentry DISABLE TRIGGER ALL",
        "DROP TABLE intake_reminder",
        "TRUNCATE intake_case CASCADE",
        "DROP TRIGGER pgtrigger_in_hands_bf8da ON intake_case",
        "SET session_replication_role = replica",
    ],
)
def test_the_applications_role_changes_no_table(statement, db):
    with (
        pytest.raises(ProgrammingError, match="permission denied|must be owner|does not exist"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_it_works_with_every_table(db):
    """What it needs: to read and add everywhere, to change and remove except what is append-only."""
    lacking = ask(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND NOT (has_table_privilege(%s, oid, 'SELECT') AND has_table_privilege(%s, oid, 'INSERT'))",
        settings.APP_ROLE,
        settings.APP_ROLE,
    )
    assert lacking == []
