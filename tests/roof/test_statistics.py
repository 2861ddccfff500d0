"""Statistics that may leave the house: ended quarters and years of the whole line, counted once, suppressed and frozen."""

import csv
import datetime as dt
import io
import time
import zipfile

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import override
from pypdf import PdfReader

from helpline import statistics, statistics_shown, sums
from helpline.definitions import DEFINITIONS, NUMBERS, RULES, TABLES, Definition
from helpline.people.models import LogEntry, Municipality
from helpline.statistics import Period, period_of, periods, quantile, settle, told
from helpline.statistics_out import DANGEROUS, as_csv, as_pdf, as_xlsx, harmless
from helpline.statistics_shown import READ, TILES, sheet
from intake import actions
from intake.models import Call, DaySum, PastCase, ToldPeriod

Q3, Q4, YEAR = Period(2026, 3), Period(2026, 4), Period(2026)
FEBRUARY = "2027-02-01 10:00"  # when the year is told


def summed():
    while sums.sum_up():
        pass


def calls(make_call, by, count, **facts):
    return [actions.complete_call(by=by, call=make_call(by=by, urgency="NORMAL", **facts)) for _one in range(count)]


@pytest.fixture
def quarter(make_call, cast, at):
    """The third quarter of 2026: 18 calls of two units."""
    with at("2026-08-11 10:00"):
        calls(make_call, cast.caseworker, 7, caller_type="relative", municipality_id="1499", milieu="ISLAMIST")
        calls(make_call, cast.caseworker, 6, caller_type="other", municipality_id="1496")
        calls(make_call, cast.stranger, 5, caller_type="relative", municipality_id="1493")
    summed()


def _sums(unit, what, count, day="2026-08-11", **parts):
    """As sum_up would have kept them."""
    for part, value in {"": "", **parts}.items():
        DaySum.objects.create(unit=unit, what=what, part=part, value=value, day=day, count=count, minutes=40 * count)


@pytest.fixture
def kept(cast):
    """The same quarter as sums alone."""
    _sums(cast.unit, "call", 13, caller="relative", milieu="ISLAMIST", age="15-17", urgency="NORMAL")
    _sums(cast.other_unit, "call", 5, caller="relative", milieu="UNKNOWN", age="15-17", urgency="NORMAL")
    for unit, place, count in ((cast.unit, "1499", 7), (cast.unit, "1496", 6), (cast.other_unit, "1493", 5)):
        DaySum.objects.create(unit=unit, what="call", part="place", value=place, day="2026-08-11", count=count)


@pytest.fixture
def year(kept, cast):
    """That quarter, and one after it with more calls."""
    rows = ((cast.unit, "1499", 20, "01"), (cast.unit, "1496", 20, "02"), (cast.other_unit, "1493", 15, "03"))
    for unit, place, count, day in rows:
        _sums(unit, "call", count, f"2026-11-{day}", caller="relative", urgency="NORMAL", place=place)


def settled(at, moment="2026-11-22 10:00"):
    with at(moment):
        settle()


def test_a_quarter_is_told_when_it_has_settled_and_not_before(quarter, at):
    settled(at, "2026-10-29 12:00")
    assert periods() == []
    settled(at, "2026-10-31 12:00")
    assert periods() == [Q3] and told(Q3)["call"]["all"] == 18


def test_a_quarter_that_goes_on_is_never_told(quarter, make_call, cast, at):
    with at("2026-11-20 10:00"):
        calls(make_call, cast.caseworker, 9, caller_type="relative")
    summed()
    settled(at)
    assert periods() == [Q3]


def test_a_day_that_is_still_to_be_counted_lets_it_wait(quarter, make_call, cast, at):
    with at("2026-08-12 10:00"):
        calls(make_call, cast.caseworker, 1, caller_type="relative")
    settled(at)
    assert periods() == []
    summed()
    settled(at)
    assert told(Q3)["call"]["all"] == 19


def test_practice_counts_nowhere(quarter, at):
    Call.objects.filter(pk__in=Call.objects.values("pk")[:1]).update(is_practice=True)
    summed()
    settled(at)
    assert told(Q3)["call"]["all"] == 17


def test_what_is_under_five_is_not_told_nor_what_would_give_it_away(quarter, make_call, cast, at):
    with at("2026-08-13 10:00"):
        calls(make_call, cast.caseworker, 2, caller_type="other", municipality_id="1472")
    summed()
    settled(at, FEBRUARY)
    cells = told(YEAR)["call"]["parts"]["place"]
    assert cells["1472"] is None and all(count is None or count >= 5 for count in cells.values())
    assert sum(1 for count in cells.values() if count is None) > 1


def test_two_exports_of_different_days_are_the_same(quarter, make_call, cast, at):
    """Corrected, added and deleted afterwards: what was told stays."""
    settled(at)
    before = told(Q3)
    Call.objects.filter(milieu="ISLAMIST").update(milieu="RIGHT")
    Call.objects.filter(pk=Call.objects.values("pk")[:1]).update(is_practice=True)
    with at("2026-08-14 10:00"):
        calls(make_call, cast.caseworker, 1, caller_type="relative")
    summed()
    settled(at, "2026-11-23 10:00")
    assert told(Q3) == before and periods() == [Q3]


def test_what_was_told_is_never_changed(quarter, at):
    settled(at)
    for change in ("UPDATE intake_toldperiod SET told = '{}'", "DELETE FROM intake_toldperiod"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    settled(at)
    assert ToldPeriod.objects.count() == 1


def test_a_year_is_of_what_its_quarters_were_told_from(quarter, make_call, cast, at):
    with at("2026-11-20 10:00"):
        calls(make_call, cast.caseworker, 8, caller_type="relative", municipality_id="1499")
    summed()
    settled(at)  # the third quarter is frozen
    Call.objects.filter(milieu="ISLAMIST").update(is_practice=True)
    summed()
    settled(at, "2027-02-01 10:00")
    assert periods() == [Period(2026), Q4, Q3]
    assert told(Period(2026))["call"]["all"] == told(Q3)["call"]["all"] + told(Q4)["call"]["all"] == 26


def test_a_year_is_not_told_before_its_last_quarter(quarter, at):
    settled(at, "2027-01-29 10:00")
    assert Period(2026) not in periods()


def test_tables_are_told_of_years_alone_and_of_their_sums(cast, at):
    """A quarter tells its numbers: what two tellings of one table leave cannot be subtracted."""
    for month, tibro in ((2, 3), (5, 9), (8, 2), (11, 4)):
        day = dt.date(2026, month, 11)
        _sums(cast.unit, "call", tibro + 21, day)
        for place, count in (("1472", tibro), ("1496", 9), ("1499", 12)):
            DaySum.objects.create(unit=cast.unit, what="call", part="place", value=place, day=day, count=count)
    settled(at, FEBRUARY)
    assert all("parts" not in one for quarter in YEAR.quarters for one in told(quarter).values())
    assert not any(sheet(quarter).tables or sheet(quarter).tiles for quarter in YEAR.quarters)
    year = told(YEAR)["call"]
    assert year["all"] == 102 and {code: n for code, n in year["parts"]["place"].items() if n} == {
        "1496": 36,
        "1499": 48,
    }


def test_a_year_whose_total_is_not_told_tells_no_cell(cast, at):
    """Else its cells would add up to the quarter that is not told."""
    for month, count in ((2, 20), (5, 20), (8, 20), (11, 3)):
        _sums(cast.unit, "call", count, dt.date(2026, month, 11), urgency="NORMAL")
    settled(at, FEBRUARY)
    year = told(YEAR)["call"]
    assert year["all"] is None and set(year["parts"]["urgency"].values()) == {None}


def test_a_year_tells_no_table_that_a_quarter_has_told(kept, at):
    """As quarters once did: the one could be taken from the other."""
    settled(at)
    first = ToldPeriod.objects.get()
    found = {what: {**one, "parts": {}} for what, one in first.told.items()}
    for tells, has in ((first.told, True), (found, False)):
        year = statistics.told_of_year([first.counts], [tells])
        assert bool(year["call"]["parts"]) is has and year["call"]["all"] == 18


def test_what_is_forgotten_counts_in_its_quarter(kept, cast, at):
    same = {"unit": cast.unit, "opened_quarter": Q3.first, "track": "A", "milieu": "UNKNOWN", "age_band": "unknown"}
    same |= {"caller_type": "relative", "urgency": "NORMAL"}
    PastCase.objects.create(calls=7, handovers=6, closed_quarter=Q3.first, closing_reason="needs_met", **same)
    PastCase.objects.create(is_call=True, calls=1, **same)
    settled(at)
    found = told(Q3)
    assert found["call"]["all"] == 26 and found["handover"]["all"] == 6
    assert ToldPeriod.objects.get().counts["case"]["all"] == {str(cast.unit.pk): 1}


def test_a_case_and_its_end_are_counted(make_case, cast, at):
    with at("2026-07-06 10:00"):
        cases = [make_case() for _one in range(6)]
    with at("2026-08-06 10:00"):
        for case in cases:
            actions.finish_step(by=cast.caseworker, step=case.steps.get(), close="needs_met")
    summed()
    settled(at)
    found = told(Q3)
    assert found["case"]["all"] == found["closed"]["all"] == 6
    assert DaySum.objects.of("closed", "reason").get().value == "needs_met"


# -- what is in no list ------------------------------------------------------------------------------------------------


def test_where_no_row_can_be_in_the_rest_the_table_has_none(year, cast, at):
    """Of handovers each has its type and its answer; of calls each municipality may be another. What was never answered is
    told with what came late: the answers would bound it."""
    DaySum.objects.create(unit=cast.unit, what="handover", day="2026-08-11", count=25)
    for part, cells in {
        "agency": {str(cast.agency.pk): 15, str(cast.other_agency.pk): 10},
        "answered": {"in_time": 15, "late": 6, "waiting": 4},
        "met": {"accepted": 12, "declined": 13},
    }.items():
        for value, count in cells.items():
            DaySum.objects.create(
                unit=cast.unit, what="handover", part=part, value=value, day="2026-08-11", count=count
            )
    same = {"agency": str(cast.agency.pk), "answered": "in_time", "met": "accepted"}
    _sums(cast.unit, "handover", 10, "2026-11-11", **same)
    settled(at, FEBRUARY)
    parts = told(YEAR)["handover"]["parts"]
    assert parts["answered"] == {"in_time": 25, "late": 10}
    assert "" not in parts["agency"] and "" not in parts["met"] and "" in told(YEAR)["call"]["parts"]["place"]
    shown = {table.definition.key: [line.label for line in table.lines] for table in sheet(YEAR).tables}
    assert shown["answered"] == ["In time", "Late or not at all"]
    assert "Other or not known" not in shown["met"] and "Other municipality, or not known" in shown["places"]


@pytest.mark.parametrize("handovers", [0, 3, 9])
def test_that_a_rest_is_there_says_only_that_something_is_forgotten(handovers, kept, cast, at):
    """Whether that had a handover or not."""
    past = {"unit": cast.unit, "opened_quarter": Q3.first, "track": "A", "milieu": "UNKNOWN", "age_band": "unknown"}
    past |= {"caller_type": "relative", "urgency": "NORMAL", "closed_quarter": Q3.first}
    PastCase.objects.create(calls=1, handovers=handovers, **past)
    DaySum.objects.create(unit=cast.unit, what="handover", day="2026-08-11", count=30)
    for value, count in {"in_time": 16, "late": 14}.items():
        DaySum.objects.create(
            unit=cast.unit, what="handover", part="answered", value=value, day="2026-08-11", count=count
        )
    _sums(cast.unit, "handover", 20, "2026-11-11", answered="in_time")
    settled(at, FEBRUARY)
    assert told(Q3)["handover"]["all"] == 30 + handovers and told(YEAR)["handover"]["all"] == 50 + handovers
    rest = told(YEAR)["handover"]["parts"]["answered"][""]
    assert rest is None or rest == handovers == 9
    assert any(line.label == "Other or not known" for line in _table_of("answered").lines)


def _table_of(key):
    return next(table for table in sheet(YEAR).tables if table.definition.key == key)


def test_what_was_never_said_is_in_the_rest(cast, at):
    """So that each table holds all that its total does."""
    _sums(cast.unit, "call", 30)
    DaySum.objects.create(unit=cast.unit, what="call", part="milieu", value="RIGHT", day="2026-08-11", count=20)
    settled(at)
    assert ToldPeriod.objects.get().counts["call"]["parts"]["milieu"][""] == {str(cast.unit.pk): 10}


# -- lengths and medians -----------------------------------------------------------------------------------------------


def contacts(unit, count, hours, day="2026-08-11"):
    DaySum.objects.create(unit=unit, what="contact", day=day, hours=hours, count=count)


def numbers_of(period):
    return {line.label: line.count for line in sheet(period).numbers}


MEDIAN, HOURS, LENGTH = "Hours to first contact, half of them", "Hours in calls", "Mean length, minutes"


@pytest.mark.parametrize("others", [1, 4, 5])
def test_a_median_of_few_of_another_unit_is_not_told(others, cast, at):
    """Who knows her own unit's would know the one that is not hers."""
    for count, hours in ((10, 10), (10, 100)):
        contacts(cast.unit, count, hours)
        contacts(cast.unit, count, hours, "2026-11-11")
    contacts(cast.other_unit, others, 27)
    settled(at, "2027-02-01 10:00")
    for period, count in ((Q3, 20 + others), (Period(2026), 40 + others)):
        assert numbers_of(period)["First contacts"] == count
        assert numbers_of(period)[MEDIAN] == (27 if others == 5 else None)
    assert numbers_of(Q4)[MEDIAN] == 10


@pytest.mark.parametrize("count", [5, 9, 10])
def test_a_median_is_told_of_ten_or_more(count, cast, at):
    contacts(cast.unit, count, 27)
    settled(at)
    assert numbers_of(Q3)["First contacts"] == count
    assert numbers_of(Q3)[MEDIAN] == (27 if count == 10 else None)


def test_a_year_tells_no_median_where_the_total_of_a_quarter_is_not_told(cast, at):
    """It would be of them too."""
    contacts(cast.unit, 12, 27)
    contacts(cast.unit, 3, 90, "2026-11-11")
    settled(at, "2027-02-01 10:00")
    assert told(Q4)["contact"]["all"] is None and numbers_of(Q3)[MEDIAN] == 27
    assert numbers_of(Period(2026))[MEDIAN] is None
    assert told(Period(2026))["contact"] == {"all": None, "minutes": None, "median": None, "parts": {}}


@pytest.mark.parametrize("others", [1, 5])
def test_the_length_of_few_calls_of_another_unit_is_not_told(others, cast, at):
    """Nor in the year, where the other quarters are told."""
    _sums(cast.unit, "call", 20)
    _sums(cast.unit, "call", 20, "2026-11-11")
    _sums(cast.other_unit, "call", others)
    settled(at, "2027-02-01 10:00")
    for period, count, hours in ((Q3, 20, 17), (Period(2026), 40, 30)):
        numbers = numbers_of(period)
        assert numbers["Calls"] == count + others, "that there were so many is told"
        assert (numbers[HOURS], numbers[LENGTH]) == ((hours, 40) if others == 5 else (None, None))
    assert numbers_of(Q4)[LENGTH] == 40


def test_no_length_is_told_of_calls_whose_minutes_are_forgotten(kept, cast, at):
    """Nor in the year: the minutes of the other quarters are not those of all its calls."""
    same = {"unit": cast.unit, "opened_quarter": Q3.first, "caller_type": "relative", "urgency": "NORMAL"}
    PastCase.objects.create(is_call=True, calls=18, **same)
    _sums(cast.unit, "call", 20, "2026-11-11")
    settled(at, "2027-02-01 10:00")
    assert numbers_of(Q3)["Calls"] == 36 and numbers_of(Q4)[LENGTH] == 40
    for period in (Q3, Period(2026)):
        assert numbers_of(period)[HOURS] is numbers_of(period)[LENGTH] is None
        for make, form in ((as_csv, "csv"), (as_xlsx, "xlsx"), (as_pdf, "pdf")):
            with override("en-SE"):
                assert "nottold" in text_of(make(sheet(period)), form)


def test_what_was_frozen_with_no_minutes_says_no_length(cast, now):
    """As it was when the minutes of forgotten calls were still taken for none."""
    found = {"call": {"all": 48, "minutes": 0, "median": None, "parts": {}}}
    ToldPeriod.objects.create(period=Q3.code, counts={}, told=found)
    assert numbers_of(Q3) == {"Calls": 48, HOURS: None, LENGTH: None}


# -- older periods, and a table of definitions that has changed --------------------------------------------------------


def test_a_table_or_number_that_is_new_is_left_out_of_what_was_told_before(kept, cast, client_of, at, monkeypatch):
    new = [Definition("needs", "Needs", "New.", "handover", "need"), Definition("x", "X", "New.", "newly", "x")]
    with at("2027-02-01 10:00"):
        settle()
        monkeypatch.setattr(statistics_shown, "TABLES", (*TABLES, *new))
        monkeypatch.setattr(statistics_shown, "NUMBERS", (*NUMBERS, Definition("newly", "Newly", "New.", "newly")))
        monkeypatch.setitem(READ, "newly", lambda found: found["newly"]["all"])
        for period in (Q3, Period(2026)):
            made = sheet(period)
            assert [table.definition for table in made.tables] == ([] if period.quarter else list(TABLES))
            assert [line.label for line in made.numbers] == [str(one.label) for one in NUMBERS]
            assert client_of(cast.coordinator).get(reverse("statistics"), {"period": period.code}).status_code == 200
            for form in ("csv", "xlsx", "pdf"):
                theirs = client_of(cast.coordinator)
                assert theirs.get(reverse("statistics-file", args=[period.code, form])).status_code == 200


@pytest.mark.parametrize("has", ["first", "last"])
def test_a_year_leaves_out_what_one_of_its_quarters_did_not_count(has, kept, cast, at, now):
    """A number, or a table, that came or went within the year."""
    settle()
    first = ToldPeriod.objects.get()
    more = {"all": {"1": 9}, "minutes": 0, "hours": {}, "parts": {"place": {"1499": {"1": 9}}}}
    counts, found = {**first.counts, "newly": more}, {**first.told, "newly": {"all": 9, "minutes": 0, "median": None}}
    counts["call"] = {**counts["call"], "parts": {**counts["call"]["parts"], "newly": {"": {"1": 18}}}}
    both = [(counts, found), (first.counts, first.told)][:: 1 if has == "first" else -1]
    year = statistics.told_of_year(*map(list, zip(*both, strict=True)))
    assert "newly" not in year and "newly" not in year["call"]["parts"] and year["call"]["all"] == 36
    assert len(year["call"]["parts"]) == 5


# -- frozen by itself, once, and of one moment -------------------------------------------------------------------------


def test_each_night_by_itself_and_again_is_harmless(kept, at, settings):
    entry = settings.CELERY_BEAT_SCHEDULE["freeze_statistics"]
    assert entry["schedule"].hour == {4} and entry["schedule"].day_of_week == set(range(7))
    with at("2026-11-22 04:25"):
        for _twice in range(2):
            import_string(entry["task"])()
    assert periods() == [Q3] and ToldPeriod.objects.count() == 1


def test_what_is_entered_late_of_a_time_before_the_first_that_was_told(kept, cast, at):
    """It is told nowhere: a quarter that is told after its year would not be in it."""
    settled(at, "2027-02-01 10:00")
    _sums(cast.unit, "call", 9, "2026-02-11")
    _sums(cast.unit, "call", 9, "2025-02-11")
    before = set(ToldPeriod.objects.values_list("pk", flat=True))
    settled(at, "2027-02-02 10:00")
    assert set(ToldPeriod.objects.values_list("pk", flat=True)) == before
    _sums(cast.unit, "call", 9, "2027-02-11")
    settled(at, "2027-05-01 10:00")
    assert [one.code for one in periods()] == ["2027-Q1", "2026", "2026-Q4", "2026-Q3"]


def test_what_is_told_is_not_looked_for_among_the_rows(kept, at, django_assert_num_queries):
    settled(at)
    with at("2026-11-23 10:00"), django_assert_num_queries(1):
        settle()


@pytest.mark.django_db(transaction=True)
def test_what_is_forgotten_while_it_counts_is_counted_once(kept, cast, at, monkeypatch):
    """A row that moves between two questions: read as call by the one, as what remains of it by the other."""
    add_past = statistics._add_past

    def meanwhile(found, quarter):
        other = connection.copy()
        with other.cursor() as there:
            there.execute(
                "INSERT INTO intake_pastcase (is_call, unit_id, opened_quarter, caller_type, track, milieu, age_band,"
                " urgency, closing_reason, calls, handovers, bounces) VALUES"
                " (true, %s, %s, 'relative', 'A', 'UNKNOWN', 'unknown', 'NORMAL', '', 1, 0, 0)",
                [cast.unit.pk, Q3.first],
            )
            there.execute("SELECT pg_try_advisory_lock(%s)", [sums.LOCK])
            assert there.fetchone() == (False,), "no day is counted anew meanwhile"
        other.close()
        add_past(found, quarter)

    monkeypatch.setattr(statistics, "_add_past", meanwhile)
    settled(at)
    assert PastCase.objects.count() == 1 and told(Q3)["call"]["all"] == 18
    assert sums.sum_up() == 0 or not DaySum.objects.exists(), "who counts days is let in again"


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("2026", 1),
        ("2026-Q3", 1),
        ("2026-Q5", 0),
        ("26", 0),
        ("0000", 0),
        ("٢٠٢٦", 0),
        ("2026-Q", 0),
        ("2026-Q3 ", 0),
        ("", 0),
    ],
)
def test_a_code_is_a_period_or_none(code, is_one):
    assert bool(period_of(code)) == bool(is_one)


def test_the_days_of_a_period():
    assert (Q4.first, Q4.last) == (dt.date(2026, 10, 1), dt.date(2026, 12, 31))
    assert (Period(2026).first, Period(2026).last) == (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert Q3.last == dt.date(2026, 9, 30)


def test_a_quantile_of_begun_hours():
    assert quantile({1: 5, 10: 4, 100: 1}, 0.5) == 1 and quantile({1: 5, 10: 4, 100: 1}, 0.9) == 10


# -- the page and the files --------------------------------------------------------------------------------------------


@pytest.fixture
def now(at):
    with at("2026-11-22 10:00"):
        yield


@pytest.fixture
def february(at):
    with at(FEBRUARY):
        yield


def test_the_coordinator_sees_this_and_nothing_else(kept, make_case, cast, client_of, now):
    case = make_case(track="B", caller_name="Kanariefågel Kvist")
    theirs = client_of(cast.coordinator)
    assert theirs.get(reverse("home")).url == reverse("statistics")
    summed()
    page = theirs.get(reverse("statistics"))
    text = page.content.decode()
    assert page.status_code == 200 and "quarter 3 of 2026" in text
    for word in ("Kanariefågel", str(case), case.slug, str(cast.unit)):
        assert word not in text
    for name in ("intake:my-day", "intake:case-list", "referrals:list", "caseload", "over-time", "portal:inbox"):
        assert theirs.get(reverse(name)).status_code == 403, name
    assert LogEntry.objects.get(event="statistics.read").codes == {"period": "2026-Q3"}


@pytest.mark.parametrize("who", ["caseworker", "partner", "keeper", "reviewer"])
def test_who_does_not(who, cast, client_of, kept, now):
    settle()
    theirs = client_of(getattr(cast, who))
    assert theirs.get(reverse("statistics")).status_code == 403
    assert theirs.get(reverse("statistics-file", args=["2026-Q3", "csv"])).status_code == 403
    assert not LogEntry.objects.filter(event__startswith="statistics.exp").exists()


@pytest.mark.parametrize("period", ["1", "abc", "99999999999999", "2026'", "", "2026-Q4", "2026"])
def test_a_period_that_is_not_told_is_the_latest(period, kept, cast, client_of, now):
    page = client_of(cast.coordinator).get(reverse("statistics"), {"period": period})
    assert page.status_code == 200 and "quarter 3 of 2026" in page.content.decode()
    assert client_of(cast.coordinator).post(reverse("statistics")).status_code == 405


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("2026-Q4", "Q4 2026 is not told yet: from 31 January 2027 on."),
        ("2026", "Year 2026 is not told yet: from 31 January 2027 on."),
        ("2019-Q1", "Nothing is told of Q1 2019."),
        ("2026-Q3", ""),
        ("abc", ""),
    ],
)
def test_that_it_is_another_is_said_and_when_the_one_will_be_told(period, words, kept, cast, client_of, now):
    page = client_of(cast.coordinator).get(reverse("statistics"), {"period": period}).content.decode()
    assert words in page and ("This is the latest that is told." in page) == bool(words)


@pytest.mark.django_db(transaction=True)
def test_who_looks_does_not_wait_for_a_long_count(kept, cast, client_of, at):
    other = connection.copy()
    with other.cursor() as there, at("2026-11-22 10:00"):
        there.execute("SELECT pg_advisory_lock(%s)", [sums.LOCK])
        theirs, began = client_of(cast.coordinator), time.monotonic()
        page = theirs.get(reverse("statistics"))
        assert page.status_code == 200 and "What is newer is being counted." in page.content.decode()
        assert theirs.get(reverse("statistics-file", args=["2026-Q3", "csv"])).status_code == 404
        assert time.monotonic() - began < 4, "it did not wait for the lock"
        there.execute("SELECT pg_advisory_unlock(%s)", [sums.LOCK])
        page = theirs.get(reverse("statistics")).content.decode()
        assert "quarter 3 of 2026" in page and "being counted" not in page
    other.close()


def test_a_wrong_number_is_counted_nowhere_forgotten_or_not(quarter, make_call, cast, at):
    with at("2026-08-12 10:00"):
        calls(make_call, cast.caseworker, 2, caller_type="misdial")
    common = {"unit": cast.unit, "opened_quarter": Q3.first, "urgency": "NORMAL", "calls": 1}
    PastCase.objects.create(is_call=True, caller_type="misdial", **common)
    summed()
    settled(at)
    assert told(Q3)["call"]["all"] == 18


@pytest.mark.parametrize(("language", "share"), [("sv", "0,8"), ("en", "0.8")])
def test_the_files_have_the_decimal_sign_that_their_readers_expect(language, share, kept, cast, at, now):
    _sums(cast.unit, "case", 20)
    _sums(cast.unit, "handover", 16)
    settle()
    with override(language):
        made = sheet(Q3)
        paper = "".join(page.extract_text() for page in PdfReader(io.BytesIO(as_pdf(made))).pages)
        rows = list(csv.reader(io.StringIO(as_csv(made).decode("utf-8-sig")), delimiter=";"))
    assert share in paper.split()
    assert {"0,8", "0.8"} & set(paper.split()) == {share}
    assert "0,8" in {number for _about, _what, number in rows}, "a spreadsheet in Sweden, whatever the language"
    assert rows[0][2] == {"sv": "Antal", "en": "How many"}[language]


def test_nothing_yet_is_said(cast, client_of):
    assert "Nothing can be told yet." in client_of(cast.coordinator).get(reverse("statistics")).content.decode()


@pytest.mark.parametrize(("code", "form"), [("2026-Q4", "csv"), ("2026", "pdf"), ("2026-Q3", "doc"), ("x", "csv")])
def test_a_file_that_there_is_not(code, form, kept, cast, client_of, now):
    assert client_of(cast.coordinator).get(reverse("statistics-file", args=[code, form])).status_code == 404


@pytest.mark.parametrize("who", ["coordinator", "manager"])
@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_each_file_is_a_row_of_the_log_and_says_what_its_numbers_mean(form, who, kept, cast, client_of, february):
    answer = client_of(getattr(cast, who)).get(reverse("statistics-file", args=["2026", form]))
    assert answer.status_code == 200 and answer["Content-Disposition"].endswith(f'"statistics-2026.{form}"')
    entry = LogEntry.objects.get(event="statistics.exported")
    assert entry.codes == {"period": "2026", "form": form} and entry.user == getattr(cast, who)
    text = text_of(answer.content, form)
    for one in DEFINITIONS:
        assert squeezed(str(one.says)) in text, one.key
    for rule in RULES:
        assert squeezed(str(rule)) in text
    assert "Falköping" in text and "1493" not in text


def squeezed(text):
    return "".join(text.split())


def text_of(content, form):
    if form == "csv":
        return squeezed(content.decode("utf-8-sig"))
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            assert not any("<f>" in book.read(name).decode() for name in book.namelist() if "sheet" in name)
            return squeezed(book.read("xl/sharedStrings.xml").decode())
    reader = PdfReader(io.BytesIO(content))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] and reader.trailer["/Root"]["/Lang"] == "en-SE"
    return squeezed("".join(page.extract_text() for page in reader.pages))


def test_the_files_say_what_the_page_says(year, at, february):
    settle()
    made = sheet(YEAR)
    rows = list(csv.reader(io.StringIO(as_csv(made).decode("utf-8-sig")), delimiter=";"))
    numbers = {(about, what): number for about, what, number in rows}
    assert numbers[made.title, "Calls"] == "73"
    assert numbers["Calls by municipality", "Falköping"] == str(told(YEAR)["call"]["parts"]["place"]["1499"]) == "27"
    for table in made.tables:
        for line in table.lines:
            assert numbers[table.title, line.label] == ("not told" if line.count is None else str(line.count))
        if table.total is not None:
            assert sum(line.count or 0 for line in table.lines) + (table.together or 0) == table.total


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_no_cell_becomes_a_formula(name, kept, february):
    Municipality.objects.filter(pk="1499").update(name=name)
    settle()
    made = sheet(YEAR)
    assert made.tables
    for row in csv.reader(io.StringIO(as_csv(made).decode("utf-8-sig"), newline=""), delimiter=";"):
        assert not any(cell.startswith(DANGEROUS) for cell in row)
    assert harmless(name) == f"'{name}" and harmless(-1) == -1
    with zipfile.ZipFile(io.BytesIO(as_xlsx(made))) as book:
        assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()


def test_the_region_has_all_fifteen_municipalities(year, february):
    settle()
    made = sheet(YEAR)
    assert set(TILES) == set(Municipality.objects.exclude(pk=Municipality.ELSEWHERE).values_list("pk", flat=True))
    assert len(made.tiles) == len({(tile.x, tile.y) for tile in made.tiles}) == 15
    assert {line.label for line in made.tables[0].lines} >= {tile.name for tile in made.tiles}
    assert {tile.name: (tile.count, tile.shade) for tile in made.tiles if tile.count} == {
        "Falköping": (27, 4),
        "Skövde": (26, 4),
    }


def test_a_yearly_report_has_its_quarters(kept, cast, client_of, at):
    with at("2027-02-01 10:00"):
        page = client_of(cast.coordinator).get(reverse("statistics"), {"period": "2026"}).content.decode()
        assert "Yearly report 2026" in page and "By quarter" in page and "Calls by municipality" in page
        of_quarter = client_of(cast.coordinator).get(reverse("statistics"), {"period": "2026-Q3"}).content.decode()
        assert 'href="?period=2026">Yearly report 2026<' in of_quarter and "The region" not in of_quarter
        assert client_of(cast.coordinator).get(reverse("statistics-file", args=["2026", "pdf"])).status_code == 200


def test_nothing_is_told_of_two_things_at_once():
    assert all(one.what in {"call", "closed", "handover", "asked"} and one.part.isidentifier() for one in TABLES)
    assert set(READ) == {one.key for one in NUMBERS}


def test_the_queries_do_not_grow(kept, cast, client_of, now, django_assert_max_num_queries):
    theirs = client_of(cast.coordinator)
    theirs.get(reverse("statistics"))
    with django_assert_max_num_queries(22):
        theirs.get(reverse("statistics"))
