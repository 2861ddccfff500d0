"""A draft: begun, written, thrown away; never seen by the agency."""

import datetime as dt

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry
from intake import actions as intake_actions
from intake.actions.tracks import change_protection
from intake.models import Call, Case
from referrals import actions
from referrals.actions.messages import send_message
from referrals.models import Consent, PartnerAgency, Referral
from tests.referrals.conftest import CARD


def test_a_draft_knows_what_the_case_knows_and_leaves_the_case_as_it_was(make_case, cast):
    case = make_case(safe_contact="Only by text.")
    before = case.next_due_at
    draft = actions.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    connection.check_constraints()
    assert (draft.state, draft.safe_contact, draft.age_band, draft.urgency) == (
        "draft",
        "Only by text.",
        "15-17",
        "SKYNDSAM",
    )
    case.refresh_from_db()
    assert case.next_due_at == before
    row = LogEntry.objects.get(event="referral.drafted")
    assert (row.case, row.row, row.user) == (case.pk, str(draft.pk), cast.caseworker)


def test_nobody_drafts_to_a_place_that_the_caller_goes_to_alone(make_case, cast):
    line = PartnerAgency.objects.get(name="Nationell orostelefon")
    with pytest.raises(Refused):
        actions.draft_referral(by=cast.caseworker, case=make_case(), agency=line, need="family_support")
    assert not Referral.objects.exists()


def test_nobody_drafts_for_a_need_that_is_not_on_the_list(make_case, cast):
    with pytest.raises(Refused):
        actions.draft_referral(by=cast.caseworker, case=make_case(), agency=cast.agency, need="money")


def test_changed_text_is_no_longer_approved(make_draft, cast):
    draft = make_draft()
    same = actions.save_draft(by=cast.caseworker, referral=draft, words=CARD)
    assert same.approved_at == draft.approved_at is not None
    changed = actions.save_draft(by=cast.caseworker, referral=draft, words={"wants": "Something else."})
    assert changed.approved_at is None


def test_another_ground_leaves_the_approval(make_draft, cast):
    draft = actions.save_draft(
        by=cast.caseworker, referral=make_draft(), words={"ground": "DUTY", "ground_reason": "x"}
    )
    assert draft.approved_at is not None


def test_a_consent_is_one_row_until_it_changes(make_draft, cast):
    draft = make_draft()
    again = {"form": draft.consent.form, "valid_until": draft.consent.valid_until}
    assert actions.save_draft(by=cast.caseworker, referral=draft, words={}, consent=again).consent == draft.consent
    longer = {**again, "valid_until": clock.today() + dt.timedelta(days=60)}
    assert actions.save_draft(by=cast.caseworker, referral=draft, words={}, consent=longer).consent != draft.consent
    assert Consent.objects.count() == 2


def test_the_log_of_a_save_holds_fields_and_no_words(make_draft):
    make_draft(happened="Word that nobody else wrote")
    row = LogEntry.objects.get(event="referral.saved")
    assert "happened" in row.codes["parts"]
    assert "nobody" not in str(row.codes)


def test_what_was_sent_is_neither_written_nor_thrown_away(make_referral, cast):
    sent = make_referral("sent")
    with pytest.raises(TooLate):
        actions.save_draft(by=cast.caseworker, referral=sent, words={"ask": "More."})
    with pytest.raises(TooLate):
        actions.discard_draft(by=cast.caseworker, referral=sent)
    assert Referral.objects.get(pk=sent.pk).ask == CARD["ask"]


def test_a_draft_that_is_thrown_away_is_gone_and_logged(make_draft, cast):
    draft = make_draft()
    actions.discard_draft(by=cast.caseworker, referral=draft)
    connection.check_constraints()
    assert not Referral.objects.exists()
    assert LogEntry.objects.filter(event="referral.discarded", row=str(draft.pk)).exists()


# -- as urgent as its case ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("now, becomes", [("AKUT", "AKUT"), ("NORMAL", "SKYNDSAM")])
def test_a_draft_is_never_calmer_than_its_case(make_draft, cast, client_of, now, becomes, at):
    with at("2026-11-23 09:00"):
        draft = make_draft()
        Case.objects.filter(pk=draft.case_id).update(urgency=now)
        seen = client_of(cast.caseworker).get(f"/handovers/{draft.pk}/").context["sight"]
        assert seen.urgency == becomes
        sent = actions.send(by=cast.caseworker, referral=draft)
    connection.check_constraints()
    assert sent.urgency == becomes and seen.answer_by == sent.answer_due_at
    sent.refresh_from_db()
    assert sent.urgency == becomes


def test_who_calls_again_and_is_acute_makes_the_draft_acute(make_draft, make_call, cast):
    draft = make_draft()
    call = make_call(urgency="AKUT", urgency_reason="as told")
    Call.objects.filter(pk=call.pk).update(case=draft.case_id)
    intake_actions.complete_call(by=cast.caseworker, call=Call.objects.get(pk=call.pk))
    assert actions.send(by=cast.caseworker, referral=draft).urgency == "AKUT"


# -- what is chosen instead --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leads", [True, False])
def test_only_what_leads_is_who_helps_instead(make_referral, make_draft, cast, leads):
    declined = make_referral("declined")
    other = make_draft(case=declined.case)
    actions.save_draft(by=cast.caseworker, referral=other, words={}, leads=leads)
    actions.send(by=cast.caseworker, referral=other)
    connection.check_constraints()
    assert declined.case.steps.planned().filter(kind="choose_next").exists() is not leads


# -- protection that is raised -----------------------------------------------------------------------------------------


STREET = "Storgatan 12, 521 30 Falköping"


def test_what_is_with_an_agency_loses_its_addresses_when_protection_is_raised(make_referral, cast, client_of):
    held = make_referral("accepted", happened=f"He lives at {STREET}.")
    portal = f"/portal/{held.pk}/"
    send_message(by=cast.partner, referral=held, text=f"Is it {STREET}?", from_agency=True)
    assert client_of(cast.partner).get(portal).content.decode().count("Storgatan 12") == 2
    change_protection(by=cast.caseworker, case=held.case, level="protected_registration", why="court")
    connection.check_constraints()
    html = client_of(cast.partner).get(portal).content.decode()
    assert "Storgatan" not in html and "[address taken out]" in html and "Is it" in html
    assert "Storgatan" not in Referral.objects.get(pk=held.pk).happened
    row = LogEntry.objects.get(event="referral.cleaned")
    assert (row.case, row.row, row.codes["parts"]) == (held.case_id, str(held.pk), ["happened"])


@pytest.mark.parametrize("state", ["question", "opened"])
def test_what_was_asked_and_answered_loses_them_too(make_referral, cast, client_of, state):
    held = make_referral("sent")
    actions.ask_question(by=cast.partner, referral=held, text=f"Is it {STREET}?")
    if state == "opened":
        actions.answer_question(by=cast.caseworker, referral=held, text="Yes, Storgatan 12, behind the school.")
    change_protection(by=cast.caseworker, case=held.case, level="protected_registration", why="court")
    assert "Storgatan" not in client_of(cast.partner).get(f"/portal/{held.pk}/").content.decode()


# -- who it is, in words -----------------------------------------------------------------------------------------------


def test_no_words_of_ours_tell_who_it_is_before_they_have_accepted(make_referral, make_case, cast):
    case = make_case(track="B", identity="named", caller_name="Maja Lind", phone="070-1234567")
    sent = make_referral("sent", case=case, name="Maja Lind", phone="070-1234567")
    for text in ("It is Maja.", "Call 070-1234567."):
        with pytest.raises(Refused, match="The agency does not have the"):
            send_message(by=cast.caseworker, referral=sent, text=text, from_agency=False)
    actions.ask_question(by=cast.partner, referral=sent, text="Who is it?")
    with pytest.raises(Refused, match="does not have the name"):
        actions.answer_question(by=cast.caseworker, referral=sent, text="Maja Lind.")
    actions.answer_question(by=cast.caseworker, referral=sent, text="You see it when you have accepted.")
    actions.accept(by=cast.partner, referral=sent)
    send_message(by=cast.caseworker, referral=sent, text="Maja answers on 070-1234567 after six.", from_agency=False)
    assert sent.messages.count() == 1


def test_after_it_too_where_it_is_not_shared(make_referral, make_case, cast):
    case = make_case(track="B", identity="named", caller_name="Maja Lind", phone="070-1234567")
    held = make_referral("accepted", case=case)
    with pytest.raises(Refused, match="does not have the name"):
        send_message(by=cast.caseworker, referral=held, text="Maja waits.", from_agency=False)
