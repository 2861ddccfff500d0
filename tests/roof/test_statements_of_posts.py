"""How many statements the posts make that a caller waits for on the line. What begins and ends a transaction is not counted,
as at the bench; session, user and the log's rows are."""

import uuid

import pytest
from django.db import connection
from django.urls import reverse

from helpline.bench.counting import Tally
from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from helpline.people.sealed import DataKey
from intake.actions import add_note, calls, start_call
from intake.forms.windows import mark
from intake.models import Call, Case, Event, Note
from intake.reference import municipalities

pytestmark = pytest.mark.django_db
# All that a call of a case with its step needs on the page's last form, but for the words.
FACTS = {"caller_type": "relative", "urgency": "NORMAL", "confirm": "NORMAL", "open_case": "yes", "track": "A"}
LAST = {**FACTS, "actualisation": "no", "actualisation_reason": "Rådgivning.", "what": "Ringa upp i morgon."}
NOTES = {f"n.{kind}": f"Hon säger {kind}." for kind in ("told", "seen", "assessment")}


@pytest.fixture
def post(cast, client_of):
    """Post as the caseworker: what the answer was, and its statements."""
    browser = client_of(cast.caseworker)
    browser.get(reverse("intake:my-day"))  # the session has begun, and what is read once in a process is read

    def counted(path, data, **headers):
        tally = Tally()
        with connection.execute_wrapper(tally):
            answer = browser.post(path, data, **headers)
        connection.check_constraints()
        return answer, tally.statements

    return counted


@pytest.fixture
def call(cast):
    made = start_call(by=cast.caseworker)
    assert made.guide and municipalities()  # read once in a process
    return made


def url(name, call):
    return reverse(f"intake:{name}", args=[call.pk])


def at_most(most, statements):
    assert len(statements) <= most, "\n".join(statement[:150] for statement in statements)


def test_a_call_is_opened(post):
    for data in ({}, {"token": str(uuid.uuid4())}):
        answer, statements = post("/calls/start/", data)
        assert answer.status_code == 303
        at_most(6, statements)
    assert Call.objects.count() == 2 and LogEntry.objects.filter(event="call.started").count() == 2


def test_a_call_is_saved_and_its_page_comes_back(post, cast, call):
    before = ""
    for words in ("Hon hör av sig om sin bror", "Hon hör av sig om sin bror, som är borta"):
        sent = {"who": str(cast.caseworker.pk), "n.told": words, "base.n.told": mark(before)}
        answer, statements = post(url("call-save", call), sent, HTTP_HX_REQUEST="true")
        assert answer.status_code == 200 and words in answer.content.decode()
        at_most(16, statements)
        before = words
    assert Note.objects.get().text == before


def test_many_answers_and_notes_cost_a_save_no_more_than_one(post, cast, call):
    keys = [question.key for question in call.guide.sets["acute"]]
    assert len(keys) > 3
    sent = {"who": str(cast.caseworker.pk), **NOTES, **{f"a.{key}": "no" for key in keys}}
    answer, statements = post(url("call-save", call), sent, HTTP_HX_REQUEST="true")
    assert answer.status_code == 200
    found = Call.objects.get()
    assert found.answers.count() == len(keys) and found.notes.count() == 3
    at_most(17, statements)


@pytest.mark.parametrize("notes", [{}, NOTES])
def test_a_call_is_completed_with_a_case_and_its_step(post, call, notes):
    answer, statements = post(url("call-complete", call), {**LAST, **notes})
    assert answer.status_code == 303
    at_most(22 + 2 * bool(notes), statements)
    case = Case.objects.get()
    assert case.steps.count() == 1 and case.people.count() == 2
    assert not case.calls.get().notes.filter(signed_at=None).exists()
    # each line of the timeline has its row of the log
    kinds = sorted(case.events.values_list("kind", flat=True))
    assert kinds == sorted(LogEntry.objects.filter(case=case.pk).values_list("event", flat=True))
    assert len(kinds) == 5 + len(notes)


def test_the_log_has_the_order_of_the_timeline(post, call):
    post(url("call-complete", call), {**LAST, **NOTES})
    case = Case.objects.get()
    told = list(Event.objects.filter(case=case).order_by("at", "id").values_list("kind", flat=True))
    assert told == list(LogEntry.objects.filter(case=case.pk).order_by("pk").values_list("event", flat=True))
    assert told[0] == "call.completed" and told[-1] == "step.planned"


def test_a_completing_that_is_refused_leaves_its_words_and_no_line(post, call, monkeypatch):
    """Refused when the case is opened: with it goes all that was waiting to be written, and the page shows the call as it is."""

    def refuse(by, call):
        raise Refused("Not so.")

    monkeypatch.setattr(calls, "CAME_TO_CASE", [refuse])
    answer, _statements = post(url("call-complete", call), {**LAST, **NOTES})
    assert answer.status_code == 422 and "Not so." in answer.content.decode()
    call.refresh_from_db()
    assert not call.is_finished and call.notes.count() == 3 and call.caller_type == "relative"
    assert not Case.objects.exists() and not Event.objects.exists() and DataKey.objects.count() == 1
    assert not LogEntry.objects.filter(event__in=["call.completed", "case.opened", "step.planned"]).exists()
    assert "Ringa upp i morgon." in answer.content.decode()


def test_a_note_on_a_case(post, make_case):
    case = make_case(urgency="NORMAL")
    answer, statements = post(reverse("intake:note-add", args=[case.slug]), {"kind": "seen", "text": "Inget svar."})
    assert answer.status_code == 302 and case.notes.get().text == "Inget svar."
    at_most(10, statements)


def test_a_case_number_is_searched(post, make_case):
    case = make_case(urgency="NORMAL")
    post("/search/", {"term": case.slug})  # the first in an hour begins the count
    answer, statements = post("/search/", {"term": case.slug})
    assert answer.status_code == 302
    at_most(5, statements)


def test_more_notes_cost_a_note_no_more(post, make_case, cast):
    case = make_case(urgency="NORMAL")
    for number in range(10):
        add_note(by=cast.caseworker, case=case, kind="seen", text=f"Inget svar, gång {number}.")
    _answer, statements = post(reverse("intake:note-add", args=[case.slug]), {"kind": "seen", "text": "Inget svar."})
    at_most(10, statements)
