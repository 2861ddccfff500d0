"""What is worth a thought before a draft is sent, what an agency sees of what ended, and words in words."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from helpline.people import clock
from helpline.people.models import LogEntry
from intake.models import Event
from referrals import actions
from referrals.actions import agency_own as own
from referrals.forms.owner import DeclinedForm
from referrals.models import PartnerAgency, Referral
from referrals.remarks import remarks
from referrals.sight import sight


def test_who_has_no_account_is_said_before_and_the_link_comes_first_after(client_of, cast, make_draft):
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(mailbox="box@example.com")
    draft = make_draft(agency=PartnerAgency.objects.get(pk=cast.agency.pk))
    place = reverse("referrals:referral", args=[draft.pk])
    assert "no account with us" not in client_of(cast.caseworker).get(place).content.decode()
    cast.partner.is_active = False
    cast.partner.save()
    assert "no account with us" in client_of(cast.caseworker).get(place).content.decode()
    actions.send(by=cast.caseworker, referral=draft)
    assert client_of(cast.caseworker).get(place).context["needs_link"] is True


def test_a_log_in_behind_a_mail_says_whom_to_call(reference, settings):
    inside = Client().get("/login/?next=/portal/").content.decode()
    assert settings.LINE_PHONE in inside
    assert settings.LINE_PHONE not in Client().get("/login/?next=/cases/").content.decode()


def test_nothing_to_reach_them_by_and_another_age_are_said_and_refuse_nothing(cast, make_draft):
    draft = make_draft(safe_contact="", ground="CARE_U18", ground_reason="Worry.", age_band="15-17")
    assert any("No phone number" in words for words in remarks(draft))
    assert not any("age chosen" in words for words in remarks(draft))
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(minimum_age=18)
    held = Referral.objects.get(pk=draft.pk)
    assert any("age chosen" in words for words in remarks(held))
    assert actions.send(by=cast.caseworker, referral=held).state == "sent"


@pytest.mark.parametrize(
    ("who", "promised"),
    [
        ({}, ""),
        ({"name": "Maria"}, "Name"),
        ({"phone": "070"}, "Phone number"),
        ({"name": "M", "phone": "0"}, "Name and number"),
    ],
)
def test_no_more_is_promised_than_there_is(who, promised, make_case, make_draft):
    assert sight(make_draft(case=make_case(track="B"), **who)).identity_waits == promised


def test_what_ended_is_a_line_for_fourteen_days_and_nothing_more(client_of, cast, make_referral):
    ended = make_referral("expired")
    page = client_of(cast.partner).get("/portal/").content.decode()
    assert "Ended lately" in page and "you did not answer" in page
    assert str(ended.pk) not in page and ended.need_name not in page
    assert list(Referral.objects.lately_ended_for(cast.partner)) == [ended]
    assert not Referral.objects.lately_ended_for(cast.other_partner)
    with clock.at(clock.now() + dt.timedelta(days=15)):
        assert not Referral.objects.lately_ended_for(cast.partner)
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(receiver_kind="police")
    assert not Referral.objects.lately_ended_for(cast.partner)


def test_a_decline_stands_on_the_case_in_words_and_suggests_nobody_one_goes_to_alone(cast, make_referral):
    sent = make_referral("opened")
    offered = DeclinedForm(referral=sent).fields["suggested"].queryset
    assert offered and {one.kind.channel for one in offered} == {"handover"}
    actions.decline(by=cast.partner, referral=sent, reason="conflict", suggested=cast.other_agency)
    told = Event.objects.get(case=sent.case, kind="referral.declined")
    assert told.about.startswith("Conflict of interest. ") and cast.other_agency.name in told.about
    assert cast.other_agency.name not in str(LogEntry.objects.get(event="referral.declined").codes)


def test_words_to_what_has_ended_come_back_as_the_page_called_them(client_of, cast, make_referral):
    sent = make_referral("expired")
    data = {"reason": "conflict", "suggested": "unknown", "seen": "none", "text": "We know them."}
    html = client_of(cast.partner).post(f"/portal/{sent.pk}/decline/", data).content.decode()
    assert "We know them." in html and "Reason: Conflict of interest" in html
    assert "seen:" not in html and "unknown" not in html


def test_from_friday_on_what_is_said_of_room_holds_the_coming_week_too(cast, at):
    with at("2026-11-29 18:00"):  # a Sunday
        own.say_room(by=cast.partner, agency=cast.agency, room=2)
    agency = PartnerAgency.objects.get(pk=cast.agency.pk)
    with at("2026-12-06 20:00"):
        assert agency.room_left == 2
    with at("2026-12-07 08:00"):
        assert agency.room_left is None
