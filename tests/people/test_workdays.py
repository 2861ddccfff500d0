"""Working days: three years written out by hand, the vectors of the law, and the nights when the clock is changed."""

import datetime as dt

import pytest

from helpline.people.workdays import (
    add_working_days,
    is_working_day,
    local,
    next_working_morning,
    statutory_last_day,
)

# Every Monday to Friday on which offices are closed, from almanacs and not from the package that is tested.
DAYS_OFF = {
    2026: "01-01 01-06 04-03 04-06 05-01 05-14 06-19 12-24 12-25 12-31",
    2027: "01-01 01-06 03-26 03-29 05-06 06-25 12-24 12-31",
    2028: "01-06 04-14 04-17 05-01 05-25 06-06 06-23 12-25 12-26",
}


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize("year", DAYS_OFF)
def test_the_days_off_of_a_year(year):
    first = dt.date(year, 1, 1)
    days = [first + dt.timedelta(days=count) for count in range(366) if (first + dt.timedelta(days=count)).year == year]
    off = [one for one in days if one.weekday() < 5 and not is_working_day(one)]
    assert [f"{one:%m-%d}" for one in off] == DAYS_OFF[year].split()


def test_no_weekend_is_a_working_day():
    days = [dt.date(2026, 1, 3) + dt.timedelta(days=count) for count in range(1096)]
    assert [one for one in days if one.weekday() >= 5 and is_working_day(one)] == []


@pytest.mark.parametrize(
    ("arrived", "aim", "last"),
    [
        ("2026-12-10", "2026-12-24", "2026-12-28"),  # Christmas Eve, Christmas, Boxing Day on a Saturday, Sunday
        ("2026-03-20", "2026-04-03", "2026-04-07"),  # Good Friday to Easter Monday
        ("2026-05-23", "2026-06-06", "2026-06-08"),  # the national day on a Saturday
        ("2026-12-23", "2027-01-06", "2027-01-07"),  # Epiphany
        ("2026-04-20", "2026-05-04", "2026-05-04"),  # a Monday stays
    ],
)
def test_fourteen_days_by_law(arrived, aim, last):
    assert day(arrived) + dt.timedelta(days=14) == day(aim)
    assert statutory_last_day(day(aim)) == day(last)


@pytest.mark.parametrize("eve", ["2026-06-19", "2026-12-24", "2026-12-31"])
def test_the_three_eves_move_the_last_day(eve):
    assert statutory_last_day(day(eve)) > day(eve)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-11-23", 0, "2026-11-23"),
        ("2026-11-22", 0, "2026-11-23"),
        ("2026-11-23", 1, "2026-11-24"),
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-21", 1, "2026-11-23"),
        ("2026-12-22", 3, "2026-12-29"),
        ("2026-06-18", 1, "2026-06-22"),
        ("2026-04-02", 2, "2026-04-08"),
    ],
)
def test_working_days_are_counted(start, count, end):
    assert add_working_days(day(start), count) == day(end)


def test_a_working_day_is_never_earlier_and_never_runs_back():
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(400)]
    for count in (0, 1, 3, 10):
        ends = [add_working_days(one, count) for one in days]
        assert all(is_working_day(end) for end in ends)
        assert all(end >= one for one, end in zip(days, ends, strict=True))
        assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("friday", "monday_utc"),
    [("2026-03-27", "2026-03-30T07:00:00+00:00"), ("2026-10-23", "2026-10-26T08:00:00+00:00")],
)
def test_nine_stays_nine_when_the_clock_is_changed(friday, monday_utc):
    at_work = local(day(friday), dt.time(15, 30))
    morning = next_working_morning(at_work)
    assert morning == dt.datetime.fromisoformat(monday_utc)
    assert morning.strftime("%H:%M") == "09:00"


def test_the_hour_that_comes_twice_is_the_first():
    assert local(dt.date(2026, 10, 25), dt.time(2, 30)).astimezone(dt.UTC).isoformat() == "2026-10-25T00:30:00+00:00"


def test_the_day_is_the_swedish_one():
    """23.30 in UTC on a Thursday is Friday in Sweden, so the next working morning is Monday."""
    late = dt.datetime(2026, 11, 19, 23, 30, tzinfo=dt.UTC)
    assert next_working_morning(late) == local(dt.date(2026, 11, 23), dt.time(9))
