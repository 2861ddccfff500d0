"""An open case always has an owner, an open step and a due time: the database refuses the commit, whoever wrote it."""

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from helpline.people import clock
from helpline.people.errors import Refused
from intake import actions
from intake.models import Case, FollowUp


def check() -> None:
    connection.check_constraints()


def refused(sql: str, *params) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        check()


def test_a_case_without_a_step_is_refused(make_case):
    case = make_case()
    check()
    refused("UPDATE intake_followup SET state = 'done', ended_at = now() WHERE case_id = %s", case.pk)
    refused("DELETE FROM intake_reminder; DELETE FROM intake_followup WHERE case_id = %s", case.pk)


def test_a_case_without_an_owner_is_refused(make_case):
    refused("UPDATE intake_case SET owner_id = NULL WHERE id = %s", make_case().pk)


def test_a_due_time_that_is_not_that_of_the_next_step_is_refused(make_case):
    case = make_case()
    refused("UPDATE intake_case SET next_due_at = now() WHERE id = %s", case.pk)
    refused("UPDATE intake_case SET next_due_at = NULL WHERE id = %s", case.pk)
    refused("UPDATE intake_followup SET due_at = now() WHERE case_id = %s", case.pk)


def test_a_step_that_is_moved_to_another_case_leaves_none_behind(make_case):
    one, other = make_case(), make_case()
    refused("UPDATE intake_followup SET case_id = %s WHERE case_id = %s", other.pk, one.pk)


def test_a_case_that_is_closed_by_hand_while_a_step_waits_is_refused(make_case, cast):
    case = make_case()
    sql = "UPDATE intake_case SET closed_at = now(), closed_by_id = %s, closing_reason = 'needs_met' WHERE id = %s"
    refused(sql, cast.caseworker.pk, case.pk)


def test_half_a_closing_is_refused(make_case):
    refused("UPDATE intake_case SET closing_reason = 'needs_met' WHERE id = %s", make_case().pk)


@pytest.mark.django_db(transaction=True)
def test_two_that_end_the_last_two_steps_at_once_do_not_both_succeed(make_case, cast):
    """Each sees the other's step still planned; the lock in the trigger makes the second look again."""
    case = make_case()
    actions.plan_step(by=cast.caseworker, case=case, what="another", due_at=clock.now() + dt.timedelta(days=2))
    steps = list(case.steps.planned().in_order())
    barrier, errors = threading.Barrier(2), []

    def end(step: FollowUp) -> None:
        try:
            with transaction.atomic():
                FollowUp.objects.filter(pk=step.pk).update(state="done", ended_at=clock.now())
                others = case.steps.planned().exclude(pk=step.pk).order_by("due_at").first()
                barrier.wait(timeout=10)
                Case.objects.filter(pk=case.pk).update(next_due_at=others.due_at if others else None)
        except IntegrityError as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=end, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(errors) == 1
    assert case.steps.planned().count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_finish_the_last_two_steps_by_the_action_leave_one(make_case, cast):
    case = make_case()
    actions.plan_step(by=cast.caseworker, case=case, what="another", due_at=clock.now() + dt.timedelta(days=2))
    barrier, said = threading.Barrier(2), []

    def finish(step: FollowUp) -> None:
        translation.activate("en")  # a thread of its own has a language of its own
        try:
            barrier.wait(timeout=10)
            actions.finish_step(by=cast.caseworker, step=step)
        except Refused as error:
            said.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=finish, args=[step]) for step in case.steps.planned().in_order()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert said == ["This is the last step. Plan the next one, or close the case."]
    assert case.steps.planned().count() == 1
