"""An agency's own page: room, days away, hours, who stands in, how soon it answers, what we know of it; its own alone."""

import datetime as dt
from functools import partial

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from referrals.actions import accept, ask_question, decline
from referrals.actions import agency_own as own
from referrals.figures import AnswerTime, answer_time
from referrals.models import AgencyAbsence, AgencyMember, OpeningHours, PartnerAgency, Referral

PAGE = reverse("portal:agency")
ANYBODY = ["agency-room", "agency-away", "agency-true"]
MANAGERS = ["agency-hours", "agency-deputy"]
WEEK = {f"day_{day}": "" for day in range(7)}


@pytest.fixture(autouse=True)
def a_wednesday(at):
    with at("2026-11-25 09:00"):
        yield


@pytest.fixture
def manager(cast):
    """The partner manages the people of the agency."""
    AgencyMember.objects.filter(user=cast.partner).update(is_manager=True)
    return cast.partner


def fresh(agency) -> PartnerAgency:
    return PartnerAgency.objects.get(pk=agency.pk)


def logged(event: str) -> list[tuple]:
    return [(row.user.username, row.row, row.codes) for row in LogEntry.objects.filter(event=event).order_by("id")]


# -- room ---


@pytest.mark.parametrize(("said", "room"), [("3", 3), ("0", 0), ("", None), (" 12 ", 12)])
def test_anybody_there_says_how_many_more(said, room, client_of, cast):
    if said == "":
        own.say_room(by=cast.partner, agency=cast.agency, room=5)
    answer = client_of(cast.partner).post(reverse("portal:agency-room"), {"room": said})
    assert answer.status_code == 302
    assert fresh(cast.agency).room_left == room
    assert fresh(cast.other_agency).room is None
    assert logged("agency.room_said")[-1] == ("frida", str(cast.agency.pk), {"room": room})
    connection.check_constraints()


@pytest.mark.parametrize("said", ["-1", "501", "many", "1.5", "9" * 30])
def test_what_is_no_number_comes_back_as_it_was_written(said, client_of, cast):
    answer = client_of(cast.partner).post(reverse("portal:agency-room"), {"room": said})
    assert answer.status_code == 422 and f'value="{said}"' in answer.content.decode()
    assert fresh(cast.agency).room is None


def test_it_holds_this_week_and_the_page_says_until_when(client_of, cast, at):
    own.say_room(by=cast.partner, agency=cast.agency, room=2)
    page = text(client_of, cast)
    assert "You have said that you can take 2 more. It holds until" in page and "Sun 29 Nov" in page
    with at("2026-11-29 23:00"):
        assert fresh(cast.agency).room_left == 2
    with at("2026-11-30 00:30"):
        assert fresh(cast.agency).room_left is None
        assert "You have said nothing for now." in text(client_of, cast)


def text(client_of, cast) -> str:
    return " ".join(client_of(cast.partner).get(PAGE).content.decode().split())


def test_full_is_another_thing_than_silence(client_of, cast):
    own.say_room(by=cast.partner, agency=cast.agency, room=0)
    assert "You have said that you are full." in text(client_of, cast)


def test_saying_the_same_twice_is_one_row_in_the_log(cast):
    for _time in range(2):
        own.say_room(by=cast.partner, agency=cast.agency, room=3)
    assert len(logged("agency.room_said")) == 1


# -- days away ---


def test_anybody_there_writes_days_away_and_takes_them_back(client_of, cast):
    theirs = client_of(cast.partner)
    days = {"first_day": "2026-12-21", "last_day": "2026-12-31"}
    for _time in range(2):  # twice does it once
        assert theirs.post(reverse("portal:agency-away"), days).status_code == 302
    absence = AgencyAbsence.objects.get()
    assert absence.agency == cast.agency
    assert fresh(cast.agency).away_on(dt.date(2026, 12, 24)) == absence
    assert logged("agency.away_said") == [("frida", str(cast.agency.pk), {"days": ["2026-12-21", "2026-12-31"]})]
    assert "21 Dec" in text(client_of, cast)
    assert theirs.post(reverse("portal:agency-back", args=[absence.pk])).status_code == 302
    assert not AgencyAbsence.objects.exists() and len(logged("agency.away_removed")) == 1
    assert theirs.post(reverse("portal:agency-back", args=[absence.pk])).status_code == 404


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-12-24", "2026-12-23", "comes before"),
        ("2026-11-20", "2026-11-24", "have passed"),
        ("2026-12-01", "2028-01-01", "within a year"),
        ("2026-12-03", "2026-12-12", "an absence already"),
        ("x", "2026-12-12", "valid date"),
    ],
)
def test_days_that_cannot_be(first, last, words, client_of, cast):
    own.add_away(by=cast.partner, agency=cast.agency, first_day=dt.date(2026, 12, 10), last_day=dt.date(2026, 12, 20))
    answer = client_of(cast.partner).post(reverse("portal:agency-away"), {"first_day": first, "last_day": last})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert AgencyAbsence.objects.count() == 1


def test_the_days_of_another_agency_are_not_there(client_of, cast):
    theirs = own.add_away(
        by=cast.other_partner, agency=cast.other_agency, first_day=dt.date(2026, 12, 1), last_day=dt.date(2026, 12, 2)
    )
    assert client_of(cast.partner).post(reverse("portal:agency-back", args=[theirs.pk])).status_code == 404
    assert AgencyAbsence.objects.filter(pk=theirs.pk).exists()
    assert "1 Dec" not in text(client_of, cast)


# -- hours ---


def test_the_manager_there_keeps_the_hours(client_of, cast, manager):
    week = {**WEEK, "day_0": "08.00-12.00, 13.00-16.30", "day_4": "9-15"}
    assert client_of(manager).post(reverse("portal:agency-hours"), week).status_code == 302
    rows = [(row.weekday, f"{row.opens:%H:%M}-{row.closes:%H:%M}") for row in cast.agency.hours.all()]
    assert rows == [(0, "08:00-12:00"), (0, "13:00-16:30"), (4, "09:00-15:00")]
    assert logged("agency.changed")[-1] == ("frida", str(cast.agency.pk), {"parts": ["hours"]})
    assert client_of(manager).post(reverse("portal:agency-hours"), {**WEEK, "always_open": "on"}).status_code == 302
    assert fresh(cast.agency).always_open and not cast.agency.hours.exists()
    connection.check_constraints()


@pytest.mark.parametrize("said", ["16-8", "08.00", "25-26", "13-16, 8-12", "8-12, 11-16", "abc"])
def test_hours_that_cannot_be_come_back(said, client_of, cast, manager):
    before = list(OpeningHours.objects.filter(agency=cast.agency).values_list("pk", flat=True))
    answer = client_of(manager).post(reverse("portal:agency-hours"), {**WEEK, "day_2": said})
    assert answer.status_code == 422 and f'value="{said}"' in answer.content.decode()
    assert list(OpeningHours.objects.filter(agency=cast.agency).values_list("pk", flat=True)) == before


# -- who stands in ---


def test_the_manager_there_says_who_stands_in(client_of, cast, manager, make_colleague):
    colleague = make_colleague("ida")
    words = {"deputies": [colleague.pk], "mailbox": "deputy@example.com"}
    assert client_of(manager).post(reverse("portal:agency-deputy"), words).status_code == 302
    assert fresh(cast.agency).deputy_mailbox == "deputy@example.com"
    assert list(cast.agency.members.filter(is_deputy=True)) == [colleague]
    assert logged("agency.changed")[-1][2] == {"parts": ["deputy"], "people": [colleague.user_id], "mailbox": True}
    assert client_of(manager).post(reverse("portal:agency-deputy"), {"mailbox": ""}).status_code == 302
    assert not cast.agency.members.filter(is_deputy=True).exists() and fresh(cast.agency).deputy_mailbox == ""


def test_nobody_of_another_agency_stands_in(client_of, cast, manager):
    other = AgencyMember.objects.get(user=cast.other_partner)
    answer = client_of(manager).post(reverse("portal:agency-deputy"), {"deputies": [other.pk]})
    assert answer.status_code == 422
    with pytest.raises(Refused, match="work with you"):
        own.keep_deputies(by=manager, agency=cast.agency, mailbox="", deputies=[other])
    other.refresh_from_db()
    assert not other.is_deputy


# -- what we know ---


def test_this_is_true_is_written_down_once_a_day(client_of, cast, at):
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(verified_on=None)
    for _time in range(2):
        assert client_of(cast.partner).post(reverse("portal:agency-true")).status_code == 302
    assert fresh(cast.agency).verified_on == clock.today()
    assert logged("agency.verified") == [("frida", str(cast.agency.pk), {})]
    with at("2026-11-26 09:00"):
        client_of(cast.partner).post(reverse("portal:agency-true"))
    assert fresh(cast.agency).verified_on == dt.date(2026, 11, 26)


def test_the_page_shows_what_is_known_and_lets_nobody_change_it(client_of, cast, manager):
    page = client_of(manager).get(PAGE).content.decode()
    for words in (cast.agency.kind.name, cast.agency.receiver_name, "Falköping"):
        assert words in page
    before = {name: getattr(cast.agency, name) for name in ("name", "type", "receiver_kind", "phone", "mailbox")}
    forged = {"name": "X", "type": "EXIT", "receiver_kind": "police", "phone": "1", "is_active": "", "room": "1"}
    for name in ("agency-room", "agency-hours", "agency-true"):
        client_of(manager).post(reverse(f"portal:{name}"), {**WEEK, **forged})
    assert {name: getattr(fresh(cast.agency), name) for name in before} == before
    assert fresh(cast.agency).is_active


# -- how soon it answers ---


def answered(make_referral, cast, minutes: int, days_ago: int = 1, move: str = "decline", agency=None) -> Referral:
    """A handover that was sent then and answered so much later."""
    moment = clock.now() - dt.timedelta(days=days_ago)
    with clock.at(moment):
        sent = make_referral("sent", agency=agency or cast.agency)
    who = cast.other_partner if agency else cast.partner
    with clock.at(moment + dt.timedelta(minutes=minutes)):
        ANSWERS[move](by=who, referral=sent)
    return sent


ANSWERS = {
    "accept": accept,
    "decline": partial(decline, reason="no_capacity"),
    "ask": partial(ask_question, text="How old is he?"),
}


def test_the_middle_of_the_answer_times(make_referral, cast, django_assert_num_queries):
    for minutes, move in ((10, "accept"), (600, "decline"), (90, "ask")):
        answered(make_referral, cast, minutes, move=move)
    with django_assert_num_queries(1):
        found = answer_time(cast.agency)
    assert found == AnswerTime(3, dt.timedelta(minutes=90)) and found.words == "90 minutes"
    answered(make_referral, cast, 200)
    assert answer_time(cast.agency).median == dt.timedelta(minutes=145)  # between the two in the middle


def test_of_one_handover_the_first_answer_counts(make_referral, cast):
    for minutes in (10, 20):
        answered(make_referral, cast, minutes)
    asked = answered(make_referral, cast, 30, move="ask")
    with clock.at(asked.sent_at + dt.timedelta(hours=5)):
        accept(by=cast.partner, referral=asked)
    assert answer_time(cast.agency) == AnswerTime(3, dt.timedelta(minutes=20))


def test_nothing_is_said_of_fewer_than_three(make_referral, cast, client_of):
    for minutes in (10, 20):
        answered(make_referral, cast, minutes)
    assert answer_time(cast.agency) == AnswerTime(2, None) and answer_time(cast.agency).words == ""
    assert "at least three answers" in text(client_of, cast)
    answered(make_referral, cast, 30)
    assert "within <strong>20 minutes</strong>" in text(client_of, cast)


def test_what_is_over_a_year_old_or_of_another_agency_does_not_count(make_referral, cast):
    for days in (1, 2, 364):
        answered(make_referral, cast, 60, days_ago=days)
    answered(make_referral, cast, 6000, days_ago=400)
    answered(make_referral, cast, 6000, agency=cast.other_agency)
    make_referral("sent")  # not answered
    assert answer_time(cast.agency) == AnswerTime(3, dt.timedelta(minutes=60))
    assert answer_time(cast.other_agency) == AnswerTime(1, None)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "1 minute"), (119, "119 minutes"), (120, "2 hours"), (2870, "2 days"), (10_000, "7 days")],
)
def test_times_are_said_as_people_say_them(minutes, words):
    assert AnswerTime(3, dt.timedelta(minutes=minutes)).words == words


# -- who may ---


@pytest.mark.parametrize("name", MANAGERS)
def test_what_its_manager_alone_may(name, client_of, cast):
    before = fresh(cast.agency)
    url = reverse(f"portal:{name}")
    assert (
        client_of(cast.partner).post(url, {**WEEK, "always_open": "on", "mailbox": "x@example.com"}).status_code == 403
    )
    after = fresh(cast.agency)
    assert (after.always_open, after.deputy_mailbox) == (before.always_open, before.deputy_mailbox)
    assert logged("agency.refused") == [("frida", str(cast.agency.pk), {})]
    page = client_of(cast.partner).get(PAGE).content.decode()
    assert url not in page and reverse("portal:people") not in page


@pytest.mark.parametrize("act", [own.keep_hours, own.keep_deputies])
def test_the_action_asks_too(act, cast):
    words = {"always_open": True, "hours": {}} if act is own.keep_hours else {"mailbox": "", "deputies": []}
    for other in (cast.partner, cast.other_partner, cast.keeper):
        with pytest.raises(Refused, match="manages your people"):
            act(by=other, agency=cast.agency, **words)


@pytest.mark.parametrize("name", ANYBODY + MANAGERS)
def test_nobody_else_comes_in(name, client_of, cast):
    url = reverse(f"portal:{name}")
    for other in (cast.caseworker, cast.manager, cast.keeper):
        assert client_of(other).post(url).status_code == 403
    assert client_of(cast.partner).get(url).status_code == 405


def test_who_is_tied_to_no_agency_in_use_is_told_so(client_of, cast):
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(is_active=False)
    assert "not tied to an agency" in client_of(cast.partner).get(PAGE).content.decode()
    for name in ANYBODY + MANAGERS:
        assert client_of(cast.partner).post(reverse(f"portal:{name}")).status_code == 404


def test_the_way_there_stands_on_every_page_of_the_portal(client_of, cast):
    assert PAGE in client_of(cast.partner).get(reverse("portal:inbox")).content.decode()
