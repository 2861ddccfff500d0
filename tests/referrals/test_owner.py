"""What is handed over: the list, one of them, and what its owner can do."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline.people import clock
from helpline.people.models import LogEntry
from intake.actions import open_with_reason
from referrals import actions
from referrals.models import Referral
from referrals.states import MOVES, OWNER, STATES
from tests.referrals.conftest import CARD

# page -> the move, and the state from which it is made here
ACTS = {
    "answer/": ("answer", "question"),
    "take-back/": ("take_back", "sent"),
    "contact/": ("contact", "accepted"),
    "complete/": ("complete", "contact_made"),
}


def page(referral, act="") -> str:
    return f"/handovers/{referral.pk}/{act}"


@pytest.mark.parametrize("act", ACTS)
def test_each_act_does_its_move_once(client_of, cast, make_referral, act):
    move, state = ACTS[act]
    referral = make_referral(state)
    client = client_of(cast.caseworker)
    for _ in range(2):
        assert client.post(page(referral, act), {"text": "In my words."}).headers["Location"] == page(referral)
    connection.check_constraints()
    referral.refresh_from_db()
    assert referral.state == MOVES[move].target
    change = referral.changes.get(move=move)
    assert (change.by, change.text) == (cast.caseworker, "In my words.")
    assert LogEntry.objects.filter(event=MOVES[move].event, row=str(referral.pk), user=cast.caseworker).count() == 1


@pytest.mark.parametrize("act", ACTS)
def test_who_may_act(client_of, cast, make_referral, act):
    move, state = ACTS[act]
    referral = make_referral(state)
    assert client_of(cast.caseworker).get(page(referral, act)).status_code == 405
    expected = {"stranger": 404, "other_manager": 404, "partner": 403, "other_partner": 403, "keeper": 403}
    for name, status in expected.items():
        assert client_of(cast.everybody()[name]).post(page(referral, act), {"text": "x"}).status_code == status, name
    answer = client_of(cast.colleague).post(page(referral, act), {"text": "words"})
    html = answer.content.decode()
    assert answer.status_code == 403 and "/reason/" in html and "words" in html  # given back
    referral.refresh_from_db()
    assert referral.state == state


def test_an_empty_answer_comes_back(client_of, cast, make_referral):
    referral = make_referral("question")
    answer = client_of(cast.caseworker).post(page(referral, "answer/"), {"text": " "})
    assert answer.status_code == 422
    referral.refresh_from_db()
    assert referral.state == "question"


@pytest.mark.parametrize("state", [state for state in STATES if state != "draft"])
def test_the_page_offers_what_moves_allows(client_of, cast, make_referral, state):
    answer = client_of(cast.caseworker).get(page(make_referral(state)))
    assert answer.status_code == 200
    offered = {act.move for act, form in answer.context["acts"]}
    assert offered == {move.name for move in MOVES.values() if state in move.sources and OWNER in move.who}


def test_the_page_shows_what_was_shared_and_what_happened(client_of, cast, make_referral):
    answer = client_of(cast.caseworker).get(page(make_referral("declined")))
    html = answer.content.decode()
    assert CARD["happened"] in html
    assert [change.move for change, words in answer.context["changes"]] == ["send", "decline"]
    assert "No capacity" in html and "Full." in html and "Frida" in html


def test_the_question_stands_above_its_answer(client_of, cast, make_referral):
    html = client_of(cast.caseworker).get(page(make_referral("question"))).content.decode()
    assert html.index("How old is he?") < html.index("Send the answer")


def test_a_handover_that_was_taken_back_is_not_called_unanswered(client_of, cast, make_referral):
    html = client_of(cast.caseworker).get(page(make_referral("expired"))).content.decode()
    assert "We took the handover back" in html and "did not answer" not in html


def test_reading_is_logged_and_a_colleague_gives_a_reason(client_of, cast, make_referral):
    sent = make_referral("sent")
    assert "/reason/" in client_of(cast.manager).get(page(sent)).headers["Location"]
    assert not LogEntry.objects.filter(event="referral.read").exists()
    open_with_reason(by=cast.manager, case=sent.case, reason="supervision")
    assert client_of(cast.manager).get(page(sent)).status_code == 200
    row = LogEntry.objects.get(event="referral.read")
    assert (row.user, row.case, row.row) == (cast.manager, sent.case_id, str(sent.pk))


# The list
def listed(client, query="") -> list[Referral]:
    return [line.referral for line in client.get("/handovers/" + query).context["lines"]]


def test_own_referrals_and_for_a_manager_those_of_the_unit(client_of, cast, make_referral):
    own, colleagues = make_referral("sent"), make_referral("sent", by=cast.colleague)
    other = make_referral("sent", by=cast.stranger)
    assert listed(client_of(cast.caseworker)) == [own]
    assert set(listed(client_of(cast.manager))) == {own, colleagues}
    assert listed(client_of(cast.stranger)) == [other]
    for nobody in (cast.partner, cast.keeper):
        assert client_of(nobody).get("/handovers/").status_code == 403


def test_open_ones_by_answer_time_then_drafts_then_the_ended_newest_first(client_of, cast, make_referral, at):
    order = []
    for moment, state in [
        ("2026-11-10 09:00", "sent"),
        ("2026-11-12 09:00", "accepted"),
        ("2026-11-16 09:00", "question"),
        ("2026-11-09 09:00", "draft"),
        ("2026-11-18 09:00", "declined"),
        ("2026-11-17 09:00", "expired"),
    ]:
        with at(moment):
            order.append(make_referral(state))
    assert listed(client_of(cast.caseworker)) == order


def test_pages_of_25_with_each_row_once(client_of, cast, make_case, make_draft):
    case = make_case()
    for number in range(30):
        with clock.at(clock.now() - dt.timedelta(hours=number)):
            draft = make_draft(case=case)
        if number % 3:
            actions.send(by=cast.caseworker, referral=draft)
        if number % 3 == 2:
            actions.take_back(by=cast.caseworker, referral=draft)
    client = client_of(cast.caseworker)
    first = client.get("/handovers/")
    assert len(first.context["lines"]) == 25
    rest = listed(client, "?after=" + first.context["next_key"].replace("+", "%2B"))
    seen = [line.referral.pk for line in first.context["lines"]] + [row.pk for row in rest]
    assert len(seen) == len(set(seen)) == 30
    assert client.get("/handovers/?after=nonsense").status_code == 200


def test_the_list_asks_as_many_questions_however_many_rows(client_of, cast, make_referral):
    client = client_of(cast.caseworker)
    client.get("/handovers/")  # the session is there
    counts = []
    for number in (1, 4):
        for _ in range(number):
            make_referral("question")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/handovers/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "state, words",
    [
        ("draft", "Not sent yet"),
        ("sent", "They answer by Wed 25 Nov 12:00"),
        ("opened", "They answer by Wed 25 Nov 12:00"),
        ("question", "You answer the question by tomorrow 09:00"),
        ("accepted", "Socialtjänst barn och unga, Falköping makes contact by Wed 25 Nov 12:00"),
        ("contact_made", "You ask the caller Mon 30 Nov 10:00"),
        ("completed", "You ask the caller Mon 30 Nov 10:00"),
        ("declined", "You choose who can help instead, by tomorrow 09:00"),
        ("expired", "You choose who can help instead, by tomorrow 09:00"),
    ],
)
def test_whose_turn_it_is_in_words(client_of, cast, make_referral, at, state, words):
    with at("2026-11-23 10:00"):
        make_referral(state)
        [line] = client_of(cast.caseworker).get("/handovers/").context["lines"]
        assert (line.text.lower(), line.is_late) == (words.lower(), False)
        assert (line.badge == "ours") is (state in {"question", "declined", "expired"})
    if state == "question":
        with at("2026-11-23 10:00"):
            [seen] = client_of(cast.manager).get("/handovers/").context["lines"]
            assert seen.text == "Anna answers the question by tomorrow 09:00"
    if state not in {"draft"}:
        with at("2026-12-24 10:00"):
            [line] = client_of(cast.caseworker).get("/handovers/").context["lines"]
            assert line.is_late


def test_an_empty_list_says_what_to_do(client_of, cast):
    assert "A handover begins on the page of a case." in client_of(cast.caseworker).get("/handovers/").content.decode()
