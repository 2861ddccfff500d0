"""Whoever has no account is called, and what came back, was closed or is taken back gives nobody anything more to read."""

import datetime as dt

import pytest
from django.urls import reverse

from helpline.people import clock
from helpline.people.models import Notice
from referrals import actions
from referrals.actions.comments import answer_comment, comment
from referrals.actions.looks import accept_by_link, make_look
from referrals.models import AgencyMember
from tests.referrals.test_looks import SOON, browser, open_in
from tests.referrals.test_portal import page as portal_page


@pytest.fixture(autouse=True)
def a_monday(at):
    with at("2026-11-23 09:00"):
        yield


def test_look_second_accept_late_says_accepted_falsely(cast, make_referral, make_case, at):
    cast.agency.mailbox = "box@example.com"
    cast.agency.save()
    AgencyMember.objects.filter(agency=cast.agency).delete()
    one = make_referral("sent", case=make_case())
    two = make_referral("sent", case=make_case())
    client = browser()
    look, code = make_look(by=cast.caseworker, referral=one)
    open_in(client, look, code)
    assert client.post(reverse("portal:look-accept"), SOON).status_code == 302
    look, code = make_look(by=cast.caseworker, referral=two)
    assert open_in(client, look, code).status_code == 302
    assert client.get(reverse("portal:look-card")).status_code == 200
    with at("2026-11-23 09:45"):  # half an hour is over
        answer = client.post(reverse("portal:look-accept"), SOON, follow=True)
    two.refresh_from_db()
    html = answer.content.decode()
    assert two.state == "opened"
    assert "You have accepted" not in html and "is written down" not in html


def test_answered_comment_is_gone_when_consent_is_withdrawn(cast, make_referral, client_of):
    referral = make_referral("accepted")
    made = comment(by=cast.partner, referral=referral, text="Who is Maja?")
    answer_comment(by=cast.caseworker, comment=made, text="Maja Lind, his mother, lives with him.")
    actions.contact_made(by=cast.partner, referral=referral)
    actions.complete(by=cast.partner, referral=referral)
    client = client_of(cast.partner)
    assert "Maja Lind" in client.get(f"/portal/{referral.pk}/").content.decode()
    actions.withdraw_consent(by=cast.caseworker, consent=referral.consent)
    assert "Maja Lind" not in client.get(f"/portal/{referral.pk}/").content.decode()


def test_give_contact_ends_when_taken_back(cast, make_referral):
    sent = make_referral("sent")
    accept_by_link(referral=sent, way="link")
    actions.withdraw_consent(by=cast.caseworker, consent=sent.consent)
    assert not sent.case.steps.planned().filter(kind="give_contact").exists()


def only_paper(cast):
    cast.agency.mailbox, cast.agency.sdk_address, cast.agency.deputy_mailbox = "", "sdk:0203:1", ""
    cast.agency.save()
    AgencyMember.objects.filter(agency=cast.agency).delete()


def test_paper_agency_is_told_of_withdrawn_consent_or_we_have_a_step(cast, make_referral):
    only_paper(cast)
    sent = make_referral("sent")
    actions.accept(by=cast.caseworker, referral=sent, who="owner", way="phone")
    Notice.objects.all().delete()
    actions.withdraw_consent(by=cast.caseworker, consent=sent.consent)
    told = Notice.objects.exclude(address="").exists()
    kinds = list(sent.case.steps.planned().filter(about=str(sent.pk)).values_list("kind", flat=True))
    assert told or set(kinds) - {"choose_next"}, kinds


def test_we_can_write_down_that_an_agency_without_accounts_has_stopped(cast, make_referral):
    only_paper(cast)
    sent = make_referral("sent")
    actions.withdraw(by=cast.caseworker, referral=sent, reason="changed_mind")
    actions.confirm_withdrawal(by=cast.caseworker, referral=sent, who="owner", way="phone")


def test_portal_names_our_worker_as_their_asker(cast, make_referral, client_of):
    sent = make_referral("sent")
    actions.ask_question(by=cast.caseworker, referral=sent, text="How old?", who="owner", way="phone")
    html = client_of(cast.partner).get(f"/portal/{sent.pk}/").content.decode()
    said = html[html.index("said-title") :]
    said = said[: said.index("</section>")]
    assert "Anna" not in said, said


def test_the_second_tick_just_after_half_an_hour(cast, make_referral, at):
    held = make_referral("accepted")
    actions.book(by=cast.partner, referral=held, at=clock.now() + dt.timedelta(hours=2), warm=True)
    with at("2026-11-23 11:20"):
        actions.tick_spoke(by=cast.caseworker, referral=held, who="owner")
    with at("2026-11-23 11:35"):
        actions.sweep()
    with at("2026-11-23 11:36"):
        held.refresh_from_db()
        assert held.state == "contact_booked", held.state
        actions.tick_spoke(by=cast.partner, referral=held)


def test_second_press_of_the_last_tick(cast, make_referral, client_of, at):
    held = make_referral("accepted")
    actions.book(by=cast.partner, referral=held, at=clock.now() + dt.timedelta(hours=2), warm=True)
    client = client_of(cast.partner)
    with at("2026-11-23 11:10"):
        actions.tick_spoke(by=cast.caseworker, referral=held, who="owner")
        seen = str(held.changes.order_by("-at", "-id").first().pk)
        one = client.post(portal_page(held, "tick"), {"seen": seen})
        two = client.post(portal_page(held, "tick"), {"seen": seen})
        assert (one.status_code, two.status_code) == (302, 302)


def test_answer_to_a_question_by_link_is_brought_to_them(cast, make_referral):
    cast.agency.mailbox = "box@example.com"
    cast.agency.save()
    AgencyMember.objects.filter(agency=cast.agency).delete()
    sent = make_referral("sent")
    actions.ask_question(by=None, referral=sent, text="How old?", way="link")
    actions.answer_question(by=cast.caseworker, referral=sent, text="Sixteen.")
    ours = [s.kind for s in sent.case.steps.planned().filter(about=str(sent.pk), others_turn=False)]
    assert ours, "nobody of us has to bring the answer"
