"""Opening hours and the times that are reckoned from them: split shifts, one day a week, holidays, the nights when the clock
is changed; and the ladder of silence, whatever the hours are."""

import datetime as dt
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpline.people import clock
from helpline.people.workdays import at_work, is_holiday, is_working_day, local
from referrals import deadlines, hours

URGENCIES = list(deadlines.LADDER)
CALM = [urgency for urgency in URGENCIES if urgency != "AKUT"]


@dataclass
class Row:
    weekday: int
    opens: dt.time
    closes: dt.time


@dataclass
class Agency:
    """As far as its hours go: rows (weekday, from, to)."""

    rows: list[Row] = field(default_factory=list)
    always_open: bool = False

    @property
    def hours(self):
        return SimpleNamespace(all=lambda: self.rows)


def open_at(*rows: str, always_open: bool = False) -> Agency:
    """`"tue 9:00-12:00"`, one a row."""
    names, made = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], []
    for row in rows:
        name, times = row.split()
        opens, closes = (dt.time(*map(int, time.split(":"))) for time in times.split("-"))
        made.append(Row(names.index(name), opens, closes))
    return Agency(made, always_open)


EVERY_DAY = open_at(*(f"{day} 8:00-16:30" for day in ("mon", "tue", "wed", "thu", "fri")))
SPLIT = open_at(
    *(f"{day} {part}" for day in ("mon", "tue", "wed", "thu", "fri") for part in ("9:00-11:30", "13:00-15:00"))
)
TUESDAYS = open_at("tue 9:00-12:00")
EVENINGS = open_at(*(f"{day} 17:00-21:00" for day in ("mon", "wed", "sat")))
ALWAYS = Agency(always_open=True)
UNSAID = Agency()
THEY = {
    "every day": EVERY_DAY,
    "split": SPLIT,
    "tuesdays": TUESDAYS,
    "evenings": EVENINGS,
    "always": ALWAYS,
    "-": UNSAID,
}


def moment(text: str) -> dt.datetime:
    """As the clocks in Sweden show it."""
    day, time = text.split()
    return local(dt.date.fromisoformat(day), dt.time.fromisoformat(time))


def said(when: dt.datetime) -> str:
    return clock.local_time(when).strftime("%Y-%m-%d %H:%M")


def shifts(agency: Agency, day: str) -> list[str]:
    found = hours.shifts_on(agency, dt.date.fromisoformat(day))
    return [f"{said(start)[11:]}-{said(end)[11:]}" for start, end in found]


# -- when it is open ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agency", "day", "expected"),
    [
        (SPLIT, "2026-11-25", ["09:00-11:30", "13:00-15:00"]),
        (SPLIT, "2026-11-28", []),
        (TUESDAYS, "2026-11-24", ["09:00-12:00"]),
        (TUESDAYS, "2026-11-25", []),
        (EVENINGS, "2026-11-28", ["17:00-21:00"]),  # a Saturday, where it has said so
        (UNSAID, "2026-11-27", ["08:00-16:30"]),
        (UNSAID, "2026-11-28", []),
        (ALWAYS, "2026-12-25", ["00:00-00:00"]),
        *((EVERY_DAY, day, []) for day in ("2026-04-03", "2026-04-06", "2026-06-19", "2026-12-24", "2026-12-25")),
        *((UNSAID, day, []) for day in ("2026-01-06", "2026-05-01", "2026-05-14", "2026-12-31")),
        (EVENINGS, "2026-06-06", []),  # the national day, a Saturday
        (EVERY_DAY, "2026-12-23", ["08:00-16:30"]),
    ],
)
def test_when_it_is_open(agency, day, expected):
    assert shifts(agency, day) == expected


def test_rows_that_overlap_or_touch_are_one_time():
    agency = open_at("mon 8:00-12:00", "mon 11:00-15:00", "mon 15:00-16:00", "mon 17:00-18:00")
    assert shifts(agency, "2026-11-23") == ["08:00-16:00", "17:00-18:00"]


@pytest.mark.parametrize(
    ("agency", "when", "expected"),
    [
        (SPLIT, "2026-11-25 10:00", "2026-11-25 10:00"),
        (SPLIT, "2026-11-25 11:30", "2026-11-25 13:00"),  # who closes now is closed
        (SPLIT, "2026-11-25 09:00", "2026-11-25 09:00"),
        (SPLIT, "2026-11-27 15:00", "2026-11-30 09:00"),
        (TUESDAYS, "2026-11-24 12:01", "2026-12-01 09:00"),
        (EVERY_DAY, "2026-04-02 17:00", "2026-04-07 08:00"),  # Easter
        (EVERY_DAY, "2026-06-18 18:00", "2026-06-22 08:00"),  # Midsummer
        (EVERY_DAY, "2026-12-23 17:00", "2026-12-28 08:00"),  # Christmas
        (TUESDAYS, "2030-12-24 10:00", "2031-01-07 09:00"),  # Christmas Eve and New Year's Eve are its Tuesdays
        (ALWAYS, "2026-12-24 23:59", "2026-12-24 23:59"),
    ],
)
def test_when_it_opens_next(agency, when, expected):
    assert said(hours.next_open(agency, moment(when))) == expected
    assert hours.is_open(agency, moment(when)) == (when == expected)


@pytest.mark.parametrize(
    ("agency", "when", "minutes", "expected"),
    [
        (SPLIT, "2026-11-25 11:20", 20, "2026-11-25 13:10"),
        (SPLIT, "2026-11-25 11:10", 20, "2026-11-25 13:00"),  # what falls on the moment it closes falls on its opening
        (EVERY_DAY, "2026-11-27 22:00", 40, "2026-11-30 08:40"),
        (TUESDAYS, "2026-11-24 11:00", 180, "2026-12-01 11:00"),
        (ALWAYS, "2026-03-29 01:50", 20, "2026-03-29 03:10"),  # 02.00 to 03.00 does not exist
        (ALWAYS, "2026-10-25 02:50", 20, "2026-10-25 02:10"),  # 02.00 to 03.00 comes twice
    ],
)
def test_open_time_that_passes(agency, when, minutes, expected):
    assert said(hours.passed(agency, moment(when), dt.timedelta(minutes=minutes))) == expected


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)])
def test_a_day_around_the_clock_is_as_long_as_it_is(day, length):
    [(start, end)] = hours.shifts_on(ALWAYS, dt.date.fromisoformat(day))
    assert end - start == dt.timedelta(hours=length)
    assert hours.share(ALWAYS, start, end, 1 / 2) == start + dt.timedelta(hours=length / 2)


def test_an_hour_that_does_not_exist_is_no_open_time():
    agency = open_at("sun 2:00-3:00")
    assert shifts(agency, "2026-03-29") == [] and shifts(agency, "2026-04-12") == ["02:00-03:00"]


def test_hours_that_never_come_keep_nobody_waiting():
    never = Agency([Row(9, dt.time(9), dt.time(10))])
    begun = moment("2026-11-25 10:00")
    assert hours.next_open(never, begun) == begun
    assert hours.passed(never, begun, hours.HOUR) == begun + hours.HOUR
    assert hours.share(never, begun, begun + hours.HOUR, 1 / 3) is None
    times = deadlines.ladder(urgency="NORMAL", agency=never, sent=begun, due=begun + dt.timedelta(days=3))
    assert begun < times["nudge"] < times["deputy"] < times["owner"] < times["manager"] < times["expire"]


# -- when an answer is due ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agency", "urgency", "sent", "expected"),
    [
        (EVERY_DAY, "BRADSKANDE", "2026-11-25 15:00", "2026-11-26 12:00"),
        (EVERY_DAY, "BRADSKANDE", "2026-11-27 15:00", "2026-11-30 12:00"),
        (EVERY_DAY, "SKYNDSAM", "2026-04-02 10:00", "2026-04-08 12:00"),  # over Easter
        (EVERY_DAY, "NORMAL", "2026-12-22 10:00", "2026-12-29 16:00"),  # over Christmas
        (SPLIT, "BRADSKANDE", "2026-11-25 10:00", "2026-11-26 11:30"),  # due in its lunch: before it
        (SPLIT, "NORMAL", "2026-11-25 10:00", "2026-11-30 15:00"),
        (TUESDAYS, "BRADSKANDE", "2026-11-25 10:00", "2026-12-01 10:00"),
        (EVENINGS, "BRADSKANDE", "2026-11-24 10:00", "2026-11-25 18:00"),
        (EVENINGS, "SKYNDSAM", "2026-11-25 10:00", "2026-11-28 18:00"),
        (ALWAYS, "NORMAL", "2026-11-25 23:00", "2026-11-30 16:00"),
        *((agency, "AKUT", "2026-12-24 23:00", "2026-12-25 01:00") for agency in THEY.values()),
        (ALWAYS, "AKUT", "2026-03-29 01:30", "2026-03-29 04:30"),
    ],
)
def test_when_an_answer_is_due(agency, urgency, sent, expected):
    assert said(deadlines.answer_due(urgency, moment(sent), agency)) == expected


# -- the ladder --------------------------------------------------------------------------------------------------------


def rungs(agency: Agency, urgency: str, sent: str) -> list[str]:
    begun = moment(sent)
    due = deadlines.answer_due(urgency, begun, agency)
    times = deadlines.ladder(urgency=urgency, agency=agency, sent=begun, due=due)
    return [f"{rung} {said(times[rung])[5:]}" for rung in deadlines.RUNGS]


def test_a_ladder_of_an_ordinary_day():
    assert rungs(EVERY_DAY, "SKYNDSAM", "2026-11-23 10:00") == [
        "nudge 11-23 16:20",  # 19 open hours until Wednesday at noon: after a third, after two thirds
        "deputy 11-24 14:10",
        "owner 11-25 12:00",
        "manager 11-26 09:00",
        "expire 11-27 09:00",
    ]


def test_an_acute_ladder_where_it_is_open_runs_by_the_clock():
    expected = [
        "nudge 11-23 10:20",
        "deputy 11-23 10:40",
        "owner 11-23 11:00",
        "manager 11-23 12:00",
        "expire 11-23 13:00",
    ]
    assert rungs(EVERY_DAY, "AKUT", "2026-11-23 10:00") == expected
    assert rungs(ALWAYS, "AKUT", "2026-12-25 03:00")[2:] == [
        "owner 12-25 04:00",
        "manager 12-25 05:00",
        "expire 12-25 06:00",
    ]


def test_an_acute_ladder_at_night_wakes_us_and_not_who_is_closed():
    assert rungs(EVERY_DAY, "AKUT", "2026-12-24 22:00") == [
        *("nudge 12-28 08:20", "deputy 12-28 08:40"),
        *("owner 12-24 23:00", "manager 12-25 00:00", "expire 12-25 01:00"),
    ]


def test_what_is_due_on_a_saturday_is_ours_on_monday():
    assert rungs(EVENINGS, "SKYNDSAM", "2026-11-25 10:00")[2:] == [
        *("owner 11-30 09:00", "manager 12-01 09:00", "expire 12-02 09:00"),
    ]


def test_a_ladder_of_what_is_overdue_already_begins_now():
    """Sent by an older version, and its time has passed."""
    begun = moment("2026-11-23 10:00")
    times = deadlines.ladder(urgency="NORMAL", agency=EVERY_DAY, sent=begun, due=begun - dt.timedelta(days=9))
    assert [said(times[rung])[5:] for rung in deadlines.RUNGS] == [
        *("11-23 10:20", "11-23 10:40", "11-23 10:00", "11-24 09:00", "11-25 09:00"),
    ]


times_of_day = st.integers(0, 23 * 4 + 3).map(lambda quarter: dt.time(quarter // 4, quarter % 4 * 15))


@st.composite
def agencies(draw) -> Agency:
    """With hours of any kind, as the tables let them be."""
    if draw(st.booleans()) and draw(st.booleans()):
        return Agency(always_open=True)
    rows = []
    for weekday, one, other in draw(st.lists(st.tuples(st.integers(0, 6), times_of_day, times_of_day), max_size=12)):
        if one != other:
            rows.append(Row(weekday, min(one, other), max(one, other)))
    return Agency(rows)


moments = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2031, 1, 1), timezones=st.just(dt.UTC))
MONTHS = dt.timedelta(days=hours.LOOK_AHEAD)


@settings(max_examples=600, deadline=None)
@given(agency=agencies(), urgency=st.sampled_from(URGENCIES), sent=moments)
@example(agency=TUESDAYS, urgency="BRADSKANDE", sent=dt.datetime(2030, 12, 24, 11, 0, tzinfo=dt.UTC))
@example(agency=ALWAYS, urgency="NORMAL", sent=dt.datetime(2026, 3, 29, 0, 59, tzinfo=dt.UTC))
@example(agency=ALWAYS, urgency="AKUT", sent=dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC))
@example(agency=SPLIT, urgency="NORMAL", sent=dt.datetime(2026, 12, 23, 14, 0, tzinfo=dt.UTC))
def test_every_ladder_makes_sense(agency, urgency, sent):
    """After it was sent, in an order, within two months; what goes to the agency while it is open, what goes to us at work."""
    due = deadlines.answer_due(urgency, sent, agency)
    times = deadlines.ladder(urgency=urgency, agency=agency, sent=sent, due=due)
    assert list(times) == deadlines.RUNGS
    assert sent < due and all(sent < moment < sent + MONTHS for moment in times.values())
    assert times["nudge"] < times["deputy"] and times["owner"] < times["manager"] < times["expire"]
    for rung in deadlines.TO_AGENCY:
        assert hours.is_open(agency, times[rung]), rung
    if urgency == "AKUT":
        assert times["owner"] - sent == dt.timedelta(hours=1)
        return
    assert times["deputy"] <= times["owner"] and due <= times["owner"]
    for rung in ("owner", "manager", "expire"):
        assert at_work(times[rung]) == times[rung], rung


@settings(max_examples=300, deadline=None)
@given(agency=agencies(), urgency=st.sampled_from(CALM), sent=moments)
def test_an_answer_is_due_while_it_is_open(agency, urgency, sent):
    due = deadlines.answer_due(urgency, sent, agency)
    assert any(start < due <= end for start, end in hours.shifts_on(agency, clock.local_date(due)))
    assert deadlines.answer_due(urgency, sent + dt.timedelta(hours=1), agency) >= due, "later asked is not due sooner"


@settings(max_examples=300, deadline=None)
@given(when=moments)
def test_at_work_is_never_at_night_nor_sooner(when):
    then = at_work(when)
    assert when <= then < when + dt.timedelta(days=8) and at_work(then) == then
    here = clock.local_time(then)
    assert is_working_day(here.date()) and not is_holiday(here.date()) and dt.time(8) <= here.time() < dt.time(16, 30)


@settings(max_examples=300, deadline=None)
@given(agency=agencies(), when=moments, minutes=st.integers(0, 40), more=st.integers(1, 20))
def test_more_open_time_passes_later(agency, when, minutes, more):
    one = hours.passed(agency, when, dt.timedelta(minutes=minutes))
    assert when <= one < hours.passed(agency, when, dt.timedelta(minutes=minutes + more))


# -- single times of ours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "urgency", "promised", "expected"),
    [
        ("warm", "NORMAL", "2026-11-28 20:00", "2026-11-28 20:30"),  # a three-way call: whenever it was
        ("alone", "AKUT", "2026-12-24 23:00", "2026-12-24 23:30"),
        ("alone", "NORMAL", "2026-11-25 14:00", "2026-11-25 14:30"),
        ("alone", "NORMAL", "2026-11-25 23:00", "2026-11-26 09:00"),
        ("", "SKYNDSAM", "2026-11-28 10:00", "2026-11-30 09:00"),
    ],
)
def test_when_a_contact_is_missed(kind, urgency, promised, expected):
    referral = SimpleNamespace(
        is_warm=kind == "warm", contact_kind=kind, urgency=urgency, agency_spoke_at=None, owner_spoke_at=None
    )
    assert said(deadlines.missed_at(referral, moment(promised))) == expected


@pytest.mark.parametrize(
    ("kind", "urgency", "when", "expected"),
    [
        ("warm", "NORMAL", "2026-11-28 20:30", "2026-11-28 21:30"),
        ("alone", "AKUT", "2026-11-28 03:00", "2026-11-28 04:00"),
        ("alone", "NORMAL", "2026-11-25 14:30", "2026-11-25 15:30"),
        ("alone", "NORMAL", "2026-11-25 16:30", "2026-11-26 09:00"),
        ("", "NORMAL", "2026-11-26 06:00", "2026-11-26 09:00"),
    ],
)
def test_what_was_missed_is_back_within_the_hour_or_in_the_morning(kind, urgency, when, expected):
    referral = SimpleNamespace(contact_kind=kind, urgency=urgency)
    assert said(deadlines.back_soon(referral, moment(when))) == expected
