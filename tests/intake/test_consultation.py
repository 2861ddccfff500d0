"""A professional who asks for advice without identity: a kind of call of its own."""

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people.errors import Refused
from intake import actions

NAME = "Consultation without identity"
MODE = {"p_mode": "deidentified"}
SAID = {**MODE, "p_advised": "Keep talking with him.", "p_they_do": "The team meets on Friday."}


@pytest.fixture
def consult(make_call):
    def make(answers=SAID, **facts):
        return make_call(caller_type="professional", answers=answers, urgency="NORMAL", **facts)

    return make


def test_it_is_told_by_caller_and_purpose(make_call, consult):
    assert consult().is_consultation and consult().type_name == NAME
    assert not make_call(caller_type="relative", answers=MODE).is_consultation
    assert not consult(answers={"p_mode": "report"}).is_consultation
    assert not consult(answers={}).is_consultation
    assert consult(answers={}).consultation == []


def test_what_is_read_aloud_at_the_end(consult):
    lines = dict(consult().consultation)
    assert lines["Advice given"] == "Keep talking with him."
    assert lines["They do themselves"] == "The team meets on Friday."
    assert "does not replace a report" in lines["Not a report"]
    assert dict(consult(answers=MODE).consultation)["Advice given"] == ""


def keys(client, call):
    page = client.get(reverse("intake:call", args=[call.pk])).context["page"]
    return {line.question.key for line in page.questions}


def test_its_questions_come_with_the_answer_and_stay_when_answered(consult, client_of, cast):
    client = client_of(cast.caseworker)
    three = {"p_advised", "p_they_do", "p_not_report"}
    assert not keys(client, consult(answers={})) & {*three, "p_not_anonymous"}
    assert keys(client, consult(answers=MODE)) & {*three, "p_not_anonymous"} == three
    reporting = consult(answers={"p_mode": "report", "p_advised": "Said before."})
    assert keys(client, reporting) & {*three, "p_not_anonymous"} == {"p_advised", "p_not_anonymous"}


def test_the_count_of_answered_questions_follows(consult, client_of, cast):
    client = client_of(cast.caseworker)
    street = reverse("intake:call", args=[consult(answers={}).pk])
    before = client.get(street).context["page"].asked
    page = client.get(reverse("intake:call", args=[consult().pk])).context["page"]
    assert (page.asked, page.asked_answered) == (before + 3, 3)


def test_who_reports_is_told_that_there_is_no_anonymity(consult, client_of, cast):
    call = consult(answers={"p_mode": "report"})
    page = client_of(cast.caseworker).get(reverse("intake:call", args=[call.pk])).content.decode()
    assert "you cannot be anonymous" in page and NAME.lower() not in page


def test_the_page_the_timeline_and_the_lists_name_it(consult, client_of, cast):
    client, call = client_of(cast.caseworker), consult()
    assert NAME.lower() in client.get(reverse("intake:call", args=[call.pk])).content.decode()
    assert NAME.lower() in client.get(reverse("intake:my-day")).content.decode()
    case = actions.complete_call(by=cast.caseworker, call=call).case
    connection.check_constraints()
    assert case.is_consultation and case.caller_name == NAME
    event = case.events.get(kind="call.consulted")
    assert event.title.startswith(NAME)
    page = client.get(reverse("intake:case", args=[case.slug])).content.decode()
    assert event.title in page and "Keep talking with him." in page
    assert event.title in client.get(reverse("intake:case", args=[case.slug]), {"show": "contacts"}).content.decode()
    assert NAME.lower() in client.get(reverse("intake:case-list")).content.decode().lower()


@pytest.mark.parametrize("track", ["B", "C"])
def test_it_stays_on_the_track_without_identity(consult, cast, track):
    call = consult(track=track)
    with pytest.raises(Refused, match="stays on track A") as refused:
        actions.complete_call(by=cast.caseworker, call=call)
    assert refused.value.at == "track"
    call = actions.save_call(by=cast.caseworker, call=call, facts={"track": "A"})
    case = actions.complete_call(by=cast.caseworker, call=call).case
    assert case.track == "A" and not case.people.exclude(name=b"").exists()


def test_a_report_by_a_professional_is_none(consult, cast):
    call = consult(answers={"p_mode": "report"}, track="C", actualisation="yes", actualisation_reason="A child.")
    case = actions.complete_call(by=cast.caseworker, call=call).case
    assert not case.is_consultation and case.caller_name != NAME
    assert case.events.filter(kind="call.completed").exists()
