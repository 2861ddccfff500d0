"""What an agency answers, and what it leaves on the case: send, open, accept, decline, ask, contact, complete, silence."""

import datetime as dt

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from helpline.people.notices import deliver_mail
from intake.models import Event
from referrals import actions
from referrals.actions.checks import missing_parts
from referrals.models import Referral
from tests.referrals.conftest import CARD, climb_all


def planned(referral, kind):
    return referral.case.steps.planned().get(kind=kind, about=str(referral.pk))


def test_sending_asks_for_an_answer_in_time_and_the_case_waits(make_draft, cast, at):
    with at("2026-11-23 10:00"):  # a Monday, and the matter is prompt: two working days
        sent = actions.send(by=cast.caseworker, referral=make_draft())
    connection.check_constraints()
    due = timezone.localtime(sent.answer_due_at)
    assert (sent.state, due.date(), due.hour) == ("sent", dt.date(2026, 11, 25), 12)
    step = planned(sent, "await_answer")
    assert (step.kept_by, step.due_at) == ("referrals", sent.answer_due_at)


def test_sending_tells_the_agency_and_its_mail_says_nothing(make_draft, cast, django_capture_on_commit_callbacks):
    actions.send(by=cast.caseworker, referral=make_draft())
    assert set(Notice.objects.filter(kind="referral.sent").values_list("user", "address")) == {
        (cast.partner.pk, ""),
        (None, cast.agency.mailbox),
    }
    deliver_mail()
    assert {address for message in mail.outbox for address in message.to} == {cast.partner.email, cast.agency.mailbox}
    for message in mail.outbox:
        text = message.subject + message.body
        assert not any(words in text for words in [*CARD.values(), "child", "barn", str(cast.caseworker)])


def test_sending_twice_sends_once(make_draft, cast):
    draft = make_draft()
    actions.send(by=cast.caseworker, referral=draft)
    with pytest.raises(TooLate):
        actions.send(by=cast.caseworker, referral=draft)
    assert draft.changes.count() == 1
    assert Notice.objects.filter(kind="referral.sent", user=cast.partner).count() == 1


@pytest.mark.parametrize(
    "lacking, words",
    [
        ({"ask": ""}, "asked to do"),
        ({"happened": " "}, "what has happened"),
        ({"ground": ""}, "legal ground"),
        ({"ground": "CARE_U18", "ground_reason": ""}, "Write why"),
        ({"ground": "CONSENT"}, "consent"),  # the guardian's consent is not the caller's own
        ({"age_band": "18-19"}, "legal ground"),  # no guardian decides for an adult
    ],
)
def test_a_draft_that_lacks_something_is_not_sent(make_draft, cast, lacking, words):
    draft = actions.save_draft(by=cast.caseworker, referral=make_draft(), words=lacking, approved=True)
    with pytest.raises(Refused, match=words):
        actions.send(by=cast.caseworker, referral=draft)
    draft.refresh_from_db()
    assert draft.state == "draft"
    assert not Notice.objects.filter(kind="referral.sent").exists()


def test_a_consent_that_has_run_out_sends_nothing(make_draft, cast):
    draft = make_draft()
    with clock.at(clock.now() + dt.timedelta(days=31)), pytest.raises(Refused, match="consent"):
        actions.send(by=cast.caseworker, referral=draft)


def test_an_unapproved_text_is_not_sent_on_a_consent(make_draft, cast):
    draft = actions.save_draft(by=cast.caseworker, referral=make_draft(), words={"fears": "Something new."})
    assert any("Read the text aloud" in part for part in missing_parts(draft))


def test_an_agency_that_is_switched_off_gets_nothing(make_draft, cast):
    draft = make_draft()
    cast.agency.is_active = False
    cast.agency.save()
    with pytest.raises(Refused, match="no longer"):
        actions.send(by=cast.caseworker, referral=draft)


@pytest.mark.parametrize(
    "slip",
    [{"name": "Maria"}, {"phone": "070 123"}, {"happened": "Maria's son."}, {"wants": "Call 070-123 45 67."}],
)
def test_without_identity_no_name_and_no_number_leaves(make_draft, make_case, cast, slip):
    case = make_case(track="B", identity="named", caller_name="Maria Ek", phone="070-765 43 21")
    clean = make_draft(case=case, ground="DEIDENT", safe_contact="")
    assert missing_parts(clean) == []
    slipped = actions.save_draft(by=cast.caseworker, referral=clean, words=slip)
    with pytest.raises(Refused):
        actions.send(by=cast.caseworker, referral=slipped)


def test_opening_is_seen_once_and_tells_nobody(make_referral, cast):
    sent = make_referral("sent")
    notices = Notice.objects.count()
    for _ in range(2):
        assert actions.open_referral(by=cast.partner, referral=sent).state == "opened"
    connection.check_constraints()
    assert sent.changes.filter(move="open").count() == 1
    assert Notice.objects.count() == notices
    assert planned(sent, "await_answer")


def test_accepting_tells_the_owner_and_the_case_waits_for_contact(make_referral, cast):
    sent = make_referral("opened")
    by = clock.now() + dt.timedelta(hours=5)
    accepted = actions.accept(by=cast.partner, referral=sent, handled_by=" Frida ", contact_by=by)
    connection.check_constraints()
    accepted.refresh_from_db()
    assert (accepted.state, accepted.handled_by, accepted.contact_due_at) == ("accepted", "Frida", by)
    assert planned(sent, "await_contact").due_at == by
    assert not sent.case.steps.planned().filter(kind="await_answer").exists()
    assert Notice.objects.filter(user=cast.caseworker, kind="referral.accepted").count() == 1


def test_contact_is_not_promised_for_the_past(make_referral, cast):
    sent = make_referral("opened")
    with pytest.raises(Refused):
        actions.accept(by=cast.partner, referral=sent, contact_by=clock.now() - dt.timedelta(minutes=1))
    sent.refresh_from_db()
    assert sent.state == "opened"


def test_the_second_answer_is_told_who_was_first(make_referral, cast):
    accepted = make_referral("accepted")
    with pytest.raises(TooLate, match="Frida was first"):
        actions.decline(by=cast.partner, referral=accepted, reason="other")


def test_a_decline_comes_back_to_the_owner_with_its_reason(make_referral, cast, at):
    sent = make_referral("opened")
    with at("2026-11-27 15:00"):  # a Friday
        actions.decline(by=cast.partner, referral=sent, reason="wrong_age", text="We take younger ones.")
    connection.check_constraints()
    step = planned(sent, "choose_next")
    assert (step.owner, step.kept_by) == (cast.caseworker, "")
    assert timezone.localtime(step.due_at).date() == dt.date(2026, 11, 30)
    change = sent.changes.get(move="decline")
    assert (change.reason, change.text) == ("wrong_age", "We take younger ones.")
    event = Event.objects.get(kind="referral.declined")
    assert (event.codes["reason"], event.text) == ("wrong_age", "We take younger ones.")


def test_a_decline_needs_a_reason_of_the_list(make_referral, cast):
    with pytest.raises(Refused):
        actions.decline(by=cast.partner, referral=make_referral("opened"), reason="")


def test_a_question_stops_their_time_and_begins_ours(make_referral, cast, at):
    sent = make_referral("opened")
    asked = actions.ask_question(by=cast.partner, referral=sent, text="How old?")
    connection.check_constraints()
    assert planned(asked, "answer_question").kept_by == "referrals"
    with clock.at(sent.answer_due_at + dt.timedelta(days=5)):
        actions.sweep()
    asked.refresh_from_db()
    assert asked.state == "question"
    assert set(asked.rungs.values_list("state", flat=True)) == {"cancelled"}


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_question_or_answer_is_none(make_referral, cast, text):
    with pytest.raises(Refused):
        actions.ask_question(by=cast.partner, referral=make_referral("opened"), text=text)
    with pytest.raises(Refused):
        actions.answer_question(by=cast.caseworker, referral=make_referral("question"), text=text)


def test_our_answer_gives_them_a_new_time(make_referral, cast, at):
    asked = make_referral("question")
    later = asked.answer_due_at + dt.timedelta(days=2)
    with clock.at(later):
        answered = actions.answer_question(by=cast.caseworker, referral=asked, text="Sixteen.")
    connection.check_constraints()
    assert (answered.state, answered.answer_due_at > later) == ("opened", True)
    assert planned(asked, "await_answer").due_at == answered.answer_due_at
    assert Notice.objects.filter(user=cast.partner, kind="referral.answered").exists()


def test_after_contact_it_is_the_caller_who_is_asked(make_referral, cast, at):
    accepted = make_referral("accepted")
    with at("2026-11-23 10:00"):
        actions.contact_made(by=cast.partner, referral=accepted, text="Met him.")
    connection.check_constraints()
    step = planned(accepted, "confirm_contact")
    days = (timezone.localtime(step.due_at).date() - dt.date(2026, 11, 23)).days
    assert (step.kept_by, 3 <= days <= 7) == ("asking", True)


def test_completing_leaves_the_question_to_the_caller(make_referral, cast):
    done = make_referral("completed")
    connection.check_constraints()
    assert done.ended_at is not None
    assert planned(done, "confirm_contact")


def test_silence_comes_back_once_and_only_after_its_last_rung(make_referral, cast):
    sent = make_referral("sent")
    last = sent.rungs.get(rung="expire").due_at
    with clock.at(last - dt.timedelta(minutes=1)):
        actions.sweep()
        sent.refresh_from_db()
        assert sent.state == "sent" and planned(sent, "call_agency").owner == cast.caseworker
    climb_all(sent)
    with clock.at(last + dt.timedelta(days=7)):
        actions.sweep()
    connection.check_constraints()
    sent.refresh_from_db()
    assert sent.state == "expired"
    assert planned(sent, "choose_next").owner == cast.caseworker
    assert not sent.case.steps.planned().filter(kind="call_agency").exists()
    assert LogEntry.objects.get(event="referral.expired").user is None


def test_what_is_taken_back_is_told_to_the_agency(make_referral, cast):
    sent = make_referral("sent")
    actions.withdraw(by=cast.caseworker, referral=sent, reason="other", text="The family has moved.")
    connection.check_constraints()
    assert Notice.objects.filter(user=cast.partner, kind="referral.withdrawn").exists()
    assert not Referral.objects.for_agency_of(cast.partner).exists()


def test_a_partner_that_is_switched_off_is_not_told_and_does_not_stop_it(make_draft, cast):
    cast.partner.is_active = False
    cast.partner.save()
    sent = actions.send(by=cast.caseworker, referral=make_draft())
    assert not Notice.objects.filter(user=cast.partner).exists()
    climb_all(sent)
    sent.refresh_from_db()
    assert sent.state == "expired"
    assert not Notice.objects.filter(user=cast.partner).exists()


def test_a_kept_step_is_ended_by_its_referral_alone(make_referral, cast):
    from intake.actions import finish_step

    with pytest.raises(Refused):
        finish_step(by=cast.caseworker, step=planned(make_referral("sent"), "await_answer"), close="needs_met")


def test_sending_to_another_does_the_step_that_the_first_no_left(make_draft, cast):
    declined = actions.send(by=cast.caseworker, referral=make_draft())
    actions.decline(by=cast.partner, referral=declined, reason="no_capacity")
    step = planned(declined, "choose_next")
    other = make_draft(case=declined.case, agency=cast.other_agency, need="exit_support")
    actions.send(by=cast.caseworker, referral=other)
    step.refresh_from_db()
    assert step.state == "planned"  # another need: the first one still waits for somebody
    again = make_draft(case=declined.case, agency=cast.agency, need=declined.need)
    actions.send(by=cast.caseworker, referral=again)
    connection.check_constraints()
    step.refresh_from_db()
    assert step.state == "done" and step.ended_by == cast.caseworker


PHONE = {"who": "owner", "way": "phone"}


@pytest.mark.parametrize("state", ["sent", "opened", "question"])
def test_an_answer_by_phone_is_an_answer_and_stops_the_ladder(make_referral, cast, state):
    told = make_referral(state)
    actions.accept(by=cast.caseworker, referral=told, handled_by="Frida", text="She rang.", **PHONE)
    connection.check_constraints()
    change = told.changes.get(move="accept")
    assert (change.way, change.by, change.text) == ("phone", cast.caseworker, "She rang.")
    assert set(told.rungs.values_list("state", flat=True)) == {"cancelled"}
    assert planned(told, "await_contact")
    assert Event.objects.get(kind="referral.accepted").codes["way"] == "phone"


def test_what_the_owner_writes_down_is_not_told_to_the_owner(make_referral, cast):
    told = make_referral("sent")
    actions.decline(by=cast.caseworker, referral=told, reason="no_capacity", **PHONE)
    assert not Notice.objects.filter(user=cast.caseworker, kind="referral.declined").exists()


def test_a_page_that_has_become_old_answers_nothing(make_referral, cast):
    sent = make_referral("sent")
    seen = str(sent.changes.get().pk)
    actions.open_referral(by=cast.partner, referral=sent)
    with pytest.raises(TooLate, match="Frida was first"):
        actions.accept(by=cast.caseworker, referral=sent, seen=seen, **PHONE)
    sent.refresh_from_db()
    assert sent.state == "opened"
