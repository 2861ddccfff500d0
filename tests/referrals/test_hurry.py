"""A case becomes more urgent: what was handed over before follows it, once, and everybody concerned is told."""

import datetime as dt

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.models import LogEntry, Notice
from intake.models import Case, Event, FollowUp
from referrals import actions, deadlines
from referrals.actions import silence
from referrals.models import Referral, SilenceRung


@pytest.fixture(autouse=True)
def a_monday(at):
    with at("2026-11-23 10:00"):
        yield


def raise_case(referral: Referral, urgency: str = "AKUT") -> None:
    Case.objects.filter(pk=referral.case_id).update(urgency=urgency)


def step(referral: Referral) -> FollowUp:
    return FollowUp.objects.planned().get(about=str(referral.pk))


@pytest.mark.parametrize("state", ["sent", "opened"])
def test_what_waits_is_to_be_answered_sooner(state, cast, make_referral):
    sent = make_referral(state)
    before = sent.answer_due_at
    raise_case(sent)
    Notice.objects.all().delete()
    assert [actions.sweep(), actions.sweep()] == [1, 0]
    connection.check_constraints()
    sent.refresh_from_db()
    soon = clock.now() + deadlines.ANSWER_ACUTE
    assert (sent.state, sent.urgency, sent.answer_due_at) == (state, "AKUT", soon) and soon < before
    assert (step(sent).kind, step(sent).due_at, step(sent).others_turn) == ("await_answer", soon, True)
    rungs = SilenceRung.objects.filter(referral=sent)
    assert set(rungs.filter(round=1).values_list("state", flat=True)) == {"cancelled"}
    assert rungs.get(round=2, rung="owner").due_at == clock.now() + dt.timedelta(hours=1)
    told = Notice.objects.filter(kind="referral.hurried")
    assert {notice.user or notice.address for notice in told} >= {cast.caseworker, cast.partner}
    assert Event.objects.filter(case=sent.case_id, kind="referral.hurried", codes__urgency="AKUT").count() == 1
    assert LogEntry.objects.filter(event="referral.hurried", row=str(sent.pk), user=None).count() == 1


def test_what_is_ours_to_do_about_it_stays_ours(cast, make_referral):
    """We were to call them, or to answer them: that comes sooner too, and is not theirs again."""
    asked, silent = make_referral("question"), make_referral("sent")
    with clock.at(SilenceRung.objects.get(referral=silent, rung="owner").due_at):
        actions.sweep()
        for referral, kind in ((asked, "answer_question"), (silent, "call_agency")):
            raise_case(referral)
            actions.sweep()
            now = FollowUp.objects.planned().get(about=str(referral.pk))
            assert (now.kind, now.others_turn, now.owner) == (kind, False, cast.caseworker)
            assert now.due_at <= clock.now() + dt.timedelta(hours=1)
    asked.refresh_from_db()
    assert (asked.state, asked.urgency) == ("question", "AKUT")


def test_of_what_is_taken_on_both_sides_are_told(cast, make_referral):
    held = make_referral("accepted")
    raise_case(held, "BRADSKANDE")
    Notice.objects.all().delete()
    assert [silence.hurry(), silence.hurry()] == [1, 0]
    connection.check_constraints()
    held.refresh_from_db()
    assert (held.state, held.urgency, step(held).kind) == ("accepted", "BRADSKANDE", "await_contact")
    users = Notice.objects.filter(kind="referral.hurried").values_list("user", flat=True)
    assert {cast.caseworker.pk, cast.partner.pk} <= set(users)


@pytest.mark.parametrize("state, urgency", [("sent", "NORMAL"), ("contact_made", "AKUT"), ("declined", "AKUT")])
def test_less_urgent_or_over_changes_nothing(state, urgency, make_referral):
    referral = make_referral(state)
    raise_case(referral, urgency)
    assert silence.hurry() == 0
