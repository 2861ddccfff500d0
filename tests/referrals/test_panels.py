"""What this floor shows on the pages of the floor below."""

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from helpline.panels import PANELS
from intake.models import Call
from referrals import panels


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
    for number in (1, 3):
        for _ in range(number):
            make_referral("sent", case=case)
        with CaptureQueriesContext(connection) as queries:
            show(panels.referrals_of_case, case)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_open_case_can_be_handed_over(show, make_case):
    case = make_case()
    assert f"/cases/{case.slug}/refer/" in show(panels.actions_of_case, case)
    case.closed_at = case.opened_at
    assert show(panels.actions_of_case, case) == ""


def test_the_promise_counts_what_came_back_and_no_drafts(show, make_case, make_referral):
    case = make_case()
    assert "No handover has come back" in show(panels.promise_of_case, case)
    for state in ("draft", "sent", "declined", "expired"):
        make_referral(state, case=case)
    html = show(panels.promise_of_case, case)
    assert "2 handovers have come back" in html and "3 handovers in all." in html


@pytest.mark.parametrize(
    "state, kind, words",
    [
        ("sent", "await_answer", "The handover to"),
        ("accepted", "await_contact", "The handover to"),
        ("question", "answer_question", "Read and answer the question from"),
        ("contact_made", "confirm_contact", "The handover to"),
    ],
)
def test_a_step_leads_to_its_referral_and_its_phone(show, make_referral, cast, state, kind, words):
    referral = make_referral(state)
    html = show(panels.what_to_do, step_of(referral, kind))
    assert f"/handovers/{referral.pk}/" in html and words in html and cast.agency.phone in html


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
