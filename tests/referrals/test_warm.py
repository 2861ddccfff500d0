"""A warm handover: a three-way call is booked, both sides tick that they spoke together, a missed one is back."""

import datetime as dt

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry
from referrals import actions
from referrals.models import Referral

OURS = {"who": "owner"}


@pytest.fixture
def warm(make_referral, cast, at) -> Referral:
    """A three-way call at two o'clock, booked at ten."""
    with at("2026-11-23 10:00"):
        referral = make_referral("accepted")
        when = clock.now() + dt.timedelta(hours=4)
        return actions.book(by=cast.caseworker, referral=referral, at=when, warm=True, way="phone", **OURS)


def page(referral, act="") -> str:
    return f"/handovers/{referral.pk}/{act}"


def test_the_call_is_ours_to_make_until_both_have_ticked(warm, cast, at):
    step = warm.case.steps.planned().get(kind="three_way_call")
    assert (step.due_at, step.others_turn, step.is_calling) == (warm.contact_at, False, True)
    with at("2026-11-23 14:10"):
        ours = actions.tick_spoke(by=cast.caseworker, referral=warm, **OURS)
        connection.check_constraints()
        assert (ours.state, ours.owner_spoke_at, ours.agency_spoke_at) == ("contact_booked", clock.now(), None)
        both = actions.tick_spoke(by=cast.partner, referral=warm)
        connection.check_constraints()
    assert both.state == "contact_made"
    assert warm.case.steps.planned().filter(kind="confirm_contact", about=str(warm.pk)).exists()
    assert not warm.case.steps.planned().filter(kind="three_way_call").exists()
    sides = [row.codes["side"] for row in LogEntry.objects.filter(event="referral.ticked").order_by("pk")]
    assert sides == ["owner", "agency"]


def test_ticking_twice_ticks_once(warm, cast, at):
    for moment in ("2026-11-23 14:10", "2026-11-23 14:20"):
        with at(moment):
            held = actions.tick_spoke(by=cast.caseworker, referral=warm, **OURS)
    assert LogEntry.objects.filter(event="referral.ticked").count() == 1
    assert held.owner_spoke_at < held.contact_at + dt.timedelta(minutes=15)


def test_one_side_alone_makes_no_contact(warm, cast, at):
    with at("2026-11-23 14:10"), pytest.raises(Refused, match="both sides tick"):
        actions.contact_made(by=cast.caseworker, referral=warm, way="phone", **OURS)


def test_not_before_its_time_and_not_without_a_call(warm, make_referral, cast, at):
    with at("2026-11-23 12:30"), pytest.raises(Refused, match="not come yet"):
        actions.tick_spoke(by=cast.caseworker, referral=warm, **OURS)
    with pytest.raises(Refused, match="No three-way call"):
        actions.tick_spoke(by=cast.caseworker, referral=make_referral("accepted"), **OURS)


def test_the_page_offers_the_tick_when_it_is_time(client_of, cast, warm, at):
    client = client_of(cast.caseworker)
    with at("2026-11-23 11:00"):
        shown = client.get(page(warm))
        assert "spoke" not in [act.code for act, form in shown.context["acts"]]
        assert "contact" not in [act.code for act, form in shown.context["acts"]]  # both tick instead
        assert client.post(page(warm, "spoke/")).status_code == 409
    with at("2026-11-23 14:05"):
        shown = client.get(page(warm))
        assert [act.code for act, form in shown.context["first"]] == ["spoke"]
        assert client.post(page(warm, "spoke/")).headers["Location"] == page(warm)
        html = client.get(page(warm)).content.decode()
        assert "not ticked" in html and "We spoke together" not in html  # ours is; theirs is not
        actions.tick_spoke(by=cast.partner, referral=warm)
        html = client.get(page(warm)).content.decode()
    assert html.count("Ticked: we spoke together") == 2 and "The support line" in html


def test_who_may_tick(client_of, cast, warm, at):
    with at("2026-11-23 14:05"):
        assert client_of(cast.caseworker).get(page(warm, "spoke/")).status_code == 405
        for name, status in {"stranger": 404, "other_manager": 404, "partner": 403, "keeper": 403}.items():
            assert client_of(cast.everybody()[name]).post(page(warm, "spoke/")).status_code == status, name
    warm.refresh_from_db()
    assert warm.owner_spoke_at is None


def test_ticking_on_a_page_that_has_become_old_says_who_was_first(client_of, cast, warm, at):
    client = client_of(cast.caseworker)
    with at("2026-11-23 14:05"):
        old = client.get(page(warm)).context["first"][0][1].initial["seen"]
        actions.contact_missed(by=cast.partner, referral=warm)
        answer = client.post(page(warm, "spoke/"), {"seen": old})
    assert answer.status_code == 409
    warm.refresh_from_db()
    assert (warm.state, warm.owner_spoke_at) == ("accepted", None)


def test_a_missed_call_is_back_within_the_hour_and_gets_a_new_time(client_of, cast, warm, at):
    client = client_of(cast.caseworker)
    with at("2026-11-23 14:31"):
        actions.sweep()
        connection.check_constraints()
        step = warm.case.steps.planned().get(kind="missed_contact")
        assert step.due_at - clock.now() <= dt.timedelta(hours=1) and step.owner == cast.caseworker
        shown = client.get(page(warm))
        assert [act.code for act, form in shown.context["first"]] == ["book", "book-warm", "contact"]
        data = {
            "at": "2026-11-24T10:00",
            "text": "She could not talk.",
            "seen": shown.context["first"][0][1].initial["seen"],
        }
        assert client.post(page(warm, "book-warm/"), data).status_code == 302
    connection.check_constraints()
    warm.refresh_from_db()
    assert warm.is_warm and warm.case.steps.planned().filter(kind="three_way_call").count() == 1
    assert not warm.case.steps.planned().filter(kind="missed_contact").exists()


def test_a_new_time_takes_the_ticks_away(warm, cast, at):
    with at("2026-11-23 14:10"):
        actions.tick_spoke(by=cast.caseworker, referral=warm, **OURS)
        again = actions.book(by=cast.partner, referral=warm, at=clock.now() + dt.timedelta(days=1), warm=True)
    assert (again.owner_spoke_at, again.agency_spoke_at) == (None, None)


def test_the_second_booking_of_one_press_is_none(warm, cast, at):
    seen = str(warm.changes.get(move="accept").pk)
    with at("2026-11-23 10:01"), pytest.raises(TooLate, match="Anna was first"):
        actions.book(by=cast.caseworker, referral=warm, at=clock.now() + dt.timedelta(hours=5), seen=seen, **OURS)


def test_before_its_time_the_pages_say_when_it_is_ticked_and_lead_nowhere(client_of, cast, warm, at):
    places = (f"/cases/{warm.case.slug}/", page(warm))
    with at("2026-11-23 11:00"):
        for place in places:
            html = client_of(cast.caseworker).get(place).content.decode()
            assert "When the time has come" in html and "Tick that we spoke together" not in html
    with at("2026-11-23 14:01"):
        for place in places:
            html = client_of(cast.caseworker).get(place).content.decode()
            assert "When the time has come" not in html and "Tick that we spoke together" in html
        assert html.count("Reach the person") == 1


def test_what_rests_says_until_which_day(client_of, cast, make_referral, at):
    with at("2026-11-23 10:00"):
        referral = make_referral("accepted")
        client = client_of(cast.caseworker)
        sent = {"until": "2026-12-14", "text": ""}
        said = client.post(page(referral, "hold/"), sent, follow=True).content.decode()
        assert "It rests until" in said and "It is written down." not in said
        event = referral.case.events.get(kind="referral.held")
        assert event.codes["until"] == "2026-12-14" and "14 Dec" in event.title
        for place in (page(referral), f"/cases/{referral.case.slug}/"):
            assert f"The handover to {cast.agency} waits until Mon 14 Dec" in client.get(place).content.decode()
