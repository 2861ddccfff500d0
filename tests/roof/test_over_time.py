"""How it was over time: the two charts of the overview, and the page that tells one thing apart in one way at a time."""

import datetime as dt
from itertools import pairwise, product

import pytest
from django.urls import reverse
from django.utils import timezone

from helpline import sums
from helpline.charts import LARGE, LEFT, RIGHT, bar_chart, line_chart
from helpline.over_time import charts_of
from helpline.over_time_page import BY, OF_HANDOVERS, SHOWN, STEPS, Asked, answer
from helpline.people import clock
from helpline.people.models import User
from intake import actions as intake
from intake.models import Call, DayMark, DaySum
from referrals import actions
from referrals.models import Referral


@pytest.fixture(autouse=True)
def november(at):
    with at("2026-11-22 10:00"):
        yield


def summed():
    while sums.sum_up():
        pass


def calls(make_call, by, count, **facts):
    for _one in range(count):
        intake.complete_call(by=by, call=make_call(by=by, urgency="NORMAL", **facts))


@pytest.fixture
def year(make_call, make_draft, cast, at):
    """Three calls in September, two in November; of another unit four; one handover, accepted, met after 27 hours."""
    with at("2026-09-07 10:00"):
        calls(make_call, cast.caseworker, 3, caller_type="other", municipality_id="1499")
        calls(make_call, cast.stranger, 4, caller_type="other", municipality_id="1472")
    with at("2026-11-03 10:00"):
        held = actions.send(by=cast.caseworker, referral=make_draft())
    with at("2026-11-03 11:00"):
        held = actions.accept(by=cast.partner, referral=held)
    with at("2026-11-04 12:30"):
        actions.contact_made(by=cast.partner, referral=held, text="Met him.")
    with at("2026-11-05 10:00"):
        calls(make_call, cast.caseworker, 1, caller_type="relative", municipality_id="1496")
    summed()


def asked(show="calls", by="", step="month", first="2026-06-01", last="2026-11-22"):
    return Asked(show, by, step, dt.date.fromisoformat(first), dt.date.fromisoformat(last))


# -- on the overview ---------------------------------------------------------------------------------------------------


def test_the_charts_of_the_overview_are_two_queries(year, cast, django_assert_num_queries):
    with django_assert_num_queries(2):
        found = charts_of(cast.manager, is_locked_out=False)
    assert found["calls"].rows[0][1] == [0, 0, 0, 3, 0, 2]
    assert found["calls"].says == "2 calls so far in November. Practice is not counted."
    assert [bar.is_unfinished for bar in found["calls"].chart.bars] == [False] * 5 + [True]
    assert found["contact"].rows[0][1] == found["contact"].rows[1][1] == [None] * 5 + [27]
    assert found["contact"].says == "In November half had contact within 27 hours, nine of ten within 27."
    assert [line.is_second for line in found["contact"].chart.lines] in ([False, True], [True, False])


def test_a_call_counts_once_it_is_completed_in_its_month_here(make_case, make_call, cast, at):
    for day in ("2026-09-01 00:30", "2026-10-31 23:30", "2026-11-01 00:30", "2026-11-22 10:00"):
        with at(day):
            make_case()
    make_call()  # not completed
    summed()
    calls_found = charts_of(cast.manager)["calls"]
    assert calls_found.rows[0][1] == [0, 0, 0, 1, 1, 2]
    bars = calls_found.chart.bars
    assert [bar.said for bar in bars] == ["0", "0", "0", "1", "1", "2"] and bars[-1].is_unfinished
    assert bars[-1].height == max(bar.height for bar in bars) == 2 * bars[-2].height > 0 == bars[0].height


def test_another_unit_has_its_own(year, cast):
    assert charts_of(cast.other_manager)["calls"].rows[0][1] == [0, 0, 0, 4, 0, 0]
    assert charts_of(cast.other_manager)["contact"].rows == []


def test_the_overview_draws_nothing_of_what_its_reader_is_locked_out_of(year, cast, client_of):
    boss = User.objects.create(username="boss", unit=cast.unit, role="manager", language="en")
    (held,) = Referral.objects.filter(state="contact_made")
    intake.lock_out(by=boss, case=held.case, user=cast.manager, reason="Her brother.")
    page = client_of(cast.manager).get(reverse("caseload"))
    assert page.context["over_time"]["calls"].rows[0][1] == [0, 0, 0, 3, 0, 1]
    assert page.context["over_time"]["contact"].rows == [] and "27 hours" not in page.content.decode()
    assert charts_of(boss)["calls"].rows[0][1] == [0, 0, 0, 3, 0, 2]
    assert "27 hours" in client_of(boss).get(reverse("caseload")).content.decode()


def test_practice_counts_nowhere(year, cast):
    Call.objects.filter(municipality="1499", received_at__month=9).update(is_practice=True)
    summed()
    assert charts_of(cast.manager)["calls"].rows[0][1][3] == 0


def test_the_queries_do_not_grow(year, cast, make_call, django_assert_num_queries):
    row = DaySum.objects.of("contact").get()
    DaySum.objects.bulk_create(
        DaySum(unit=row.unit, what="contact", day=row.day, hours=hours, count=1) for hours in range(100, 180)
    )
    with django_assert_num_queries(2):
        assert charts_of(cast.manager, is_locked_out=False)["contact"].rows[0][1][-1] == 139


# -- the page ----------------------------------------------------------------------------------------------------------


def test_by_month_quarter_and_year(year, cast):
    assert [cells for _name, cells in answer(cast.manager, asked()).rows] == [["0"], ["0"], ["0"], ["3"], ["0"], ["2"]]
    assert [cells for _name, cells in answer(cast.manager, asked(step="quarter")).rows] == [["0"], ["3"], ["2"]]
    assert answer(cast.manager, asked(step="year")).rows == [("2026, from 1 Jun", ["5"])]
    found = answer(cast.manager, asked(first="2026-09-08", step="year")).rows
    assert found == [("2026, from 8 Sep", ["2"])]


def test_a_period_that_is_cut_says_from_when_and_until_when(year, cast):
    def names(**more):
        return [name for name, _cells in answer(cast.manager, asked(**more)).rows]

    assert names(first="2025-12-01", step="year") == ["2025, from 1 Dec", "2026"]
    assert names(first="2026-06-01", last="2026-09-30", step="quarter") == ["Q2 2026, from 1 Jun", "Q3 2026"]
    assert names(first="2026-04-01", last="2026-08-30", step="quarter") == ["Q2 2026", "Q3 2026, to 30 Aug"]
    assert names(first="2026-09-02", last="2026-09-29") == ["sep 2026, from 2 Sep, to 29 Sep"]


def test_told_apart_in_one_way(year, cast):
    found = answer(cast.manager, asked(by="place", step="year"))
    assert dict(found.rows) == {"Falköping": ["4", "4"], "Skövde": ["1", "1"]} and found.shares == [100, 25]
    assert dict(answer(cast.manager, asked("handovers", "agency", "year")).rows) == {str(cast.agency): ["1", "1"]}


def test_time_to_contact_and_answers_by_each(year, cast):
    for by in BY:
        found = answer(cast.manager, asked("contact", by, "year"))
        assert [cells for _name, cells in found.rows] == [["1", "27", "27"]], by
        found = answer(cast.manager, asked("answered", by, "year"))
        assert [cells for _name, cells in found.rows] == [["1", "0", "100 %"]], by


def test_each_combination_is_a_page_or_a_clear_answer(year, cast, client_of):
    theirs = client_of(cast.manager)
    for show, by, step in product(SHOWN, BY, STEPS):
        page = theirs.get(reverse("over-time"), {"show": show, "by": by, "step": step})
        refused = by in OF_HANDOVERS and show in {"calls", "cases"}
        assert page.status_code == (422 if refused else 200), (show, by, step)
        assert ("Only handovers" in page.content.decode()) == refused
        assert ("<caption" in page.content.decode()) != refused


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"show": "everything"}, "Show"),
        ({"by": "name"}, "Told apart by"),
        ({"step": "day"}, "Period"),
        ({"first": "yesterday"}, "From"),
        ({"first": "2026-12-01", "last": "2026-11-01"}, "The last day comes before the first."),
        ({"first": "2000-01-01", "last": "2999-12-31"}, "more than 60 periods"),
        ({"first": "2020-01-01", "last": "2026-11-01", "by": "place"}, "more than 12 periods"),
        ({"last": "9999-12-31"}, "Choose a day between 2000 and 2999."),
        ({"first": "\x00", "show": "'; --", "last": "0000-00-00"}, "corrected"),
    ],
)
def test_what_cannot_be_answered_is_said(query, words, cast, client_of):
    page = client_of(cast.manager).get(reverse("over-time"), query)
    assert page.status_code == 422 and words in page.content.decode()


def test_the_last_twelve_months_where_nothing_is_asked(year, cast, client_of):
    page = client_of(cast.manager).get(reverse("over-time")).content.decode()
    assert "2025-12-01 to 2026-11-30" in page and page.count("<svg") == 1


@pytest.mark.parametrize("who", ["caseworker", "partner", "keeper", "coordinator", "reviewer"])
def test_who_does_not(who, cast, client_of):
    assert client_of(getattr(cast, who)).get(reverse("over-time")).status_code == 403
    assert client_of(cast.manager).post(reverse("over-time")).status_code == 405


def test_no_number_of_another_unit(year, cast, client_of):
    page = client_of(cast.manager).get(reverse("over-time"), {"by": "place", "step": "year"}).content.decode()
    assert "Falköping" in page and "Tibro" not in page


def test_the_page_asks_the_same_however_long_the_history(year, cast, client_of, django_assert_max_num_queries):
    theirs = client_of(cast.manager)
    theirs.get(reverse("over-time"))
    DaySum.objects.bulk_create(
        DaySum(unit=cast.unit, what="call", day=clock.today() - dt.timedelta(days=n), count=1) for n in range(90, 330)
    )
    with django_assert_max_num_queries(14):
        theirs.get(reverse("over-time"))


# -- the pictures ------------------------------------------------------------------------------------------------------


def test_bars_stand_on_the_floor_and_reach_as_high_as_they_count():
    chart = bar_chart(["a", "b", "c"], [0, 5, None], unfinished=1)
    assert [bar.height for bar in chart.bars] == [0, round(162 * 5 / 6), 0] and chart.bars[2].said == "–"
    assert all(bar.y + bar.height == 190 for bar in chart.bars) and chart.ticks[-1].label == "6"


def test_a_gap_breaks_a_line_and_words_stand_apart():
    chart = line_chart(["a", "b", "c"], [("half", [1, None, 2]), ("most", [1, None, 2])])
    assert [len(piece) for piece in chart.lines[0].pieces] == [1, 1]
    assert abs(chart.lines[0].label_y - chart.lines[1].label_y) >= 19


def test_nothing_is_drawn_of_nothing():
    assert bar_chart([], []).bars == [] and line_chart([], []).lines == []


def test_days_are_rounded_out_to_whole_months(year, cast, client_of):
    """A single day would tell, part by part, the facts of its one call."""
    query = {"show": "calls", "by": "place", "step": "month", "first": "2026-11-10", "last": "2026-11-10"}
    found = client_of(cast.manager).get(reverse("over-time"), query).context["asked"]
    assert (found.first, found.last) == (dt.date(2026, 11, 1), dt.date(2026, 11, 30))


@pytest.mark.parametrize("show", ["calls", "cases", "handovers", "contact", "answered"])
@pytest.mark.parametrize("how", ["locked out", "protected", "neither"])
def test_of_what_is_not_for_this_reader_no_fact(cast, client_of, make_case, make_draft, at, show, how):
    """One case, one call, one handover: told apart by municipality, caller, milieu and the rest it would be an open book."""
    facts = {"protection": "secrecy_marking", "track": "C", "actualisation": "yes"} if how == "protected" else {}
    with at("2026-11-10 10:00"):
        case = make_case(municipality_id="1472", milieu="ISLAMIST", **facts)
        held = actions.send(by=cast.caseworker, referral=make_draft(case=case))
        held = actions.accept(by=cast.partner, referral=held)
        actions.contact_made(by=cast.partner, referral=held, text="Met him.")
        if how == "locked out":
            boss = User.objects.create(username="boss", unit=cast.unit, role="manager", first_name="Bo", language="en")
            intake.lock_out(by=boss, case=case, user=cast.manager, reason="Her brother.")
    summed()
    for by in BY:
        if by in OF_HANDOVERS and show in {"calls", "cases"}:
            continue
        rows = answer(cast.manager, asked(show, by, first="2026-11-01", last="2026-11-30")).rows
        told = any(cell not in ("0", "–") for _name, cells in rows for cell in cells)
        assert told == (how == "neither" or (how == "protected" and not by)), (by, rows)
    other = client_of(User.objects.get(username="boss")) if how == "locked out" else None
    if other:  # who is not locked out is told
        page = other.get(reverse("over-time"), {"show": show, "by": "place"}).content.decode()
        assert "Tibro" in page


# -- what is not to be taken for a number ------------------------------------------------------------------------------


def test_a_wrong_number_is_no_call_and_a_silent_one_that_led_to_a_case_is(year, make_call, make_case, cast, client_of):
    calls(make_call, cast.caseworker, 3, caller_type="misdial")
    summed()
    assert answer(cast.manager, asked(step="year")).rows == [("2026, from 1 Jun", ["5"])]
    assert charts_of(cast.manager)["calls"].rows[0][1][-1] == 2
    Call.objects.filter(pk=make_case().calls.get().pk).update(caller_type="misdial")
    summed()
    told = dict(answer(cast.manager, asked(by="caller", step="year")).rows)
    assert told["Misdial or silent call"] == ["1", "1"]
    assert "no call here" in client_of(cast.manager).get(reverse("over-time")).content.decode()


def test_the_sum_stands_beside_the_name(year, cast):
    found = answer(cast.manager, asked(by="place"))
    assert found.heads[0] == "All" and len(found.heads) == 7 and found.is_wide
    assert dict(found.rows)["Falköping"] == ["4", "0", "0", "0", "3", "0", "1"]
    assert not answer(cast.manager, asked("contact", "agency")).is_wide


@pytest.mark.parametrize("hidden", ["", "protected", "answered"])
def test_what_waits_past_its_time_is_said_beside_the_share(hidden, cast, client_of, make_case, make_draft, at):
    facts = {"protection": "secrecy_marking", "track": "C", "actualisation": "yes"} if hidden == "protected" else {}
    with at("2026-11-10 10:00"):
        held = actions.send(by=cast.caseworker, referral=make_draft(case=make_case(**facts)))
        if hidden == "answered":
            actions.accept(by=cast.partner, referral=held)
    summed()
    theirs = client_of(cast.manager)
    page = theirs.get(reverse("over-time"), {"show": "answered", "by": "agency"}).content.decode()
    assert ("1 handover waits past its time now" in page) == (hidden != "answered")
    assert (f"({cast.agency} 1)" in page) == (hidden == "")
    assert ("(Protected data 1)" in page) == (hidden == "protected")
    assert "What still waits is in no number here." in page
    assert "past its time" not in theirs.get(reverse("over-time"), {"show": "handovers"}).content.decode()


@pytest.mark.parametrize("why", ["old", "many", "few"])
def test_while_the_sums_are_counted_there_is_a_word_and_no_number(why, year, cast, client_of, monkeypatch):
    DayMark.objects.create(day=clock.today(), at=timezone.now())
    if why == "old":
        DayMark.objects.update(at=timezone.now() - dt.timedelta(minutes=2))
    if why == "many":
        monkeypatch.setattr(sums, "MANY", 0)
    for name in ("over-time", "caseload"):
        page = client_of(cast.manager).get(reverse(name)).content.decode()
        assert ("Still being counted." in page) == (why != "few"), name
        assert ("<svg" in page) == (why == "few"), name
    assert ("have never been bounced" in page) == (why == "few")


def test_it_ends_with_this_month(year, cast, client_of):
    theirs = client_of(cast.manager)
    page = theirs.get(reverse("over-time"), {"first": "2026-09-01", "last": "2031-05-01"})
    assert page.context["asked"].last == dt.date(2026, 11, 30) and "ends with this month" in page.content.decode()
    assert "ends with this month" not in theirs.get(reverse("over-time")).content.decode()
    page = theirs.get(reverse("over-time"), {"first": "2026-12-01", "last": "2031-05-01"})
    assert page.status_code == 422 and "still to come" in page.content.decode()


@pytest.mark.parametrize("count", [1, 2, 5, 6, 12, 24, 60])
@pytest.mark.parametrize("words", ["jan", "dec 2025", "Q4 2025"])
def test_large_letters_run_into_no_others(count, words):
    for chart in (bar_chart([words] * count, [100] * count), line_chart([words] * count, [("half", [1] * count)])):
        large = [one for one in chart.below if one.is_for_all]
        half = len(words) * LARGE / 2
        assert large and all(one.x - half >= -LEFT / 2 and one.x + half <= RIGHT + LEFT / 2 for one in large)
        assert all(b.x - a.x >= 2 * half - 1 for a, b in pairwise(large))
        bars = [bar for bar in chart.bars if bar.said and not bar.is_narrow]
        assert all(b.middle - a.middle >= len(a.said) * LARGE - 1 for a, b in pairwise(bars))
