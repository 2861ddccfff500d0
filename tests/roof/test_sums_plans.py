"""The counting of one day walks an index on its time, however much there is of other days."""

import datetime as dt
import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, models

from helpline import sums
from helpline.people import clock
from intake import actions as intake
from intake.models import ConcernReport
from referrals import actions
from referrals.models import CallerAnswer, StateChange

ROWS = 6_000  # over as many quarters of a day: four years
TABLES = [
    *("people_datakey", "intake_case", "intake_call", "intake_concernreport", "intake_bounce"),
    *("referrals_referral", "referrals_statechange", "referrals_calleranswer"),
]
# what is counted -> the index that its rows of a day are found by
INDEXES = {
    "call": "calls_of_day",
    "case": "cases_of_day",
    "handover": "referrals_by_time",
    "in_time": "referrals_by_time",
    "late": "referrals_by_time",
    "contact": "contacts_by_time",
    "closed": "closed_of_day",
    "report": "reports_by_time",
    "asked": "caller_answers_by_time",
}


def many_of(cursor: Any, row: models.Model, **own: str) -> None:
    """As many rows as this one, with what is their own: column -> SQL over its number n, its time `at` and `one`."""
    fields = [field.column for field in row._meta.concrete_fields]
    columns = [name for name in fields if not (name == "id" and isinstance(row._meta.pk, models.AutoField))]
    values = [own.get(name, f'one."{name}"') for name in columns]
    named = ", ".join(f'"{name}"' for name in columns)
    table = row._meta.db_table
    cursor.execute(
        f"INSERT INTO {table} ({named}) SELECT {', '.join(values)} FROM {table} one, made WHERE one.id = %s",  # noqa: S608
        [row.pk],
    )


@pytest.fixture
def four_years(cast, make_call, make_referral) -> None:
    """Thousands of each thing that is counted, each in its own quarter of a day; as the owner, whose triggers rest."""
    done = make_referral("completed")
    actions.caller_says(by=cast.caseworker, referral=done, answer="helped")
    call = make_call(caller_type="other", urgency="NORMAL", notes={"told": "She heard it."})
    call = intake.complete_call(by=cast.caseworker, call=call) or call
    report = ConcernReport.objects.create(case=done.case, child_age_band="0-12", registered_by=cast.caseworker)
    connection.check_constraints()
    at = {"sent_at": "made.at", "answer_due_at": "made.at", "received_at": "made.at", "opened_at": "made.at"}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(
            "CREATE TEMP TABLE made AS SELECT n, gen_random_uuid() AS key, gen_random_uuid() AS own,"
            " gen_random_uuid() AS referral, now() - n * interval '6 hours' AS at FROM generate_series(1, %s) n",
            [ROWS],
        )
        many_of(cursor, done.case.key, id="made.key")
        closed = {
            "closed_at": "made.at",
            "closed_by_id": "one.owner_id",
            "closing_reason": "'done'",
            "next_due_at": "NULL",
        }
        many_of(cursor, done.case, id="made.own", key_id="made.key", code="'many-' || made.n", **at, **closed)
        many_of(cursor, call, id="made.own", key_id="made.key", start_token="NULL", **at, completed_at="made.at")
        many_of(cursor, done, id="made.referral", case_id="made.own", leads="false", **at)
        contact = StateChange.objects.filter(referral=done, target="contact_made").first()
        many_of(cursor, contact, id="gen_random_uuid()", referral_id="made.referral", at="made.at")
        answer = CallerAnswer.objects.filter(referral=done).first()
        many_of(cursor, answer, id="gen_random_uuid()", referral_id="made.referral", at="made.at")
        many_of(cursor, report, id="gen_random_uuid()", case_id="made.own", **at)
        connection.check_constraints()
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"ANALYZE {table}")
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")


def test_each_measure_of_one_day_walks_an_index_on_its_time(four_years):
    assert set(INDEXES) == {measure.what for measure in sums.MEASURES}
    begin, end = sums._bounds(*2 * [clock.today() - dt.timedelta(days=300)])
    for measure in sums.MEASURES:
        rows = measure.rows().filter(**{f"{measure.at}__gte": begin, f"{measure.at}__lt": end}).order_by()
        assert rows.count() == (0 if measure.what in ("in_time", "late") else 4), (
            measure.what
        )  # answered on one day all
        for part, value in {"": models.Value(""), **measure.parts}.items():
            plan = sums._sums(measure, rows, part, value).explain()
            assert f"on {INDEXES[measure.what]} " in plan or f"using {INDEXES[measure.what]} " in plan, (
                measure.what,
                plan,
            )
            scanned = re.findall(r"Seq Scan on (\w+)", plan)
            assert not set(scanned) & set(TABLES) - {"intake_bounce"}, (measure.what, part, plan)
