"""A draft: begun, written, thrown away; never seen by the agency."""

import datetime as dt

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry
from referrals import actions
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
