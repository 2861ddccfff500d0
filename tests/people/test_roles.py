"""Two database roles: the application's runs and owns nothing; and what the roles without a unit have."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from django.urls import reverse

from helpline.people.access import MAY
from helpline.people.models import User
from intake.models import Case


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
    """What it needs: to read everywhere and to add except what the database writes, to change and remove except what is
    append-only."""
    read_only = [model._meta.db_table for model in apps.get_models() if getattr(model, "read_only", False)]
    lacking = ask(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND NOT (has_table_privilege(%s, oid, 'SELECT')"
        " AND (relname = ANY(%s) OR has_table_privilege(%s, oid, 'INSERT')))",
        settings.APP_ROLE,
        read_only,
        settings.APP_ROLE,
    )
    assert lacking == []


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        ("coordinator", {"see_statistics", "use_account", "read_demo_mail"}),
        (
            "keeper",
            {"keep_users", "keep_agencies", "keep_grounds", "keep_board", "see_mail", "use_account", "read_demo_mail"},
        ),
    ],
)
def test_who_sees_no_case_has_these_acts_and_no_other(role, acts):
    assert {act for act, roles in MAY.items() if role in roles} == acts


def test_the_reviewer_has_no_act_on_a_case(cast):
    theirs = {act for act, roles in MAY.items() if "reviewer" in roles}
    assert not theirs & {"see_cases", "work_case", "refer", "break_glass", "search_person", "log_call", "name_staff"}
    assert {"read_log", "review_openings"} <= theirs
    assert (
        not Case.objects.visible_to(cast.reviewer).exists() and not Case.objects.within_reach_of(cast.reviewer).exists()
    )


def test_the_keepers_form_makes_roles_without_a_unit(cast, client_of):
    facts = {"first_name": "Ylva", "last_name": "Ek", "email": "ylva@example.com", "phone": "", "unit": cast.unit.pk}
    for role in ("coordinator", "reviewer"):
        user = User.objects.create(
            username=f"new-{role}", role=role, first_name="Y", last_name="E", email="y@example.com"
        )
        saved = client_of(cast.keeper).post(
            reverse("keeper:user-edit", args=[user.pk]), {**facts, "role": role, "part": "facts"}
        )
        assert saved.status_code == 302, role
        user.refresh_from_db()
        assert user.first_name == "Ylva" and user.unit is None
