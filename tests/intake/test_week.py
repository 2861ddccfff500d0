"""The week as a calendar: steps by day and time, the times of the law, absences; for its worker, and for who leads."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.models import LogEntry
from helpline.people.workdays import local
from intake import actions
from intake.models import ChildClock, FollowUp
from intake.week import week_of, weeks_of

pytestmark = pytest.mark.django_db
URL = "/my-day/week/"
MONDAY = dt.date(2026, 11, 23)


def planned(cast, case, day: int, time: dt.time, what: str = "Call the school", **rest):
    due = local(MONDAY + dt.timedelta(days=day), time)
    step = actions.plan_step(by=cast.caseworker, case=case, what=what, due_at=due, **rest)
    connection.check_constraints()
    return step


def lines(week, day: int) -> list[str]:
    return [entry.what for entry in week.days[day].entries]


def test_steps_stand_in_their_day_in_order_of_time(make_case, cast, at):
    with at("2026-11-23 08:00"):
        case = make_case()
        planned(cast, case, 2, dt.time(15), "Later")
        planned(cast, case, 2, dt.time(9), "Sooner")
        planned(cast, case, 9, dt.time(9), "The week after")
        one, two = weeks_of(cast.caseworker, MONDAY, 2)
    assert lines(one, 2) == ["Sooner", "Later"]
    assert lines(two, 2) == ["The week after"]
    assert [day.date.weekday() for day in one.shown] == [0, 1, 2, 3, 4]


def test_midnight_and_the_change_of_clocks_are_swedish(make_case, cast, at):
    with at("2026-10-23 08:00"):
        case = make_case()
        for day, time in ((dt.date(2026, 10, 25), dt.time(23, 59)), (dt.date(2026, 10, 26), dt.time(0, 0))):
            actions.plan_step(by=cast.caseworker, case=case, what=f"{day}", due_at=local(day, time))
        one, two = weeks_of(cast.caseworker, dt.date(2026, 10, 19), 2)
    assert lines(one, 6) == ["2026-10-25"] and one.shown[-1].date == dt.date(2026, 10, 25)
    assert "2026-10-26" in lines(two, 0)


def test_what_is_late_stands_first_in_this_week_and_in_no_other(client_of, make_case, cast, at):
    with at("2026-11-18 08:00"):
        case = make_case()
        actions.plan_step(
            by=cast.caseworker, case=case, what="Forgotten", due_at=local(dt.date(2026, 11, 19), dt.time(9))
        )
    with at("2026-11-24 10:00"):
        now, coming = weeks_of(cast.caseworker, MONDAY, 2)
        later = week_of(cast.caseworker, MONDAY + dt.timedelta(days=14))
        page = client_of(cast.caseworker).get(URL).content.decode()
    assert "Forgotten" in [entry.what for entry in now.late] and all(entry.is_late for entry in now.late)
    assert coming.late == later.late == []
    assert page.index("Late from before") < page.index("Forgotten") < page.index("mon 23")


def test_a_childs_time_has_its_aim_and_its_last_day(make_case, cast, at):
    with at("2026-12-10 09:00"):  # fourteen days later is Christmas Eve: the last day moves to 28 December
        case = make_case()
        report = actions.register_concern(by=cast.caseworker, case=case, child_age_band="15-17")
        connection.check_constraints()
        running = ChildClock.objects.get(report=report, kind="preliminary_assessment")
        assert (running.aim, running.last_day) == (dt.date(2026, 12, 24), dt.date(2026, 12, 28))
        one, two = weeks_of(cast.caseworker, dt.date(2026, 12, 21), 2)
    [entry] = one.days[3].entries
    assert entry.more == "last day by law: Mon 28 Dec"
    [entry] = two.days[0].entries
    assert (entry.at, entry.more) == (None, "last day by law")


def test_a_time_that_is_done_is_not_there(make_case, cast, at):
    with at("2026-12-10 09:00"):
        report = actions.register_concern(by=cast.caseworker, case=make_case(), child_age_band="15-17")
        ChildClock.objects.filter(report=report).exclude(kind="preliminary_assessment").delete()
        before = len(week_of(cast.caseworker, dt.date(2026, 12, 28)).days[0].entries)
        type(cast.caseworker).objects.filter(pk=cast.caseworker.pk).update(is_qualified=True)
        ChildClock.objects.filter(report=report).update(done_at=clock.now(), done_by=cast.caseworker)
        after = len(week_of(cast.caseworker, dt.date(2026, 12, 28)).days[0].entries)
    assert (before, after) == (1, 0)


def test_absences_and_whom_one_stands_in_for(client_of, make_case, cast, at):
    with at("2026-11-23 08:00"):
        days = {"first_day": dt.date(2026, 11, 25), "last_day": dt.date(2026, 11, 26)}
        save_absence(by=cast.caseworker, user=cast.caseworker, deputy=cast.colleague, **days)
        mine, theirs = week_of(cast.caseworker, MONDAY), week_of(cast.colleague, MONDAY)
        page = client_of(cast.caseworker).get(URL).content.decode()
    assert [day.absences for day in mine.days] == [[], [], *[["Away; Bert stands in"]] * 2, [], [], []]
    assert theirs.days[3].absences == ["You stand in for Anna"]
    assert page.count("Away; Bert stands in") == 2


def test_a_protected_case_says_nothing_but_its_number(client_of, make_case, cast, at):
    with at("2026-11-23 08:00"):
        case = make_case(protection="secrecy_marking", track="B")
        planned(cast, case, 1, dt.time(9), "Call Fatima")
        actions.register_concern(by=cast.caseworker, case=case, child_age_band="15-17")
        page = client_of(cast.caseworker).get(URL).content.decode()
        weeks = weeks_of(cast.caseworker, MONDAY, 3)
    assert "Fatima" not in page and "Protected data" in page and str(case) in page
    said = {entry.what for week in weeks for day in week.days for entry in day.entries}
    assert said == {"Protected data"}


def test_who_leads_reads_labels_and_no_words(make_case, cast, at):
    with at("2026-11-23 08:00"):
        planned(cast, make_case(), 1, dt.time(9), "Call Fatima")
        own = week_of(cast.caseworker, MONDAY)
        seen = week_of(cast.caseworker, MONDAY, reader=cast.manager)
    assert lines(own, 1) == ["Call Fatima"] and lines(seen, 1) == ["Planned step"]


def test_another_unit_sees_nothing_of_it(make_case, cast, at):
    with at("2026-11-23 08:00"):
        planned(cast, make_case(), 1, dt.time(9))
        for reader in (cast.stranger, cast.other_manager, cast.partner, cast.keeper):
            assert week_of(cast.caseworker, MONDAY, reader=reader).cases == []


def test_who_is_locked_out_sees_nothing_of_it(make_case, cast, at):
    with at("2026-11-23 08:00"):
        case = make_case()
        planned(cast, case, 1, dt.time(9))
        actions.register_concern(by=cast.caseworker, case=case, child_age_band="15-17")
        assert week_of(cast.caseworker, MONDAY, reader=cast.colleague).cases
        actions.lock_out(by=cast.manager, case=case, user=cast.colleague, reason="Her cousin.")
        connection.check_constraints()
        assert [
            week_of(cast.caseworker, MONDAY + dt.timedelta(days=7 * n), reader=cast.colleague).cases for n in (0, 2)
        ] == [
            [],
            [],
        ]


def test_reading_it_is_a_row_of_the_log(client_of, make_case, cast, at):
    with at("2026-11-23 08:00"):
        case = make_case()
        planned(cast, case, 1, dt.time(9))
        client_of(cast.caseworker).get(URL)
    row = LogEntry.objects.filter(event="cases.listed", user=cast.caseworker).latest("pk")
    assert row.codes == {"cases": [str(case.pk)]}


def test_from_week_to_week(client_of, cast, at):
    with at("2026-11-26 08:00"):
        client = client_of(cast.caseworker)
        page = client.get(URL).content.decode()
        assert f'href="{URL}2026-11-16/"' in page and f'href="{URL}2026-11-30/"' in page
        assert "Week 48" in page and "Week 49" in page
        assert client.get(f"{URL}2026-11-29/").context["weeks"][0].monday == MONDAY
        assert "Only what is still to be done" in client.get(f"{URL}2026-11-16/").content.decode()


@pytest.mark.parametrize(
    "day", ["x", "2026-13-01", "2026-02-30", "1900-01-01", "9999-12-31", "2026-11-23T10:00", "%00"]
)
def test_a_day_that_is_none_is_not_there(client_of, cast, day, at):
    with at("2026-11-26 08:00"):
        assert client_of(cast.caseworker).get(f"{URL}{day}/").status_code == 404


def test_a_week_that_is_cut_says_so(client_of, make_case, cast, at, monkeypatch):
    with at("2026-11-23 08:00"):
        case = make_case()
        FollowUp.objects.filter(case=case).update(due_at=local(MONDAY, dt.time(9)))
        client, said = client_of(cast.caseworker), "What is due last is missing below."
        monkeypatch.setattr("intake.week.MOST", 1)
        assert said not in client.get(URL).content.decode()
        planned(cast, case, 2, dt.time(15), "Later")
        page = client.get(URL).content.decode()
    assert said in page and "Later" not in page


def test_my_day_leads_there(client_of, cast):
    assert f'href="{URL}"' in client_of(cast.caseworker).get("/my-day/").content.decode()


def test_who_may_not(client_of, cast):
    for who in ("partner", "keeper", "coordinator", "reviewer"):
        assert client_of(getattr(cast, who)).get(URL).status_code == 403
    assert client_of(cast.caseworker).post(URL).status_code == 405
    assert reverse("intake:week") == URL


def test_statements_do_not_grow_with_the_rows(client_of, make_case, cast, at):
    with at("2026-11-23 08:00"):
        client = client_of(cast.caseworker)

        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                client.get(URL)
            return len([one for one in queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))])

        planned(cast, make_case(), 1, dt.time(9))
        count()
        few = count()
        for number in range(5):
            case = make_case()
            planned(cast, case, number % 5, dt.time(11))
            actions.register_concern(by=cast.caseworker, case=case, child_age_band="15-17")
        assert count() == few <= 8
