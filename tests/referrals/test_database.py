"""What must never be in the tables is refused by the database itself: whoever writes it, the owner of the tables in psql too."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError, InternalError, ProgrammingError

from helpline.people import clock
from intake.actions.bounces import record_bounce
from intake.models import Bounce, Case
from referrals import actions
from referrals.models import AskedAgain, CallerAnswer, Disclosure, Message, Referral, SilenceRung, StateChange
from referrals.states import MOVES, STATES
from tests.referrals.conftest import past_the_application

pytestmark = pytest.mark.django_db
WRITERS = ["the application", "the owner in psql"]


@pytest.fixture(params=WRITERS)
def sql(request):
    """Run SQL as this one; what was refused is given back, so that the test goes on."""
    owner = request.param == WRITERS[1]

    def run(text: str, *values, at_commit: bool = False) -> int:
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
        ):  # a role that was set here goes with what is given back
            cursor.execute("SET LOCAL ROLE NONE" if owner else f"SET LOCAL ROLE {settings.APP_ROLE}")
            cursor.execute(text, values)
            count = cursor.rowcount
            if at_commit:
                connection.check_constraints()
            cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
        return count

    run.owner = owner
    return run


@contextmanager
def refused(by: str) -> Iterator[None]:
    """By this constraint or trigger, and by no other fault."""
    with pytest.raises(IntegrityError, match=by), transaction.atomic():
        yield


def state_of(referral: Referral) -> str:
    return Referral.objects.values_list("state", flat=True).get(pk=referral.pk)


SET_STATE = "UPDATE referrals_referral SET state = %s WHERE id = %s"
ADD_CHANGE = """
    INSERT INTO referrals_statechange (id, referral_id, at, move, source, target, reason, text, way)
    VALUES (gen_random_uuid(), %s, now(), %s, %s, %s, '', '', '')
"""


# -- one leading handover of a need -----------------------------------------------------------------------------------


def alongside(make_referral, cast, first: Referral, leads: bool = False) -> Referral:
    """A second one of the same need, sent to another agency."""
    draft = actions.draft_referral(by=cast.caseworker, case=first.case, agency=cast.other_agency, need=first.need)
    words = {"ask": "Meet.", "happened": "Much.", "ground": "CONSENT"}
    consent = {"form": "spoken", "valid_until": clock.today() + dt.timedelta(days=30)}
    actions.save_draft(by=cast.caseworker, referral=draft, words=words, approved=True, consent=consent, leads=False)
    return actions.send(by=cast.caseworker, referral=draft)


def test_two_leading_that_are_taken_on_are_refused(sql, make_referral, cast):
    first = make_referral("accepted")
    second = alongside(make_referral, cast, first)
    sql("UPDATE referrals_referral SET leads = true WHERE id = %s", second.pk)
    for state in ("accepted", "contact_booked", "on_hold", "contact_made"):
        with refused("one_leading_handover_of_a_need|no move leads"):
            sql(SET_STATE, state, second.pk)
    with refused("one_leading_handover_of_a_need"):
        sql(SET_STATE, "accepted", second.pk)
    assert (state_of(first), state_of(second)) == ("accepted", "sent")


def test_one_that_stands_alongside_does_not_come_to_lead_while_another_does(sql, make_referral, cast):
    first = make_referral("contact_made")
    second = alongside(make_referral, cast, first)
    actions.accept(by=cast.other_partner, referral=second)
    with refused("one_leading_handover_of_a_need"):
        sql("UPDATE referrals_referral SET leads = true WHERE id = %s", second.pk)


def test_others_may_stand_alongside_and_another_may_lead_when_the_first_has_ended(make_referral, cast):
    first = make_referral("accepted")
    second = alongside(make_referral, cast, first)
    assert actions.accept(by=cast.other_partner, referral=second).state == "accepted"
    actions.return_referral(by=cast.partner, referral=first, reason="no_capacity")
    Referral.objects.filter(pk=second.pk).update(leads=True)
    connection.check_constraints()


# -- two answers to one -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["accept", "decline"])
@pytest.mark.parametrize("second", ["accept", "decline"])
def test_two_answers_to_one_handover_are_refused(sql, make_referral, cast, first, second):
    referral = make_referral({"accept": "accepted", "decline": "declined"}[first])
    with refused("one_answer_a_referral"):
        sql(ADD_CHANGE, referral.pk, second, "sent", MOVES[second].target)


def test_an_answer_that_was_given_is_not_turned(sql, make_referral):
    for is_now, other in (("accepted", "declined"), ("declined", "accepted")):
        referral = make_referral(is_now)
        with refused("no move leads to this state"):
            sql(SET_STATE, other, referral.pk)
        assert state_of(referral) == is_now


# -- a ground ---------------------------------------------------------------------------------------------------------


def test_a_sent_handover_without_a_ground_is_refused(sql, make_draft, make_referral):
    draft = make_draft()
    with refused("sent_has_a_ground"):
        sql(
            "UPDATE referrals_referral SET state = 'sent', ground = '', sent_at = now(), answer_due_at = now() WHERE id = %s",
            draft.pk,
        )
    for state in ("sent", "accepted", "declined"):
        with refused("sent_has_a_ground"):
            sql("UPDATE referrals_referral SET ground = '' WHERE id = %s", make_referral(state).pk)


def test_one_without_a_time_of_sending_or_of_answering_too(sql, make_draft):
    draft = make_draft()
    for lacks in ("sent_at = now(), answer_due_at = NULL", "sent_at = NULL, answer_due_at = now()"):
        with refused("sent_has_a_ground"):
            sql(f"UPDATE referrals_referral SET state = 'sent', {lacks} WHERE id = %s", draft.pk)


@pytest.mark.parametrize("ground", ["CONSENT", "CONSENT_GUARDIAN"])
def test_consent_as_the_ground_without_a_consent_is_refused(sql, make_draft, make_referral, ground):
    text = "UPDATE referrals_referral SET state = 'sent', sent_at = now(), answer_due_at = now(), consent_id = NULL, ground = %s"
    with refused("consent_ground_has_one"):
        sql(text + " WHERE id = %s", ground, make_draft().pk)
    with refused("consent_ground_has_one"):
        sql("UPDATE referrals_referral SET consent_id = NULL WHERE id = %s", make_referral("accepted").pk)


# -- states -----------------------------------------------------------------------------------------------------------


def test_it_is_of_the_unit_of_its_case_and_follows_it(make_referral, cast):
    moved, stays = make_referral("sent"), make_referral("declined")
    assert {moved.unit, stays.unit} == {cast.unit} == {moved.case.unit}
    Case.objects.filter(pk=moved.case_id).update(unit=cast.stranger.unit)
    assert list(Referral.objects.visible_to(cast.manager)) == [stays]
    assert list(Referral.objects.visible_to(cast.stranger)) == [moved]


def test_it_is_of_no_other_unit_than_its_case(sql, make_referral, cast):
    referral = make_referral("sent")
    sql("UPDATE referrals_referral SET unit_id = %s WHERE id = %s", cast.stranger.unit_id, referral.pk)
    referral.refresh_from_db()
    assert referral.unit == cast.unit


def test_from_no_state_to_any_but_by_a_move(sql, make_referral):
    """Each of the 196 pairs."""
    moves = {(source, move.target) for move in MOVES.values() for source in move.sources}
    whole = (
        "contact_at = now(), contact_kind = 'alone', hold_until = now()::date, sent_at = now(), answer_due_at = now()"
    )
    for state in STATES:
        referral = make_referral(state)
        for target in STATES:
            point = transaction.savepoint()
            text = f"UPDATE referrals_referral SET state = %s, {whole} WHERE id = %s"
            if target == state or (state, target) in moves:
                assert sql(text, target, referral.pk) == 1
            else:
                with refused("no move leads to this state"):
                    sql(text, target, referral.pk)
            transaction.savepoint_rollback(point)


def test_no_state_that_there_is_not(sql, make_draft):
    with refused("known_state|no move leads"):
        sql(SET_STATE, "lost", make_draft().pk)


@pytest.mark.parametrize("state", [state for state in STATES if state != "draft"])
def test_none_is_born_as_anything_but_a_draft(sql, make_referral, state):
    referral = make_referral("sent")
    columns = ", ".join(
        f'"{field.column}"' for field in Referral._meta.local_concrete_fields if field.column not in ("id", "state")
    )
    with refused("no move leads to this state"):
        sql(
            f"INSERT INTO referrals_referral (id, state, {columns}) SELECT gen_random_uuid(), %s, {columns}"
            " FROM referrals_referral WHERE id = %s",
            state,
            referral.pk,
        )


def test_a_state_without_its_change_does_not_stand(sql, make_referral):
    """The list shows the state, the history shows the changes: they are never two stories."""
    referral = make_referral("sent")
    with refused("its changes do not lead to its state"):
        sql(SET_STATE, "accepted", referral.pk, at_commit=True)
    assert state_of(referral) == "sent"


def test_a_change_without_its_state_does_not_stand(sql, make_referral):
    referral = make_referral("sent")
    with refused("its changes do not lead to its state"):
        sql(ADD_CHANGE, referral.pk, "accept", "sent", "accepted", at_commit=True)
    assert referral.changes.count() == 1


@pytest.mark.parametrize("state", STATES)
def test_what_the_actions_write_stands(make_referral, state):
    make_referral(state)
    connection.check_constraints()


def test_both_written_together_stand_in_any_order(make_referral):
    referral = make_referral("sent")
    past_the_application(referral, "ask", "answer", "ask", "accept", "miss", "miss")
    connection.check_constraints()
    assert state_of(referral) == "accepted"


def test_booked_without_a_time_and_held_without_a_day_are_refused(sql, make_referral):
    referral = make_referral("accepted")
    with refused("booked_has_a_time"):
        sql(SET_STATE, "contact_booked", referral.pk)
    with refused("booked_has_a_time"):
        sql("UPDATE referrals_referral SET contact_at = NULL WHERE id = %s", make_referral("contact_booked").pk)
    with refused("held_until_a_date"):
        sql(SET_STATE, "on_hold", referral.pk)
    with refused("held_until_a_date"):
        sql("UPDATE referrals_referral SET hold_until = NULL WHERE id = %s", make_referral("on_hold").pk)


# -- what is never changed, and what is there once ------------------------------------------------------------------------


@pytest.fixture
def written(make_referral, cast):
    """A row of each table that is only added to."""
    referral = make_referral("contact_made")
    by = {"by": cast.caseworker}
    CallerAnswer.objects.create(referral=referral, mark="week", answer="helped", **by)
    Message.objects.create(referral=referral, from_agency=False, text="When?", **by)
    AskedAgain.objects.create(referral=referral, what=["happened"], by=cast.partner)
    record_bounce(cause="turned_away", source="change:1", case=referral.case)
    return referral


NEVER_CHANGED = [StateChange, Message, AskedAgain, CallerAnswer, Disclosure, Bounce]


@pytest.mark.parametrize("model", NEVER_CHANGED, ids=lambda model: model.__name__)
@pytest.mark.parametrize("text", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_happened_is_neither_changed_nor_taken_away(sql, written, model, text):
    before = model.objects.count()
    assert before
    if text.startswith("TRUNCATE") and sql.owner:  # switched off in tests, which empty their tables by it
        assert "no_truncate" in {trigger.name for trigger in model._meta.triggers}
        return
    errors = (InternalError, ProgrammingError, IntegrityError)
    stopped = "Cannot (update|delete)|permission denied|by an approved disposal alone"
    with pytest.raises(errors, match=stopped), transaction.atomic():
        sql(text.format(model._meta.db_table))
    assert model.objects.count() == before


def test_every_row_that_is_only_added_to_is_among_them():
    from django.apps import apps

    guarded = {model for model in apps.get_models() if getattr(model, "append_only", False)}
    ours = {model for model in guarded if model.__module__.startswith(("referrals.", "intake.models.bounces"))}
    assert ours == set(NEVER_CHANGED)


def test_a_rung_is_there_once_and_is_climbed_whole(sql, make_referral):
    referral = make_referral("sent")
    columns = "referral_id, round, rung, due_at, state"
    copy = f"INSERT INTO referrals_silencerung ({columns}) SELECT {columns} FROM referrals_silencerung"
    with refused("one_rung_once"):
        sql(f"{copy} WHERE referral_id = %s", referral.pk)
    for wrong in ("state = 'fired'", "fired_at = now()"):
        with refused("rung_fired_whole"):
            sql(f"UPDATE referrals_silencerung SET {wrong} WHERE referral_id = %s", referral.pk)
    assert SilenceRung.objects.filter(referral=referral, state="scheduled").count() == 5


def test_a_cause_bounces_somebody_once(sql, written):
    with refused("source"):
        sql(
            "INSERT INTO intake_bounce (id, case_id, cause, source, at, about, codes)"
            " SELECT gen_random_uuid(), case_id, cause, source, now(), '', '{}' FROM intake_bounce"
        )


def test_the_caller_answers_a_question_once_but_is_looked_for_again_and_again(sql, written):
    text = """
        INSERT INTO referrals_calleranswer (id, referral_id, mark, answer, at, by_id, text)
        SELECT gen_random_uuid(), referral_id, mark, %s, now(), by_id, '' FROM referrals_calleranswer LIMIT 1
    """
    with refused("one_caller_answer_a_mark"):
        sql(text, "no")
    for _ in range(3):
        assert sql(text, "not_reached") == 1


# -- two in psql at once --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["two leading", "two answers", "a rung"])
def test_two_that_write_at_once_past_the_application(make_referral, cast, what):
    """Neither sees what the other has not committed; the database lets one of them through."""
    first = make_referral("sent")
    second = alongside(make_referral, cast, first)
    Referral.objects.filter(pk=second.pk).update(leads=True)
    columns = "referral_id, round, rung, due_at, state"
    rung = f"INSERT INTO referrals_silencerung ({columns}) VALUES (%s, 9, 'nudge', now(), 'scheduled')"
    work = {
        "two leading": [
            [(SET_STATE, ("accepted", one.pk)), (ADD_CHANGE, (one.pk, "accept", "sent", "accepted"))]
            for one in (first, second)
        ],
        "two answers": [
            [(SET_STATE, (MOVES[name].target, first.pk)), (ADD_CHANGE, (first.pk, name, "sent", MOVES[name].target))]
            for name in ("accept", "decline")
        ],
        "a rung": [[(rung, (first.pk,))]] * 2,
    }[what]
    both, outcome = threading.Barrier(2, timeout=20), []

    def write(statements) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL ROLE NONE")
                both.wait()
                for text, values in statements:
                    cursor.execute(text, values)
            outcome.append("written")
        except DatabaseError as error:
            outcome.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(statements,)) for statements in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcome) == ["IntegrityError", "written"], outcome
    assert StateChange.objects.filter(move__in=["accept", "decline"]).count() == (0 if what == "a rung" else 1)
