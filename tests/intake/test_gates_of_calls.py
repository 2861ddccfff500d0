"""The doors of a call: a finished one is read in its case, and by nobody through the way of saving."""

import datetime as dt
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from intake import actions
from intake.acute import lines_of
from intake.forms.windows import mark
from intake.models import Call, Note
from intake.views.calls import CallForm
from tests.conftest import NO_ACTUALISATION
from tests.intake.test_calls import fresh, url

pytestmark = pytest.mark.django_db
WORDS, SENT = "Brodern sover hos en vän", "Han gick klockan nio"
SCRIPT = {"HX-Request": "true"}
STREETS = ["call-save", "call-complete", "call-quick", "call-void", "call-again", "call-not-again"]


@pytest.fixture(autouse=True)
def without_upper_floors(settings):
    settings.PANELS = ""


def finished(cast, how="case"):
    call = actions.start_call(by=cast.caseworker)
    caller = "other" if how == "no case" else "relative"
    facts = {"caller_type": caller, "urgency": "NORMAL", **NO_ACTUALISATION}
    call = actions.save_call(by=cast.caseworker, call=call, facts=facts, notes={"seen": WORDS})
    if how == "voided":
        actions.void_call(by=cast.caseworker, call=call, why=WORDS)
        return fresh(call)
    return actions.complete_call(by=cast.caseworker, call=call, open_a_case=how == "case")


# ---------- A finished call ----------


SENDS = [
    {},
    {"track": "ZZ"},
    {"n.told": SENT},
    {"track": "ZZ", "n.told": SENT},
    {"n.seen": SENT, "both": f"n.seen {mark(WORDS)}"},
    {"n.seen": SENT, "base.n.seen": mark(""), "both": "n.seen x"},
    {"void_reason": "fel", "again_number": "12345"},
]


@pytest.mark.parametrize("how", ["case", "no case", "voided"])
@pytest.mark.parametrize("who", ["colleague", "caseworker"])
@pytest.mark.parametrize("name", STREETS)
def test_the_way_of_saving_reads_no_finished_call(client_of, cast, name, who, how):
    call = finished(cast, how)
    client = client_of(getattr(cast, who))
    for data in SENDS:
        for headers in ({}, SCRIPT):
            answer = client.post(url(name, call), data, headers=headers)
            html = unescape(answer.content.decode())
            assert answer.status_code in (302, 303, 409), (data, headers)
            assert WORDS not in html and 'id="call-form"' not in html, (data, headers)
            if who != "caseworker":
                assert "Who is calling" not in html, (data, headers)
            if SENT in data.values():  # what was just sent is given back
                assert answer.status_code == 409 and SENT in html, (data, headers)
    assert [note.text for note in fresh(call).notes.all() if note.text] == [WORDS]
    connection.check_constraints()


def test_words_that_were_wrong_and_too_late_are_given_back(client_of, cast):
    call = finished(cast)
    words = SENT * 2000
    answer = client_of(cast.colleague).post(url("call-save", call), {"n.told": words})
    assert answer.status_code == 409 and words in unescape(answer.content.decode())


def test_pressed_twice_a_colleague_comes_to_what_is_told(client_of, cast, make_call):
    call = make_call(caller_type="other", urgency="NORMAL")
    bert = client_of(cast.colleague)
    first, second = (bert.post(url("call-complete", call)) for _ in range(2))
    assert first.url == second.url == url("call-after", call)
    assert bert.get(second.url).status_code == 200


def test_notes_of_a_call_that_has_a_case_are_behind_the_gate_of_the_case(client_of, cast):
    call = finished(cast)
    note = call.notes.exclude(text=b"").get()
    street = reverse("intake:call-note-amend", args=[call.pk, note.pk, "addition"])
    anna = client_of(cast.caseworker)
    assert anna.get(street).status_code == 200
    actions.reassign_case(by=cast.manager, case=call.case, to=cast.colleague)
    look, act = anna.get(street), anna.post(street, {"text": SENT})
    assert look.status_code == 302 and call.case.slug in look.url
    assert act.status_code in (302, 403)  # a reason is asked for first, and what was sent is not lost
    assert WORDS not in act.content.decode()
    assert not Note.objects.filter(amends=note).exists()


def test_a_note_of_a_call_without_a_case_is_added_to_as_before(client_of, cast):
    call = finished(cast, "no case")
    note = call.notes.exclude(text=b"").get()
    street = reverse("intake:call-note-amend", args=[call.pk, note.pk, "addition"])
    assert client_of(cast.caseworker).post(street, {"text": SENT}).status_code == 302
    assert Note.objects.get(amends=note).text == SENT


@pytest.mark.parametrize("opened", [False, True])
def test_what_is_told_says_no_words_of_a_step_that_another_has_planned(client_of, cast, opened):
    call = finished(cast)
    actions.reassign_case(by=cast.manager, case=call.case, to=cast.colleague)
    due = clock.now() + dt.timedelta(hours=2)
    actions.plan_step(by=cast.colleague, case=call.case, what=SENT, due_at=due)
    if opened:
        actions.open_with_reason(by=cast.caseworker, case=call.case, reason="owner_away")
    html = client_of(cast.caseworker).get(url("call-after", call)).content.decode()
    assert (SENT in html) is opened


# ---------- Taken away ----------


def test_an_acute_call_is_not_taken_away(client_of, cast, make_call):
    call = make_call(answers={"weapon": "yes"})
    for who in (cast.caseworker, cast.colleague):
        with pytest.raises(Refused) as refused:
            actions.void_call(by=who, call=call, why="fel")
        assert refused.value.at == "void_reason"
    answer = client_of(cast.colleague).post(url("call-void", call), {"void_reason": "fel"})
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["void_reason"]
    assert fresh(call).voided_at is None
    actions.save_call(by=cast.caseworker, call=call, answers={"weapon": "no"})
    actions.void_call(by=cast.colleague, call=call, why="fel")
    assert fresh(call).voided_at
    connection.check_constraints()


def test_what_was_done_at_once_is_not_taken_away(cast, make_call):
    call = make_call(answers={"weapon": "yes"})
    actions.save_call(by=cast.caseworker, call=call, done=["called_112"])
    call = actions.save_call(by=cast.caseworker, call=call, answers={"weapon": "no"})
    assert lines_of(call)
    with pytest.raises(Refused) as refused:
        actions.void_call(by=cast.caseworker, call=call, why="fel")
    assert refused.value.at == "void_reason" and fresh(call).voided_at is None


def test_practice_is_taken_away_though_it_is_acute(cast):
    call = actions.start_call(by=cast.caseworker, is_practice=True)
    actions.save_call(by=cast.caseworker, call=call, answers={"weapon": "yes"})
    actions.void_call(by=cast.caseworker, call=call, why="Klart")
    assert fresh(call).voided_at


# ---------- A misdial ----------


def test_a_call_with_a_ticked_line_is_no_misdial(client_of, cast):
    call = actions.start_call(by=cast.caseworker)
    actions.save_call(by=cast.caseworker, call=call, done=["called_112"])
    assert client_of(cast.caseworker).post(url("call-quick", call)).status_code == 422
    assert not fresh(call).is_finished


@pytest.mark.parametrize("name", ["call-save", "call-quick", "call-void", "call-not-again", "call-complete"])
def test_a_reference_without_its_tick_is_said_at_its_field_and_the_rest_is_saved(client_of, cast, name):
    call = actions.start_call(by=cast.caseworker)
    data = {"ref.called_112": "SOS 77", "n.seen": WORDS}
    answer = client_of(cast.caseworker).post(url(name, call), data)
    assert answer.status_code == 422 and "ref.called_112" in answer.context["form"].errors
    assert "SOS 77" in str(answer.context["form"]["ref.called_112"].value())
    assert fresh(call).notes.get(kind="seen").text == WORDS and not fresh(call).is_finished


def test_what_is_refused_of_a_misdial_is_said(client_of, cast, monkeypatch):
    def refuse(**_rest):
        raise Refused("Not like that.", at="caller_type")

    call = actions.start_call(by=cast.caseworker)
    monkeypatch.setattr(actions, "complete_call", refuse)
    answer = client_of(cast.caseworker).post(url("call-quick", call))
    assert answer.status_code == 422 and answer.context["form"].errors["caller_type"] == ["Not like that."]


# ---------- The number to call back ----------


@pytest.mark.parametrize("rest", [{}, {"base.phone": "0-0"}, {"base.phone": "0-0", "keep": "phone 0-0"}])
@pytest.mark.parametrize("headers", [{}, SCRIPT], ids=["form", "script"])
def test_the_number_is_its_takers_alone(client_of, cast, make_call, rest, headers):
    call = make_call(phone="0701234567")
    data = {"phone": "0709999999", "n.told": SENT, **rest}
    for extra in ({}, {"clear": "phone"}, {"present": "phone"}, {"take": "phone"}, {"track": "ZZ"}):
        answer = client_of(cast.colleague).post(url("call-save", call), {**data, **extra}, headers=headers)
        assert answer.status_code == (422 if "track" in extra else 200 if headers else 303)
        assert "0701234567" not in answer.content.decode()
    assert fresh(call).phone == "0701234567" and fresh(call).notes.get(kind="told").text == SENT
    client_of(cast.caseworker).post(url("call-save", call), {"phone": "0708"})
    assert fresh(call).phone == "0708"


# ---------- Words without what they were based on ----------


def words_of_the_form(call):
    return ["n.seen", "r.weapon", "a.r_event", "why.told_manager", "s.other", "urgency_reason", "what", "caller_name"]


@pytest.mark.parametrize("marker", ["who", "turn"])
def test_words_of_a_page_that_do_not_say_what_they_are_based_on_overwrite_nothing(client_of, cast, make_call, marker):
    call = make_call(
        track="B",
        caller_name=WORDS,
        urgency_reason=WORDS,
        step_what=WORDS,
        answers={"weapon": "yes", "r_event": WORDS},
        notes={"seen": WORDS},
    )
    actions.save_call(
        by=cast.caseworker, call=call, remarks={"weapon": WORDS}, safe={"other": WORDS}, reasons={"told_manager": WORDS}
    )
    names = words_of_the_form(call)
    before = CallForm(fresh(call)).stored()
    assert {name: before[name] for name in names} == dict.fromkeys(names, WORDS)
    value = {"who": str(cast.caseworker.pk), "turn": ""}[marker]
    anna = client_of(cast.caseworker)
    answer = anna.post(url("call-save", call), {**dict.fromkeys(names, SENT), "n.told": SENT, marker: value})
    assert answer.status_code == 422 and set(answer.context["form"].errors) == set(names)
    after = CallForm(fresh(call)).stored()
    assert {name: after[name] for name in names} == dict.fromkeys(names, WORDS)
    assert after["n.told"] == SENT  # nothing stood there
    assert answer.context["form"]["n.seen"].conflict.words == WORDS


def test_each_refusal_is_logged_as_a_reading(client_of, cast):
    call = finished(cast)
    client_of(cast.colleague).post(url("call-save", call), {"n.told": SENT})
    assert LogEntry.objects.filter(event="call.used", call=call.pk, user=cast.colleague).exists()
    assert Call.objects.count() == 1
