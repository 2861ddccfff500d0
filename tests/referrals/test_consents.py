"""Consents: shown on the case, taken back with what follows said first; what stands on them ends at once, and only that."""

import datetime as dt

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from intake.actions import finish_step, open_with_reason
from intake.models import Event
from referrals import actions
from referrals.models import Referral


def place(referral) -> str:
    return f"/cases/{referral.case.slug}/consents/{referral.consent_id}/withdraw/"


def withdraw(cast, referral, **rest) -> int:
    made = actions.withdraw_consent(by=rest.pop("by", cast.caseworker), consent=referral.consent, **rest)
    connection.check_constraints()
    return made


# The action
@pytest.mark.parametrize(
    "state", ["sent", "opened", "question", "accepted", "contact_booked", "on_hold", "contact_made"]
)
def test_what_stands_on_it_is_taken_back_and_the_agency_told(make_referral, cast, client_of, state):
    referral = make_referral(state)
    theirs = client_of(cast.partner)
    assert theirs.get(f"/portal/{referral.pk}/").status_code == 200
    assert withdraw(cast, referral, text="She does not want it any more.") == 1
    referral.refresh_from_db()
    assert referral.state == "withdrawn"
    change = referral.changes.get(move="withdraw")
    assert (change.reason, change.by) == ("consent_withdrawn", cast.caseworker)
    assert Notice.objects.filter(user=cast.partner, kind="referral.withdrawn").count() == 1
    assert not Referral.objects.for_agency_of(cast.partner).exists()
    html = theirs.get(f"/portal/{referral.pk}/").content.decode()
    assert "The son has met people" not in html  # not a word of the card is left to read
    step = referral.case.steps.planned().get(kind="choose_next", about=str(referral.pk))
    assert step.owner == cast.caseworker
    assert (
        not referral.case.steps.planned().filter(about=str(referral.pk), kept_by__in=["referrals", "asking"]).exists()
    )


def test_a_draft_is_stopped_and_is_not_sent(make_draft, cast):
    draft = make_draft()
    assert withdraw(cast, draft) == 0
    draft.refresh_from_db()
    assert (draft.state, draft.consent, draft.approved_at) == ("draft", None, None)
    with pytest.raises(Refused, match="consent"):
        actions.send(by=cast.caseworker, referral=draft)


def test_what_stands_on_another_ground_stays(make_draft, cast):
    draft = make_draft()
    duty = actions.save_draft(
        by=cast.caseworker, referral=draft, words={"ground": "CARE_U18", "ground_reason": "Worry."}, approved=True
    )
    assert duty.consent is not None  # written down, and not what it is sent on
    sent = actions.send(by=cast.caseworker, referral=duty)
    assert withdraw(cast, Referral.objects.select_related("consent__case__key", "case").get(pk=sent.pk)) == 0
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_what_ended_before_stays_as_it_ended(make_referral, cast):
    referral = make_referral("declined")
    assert withdraw(cast, referral) == 0
    referral.refresh_from_db()
    assert referral.state == "declined"


def test_a_consent_to_another_agency_stays(make_draft, make_case, cast):
    case = make_case()
    one = actions.send(by=cast.caseworker, referral=make_draft(case=case))
    other = actions.send(
        by=cast.caseworker, referral=make_draft(case=case, agency=cast.other_agency, need="exit_support")
    )
    withdraw(cast, Referral.objects.select_related("consent__case__key", "case").get(pk=one.pk))
    other.refresh_from_db()
    assert other.state == "sent" and other.consent.holds


def test_twice_is_said_with_who_was_first(make_referral, cast):
    referral = make_referral("sent")
    withdraw(cast, referral)
    with pytest.raises(TooLate, match="Anna has already written down"):
        withdraw(cast, referral, by=cast.colleague)
    assert LogEntry.objects.filter(event="consent.withdrawn").count() == 1
    assert Notice.objects.filter(user=cast.partner, kind="referral.withdrawn").count() == 1


def test_line_and_log(make_referral, cast):
    referral = make_referral("sent")
    withdraw(cast, referral, text="She is afraid.")
    event = Event.objects.get(kind="consent.withdrawn")
    assert event.text == "She is afraid." and event.title == f"The consent to {cast.agency} was withdrawn"
    row = LogEntry.objects.get(event="consent.withdrawn")
    assert (row.user, row.case, row.row) == (cast.caseworker, referral.case_id, str(referral.consent_id))
    assert "afraid" not in str(row.codes)


def test_in_a_closed_case_nobody_sees_anything_any_more_and_nothing_is_opened_again(make_referral, cast):
    referral = make_referral("contact_made")
    actions.caller_says(by=cast.caseworker, referral=referral, answer="enough")
    finish_step(by=cast.caseworker, step=referral.case.steps.planned().get(), close="needs_met")
    fresh = Referral.objects.select_related("consent__case__key", "case__owner").get(pk=referral.pk)
    assert fresh.state == "completed"  # closing ended their access
    assert withdraw(cast, fresh) == 0
    fresh = Referral.objects.select_related("case", "consent").get(pk=referral.pk)
    assert fresh.state == "completed" and not fresh.case.is_open and not fresh.consent.holds
    assert not Referral.objects.for_agency_of(cast.partner).exists()


# The page
def test_the_case_shows_who_what_to_whom_how_and_until_when(make_referral, cast, client_of):
    referral = make_referral("sent")
    html = client_of(cast.caseworker).get(f"/cases/{referral.case.slug}/").content.decode()
    assert "A guardian, spoken" in html and cast.agency.name in html and "what has happened" in html
    assert place(referral) in html
    withdraw(cast, referral)
    html = client_of(cast.caseworker).get(f"/cases/{referral.case.slug}/").content.decode()
    assert "Withdrawn" in html and place(referral) not in html


def test_one_that_was_written_anew_for_a_draft_is_not_shown_twice(make_draft, cast, client_of):
    draft = make_draft()
    consent = {"form": "written", "valid_until": clock.today() + dt.timedelta(days=60)}
    actions.save_draft(by=cast.caseworker, referral=draft, words={}, consent=consent)
    assert draft.case.consents.count() == 2
    html = client_of(cast.caseworker).get(f"/cases/{draft.case.slug}/").content.decode()
    assert "A guardian, in writing" in html and "A guardian, spoken" not in html


def test_a_case_without_consents_says_nothing_of_them(make_case, cast, client_of):
    assert "consents" not in client_of(cast.caseworker).get(f"/cases/{make_case().slug}/").content.decode()


def test_what_follows_is_said_before_it_is_done(make_referral, make_draft, cast, client_of):
    referral, client = make_referral("accepted"), client_of(cast.caseworker)
    other = make_draft(case=referral.case, need="housing")
    html = client.get(place(referral)).content.decode()
    assert f"The handover to {cast.agency} (protection of a child) is taken back." in html
    assert "You choose who can help instead." in html
    assert f"/consents/{other.consent_id}/withdraw/" in html  # the other one to the same agency
    referral.refresh_from_db()
    assert referral.state == "accepted" and referral.consent.holds
    html = client.get(place(other)).content.decode()
    assert f"The draft to {cast.agency} (housing) is not sent on this consent." in html


def test_withdrawn_on_the_page_once(make_referral, cast, client_of):
    referral, client = make_referral("accepted"), client_of(cast.caseworker)
    assert client.post(place(referral), {"text": ""}).headers["Location"] == f"/cases/{referral.case.slug}/"
    connection.check_constraints()
    referral.refresh_from_db()
    assert referral.state == "withdrawn" and not referral.consent.holds
    again = client.post(place(referral), {"text": "She said it again."})
    html = again.content.decode()
    assert again.status_code == 409 and "She said it again." in html
    assert "Anna has already written down that this consent is withdrawn." in html
    page = client.get(place(referral)).content.decode()
    assert "It is withdrawn already" in page and "What happens then" not in page


def test_who_stands_in_may_too(make_referral, cast, client_of):
    referral = make_referral("sent")
    open_with_reason(by=cast.colleague, case=referral.case, reason="owner_away")
    assert client_of(cast.colleague).post(place(referral), {}).status_code == 302
    referral.refresh_from_db()
    consent = referral.consent
    assert (referral.state, consent.withdrawn_to) == ("withdrawn", cast.colleague)
    assert Notice.objects.filter(user=cast.caseworker, kind="referral.withdrawn").exists()  # the owner hears of it


def test_who_may_not(make_referral, make_case, cast, client_of):
    referral = make_referral("sent")
    expected = {"stranger": 404, "other_manager": 404, "partner": 403, "other_partner": 403, "keeper": 403}
    for name, status in expected.items():
        client = client_of(cast.everybody()[name])
        assert client.get(place(referral)).status_code == status, name
        assert client.post(place(referral), {}).status_code == status, name
    given_back = client_of(cast.colleague).post(place(referral), {"text": "She rang us."})
    assert given_back.status_code == 403 and "She rang us." in given_back.content.decode()
    other_case = f"/cases/{make_case().slug}/consents/{referral.consent_id}/withdraw/"
    assert client_of(cast.caseworker).post(other_case, {}).status_code == 404
    referral.refresh_from_db()
    assert referral.consent.holds and referral.state == "sent"
