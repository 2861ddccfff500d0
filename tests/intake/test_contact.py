"""Reaching the person: read first, the number to the owner alone, the result written down, the number erased in time."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from intake import actions, tasks
from intake.models import Call, Case, Event, Person
from intake.safe import SafeContact

pytestmark = pytest.mark.django_db
NUMBER = "0709-87 65 43"


def agreed(**values) -> str:
    return SafeContact().changed(values).write()


@pytest.fixture
def case(make_case) -> Case:
    """A case whose caller left a number and may be left no message."""
    return make_case(
        phone=NUMBER, safe_contact=agreed(may_call="yes", voicemail="no", hours="22.00-23.30", stop_word="Oslo")
    )


def url(name, case):
    return reverse(f"intake:{name}", args=[case.slug])


@pytest.fixture
def prepared(client_of, cast, case):
    """Anna's browser, in which she has read how."""
    client = client_of(cast.caseworker)
    assert client.post(url("contact-prepare", case), {"read": "on"}).status_code == 302
    return client


def phone(case) -> str:
    return case.people.get(part="caller").phone


def test_how_stands_in_the_way_of_everything(client_of, cast, case):
    client = client_of(cast.caseworker)
    page = client.get(url("contact", case)).content.decode()
    assert "Oslo" in page and "Leave no message" in page and "I have read this" in page
    assert NUMBER not in page and "Show the number" not in page and "How it went" not in page
    answer = client.post(url("number-show", case))
    assert answer.status_code == 302 and answer.url == url("contact", case)
    assert not LogEntry.objects.filter(event="number.shown").exists()


def test_the_tick_is_needed_and_logged(client_of, cast, case):
    client = client_of(cast.caseworker)
    assert client.post(url("contact-prepare", case), {}).status_code == 422
    assert not LogEntry.objects.filter(event="contact.prepared").exists()
    assert client.post(url("contact-prepare", case), {"read": "on"}).status_code == 302
    assert LogEntry.objects.filter(event="contact.prepared", case=case.pk, user=cast.caseworker).count() == 1
    page = client.get(url("contact", case)).content.decode()
    assert "Show the number" in page and "How it went" in page and NUMBER not in page


def test_the_number_is_shown_on_one_page_and_logged(prepared, cast, case):
    answer = prepared.post(url("number-show", case))
    page = answer.content.decode()
    assert answer.status_code == 200 and NUMBER in page and 'href="tel:0709876543"' in page
    assert "no-store" in answer.headers["Cache-Control"]
    person = case.people.get(part="caller")
    assert LogEntry.objects.get(event="number.shown", case=case.pk, user=cast.caseworker).row == str(person.pk)
    assert NUMBER not in prepared.get(url("contact", case)).content.decode()
    assert prepared.get(url("number-show", case)).status_code == 405


def test_only_the_owner_sees_it(client_of, cast, case):
    actions.open_with_reason(by=cast.colleague, case=case, reason="owner_away")
    client = client_of(cast.colleague)
    assert client.post(url("contact-prepare", case), {"read": "on"}).status_code == 302
    page = client.get(url("contact", case)).content.decode()
    assert "Only Anna, who has this, sees the number" in page and "How it went" in page
    answer = client.post(url("number-show", case))
    assert answer.status_code == 403 and NUMBER not in answer.content.decode()
    assert LogEntry.objects.filter(event="number.refused", case=case.pk, user=cast.colleague).exists()
    assert not LogEntry.objects.filter(event="number.shown").exists()


def test_no_page_of_the_case_shows_it(client_of, cast, case):
    client = client_of(cast.caseworker)
    for name in ("case", "people", "contact"):
        assert NUMBER not in client.get(url(name, case)).content.decode(), name
    assert NUMBER not in client.get(reverse("intake:my-day")).content.decode()


@pytest.mark.parametrize("name", ["contact-prepare", "number-show", "number-set", "contact-log"])
def test_who_may(name, client_of, cast, case):
    wanted = {"colleague": 302, "manager": 302, "stranger": 404, "other_manager": 404}
    for who, user in cast.everybody().items():
        if who != "caseworker":
            client = client_of(user)
            assert client.post(url(name, case), {"read": "on"}).status_code == wanted.get(who, 403), who
    assert client_of(cast.caseworker).get(url(name, case)).status_code == 405


def test_what_is_agreed_anew_is_read_anew(prepared, cast, case):
    actions.safe.change_safe_contact(by=cast.caseworker, case=case, safe={"may_call": "no"})
    assert prepared.post(url("number-show", case)).status_code == 302
    page = prepared.get(url("contact", case)).content.decode()
    assert "Do not call" in page and "How it went" not in page


def test_what_was_read_holds_for_a_while(prepared, case):
    with clock.at(clock.now() + dt.timedelta(hours=2, minutes=1)):
        assert "How it went" not in prepared.get(url("contact", case)).content.decode()


def test_outside_the_agreed_hours_is_said(at, client_of, cast, case):
    with at("2026-12-01 11:00"):
        page = client_of(cast.caseworker).get(url("contact", case)).content.decode()
        assert "outside the agreed hours: 22.00-23.30" in page
    with at("2026-12-01 22:30"):
        assert "outside the agreed hours" not in client_of(cast.caseworker).get(url("contact", case)).content.decode()


def test_hours_that_nobody_but_a_person_understands_are_to_be_read(at, client_of, cast, make_case):
    case = make_case(phone=NUMBER, safe_contact=agreed(may_call="yes", hours="inte efter 21"))
    for moment, said in [("2026-12-01 22:30", "Tuesday 22:30"), ("2026-12-01 10:00", "Tuesday 10:00")]:
        with at(moment):
            page = client_of(cast.caseworker).get(url("contact", case)).content.decode()
        assert (
            f'<p class="forbids">Read the hours yourself before you call: inte efter 21. It is {said} now.</p>' in page
        )
        assert "outside the agreed hours" not in page


# -- the result --------------------------------------------------------------------------------------------------------


def test_reached_is_written_and_the_number_erased(prepared, cast, case):
    answer = prepared.post(url("contact-log", case), {"outcome": "reached", "text": "He is at home"})
    connection.check_constraints()
    assert answer.status_code == 302
    assert Event.objects.get(case=case, kind="contact.reached").text == "He is at home"
    person = case.people.get(part="caller")
    assert (person.phone, person.phone_until) == ("", None)
    row = LogEntry.objects.get(event="number.erased", case=case.pk)
    assert row.user == cast.caseworker and NUMBER not in str(row.codes)
    assert "How it went" not in prepared.get(url("contact", case)).content.decode()  # the next contact is prepared anew


def test_another_call_on_the_number_is_agreed(prepared, case):
    later = clock.now() + dt.timedelta(minutes=90)
    with clock.at(later):
        prepared.post(url("contact-log", case), {"outcome": "reached", "keep_number": "on"})
    person = case.people.get(part="caller")
    assert person.phone == NUMBER and person.phone_until == later + dt.timedelta(days=14)


@pytest.mark.parametrize("outcome", ["no_answer", "message"])
def test_who_was_not_reached_is_called_again(cast, case, outcome):
    actions.safe.change_safe_contact(by=cast.caseworker, case=case, safe={"voicemail": "yes"})
    actions.log_contact(by=cast.caseworker, case=case, outcome=outcome)
    assert phone(case) == NUMBER and Event.objects.filter(case=case, kind=f"contact.{outcome}").count() == 1


@pytest.mark.parametrize("voicemail", ["no", "unknown", ""])
def test_a_message_is_not_left_unless_it_is_agreed(client_of, cast, case, voicemail):
    if voicemail != "unknown":
        actions.safe.change_safe_contact(by=cast.caseworker, case=case, safe={"voicemail": voicemail})
    client = client_of(cast.caseworker)
    client.post(url("contact-prepare", case), {"read": "on"})
    assert "Left a message" not in client.get(url("contact", case)).content.decode()
    answer = client.post(url("contact-log", case), {"outcome": "message", "text": "Hello"})
    assert answer.status_code == 422 and "Hello" in answer.content.decode()
    with pytest.raises(Refused):
        actions.log_contact(by=cast.caseworker, case=case, outcome="message")
    with pytest.raises(Refused):
        actions.log_contact(by=cast.caseworker, case=case, outcome="shouted")


def test_words_are_not_lost_where_nothing_was_read(client_of, cast, case):
    client = client_of(cast.caseworker)
    answer = client.post(url("contact-log", case), {"outcome": "reached", "text": "A long talk"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "A long talk" in page and "I have read this" in page
    assert not Event.objects.filter(kind="contact.reached").exists()
    data = {"outcome": "reached", "text": "A long talk", "read": "on"}
    assert client.post(url("contact-log", case), data).status_code == 302
    assert LogEntry.objects.filter(event="contact.prepared", case=case.pk).count() == 1


def test_of_two_numbers_that_of_who_was_reached_is_erased(prepared, cast, case):
    other = Person.objects.create(case=case, part="caller", phone="222", phone_until=clock.now() + dt.timedelta(days=3))
    answer = prepared.post(url("contact-log", case), {"outcome": "reached"})
    assert answer.status_code == 422 and "Choose who was called" in answer.content.decode()
    assert prepared.post(url("contact-log", case), {"outcome": "reached", "person": str(other.pk)}).status_code == 302
    left = [one.phone for one in case.people.filter(part="caller").order_by("pk")]
    assert left == [NUMBER, ""]


# -- the number --------------------------------------------------------------------------------------------------------


def test_the_owner_writes_a_new_number(prepared, cast, case):
    answer = prepared.post(url("number-set", case), {"phone": "0500-49 77 82"})
    assert answer.status_code == 302 and phone(case) == "0500-49 77 82"
    assert case.people.get(part="caller").phone_until - clock.now() > dt.timedelta(days=13)
    assert LogEntry.objects.filter(event="number.written", case=case.pk).count() == 1
    assert prepared.post(url("number-set", case), {"phone": "call me"}).status_code == 422
    actions.open_with_reason(by=cast.colleague, case=case, reason="owner_away")
    with pytest.raises(Refused):
        actions.set_number(by=cast.colleague, case=case, phone="111")
    assert phone(case) == "0500-49 77 82"


def test_a_number_is_erased_after_fourteen_days_and_once(case):
    end = case.people.get(part="caller").phone_until
    with clock.at(end - dt.timedelta(seconds=1)):
        assert actions.erase_numbers() == 0
    assert phone(case) == NUMBER
    with clock.at(end):
        assert actions.erase_numbers() == 1
        assert actions.erase_numbers() == 0
    connection.check_constraints()
    assert phone(case) == ""
    assert LogEntry.objects.filter(event="number.erased", case=case.pk, user=None).count() == 1
    assert case.events.filter(kind="number.erased").count() == 1


def test_a_number_whose_time_is_up_is_shown_no_more_before_it_is_erased(prepared, case):
    with clock.at(case.people.get(part="caller").phone_until):
        assert actions.contact.with_number(case) == []


def test_a_number_of_a_call_that_nobody_finished_is_erased_too(cast, make_call):
    call = make_call(phone=NUMBER)
    late = make_call(phone="222", entered_late=True, received_at=clock.now() - dt.timedelta(days=30))
    assert actions.erase_numbers() == 0
    with clock.at(call.received_at + dt.timedelta(days=14)):
        tasks.forget()
    assert Call.objects.get(pk=call.pk).phone == ""
    assert LogEntry.objects.filter(event="number.erased", call=call.pk).count() == 1
    assert Call.objects.get(pk=late.pk).phone == "222"  # it was written just now
    with clock.at(clock.now() + dt.timedelta(days=15)):
        call_command("erase_numbers")
    assert Call.objects.get(pk=late.pk).phone == ""
    connection.check_constraints()


def test_one_that_cannot_be_erased_keeps_no_other_waiting(case, make_case, monkeypatch):
    other = make_case(phone="222")
    real = actions.contact.forget_number

    def fails_on_the_first(*, by, case, person):
        if person.case_id == other.pk:
            raise ValueError
        real(by=by, case=case, person=person)

    monkeypatch.setattr(actions.contact, "forget_number", fails_on_the_first)
    with clock.at(clock.now() + dt.timedelta(days=20)):
        assert actions.erase_numbers() == 1
    assert (phone(case), phone(other)) == ("", "222")


def test_where_one_calls_out_there_is_a_way_to_this_page(client_of, cast, case):
    client, there = client_of(cast.caseworker), url("contact", case)
    assert there in client.get(url("case", case)).content.decode()
    actions.plan_step(by=cast.caseworker, case=case, kind="call_back", due_at=clock.now() + dt.timedelta(minutes=5))
    assert there in client.get(reverse("intake:my-day")).content.decode()


def test_the_same_words_pressed_twice_are_one_attempt_and_two_without_words_are_two(case, cast):
    for text in ("A man answered.", "A man answered.", "A man answered again.", "", ""):
        actions.log_contact(by=cast.caseworker, case=case, outcome="no_answer", text=text)
    told = [event.text for event in Event.objects.filter(case=case, kind="contact.no_answer").order_by("id")]
    assert told == ["A man answered.", "A man answered again.", "", ""]
