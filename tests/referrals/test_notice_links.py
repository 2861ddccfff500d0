"""Where the mails lead: to the very handover, behind a log-in; and they hold not a word more."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from helpline.people import notices
from helpline.people.models import Notice
from helpline.people.notices import LINKS, deliver_mail, notify
from referrals.labels import NOTICES

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SAFE = rf"(?:/portal/(?:{UUID}/)?|/portal/[a-z-]+/[\w.-]+/)?"  # a place, a uuid or a signed token


@pytest.fixture(autouse=True)
def a_site(settings):
    settings.SITE_URL = "https://portal.example.org"


def mail_to(address: str) -> str:
    return next(one.body for one in mail.outbox if one.to == [address])


def test_the_agencys_people_and_its_mailbox_come_to_the_handover(cast, make_referral):
    cast.agency.mailbox = "box@example.com"
    cast.agency.save()
    sent = make_referral("sent")
    deliver_mail()
    way = f"https://portal.example.org{reverse('portal:referral', args=[sent.pk])}\n"
    assert way in mail_to("box@example.com") and way in mail_to(cast.partner.email)


def test_a_log_in_stands_before_it(cast, make_referral, client_of):
    path = reverse("portal:referral", args=[make_referral("sent").pk])
    answer = Client().get(path)
    assert answer.status_code == 302 and answer.url == f"/login/?next={path}"
    assert client_of(cast.partner).get(path).status_code == 200
    assert client_of(cast.other_partner).get(path).status_code == 404


def test_ours_come_to_their_first_page(cast, make_referral):
    make_referral("declined")
    deliver_mail()
    assert "https://portal.example.org\n" in mail_to(cast.caseworker.email)


@pytest.mark.parametrize("state", ["sent", "accepted", "declined", "withdrawn", "question", "failed", "contact_booked"])
def test_no_mail_holds_more_than_a_way(state, cast, make_referral, make_case):
    case = make_case(track="B", identity="named", caller_name="Maja Lind", phone="070-1234567")
    cast.agency.mailbox = "box@example.com"
    cast.agency.save()
    sent = make_referral(state, case=case, name="Maja Lind", phone="070-1234567")
    deliver_mail()
    assert mail.outbox
    for message in mail.outbox:
        whole = f"{message.subject}\n{message.body}\n{message.extra_headers}"
        for word in (
            "Maja",
            "Lind",
            "070-1234567",
            "0701234567",
            "701234567",
            str(case),
            case.slug,
            str(case.pk),
            sent.agency.name,
            sent.need,
            sent.need_name,
        ):
            assert word.casefold() not in whole.casefold(), word
        ways = re.findall(r"https://portal\.example\.org(\S*)", message.body)
        assert len(ways) == 1 and re.fullmatch(SAFE, ways[0]), ways
        assert re.sub(r"https://\S+", "", message.body) == re.sub(r"https://\S+", "", mail.outbox[0].body) or (
            message.to != mail.outbox[0].to  # the same words to everybody of one language
        )


@pytest.mark.parametrize("kind", sorted(NOTICES))
def test_every_kind_leads_somewhere_and_says_nothing(kind, cast, make_referral):
    """Whatever stands in the row: a kind whose way cannot be told leads to the first page."""
    sent = make_referral("sent")
    for about in (str(sent.pk), "", "Maja Lind", "../keeper/", "x" * 80):
        for user in (cast.partner, cast.caseworker, None):
            notice = Notice(kind=kind, user=user, address="" if user else "box@example.com", about=about)
            assert re.fullmatch(SAFE, notices._path(notice)), (about, user)


def test_a_way_that_fails_keeps_no_mail_back(cast, monkeypatch):
    def broken(notice):
        raise RuntimeError(cast.caseworker.email)

    monkeypatch.setitem(LINKS, "referral.sent", broken)
    notify(user=cast.partner, kind="referral.sent", source="1", about="x")
    assert deliver_mail() == 1
    assert "https://portal.example.org\n" in mail.outbox[0].body


def test_every_link_is_of_a_kind_that_is_sent():
    assert set(LINKS) <= set(notices.KINDS)
