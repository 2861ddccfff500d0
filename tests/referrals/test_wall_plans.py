"""What an agency's pages ask of the second wall is found by an index of what is there now, however much has ended."""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from referrals import wall
from referrals.models import Referral

pytestmark = pytest.mark.django_db
ENDED = 5_000


@pytest.fixture
def years(cast, make_referral, make_case) -> Referral:
    """One handover that goes on with the agency, and thousands that ended there, longer ago than is shown."""
    on = make_referral("accepted")
    done = make_referral("completed", case=make_case(by=cast.caseworker))
    connection.check_constraints()
    own = {"id": "gen_random_uuid()", "leads": "false", "ended_at": "now() - interval '2 years'"}
    own["access_until"] = "(now() - interval '1 year')::date"
    columns = [field.column for field in Referral._meta.concrete_fields]
    named, values = (
        ", ".join(f'"{name}"' for name in columns),
        ", ".join(own.get(name, f'"{name}"') for name in columns),
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ALTER TABLE referrals_referral DISABLE TRIGGER USER")
        cursor.execute(
            f"INSERT INTO referrals_referral ({named}) SELECT {values} FROM referrals_referral, generate_series(1, %s)"  # noqa: S608
            " WHERE id = %s",
            [ENDED, done.pk],
        )
        connection.check_constraints()
        cursor.execute("ALTER TABLE referrals_referral ENABLE TRIGGER USER")
        cursor.execute("ANALYZE referrals_referral")
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
    return on


@pytest.mark.parametrize("column", ["id", "case_id"])
def test_which_rows_are_there_walks_indexes_of_what_is_there_now(years, cast, column):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")  # as the function does, that looks past the policies
        for name, value in {"agency": cast.agency.pk, "today": "2026-11-25", "now": "2026-11-25 12:00+01"}.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [f"helpline.{name}", str(value)])
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS OFF) {wall._seen(column)}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    ran = [line for line in plan.splitlines() if "never executed" not in line]
    assert not [line for line in ran if "Seq Scan on referrals_referral" in line], plan
    read = [int(float(rows)) for line in ran for rows in re.findall(r"Scan.*actual.*rows=([\d.]+)", line)]
    passed_over = [int(rows) for rows in re.findall(r"Rows Removed by \w+(?: \w+)*: (\d+)", plan)]
    assert read and max([*read, *passed_over]) < 10, plan


def test_the_inbox_asks_once_whose_it_is_and_shows_what_goes_on(years, cast, client_of):
    client = client_of(cast.partner)
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/portal/")
    assert list(page.context["in_progress"]) == [years]
    whose = [query["sql"] for query in queries if 'FROM "referrals_agencymember"' in query["sql"]]
    assert len([sql for sql in whose if sql.startswith('SELECT "referrals_agencymember"')]) == 1
    assert len(queries) < 25


def test_no_policy_calls_a_function_for_each_row():
    """A function that takes an id is called for each row that is looked at."""
    assert wall.FUNCTIONS and all(signature.endswith("()") for signature in wall.FUNCTIONS)
