"""A call that somebody else has begun: it is nobody's loss when its taker is away."""

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.actions import switch_off_user
from helpline.people.errors import Refused
from helpline.people.models import Notice, Unit
from intake import actions
from intake.models import Call, Case, Note


def url(name: str, call: Call) -> str:
    return reverse(f"intake:{name}", args=[call.pk])


def test_who_has_an_unfinished_call_is_not_switched_off(make_call, cast):
    make_call()
    with pytest.raises(Refused, match="1 call not finished"):
        switch_off_user(by=cast.keeper, user=cast.caseworker)


@pytest.mark.parametrize("change", ["off", "moved"])
def test_a_case_never_comes_to_somebody_who_cannot_see_it(change, make_call, cast):
    call = make_call(urgency="NORMAL")
    taker = cast.caseworker
    if change == "off":
        taker.is_active = False
    else:
        taker.unit = Unit.objects.get(pk=cast.other_unit.pk)
    taker.save()
    call = actions.complete_call(by=cast.colleague, call=call)
    connection.check_constraints()
    assert call.case.owner == cast.colleague
    assert set(call.case.steps.values_list("owner", flat=True)) == {cast.colleague.pk}


def test_the_taker_owns_the_case_that_a_colleague_finished(make_call, cast):
    assert actions.complete_call(by=cast.colleague, call=make_call(urgency="NORMAL")).case.owner == cast.caseworker


def test_a_note_has_the_name_of_who_wrote_it_last(make_call, cast):
    call = make_call(notes={"seen": "first", "told": "hers"})
    actions.save_call(by=cast.colleague, call=call, notes={"seen": "rewritten", "told": "hers"})
    by = {note.kind: note.by for note in Note.objects.filter(call=call)}
    assert by == {"seen": cast.colleague, "told": cast.caseworker}


def test_words_that_come_too_late_are_shown_to_the_colleague_too(client_of, make_call, cast):
    call = make_call(urgency="NORMAL")
    colleague = client_of(cast.colleague)
    assert colleague.get(url("call", call)).status_code == 200
    actions.complete_call(by=cast.caseworker, call=call)
    answer = colleague.post(url("call-save", call), {"n.seen": "He left at nine"})
    assert answer.status_code == 409 and "He left at nine" in answer.content.decode()
    late = client_of(cast.caseworker).post(url("call-save", call), {"n.seen": "He left at nine"})
    assert late.status_code == 409 and "He left at nine" in late.content.decode()
    assert client_of(cast.stranger).post(url("call-save", call), {"n.seen": "x"}).status_code == 404


@pytest.mark.parametrize(
    "year", ["0001-01-01T00:00", "0002-11-25T16:00", "0202-11-25T16:00", "9999-12-31T23:59", "2900-01-01T10:00"]
)
def test_a_year_that_is_being_typed_harms_nothing(year, client_of, make_call, cast):
    call = make_call(notes={"seen": "words"})
    client = client_of(cast.caseworker)
    answer = client.post(url("call-save", call), {"due": year, "n.told": "more words"})
    assert answer.status_code == 422
    assert client.get(url("call", call)).status_code == 200
    assert client.get(reverse("intake:my-day")).status_code == 200
    call = Call.objects.get(pk=call.pk)
    assert call.step_due_at is None
    assert {note.text for note in call.notes.all()} == {"words", "more words"}  # what was right is saved


def test_the_managers_hear_of_an_acute_case_at_once(make_case, cast):
    case: Case = make_case(urgency="AKUT")
    assert list(Notice.objects.filter(kind="case.acute").values_list("user", "case")) == [(cast.manager.pk, case.pk)]
    make_case(urgency="BRADSKANDE")
    assert Notice.objects.filter(kind="case.acute").count() == 1


def test_a_late_step_is_heard_of_though_there_is_no_manager(make_case, cast, at):
    cast.manager.is_active = False
    cast.manager.save()
    with at("2026-11-23 10:00"):
        make_case(urgency="AKUT")
    with at("2026-11-24 10:00"):
        actions.fire_due_reminders()
    assert set(Notice.objects.filter(kind="step.late").values_list("user__username", flat=True)) == {"anna"}
    assert clock.now()


def test_one_reminder_that_cannot_fire_keeps_no_other_waiting(make_case, cast, at, monkeypatch):
    from intake.actions import reminders

    with at("2026-11-23 10:00"):
        first, second = make_case(urgency="AKUT"), make_case(urgency="AKUT")
    whole = reminders._fire

    def broken(reminder):
        if reminder.step.case_id == first.pk:
            raise ValueError
        whole(reminder)

    monkeypatch.setattr(reminders, "_fire", broken)
    with at("2026-11-23 11:30"):
        assert actions.fire_due_reminders() == 1
    assert Notice.objects.get(kind="step.due").case == second.pk
    monkeypatch.undo()
    with at("2026-11-23 11:31"):
        assert actions.fire_due_reminders() == 1  # the next look takes it
