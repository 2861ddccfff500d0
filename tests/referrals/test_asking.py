"""The caller is asked whether it helped: what each answer leads to, once, and a no that brings it back to the same person."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry
from intake.actions import close_case, finish_step
from intake.models import Bounce, Event
from referrals import actions, deadlines
from referrals.asking import still_asked
from referrals.labels import BRINGS_BACK, CALLER_ANSWERS
from referrals.models import CallerAnswer, Referral

NOW = "2026-11-23 10:00"


@pytest.fixture
def met(make_referral, at) -> Referral:
    """The agency has had contact, on a Monday."""
    with at(NOW):
        return make_referral("contact_made")


def place(referral) -> str:
    return f"/handovers/{referral.pk}/caller/"


def says(cast, referral, answer, **rest) -> CallerAnswer:
    made = actions.caller_says(by=cast.caseworker, referral=referral, answer=answer, **rest)
    connection.check_constraints()
    return made


def planned(referral, kind):
    return referral.case.steps.planned().get(kind=kind, about=str(referral.pk))


def closed(cast, referral) -> Referral:
    """Its case is closed, since the caller does not want to be asked."""
    says(cast, referral, "enough")
    finish_step(by=cast.caseworker, step=referral.case.steps.planned().get(), close="needs_met")
    return Referral.objects.select_related("case__key", "case__owner", "agency").get(pk=referral.pk)


# What follows
@pytest.mark.parametrize("answer", ["helped", "partly"])
def test_help_is_asked_about_again_after_a_month_and_three(met, cast, at, answer):
    met_on = dt.date(2026, 11, 23)
    for moment, mark, kind, days in [
        ("2026-11-30 10:00", "week", "ask_month", 30),
        ("2026-12-23 10:00", "month", "ask_quarter", 90),
    ]:
        with at(moment):
            assert says(cast, met, answer).mark == mark
        step = planned(met, kind)
        day = timezone.localtime(step.due_at).date()
        assert step.kept_by == "asking" and 0 <= (day - met_on).days - days <= 4  # the next working day
        assert met.case.steps.planned().filter(about=str(met.pk)).count() == 1
    with at("2027-02-22 10:00"):
        assert says(cast, met, answer).mark == "quarter"
    assert not met.case.steps.planned().filter(about=str(met.pk)).exists()
    assert met.case.steps.planned().exists()  # somebody decides what comes next


@pytest.mark.parametrize("answer", BRINGS_BACK)
@pytest.mark.parametrize("state", ["contact_made", "completed"])
def test_a_no_comes_back_to_the_same_person(make_referral, cast, answer, state):
    referral = make_referral(state)
    says(cast, referral, answer, text="Nobody has called him.")
    referral.refresh_from_db()
    assert referral.state == "failed"
    change = referral.changes.get(move="caller_no")
    assert (change.reason, change.text) == (BRINGS_BACK[answer], "Nobody has called him.")
    step = planned(referral, "choose_next")
    assert (step.owner, step.kept_by) == (cast.caseworker, "")
    assert not referral.case.steps.planned().filter(kept_by="asking").exists()
    assert not Referral.objects.for_agency_of(cast.partner).exists()


def test_who_is_not_reached_is_asked_again_and_again(met, cast, at):
    for day in ("2026-11-30", "2026-12-01", "2026-12-02"):
        with at(f"{day} 15:00"):
            says(cast, met, "not_reached")
            step = planned(met, "confirm_contact")
            assert timezone.localtime(step.due_at).strftime("%H:%M") == "09:00"
            assert timezone.localtime(step.due_at).date() == dt.date.fromisoformat(day) + dt.timedelta(days=1)
    with at("2026-12-03 09:00"):
        assert says(cast, met, "helped").mark == "week"
    assert planned(met, "ask_month")


def test_who_does_not_want_to_be_asked_is_not(met, cast):
    says(cast, met, "enough")
    assert not met.case.steps.planned().filter(about=str(met.pk)).exists()
    assert met.case.steps.planned().exists()
    assert not still_asked(met)
    with pytest.raises(TooLate, match="for the last time"):
        says(cast, met, "helped")
    assert says(cast, met, "no").mark == "later", "that it did not help is heard all the same"
    met.refresh_from_db()
    assert met.state == "failed"


def test_the_page_of_who_does_not_want_to_be_asked_says_so(met, cast, client_of):
    says(cast, met, "enough")
    html = client_of(cast.caseworker).get(f"/handovers/{met.pk}/").content.decode()
    assert "Nobody asks again." in html and "Write down what the caller answers" not in html


def test_the_answer_is_written_in_timeline_and_log(met, cast):
    says(cast, met, "partly", text="Only once.")
    event = Event.objects.get(kind="caller.answered")
    assert (event.text, event.codes["said"]) == ("Only once.", "partly")
    assert event.title == f"Asked whether {cast.agency} helped: Partly"
    row = LogEntry.objects.get(event="caller.answered")
    assert (row.user, row.row) == (cast.caseworker, str(met.pk)) and "Only once." not in str(row.codes)


def test_the_stand_in_who_has_the_step_keeps_what_is_due_today(met, cast, at):
    step = planned(met, "confirm_contact")
    met.case.steps.filter(pk=step.pk).update(owner=cast.colleague)
    with at("2026-11-30 15:00"):
        actions.caller_says(by=cast.colleague, referral=met, answer="not_reached")
    assert planned(met, "confirm_contact").owner == cast.caseworker  # tomorrow the owner is there again


def test_an_asking_of_an_older_version_ends_too(met, cast):
    for answer in ("helped", "no"):
        step = met.case.steps.planned().get(about=str(met.pk))
        met.case.steps.filter(pk=step.pk).update(kept_by="")
        says(cast, met, answer)
        step.refresh_from_db()
        assert step.state == "done"
    kinds = list(met.case.steps.planned().values_list("kind", flat=True))
    assert kinds.count("choose_next") == 1 and "own" not in kinds


# A closed case
@pytest.mark.parametrize("answer", BRINGS_BACK)
def test_a_no_opens_a_closed_case_again_with_the_same_person(met, cast, answer):
    referral = closed(cast, met)
    assert not referral.case.is_open
    says(cast, referral, answer)
    referral = Referral.objects.select_related("case__owner").get(pk=referral.pk)
    assert referral.case.is_open and referral.case.owner == cast.caseworker
    assert planned(referral, "choose_next").owner == cast.caseworker
    assert Event.objects.filter(kind="case.reopened", case=referral.case).exists()


def test_after_the_last_answer_a_no_is_still_heard(met, cast):
    for _ in deadlines.ASKED:
        says(cast, met, "helped")
    with pytest.raises(TooLate, match="last time"):
        says(cast, met, "helped")
    with pytest.raises(TooLate, match="last time"):
        says(cast, met, "not_reached")
    assert says(cast, met, "no").mark == "later"
    met.refresh_from_db()
    assert met.state == "failed"


def test_a_yes_in_a_closed_case_is_not_asked_for_and_leaves_it_closed(met, cast):
    referral = closed(cast, met)
    with pytest.raises(TooLate, match="for the last time"):
        says(cast, referral, "helped")
    referral.case.refresh_from_db()
    assert not referral.case.is_open and not referral.case.steps.planned().exists()


def test_a_case_is_closed_when_nobody_is_left_to_ask_and_not_before(met, cast):
    for step in met.case.steps.planned().exclude(about=str(met.pk)):
        finish_step(by=cast.caseworker, step=step)
    with pytest.raises(Refused, match="Ask the caller about the contact"):
        close_case(by=cast.caseworker, case=met.case, reason="needs_met")
    with pytest.raises(Refused, match="ends when you write down"):
        finish_step(by=cast.caseworker, step=planned(met, "confirm_contact"), close="needs_met")
    says(cast, met, "enough")
    finish_step(by=cast.caseworker, step=met.case.steps.planned().get(), close="needs_met")
    met.case.refresh_from_db()
    assert not met.case.is_open


# What is refused
def test_an_answer_that_is_none(met, cast):
    with pytest.raises(Refused, match="Choose what the caller says"):
        actions.caller_says(by=cast.caseworker, referral=met, answer="perhaps")


@pytest.mark.parametrize("state", ["sent", "accepted", "declined", "failed"])
def test_nobody_is_asked_before_there_was_contact_or_after_it_ended(make_referral, cast, state):
    with pytest.raises(TooLate, match="was first"):
        actions.caller_says(by=cast.caseworker, referral=make_referral(state), answer="helped")
    assert not CallerAnswer.objects.exists()


# The page
def test_the_page_says_what_follows_from_each_answer(client_of, cast, met, at):
    with at("2026-11-30 10:00"):
        answer = client_of(cast.caseworker).get(place(met))
    assert answer.status_code == 200
    then = {code: text for code, _label, text in answer.context["answers"]}
    assert list(then) == list(CALLER_ANSWERS)
    assert then["helped"] == then["partly"] == "The caller is asked again Wed 23 Dec."
    assert then["no"] == "It is yours again: you choose who can help instead."
    assert then["not_reached"] == "The caller is asked again tomorrow."
    assert then["enough"] == "The caller is not asked again about this."
    html = answer.content.decode()
    assert html.index("Before every contact") < html.index("What the caller says")
    assert f"/cases/{met.case.slug}/contact/" in html


def test_who_may_never_be_called_is_said_first(client_of, cast, make_case, make_draft):
    case = make_case()
    case.safe_contact = "Ring inte"
    case.save()
    sent = actions.send(by=cast.caseworker, referral=make_draft(case=case))
    actions.accept(by=cast.partner, referral=sent)
    actions.contact_made(by=cast.partner, referral=sent)
    assert "Ring inte" in client_of(cast.caseworker).get(place(sent)).content.decode()


def test_an_answer_on_the_page_once(client_of, cast, met):
    client = client_of(cast.caseworker)
    data = {
        "answer": "helped",
        "text": "He goes there.",
        "seen": client.get(place(met)).context["form"].initial["seen"],
    }
    assert client.post(place(met), data).headers["Location"] == f"/cases/{met.case.slug}/"
    connection.check_constraints()
    again = client.post(place(met), {**data, "text": "He likes it."})
    html = again.content.decode()
    assert again.status_code == 409 and "Anna has already written down an answer: “Got help”." in html
    assert "He likes it." in html  # given back
    assert met.caller_answers.count() == 1
    assert "He goes there." in client.get(f"/handovers/{met.pk}/").content.decode()


def test_without_an_answer_the_words_come_back(client_of, cast, met):
    answer = client_of(cast.caseworker).post(place(met), {"text": "She was out."})
    assert answer.status_code == 422 and "She was out." in answer.content.decode()
    assert not met.caller_answers.exists()


def test_who_may_ask(client_of, cast, met):
    expected = {"stranger": 404, "other_manager": 404, "partner": 403, "other_partner": 403, "keeper": 403}
    for name, status in expected.items():
        client = client_of(cast.everybody()[name])
        assert client.get(place(met)).status_code == status, name
        assert client.post(place(met), {"answer": "no"}).status_code == status, name
    given_back = client_of(cast.colleague).post(place(met), {"answer": "no", "text": "He is alone."})
    assert given_back.status_code == 403 and "He is alone." in given_back.content.decode()
    assert not met.caller_answers.exists()


def test_the_page_of_a_closed_case_asks_only_whether_it_did_not_help(client_of, cast, met):
    actions.complete(by=cast.partner, referral=met)
    referral, client = closed(cast, met), client_of(cast.caseworker)
    html = client.get(f"/handovers/{referral.pk}/").content.decode()
    assert "The caller says that it did not help" in html and place(referral) in html
    page = client.get(place(referral))
    assert [code for code, _label, _then in page.context["answers"]] == list(BRINGS_BACK)
    assert "The case is opened again" in page.content.decode()
    assert client.post(place(referral), {"answer": "enough"}).status_code == 422
    assert client.post(place(referral), {"answer": "nobody_called"}).status_code == 302
    referral.case.refresh_from_db()
    assert referral.case.is_open


def test_where_nobody_is_asked_the_page_says_so(client_of, cast, make_referral):
    page = client_of(cast.caseworker).get(place(make_referral("sent")))
    assert page.status_code == 200 and "There is nothing to ask about now." in page.content.decode()


def test_the_page_asks_as_many_questions_after_many_answers(client_of, cast, met):
    client, counts = client_of(cast.caseworker), []
    client.get(place(met))  # the session is there
    for _ in range(2):
        says(cast, met, "not_reached")
        with CaptureQueriesContext(connection) as queries:
            client.get(place(met))
        counts.append(len(queries))
    assert counts[0] == counts[1]


# Who says that nobody called was bounced: it stands in the promise of the case
def test_that_nobody_called_is_a_bounce_once(met, cast, client_of):
    made = says(cast, met, "nobody_called", text="Nobody has called me.")
    row = Bounce.objects.get()
    assert (row.cause, row.source, row.case_id) == ("nobody_called", f"nobody_called:answer:{made.pk}", met.case_id)
    assert row.codes["agency"] == cast.agency.name and "Nobody has called me" not in str(row.codes)
    with pytest.raises(TooLate):
        says(cast, met, "nobody_called")
    assert Bounce.objects.count() == 1
    html = client_of(cast.caseworker).get(f"/cases/{met.case.slug}/").content.decode()
    assert f"{cast.agency} never called the person" in html and "Promise kept" not in html


@pytest.mark.parametrize("answer", [code for code in CALLER_ANSWERS if code != "nobody_called"])
def test_no_other_answer_is_that_bounce(met, cast, answer):
    says(cast, met, answer)
    assert not Bounce.objects.filter(cause="nobody_called").exists()
