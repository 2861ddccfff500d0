"""The police have no list and no search: each handover is reached by its own mail alone."""

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse

from helpline.people.models import Notice, Role, User
from helpline.people.notices import deliver_mail
from intake.models import Case
from referrals import actions
from referrals.actions.comments import answer_comment, comment
from referrals.actions.messages import send_message
from referrals.models import AgencyMember, PartnerAgency, Referral
from tests.referrals.conftest import CARD
from tests.referrals.test_portal import WHY, drawn, page


@pytest.fixture
def officer(cast) -> User:
    police = PartnerAgency.objects.filter(type="POLICE_LOCAL").first()
    assert police.is_police
    made = User.objects.create(
        username="polis", first_name="Pia", role=Role.PARTNER, email="p@example.com", language="en"
    )
    AgencyMember.objects.create(user=made, agency=police)
    return made


@pytest.fixture
def to_police(cast, make_draft, officer):
    """A handover that is sent to the police, with what is held back written down."""

    def make(**words) -> Referral:
        agency = officer.membership.agency
        draft = make_draft(
            agency=agency, need="threat_protection", ground="CONSENT", kept_back="The name of the brother.", **words
        )
        return actions.send(by=cast.caseworker, referral=draft)

    return make


def test_the_first_page_lists_and_counts_nothing(client_of, cast, to_police, officer):
    first, second = to_police(), to_police()
    actions.withdraw(by=cast.caseworker, referral=second, reason="changed_mind")
    client = client_of(officer)
    answer = client.get("/portal/")
    html = answer.content.decode()
    assert answer.status_code == 200 and "there is no list here and no search" in html
    for hidden in (str(first.pk), str(second.pk), first.need_name, "To answer", "to answer", "waits for your answer"):
        assert hidden not in html, hidden
    assert not any(answer.context[name] for name in ("to_answer", "in_progress", "to_confirm", "answered"))
    assert html == client.get("/portal/").content.decode() or "csrf" in html


def test_the_first_page_is_the_same_whether_anything_waits(client_of, cast, to_police, officer):
    def words() -> str:
        html = client_of(officer).get("/portal/").content.decode()
        return html[html.index("<main") : html.index("</main>")]

    before = words()
    to_police()
    assert words() == before


def test_the_mail_leads_to_that_very_handover(client_of, cast, to_police, officer, settings):
    settings.SITE_URL = "https://portal.example.org"
    Notice.objects.all().delete()
    sent, other = to_police(), to_police()
    deliver_mail()
    theirs = [message.body for message in mail.outbox if officer.email in message.to]
    assert len(theirs) == 2
    for referral, body in zip((sent, other), theirs, strict=True):
        assert f"https://portal.example.org{page(referral)}" in body
        assert not [words for words in CARD.values() if words in body]
    html = client_of(officer).get(page(sent)).content.decode()
    assert CARD["happened"] in html and str(other.pk) not in html and "The inbox" not in html
    assert "The name of the brother." not in html  # what is held back is our own record


def test_it_is_answered_on_its_own_page(client_of, cast, to_police, officer):
    sent = to_police()
    client = client_of(officer)
    answer = client.post(page(sent, "decline"), {**WHY, "seen": drawn(client, sent, "decline")}, follow=True)
    connection.check_constraints()
    assert Referral.objects.get(pk=sent.pk).state == "declined"
    assert str(sent.pk) not in answer.content.decode()
    assert client.get(page(sent)).status_code == 404


def test_what_was_taken_back_is_confirmed_by_the_same_way(client_of, cast, to_police, officer, settings):
    sent = to_police()
    Notice.objects.all().delete()
    actions.withdraw(by=cast.caseworker, referral=sent, reason="changed_mind")
    deliver_mail()
    assert any(page(sent) in message.body for message in mail.outbox if officer.email in message.to)
    client = client_of(officer)
    html = client.get(page(sent)).content.decode()
    assert "We have stopped" in html and not [words for words in CARD.values() if words in html]
    client.post(page(sent, "confirm"))
    assert client.get(page(sent)).status_code == 404


def test_messages_and_answers_come_by_the_same_way(client_of, cast, to_police, officer):
    sent = to_police()
    send_message(by=cast.caseworker, referral=sent, text="Come by the back door.", from_agency=False)
    made = comment(by=officer, referral=sent, text="Too long.")
    actions.decline(by=officer, referral=sent, reason="conflict")
    answer_comment(by=cast.caseworker, comment=made, text="Understood.")
    client = client_of(officer)
    html = client.get(page(sent)).content.decode()
    assert "Understood." in html and "Come by the back door." not in html
    assert str(sent.pk) not in client.get("/portal/").content.decode()


def test_only_what_was_sent_to_them(client_of, cast, to_police, officer, make_referral):
    theirs, elsewhere = to_police(), make_referral("sent")
    assert client_of(officer).get(page(elsewhere)).status_code == 404
    assert client_of(cast.partner).get(page(theirs)).status_code == 404


def test_notices_are_no_list_for_them(client_of, cast, to_police, officer):
    sent = to_police()
    notice = Notice.objects.filter(user=officer).first()
    assert notice.case is None  # a partner's notice tells no case
    client = client_of(officer)
    assert client.get(reverse("intake:notice-open", args=[notice.pk])).status_code == 403
    for name in ("intake:my-day", "intake:case-list", "referrals:list", "referrals:agency-list"):
        assert client.get(reverse(name)).status_code == 403, name
    for words in ("?q=", "?search=", "?after="):
        html = client.get(f"/portal/{words}{CARD['happened'][:7]}").content.decode()
        assert str(sent.pk) not in html and sent.need_name not in html
    assert Case.objects.count() == 1
