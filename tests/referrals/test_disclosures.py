"""What left the house: one row a time, by each way, whole for the police, and never changed."""

import contextlib

import pytest
from django.db import DatabaseError, connection, transaction

from helpline.people.errors import TooLate
from helpline.people.models import LogEntry
from intake.actions import finish_step
from referrals import actions
from referrals.actions.disclosures import record_disclosure
from referrals.actions.papers import give_out
from referrals.labels import DISCLOSURE_WAYS, SHARED
from referrals.models import AgencyMember, Disclosure, PartnerAgency, Referral
from tests.referrals.conftest import CARD


@pytest.fixture
def to_police(make_draft, make_case, make_colleague, cast):
    """A handover to the police that lacks nothing; they have an account."""
    police = PartnerAgency.objects.filter(type="POLICE_LOCAL").first()
    make_colleague("konstapel", agency=police)
    words = {"ground_reason": "A plan.", "kept_back": "The sister, for her safety."}
    draft = make_draft(
        case=make_case(age_band="15-17"), agency=police, need="crime_prevention", ground="U21_CRIME", **words
    )
    return actions.send(by=cast.caseworker, referral=draft)


def test_sending_is_a_disclosure_with_what_was_shared_and_what_was_not(cast, make_referral):
    sent = make_referral("sent", tried="")
    made = Disclosure.objects.get()
    assert (made.way, made.case, made.referral, made.agency) == ("portal", sent.case, sent, cast.agency)
    assert made.shared == [field for field in CARD if field != "tried"] and made.withheld == ["tried", "name", "phone"]
    assert (made.ground, made.law, made.decided_by) == ("CONSENT_GUARDIAN", "OSL 12:3", cast.caseworker)
    assert set(made.shared) | set(made.withheld) == set(SHARED)
    connection.check_constraints()


def test_who_it_is_about_is_disclosed_when_they_accept_and_not_before(cast, make_draft, make_case):
    """A record says what left the house, no more: an agency that declines has never seen the name."""
    case = make_case(track="C", identity="named")
    sent = actions.send(by=cast.caseworker, referral=make_draft(case=case, name="Bo Ek", phone="070-1"))
    assert {"name", "phone"} <= set(Disclosure.objects.get().withheld)
    actions.accept(by=cast.partner, referral=sent)
    told = Disclosure.objects.order_by("decided_at", "pk").last()
    assert {"name", "phone"} <= set(told.shared) and told.decided_by == cast.caseworker
    assert Disclosure.objects.count() == 2


# -- an agency that has nobody who logs in -----------------------------------------------------------------------------


@pytest.fixture
def on_paper(cast):
    """The agency of the cast, without accounts."""
    AgencyMember.objects.filter(agency=cast.agency).delete()
    cast.agency.mailbox, cast.agency.sdk_address = "box@example.com", "sdk:0203:1"
    cast.agency.save()


def named(make_referral, make_case) -> Referral:
    case = make_case(track="B", identity="named", caller_name="Maja Lind", phone="070-1234567")
    return make_referral("sent", case=case, name="Maja Lind", phone="070-1234567")


def rows(referral) -> list[tuple[str, set[str]]]:
    return [(made.way, set(made.shared)) for made in Disclosure.objects.filter(referral=referral).order_by("pk")]


def test_what_nobody_there_can_read_in_the_portal_is_not_said_to_be_shared_there(
    on_paper, cast, make_referral, make_case
):
    sent = named(make_referral, make_case)
    assert rows(sent) == []
    give_out(by=cast.caseworker, referral=sent, way="pdf")
    assert rows(sent) == [("pdf", set(CARD))]
    actions.accept(by=cast.caseworker, referral=sent, who="owner", way="phone")
    assert rows(sent) == [("pdf", set(CARD))]
    connection.check_constraints()


def test_what_they_are_told_by_phone_is_written_down_when_it_is_done(on_paper, cast, make_referral, make_case):
    sent = named(make_referral, make_case)
    give_out(by=cast.caseworker, referral=sent, way="pdf")
    actions.accept(by=cast.caseworker, referral=sent, who="owner", way="phone")
    step = sent.case.steps.planned().get(kind="give_contact")
    assert (step.owner, step.about, step.kept_by) == (cast.caseworker, str(sent.pk), "")
    finish_step(by=cast.caseworker, step=step)
    connection.check_constraints()
    assert rows(sent)[1:] == [("phone", {"name", "phone"})]
    made = Disclosure.objects.get(way="phone")
    assert made.decided_by == cast.caseworker
    assert LogEntry.objects.filter(event="disclosure.recorded", row=str(made.pk)).exists()
    with pytest.raises(TooLate):
        finish_step(by=cast.caseworker, step=step)
    assert len(rows(sent)) == 2


def test_what_they_got_on_paper_is_not_told_by_phone_too(on_paper, cast, make_referral):
    sent = make_referral("sent")
    bring = sent.case.steps.planned().get(kind="bring_handover")
    give_out(by=cast.caseworker, referral=sent, way="text")
    assert [way for way, _parts in rows(sent)] == ["text"]
    bring.refresh_from_db()
    assert bring.state == "done"
    actions.accept(by=cast.caseworker, referral=sent, who="owner", way="phone")
    assert not sent.case.steps.planned().filter(kind="give_contact").exists()  # nothing is left to give


def test_nothing_was_told_of_what_was_taken_back_meanwhile(on_paper, cast, make_referral, make_case):
    sent = named(make_referral, make_case)
    actions.accept(by=cast.caseworker, referral=sent, who="owner", way="phone")
    step = sent.case.steps.planned().get(kind="give_contact")
    actions.withdraw_consent(by=cast.caseworker, consent=sent.consent)
    with contextlib.suppress(TooLate):
        finish_step(by=cast.caseworker, step=step)
    assert rows(sent) == []


def test_who_has_an_account_since_reads_it_in_the_portal(on_paper, cast, make_referral, make_case, make_colleague):
    sent = named(make_referral, make_case)
    actions.accept(by=cast.caseworker, referral=sent, who="owner", way="phone")
    new = make_colleague("nina", agency=cast.agency).user
    for _press in range(2):
        actions.open_referral(by=new, referral=sent)
    assert rows(sent) == [("portal", {*CARD, "name", "phone"})]
    assert Disclosure.objects.get().decided_by == cast.caseworker


def test_an_answer_that_nobody_there_can_read_is_one_when_it_is_brought(on_paper, cast, make_referral):
    sent = make_referral("sent")
    actions.ask_question(by=cast.caseworker, referral=sent, text="How old?", who="owner", way="phone")
    actions.answer_question(by=cast.caseworker, referral=sent, text="Sixteen.")
    assert rows(sent) == []
    finish_step(by=cast.caseworker, step=sent.case.steps.planned().get(kind="bring_answer"))
    assert [way for way, _parts in rows(sent)] == ["answer"]


def test_an_answer_that_an_account_reads_since_is_one(on_paper, cast, make_referral, make_colleague):
    sent = make_referral("sent")
    actions.ask_question(by=cast.caseworker, referral=sent, text="How old?", who="owner", way="phone")
    actions.answer_question(by=cast.caseworker, referral=sent, text="Sixteen.")
    new = make_colleague("nina", agency=cast.agency).user
    for _press in range(2):
        actions.open_referral(by=new, referral=sent)
    assert [way for way, _parts in rows(sent)] == ["portal", "answer"]


def test_a_refused_sending_is_none(cast, make_draft):
    draft = make_draft(happened="")
    with pytest.raises(Exception, match="Say what has happened"):
        actions.send(by=cast.caseworker, referral=draft)
    assert not Disclosure.objects.exists()


def test_an_answer_is_one_of_its_own(cast, make_referral):
    asked = make_referral("question")
    actions.answer_question(by=cast.caseworker, referral=asked, text="Sixteen.")
    assert [made.way for made in Disclosure.objects.order_by("pk")] == ["portal", "answer"]


def test_every_way_has_words(cast):
    assert set(DISCLOSURE_WAYS) == set(Disclosure.Way.values)


@pytest.mark.parametrize("way", Disclosure.Way.values)
def test_of_the_police_every_one_is_whole_whatever_the_way(way, to_police, cast):
    if way in {"pdf", "text"}:
        give_out(by=cast.caseworker, referral=to_police, way=way)
    elif way != "portal":  # which sending made
        record_disclosure(by=cast.caseworker, referral=to_police, way=way)
    made = Disclosure.objects.get(way=way)
    assert (made.ground, made.law, made.decided_by) == ("U21_CRIME", "OSL 10:18 a", cast.caseworker)
    assert made.shared and {"name", "phone"} <= set(made.withheld) and made.words == "The sister, for her safety."
    row = LogEntry.objects.get(event="disclosure.recorded", row=str(made.pk))
    assert row.codes["ground"] == "U21_CRIME" and "sister" not in str(row.codes)


def test_police_get_nothing_without_a_word_of_what_was_held_back(make_draft, make_case, cast):
    police = PartnerAgency.objects.filter(type="POLICE_LOCAL").first()
    draft = make_draft(
        case=make_case(age_band="15-17"), agency=police, need="crime_prevention", ground="U21_CRIME", ground_reason="A."
    )
    with pytest.raises(Exception, match="not shared with the police"):
        actions.send(by=cast.caseworker, referral=draft)
    assert not Disclosure.objects.exists()


def test_it_is_never_changed_and_never_taken_away(make_referral):
    make_referral("sent")
    for act in (lambda rows: rows.update(way="pdf"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            act(Disclosure.objects.all())
    assert Disclosure.objects.get().way == "portal"


def test_the_words_of_it_are_sealed(to_police):
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM referrals_disclosure")
        [(stored,)] = cursor.fetchall()
    assert "sister" not in str(stored)
