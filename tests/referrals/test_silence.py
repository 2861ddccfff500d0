"""What nobody answers, and what should have come about by now: two who look at once, a crash, an agency that is gone, a
contact that did not come, what rested, access that ends. Harmless when run twice; one fault keeps nothing else waiting."""

import datetime as dt
import threading

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.models import LogEntry, Notice, User
from intake.models import Case, Event, FollowUp
from referrals import actions, deadlines
from referrals.actions import silence
from referrals.models import PartnerAgency, Referral, SilenceRung, StateChange
from tests.referrals.conftest import climb_all, past_the_application

MONDAY = "2026-11-23 10:00"
ROUNDS = 50


def step(referral: Referral) -> FollowUp:
    """What waits about it, but for telling an agency that sees nothing any more that it must stop."""
    return FollowUp.objects.planned().exclude(kind="tell_to_stop").get(about=str(referral.pk))


def scheduled(referral: Referral) -> list[SilenceRung]:
    return list(SilenceRung.objects.filter(referral=referral, state="scheduled").order_by("due_at", "pk"))


# -- two at once, and a crash between ----------------------------------------------------------------------------------


def climb_at_once(monkeypatch, moment: dt.datetime) -> int:
    """Two sweepers, each on a connection of its own, that have both found the rung before either takes it. How many rungs
    they say they climbed."""
    both, climbed, real = threading.Barrier(2), [], silence._climb

    def found(pk):
        both.wait(timeout=20)
        return real(pk)

    def look():
        try:
            with clock.at(moment):
                climbed.append(silence.climb())
        finally:
            connection.close()

    with monkeypatch.context() as patch:
        patch.setattr(silence, "_climb", found)
        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads) and len(climbed) == 2
    return sum(climbed)


def one_more(sent: Referral, number: int, rung: str) -> SilenceRung:
    return SilenceRung.objects.create(referral=sent, round=number, rung=rung, due_at=sent.sent_at)


@pytest.mark.django_db(transaction=True)
def test_two_sweepers_climb_each_rung_once(make_referral, monkeypatch):
    """On real connections, in every round with a rung that both have found."""
    sent = make_referral("sent")
    later = sent.sent_at + dt.timedelta(minutes=1)
    for number in range(2, 2 + ROUNDS):
        rung = one_more(sent, number, ["nudge", "deputy", "manager"][number % 3])
        events, rows = Event.objects.count(), LogEntry.objects.count()
        assert climb_at_once(monkeypatch, later) == 1
        assert Event.objects.count() == events + 1 and LogEntry.objects.count() == rows + 1
        rung.refresh_from_db()
        assert rung.state == "fired"
    sources = list(Notice.objects.filter(source__startswith="rung:").values_list("source", flat=True))
    assert len(sources) == len(set(sources)) >= ROUNDS


@pytest.mark.django_db(transaction=True)
def test_without_the_claim_the_same_race_climbs_it_twice(make_referral, monkeypatch):
    """The proof that the race above is one: the guard is taken out, and it is lost."""
    sent = make_referral("sent")
    one_more(sent, 2, "nudge")

    def unguarded(pk, _held):
        SilenceRung.objects.filter(pk=pk).update(state="fired", fired_at=clock.now())
        return True

    monkeypatch.setattr(silence, "_claim", unguarded)
    assert climb_at_once(monkeypatch, sent.sent_at + dt.timedelta(minutes=1)) == 2
    assert Event.objects.filter(case=sent.case_id, kind="referral.nudged").count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_the_last_rung_at_once_have_one_winner(make_draft, cast):
    """The agency accepts while it is taken back: whoever is first, the other changes nothing."""
    won = {"accepted": 0, "expired": 0}
    case = make_draft(by=cast.caseworker).case
    for _round in range(ROUNDS):
        sent = actions.send(by=cast.caseworker, referral=make_draft(case=case))
        SilenceRung.objects.filter(referral=sent).exclude(rung="expire").delete()
        SilenceRung.objects.filter(referral=sent).update(due_at=sent.sent_at)
        start, faults = threading.Barrier(2), []

        def run(act, start=start, faults=faults):
            try:
                start.wait(timeout=20)
                act()
            except Exception as error:
                faults.append(error)
            finally:
                connection.close()

        def accepts(sent=sent):
            actions.accept(by=cast.partner, referral=sent, handled_by="Frida")

        threads = [threading.Thread(target=run, args=(act,)) for act in (accepts, silence.climb)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        sent.refresh_from_db()
        won[sent.state] += 1
        assert [str(fault) != "" for fault in faults] == ([True] if sent.state == "expired" else [])
        moves = list(StateChange.objects.filter(referral=sent).order_by("at", "pk").values_list("move", flat=True))
        assert moves == ["send", {"accepted": "accept", "expired": "expire"}[sent.state]]
        state = SilenceRung.objects.get(referral=sent).state
        assert state == {"accepted": "cancelled", "expired": "fired"}[sent.state]
        if sent.state == "accepted":
            actions.return_referral(by=cast.partner, referral=sent, reason="no_capacity")
    assert sum(won.values()) == ROUNDS


def test_a_crash_in_the_middle_is_as_if_nobody_had_looked(make_referral, monkeypatch):
    """Whatever stands between the claim and the end: the next tick does it, once."""
    sent = make_referral("sent")
    moment = scheduled(sent)[0].due_at
    before = (Notice.objects.count(), Event.objects.count(), LogEntry.objects.count())
    for place in ("record", "tell_agency"):
        with monkeypatch.context() as patch, clock.at(moment):
            patch.setattr(silence, place, lambda *args, **rest: 1 / 0)
            assert silence.climb() == 0
        assert (Notice.objects.count(), Event.objects.count(), LogEntry.objects.count()) == before
        assert len(scheduled(sent)) == len(deadlines.RUNGS)
    with clock.at(moment):
        assert (silence.climb(), silence.climb()) == (1, 0)


def test_one_that_cannot_be_climbed_keeps_no_other_waiting(make_referral, monkeypatch, caplog):
    bad, good = make_referral("sent"), make_referral("sent")
    real = silence.hold

    def hold(referral):
        if referral.pk == bad.pk:
            raise ValueError("with words that nobody should read")
        return real(referral)

    monkeypatch.setattr(silence, "hold", hold)
    climb_all(good)
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.state, bad.state) == ("expired", "sent")
    assert "ValueError" in caplog.text and "words that nobody" not in caplog.text


def test_a_look_that_fails_keeps_no_other_waiting_and_is_known(make_referral, monkeypatch):
    sent = make_referral("sent")

    def broken() -> int:
        raise LookupError

    monkeypatch.setattr(silence, "LOOKS", (broken, *silence.LOOKS))
    with clock.at(scheduled(sent)[0].due_at), pytest.raises(LookupError):
        silence.sweep()
    assert scheduled(sent)[0].rung == "deputy", "the nudge was climbed all the same"


def test_looking_reads_by_the_index_of_what_is_due(make_referral):
    """Over ten thousand rungs of the past, by the partial index: no other index and no table is read through."""
    sent = make_referral("sent")
    SilenceRung.objects.bulk_create(
        SilenceRung(
            referral=sent, round=number, rung="nudge", due_at=sent.sent_at, state="fired", fired_at=sent.sent_at
        )
        for number in range(2, 10_002)
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ANALYZE referrals_silencerung")
    with clock.at(sent.sent_at + dt.timedelta(days=9)):
        due = silence.due_rungs()
    plan = due.explain()
    assert "rungs_due" in plan and "Seq Scan" not in plan, plan
    assert [pk for (pk,) in due] == [rung.pk for rung in scheduled(sent)]


# -- what waits without a ladder ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sent", "opened"])
def test_what_waits_without_a_ladder_gets_one(state, make_referral):
    """Sent by an older version, or past the application."""
    sent = make_referral(state)
    SilenceRung.objects.filter(referral=sent).delete()
    with clock.at(sent.sent_at + dt.timedelta(minutes=1)):
        assert [silence.begin_missing(), silence.begin_missing()] == [1, 0]
    assert [rung.rung for rung in scheduled(sent)] == deadlines.RUNGS


def test_so_does_what_has_only_a_ladder_that_was_stopped(make_referral):
    """Opened again by psql after a question: its first ladder is cancelled, and nobody would ever hear of it."""
    asked = make_referral("question")
    past_the_application(asked, "answer")
    assert scheduled(asked) == [] and silence.begin_missing() == 1
    assert {rung.round for rung in scheduled(asked)} == {2}


@pytest.mark.parametrize("state", ["draft", "question", "accepted", "on_hold", "expired", "withdrawn"])
def test_what_does_not_wait_gets_none(state, make_referral):
    referral = make_referral(state)
    SilenceRung.objects.filter(referral=referral).delete()
    assert silence.begin_missing() == 0


def test_a_ladder_that_is_late_is_climbed_to_its_end(make_referral):
    sent = make_referral("sent")
    SilenceRung.objects.filter(referral=sent).delete()
    with clock.at(sent.answer_due_at + dt.timedelta(days=20)):
        silence.begin_missing()
        assert max(rung.due_at for rung in scheduled(sent)) > clock.now()
    climb_all(sent)
    connection.check_constraints()
    sent.refresh_from_db()
    assert sent.state == "expired"


# -- an agency that is gone --------------------------------------------------------------------------------------------


def switch_off(agency: PartnerAgency) -> None:
    PartnerAgency.objects.filter(pk=agency.pk).update(is_active=False)


def make_silent(agency: PartnerAgency) -> None:
    """Without a mailbox, and its people switched off: by SQL, past every action."""
    PartnerAgency.objects.filter(pk=agency.pk).update(mailbox="")
    User.objects.filter(membership__agency=agency).update(is_active=False)


OPEN = ["sent", "opened", "question", "accepted", "contact_booked", "on_hold"]


@pytest.mark.parametrize("lose", [switch_off, make_silent])
@pytest.mark.parametrize("state", OPEN)
def test_what_lies_with_an_agency_that_is_gone_comes_back(state, lose, make_referral, cast):
    referral = make_referral(state)
    lose(cast.agency)
    assert [silence.rescue(), silence.rescue()] == [1, 0]
    connection.check_constraints()
    referral.refresh_from_db()
    change = referral.changes.order_by("-at", "-id").first()
    assert (referral.state, change.by, change.reason) == ("withdrawn", None, "agency_gone")
    assert (step(referral).kind, step(referral).owner) == ("choose_next", cast.caseworker)
    assert Notice.objects.filter(user=cast.caseworker, kind="referral.withdrawn").exists()
    assert scheduled(referral) == []


@pytest.mark.parametrize("lose", [switch_off, make_silent])
def test_where_there_was_contact_the_caller_is_asked_all_the_same(lose, make_referral, cast):
    met = make_referral("contact_made")
    asks = step(met)
    lose(cast.agency)
    assert [silence.rescue(), silence.rescue()] == [1, 0]
    met.refresh_from_db()
    assert met.state == "completed" and step(met) == asks and asks.kind == "confirm_contact"


def test_a_mailbox_or_one_account_is_enough(make_referral, cast):
    referral = make_referral("sent")
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(mailbox="")
    assert silence.rescue() == 0
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(mailbox="box@example.com")
    User.objects.filter(pk=cast.partner.pk).update(is_active=False)
    assert silence.rescue() == 0
    referral.refresh_from_db()
    assert referral.state == "sent"


@pytest.mark.parametrize("state", ["draft", "declined", "completed", "withdrawn"])
def test_what_is_not_with_it_stays_as_it_is(state, make_referral, cast):
    referral = make_referral(state)
    switch_off(cast.agency)
    assert silence.rescue() == 0
    referral.refresh_from_db()
    assert referral.state == state


# -- a contact that did not come ---------------------------------------------------------------------------------------


def test_a_three_way_call_that_was_missed_is_back_within_the_hour(make_referral, cast, at):
    """On a Saturday evening too."""
    with at(MONDAY):
        accepted = make_referral("accepted")
        when = clock.now() + dt.timedelta(days=5, hours=9)
        actions.book(by=cast.partner, referral=accepted, at=when, warm=True)
    with clock.at(when + dt.timedelta(minutes=29)):
        assert silence.miss_contacts() == 0
    with clock.at(when + dt.timedelta(minutes=30)):
        assert [silence.miss_contacts(), silence.miss_contacts()] == [1, 0]
    connection.check_constraints()
    accepted.refresh_from_db()
    back = step(accepted)
    assert (accepted.state, accepted.contact_due_at) == ("accepted", None)
    assert (back.kind, back.owner, back.others_turn) == ("missed_contact", cast.caseworker, False)
    assert back.planned_at <= when + dt.timedelta(hours=1) and back.due_at == back.planned_at + dt.timedelta(hours=1)
    assert Notice.objects.filter(user=cast.caseworker, kind="referral.missed").exists()


def test_a_three_way_call_is_reminded_of_when_it_begins(make_referral, cast, at):
    with at(MONDAY):
        accepted = make_referral("accepted")
        when = clock.now() + dt.timedelta(days=1)
        actions.book(by=cast.partner, referral=accepted, at=when, warm=True)
    due = step(accepted).reminders.get(rung="due")
    assert due.due_at == when


@pytest.mark.parametrize(
    ("urgency", "promised", "missed"),
    [
        ("NORMAL", "2026-11-24 14:00", "2026-11-24 14:30"),
        ("NORMAL", "2026-11-24 22:00", "2026-11-25 09:00"),
        ("AKUT", "2026-11-23 22:00", "2026-11-23 22:30"),
    ],
)
def test_a_promised_contact_that_did_not_come_is_ours(urgency, promised, missed, make_referral, cast, at):
    with at(MONDAY):
        accepted = make_referral("accepted")
        with at(promised):
            Referral.objects.filter(pk=accepted.pk).update(contact_due_at=clock.now(), urgency=urgency)
            Case.objects.filter(pk=accepted.case_id).update(urgency=urgency)
    with at(missed):
        now = clock.now()
    with clock.at(now - dt.timedelta(seconds=1)):
        assert silence.sweep() == 0
    with clock.at(now):
        assert [silence.miss_contacts(), silence.miss_contacts()] == [1, 0]
    assert step(accepted).kind == "missed_contact"


def test_what_others_do_reminds_us_only_where_nobody_looked_after_it(make_referral, cast, at):
    """The step of a promised contact: its reminder comes after the time at which it is taken for missed."""
    with at(MONDAY):
        accepted = make_referral("accepted")
    due = step(accepted).reminders.get(rung="due")
    assert due.due_at > deadlines.missed_at(accepted, accepted.contact_due_at)
    with clock.at(due.due_at):
        silence.sweep()
    due.refresh_from_db()
    assert due.state == "cancelled"


# -- what rests, and access that ends ----------------------------------------------------------------------------------


def test_what_rested_until_today_goes_on_and_wakes_nobody(make_referral, cast, at):
    with at(MONDAY):
        resting = make_referral("on_hold")
        assert resting.hold_until == dt.date(2026, 11, 30)
    with at("2026-11-29 23:59"):
        assert silence.resume_held() == 0
    with at("2026-11-30 00:01"):
        assert [silence.resume_held(), silence.resume_held()] == [1, 0]
    connection.check_constraints()
    resting.refresh_from_db()
    assert (resting.state, resting.hold_until) == ("accepted", None)
    assert resting.contact_due_at > clock.local_time(resting.sent_at)
    assert step(resting).kind == "await_contact"
    mails = Notice.objects.filter(kind="referral.resumed").exclude(mail="none")
    told = {notice.user.username if notice.user else "box": notice.next_try_at for notice in mails}
    assert told["anna"] == at_morning(9) and told["frida"] == told["box"] == at_morning(8)


def at_morning(hour: int) -> dt.datetime:
    from helpline.people.workdays import local

    return local(dt.date(2026, 11, 30), dt.time(hour))


def test_access_ends_with_its_day(make_referral, cast):
    accepted = make_referral("accepted")
    last = accepted.access_until
    with clock.at(clock.now() + (last - clock.today())):
        assert silence.end_access() == 0
    with clock.at(clock.now() + (last - clock.today()) + dt.timedelta(days=1)):
        assert not Referral.objects.for_agency_of(cast.partner).exists()
        assert [silence.end_access(), silence.end_access()] == [1, 0]
    connection.check_constraints()
    accepted.refresh_from_db()
    assert accepted.state == "withdrawn" and step(accepted).kind == "choose_next"
    assert accepted.changes.get(move="withdraw").reason == "access_ended"


def test_what_had_contact_is_finished_when_access_ends(make_referral):
    met = make_referral("contact_made")
    with clock.at(clock.now() + dt.timedelta(days=deadlines.ACCESS_DAYS + 2)):
        assert silence.end_access() == 1
    met.refresh_from_db()
    assert met.state == "completed" and step(met).kind == "confirm_contact"


# -- all of it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sent", "opened", "accepted", "contact_booked", "on_hold"])
def test_what_nobody_touches_ends_in_our_hands(state, make_referral, cast):
    """Nobody does anything: each look is once a day, and within the time of its access it is ours."""
    referral = make_referral(state)
    begun = clock.now()
    for day in range(deadlines.ACCESS_DAYS + 5):
        with clock.at(begun + dt.timedelta(days=day)):
            actions.sweep()
        connection.check_constraints()
        planned = FollowUp.objects.planned().filter(case=referral.case_id)
        assert planned.exists(), f"day {day}: nothing is planned"
    referral.refresh_from_db()
    assert referral.state in {"expired", "withdrawn"} and step(referral).owner == cast.caseworker
    with clock.at(begun + dt.timedelta(days=day)):
        assert actions.sweep() == 0


def test_the_tick_does_it(make_referral):
    from referrals.tasks import expire

    sent = make_referral("sent")
    SilenceRung.objects.filter(referral=sent).update(due_at=sent.sent_at - dt.timedelta(minutes=1))
    expire()
    sent.refresh_from_db()
    assert sent.state == "expired"


@pytest.mark.parametrize(
    ("mailbox", "kind"), [("", "referral.nudged_again"), ("standin@agency.example", "referral.deputy_told")]
)
def test_where_nobody_stands_in_nobody_is_said_to_have_been_told(mailbox, kind, make_referral, cast, client_of):
    cast.agency.members.update(is_deputy=False)
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(deputy_mailbox=mailbox)
    sent = make_referral("sent")
    SilenceRung.objects.filter(referral=sent, rung__in=["nudge", "deputy"]).update(due_at=clock.now())
    silence.sweep()
    kinds = set(sent.case.events.values_list("kind", flat=True))
    assert kind in kinds and len(kinds & {"referral.nudged_again", "referral.deputy_told"}) == 1
    html = client_of(cast.caseworker).get(f"/handovers/{sent.pk}/").content.decode()
    assert ("was reminded once more" in html) is not bool(mailbox)
