"""The times of the law: the table, the vectors of the law, and what holds for every day of sixteen years."""

import calendar
import datetime as dt

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from helpline.people import clock
from helpline.people.workdays import is_working_day
from intake import clocks, triage
from intake.clocks import CLOCKS, days_of, due_at
from intake.labels import CLOCKS as NAMES
from intake.labels import EXTENSIONS, STEP_KINDS

DAY = dt.date.fromisoformat
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31))
ZONE = timezone.get_default_timezone()
RULES = list(CLOCKS.values())


def local(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)


# ---------- The table ----------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_every_row_is_whole(rule):
    assert rule.kind in NAMES and rule.step in STEP_KINDS and rule.law.startswith("SoL ")
    assert rule.runs_from in ("arrival", "opened", "decided")
    assert not rule.extension or rule.extension in EXTENSIONS
    assert not (rule.at_once and rule.moves)  # "at once" never moves
    assert len(rule.step) <= 24 and len(rule.kind) <= 40
    assert not (rule.days and rule.months)


def test_the_law_has_words_for_every_age():
    assert list(clocks.law_of_ages()) == triage.codes("age_bands")
    for band, row in clocks.law_of_ages().items():
        assert row["says"], band
        for text in row["says"]:
            assert text["sv"].strip() and text["en"].strip() and text["law"].strip()


@pytest.mark.parametrize("band", triage.codes("age_bands"))
def test_who_is_young_by_the_table_is_who_is_certainly_under_21_or_unknown(band):
    assert clocks.starts_clocks(band) == (triage.certainly_under(band, 21) or band == "unknown")
    under_18 = triage.certainly_under(band, 18)
    assert ("report_under_18" in _keys(band)) == under_18  # the duty to report and the personal file: under 18 alone
    assert ("file_under_18" in _keys(band)) == under_18


def _keys(band):
    import yaml

    document = yaml.safe_load((triage.FOLDER.parent / "children.yaml").read_text(encoding="utf-8"))
    return document["bands"][band]["says"]


# ---------- The vectors ----------


@pytest.mark.parametrize(
    ("start", "aim", "last"),
    [
        ("2026-12-10", "2026-12-24", "2026-12-28"),  # Christmas Eve, Christmas Day, Boxing Day, Sunday
        ("2026-03-20", "2026-04-03", "2026-04-07"),  # Good Friday to Easter Monday
        ("2026-05-23", "2026-06-06", "2026-06-08"),  # the national day, a Saturday
        ("2026-12-23", "2027-01-06", "2027-01-07"),  # Epiphany
        ("2026-04-20", "2026-05-04", "2026-05-04"),
        ("2026-12-17", "2026-12-31", "2027-01-04"),  # New Year's Eve, New Year's Day, a weekend
        ("2026-06-05", "2026-06-19", "2026-06-22"),  # Midsummer Eve
        ("2026-03-22", "2026-04-05", "2026-04-07"),  # Easter Sunday 2026
        ("2025-04-06", "2025-04-20", "2025-04-22"),  # Easter Sunday 2025
        ("2027-03-14", "2027-03-28", "2027-03-30"),  # Easter Sunday 2027, and the clocks go forward that night
        ("2026-10-17", "2026-10-31", "2026-11-02"),  # All Saints' Day
        ("2027-10-23", "2027-11-06", "2027-11-08"),
        ("2027-06-11", "2027-06-25", "2027-06-28"),  # Midsummer Eve 2027
        ("2028-02-15", "2028-02-29", "2028-02-29"),  # the leap day itself
        ("2028-02-20", "2028-03-05", "2028-03-06"),  # fourteen days over it
        ("2026-03-29", "2026-04-12", "2026-04-13"),  # the night of 23 hours
        ("2026-10-25", "2026-11-08", "2026-11-09"),  # the night of 25 hours
    ],
)
def test_fourteen_days(start, aim, last):
    assert days_of(CLOCKS["preliminary_assessment"], DAY(start)) == (DAY(aim), DAY(last))


@pytest.mark.parametrize(
    ("start", "aim", "last"),
    [
        ("2026-10-31", "2027-02-28", "2027-03-01"),  # no 31 February; a Sunday
        ("2027-10-31", "2028-02-29", "2028-02-29"),  # the leap day
        ("2027-10-29", "2028-02-29", "2028-02-29"),
        ("2026-08-24", "2026-12-24", "2026-12-28"),
        ("2026-02-19", "2026-06-19", "2026-06-22"),
        ("2026-09-01", "2027-01-01", "2027-01-04"),
        ("2026-11-23", "2027-03-23", "2027-03-23"),
    ],
)
def test_four_months(start, aim, last):
    assert days_of(CLOCKS["inquiry"], DAY(start)) == (DAY(aim), DAY(last))


@pytest.mark.parametrize(
    ("start", "aim", "last"),
    [
        ("2026-12-17", "2026-12-24", "2026-12-28"),
        ("2026-11-23", "2026-11-30", "2026-11-30"),
        ("2026-12-30", "2027-01-06", "2027-01-07"),
    ],
)
def test_an_answer_within_a_week_or_at_once(start, aim, last):
    assert days_of(CLOCKS["feedback"], DAY(start)) == (DAY(aim), DAY(last))
    assert days_of(CLOCKS["feedback"], DAY(start), at_once=True) == (DAY(start), DAY(start))


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-23 09:00", "2026-11-23 16:00"),  # as offices close
        ("2026-11-23 15:30", "2026-11-23 16:30"),  # within the hour
        ("2026-11-23 23:30", "2026-11-23 23:59"),  # never on another day
        ("2026-12-24 10:00", "2026-12-24 16:00"),  # whatever day it is
        ("2026-03-29 01:59", "2026-03-29 16:00"),
        ("2026-10-25 02:30", "2026-10-25 16:00"),
    ],
)
def test_when_the_step_of_what_is_done_at_once_is_due(moment, due):
    started = local(moment)
    days = days_of(CLOCKS["immediate_protection_assessment"], clock.local_date(started))
    assert due_at(days, started) == local(due)


def test_other_steps_are_due_on_the_day_to_aim_at():
    days = days_of(CLOCKS["preliminary_assessment"], DAY("2026-12-10"))
    assert due_at(days, local("2026-12-10 11:30")) == local("2026-12-24 16:00")


@pytest.mark.parametrize(
    "moment", ["2026-03-29T00:30:00+00:00", "2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"]
)
def test_a_moment_of_the_nights_when_clocks_change_is_of_its_swedish_day(moment):
    found = dt.datetime.fromisoformat(moment)
    assert clock.local_date(found) == found.date()
    assert clock.local_date(found.replace(hour=22) - dt.timedelta(days=1)) in (
        found.date(),
        found.date() - clocks.A_DAY,
    )


# ---------- What holds for every day ----------


@given(start=DAYS)
@settings(database=None, deadline=None)
def test_at_once_never_moves(start):
    for rule in RULES:
        assert days_of(rule, start, at_once=True) == (start, start)
    assert days_of(CLOCKS["immediate_protection_assessment"], start) == (start, start)


@given(start=DAYS, rule=st.sampled_from(RULES))
@settings(database=None, deadline=None, max_examples=400)
def test_the_last_day_is_the_first_working_day_from_the_aim(start, rule):
    aim, last = days_of(rule, start)
    assert aim <= last
    if rule.moves:
        assert is_working_day(last) and last.weekday() < 5
        between = [aim + dt.timedelta(days=n) for n in range((last - aim).days)]
        assert not any(is_working_day(day) for day in between)
        assert (last.month, last.day) not in {(12, 24), (12, 31), (1, 1), (1, 6), (5, 1), (6, 6), (12, 25), (12, 26)}
        assert (last - aim).days <= 5


@given(start=DAYS)
@settings(database=None, deadline=None, max_examples=400)
def test_four_months_are_the_same_number_or_the_last_of_the_month(start):
    aim, _last = days_of(CLOCKS["inquiry"], start)
    assert (aim.year * 12 + aim.month) - (start.year * 12 + start.month) == 4
    longest = calendar.monthrange(aim.year, aim.month)[1]
    assert aim.day == start.day if start.day <= longest else aim.day == longest


@given(start=DAYS)
@settings(database=None, deadline=None)
def test_the_day_of_arrival_is_not_counted(start):
    assert (days_of(CLOCKS["preliminary_assessment"], start).aim - start).days == 14
    assert (days_of(CLOCKS["feedback"], start).aim - start).days == 7


@given(moment=st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2035, 12, 31), timezones=st.just(dt.UTC)))
@settings(database=None, deadline=None, max_examples=400)
def test_a_step_at_once_is_due_on_its_own_swedish_day(moment):
    today = clock.local_date(moment)
    due = due_at(days_of(CLOCKS["immediate_protection_assessment"], today), moment)
    assert clock.local_date(due) == today
    assert due >= min(moment, due)
