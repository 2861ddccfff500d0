"""Choosing who can help instead: not dropped without a word, and said as what it was."""

import datetime as dt
import re

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.errors import Refused
from intake import actions as intake
from referrals import actions
from referrals.models import Referral

SAYS = "She wants nobody now, and calls us herself."


def choose_of(referral):
    return referral.case.steps.planned().get(kind="choose_next", about=str(referral.pk))


def done(referral) -> str:
    return f"/cases/{referral.case.slug}/steps/{choose_of(referral).pk}/done/"


def case_page(client, referral) -> str:
    return client.get(f"/cases/{referral.case.slug}/").content.decode()


def test_a_need_is_not_dropped_by_two_presses(client_of, cast, make_referral):
    referral = make_referral("declined")
    intake.plan_step(
        by=cast.caseworker, case=referral.case, what="Call her.", due_at=clock.now() + dt.timedelta(days=2)
    )
    client, place = client_of(cast.caseworker), done(referral)
    assert "write why" in client.get(place).content.decode()
    for nothing in ("", "   "):
        answer = client.post(place, {"outcome": nothing, "close": ""})
        assert answer.status_code == 422 and "write why" in str(answer.context["form"].errors["outcome"])
        assert choose_of(referral)
    with pytest.raises(Refused, match="write why"):
        intake.finish_step(by=cast.caseworker, step=choose_of(referral), close="needs_met")
    assert client.post(place, {"outcome": SAYS, "close": ""}).status_code == 302
    connection.check_constraints()
    step = referral.case.steps.get(kind="choose_next")
    assert (step.state, step.outcome) == ("done", SAYS)
    assert referral.case.events.get(kind="step.done", codes__step="choose_next").text == SAYS


def test_sending_to_another_ends_it_without_more_words(cast, make_referral, make_draft):
    referral = make_referral("declined")
    actions.send(by=cast.caseworker, referral=make_draft(case=referral.case, agency=cast.other_agency))
    connection.check_constraints()
    assert not referral.case.steps.planned().filter(kind="choose_next").exists()


def test_another_step_is_still_done_without_words(cast, make_case):
    case = make_case()
    intake.plan_step(by=cast.caseworker, case=case, what="Call her.", due_at=clock.now() + dt.timedelta(days=2))
    intake.finish_step(by=cast.caseworker, step=case.steps.planned().get(kind="first_step"))
    connection.check_constraints()


def test_a_choice_that_is_moved_to_another_day_is_still_about_its_handover(cast, make_referral):
    referral = make_referral("declined")
    intake.move_step(by=cast.caseworker, step=choose_of(referral), due_at=clock.now() + dt.timedelta(days=3))
    assert choose_of(referral).about == str(referral.pk)


def filled(html: str) -> list[str]:
    found = re.findall(r"<(?:a|button) class=\"btn btn-primary[^>]*>(.*?)</(?:a|button)>", html, re.S)
    return [re.sub(r"<[^>]+>|\s+", " ", text).strip() for text in found]


def test_choosing_is_the_filled_button_and_done_is_not(client_of, cast, make_referral):
    referral = make_referral("declined", need="family_support")
    intake.finish_step(by=cast.caseworker, step=referral.case.steps.planned().get(kind="first_step"))
    page = case_page(client_of(cast.caseworker), referral)
    buttons = filled(page[page.index("<main") :])  # the bar above has a button of its own
    assert [text.split()[0] for text in buttons] == ["Choose"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("declined", "Why {} said no"),
        ("expired", "{} did not answer: see what was done"),
        ("withdrawn", "Why we took it back from {}"),
    ],
)
def test_what_came_back_is_said_as_it_was(client_of, cast, make_referral, state, words):
    html = case_page(client_of(cast.caseworker), make_referral(state))
    assert words.format(cast.agency) in html and "did not help" not in html


@pytest.mark.parametrize("unwanted", ["changed_mind", "withdrew", "consent"])
def test_who_took_it_back_is_asked_first_whether_they_want_anybody(client_of, cast, make_referral, unwanted):
    referral = make_referral("accepted")
    if unwanted == "changed_mind":
        actions.withdraw(by=cast.caseworker, referral=referral, reason="changed_mind")
    elif unwanted == "withdrew":
        actions.fail(by=cast.partner, referral=referral, reason="withdrew")
    else:
        actions.withdraw_consent(by=cast.caseworker, consent=referral.consent)
    client = client_of(cast.caseworker)
    for html in (case_page(client, referral), client.get(f"/handovers/{referral.pk}/").content.decode()):
        assert "First ask the person whether they want anybody at all." in html
        assert "has not agreed to it" in html and "comes along into the new draft" not in html
        assert not any(text.startswith(("Choose", "Show who")) for text in filled(html))
    draft = actions.draft_referral(
        by=cast.caseworker, case=referral.case, agency=cast.other_agency, need=referral.need, instead=referral
    )
    assert draft.approved_at is None and draft.consent is None


def test_who_only_got_a_no_is_not_asked_that(client_of, cast, make_referral):
    html = case_page(client_of(cast.caseworker), make_referral("declined"))
    assert "First ask the person" not in html and "comes along into the new draft" in html


def test_the_first_contact_is_offered_for_later_than_the_answer_is_due(client_of, cast, make_referral, at):
    from referrals import deadlines
    from referrals.forms.owner import AcceptedForm
    from referrals.forms.portal import AcceptForm, HoldForm

    with at("2026-11-23 10:00"):
        referral = make_referral("sent")
        Referral.objects.filter(pk=referral.pk).update(urgency="BRADSKANDE")
        referral.refresh_from_db()
        due = deadlines.answer_due("BRADSKANDE", clock.now(), referral.agency)
        for form in (AcceptedForm(referral=referral), AcceptForm(referral=referral)):
            offered = form.initial["contact_by"]
            assert due < offered and clock.local_date(offered) == clock.local_date(due)
        assert deadlines.first_contact("AKUT", clock.now()) == deadlines.answer_due("AKUT", clock.now())
    with at("2026-11-22 10:00"):  # a Sunday
        assert HoldForm(referral=referral).initial["until"] == dt.date(2026, 11, 30)
