"""The ledger of bounces: each cause of this floor, once, with its row in the log; and how a case tells of them."""

import datetime as dt
import re

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from helpline.people import clock
from helpline.people.models import LogEntry, User
from intake import actions, labels
from intake.actions.bounces import broken_promise, untouched_from
from intake.actions.continuity import reopen_case
from intake.clocks import KEPT_BY as LAW
from intake.ledger import ledger
from intake.models import Bounce, Call, Case, Event
from intake.tasks import find_untouched
from tests.conftest import NO_ACTUALISATION

pytestmark = pytest.mark.django_db
MONDAY = "2026-11-23 10:00"  # the first step of a SKYNDSAM case is due on Thursday the 26th at 16.00


@pytest.fixture
def case(make_case, at) -> Case:
    """A case of Anna's, opened on a Monday, whose first step is due on Thursday."""
    with at(MONDAY):
        return make_case()


def call_again(cast, case, by=None, **facts):
    """The caller says the number, and the call is finished."""
    by = by or cast.caseworker
    call = actions.start_call(by=by)
    actions.claim_case(by=by, call=call, number=case.number, phrase="")
    facts = {"caller_type": "relative", "urgency": "NORMAL", "urgency_reason": "as told", **NO_ACTUALISATION, **facts}
    call = actions.save_call(by=by, call=Call.objects.get(pk=call.pk), facts=facts)
    done = actions.complete_call(by=by, call=call)
    connection.check_constraints()
    return done


def causes(case) -> list[str]:
    return sorted(Bounce.objects.of(case).values_list("cause", flat=True))


# -- the row itself ----------------------------------------------------------------------------------------------------


def test_one_event_is_one_bounce_with_one_row_in_the_log(case, cast):
    wrote = [actions.record_bounce(cause="changed_hands", source="event:1", case=case, by=cast.manager) for _ in "ab"]
    assert wrote == [True, False]
    assert LogEntry.objects.filter(event="bounce.recorded", case=case.pk, user=cast.manager).count() == 1


def test_a_cause_that_the_table_does_not_have_is_no_bounce(case):
    with pytest.raises(KeyError, match="bored"):
        actions.record_bounce(cause="bored", source="x", case=case)


def test_it_is_never_changed_nor_removed(case):
    actions.record_bounce(cause="changed_hands", source="event:1", case=case)
    for change in (lambda: Bounce.objects.update(cause="told_again"), lambda: Bounce.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert causes(case) == ["changed_hands"]


def test_it_is_of_the_unit_of_its_case_or_of_its_call_and_follows_them(case, make_call, cast):
    call = make_call()
    actions.record_bounce(cause="changed_hands", source="event:1", case=case)
    actions.record_bounce(cause="changed_hands", source="event:2", call=call)
    actions.record_bounce(cause="changed_hands", source="event:3", case=case, call=call)
    assert set(Bounce.objects.values_list("unit", flat=True)) == {cast.unit.pk}
    other = cast.stranger.unit
    Case.objects.filter(pk=case.pk).update(unit=other)
    rows = Bounce.objects.order_by("source")
    assert list(rows.values_list("unit", flat=True)) == [other.pk, cast.unit.pk, other.pk]
    type(call).objects.filter(pk=call.pk).update(unit=other)
    assert set(rows.values_list("unit", flat=True)) == {other.pk}
    with pytest.raises(DatabaseError), transaction.atomic():
        Bounce.objects.update(unit=cast.unit)


def test_a_list_of_a_unit_walks_its_own_bounces(case, cast):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_unit (name, municipality_id, phone)"
            " SELECT 'Unit ' || n, municipality_id, '' FROM people_unit, generate_series(1, 20) n WHERE id = %s",
            [cast.unit.pk],
        )
    actions.record_bounce(cause="changed_hands", source="event:1", case=case)
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ALTER TABLE intake_bounce DISABLE TRIGGER USER")
        cursor.execute(
            "INSERT INTO intake_bounce (id, case_id, unit_id, cause, source, at, about, codes)"
            " SELECT gen_random_uuid(), b.case_id, u.id, b.cause, n || ':' || u.id, now() - n * interval '1 hour', '', '{}'"
            " FROM intake_bounce b, people_unit u, generate_series(1, 300) n"
        )
        connection.check_constraints()
        cursor.execute("ALTER TABLE intake_bounce ENABLE TRIGGER USER")
        cursor.execute("ANALYZE intake_bounce")
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
    newest = Bounce.objects.visible_to(cast.manager).filter(at__gte=clock.now() - dt.timedelta(days=10))
    plan = newest.explain()
    assert "bounces_of_unit" in plan and re.search(r"Index Cond: \(\(unit_id = \d+\) AND \(at >= ", plan), plan


def test_the_log_holds_codes_and_no_name(case, cast, at):
    with at("2026-12-02 14:00"):
        call_again(cast, case)
    (row,) = LogEntry.objects.filter(event="bounce.recorded")
    assert row.codes == {"cause": "called_again_unanswered"}


# -- called again because nobody had called ----------------------------------------------------------------------------


def test_a_call_after_the_time_of_the_step_is_a_bounce(case, cast, at):
    with at("2026-11-27 09:00"):
        call = call_again(cast, case, by=cast.colleague)
    (bounce,) = Bounce.objects.of(case)
    assert (bounce.cause, bounce.call_id, bounce.by) == ("called_again_unanswered", call.pk, cast.colleague)
    assert bounce.codes["step"] == "first_step" and bounce.codes["whose"] == cast.caseworker.pk


@pytest.mark.parametrize("outcome", ["reached", "no_answer", "message"])
@pytest.mark.parametrize("when", ["2026-11-24 10:00", "2026-11-26 17:00"])
def test_whoever_had_been_called_is_not_bounced(case, cast, at, outcome, when):
    with at(when):
        case.safe_contact = case.safe.changed({"voicemail": True}).write()
        case.save(update_fields=["safe_contact"])
        actions.log_contact(by=cast.caseworker, case=case, outcome=outcome)
    with at("2026-11-27 09:00"):
        call_again(cast, case)
    assert causes(case) == []


def test_a_call_before_the_time_is_out_is_none(case, cast, at):
    with at("2026-11-26 15:59"):
        call_again(cast, case)
    assert causes(case) == []


def test_what_was_done_is_kept_though_it_was_late(case, cast, at):
    with at("2026-11-26 17:00"):
        next_due = clock.now() + dt.timedelta(days=7)
        actions.finish_step(by=cast.caseworker, step=case.open_steps[0], next_what="Call the school", next_due=next_due)
    with at("2026-11-27 09:00"):
        call_again(cast, case)
    assert causes(case) == []


def test_a_step_that_was_moved_without_a_word_has_not_come(case, cast, at):
    with at("2026-11-26 12:00"):
        actions.move_step(by=cast.caseworker, step=case.open_steps[0], due_at=clock.now() + dt.timedelta(days=9))
    with at("2026-11-27 09:00"):
        call_again(cast, case)
    assert causes(case) == ["called_again_unanswered"]


def test_each_call_in_vain_is_one_and_a_new_promise_is_waited_for(case, cast, at):
    with at("2026-11-27 09:00"):
        call_again(cast, case)  # a new step is promised, for Friday the 11th of December
    with at("2026-11-27 15:00"):
        call_again(cast, case)
    assert causes(case) == ["called_again_unanswered"]
    with at("2026-12-14 09:00"):
        call_again(cast, case)
    assert causes(case) == ["called_again_unanswered"] * 2


def plan(case, at, when, **rest):
    with at(MONDAY):
        return actions.plan_step(by=None, case=case, due_at=clock.now() + when, quiet=True, **rest)


A_DAY = dt.timedelta(days=1)


@pytest.fixture
def kept(monkeypatch):
    """A keeper of steps, as an upper floor would add."""
    monkeypatch.setitem(labels.KEEPERS, "others", "kept")
    return {"kind": "own", "what": "They make contact", "kept_by": "others", "others_turn": True, "about": "1"}


def test_what_others_promised_and_did_not_do_is_a_bounce_though_we_had_called_before(case, cast, at, kept):
    plan(case, at, A_DAY, **kept)
    with at("2026-11-23 15:00"):
        actions.log_contact(by=cast.caseworker, case=case, outcome="reached")
    with at("2026-11-24 14:00"):
        call_again(cast, case)
    assert causes(case) == ["called_again_unanswered"]


def test_what_others_did_in_time_or_we_made_up_for_is_none(case, cast, at, kept):
    plan(case, at, A_DAY, **kept)
    plan(case, at, A_DAY, **{**kept, "about": "2"})
    with at("2026-11-24 09:00"):
        actions.end_kept_step(by=None, case=case, kept_by="others", about=1)
    with at("2026-11-24 12:00"):
        actions.log_contact(by=cast.caseworker, case=case, outcome="reached")
        actions.end_kept_step(by=None, case=case, kept_by="others", about=2)
    with at("2026-11-24 14:00"):
        call_again(cast, case)
    assert causes(case) == []


def test_what_a_keeper_ended_too_late_has_not_come(case, cast, at, kept):
    plan(case, at, A_DAY, **kept)
    with at("2026-11-24 12:00"):
        actions.end_kept_step(by=None, case=case, kept_by="others", about=1)
    with at("2026-11-24 14:00"):
        call_again(cast, case)
    assert causes(case) == ["called_again_unanswered"]


def test_the_times_of_the_law_and_what_is_between_us_and_others_promise_the_caller_nothing(case, cast, at, monkeypatch):
    plan(case, at, A_DAY, kind="child.preliminary", kept_by=LAW, about="1")
    monkeypatch.setattr("intake.actions.bounces.INSIDE", {"decide_next"})
    plan(case, at, A_DAY, kind="decide_next")
    with at("2026-11-25 14:00"):
        call_again(cast, case)
    assert causes(case) == []


def test_the_step_is_that_which_was_due_first(case, cast, at):
    first = plan(case, at, A_DAY, what="Call her")
    with at("2026-11-30 10:00"):
        call = actions.start_call(by=cast.caseworker)
        assert broken_promise(case, call).pk == first.pk


def test_a_call_that_is_taken_back_from_the_case_is_none(case, cast, at):
    with at("2026-11-30 10:00"):
        call = actions.start_call(by=cast.caseworker)
        actions.claim_case(by=cast.caseworker, call=call, number=case.number, phrase="")
        actions.unclaim_case(by=cast.caseworker, call=Call.objects.get(pk=call.pk))
    assert causes(case) == []


# -- a step that nobody touches ----------------------------------------------------------------------------------------


def test_three_working_days_over_a_weekend(at):
    with at("2026-11-26 16:00"):
        assert clock.local_time(untouched_from(clock.now())).isoformat() == "2026-12-01T16:00:00+01:00"


@pytest.mark.parametrize(("when", "found"), [("2026-12-01 15:59", 0), ("2026-12-01 16:00", 1)])
def test_it_is_found_when_the_third_day_is_over(case, at, when, found):
    with at(when):
        assert actions.find_untouched_steps() == found
    assert causes(case) == ["step_untouched"] * found


def test_once_a_step(case, at):
    for when in ("2026-12-01 16:00", "2026-12-01 16:01", "2026-12-09 10:00"):
        with at(when):
            actions.find_untouched_steps()
    (bounce,) = Bounce.objects.of(case)
    assert bounce.about == str(case.open_steps[0].pk)
    assert LogEntry.objects.filter(event="bounce.recorded", user=None).count() == 1


TOUCHES = {
    "a try": lambda cast, case: actions.log_contact(by=cast.caseworker, case=case, outcome="no_answer"),
    "a note": lambda cast, case: actions.add_note(by=cast.colleague, case=case, kind="told", text="She is fine."),
    "a step": lambda cast, case: actions.plan_step(
        by=cast.caseworker, case=case, what="Call", due_at=clock.now() + dt.timedelta(days=9)
    ),
    "moved": lambda cast, case: actions.move_step(
        by=cast.caseworker, step=case.open_steps[0], due_at=clock.now() + dt.timedelta(days=1)
    ),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_what_one_of_us_does_is_a_touch(case, cast, at, touch):
    with at("2026-11-27 10:00"):
        TOUCHES[touch](cast, case)
    with at("2026-12-01 17:00"):
        assert actions.find_untouched_steps() == 0


NO_TOUCHES = {
    "to look": lambda cast, case: actions.open_with_reason(by=cast.manager, case=case, reason="supervision"),
    "other hands": lambda cast, case: actions.reassign_case(
        by=cast.manager, case=case, to=cast.colleague, handover="All of it."
    ),
    "the clock": lambda cast, case: actions.plan_step(by=None, case=case, kind="decide_next", due_at=clock.now()),
}


@pytest.mark.parametrize("thing", NO_TOUCHES)
def test_to_look_or_to_pass_it_on_is_none(case, cast, at, thing):
    with at("2026-11-27 10:00"):
        NO_TOUCHES[thing](cast, case)
    with at("2026-12-01 17:00"):
        assert actions.find_untouched_steps() == 1


def test_what_was_done_before_it_was_due_is_no_touch(case, cast, at):
    with at("2026-11-25 10:00"):
        actions.add_note(by=cast.caseworker, case=case, kind="told", text="She is fine.")
    with at("2026-12-01 17:00"):
        assert actions.find_untouched_steps() == 1


def test_a_step_that_is_done_is_not_looked_at(case, cast, at):
    with at("2026-12-01 17:00"):
        actions.finish_step(by=cast.caseworker, step=case.open_steps[0], close="needs_met")
        connection.check_constraints()
        assert actions.find_untouched_steps() == 0


def test_celery_looks_for_them(case, at):
    with at("2026-12-01 17:00"):
        find_untouched()
    assert causes(case) == ["step_untouched"]


def test_one_that_cannot_be_written_keeps_no_other_waiting(case, make_case, at, monkeypatch):
    with at(MONDAY):
        other = make_case()
    from intake.actions import bounces

    touched = bounces.is_touched

    def fails(step):
        if step.case_id == case.pk:
            raise ValueError
        return touched(step)

    monkeypatch.setattr(bounces, "is_touched", fails)
    with at("2026-12-01 17:00"):
        assert actions.find_untouched_steps() == 1
    assert (causes(case), causes(other)) == ([], ["step_untouched"])


def test_looking_takes_one_question_where_all_is_known(case, make_case, at):
    with at(MONDAY):
        for _ in range(3):
            make_case()
    with at("2026-12-01 17:00"):
        assert actions.find_untouched_steps() == 4
        with CaptureQueriesContext(connection) as queries:
            assert actions.find_untouched_steps() == 0
    assert len(queries) == 1


# -- other hands -------------------------------------------------------------------------------------------------------


def test_another_owner_without_a_word_is_a_bounce_and_with_words_none(case, cast):
    actions.reassign_case(by=cast.manager, case=case, to=cast.colleague, handover=" She wants to be called Kim. ")
    assert causes(case) == []
    assert Event.objects.get(case=case, kind="case.reassigned").text == "She wants to be called Kim."
    actions.reassign_case(by=cast.manager, case=Case.objects.get(pk=case.pk), to=cast.caseworker, handover="  ")
    connection.check_constraints()
    (bounce,) = Bounce.objects.of(case)
    assert (bounce.cause, bounce.by) == ("changed_hands", cast.manager)
    assert bounce.codes == {"whose": cast.colleague.pk, "to": cast.caseworker.pk}


def test_a_case_that_is_opened_again_by_another_changed_hands(case, cast):
    actions.finish_step(by=cast.caseworker, step=case.open_steps[0], close="needs_met")
    User.objects.filter(pk=cast.caseworker.pk).update(is_active=False)
    with transaction.atomic():
        opened = reopen_case(by=cast.colleague, case=case)
        actions.plan_step(by=cast.colleague, case=opened, what="Call", due_at=clock.now() + A_DAY)
    assert causes(case) == ["changed_hands"]


def test_a_case_that_is_opened_again_by_its_owner_did_not(case, cast):
    actions.finish_step(by=cast.caseworker, step=case.open_steps[0], close="needs_met")
    with transaction.atomic():
        opened = reopen_case(by=cast.colleague, case=case)
        actions.plan_step(by=cast.colleague, case=opened, what="Call", due_at=clock.now() + A_DAY)
    assert causes(case) == []


def test_a_shift_that_a_colleague_said_yes_to_is_a_handover(case, cast, at):
    with at("2026-11-26 10:00"):
        shift = actions.give_shift(by=cast.caseworker, to=cast.colleague, steps=[case.open_steps[0].pk])
        actions.take_shift(by=cast.colleague, shift=shift)
    assert causes(case) == []


def test_the_form_asks_for_words_and_takes_none_too(case, cast, client_of):
    client, page = client_of(cast.manager), f"/cases/{case.slug}/reassign/"
    html = client.get(page).content.decode()
    assert "What the new owner must know" in html and "counts as a bounce" in html
    assert client.post(page, {"to": cast.colleague.pk, "handover": "She is afraid of him."}).status_code == 302
    assert causes(case) == []
    assert client.post(page, {"to": cast.caseworker.pk}).status_code == 302
    assert causes(case) == ["changed_hands"]


# -- what the case tells -----------------------------------------------------------------------------------------------


def test_a_case_without_bounces_says_that_the_promise_is_kept(case, cast, client_of):
    assert "Promise kept: 0 bounces" in client_of(cast.caseworker).get(f"/cases/{case.slug}/").content.decode()


def test_a_case_says_each_cause_when_and_in_whose_hands(case, cast, client_of, at):
    with at("2026-12-01 17:00"):
        actions.find_untouched_steps()
        actions.reassign_case(by=cast.manager, case=case, to=cast.colleague)
    with at("2026-12-02 09:00"):
        html = client_of(cast.colleague).get(f"/cases/{case.slug}/").content.decode()
    assert "2 bounces: see why" in html
    assert "A step stood untouched for three working days past its time" in html and "Take the first step" in html
    assert "Changed hands without a handover" in html and "From Anna to Bert" in html and "Cecilia" in html


def test_who_may_not_open_the_case_reads_nothing_of_them(case, cast, client_of):
    assert client_of(cast.stranger).get(f"/cases/{case.slug}/").status_code == 404
    assert client_of(cast.colleague).get(f"/cases/{case.slug}/").status_code == 302  # a reason first
    assert client_of(cast.partner).get(f"/cases/{case.slug}/").status_code == 403


def test_every_cause_has_its_line(case, cast):
    for number, cause in enumerate(labels.BOUNCES):
        actions.record_bounce(cause=cause, source=str(number), case=case, by=cast.caseworker)
    lines = ledger(case)
    assert len(lines) == len(labels.BOUNCES)
    assert all(line.cause and "%(" not in line.cause and line.whose for line in lines)


def test_the_lines_cost_two_questions_however_many(case, cast):
    counts = []
    for number in range(3):
        actions.record_bounce(cause="told_again", source=str(number), case=case, by=cast.caseworker, agency="A")
        with CaptureQueriesContext(connection) as queries:
            ledger(case)
        counts.append(len(queries))
    assert counts == [2, 2, 2]


# -- for figures -------------------------------------------------------------------------------------------------------


def test_counts_of_many_cases_are_one_question(case, make_case, make_call, cast):
    other, clean = make_case(), make_case()
    actions.record_bounce(cause="told_again", source="1", case=case)
    actions.record_bounce(cause="changed_hands", source="2", case=case)
    call = other.calls.get()
    actions.record_bounce(cause="given_number", source="3", call=call)  # before there was a case
    with CaptureQueriesContext(connection) as queries:
        counts = Bounce.objects.counted().per_case([case, other, clean])
    assert counts == {case.pk: 2, other.pk: 1} and len(queries) == 1
    assert causes(other) == ["given_number"]


def test_practice_is_not_counted(cast, make_call):
    call = actions.start_call(by=cast.caseworker, is_practice=True)
    facts = {"caller_type": "relative", "urgency": "NORMAL", **NO_ACTUALISATION}
    call = actions.complete_call(
        by=cast.caseworker, call=actions.save_call(by=cast.caseworker, call=call, facts=facts), open_a_case=True
    )
    actions.record_bounce(cause="told_again", source="1", case=call.case)
    real = make_call()
    actions.record_bounce(cause="given_number", source="2", call=real)
    assert [bounce.call_id for bounce in Bounce.objects.counted()] == [real.pk]


def test_another_unit_sees_none(case, cast, make_call):
    actions.record_bounce(cause="told_again", source="1", case=case)
    actions.record_bounce(cause="given_number", source="2", call=make_call())
    assert Bounce.objects.visible_to(cast.colleague).count() == 2
    for nobody in (cast.stranger, cast.partner, cast.keeper):
        assert not Bounce.objects.visible_to(nobody).exists()


def test_no_column_of_a_bounce_changes_but_the_unit_that_it_follows():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = ANY(t.tgattr)"
            " WHERE t.tgrelid = 'intake_bounce'::regclass AND t.tgname LIKE '%no_update%'"
        )
        guarded = {name for (name,) in cursor.fetchall()}
    assert guarded == {field.column for field in Bounce._meta.fields} - {"unit_id"}
