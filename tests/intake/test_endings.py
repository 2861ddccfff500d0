"""Somebody whose access ends with cases or steps in hand: others are told in time, and nothing is in nobody's hands."""

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.absences import colleagues, leaders, on_duty, stand_ins
from helpline.people.endings import endings, tell_of_endings
from helpline.people.models import Absence, Notice, Role, User
from helpline.people.workdays import local
from intake import actions
from intake.models import Case, FollowUp
from intake.standing_in import calls_in_hand, say_away
from intake.tasks import remind

DAY = dt.timedelta(days=1)
NEAR, OVER = "access.ending", "access.ended"


def ends(user: User, days: int) -> User:
    """The last day of access is so many days from today."""
    user.access_until = clock.today() + days * DAY
    user.save()
    return user


@pytest.fixture
def held(make_case, cast) -> FollowUp:
    """A case of Anna's with a step that is due this evening."""
    due = local(clock.today() + DAY, dt.time()) - dt.timedelta(minutes=1)
    return actions.plan_step(by=cast.caseworker, case=make_case(urgency="NORMAL"), what="Call", due_at=due)


def told(kind: str) -> list[User]:
    return [row.user for row in Notice.objects.filter(kind=kind).order_by("user")]


def test_what_is_due_after_the_last_day_goes_to_the_managers(held, cast):
    ends(cast.caseworker, 0)
    remind()
    assert FollowUp.objects.get(pk=held.pk).owner == cast.caseworker  # the last day is a day
    ends(cast.caseworker, -1)
    remind()
    connection.check_constraints()
    assert FollowUp.objects.get(pk=held.pk).owner == cast.manager
    assert Notice.objects.filter(kind="step.passed", user=cast.manager).count() == 1
    remind()
    assert Notice.objects.filter(kind="step.passed").count() == 1
    case = Case.objects.get(pk=held.case_id)
    assert "ended on" in say_away(case.owner) and "Cecilia stands in" in say_away(case.owner)


def test_a_deputy_of_an_absence_that_goes_on_comes_before_the_managers(held, cast):
    days = {"first_day": clock.today() - 3 * DAY, "last_day": clock.today() + 3 * DAY}
    Absence.objects.create(user=cast.caseworker, deputy=cast.colleague, **days)
    ends(cast.caseworker, -1)
    remind()
    assert FollowUp.objects.get(pk=held.pk).owner == cast.colleague


def test_whose_access_has_ended_stands_in_for_nobody(cast):
    ends(cast.colleague, -1)
    Absence.objects.create(user=cast.caseworker, deputy=cast.colleague, first_day=clock.today(), last_day=clock.today())
    assert not on_duty(cast.colleague, clock.today())
    assert stand_ins(cast.caseworker, clock.today()) == [cast.manager]
    assert cast.colleague not in colleagues(cast.caseworker)
    ends(cast.manager, -1)
    assert cast.manager not in leaders(cast.unit.pk, clock.today())


def test_an_unfinished_call_is_in_the_hands_of_who_leads(make_call, cast):
    call = make_call()
    ends(cast.caseworker, -1)
    assert calls_in_hand(cast.manager) == [call]


@pytest.mark.parametrize(("days", "kind"), [(8, ""), (7, NEAR), (1, NEAR), (0, OVER), (-1, OVER), (-30, OVER)])
def test_the_managers_are_told_a_week_before_and_on_the_day(days, kind, held, cast):
    ends(cast.caseworker, days)
    tell_of_endings()
    tell_of_endings()
    assert {known: told(known) for known in (NEAR, OVER)} == {
        known: [cast.manager] if known == kind else [] for known in (NEAR, OVER)
    }


def test_each_is_told_once_and_another_last_day_is_told_anew(held, cast, at):
    with at("2026-11-24 08:00"):
        cast.caseworker.access_until = dt.date(2026, 11, 30)
        cast.caseworker.save()
        assert (tell_of_endings(), tell_of_endings()) == (1, 0)
    with at("2026-11-30 08:00"):
        assert (tell_of_endings(), tell_of_endings()) == (1, 0)
        cast.caseworker.access_until = dt.date(2026, 12, 4)
        cast.caseworker.save()
        assert tell_of_endings() == 1
    assert len(told(NEAR)) == 2 and len(told(OVER)) == 1


def test_nobody_is_told_where_nothing_is_in_hand(cast):
    ends(cast.caseworker, 0)
    assert list(endings()) == [] and tell_of_endings() == 0


def test_of_a_manager_another_manager_hears_else_the_colleagues_else_the_keeper(make_case, cast):
    make_case(by=cast.manager)
    ends(cast.manager, 3)
    tell_of_endings()
    assert told(NEAR) == [cast.caseworker, cast.colleague]
    Notice.objects.all().delete()
    second = User.objects.create(username="second", role=Role.MANAGER, unit=cast.unit)
    tell_of_endings()
    assert told(NEAR) == [second]
    Notice.objects.all().delete()
    User.objects.filter(unit=cast.unit).exclude(pk=cast.manager.pk).update(is_active=False)
    tell_of_endings()
    assert told(NEAR) == [cast.keeper]


def test_no_mail_follows_whose_access_has_ended(held, cast):
    ends(cast.caseworker, -1)
    actions.plan_step(by=cast.manager, case=held.case, what="Call", due_at=clock.now())
    assert not Notice.objects.filter(user=cast.caseworker).exclude(mail=Notice.Mail.NONE).exists()


def test_the_manager_sees_it_and_the_notice_leads_there(held, cast, client_of):
    ends(cast.caseworker, 3)
    remind()
    manager = client_of(cast.manager)
    page = manager.get(reverse("intake:my-day")).content.decode()
    assert "access ends within a week" in page
    notice = Notice.objects.get(kind=NEAR)
    answer = manager.get(reverse("intake:notice-open", args=[notice.pk]))
    assert answer.url == reverse("intake:absence-list")
    page = manager.get(answer.url).content.decode()
    assert "Anna" in page and "1 open case" in page
    assert "1 open case" not in client_of(cast.colleague).get(reverse("intake:absence-list")).content.decode()
    other = client_of(cast.other_manager).get(reverse("intake:absence-list")).content.decode()
    assert "Access that ends" not in other
