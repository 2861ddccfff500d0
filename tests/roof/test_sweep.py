"""What is due is done without Celery too; who watches learns of it where nobody does it; mail whose fate is unknown is shown,
and sent again by a person alone."""

import datetime as dt
import smtplib

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from helpline import watch
from helpline.celery import app, be_patient
from helpline.management.commands import sweep as command
from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.adrift import send_again
from helpline.people.errors import TooLate
from helpline.people.models import Heartbeat, LogEntry, Notice, User
from helpline.people.notices import LEASE, deliver_mail, notify
from intake import actions as intake
from intake.models import FollowUp, Reminder
from referrals.models import SilenceRung

A_MONTH = dt.timedelta(days=30)


# -- manage.py sweep ---------------------------------------------------------------------------------------------------


def test_every_tick_of_beat_is_done(settings, monkeypatch, capsys, db):
    done = []
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        task = import_string(entry["task"])
        monkeypatch.setattr(task, "run", lambda name=entry["task"]: done.append(name))
    call_command("sweep")
    ticks = {name: entry["task"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    assert sorted(done) == sorted(ticks.values()) and len(done) >= 6
    assert done[-1] == ticks["deliver"], "what the others had to say goes out too"
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(f"{name}: done" for name in ticks)


def test_all_of_it_without_celery(make_case, make_draft, cast, at, capsys):
    """A reminder, a due step of somebody who is away, rungs to the last, and the mail of all these; and nothing too soon."""
    from referrals import actions

    with at("2026-11-23 10:00"):
        case = make_case()
        step = intake.plan_step(by=cast.caseworker, case=case, what="Ring.", due_at=clock.now() + dt.timedelta(hours=2))
        away = make_case(by=cast.colleague)
        sent = actions.send(by=cast.caseworker, referral=make_draft())
        done = intake.plan_step(by=cast.caseworker, case=sent.case, what="Write.", due_at=clock.now() + A_MONTH)
    with at("2026-12-01 09:30"):
        save_absence(
            by=cast.colleague, user=cast.colleague, deputy=cast.manager, first_day=clock.today(), last_day=clock.today()
        )
        mail.outbox.clear()
        call_command("sweep")
    # What waited while nobody looked is put off, so that we can call first; it comes all the same.
    while left := sent.rungs.filter(state="scheduled").order_by("due_at", "pk").first():
        with clock.at(left.due_at):
            call_command("sweep")
    with at("2026-12-15 09:30"):
        call_command("sweep")
        first = (Notice.objects.count(), LogEntry.objects.count(), len(mail.outbox))
        call_command("sweep")
        assert (Notice.objects.count(), LogEntry.objects.count(), len(mail.outbox)) == first, "harmless again"
    assert step.reminders.get(rung="due").state == Reminder.State.FIRED
    assert set(FollowUp.objects.planned().filter(case=away).values_list("owner", flat=True)) == {cast.manager.pk}
    sent.refresh_from_db()
    assert sent.state == "expired" and done.reminders.get(rung="due").state == Reminder.State.SCHEDULED
    assert (
        len(mail.outbox) >= 3 and not Notice.objects.filter(mail="ready").exclude(next_try_at__gt=clock.now()).exists()
    )


def test_one_that_fails_keeps_no_other_waiting_and_is_known(monkeypatch, caplog, db, settings):
    done = []
    names = list(settings.CELERY_BEAT_SCHEDULE)
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        monkeypatch.setattr(import_string(entry["task"]), "run", lambda name=name: done.append(name))

    def broken() -> None:
        raise ValueError("with words that nobody should read")

    monkeypatch.setattr(import_string(settings.CELERY_BEAT_SCHEDULE[names[0]]["task"]), "run", broken)
    with pytest.raises(CommandError, match=f"failed: {names[0]}"):
        call_command("sweep")
    assert sorted(done) == sorted(names[1:])
    assert "ValueError" in caplog.text and "words that nobody" not in caplog.text


def test_it_needs_no_broker(monkeypatch, make_referral, settings):
    """Nothing is published: a broker that is asked would fail this."""
    from celery.app.task import Task

    def never(*_args, **_rest):
        raise AssertionError("the broker was asked")

    monkeypatch.setattr(Task, "apply_async", never)
    make_referral("sent")
    call_command("sweep")
    assert command.Command.help


# -- how Celery is set -------------------------------------------------------------------------------------------------


def test_celery_is_set_so_that_nothing_is_lost_in_it():
    conf = app.conf
    assert (conf.task_acks_late, conf.task_ignore_result, conf.worker_prefetch_multiplier) == (False, True, 1)
    assert conf.broker_connection_retry_on_startup and conf.broker_connection_max_retries is None
    assert conf.task_publish_retry_policy["max_retries"] == 0
    options = conf.broker_transport_options
    assert (options["socket_timeout"], options["socket_connect_timeout"], options["max_retries"]) == (0.5, 0.5, 0)
    assert conf.result_backend is None
    for entry in conf.beat_schedule.values():
        assert entry["options"]["expires"] and not set(entry["options"]) & {"eta", "countdown"}


def test_worker_and_beat_have_more_patience_with_the_broker():
    before = app.conf.broker_transport_options
    try:
        be_patient()
        options = app.conf.broker_transport_options
        assert (options["socket_timeout"], options["socket_connect_timeout"], options["max_retries"]) == (2.0, 2.0, 0)
        assert app.connection_for_write().transport_options["socket_timeout"] == 2.0
    finally:
        app.conf.broker_transport_options = before


def test_workers_are_started_without_gossip_and_mingle(tmp_path):
    from helpline.local.run import programs
    from helpline.local.state import State

    worker = next(program for program in programs(State(tmp_path, lasting=False), {}, 8000) if program.name == "worker")
    assert {"--without-gossip", "--without-mingle"} <= set(worker.argv)


def test_the_database_lets_nobody_wait_for_ever(db):
    from django.db import connection

    said = {}
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SHOW {name}")
            said[name] = cursor.fetchone()[0]
    assert said == {"statement_timeout": "15s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s"}


# -- who watches learns of it ------------------------------------------------------------------------------------------


@pytest.fixture
def beating(db):
    for name in ("worker", "beat"):
        Heartbeat.objects.create(name=name, at=timezone.now())


def late_reminder(make_case, make_referral) -> None:
    make_case()
    Reminder.objects.filter(rung="due").update(due_at=clock.now() - watch.LATE - dt.timedelta(seconds=5))


def late_rung(make_case, make_referral) -> None:
    make_referral("sent")
    SilenceRung.objects.filter(rung="nudge").update(due_at=clock.now() - watch.LATE - dt.timedelta(seconds=5))


def late_mail(make_case, make_referral) -> None:
    make_referral("sent")
    Notice.objects.update(created_at=clock.now() - watch.LATE - dt.timedelta(seconds=5))


@pytest.mark.parametrize("lateness", [late_reminder, late_rung, late_mail])
def test_what_is_late_is_said_to_who_asks(lateness, client, client_of, beating, make_case, make_referral, cast):
    page = client_of(cast.manager).get(reverse("caseload"))
    assert b"What is due has waited" not in page.content
    lateness(make_case, make_referral)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["due"], answer.json()["worker"]) == (503, "down", "ok")
    for user, url in ((cast.manager, "caseload"), (cast.keeper, "keeper:user-list"), (cast.keeper, "mail")):
        assert b"What is due has waited" in client_of(user).get(reverse(url)).content
    call_command("sweep")
    assert client.get("/health/").json()["due"] == "ok" and watch.late_since() is None


def test_what_is_due_and_not_late_is_no_alarm(client, beating, make_case, make_referral):
    make_referral("sent")
    Reminder.objects.update(due_at=clock.now() - watch.LATE + dt.timedelta(seconds=30))
    Notice.objects.update(
        next_try_at=clock.now() + dt.timedelta(hours=9), created_at=clock.now() - dt.timedelta(hours=9)
    )
    assert client.get("/health/").json()["due"] == "ok" and watch.oldest_due() is not None


def test_a_database_without_its_tables_is_late(client, monkeypatch, beating):
    from django.db import ProgrammingError

    from helpline import views

    def gone():
        raise ProgrammingError

    monkeypatch.setattr(views, "late_since", gone)
    assert client.get("/health/").json()["due"] == "down"


def test_what_nobody_acknowledges_reaches_the_manager(make_case, cast, at):
    """The late rung, the next working morning."""
    with at("2026-11-27 10:00"):
        step = intake.plan_step(
            by=cast.caseworker, case=make_case(), what="Ring.", due_at=clock.now() + dt.timedelta(hours=2)
        )
    with at("2026-11-30 09:01"):
        call_command("sweep")
    assert Notice.objects.filter(user=cast.manager, kind="step.late", about=str(step.pk)).count() == 1
    assert clock.local_time(step.reminders.get(rung="late").due_at).strftime("%a %H:%M") == "Mon 09:00"


# -- mail that may not have arrived ------------------------------------------------------------------------------------


class Killed(BaseException):
    pass


@pytest.fixture
def unknown(cast, monkeypatch) -> Notice:
    """Anna's mail, whose sender died."""

    def die(_self):
        raise Killed

    notify(user=cast.caseworker, kind="step.due", source="one")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("django.core.mail.EmailMessage.send", die)
        deliver_mail()
    with clock.at(clock.now() + LEASE + dt.timedelta(seconds=1)):
        deliver_mail()
    notice = Notice.objects.get(source="one")
    assert notice.mail == "unknown" and mail.outbox == []
    return notice


def test_it_is_shown_to_the_manager_and_the_keeper(unknown, cast, client_of):
    for user, first in ((cast.manager, "caseload"), (cast.keeper, "keeper:user-list")):
        theirs = client_of(user)
        assert "1 mail: nobody knows whether it arrived." in theirs.get(reverse(first)).content.decode()
        html = theirs.get(reverse("mail")).content.decode()
        assert "Anna" in html and "it may have arrived or not" in html
    assert "nobody knows" not in client_of(cast.other_manager).get(reverse("caseload")).content.decode()
    assert "Anna" not in client_of(cast.other_manager).get(reverse("mail")).content.decode()
    for user in (cast.caseworker, cast.partner):
        assert client_of(user).get(reverse("mail")).status_code == 403


def test_the_page_says_nothing_of_what_it_is_about(cast, client_of, make_referral):
    sent = make_referral("sent")
    Notice.objects.update(mail="failed")
    html = client_of(cast.keeper).get(reverse("mail")).content.decode()
    assert cast.agency.mailbox in html and "It could not be delivered." in html and "Frida" in html
    for word in (str(sent.case), sent.case.slug, str(sent.pk), "handover to answer", "Meet the family"):
        assert word not in html


def test_a_mail_to_an_agency_is_seen_by_the_unit_whose_handover_it_is(cast, client_of, make_referral):
    make_referral("sent")
    Notice.objects.filter(user=None).update(mail="unknown")
    assert cast.agency.mailbox in client_of(cast.manager).get(reverse("mail")).content.decode()
    assert cast.agency.mailbox not in client_of(cast.other_manager).get(reverse("mail")).content.decode()


def test_it_is_never_sent_again_by_itself(unknown):
    for hours in range(0, 72, 3):
        with clock.at(clock.now() + dt.timedelta(hours=hours)):
            call_command("sweep")
    unknown.refresh_from_db()
    assert unknown.mail == "unknown"
    assert unknown.message_id.hex not in " ".join(message.extra_headers["Message-ID"] for message in mail.outbox)


def test_one_click_sends_it_again_under_the_same_id(unknown, cast, client_of):
    theirs = client_of(cast.manager)
    url = reverse("mail-send", args=[unknown.pk])
    assert theirs.get(url).status_code == 405
    assert theirs.post(url).status_code == 302
    row = LogEntry.objects.get(event="mail.sent_again")
    assert (row.user, row.row, row.codes) == (cast.manager, str(unknown.pk), {})
    page = theirs.post(url, follow=True).content.decode()
    assert (
        "Somebody has sent it again already." in page and LogEntry.objects.filter(event="mail.sent_again").count() == 1
    )
    assert deliver_mail() == 1
    [message] = mail.outbox
    assert message.extra_headers["Message-ID"] == f"<{unknown.message_id}@helpline>"
    with pytest.raises(TooLate):
        send_again(by=cast.manager, notice=unknown)
    assert "nobody knows" not in theirs.get(reverse("caseload")).content.decode()


@pytest.mark.parametrize("who", ["other_manager", "caseworker", "partner", "keeper"])
def test_who_may_send_it_again(who, unknown, cast, client_of):
    status = client_of(getattr(cast, who)).post(reverse("mail-send", args=[unknown.pk])).status_code
    assert status == {"other_manager": 404, "keeper": 302}.get(who, 403)
    unknown.refresh_from_db()
    assert unknown.mail == ("ready" if who == "keeper" else "unknown")


def test_what_was_read_all_the_same_is_shown_no_more(unknown, cast):
    assert watch.adrift_of(cast.manager).get() == unknown
    Notice.objects.filter(pk=unknown.pk).update(seen_at=clock.now())
    assert not watch.adrift_of(cast.manager).exists()


def test_what_was_for_somebody_who_is_switched_off_is_shown_no_more(unknown, cast):
    User.objects.filter(pk=cast.caseworker.pk).update(is_active=False)
    assert not watch.adrift_of(cast.manager).exists() and not watch.adrift_of(cast.keeper).exists()


def test_a_mail_that_failed_is_tried_for_a_day_again(unknown, cast, monkeypatch):
    def refuse(_self):
        raise smtplib.SMTPServerDisconnected

    send_again(by=cast.keeper, notice=unknown)
    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    deliver_mail()
    unknown.refresh_from_db()
    assert (unknown.mail, unknown.attempts) == ("ready", 1) and unknown.next_try_at > clock.now()
