"""What an agency says of the quality of our handover: once, and we must answer before the case can be closed."""

import datetime as dt

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from intake import actions as intake
from intake import triage
from intake.models import Case, Event
from referrals import actions
from referrals.actions.comments import answer_comment, comment
from referrals.models import QualityComment, Referral
from referrals.states import SEEN_BY_AGENCY, STATES
from tests.referrals.test_portal import WHY, drawn, page

WORDS = "The age was missing."
CLOSED = triage.codes("closing_reasons")[0]


def step_of(made):
    return made.referral.case.steps.planned().filter(kind="answer_comment", about=str(made.pk))


def test_a_comment_leaves_a_step_that_only_the_answer_ends(client_of, cast, make_referral, at):
    with at("2026-11-20 10:00"):  # a Friday
        referral = make_referral("accepted")
        Notice.objects.all().delete()
        client = client_of(cast.partner)
        assert client.post(page(referral, "comment"), {"text": WORDS}).status_code == 302
        connection.check_constraints()
        made = referral.comments.get()
        assert (made.by, made.text) == (cast.partner, WORDS)
        step = step_of(made).get()
        assert (step.owner, clock.local_date(step.due_at)) == (cast.caseworker, dt.date(2026, 11, 25))
        with pytest.raises(Refused, match="ends when the agency's comment is answered"):
            intake.finish_step(by=cast.caseworker, step=step, outcome="Read.")
        assert [notice.user for notice in Notice.objects.filter(kind="referral.commented")] == [cast.caseworker]
        assert Event.objects.get(case=referral.case_id, kind="referral.commented").text == WORDS
        [row] = LogEntry.objects.filter(event="referral.commented", case=referral.case_id)
        assert (row.user, WORDS in str(row.codes)) == (cast.partner, False)
        html = client.get(page(referral)).content.decode()
        assert WORDS in html and "We must answer." in html


def test_one_a_handover(client_of, cast, make_referral):
    referral = make_referral("accepted")
    client = client_of(cast.partner)
    for _ in range(2):  # the same press
        assert client.post(page(referral, "comment"), {"text": WORDS}).status_code == 302
    answer = client.post(page(referral, "comment"), {"text": "And it was long."})
    assert answer.status_code == 409 and "And it was long." in answer.content.decode()
    connection.check_constraints()
    made = referral.comments.get()
    assert step_of(made).count() == 1
    assert f'action="{page(referral, "comment")}"' not in client.get(page(referral)).content.decode()


@pytest.mark.parametrize("state", STATES)
def test_by_the_agency_that_has_it_alone(client_of, cast, make_referral, state):
    referral = make_referral(state)
    client = client_of(cast.partner)
    assert client.get(page(referral, "comment")).status_code == 405
    assert client_of(cast.other_partner).post(page(referral, "comment"), {"text": WORDS}).status_code == 404
    for name in ("caseworker", "manager", "keeper"):
        assert client_of(cast.everybody()[name]).post(page(referral, "comment"), {"text": WORDS}).status_code == 403
    client.post(page(referral, "comment"), {"text": WORDS})
    assert referral.comments.exists() is (state in SEEN_BY_AGENCY)


@pytest.mark.parametrize("act, state", [("decline", "opened"), ("return", "accepted")])
def test_a_no_may_say_it_in_the_same_breath(client_of, cast, make_referral, act, state):
    referral = make_referral(state)
    client = client_of(cast.partner)
    data = {**WHY, "comment_text": WORDS, "seen": drawn(client, referral, act)}
    assert client.post(page(referral, act), data).status_code == 302
    connection.check_constraints()
    made = referral.comments.get()
    assert made.text == WORDS and step_of(made).exists()
    assert referral.case.steps.planned().filter(kind="choose_next", about=str(referral.pk)).exists()


def test_a_no_that_is_refused_leaves_no_comment_and_loses_no_word(client_of, cast, make_referral):
    referral = make_referral("opened")
    client = client_of(cast.partner)
    answer = client.post(page(referral, "decline"), {**WHY, "reason": "", "comment_text": WORDS})
    assert answer.status_code == 422 and WORDS in answer.content.decode()
    seen = drawn(client, referral, "decline")
    comment(by=cast.partner, referral=referral, text="Somebody else's.")
    answer = client.post(page(referral, "decline"), {**WHY, "comment_text": WORDS, "seen": seen})
    referral.refresh_from_db()
    assert (answer.status_code, referral.state) == (409, "opened")
    assert WORDS in answer.content.decode() and "Too young." in answer.content.decode()
    assert referral.comments.get().text == "Somebody else's."


def test_the_case_is_not_closed_while_it_waits(cast, make_referral):
    referral = make_referral("accepted")
    made = comment(by=cast.partner, referral=referral, text=WORDS)
    actions.contact_made(by=cast.partner, referral=referral)
    actions.complete(by=cast.partner, referral=referral)
    actions.caller_says(by=cast.caseworker, referral=referral, answer="enough")

    case = Case.objects.select_related("key", "owner").get(pk=referral.case_id)
    waiting = case.steps.planned().select_related("case__key")
    for step in waiting.filter(kept_by=""):
        intake.finish_step(by=cast.caseworker, step=step)
    assert [step.kind for step in waiting] == ["answer_comment"]
    with pytest.raises(Refused, match="cannot be closed while a step waits"):
        intake.close_case(by=cast.caseworker, case=case, reason=CLOSED)
    answer_comment(by=cast.caseworker, comment=made, text="You are right.")
    connection.check_constraints()
    [step] = waiting.all()
    intake.finish_step(by=cast.caseworker, step=step, close=CLOSED)
    connection.check_constraints()
    assert not Case.objects.get(pk=case.pk).is_open


def test_the_answer_reaches_the_agency(client_of, cast, make_referral):
    referral = make_referral("accepted")
    made = comment(by=cast.partner, referral=referral, text=WORDS)
    Notice.objects.all().delete()
    answer_comment(by=cast.caseworker, comment=made, text="You are right.")
    connection.check_constraints()
    assert cast.partner in [notice.user for notice in Notice.objects.filter(kind="referral.comment_answered")]
    assert "You are right." in client_of(cast.partner).get(page(referral)).content.decode()
    assert LogEntry.objects.filter(event="referral.comment_answered", case=referral.case_id).count() == 1
    with pytest.raises(TooLate, match="Anna has already answered"):
        answer_comment(by=cast.colleague, comment=made, text="No.")
    assert QualityComment.objects.get().answer == "You are right."


def test_the_only_step_answered_leaves_another(cast, make_referral):
    """No open case is without a next step, also where the comment was all that waited."""
    referral = make_referral("declined")
    referral = Referral.objects.get(pk=referral.pk)
    made = QualityComment.objects.create(referral=referral, by=cast.partner, text=WORDS)
    intake.plan_step(
        by=None, case=referral.case, kind="answer_comment", due_at=clock.now(), kept_by="comments", about=str(made.pk),
        agency="X",
    )  # fmt: skip
    for step in referral.case.steps.planned().filter(kept_by="").select_related("case__key"):
        intake.finish_step(by=cast.caseworker, step=step, outcome="She wants nobody else.")
    answer_comment(by=cast.caseworker, comment=made, text="You are right.")
    connection.check_constraints()
    assert list(referral.case.steps.planned().values_list("kind", flat=True)) == ["decide_next"]


def test_after_it_has_left_them_the_answer_is_read_until_the_access_ends(client_of, cast, make_referral, at):
    with at("2026-11-23 10:00"):
        referral = make_referral("opened")
        comment(by=cast.partner, referral=referral, text=WORDS)
        actions.decline(by=cast.partner, referral=referral, reason="conflict")
        client = client_of(cast.partner)
        assert client.get(page(referral)).status_code == 404  # nothing to read yet
        answer_comment(by=cast.caseworker, comment=referral.comments.get(), text="You are right.")
        html = client.get(page(referral)).content.decode()
        assert "You are right." in html and WORDS in html and "Meet the family this week." not in html
        inbox = client.get("/portal/").content.decode()
        assert page(referral) in inbox and "You are right." not in inbox
        assert client_of(cast.other_partner).get(page(referral)).status_code == 404
        last = Referral.objects.get(pk=referral.pk).access_until
    with at(f"{last + dt.timedelta(days=1)} 09:00"):
        client = client_of(cast.partner)
        assert client.get(page(referral)).status_code == 404
        assert page(referral) not in client.get("/portal/").content.decode()


def test_what_was_taken_back_shows_no_answer(client_of, cast, make_referral):
    referral = make_referral("accepted")
    made = comment(by=cast.partner, referral=referral, text=WORDS)
    actions.withdraw(by=cast.caseworker, referral=referral, reason="changed_mind")
    answer_comment(by=cast.caseworker, comment=made, text="You are right.")
    client = client_of(cast.partner)
    assert "You are right." not in client.get(page(referral)).content.decode()
    actions.confirm_withdrawal(by=cast.partner, referral=referral)
    assert client.get(page(referral)).status_code == 404


def test_the_answer_points_at_nobody_when_they_no_longer_have_it(cast, make_draft, make_case):
    case = make_case(track="B", caller_name="Greta Svensson", phone="0701234567")
    sent = actions.send(by=cast.caseworker, referral=make_draft(case=case))
    made = comment(by=cast.partner, referral=sent, text=WORDS)
    actions.decline(by=cast.partner, referral=sent, reason="conflict")
    with pytest.raises(Refused, match="names a person"):
        answer_comment(by=cast.caseworker, comment=made, text="Greta did not want to say.")
    Case.objects.filter(pk=case.pk).update(protection="secrecy_marking")
    with pytest.raises(Refused, match="address"):
        answer_comment(by=cast.caseworker, comment=made, text="It was Storgatan 12, 541 30 Skövde.")
    assert QualityComment.objects.get().answered_at is None


@pytest.mark.parametrize("words", ["", " "])
def test_without_words_it_is_refused(cast, make_referral, words):
    referral = make_referral("accepted")
    with pytest.raises(Refused):
        comment(by=cast.partner, referral=referral, text=words)
    made = comment(by=cast.partner, referral=referral, text=WORDS)
    with pytest.raises(Refused):
        answer_comment(by=cast.caseworker, comment=made, text=words)
