"""The ladder of silence: a row a rung, made when we begin to wait, climbed once, stopped by any answer; whom each rung tells."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from helpline.people import clock
from helpline.people.models import Absence, LogEntry, Notice, Role, User
from intake import actions as intake_actions
from intake.models import Event, FollowUp
from referrals import actions, deadlines
from referrals.actions import silence
from referrals.models import AgencyAbsence, AgencyMember, Referral, SilenceRung
from referrals.models.agencies import OpeningHours

MONDAY = "2026-11-23 10:00"  # of an ordinary week


@pytest.fixture
def sent(make_referral, at) -> Referral:
    """Sent on a Monday morning, to be answered on Wednesday at noon."""
    with at(MONDAY):
        return make_referral("sent")


def rung_of(referral: Referral, name: str, round: int = 1) -> SilenceRung:
    return SilenceRung.objects.get(referral=referral, rung=name, round=round)


def climb_to(referral: Referral, name: str) -> None:
    """All that is due until this rung is due, each at its time; the last look is twice."""
    for rung in SilenceRung.objects.filter(referral=referral, state="scheduled").order_by("due_at"):
        with clock.at(rung.due_at + dt.timedelta(seconds=10)):
            silence.sweep()
            assert silence.climb() == 0
        if rung.rung == name:
            break
    connection.check_constraints()
    referral.refresh_from_db()


def states(referral: Referral, round: int = 1) -> dict[str, str]:
    return dict(SilenceRung.objects.filter(referral=referral, round=round).values_list("rung", "state"))


def told(kind: str) -> set[str]:
    """Who was told: user names, and mailboxes."""
    rows = Notice.objects.filter(kind=kind).values_list("user__username", "address")
    return {name or address for name, address in rows}


ALL = dict.fromkeys(deadlines.RUNGS, "scheduled")


# -- made --------------------------------------------------------------------------------------------------------------


def test_sending_makes_a_row_a_rung_at_its_time(sent):
    assert states(sent) == ALL
    expected = deadlines.ladder(urgency=sent.urgency, agency=sent.agency, sent=sent.sent_at, due=sent.answer_due_at)
    rows = SilenceRung.objects.filter(referral=sent)
    assert {row.rung: row.due_at for row in rows} == expected
    assert all(row.due_at > sent.sent_at for row in rows)


def test_a_draft_has_none(make_referral):
    assert not SilenceRung.objects.filter(referral=make_referral("draft")).exists()


def test_the_database_holds_one_row_a_rung_and_a_fired_one_with_its_time(sent):
    rung = rung_of(sent, "nudge")
    again = SilenceRung(referral=sent, round=1, rung="nudge", due_at=rung.due_at)
    for wrong in (again.save, lambda: SilenceRung.objects.filter(pk=rung.pk).update(state="fired")):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()


def test_nothing_is_climbed_before_its_time(sent):
    with clock.at(rung_of(sent, "nudge").due_at - dt.timedelta(seconds=1)):
        assert silence.sweep() == 0
    assert states(sent) == ALL


# -- each rung ---------------------------------------------------------------------------------------------------------


def test_first_the_agency_is_nudged(sent, cast):
    cast.agency.mailbox = "box@example.com"
    cast.agency.save()
    climb_to(sent, "nudge")
    assert states(sent) == ALL | {"nudge": "fired"} and sent.state == "sent"
    assert told("referral.nudge") == {"frida", "box@example.com"}
    assert Event.objects.filter(case=sent.case_id, kind="referral.nudged", by=None).count() == 1
    row = LogEntry.objects.get(event="referral.nudged", case=sent.case_id)
    codes = {"rung": "nudge", "agency_id": cast.agency.pk, "of": rung_of(sent, "nudge").pk}
    assert (row.user, row.row, row.codes) == (None, str(sent.pk), codes)


def test_then_who_stands_in_there(sent, cast):
    deputy = User.objects.create(username="dep", role=Role.PARTNER, email="dep@example.com")
    AgencyMember.objects.create(user=deputy, agency=cast.agency, is_deputy=True)
    cast.agency.deputy_mailbox = "deputy@example.com"
    cast.agency.save()
    climb_to(sent, "deputy")
    assert told("referral.deputy") == {"dep", "deputy@example.com"}
    assert told("referral.nudge") == {"dep", "frida", cast.agency.mailbox}, (
        "the nudge before it; the others are not told again"
    )
    assert Notice.objects.filter(user=cast.partner, kind="referral.nudge").count() == 1


def test_a_deputy_who_is_switched_off_is_nobody(sent, cast):
    deputy = User.objects.create(username="dep", role=Role.PARTNER, email="dep@example.com", is_active=False)
    AgencyMember.objects.create(user=deputy, agency=cast.agency, is_deputy=True)
    climb_to(sent, "deputy")
    assert told("referral.deputy") == set()
    assert Notice.objects.filter(user=cast.partner, kind="referral.nudge").count() == 2, "everybody once more"


def test_an_agency_that_is_away_that_day_has_its_deputy_hear_at_once(sent, cast):
    deputy = User.objects.create(username="dep", role=Role.PARTNER, email="dep@example.com")
    AgencyMember.objects.create(user=deputy, agency=cast.agency, is_deputy=True)
    cast.agency.mailbox, cast.agency.deputy_mailbox = "box@example.com", "deputy@example.com"
    cast.agency.save()
    day = clock.local_date(rung_of(sent, "nudge").due_at)
    AgencyAbsence.objects.create(agency=cast.agency, first_day=day, last_day=day)
    climb_to(sent, "nudge")
    assert told("referral.deputy") == {"dep", "deputy@example.com"}
    assert told("referral.nudge") >= {"frida", "box@example.com"}


def test_what_is_sent_while_the_agency_is_away_goes_to_its_deputy_too(make_draft, cast, at):
    cast.agency.deputy_mailbox = "deputy@example.com"
    cast.agency.save()
    with at(MONDAY):
        AgencyAbsence.objects.create(agency=cast.agency, first_day=clock.today(), last_day=clock.today())
        actions.send(by=cast.caseworker, referral=make_draft())
    assert "deputy@example.com" in told("referral.sent")


def test_then_it_is_for_our_owner_to_call_them(sent, cast):
    climb_to(sent, "owner")
    steps = FollowUp.objects.planned().filter(about=str(sent.pk))
    assert [(step.kind, step.owner, step.kept_by, step.others_turn) for step in steps] == [
        ("call_agency", cast.caseworker, "referrals", False)
    ]
    assert steps[0].due_at == rung_of(sent, "manager").due_at
    assert told("referral.owner") == {"anna"}


def test_then_the_managers_hear_of_it(sent, cast):
    climb_to(sent, "manager")
    assert told("referral.manager") == {"cecilia"} and sent.state == "sent"


def test_at_last_it_is_taken_back(sent, cast):
    climb_to(sent, "expire")
    assert sent.state == "expired" and set(states(sent).values()) == {"fired"}
    step = FollowUp.objects.planned().get(about=str(sent.pk))
    assert (step.kind, step.owner) == ("choose_next", cast.caseworker)
    assert told("referral.expired") == {"anna", "frida", cast.agency.mailbox}
    events = Event.objects.filter(case=sent.case_id, kind__startswith="referral.").order_by("at", "pk")
    climbed = ["nudged", "nudged_again", "owner_told", "manager_told", "expired"]
    assert [event.kind.partition(".")[2] for event in events] == ["sent", *climbed]
    assert not Referral.objects.for_agency_of(cast.partner).exists()


def test_an_acute_one_at_night_wakes_us_by_the_clock(make_referral, cast, at):
    """The agency is closed: it hears nothing before the morning, and by then it is ours again."""
    with at("2026-11-27 22:00"):
        acute = make_referral("sent", case=None)
        Referral.objects.filter(pk=acute.pk).update(urgency="AKUT")
        SilenceRung.objects.filter(referral=acute).delete()
        acute.refresh_from_db()
        Referral.objects.filter(pk=acute.pk).update(answer_due_at=clock.now() + deadlines.ANSWER_ACUTE)
        silence.begin_missing()
    with at("2026-11-27 23:01"):
        silence.sweep()
        assert told("referral.owner") == {"anna"} and told("referral.nudge") == set()
        assert Notice.objects.get(kind="referral.owner").next_try_at is None, "acute: the mail goes at once"
    for moment in ("2026-11-28 00:01", "2026-11-28 01:01"):
        with at(moment):
            silence.sweep()
    acute.refresh_from_db()
    assert acute.state == "expired" and states(acute) == {
        **dict.fromkeys(["owner", "manager", "expire"], "fired"),
        **dict.fromkeys(["nudge", "deputy"], "cancelled"),
    }


# -- after an outage -----------------------------------------------------------------------------------------------------


def test_after_an_outage_there_is_time_to_call_before_it_is_taken_back(sent, cast, at):
    """Nobody looked for six days: the owner is told first, and the rungs above keep their distance."""
    with at("2026-12-01 10:00"):
        silence.sweep()
        assert silence.climb() == 0
    connection.check_constraints()
    sent.refresh_from_db()
    assert sent.state == "sent" and told("referral.owner") == {"anna"} and told("referral.manager") == set()
    assert states(sent) == ALL | dict.fromkeys(["nudge", "deputy", "owner"], "fired")
    with at("2026-12-02 09:00"):
        tomorrow = clock.now()
    with at("2026-12-03 09:00"):
        day_after = clock.now()
    assert (rung_of(sent, "manager").due_at, rung_of(sent, "expire").due_at) == (tomorrow, day_after)
    step = FollowUp.objects.planned().get(about=str(sent.pk))
    assert (step.kind, step.due_at) == ("call_agency", tomorrow), "until the managers hear of it"
    climb_to(sent, "manager")
    assert sent.state == "sent" and rung_of(sent, "expire").due_at == day_after, "put off once"
    climb_to(sent, "expire")
    assert sent.state == "expired"


def test_an_acute_one_keeps_its_minutes(make_draft, make_case, cast, at):
    with at(MONDAY):
        acute = actions.send(by=cast.caseworker, referral=make_draft(case=make_case(urgency="AKUT")))
    with at("2026-11-23 20:00"):
        silence.sweep()
        now = clock.now()
    manager, expire = rung_of(acute, "manager"), rung_of(acute, "expire")
    assert (manager.due_at, expire.due_at) == (now + dt.timedelta(hours=1), now + dt.timedelta(hours=2))


def test_while_the_owner_cannot_be_told_it_is_not_taken_back(sent, monkeypatch):
    with clock.at(rung_of(sent, "expire").due_at + dt.timedelta(days=1)):
        with monkeypatch.context() as patch:
            patch.setitem(silence.CLIMB, "owner", lambda *args: 1 / 0)
            silence.sweep()
        sent.refresh_from_db()
        assert sent.state == "sent" and states(sent)["manager"] == states(sent)["expire"] == "scheduled"
        silence.sweep()
        sent.refresh_from_db()
        assert sent.state == "sent" and states(sent)["owner"] == "fired"
    climb_to(sent, "expire")
    assert sent.state == "expired"


# -- what stops it -----------------------------------------------------------------------------------------------------

PHONE = {"who": "owner", "way": "phone"}
ANSWERS = {
    "accept": lambda cast, sent: actions.accept(by=cast.partner, referral=sent, handled_by="Frida"),
    "decline": lambda cast, sent: actions.decline(by=cast.partner, referral=sent, reason="no_capacity"),
    "ask": lambda cast, sent: actions.ask_question(by=cast.partner, referral=sent, text="How old?"),
    "accept by phone": lambda cast, sent: actions.accept(by=cast.caseworker, referral=sent, **PHONE),
    "decline by phone": lambda cast, sent: actions.decline(
        by=cast.caseworker, referral=sent, reason="no_capacity", **PHONE
    ),
    "ask by phone": lambda cast, sent: actions.ask_question(
        by=cast.caseworker, referral=sent, text="How old?", **PHONE
    ),
    "accept by link": lambda cast, sent: actions.accept(by=None, referral=sent, way="link"),
    "withdraw": lambda cast, sent: actions.withdraw(by=cast.caseworker, referral=sent, reason="changed_mind"),
}


@pytest.mark.parametrize("after", ["", "nudge", "deputy", "owner", "manager"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_any_answer_stops_it(answer, after, sent, cast):
    if after:
        climb_to(sent, after)
    fired = [rung for rung, state in states(sent).items() if state == "fired"]
    begun = rung_of(sent, after).due_at + dt.timedelta(minutes=1) if after else sent.sent_at + dt.timedelta(minutes=5)
    with clock.at(begun):
        ANSWERS[answer](cast, sent)
    connection.check_constraints()
    assert states(sent) == dict.fromkeys(deadlines.RUNGS, "cancelled") | dict.fromkeys(fired, "fired")
    steps = FollowUp.objects.planned().filter(about=str(sent.pk))
    assert len(steps) == 1 and steps[0].kind != "call_agency", "what we were to do about the silence is over"
    before = Event.objects.count()
    with clock.at(rung_of(sent, "expire").due_at + dt.timedelta(minutes=1)):
        silence.climb()
    assert Event.objects.count() == before


def test_to_open_it_is_no_answer(sent, cast):
    with clock.at(sent.sent_at + dt.timedelta(minutes=5)):
        actions.open_referral(by=cast.partner, referral=sent)
    assert states(sent) == ALL
    climb_to(sent, "expire")
    assert sent.state == "expired"


def test_our_answer_to_a_question_begins_a_new_round(sent, cast, at):
    climb_to(sent, "nudge")
    with at("2026-11-24 09:00"):
        actions.ask_question(by=cast.partner, referral=sent, text="How old?")
    with at("2026-11-24 15:00"):
        actions.answer_question(by=cast.caseworker, referral=sent, text="Fifteen.")
    assert states(sent, 1) == dict.fromkeys(deadlines.RUNGS, "cancelled") | {"nudge": "fired"}
    assert states(sent, 2) == ALL
    sent.refresh_from_db()
    for rung in SilenceRung.objects.filter(referral=sent, round=2, state="scheduled").order_by("due_at"):
        assert rung.due_at > clock.local_time(rung_of(sent, "nudge").due_at)
        with clock.at(rung.due_at):
            assert silence.climb() == 1
    sent.refresh_from_db()
    assert sent.state == "expired" and Notice.objects.filter(user=cast.partner, kind="referral.nudge").count() == 3


def test_an_answer_that_came_first_cancels_the_rung_that_is_held_already(sent, cast):
    """Written past the application: the rung is still scheduled, and nobody waits any more."""
    with clock.at(sent.sent_at + dt.timedelta(minutes=5)):
        actions.accept(by=cast.partner, referral=sent, handled_by="Frida")
    SilenceRung.objects.filter(referral=sent, rung="nudge").update(state="scheduled")
    with clock.at(rung_of(sent, "expire").due_at):
        assert silence.climb() == 0
    assert states(sent)["nudge"] == "cancelled" and told("referral.nudge") == set()


# -- somebody always hears of it ---------------------------------------------------------------------------------------


def test_an_owner_who_is_away_has_a_stand_in(sent, cast):
    day = clock.local_date(rung_of(sent, "owner").due_at)
    Absence.objects.create(user=cast.caseworker, deputy=cast.colleague, first_day=day, last_day=day)
    climb_to(sent, "owner")
    assert "bert" in told("referral.owner")


def test_an_owner_who_is_switched_off_has_the_managers(sent, cast):
    User.objects.filter(pk=cast.caseworker.pk).update(is_active=False)
    climb_to(sent, "owner")
    assert told("referral.owner") == {"cecilia"}
    assert FollowUp.objects.planned().filter(about=str(sent.pk), kind="call_agency").exists()


def test_a_unit_without_a_manager_has_whoever_is_there(sent, cast):
    User.objects.filter(pk=cast.manager.pk).update(is_active=False)
    climb_to(sent, "manager")
    assert told("referral.manager") == {"anna"}


def test_a_unit_without_anybody_still_has_rows_for_somebody(sent, cast):
    User.objects.filter(unit=cast.unit).update(is_active=False)
    climb_to(sent, "expire")
    assert sent.state == "expired"
    for kind in ("referral.owner", "referral.manager", "referral.expired"):
        assert told(kind), kind


def test_who_has_the_case_meanwhile_hears_of_it(sent, cast):
    with clock.at(sent.sent_at + dt.timedelta(minutes=5)):
        intake_actions.reassign_case(by=cast.manager, case=sent.case, to=cast.colleague, handover="Anna is on leave.")
    climb_to(sent, "owner")
    assert told("referral.owner") == {"bert"}
    assert FollowUp.objects.planned().get(about=str(sent.pk)).owner == cast.colleague


# -- nobody is woken for what can wait ---------------------------------------------------------------------------------


def test_the_mail_of_a_rung_that_is_climbed_late_waits_for_the_morning(sent, cast, at):
    """The server was down all evening: the rows are there at once, and the mail waits."""
    cast.agency.mailbox = "box@example.com"
    cast.agency.save()
    with at("2026-11-25 23:50"):
        silence.sweep()
        waits = {notice.kind: notice.next_try_at for notice in Notice.objects.exclude(kind="referral.sent")}
    said = {kind: clock.local_time(when).strftime("%d %H:%M") for kind, when in waits.items() if when}
    assert said == {"referral.nudge": "26 08:00", "referral.owner": "26 09:00"}


def test_a_mailbox_hears_within_its_own_hours(make_draft, cast, at):
    cast.agency.hours.all().delete()
    OpeningHours.objects.create(agency=cast.agency, weekday=1, opens=dt.time(9), closes=dt.time(12))
    with at(MONDAY):
        sent = actions.send(by=cast.caseworker, referral=make_draft())
    assert clock.local_time(sent.answer_due_at) == clock.local_time(rung_of(sent, "owner").due_at)
    for name in deadlines.TO_AGENCY:
        when = clock.local_time(rung_of(sent, name).due_at)
        assert when.weekday() == 1 and dt.time(9) <= when.time() < dt.time(12)
