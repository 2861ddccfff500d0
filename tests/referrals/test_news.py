"""What agencies have answered, on the first page of who waits for it; and a three-way call in the week."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.models import LogEntry, Notice
from intake import actions as ours
from intake.models import Case, FollowUp
from intake.week import monday_of, week_of
from referrals import actions

pytestmark = pytest.mark.django_db
URL = "/my-day/"


@pytest.fixture
def sent(cast, make_case, make_draft):
    def one(**facts):
        case = make_case(**facts)
        return actions.send(by=cast.caseworker, referral=make_draft(case=case))

    return one


def page(client_of, cast) -> str:
    return client_of(cast.caseworker).get(URL).content.decode()


def test_who_answered_and_what_follows(client_of, cast, sent):
    held = sent()
    actions.accept(by=cast.partner, referral=held, handled_by="Frida")
    connection.check_constraints()
    shown = page(client_of, cast)
    assert "One answer has come." in shown and "New answers" in shown
    assert f"{cast.agency.name} accepted the handover" in shown and "they make contact by" in shown
    assert "Read the answer" in shown and "Frida" not in shown


def test_a_question_waits_for_our_answer(client_of, cast, sent):
    actions.ask_question(by=cast.partner, referral=sent(), text="Is Fatima his mother?")
    shown = page(client_of, cast)
    assert f"{cast.agency.name} asks a question" in shown and "their time stands still until you answer" in shown
    assert ">Answer<" in shown and "Fatima" not in shown


def test_of_a_protected_case_nothing(client_of, cast, sent):
    actions.accept(by=cast.partner, referral=sent(protection="secrecy_marking", track="B"))
    shown = page(client_of, cast)
    assert cast.agency.name not in shown and "Protected data" in shown


def listed(user) -> list[str]:
    return LogEntry.objects.filter(event="cases.listed", user=user).latest("id").codes["cases"]


def test_an_answer_that_is_told_is_a_reading(client_of, cast, sent):
    held = sent()
    actions.accept(by=cast.partner, referral=held)
    steps = FollowUp.objects.planned().filter(case=held.case_id)
    steps.update(owner=cast.colleague)  # nothing but the answer leads to the case
    assert cast.agency.name in page(client_of, cast)
    assert listed(cast.caseworker) == [str(held.case_id)]


def test_who_handed_the_case_on_is_told_no_agency_and_no_time(client_of, cast, sent):
    held = sent()
    actions.accept(by=cast.partner, referral=held)
    case = Case.objects.get(pk=held.case_id)
    ours.reassign_case(by=cast.manager, case=case, to=cast.colleague, handover="All.")
    connection.check_constraints()
    shown = page(client_of, cast)
    assert cast.agency.name not in shown and "they make contact by" not in shown
    assert Notice.objects.filter(user=cast.caseworker, case=case.pk).exists() and "New answers" not in shown
    assert str(case) in shown  # that something has come is told
    assert not LogEntry.objects.filter(event="cases.listed", user=cast.caseworker, codes__cases__contains=str(case.pk))


@pytest.mark.parametrize("has_step", [False, True])
def test_who_stands_in_is_told_of_what_they_have_a_step_in(client_of, cast, sent, has_step):
    held = sent()
    today = {"first_day": clock.today(), "last_day": clock.today()}
    save_absence(by=cast.caseworker, user=cast.caseworker, deputy=cast.colleague, **today)
    actions.accept(by=cast.partner, referral=held)
    FollowUp.objects.planned().filter(owner=cast.colleague).update(owner=cast.caseworker)
    if has_step:
        FollowUp.objects.planned().filter(case=held.case_id).update(owner=cast.colleague)
    assert Notice.objects.filter(user=cast.colleague, case=held.case_id).exists()
    shown = client_of(cast.colleague).get(URL).content.decode()
    assert (cast.agency.name in shown) is ("they make contact by" in shown) is has_step


def test_statements_do_not_grow_with_the_answers(client_of, cast, sent):
    client = client_of(cast.caseworker)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(URL)
        return len([one for one in queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    actions.accept(by=cast.partner, referral=sent())
    count()
    few = count()
    for _ in range(3):
        actions.accept(by=cast.partner, referral=sent())
    assert count() == few <= 10


def test_a_three_way_call_stands_once_in_the_week_at_its_time(cast, sent, at):
    with at("2026-11-23 09:00"):
        held = sent()
        actions.accept(by=cast.partner, referral=held)
        when = clock.now() + dt.timedelta(days=1, hours=6, minutes=30)
        actions.book(by=cast.partner, referral=held, at=when, warm=True)
        connection.check_constraints()
        week = week_of(cast.caseworker, monday_of(clock.today()))
        found = [entry for day in week.days for entry in day.entries if "Three-way" in entry.what]
        [entry] = found
        assert (entry.at, entry.is_exact) == (when, True) and cast.agency.name in entry.what
        assert week.days[1].entries == found
