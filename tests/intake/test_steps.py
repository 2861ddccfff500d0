"""Steps: planned, done, moved; reminders of them."""

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from intake import actions
from intake.actions.steps import first_step_due, late_rung
from intake.actions.timeline import PRESSED_TWICE
from intake.models import Case, FollowUp, Reminder

SOON = dt.timedelta(hours=1)


def later(**delta) -> dt.datetime:
    return clock.now() + dt.timedelta(**delta)


def sweden(text: str) -> dt.datetime:
    from helpline.people.workdays import local

    moment = dt.datetime.fromisoformat(text)
    return local(moment.date(), moment.time())


@pytest.mark.parametrize(
    ("urgency", "now", "due"),
    [
        ("AKUT", "2026-11-23 14:05", "2026-11-23 15:05"),
        ("AKUT", "2026-12-24 23:30", "2026-12-25 00:30"),
        ("BRADSKANDE", "2026-11-23 09:00", "2026-11-23 16:00"),
        ("BRADSKANDE", "2026-11-23 15:30", "2026-11-23 16:30"),
        ("BRADSKANDE", "2026-11-22 10:00", "2026-11-22 16:00"),  # a Sunday: the same day all the same
        ("SKYNDSAM", "2026-12-22 10:00", "2026-12-29 16:00"),  # Christmas between
        ("NORMAL", "2026-11-23 10:00", "2026-12-07 16:00"),
    ],
)
def test_first_step_is_due_by_urgency(urgency, now, due):
    assert first_step_due(urgency, sweden(now)) == sweden(due)


@pytest.mark.parametrize(
    ("due", "rung"),
    [
        ("2026-11-23 16:00", "2026-11-24 09:00"),
        ("2026-11-27 16:00", "2026-11-30 09:00"),  # Friday: Monday morning
        ("2026-11-28 16:00", "2026-11-30 09:00"),
        ("2026-06-18 16:00", "2026-06-22 09:00"),  # Midsummer Eve is no working day
    ],
)
def test_managers_hear_of_it_in_the_morning_of_a_working_day(due, rung):
    assert late_rung(sweden(due)) == sweden(rung)


def test_a_step_is_planned_with_its_reminders_and_its_rows(make_case, cast):
    case = make_case()
    step = actions.plan_step(by=cast.caseworker, case=case, what="Ring Anna", due_at=later(minutes=5))
    connection.check_constraints()
    assert step.title == "Ring Anna" and step.label == "Planned step"
    assert set(step.reminders.values_list("rung", flat=True)) == {"due", "late"}
    assert Case.objects.get(pk=case.pk).next_due_at == step.due_at
    row = LogEntry.objects.filter(event="step.planned", row=str(step.pk)).get()
    assert "Anna" not in str(row.codes)


def test_words_are_demanded_of_an_own_step(make_case, cast):
    with pytest.raises(Refused, match="Say what is to be done"):
        actions.plan_step(by=cast.caseworker, case=make_case(), what=" ", due_at=later(hours=1))


def test_the_last_step_demands_the_next(make_case, cast):
    case = make_case()
    step = case.steps.get()
    with pytest.raises(Refused, match="last step"):
        actions.finish_step(by=cast.caseworker, step=step, outcome="talked")
    step.refresh_from_db()
    assert step.state == "planned" and step.outcome == ""
    actions.finish_step(by=cast.caseworker, step=step, outcome="talked", next_what="again", next_due=later(days=1))
    connection.check_constraints()
    assert [one.title for one in Case.objects.get(pk=case.pk).open_steps] == ["again"]
    assert not Reminder.objects.filter(step=step, state="scheduled").exists()


def test_the_last_step_may_close_the_case(make_case, cast):
    case = make_case()
    actions.finish_step(by=cast.caseworker, step=case.steps.get(), close="needs_met")
    connection.check_constraints()
    case = Case.objects.get(pk=case.pk)
    assert not case.is_open and case.closing_reason == "needs_met" and case.next_due_at is None
    assert case.status == "closed"


def test_twice_does_it_once(make_case, cast):
    case = make_case()
    step = case.steps.get()
    actions.finish_step(by=cast.caseworker, step=step, next_what="again", next_due=later(days=1))
    with pytest.raises(TooLate):
        actions.finish_step(by=cast.caseworker, step=step, next_what="again", next_due=later(days=1))
    assert case.steps.count() == 2


def test_a_promise_that_is_pressed_twice_is_made_once(client_of, make_case, cast):
    case, client = make_case(), client_of(cast.caseworker)
    sent = {"what": "Call the school.", "due_at": clock.local_date(later(days=2)).strftime("%Y-%m-%dT16:00")}
    for _press in range(2):
        assert client.post(reverse("intake:step-plan", args=[case.slug]), sent).status_code == 302
    assert [step.what for step in case.steps.planned()].count("Call the school.") == 1
    client.post(reverse("intake:step-plan", args=[case.slug]), {**sent, "what": "Call the school again."})
    with clock.at(clock.now() + PRESSED_TWICE + dt.timedelta(minutes=1)):  # who promises it once more means it
        client.post(reverse("intake:step-plan", args=[case.slug]), sent)
    assert case.steps.planned().count() == 4


def test_a_step_that_another_floor_keeps_is_not_ended_here(make_case, cast):
    case = make_case()
    kept = actions.plan_step(by=cast.caseworker, case=case, what="x", due_at=later(days=1), kept_by="referrals")
    for act in (
        lambda: actions.finish_step(by=cast.caseworker, step=kept),
        lambda: actions.move_step(by=cast.caseworker, step=kept, due_at=later(days=3)),
    ):
        with pytest.raises(Refused, match="kept by a handover"):
            act()


def test_a_moved_step_is_reminded_of_anew(make_case, cast):
    case = make_case(urgency="AKUT")
    step = case.steps.get()
    with clock.at(later(hours=2)):
        actions.fire_due_reminders()
        moved = actions.move_step(by=cast.caseworker, step=step, due_at=later(hours=5), why="busy")
    connection.check_constraints()
    step.refresh_from_db()
    assert step.state == "moved" and moved.title == step.title
    with clock.at(moved.due_at + SOON):
        assert actions.fire_due_reminders() == 1
    assert Notice.objects.filter(kind="step.due", user=cast.caseworker).count() == 2


def test_reminders_fire_once_for_owner_then_for_managers(make_case, cast, at):
    with at("2026-11-23 10:00"):
        case = make_case(urgency="AKUT")
        assert actions.fire_due_reminders() == 0
    with at("2026-11-23 11:01"):
        assert actions.fire_due_reminders() == 1
        assert actions.fire_due_reminders() == 0
    with at("2026-11-24 09:00"):
        assert actions.fire_due_reminders() == 1
    got = list(
        Notice.objects.filter(kind__startswith="step")
        .order_by("created_at")
        .values_list("kind", "user__username", "case")
    )
    assert got == [("step.due", "anna", case.pk), ("step.late", "cecilia", case.pk)]
    assert LogEntry.objects.filter(event="reminder.fired", case=case.pk).count() == 2


def test_a_reminder_of_a_person_who_is_switched_off_reaches_the_manager(make_case, cast, at):
    with at("2026-11-23 10:00"):
        make_case(urgency="AKUT")
    cast.caseworker.is_active = False
    cast.caseworker.save()
    with at("2026-11-23 11:01"):
        actions.fire_due_reminders()
    assert list(Notice.objects.filter(kind="step.due").values_list("user__username", flat=True)) == ["cecilia"]


def test_nobody_is_reminded_of_what_is_done(make_case, cast):
    case = make_case(urgency="AKUT")
    actions.finish_step(by=cast.caseworker, step=case.steps.get(), close="needs_met")
    with clock.at(later(days=30)):
        assert actions.fire_due_reminders() == 0


# -- pages ---------------------------------------------------------------------------------------------------------------


def form_time(moment: dt.datetime) -> str:
    from django.utils import timezone

    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


def test_done_page_keeps_the_words_when_it_refuses(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.caseworker)
    url = reverse("intake:step-done", args=[case.slug, case.steps.get().pk])
    assert client.get(url).status_code == 200
    answer = client.post(url, {"outcome": "We talked for long", "next_what": "", "close": ""})
    assert answer.status_code == 422
    assert "We talked for long" in answer.content.decode() and "last step" in answer.content.decode()
    answer = client.post(url, {"outcome": "We talked", "next_what": "Call again", "next_due": form_time(later(days=2))})
    assert answer.status_code == 302
    assert FollowUp.objects.planned().get(case=case).title == "Call again"


@pytest.mark.parametrize("value", ["", "2026-13-40T10:00", "yesterday", "0001-01-01T00:00", "2020-01-01T10:00", "\x00"])
def test_a_bad_time_is_said_at_its_place(client_of, make_case, cast, value):
    case = make_case()
    url = reverse("intake:step-plan", args=[case.slug])
    answer = client_of(cast.caseworker).post(url, {"what": "Call the school", "due_at": value})
    assert answer.status_code == 422
    assert "Call the school" in answer.content.decode()
    assert case.steps.count() == 1


def test_plan_and_move_by_page(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.caseworker)
    answer = client.post(
        reverse("intake:step-plan", args=[case.slug]), {"what": "Call the school", "due_at": form_time(later(days=1))}
    )
    assert answer.status_code == 302
    step = case.steps.planned().get(kind="own")
    url = reverse("intake:step-move", args=[case.slug, step.pk])
    assert client.post(url, {"due_at": form_time(later(days=3)), "why": "ill"}).status_code == 302
    assert client.post(url, {"due_at": form_time(later(days=4)), "why": "ill"}).status_code == 422  # already moved


@pytest.mark.parametrize("name", ["step-done", "step-move"])
def test_who_may_not(client_of, make_case, cast, name):
    case = make_case()
    url = reverse(f"intake:{name}", args=[case.slug, case.steps.get().pk])
    assert client_of(cast.partner).get(url).status_code == 403
    assert client_of(cast.keeper).post(url).status_code == 403
    assert client_of(cast.stranger).get(url).status_code == 404
    assert client_of(cast.colleague).get(url).status_code == 302  # a reason is asked for first
    other = make_case()
    wrong = reverse(f"intake:{name}", args=[other.slug, case.steps.get().pk])
    assert client_of(cast.caseworker).get(wrong).status_code == 404
