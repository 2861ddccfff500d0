"""Notices and their mail: one cause makes one, it says nothing, nobody sends it twice, and the broker costs no answer."""

import datetime as dt
import smtplib
import socket
import threading
import time

import pytest
from django.conf import settings as configured
from django.core import mail
from django.core.mail import BadHeaderError
from django.db import connection, transaction
from kombu import pools

from helpline.celery import app
from helpline.people import clock, notices
from helpline.people.models import Notice, Role, User
from helpline.people.notices import deliver_mail, notify


@pytest.fixture
def anna(db) -> User:
    return User.objects.create(username="nanna", role=Role.KEEPER, email="nanna@example.com", language="en")


def test_one_cause_makes_one_notice(anna):
    assert notify(user=anna, kind="step.due", source="reminder:1")
    assert not notify(user=anna, kind="step.due", source="reminder:1")
    assert notify(user=anna, kind="step.due", source="reminder:2")
    assert Notice.objects.count() == 2


def test_what_is_rolled_back_makes_none(anna):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        notify(user=anna, kind="step.due", source="reminder:1")
        raise ZeroDivisionError
    assert not Notice.objects.exists()


def test_the_mail_says_that_something_waits_and_no_more(anna, make_case, settings):
    settings.SITE_URL = "https://portal.example.org"
    case = make_case(track="B", caller_name="Maja Lind", notes={"seen": "en kniv"})
    notify(user=anna, kind="referral.sent", source="1", case=case.pk, about="Avhopparstöd")
    notify(address="box@example.com", kind="referral.sent", source="2", case=case.pk)
    assert deliver_mail() == 2
    for message in mail.outbox:
        text = f"{message.subject}\n{message.body}\n{message.from_email}\n{message.extra_headers}".casefold()
        assert "https://portal.example.org" in message.body
        said = ["maja", "lind", "kniv", str(case), case.slug, str(case.pk), "avhopp", "referral", "handover", "case"]
        topic = [
            configured.LINE_NAME,
            configured.LINE_PHONE,
            "skövde",
            "extrem",
            "stödlinje",
            "helpline line",
            "social",
            "anna",
        ]
        assert [word for word in [*said, *topic] if word.casefold() in text] == []
    assert {address for message in mail.outbox for address in message.to} == {"nanna@example.com", "box@example.com"}


def test_two_mails_of_different_kinds_look_the_same(anna):
    notify(user=anna, kind="step.due", source="1")
    notify(user=anna, kind="referral.declined", source="2")
    deliver_mail()
    first, second = mail.outbox
    assert (first.subject, first.body) == (second.subject, second.body)


def test_who_has_no_address_or_is_switched_off_gets_the_notice_alone(anna):
    User.objects.filter(pk=anna.pk).update(email="")
    anna.refresh_from_db()
    notify(user=anna, kind="step.due", source="1")
    anna.email, anna.is_active = "anna@example.com", False
    notify(user=anna, kind="step.due", source="2")
    assert deliver_mail() == 0 and mail.outbox == []
    assert list(Notice.objects.values_list("mail", flat=True)) == ["none", "none"]


def test_twice_sends_once(anna):
    notify(user=anna, kind="step.due", source="1")
    assert (deliver_mail(), deliver_mail()) == (1, 0)
    assert len(mail.outbox) == 1 and Notice.objects.get().mail == "sent"


def test_a_server_that_does_not_answer_is_tried_for_a_day(anna, monkeypatch):
    def refuse(self):
        raise smtplib.SMTPServerDisconnected("the message of an exception is not written")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    notify(user=anna, kind="step.due", source="1")
    begun = clock.now()
    tried_at = []
    for minutes in range(0, 36 * 60, 5):
        with clock.at(begun + dt.timedelta(minutes=minutes)):
            before = Notice.objects.get().attempts
            assert deliver_mail() == 0
            if Notice.objects.get().attempts > before:
                tried_at.append(minutes)
    assert tried_at[:4] == [0, 5, 10, 20]
    assert Notice.objects.get().mail == "failed" and 20 * 60 < tried_at[-1] < 30 * 60


def test_one_that_cannot_be_sent_keeps_no_other_waiting(anna, monkeypatch):
    for number in range(3):
        notify(user=anna, kind="step.due", source=str(number))
    sent = []

    def send(self):
        sent.append(self)
        if len(sent) == 1:
            raise BadHeaderError
        if len(sent) == 2:
            raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr("django.core.mail.EmailMessage.send", send)
    assert deliver_mail() == 1
    assert sorted(Notice.objects.values_list("mail", flat=True)) == ["failed", "ready", "sent"]


def test_who_is_switched_off_gets_no_mail(anna):
    notify(user=anna, kind="step.due", source="1")
    anna.is_active = False
    anna.save()
    assert deliver_mail() == 0 and mail.outbox == []
    assert Notice.objects.get().mail == "none"


def test_a_sender_that_dies_leaves_unknown_and_nobody_sends_again(anna, monkeypatch, at):
    class Killed(BaseException):
        pass

    def die(self):
        raise Killed

    notify(user=anna, kind="step.due", source="1")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("django.core.mail.EmailMessage.send", die)
        deliver_mail()
    row = Notice.objects.get()
    assert row.mail == "sending" and row.lease_until is not None
    assert deliver_mail() == 0 and Notice.objects.get().mail == "sending"  # its lease still holds
    with clock.at(clock.now() + notices.LEASE + dt.timedelta(seconds=1)):
        assert deliver_mail() == 0
    assert Notice.objects.get().mail == "unknown" and mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_two_senders_never_send_one_twice(anna, monkeypatch):
    monkeypatch.setattr(notices, "BATCH", 3)
    for number in range(30):
        notify(user=anna, kind="step.due", source=str(number))
    start = threading.Barrier(4)
    sent = []

    def sender():
        try:
            start.wait(timeout=10)
            while count := deliver_mail():
                sent.append(count)
        finally:
            connection.close()

    threads = [threading.Thread(target=sender) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sum(sent) == 30
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == len(mail.outbox) == 30
    assert set(Notice.objects.values_list("mail", flat=True)) == {"sent"}


@pytest.mark.parametrize("rolled_back", [False, True])
def test_one_commit_wakes_the_sender_once(rolled_back, anna, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting:
        with transaction.atomic():
            notify(user=anna, kind="step.due", source="1")
            transaction.set_rollback(rolled_back)
        notify(user=anna, kind="step.due", source="2")
        notify(user=anna, kind="step.due", source="3")
    assert len(waiting) == 1


@pytest.fixture
def broker():
    """Point Celery at another broker, and back."""
    before = app.conf.broker_url

    def point(url: str) -> None:
        app.conf.broker_url = url
        app.pool.force_close_all()
        app._pool = None
        app.amqp._producer_pool = None
        pools.reset()

    yield point
    point(before)


@pytest.fixture
def frozen():
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield server.getsockname()[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["closed", "frozen"])
def test_a_broker_that_is_gone_costs_the_page_nothing(kind, anna, broker, frozen):
    broker(f"redis://127.0.0.1:{1 if kind == 'closed' else frozen}/0")
    began = time.monotonic()
    with transaction.atomic():  # an agency with a mailbox and seven people
        for number in range(8):
            notify(user=anna, kind="step.due", source=str(number))
    took = time.monotonic() - began
    assert took < 2, took
    assert Notice.objects.filter(mail="ready").count() == 8
    assert deliver_mail() == 8  # the next tick
