"""The log and the changes of state are never changed and never removed: by privilege, and by trigger."""

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from helpline.people.audit import log
from helpline.people.models import LogEntry
from referrals.actions import draft_referral, save_draft, send
from referrals.models import StateChange

WAYS = {
    "update": "UPDATE {table} SET id = id WHERE id = %s",
    "delete": "DELETE FROM {table} WHERE id = %s",
    "truncate": "TRUNCATE {table} CASCADE",
}


@pytest.fixture
def rows(cast, make_case):
    """One row of each table: LogEntry, StateChange."""
    referral = draft_referral(by=cast.caseworker, case=make_case(), agency=cast.agency, need="family_support")
    words = {"ask": "Ring", "happened": "Det har hänt", "ground": "DUTY", "ground_reason": "oro"}
    save_draft(by=cast.caseworker, referral=referral, words=words)
    send(by=cast.caseworker, referral=referral)
    connection.check_constraints()
    return {model: model.objects.latest("at") for model in (LogEntry, StateChange)}


def run(statement: str, row) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        parameters = [row.pk] if "%s" in statement else []
        cursor.execute(statement.format(table=row._meta.db_table), parameters)


def test_the_tests_run_as_the_applications_role(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == settings.APP_ROLE


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", [LogEntry, StateChange])
def test_the_applications_role_may_add_and_read_alone(model, way, rows):
    with pytest.raises(DatabaseError, match="permission denied|by an approved disposal alone"):
        run(WAYS[way], rows[model])
    assert model.objects.filter(pk=rows[model].pk).exists()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", [LogEntry, StateChange])
def test_the_owner_is_stopped_by_a_trigger(model, way, rows):
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE '%%no_truncate%%'", [table]
        )
        (trigger,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")  # conftest has switched it off for the flush
    with pytest.raises(
        DatabaseError, match="Cannot (update|delete) rows|are never removed|by an approved disposal alone"
    ):
        run(WAYS[way], rows[model])
    assert model.objects.filter(pk=rows[model].pk).exists()


@pytest.mark.parametrize("model", [LogEntry, StateChange])
def test_nor_by_the_models_own_ways(model, rows):
    row = rows[model]
    tries = [row.delete, row.save, model.objects.filter(pk=row.pk).delete]
    for attempt in tries:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert model.objects.filter(pk=row.pk).exists()


def test_a_row_says_who_as_what_when_and_which(cast, make_case, at):
    case = make_case()
    with at("2026-11-23 14:05"):
        made = log("case.read", by=cast.manager, case=case.pk, row="7", reason="cover")
    row = LogEntry.objects.get(pk=made.pk)
    assert (row.user, row.role, row.case, row.row) == (cast.manager, "manager", case.pk, "7")
    assert row.codes == {"reason": "cover"} and row.at.isoformat() == "2026-11-23T13:05:00+00:00"


def test_what_is_rolled_back_leaves_no_row(cast):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        log("case.read", by=cast.manager)
        raise ZeroDivisionError
    assert not LogEntry.objects.filter(event="case.read").exists()


def test_the_log_holds_no_names_and_no_words(cast, make_case):
    make_case(track="B", caller_name="Maja Lind", phone="0701234567", notes={"seen": "en kniv"}, safe_contact="sms")
    everything = str(list(LogEntry.objects.values()))
    for word in ("Maja", "Lind", "0701234567", "kniv", "Anna"):
        assert word not in everything
