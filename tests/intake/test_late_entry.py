"""A call that was taken on paper and is entered afterwards: it counts, and its times run, from when it took place."""

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse

from helpline.over_time import charts_of
from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from helpline.sums import sum_up
from intake import actions
from intake.actions.after import start_late_call
from intake.models import Call, Event

pytestmark = pytest.mark.django_db
URL = "/calls/late/"


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


def test_it_opens_the_ordinary_page_with_the_time_that_it_took_place(anna, cast, at):
    with at("2026-11-24 09:00"):
        answer = anna.post(URL, {"received_at": "2026-11-23T14:05", "minutes": "35"})
        call = Call.objects.get()
        assert (answer.status_code, answer.url) == (303, reverse("intake:call", args=[call.pk]))
        page = anna.get(answer.url).content.decode()
    connection.check_constraints()
    assert call.entered_late and (call.lasted_minutes, call.minutes) == (35, 35)
    assert call.received_at == dt.datetime(2026, 11, 23, 13, 5, tzinfo=dt.UTC)
    assert "Entered afterwards: the call was taken" in page and "35 minutes" in page
    assert 'id="elapsed" hidden' in page  # no clock runs
    assert LogEntry.objects.get(event="call.entered_late").codes == {"minutes": 35}


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"received_at": "2026-11-24T09:01", "minutes": "1"}, "received_at", "that has been"),
        ({"received_at": "2027-11-24T09:01", "minutes": "1"}, "received_at", "that has been"),
        ({"received_at": "2026-09-20T09:00", "minutes": "30"}, "received_at", "more than 60 days"),
        ({"received_at": "0001-01-01T00:00", "minutes": "30"}, "received_at", ""),
        ({"received_at": "9999-12-31T23:59", "minutes": "30"}, "received_at", "that has been"),
        ({"received_at": "yesterday", "minutes": "30"}, "received_at", ""),
        ({"received_at": "", "minutes": "30"}, "received_at", ""),
        ({"received_at": "2026-11-23T14:05", "minutes": "0"}, "minutes", "from 1 to 720"),
        ({"received_at": "2026-11-23T14:05", "minutes": "-5"}, "minutes", "from 1 to 720"),
        ({"received_at": "2026-11-23T14:05", "minutes": "99999999999999"}, "minutes", "from 1 to 720"),
        ({"received_at": "2026-11-23T14:05", "minutes": "\x00"}, "minutes", ""),
        ({"received_at": "2026-11-24T08:30", "minutes": "45"}, "minutes", "cannot have lasted"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(anna, at, given, field, words):
    with at("2026-11-24 09:00"):
        answer = anna.post(URL, given)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert words in str(answer.context["form"].errors[field])
    assert f'value="{given["received_at"]}"' in answer.content.decode() or not given["received_at"]
    assert not Call.objects.exists()


def test_sent_twice_it_is_one_call(anna, at):
    given = {"received_at": "2026-11-23T14:05", "minutes": "35"}
    with at("2026-11-24 09:00"):
        first = anna.post(URL, given)
        call = Call.objects.get()
        actions.save_call(by=call.taken_by, call=call, notes={"seen": "ord"})
    with at("2026-11-24 09:01"):
        second = anna.post(URL, given)
    assert first.url == second.url and Call.objects.count() == 1
    assert LogEntry.objects.filter(event="call.entered_late").count() == 1
    connection.check_constraints()


@pytest.mark.parametrize("other", [{"received_at": "2026-11-23T14:06"}, {"minutes": "36"}])
def test_another_time_is_another_call(anna, at, other):
    given = {"received_at": "2026-11-23T14:05", "minutes": "35"}
    with at("2026-11-24 09:00"):
        anna.post(URL, given)
        anna.post(URL, {**given, **other})
    assert Call.objects.count() == 2


def test_a_colleague_who_enters_the_same_time_has_a_call_of_their_own(anna, client_of, cast, at):
    given = {"received_at": "2026-11-23T14:05", "minutes": "35"}
    with at("2026-11-24 09:00"):
        assert anna.post(URL, given).url != client_of(cast.colleague).post(URL, given).url


def test_in_the_hour_that_comes_twice_the_first_is_meant(anna, at):
    with at("2026-10-26 08:00"):
        answer = anna.post(URL, {"received_at": "2026-10-25T02:30", "minutes": "20"})
    assert answer.status_code == 303
    assert Call.objects.get().received_at == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)


def _completed(cast, took_place: str, urgency: str = "SKYNDSAM"):
    moment = dt.datetime.fromisoformat(took_place).replace(tzinfo=dt.UTC)
    call = start_late_call(by=cast.caseworker, received_at=moment, minutes=30)
    facts = {"caller_type": "relative", "urgency": urgency, "urgency_reason": "as told", "actualisation": "no"}
    facts["actualisation_reason"] = "Advice alone."
    call = actions.save_call(by=cast.caseworker, call=call, facts=facts)
    return actions.complete_call(by=cast.caseworker, call=call)


def test_the_first_step_is_due_from_when_it_took_place(cast, at):
    with at("2026-11-24 09:00"):
        call = _completed(cast, "2026-11-23T13:05")
    due = call.case.steps.get().due_at
    assert due == dt.datetime(2026, 11, 26, 15, 0, tzinfo=dt.UTC)  # three working days after the call, not after today


def test_or_from_now_where_that_has_passed(cast, at):
    with at("2026-11-24 09:00"):
        call = _completed(cast, "2026-10-01T13:05")
        assert call.case.steps.get().due_at > clock.now()
    connection.check_constraints()


def test_figures_count_it_on_its_day(cast, at):
    with at("2026-11-02 09:00"):
        _completed(cast, "2026-10-30T13:05")
        while sum_up():
            pass
        (_label, counts), *_ = charts_of(cast.manager)["calls"].rows
    assert counts[-2:] == [1, 0]


def test_the_timeline_says_when_it_took_place(cast, at):
    with at("2026-11-24 09:00"):
        call = _completed(cast, "2026-11-23T13:05")
    event = Event.objects.get(kind="call.entered_late")
    assert event.case == call.case and "2026-11-23 14.05" in event.title
    assert Event.objects.get(kind="call.completed").title == "Call, 30 minutes"


def test_a_report_of_concern_is_offered_the_time_of_the_call(anna, cast, at):
    with at("2026-11-24 09:00"):
        call = _completed(cast, "2026-11-20T13:05")
        page = anna.get(reverse("intake:concern-register", args=[call.case.slug])).content.decode()
    assert 'value="2026-11-20T14:05"' in page


def test_a_misdial_is_entered_too(anna, at):
    with at("2026-11-24 09:00"):
        anna.post(URL, {"received_at": "2026-11-23T14:05", "minutes": "2"})
        call = Call.objects.get()
        anna.post(reverse("intake:call-quick", args=[call.pk]))
    call = Call.objects.get()
    assert (call.caller_type, call.minutes) == ("misdial", 2)


def test_who_may(client_of, cast):
    assert client_of(cast.caseworker).get(URL).status_code == 200
    for who in ("partner", "keeper"):
        for method in ("get", "post"):
            assert getattr(client_of(getattr(cast, who)), method)(URL).status_code == 403
    with pytest.raises(Refused):
        start_late_call(by=cast.keeper, received_at=clock.now() - dt.timedelta(hours=1), minutes=1)
