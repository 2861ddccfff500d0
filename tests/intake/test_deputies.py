"""What is due of somebody who is away goes to who stands in; the calendar's pages; what the deputy sees."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.urls import reverse

from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.models import Absence, LogEntry, Notice
from helpline.people.workdays import local
from intake import actions
from intake.actions.deputies import whose
from intake.actions.timeline import lock
from intake.models import Case, FollowUp
from intake.tasks import remind

DAY = dt.timedelta(days=1)


@pytest.fixture
def is_away():
    def make(user, deputy=None, first=0, last=3):
        days = {"first_day": clock.today() + first * DAY, "last_day": clock.today() + last * DAY}
        return Absence.objects.create(user=user, deputy=deputy, **days)

    return make


@pytest.fixture
def step(make_case, cast):
    """A step of Anna's that is due this evening; her case's own step is due later."""

    def make(due=None, **facts):
        case = make_case(urgency="NORMAL", **facts)
        due = due or local(clock.today() + DAY, dt.time()) - dt.timedelta(minutes=1)
        return actions.plan_step(by=cast.caseworker, case=case, what="Call the mother", due_at=due)

    return make


def owner_of(step):
    return FollowUp.objects.get(pk=step.pk).owner


def test_what_is_due_today_goes_to_the_deputy(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        held = step()
        is_away(cast.caseworker, cast.colleague)
        assert actions.pass_due_steps() == 1
        connection.check_constraints()
    assert owner_of(held) == cast.colleague
    case = Case.objects.get(pk=held.case_id)
    assert case.owner == cast.caseworker  # the case stays whose it is
    event = case.events.get(kind="step.passed")
    assert event.title == "Passed to Bert, who stands in for Anna"
    entry = LogEntry.objects.get(event="step.passed")
    assert entry.case == case.pk and "Anna" not in str(entry.codes) and "Bert" not in str(entry.codes)
    assert Notice.objects.filter(user=cast.colleague, kind="step.passed", case=case.pk).count() == 1


def test_twice_does_it_once(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        step()
        is_away(cast.caseworker, cast.colleague)
        assert [actions.pass_due_steps(), actions.pass_due_steps()] == [1, 0]
    assert Notice.objects.filter(kind="step.passed").count() == 1


def test_what_is_due_tomorrow_waits_for_tomorrow(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        held = step(due=local(dt.date(2026, 11, 25), dt.time(0)))
        is_away(cast.caseworker, cast.colleague)
        assert actions.pass_due_steps() == 0
    with at("2026-11-25 00:01"):
        assert actions.pass_due_steps() == 1
    assert owner_of(held) == cast.colleague


def test_the_day_is_a_swedish_day(step, cast, is_away, at):
    """23.59 in Sweden is still today, though it is tomorrow nowhere else; 00.30 is a new day, though UTC says yesterday."""
    with at("2026-11-23 09:00"):
        held = step(due=local(dt.date(2026, 11, 24), dt.time(23, 59)))
        Absence.objects.create(
            user=cast.caseworker, deputy=cast.colleague, first_day=dt.date(2026, 11, 24), last_day=dt.date(2026, 11, 24)
        )
    with at("2026-11-23 23:59"):
        assert actions.pass_due_steps() == 0
    with at("2026-11-24 00:30"):
        assert actions.pass_due_steps() == 1
    assert owner_of(held) == cast.colleague


def test_what_is_late_goes_too(step, cast, is_away, at):
    with at("2026-11-23 09:00"):
        held = step()
    with at("2026-11-24 09:00"):
        is_away(cast.caseworker, cast.colleague)
        actions.pass_due_steps()
    assert owner_of(held) == cast.colleague


def test_who_is_there_keeps_what_is_due(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        held = step()
        is_away(cast.caseworker, cast.colleague, first=1)
        assert actions.pass_due_steps() == 0
    assert owner_of(held) == cast.caseworker


def test_without_a_deputy_it_goes_to_the_manager(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        held = step()
        is_away(cast.caseworker)
        actions.pass_due_steps()
    assert owner_of(held) == cast.manager


def test_where_nobody_is_there_it_stays_and_the_managers_are_reminded(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        held = step(due=local(dt.date(2026, 11, 24), dt.time(10)))
        for user in (cast.caseworker, cast.colleague, cast.manager):
            is_away(user)
        assert actions.pass_due_steps() == 0
    with at("2026-11-24 10:01"):
        actions.fire_due_reminders()
    assert owner_of(held) == cast.caseworker
    assert {notice.user for notice in Notice.objects.filter(kind="step.due", about=str(held.pk))} == {cast.manager}


def test_a_reminder_for_who_is_away_goes_to_who_stands_in(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        held = step(due=local(dt.date(2026, 11, 24), dt.time(10)))
        is_away(cast.caseworker, cast.colleague)
    with at("2026-11-24 10:01"):
        actions.fire_due_reminders()  # though nobody has passed the step on yet
    assert {notice.user for notice in Notice.objects.filter(kind="step.due", about=str(held.pk))} == {cast.colleague}


def test_the_task_passes_on_before_it_reminds(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        held = step(due=local(dt.date(2026, 11, 24), dt.time(10)))
        is_away(cast.caseworker, cast.colleague)
    with at("2026-11-24 10:01"):
        remind()
    kinds = {(notice.user, notice.kind) for notice in Notice.objects.filter(about=str(held.pk))}
    assert kinds == {(cast.colleague, "step.passed"), (cast.colleague, "step.due")}


@pytest.mark.django_db(transaction=True)
def test_a_case_that_another_holds_waits_for_the_next_look(step, cast, is_away):
    is_away(cast.caseworker, cast.colleague)
    held = step(due=clock.now() + dt.timedelta(seconds=1))
    locked, looked = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                lock(Case(pk=held.case_id))
                locked.set()
                looked.wait(timeout=10)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(timeout=10)
    assert actions.pass_due_steps() == 0
    looked.set()
    holder.join(timeout=10)
    assert actions.pass_due_steps() == 1


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_pass_on_once(step, cast, is_away):
    is_away(cast.caseworker, cast.colleague)
    held = [step(due=clock.now() + dt.timedelta(seconds=1)) for _ in range(3)]
    barrier, passed = threading.Barrier(2), []

    def look() -> None:
        barrier.wait(timeout=10)
        try:
            passed.append(actions.pass_due_steps())
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    actions.pass_due_steps()
    assert len(passed) == 2
    assert {owner_of(one) for one in held} == {cast.colleague}
    assert Notice.objects.filter(kind="step.passed").count() == 3


# -- whose the next step is ---


def test_what_is_due_today_stays_in_the_same_hands_and_later_comes_back(make_case, cast, is_away, at):
    with at("2026-11-24 08:00"):
        case = make_case()
        evening, later = local(dt.date(2026, 11, 24), dt.time(20)), local(dt.date(2026, 11, 27), dt.time(9))
        assert whose(case, cast.caseworker, evening) == cast.caseworker
        assert whose(case, cast.colleague, evening) == cast.colleague
        assert whose(case, cast.colleague, later) == cast.caseworker
        is_away(cast.caseworker, cast.colleague, last=3)
        assert whose(case, cast.colleague, later) == cast.colleague  # still away on the 27th
        assert whose(case, cast.stranger, evening) == cast.caseworker


def test_the_deputy_opens_the_case_without_a_reason_and_does_the_step(step, cast, is_away, client_of, at):
    with at("2026-11-24 08:00"):
        held = step()
        theirs = client_of(cast.colleague)
        case = Case.objects.get(pk=held.case_id)
        assert "/reason/" in theirs.get(reverse("intake:case", args=[case.slug])).url
        is_away(cast.caseworker, cast.colleague)
        actions.pass_due_steps()
        page = theirs.get(reverse("intake:case", args=[case.slug]))
        assert page.status_code == 200
        assert "Anna is away to the end of Fri 27 Nov. Bert stands in." in page.content.decode()
        assert LogEntry.objects.filter(event="case.read", user=cast.colleague, case=case.pk).exists()
        answer = theirs.post(reverse("intake:step-done", args=[case.slug, held.pk]), {"outcome": "She is well."})
        assert answer.status_code == 302
        assert answer.url == reverse("intake:my-day")  # nothing of the case is in these hands any more
        assert "/reason/" in theirs.get(reverse("intake:case", args=[case.slug])).url


def test_the_deputys_day_says_for_whom(step, make_call, cast, is_away, client_of, at):
    with at("2026-11-24 08:00"):
        step()
        call = make_call()
        is_away(cast.caseworker, cast.colleague)
        actions.pass_due_steps()
        day = client_of(cast.colleague).get(reverse("intake:my-day")).content.decode()
        assert day.count("for Anna, away to the end of Fri 27 Nov") == 2  # the step, and the call to be finished
        assert reverse("intake:call", args=[call.pk]) in day
        others = client_of(cast.manager).get(reverse("intake:my-day")).content.decode()
        assert reverse("intake:call", args=[call.pk]) not in others


def test_who_comes_back_finds_the_rest_with_the_deputy(step, cast, is_away, at):
    with at("2026-11-24 08:00"):
        held = step()
        is_away(cast.caseworker, cast.colleague, last=0)
        actions.pass_due_steps()
    with at("2026-11-25 08:00"):
        assert actions.pass_due_steps() == 0
    assert owner_of(held) == cast.colleague


# -- the pages of the calendar ---


def fill(**other):
    day = clock.today()
    return {"first_day": (day + DAY).isoformat(), "last_day": (day + 3 * DAY).isoformat(), "deputy": "", **other}


@pytest.fixture
def calendar():
    return reverse("intake:absence-list")


def test_one_writes_ones_own_absence(cast, client_of, calendar):
    answer = client_of(cast.caseworker).post(calendar, fill(deputy=cast.colleague.pk))
    assert answer.status_code == 302
    row = Absence.objects.get()
    assert (row.user, row.deputy) == (cast.caseworker, cast.colleague)
    assert "Bert stands in" in client_of(cast.caseworker).get(calendar).content.decode()
    assert "You stand in for Anna" in client_of(cast.colleague).get(calendar).content.decode()


def test_nobody_but_a_manager_writes_for_another(cast, client_of, calendar):
    client_of(cast.caseworker).post(calendar, fill(user=cast.colleague.pk))
    assert Absence.objects.get().user == cast.caseworker
    client_of(cast.manager).post(calendar, fill(user=cast.colleague.pk))
    assert Absence.objects.get(user=cast.colleague).deputy is None


@pytest.mark.parametrize("who", ["stranger", "keeper", "partner"])
def test_a_manager_writes_for_the_unit_alone(who, cast, client_of, calendar):
    answer = client_of(cast.manager).post(calendar, fill(user=getattr(cast, who).pk))
    assert answer.status_code == 422 and not Absence.objects.exists()


@pytest.mark.parametrize(
    ("data", "field", "said"),
    [
        ({"first_day": "2026-02-30"}, "first_day", "Enter a valid date."),
        ({"last_day": "2001-01-01"}, "last_day", "The last day comes before the first."),
        ({"last_day": "9999-12-31"}, "last_day", "Choose days within two years."),
        ({"deputy": "0"}, "deputy", "Select a valid choice"),
        ({"deputy": "x\0y"}, "deputy", "Null characters are not allowed."),
    ],
)
def test_a_fault_stands_at_its_field(data, field, said, cast, client_of, calendar):
    answer = client_of(cast.caseworker).post(calendar, fill(**data))
    assert answer.status_code == 422
    assert said in str(answer.context["form"].errors[field])
    assert not Absence.objects.exists()


def test_an_absence_is_changed_and_taken_away(cast, client_of):
    row = save_absence(
        by=cast.caseworker, user=cast.caseworker, deputy=None, first_day=clock.today(), last_day=clock.today()
    )
    edit, remove = (reverse(f"intake:absence-{act}", args=[row.pk]) for act in ("edit", "remove"))
    mine = client_of(cast.caseworker)
    assert mine.get(remove).status_code == 405
    assert mine.post(edit, fill(deputy=cast.manager.pk)).status_code == 302
    assert Absence.objects.get().deputy == cast.manager
    assert client_of(cast.manager).get(edit).status_code == 200
    for who in ("colleague", "stranger", "other_manager"):
        theirs = client_of(getattr(cast, who))
        assert theirs.get(edit).status_code == theirs.post(remove).status_code == 404
    for who in ("keeper", "partner"):
        assert client_of(getattr(cast, who)).get(edit).status_code == 403
    assert mine.post(remove).status_code == 302
    assert mine.post(remove).status_code == 404
    assert not Absence.objects.exists()


def test_the_calendar_is_of_the_unit(cast, client_of, calendar, is_away):
    is_away(cast.stranger)
    for who in ("caseworker", "manager"):
        assert "Doris" not in client_of(getattr(cast, who)).get(calendar).content.decode()


def test_an_acute_case_is_told_to_who_stands_in_for_the_manager(make_case, cast, is_away):
    is_away(cast.manager, cast.colleague)
    make_case(urgency="AKUT")
    told = {notice.user for notice in Notice.objects.filter(kind="case.acute")}
    assert told == {cast.manager, cast.colleague}


def test_nobody_is_told_twice_where_the_manager_is_there(make_case, cast):
    make_case(urgency="AKUT")
    assert [notice.user for notice in Notice.objects.filter(kind="case.acute")] == [cast.manager]


# -- told, and seen where a case is handed on ---


def test_days_that_a_manager_wrote_are_new_on_the_first_page_and_lead_to_the_calendar(cast, client_of):
    days = {"first_day": clock.today() + DAY, "last_day": clock.today() + 2 * DAY}
    save_absence(by=cast.manager, user=cast.caseworker, deputy=cast.colleague, **days)
    anna = client_of(cast.caseworker)
    text = "The unit manager has written or changed when you are away"
    assert text in anna.get(reverse("intake:my-day")).content.decode()
    notice = Notice.objects.get(kind="absence.changed")
    answer = anna.get(reverse("intake:notice-open", args=[notice.pk]))
    assert (answer.status_code, answer.url) == (302, reverse("intake:absence-list"))
    assert text not in anna.get(reverse("intake:my-day")).content.decode()
    assert client_of(cast.colleague).get(reverse("intake:notice-open", args=[notice.pk])).status_code == 404


def test_who_is_away_stands_last_and_marked_where_a_case_is_handed_on(cast, make_case, is_away, client_of, at):
    with at("2026-11-24 08:00"):
        case = make_case()
        is_away(cast.colleague, first=-1, last=3)
        place = reverse("intake:case-reassign", args=[case.slug])
        choices = client_of(cast.manager).get(place).context["form"].fields["to"].choices
        assert [label for _value, label in choices] == ["Choose", "Cecilia", "Bert (away to the end of Fri 27 Nov)"]


@pytest.mark.parametrize("who", ["stranger", "keeper", "caseworker", "off"])
def test_a_refused_taker_is_refused_clearly(who, cast, make_case, client_of):
    case = make_case()
    to = cast.colleague if who == "off" else getattr(cast, who)
    if who == "off":
        type(to).objects.filter(pk=to.pk).update(is_active=False)
    answer = client_of(cast.manager).post(reverse("intake:case-reassign", args=[case.slug]), {"to": to.pk})
    assert answer.status_code == 422 and "Choose a colleague of the same unit." in answer.content.decode()
    assert Case.objects.get(pk=case.pk).owner == cast.caseworker
