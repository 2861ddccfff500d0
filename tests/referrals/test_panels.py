"""What this floor shows on the pages of the floor below."""

import datetime as dt

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from helpline.panels import PANELS
from helpline.people import clock
from intake import triage
from intake.actions import move_step, plan_step
from intake.models import Call, Case
from referrals import actions, panels
from referrals.actions import comments
from tests.counted import statements


@pytest.fixture
def show(cast):
    """A panel as it is rendered for this person."""

    def show(panel, thing, user=None) -> str:
        request = RequestFactory().get("/")
        request.user = user or cast.caseworker
        request.session = {}
        template, context = panel(request, thing)
        return render_to_string(template, context, request=request)

    return show


def step_of(referral, kind):
    return referral.case.steps.planned().get(kind=kind, about=str(referral.pk))


def test_every_panel_of_the_table_is_here():
    for names in PANELS.values():
        assert all(callable(import_string(name)) for name in names)


def test_a_call_shows_who_can_help_under_the_need_that_asks(show, make_call, cast):
    call = make_call(caller_type="professional")
    call = Call.objects.get(pk=call.pk)
    html = show(panels.who_can_help, call)
    assert list(call.assessment.needs) == ["professional_advice"]
    assert "Advice for professionals" in html and "Avhopparstöd" in html
    assert "Nationell orostelefon" in html and "Kommunens samordnare, Falköping" in html


def test_a_call_without_a_need_says_when_there_will_be_something(show, make_call):
    assert "When the answers point to a need" in show(panels.who_can_help, make_call(caller_type=""))


def test_a_case_shows_its_referrals_and_whose_turn_it_is(show, make_referral, cast, at):
    with at("2026-11-23 10:00"):
        referral = make_referral("accepted")
        html = show(panels.referrals_of_case, referral.case)
    assert f"/handovers/{referral.pk}/" in html
    assert "Accepted" in html and "makes contact by wed 25 nov 12:00" in html.lower()


def test_a_case_without_referrals_says_so(show, make_case):
    assert "Nothing is handed over." in show(panels.referrals_of_case, make_case())


def test_a_case_asks_as_many_questions_however_many_referrals(show, make_referral, make_case):
    case, counts = make_case(), []
    needs = iter(triage.codes("needs"))
    for number in (1, 3):
        for _ in range(number):
            make_referral("sent", case=case, need=next(needs))
        with CaptureQueriesContext(connection) as queries:
            show(panels.referrals_of_case, Case.objects.select_related("key", "owner", "unit").get(pk=case.pk))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_open_case_can_be_handed_over(show, make_case):
    case = make_case()
    assert f"/cases/{case.slug}/refer/" in show(panels.actions_of_case, case)
    case.closed_at = case.opened_at
    assert show(panels.actions_of_case, case) == ""


@pytest.mark.parametrize(
    "state, kind, words",
    [
        ("sent", "await_answer", "The handover to"),
        ("accepted", "await_contact", "The handover to"),
        ("question", "answer_question", "Read and answer the question from"),
        ("contact_made", "confirm_contact", "Write down what the caller answers"),
    ],
)
def test_a_step_leads_to_its_referral_and_its_phone(show, make_referral, cast, state, kind, words):
    cast.agency.phone = "0515-88 50 00"
    cast.agency.save()
    referral = make_referral(state)
    html = show(panels.what_to_do, step_of(referral, kind))
    assert f"/handovers/{referral.pk}/" in html and words in html
    named = f'{cast.agency}: <a class="nowrap" href="tel:0515885000">'  # never a number without whose it is
    assert (named in html, "0515" in html) == ((False, False) if state == "contact_made" else (True, True))


def test_a_silent_agency_is_called_with_number_and_hours(show, make_referral, cast, at):
    cast.agency.phone = "0515-88 50 00"
    cast.agency.save()
    with at("2026-11-23 10:00"):
        referral = make_referral("sent")
    with at("2026-11-25 12:30"):
        actions.sweep()
        html = show(panels.what_to_do, step_of(referral, "call_agency"))
        assert "tel:0515885000" in html and "Open now." in html
        assert f"/handovers/{referral.pk}/#now" in html
    with at("2026-11-25 22:30"):
        assert "Closed now, opens tomorrow 08:00." in show(panels.what_to_do, step_of(referral, "call_agency"))


@pytest.mark.parametrize(
    "kind, links", [("missed_contact", ["#now", "#act-contact", "#act-withdraw"]), ("three_way_call", ["#now"])]
)
def test_before_somebody_is_called_stands_how_to_reach_them(show, make_referral, cast, kind, links):
    referral = make_referral("accepted")
    if kind == "missed_contact":
        actions.contact_missed(by=cast.partner, referral=referral)
    else:
        at = clock.now() + dt.timedelta(minutes=50)  # before that its time has not come, and the tick leads nowhere
        actions.book(by=cast.partner, referral=referral, at=at, warm=True)
    html = show(panels.what_to_do, step_of(referral, kind))
    assert f"/cases/{referral.case.slug}/contact/" in html
    assert all(f"/handovers/{referral.pk}/{link}" in html for link in links)


def test_an_asking_leads_to_the_caller_and_to_the_answer(show, make_referral):
    referral = make_referral("contact_made")
    html = show(panels.what_to_do, step_of(referral, "confirm_contact"))
    assert f"/handovers/{referral.pk}/caller/" in html and f"/cases/{referral.case.slug}/contact/" in html


def test_a_comment_leads_to_its_answer(show, make_referral, cast):
    referral = make_referral("accepted")
    comment = comments.comment(by=cast.partner, referral=referral, text="Nobody had told us his age.")
    step = referral.case.steps.planned().get(kind="answer_comment", about=str(comment.pk))
    html = show(panels.what_to_do, step)
    assert f"/handovers/{referral.pk}/#comment" in html and "his age" not in html
    assert show(panels.what_to_do, step, user=cast.stranger) == ""


def test_whom_the_agency_suggests_stands_first_and_is_marked(show, make_referral, cast):
    referral = make_referral("opened", need="family_support")
    actions.decline(by=cast.partner, referral=referral, reason="no_capacity", suggested=cast.other_agency)
    html = show(panels.what_to_do, step_of(referral, "choose_next"))
    assert f"Suggested by {cast.agency}" in html
    assert html.index(cast.other_agency.name) < html.index("Suggested by")
    assert html.count('name="agency"') >= 1 and f'name="agency" value="{cast.agency.pk}"' not in html


def test_after_a_decline_the_next_best_are_one_press_away(show, client_of, make_referral, cast):
    referral = make_referral("declined", need="family_support")
    referral.case.needs = ["family_support"]
    referral.case.save()
    html = show(panels.what_to_do, step_of(referral, "choose_next"))
    assert cast.other_agency.name in html and f'name="agency" value="{cast.agency.pk}"' not in html
    answer = client_of(cast.caseworker).post(
        f"/cases/{referral.case.slug}/refer/",
        {"agency": cast.other_agency.pk, "need": "family_support", "instead": referral.pk},
    )
    draft = referral.case.referrals.get(state="draft")
    assert answer.headers["Location"] == f"/handovers/{draft.pk}/"
    assert draft.happened == referral.happened


def test_a_step_that_no_referral_left_shows_nothing(show, make_case):
    assert show(panels.what_to_do, make_case().steps.planned().get()) == ""


def test_a_step_of_another_unit_shows_nothing(show, make_referral, cast):
    step = step_of(make_referral("declined"), "choose_next")
    assert show(panels.what_to_do, step, user=cast.stranger) == ""


def moved(referral, cast):
    step = step_of(referral, "choose_next")
    return move_step(by=cast.caseworker, step=step, due_at=clock.now() + dt.timedelta(days=2))


def test_a_moved_choice_keeps_its_handover(client_of, make_referral, make_draft, cast):
    declined = make_referral("declined")
    again = moved(declined, cast)
    connection.check_constraints()
    assert (again.about, again.others_turn) == (str(declined.pk), False)
    html = client_of(cast.caseworker).get(f"/cases/{declined.case.slug}/").content.decode()
    assert "Who else can help with" in html
    actions.send(by=cast.caseworker, referral=make_draft(case=declined.case))
    assert not declined.case.steps.planned().filter(kind="choose_next").exists()


@pytest.mark.parametrize("about", ["", "of something else", "12"])
@pytest.mark.parametrize("kind", ["choose_next", "await_answer", "answer_comment", "ask_signposted"])
def test_a_step_that_says_not_whose_it_is_breaks_no_page(client_of, show, make_referral, cast, kind, about):
    """Moved before a moved step kept what it is about."""
    referral = make_referral("declined")
    step = step_of(referral, "choose_next")
    referral.case.steps.filter(pk=step.pk).update(kind=kind, about=about)
    step.refresh_from_db()
    assert show(panels.what_to_do, step) == ""
    assert client_of(cast.caseworker).get(f"/cases/{referral.case.slug}/").status_code == 200


def test_a_case_asks_as_many_questions_however_many_steps(client_of, make_referral, cast):
    referral = make_referral("declined")
    client, place = client_of(cast.caseworker), f"/cases/{referral.case.slug}/"

    def more(kinds):
        for kind in kinds:
            due = clock.now() + dt.timedelta(days=1)
            plan_step(by=cast.caseworker, case=referral.case, kind=kind, due_at=due, about=str(referral.pk), agency="x")

    more(["call_agency"])
    one = statements(client, place)
    more(["choose_next"] * 4 + ["call_agency"] * 3)
    eight = statements(client, place)
    assert len(eight) == len(one) <= 19, one
    html = client.get(place).content.decode()
    assert html.count("Show all agencies") == 1 and html.count("Who else can help with") == 5
