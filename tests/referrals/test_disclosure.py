"""What may be shared, and for how long: without identity, by a consent, in an answer, on a closed case."""

import datetime as dt

import pytest
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused
from intake import actions as intake_actions
from referrals import actions, deadlines
from referrals.actions.checks import missing_parts
from referrals.models import AgencyMember, GroundSetting, PartnerAgency, Referral
from tests.referrals.conftest import CARD

NOBODY = {"ground": "DEIDENT", "safe_contact": "", "about": "A pupil"}


@pytest.fixture
def greta(make_case, cast):
    """A case in which the caller has a name."""
    case = make_case(track="B", caller_name="Greta Svensson", phone="0701234567")
    return case


@pytest.mark.parametrize(
    "words",
    [
        *("Greta rang", "Gretas bror", "gretasvensson", "SVENSSONS son", "Ring 0701234567", "070-123 45 67"),
        *("070.12.34.567", "070/12/34/567", "(070) 12 34 567", "skriv till g.s@example.com"),
    ],
)
def test_without_identity_the_words_point_at_nobody(words, make_draft, greta, cast):
    draft = make_draft(case=greta, **NOBODY, happened=words)
    assert missing_parts(draft)
    with pytest.raises(Refused):
        actions.send(by=cast.caseworker, referral=draft)


@pytest.mark.parametrize("words", ["En elev, 15 till 17 år, ritar skolan", "Hände 3 gånger i år 7", "Gränsen är nära"])
def test_without_identity_ordinary_words_pass(words, make_draft, greta, cast):
    assert actions.send(by=cast.caseworker, referral=make_draft(case=greta, **NOBODY, happened=words)).state == "sent"


def test_without_identity_there_is_nobody_to_reach(make_draft, greta):
    draft = make_draft(case=greta, **{**NOBODY, "safe_contact": "Bara sms"})
    assert any("nobody to reach" in part for part in missing_parts(draft))


def test_an_answer_shares_no_more_than_the_ground_allows(make_draft, greta, cast):
    sent = actions.send(by=cast.caseworker, referral=make_draft(case=greta, **NOBODY))
    actions.ask_question(by=cast.partner, referral=sent, text="Who is it?")
    with pytest.raises(Refused, match="names a person"):
        actions.answer_question(by=cast.caseworker, referral=sent, text="Greta Svensson, 0701234567")
    assert actions.answer_question(by=cast.caseworker, referral=sent, text="A mother.").state == "opened"


def test_an_answer_after_the_consent_has_run_out_is_refused(make_draft, cast):
    sent = actions.send(by=cast.caseworker, referral=make_draft())
    actions.ask_question(by=cast.partner, referral=sent, text="Which school?")
    with clock.at(clock.now() + dt.timedelta(days=40)), pytest.raises(Refused, match="consent"):
        actions.answer_question(by=cast.caseworker, referral=sent, text="The one in town.")


def test_identity_is_seen_only_while_the_consent_holds(make_draft, greta, cast, client_of):
    sent = actions.send(by=cast.caseworker, referral=make_draft(case=greta, name="Greta Svensson", phone="0701234567"))
    actions.accept(by=cast.partner, referral=sent)
    held = Referral.objects.select_related("consent", "case__key").get(pk=sent.pk)
    assert held.shows_identity
    url, client = reverse("portal:referral", args=[sent.pk]), client_of(cast.partner)
    assert "Greta Svensson" in client.get(url).content.decode()
    held.consent.valid_until = clock.today() - dt.timedelta(days=1)
    held.consent.save()
    assert "Greta" not in client.get(url).content.decode()


@pytest.mark.parametrize("field", ["name", "phone", "happened"])
def test_what_changes_after_it_was_read_aloud_is_no_longer_approved(field, make_draft, make_case, cast):
    draft = make_draft(case=make_case(track="B"))
    assert draft.approved_at
    assert actions.save_draft(by=cast.caseworker, referral=draft, words={field: "Other"}).approved_at is None


def test_a_draft_is_not_sent_once_its_case_is_closed(make_draft, cast, client_of):
    draft = make_draft()
    step = draft.case.steps.get()
    intake_actions.finish_step(by=cast.caseworker, step=step, close="needs_met")
    with pytest.raises(Refused, match="The case is closed"):
        actions.send(by=cast.caseworker, referral=draft)
    page = client_of(cast.caseworker).get(reverse("referrals:referral", args=[draft.pk]))
    assert "The case is closed" in page.content.decode()
    with pytest.raises(Refused):
        intake_actions.register_concern(by=cast.caseworker, case=draft.case, child_age_band="0-11")


def test_an_agency_cannot_promise_contact_for_next_year(make_draft, cast):
    sent = actions.send(by=cast.caseworker, referral=make_draft())
    latest = deadlines.latest_contact(sent.urgency, clock.now())
    with pytest.raises(Refused, match="too late for the person"):
        actions.accept(by=cast.partner, referral=sent, contact_by=latest + dt.timedelta(minutes=1))
    assert actions.accept(by=cast.partner, referral=sent, contact_by=latest).state == "accepted"


def test_acute_contact_is_within_a_day():
    moment = clock.now()
    assert deadlines.latest_contact("AKUT", moment) == moment + dt.timedelta(days=1)


def test_a_handover_that_nobody_would_read_is_not_sent(make_draft, cast):
    draft = make_draft()
    cast.agency.mailbox = ""
    cast.agency.save()
    assert missing_parts(draft) == []  # somebody there has an account
    cast.partner.is_active = False
    cast.partner.save()
    with pytest.raises(Refused, match="would get the message"):
        actions.send(by=cast.caseworker, referral=draft)


def test_an_agencys_access_ends_when_the_case_is_closed(make_referral, cast, client_of):
    referral = make_referral("contact_made")
    url, client = reverse("portal:referral", args=[referral.pk]), client_of(cast.partner)
    assert client.get(url).status_code == 200
    actions.caller_says(by=cast.caseworker, referral=referral, answer="enough")
    steps = list(referral.case.steps.planned().select_related("case__key").in_order())
    for step in steps[:-1]:
        intake_actions.finish_step(by=cast.caseworker, step=step)
    intake_actions.finish_step(by=cast.caseworker, step=steps[-1], close="needs_met")
    assert client.get(url).status_code == 404
    assert CARD["happened"] not in client.get(reverse("portal:inbox")).content.decode()


def test_each_disclosure_says_what_on_which_ground_and_who_decided(make_referral, cast, client_of):
    answered = make_referral("question")
    actions.answer_question(by=cast.caseworker, referral=answered, text="Sixteen.")
    page = client_of(cast.caseworker).get(f"/handovers/{answered.pk}/")
    first, second = page.context["disclosures"]
    assert (first.way, second.way) == ("The handover itself", "Our answer to a question")
    assert "what has happened" in first.shared and "phone number" in first.withheld
    assert "OSL 12:2" in first.ground or "consent" in first.ground.lower()
    assert first.by == str(cast.caseworker)
    assert "Disclosed" in page.content.decode()


def test_of_police_what_was_held_back_is_always_said(make_case, make_draft, cast, client_of):
    police = PartnerAgency.objects.filter(type="POLICE_LOCAL").first()
    AgencyMember.objects.update_or_create(user=cast.other_partner, defaults={"agency": police})
    grounds = police.grounds_for("18-19", clock.today(), GroundSetting.switched_on("1496"))
    ground = next(one for one in grounds if not one.is_consent and one.needs != "no_identity")
    draft = make_draft(agency=police, ground=ground.code, age_band="18-19", ground_reason="A threat to life.",
                       kept_back="Nothing of the brother: he is no part of it.")  # fmt: skip
    sent = actions.send(by=cast.caseworker, referral=draft)
    html = client_of(cast.caseworker).get(f"/handovers/{sent.pk}/").content.decode()
    assert "Nothing of the brother: he is no part of it." in html and ground.law in html
