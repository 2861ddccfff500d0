"""The bench: what it fills is what the application would have let in, and what it tells is right."""

import json
import random
import time
import uuid
from collections import Counter

import pytest
from django.conf import settings
from django.db import connection, transaction

from helpline.bench import bare, chain, desk, fill, people, report, whole
from helpline.bench.counting import Tally
from helpline.bench.facts import MEASURED, code_of, is_open, unit_of
from helpline.bench.measure import Beside, Figures, quantile
from helpline.bench.order import Order, read
from helpline.bench.pages import PAGES
from helpline.bench.rows import Rows
from helpline.bench.sealing import new_id
from helpline.local.console import Trouble
from helpline.local.state import CHECKOUT
from helpline.people import clock
from helpline.people.models import DataKey, LogLink, User
from intake import codes
from intake.models import Call, Case, FollowUp, Note


def beside(p50, floor=2.0, database=3.0, sql=1.5):
    figure = Figures(p50=p50, p95=2 * p50, rps=10, queries=5, database=database, bytes=1000, guard_queries=2, guard=1.5)
    return Beside(figure, Figures(floor, floor, 100, 3, 1.0, 500), sql, sql)


# -- what it fills ----------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(reference):
    """Six hundred cases, brought with every trigger and reference on but two: a referral is born in its state, since COPY
    makes no moves; that its changes lead there is asked at the end. By the owner, since COPY is not the application's."""
    people.make()
    write = fill.written(people.places(), 0, 600, 0, 600, time.time())
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE '%born_a_draft%'")
        [(trigger,)] = cursor.fetchall()
        cursor.execute(f"ALTER TABLE referrals_referral DISABLE TRIGGER {trigger}")
        counts = fill.bring(cursor.cursor, write)
        cursor.execute(f"SET ROLE {settings.APP_ROLE}")
    return counts


def test_every_trigger_constraint_and_reference_lets_the_rows_in(filled):
    connection.check_constraints()  # the deferred triggers speak: in somebody's hands, where its changes lead, the chain
    assert filled["intake_case"] == Case.objects.count() == 600
    assert filled["people_logentry"] == LogLink.objects.filter(place__isnull=False).count()
    assert Case.objects.open().count() == 15
    with connection.cursor() as cursor:
        assert list(whole.of_rows(cursor.cursor)) == []


def test_every_word_opens(filled):
    assert whole.unopened() == []
    note = Note.objects.select_related("call__key").filter(call__isnull=False).first()
    assert note.text.endswith(".") and note.call.signed_notes[0].text == note.text


def test_words_under_another_key_are_found(filled):
    one, other = Note.objects.filter(call__isnull=False).select_related("call")[:2]
    Call.objects.filter(pk=one.call_id).update(key=DataKey.new())
    assert any("does not open" in fault for fault in whole.unopened())
    assert other.call_id != one.call_id


def test_what_breaks_a_rule_is_found(filled):
    connection.check_constraints()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        FollowUp.objects.filter(state="planned").delete()
        faults = list(whole.of_rows(cursor.cursor))
        transaction.set_rollback(True)
    assert [fault.partition(":")[0] for fault in faults] == ["an open case is in somebody's hands"] or len(faults) == 2


def test_the_chain_in_bulk_is_that_of_the_database(filled):
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("SELECT e.id, helpline_log_text(e) FROM people_logentry e ORDER BY e.id")
        rows = cursor.fetchall()
    theirs = LogLink.objects.order_by("place").values_list("entry", "place", "hash")
    assert list(chain.links(rows, 0, b"")) == [(entry, place, bytes(held)) for entry, place, held in theirs]
    assert list(chain.links(rows[9:], 9, bytes(theirs[8][2])))[-1][1:] == (len(rows), bytes(theirs[len(rows) - 1][2]))


def test_the_measured_worker_finds_their_day(filled, client_of):
    worker = User.objects.get(pk=people.places().workers[0][0])
    browser = client_of(worker)
    mine = Case.objects.of(worker).open()
    assert mine and browser.get("/cases/").status_code == browser.get("/my-day/").status_code == 200
    assert browser.get(f"/cases/{mine[0].slug}/").status_code == 200


def test_the_bare_sql_of_each_page_is_of_these_tables(filled):
    at = people.places()
    desks = {"worker": desk.workers(1, at)[0], "manager": desk.managers(1, at)[0], "partner": desk.partners(1, at)[0]}
    other = desk.stranger(1, at)
    for page in PAGES:
        with connection.cursor() as cursor:
            page.sql(cursor.cursor, other if page.writes else desks[page.who])
    connection.check_constraints()
    theirs = [pk for pk, _code, _slug in desks["worker"].cases + desks["worker"].noted]
    assert theirs and all(note.text for note in Note.objects.filter(case__in=theirs).select_related("case__key"))


def test_what_is_made_at_one_size_is_not_of_the_unit_at_the_next(filled):
    at = people.places()
    had = set(Case.objects.filter(unit=at.units[0]).values_list("pk", flat=True))
    since = clock.now()
    with connection.cursor() as cursor:
        bare.complete(cursor.cursor, desk.stranger(1, at))
        made = Case.objects.exclude(pk__in=had).get(unit=at.units[0])
        Case.objects.filter(pk=made.pk).update(code=code_of(700))
        cursor.execute("SET ROLE NONE")
        desk.hand_on(cursor.cursor, at, since)
        cursor.execute(f"SET ROLE {settings.APP_ROLE}")
    assert set(Case.objects.filter(unit=at.units[0]).values_list("pk", flat=True)) == had
    made.refresh_from_db()
    step = made.steps.get()
    assert made.code != code_of(700), "which comes at the next"
    assert made.unit_id == at.units[1] and made.owner_id == step.owner_id == at.workers[1][0]


@pytest.mark.parametrize("number", [0, 39, 40, 19_960, 20_000, 20_050, 999_950, 999_999])
def test_open_cases_are_where_they_should_be(number):
    unit = unit_of(number, people.UNITS)
    assert 0 <= unit < people.UNITS
    if is_open(number):
        assert (unit == 0) == (number < 40 * MEASURED)


def test_the_measured_unit_has_the_same_open_cases_at_every_size_and_its_share_of_the_closed():
    for size in (20_000, 200_000):
        units = Counter(unit_of(number, people.UNITS) for number in range(size) if is_open(number))
        closed = Counter(unit_of(number, people.UNITS) for number in range(size) if not is_open(number))
        assert units[0] == MEASURED
        assert 0.85 < closed[0] / (closed.total() / people.UNITS) < 1.15
    open_ones = sum(map(is_open, range(1_000_000)))
    assert 0.019 < open_ones / 1_000_000 < 0.021


def test_each_case_has_a_number_of_its_own_that_people_can_say():
    numbers = [code_of(number) for number in range(0, 1_000_000, 97)]
    assert len(set(numbers)) == len(numbers)
    assert all(codes.normalise(number) == number for number in numbers[:500])
    assert codes.COMBINATIONS > 1_000_000


def test_an_identity_is_of_its_moment_and_sorts_by_it():
    dice = random.Random(1)
    early, late = (uuid.UUID(new_id(moment, dice)) for moment in (1_700_000_000.5, 1_700_000_001.5))
    assert early < late and early.version == 7 and early.variant == uuid.RFC_4122
    assert early.int >> 80 == 1_700_000_000_500


def test_a_column_that_each_row_must_bring_is_asked_for():
    with pytest.raises(ValueError, match=r"Note\.(id|kind|by|at)"):
        Rows(Note, "text")


# -- what it tells ----------------------------------------------------------------------------------------------------


def test_quantiles_are_values_that_were_measured():
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [quantile(values, part) for part in (0.5, 0.95, 1.0)] == [3.0, 5.0, 5.0]
    assert quantile(list(map(float, range(1, 101))), 0.95) == 95.0
    assert quantile([7.0], 0.5) == 7.0
    with pytest.raises(ValueError, match="nothing was measured"):
        quantile([], 0.5)


def test_the_figures_are_of_the_biggest_size_and_their_ratios_right():
    taken = {20_000: {"case": beside(4.0)}, 200_000: {"case": beside(5.0)}, 1_000_000: {"case": beside(6.0)}}
    assert report.figures(taken) == {
        "cases": 1_000_000,
        "pages": [
            {
                **{"name": "case", "p50_ms": 6.0, "p95_ms": 12.0, "rps": 10.0, "queries": 5, "bytes": 1000},
                **{"ratio_to_floor": 3.0, "ratio_to_sql": 2.0, "growth_from_20k": 1.5},
                **{"guard_queries": 2, "guard_share": 0.25},
            }
        ],
    }


def test_growth_is_told_only_where_twenty_thousand_were_measured(tmp_path):
    report.write({2_000: {"case": beside(4.0)}}, tmp_path / "bench.json")
    assert json.loads((tmp_path / "bench.json").read_text())["pages"][0]["growth_from_20k"] is None
    [line] = report.rows({20_000: {"case": beside(4.0)}}, 20_000)
    assert line[-2] == "-" and line[-1] == "38% [2]"


@pytest.mark.parametrize(
    ("sql", "is_its"),
    [
        ('INSERT INTO "people_logentry" ("event") VALUES (%s)', True),
        ('SELECT 1 FROM "intake_caseopening" WHERE "user_id" = %s', True),
        ('SELECT "id" FROM "intake_case" WHERE NOT "id" IN (SELECT "case_id" FROM "intake_namedaccess")', False),
        ('SELECT cardinality(ARRAY(SELECT U0."id" FROM "intake_caseopening" U0)) FROM "people_user" LIMIT 1', False),
        ("SELECT set_config('app.user', %s, true)", True),
    ],
)
def test_a_statement_of_the_guard_is_told_by_what_it_is_about(sql, is_its):
    assert Tally.is_of_guard(sql) is is_its


@pytest.mark.parametrize(
    ("cases", "sizes"),
    [(2_000, [2_000]), (20_000, [20_000]), (100_000, [20_000, 100_000]), (1_000_000, [20_000, 200_000, 1_000_000])],
)
def test_it_is_measured_on_the_way(cases, sizes):
    assert Order(cases=cases).sizes == sizes


@pytest.mark.parametrize("value", ["many", "-1", "999"])
def test_what_is_no_number_of_cases_is_refused(value):
    with pytest.raises(Trouble, match="BENCH_CASES"):
        read({"BENCH_CASES": value})


def test_the_document_gets_the_tables_in_their_place_and_keeps_its_text(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text(f"# Fast\n{report.BEGIN}\nold\n{report.END}\nHow.\n")
    report.draw({20_000: {"case": beside(4.0)}, 1_000_000: {"case": beside(6.0)}}, "Today.", document)
    text = document.read_text()
    assert text.startswith("# Fast\n") and text.endswith("How.\n") and "old" not in text
    assert text.index("### 1,000,000 cases") < text.index("### 20,000 cases")
    document.write_text("# Fast\n")
    with pytest.raises(ValueError, match="no place"):
        report.draw({20_000: {}}, "", document)


def test_the_document_of_the_project_has_its_place():
    text = (CHECKOUT / "docs" / "performance.md").read_text()
    assert text.count(report.BEGIN) == text.count(report.END) == 1
