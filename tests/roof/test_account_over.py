"""Whose time-boxed account has ended hears nothing, gets nothing and counts as nobody who could act: others stand in."""

import datetime as dt

import pytest

from helpline.log_review import responsible, reviewers
from helpline.people import clock
from helpline.people.absences import colleagues, leaders, on_duty, stand_ins
from helpline.people.errors import Refused
from helpline.people.models import LogReview, Notice, User, in_use
from intake import actions
from intake.tasks import remind

LAST_DAY, AFTER = dt.date(2026, 11, 20), "2026-11-25 10:00"


def over(user) -> None:
    User.objects.filter(pk=user.pk).update(access_until=LAST_DAY)
    user.refresh_from_db()


def test_on_the_last_day_it_is_in_use_and_the_day_after_it_is_not(cast, at):
    over(cast.caseworker)
    for moment, used in {"2026-11-20 23:59": True, "2026-11-21 00:00": False}.items():
        with at(moment):
            rows = User.objects.filter(in_use(), pk=cast.caseworker.pk)
            assert (rows.exists(), cast.caseworker.is_in_use) == (used, used)


def test_who_is_switched_off_is_not_in_use(cast):
    User.objects.filter(pk=cast.caseworker.pk).update(is_active=False)
    assert not User.objects.filter(in_use(), pk=cast.caseworker.pk).exists()


def test_others_stand_in(cast, at):
    over(cast.caseworker)
    with at(AFTER):
        assert not on_duty(cast.caseworker, clock.today())
        assert cast.caseworker not in stand_ins(cast.caseworker, clock.today())
        assert cast.caseworker not in colleagues(cast.colleague)


def test_the_first_reminder_of_a_step_reaches_somebody_who_can_log_in(cast, at, make_case):
    with at("2026-11-19 10:00"):
        step = make_case().steps.get()
        actions.move_step(by=cast.caseworker, step=step, due_at=clock.now() + dt.timedelta(days=6), why="Later.")
    over(cast.caseworker)
    Notice.objects.all().delete()
    with at("2026-11-25 10:01"):
        remind()
    assert set(Notice.objects.values_list("user__username", flat=True)) - {cast.caseworker.username}


def test_a_manager_leads_no_longer(cast, at):
    over(cast.manager)
    with at(AFTER):
        assert cast.manager not in leaders(cast.unit.pk, clock.today())


def test_no_case_is_given_to_them(cast, at, make_case):
    with at("2026-11-19 10:00"):
        case = make_case()
    over(cast.colleague)
    with at(AFTER), pytest.raises(Refused):
        actions.reassign_case(by=cast.manager, case=case, to=cast.colleague)
    case.refresh_from_db()
    assert case.owner == cast.caseworker


def test_a_case_of_their_call_is_whose_opens_it(cast, at, make_call):
    with at("2026-11-19 10:00"):
        call = make_call(track="B", urgency="NORMAL", urgency_reason="-", caller_type="other")
    over(cast.caseworker)
    with at(AFTER):
        actions.complete_call(by=cast.colleague, call=call, open_a_case=True)
    call.refresh_from_db()
    assert call.case is not None and call.case.owner == cast.colleague


def test_they_review_no_log(cast, at):
    over(cast.reviewer)
    over(cast.manager)
    review = LogReview.objects.create(unit=cast.unit, month=dt.date(2026, 10, 1), due_on=dt.date(2026, 11, 13))
    with at(AFTER):
        assert not reviewers().exists()
        assert not {cast.manager, cast.reviewer} & set(responsible(review))


def test_an_agency_whose_only_account_is_over_has_none(cast, at):
    cast.agency.mailbox = ""
    over(cast.partner)
    with at("2026-11-20 10:00"):
        assert cast.agency.has_accounts and cast.agency.gets_mail
    with at(AFTER):
        assert not cast.agency.has_accounts
        assert not cast.agency.gets_mail
