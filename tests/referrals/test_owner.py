"""What is handed over: the list, one of them, and what its owner can do."""

import datetime as dt

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline.people import clock
from helpline.people.models import LogEntry, Notice
from intake.actions import finish_step, open_with_reason
from referrals import actions
from referrals.actions.comments import comment
from referrals.actions.messages import send_message
from referrals.models import Referral
from referrals.standing import say_moment
from referrals.states import CAME_BACK, MOVES, OWNER, STATES
from referrals.views import owner
from referrals.views.owner_acts import ACTS
from tests.referrals.conftest import CARD

WORDS = "In my own words."
SOON = {"at": "2026-11-24T10:00", "contact_by": "2026-11-24T10:00", "until": "2026-11-30"}
NOW = "2026-11-23 10:00"
# act -> the move, a state from which it is made here, what is sent
CASES = {
    "answer": ("answer", "question", {}),
    "accept": ("accept", "sent", {"handled_by": "Frida", "contact_by": SOON["contact_by"]}),
    "decline": ("decline", "opened", {"reason": "no_capacity"}),
    "ask": ("ask", "sent", {}),
    "contact": ("contact", "accepted", {}),
    "complete": ("complete", "contact_made", {}),
    "book": ("book", "accepted", {"at": SOON["at"]}),
    "book-warm": ("book_warm", "contact_booked", {"at": SOON["at"]}),
    "hold": ("hold", "accepted", {"until": SOON["until"]}),
    "resume": ("resume", "on_hold", {}),
    "miss": ("miss", "contact_booked", {}),
    "return": ("return", "accepted", {"reason": "not_our_area"}),
    "fail": ("fail", "contact_booked", {"reason": "withdrew"}),
    "withdraw": ("withdraw", "sent", {"reason": "changed_mind"}),
    "confirm": ("confirm", "withdrawn", {}),
}
BY_PHONE = {
    "accept",
    "decline",
    "ask",
    "contact",
    "complete",
    "book",
    "book-warm",
    "hold",
    "resume",
    "return",
    "confirm",
}


def page(referral, act="") -> str:
    return f"/handovers/{referral.pk}/{act}"


def seen(client, referral) -> str:
    """What the forms of the page say that they have seen."""
    return client.get(page(referral)).context["acts"][0][1].initial["seen"]


def test_every_act_is_tried_here():
    assert {*CASES, "spoke"} == set(ACTS)  # of the three-way call: test_warm.py


@pytest.mark.parametrize("act", CASES)
def test_each_act_does_its_move_once(client_of, cast, make_referral, at, act):
    move, state, data = CASES[act]
    with at(NOW):
        referral = make_referral(state)
        client = client_of(cast.caseworker)
        sent = {"text": WORDS, "seen": seen(client, referral), **data}
        assert client.post(page(referral, f"{act}/"), sent).headers["Location"] == page(referral)
        connection.check_constraints()
        again = client.post(page(referral, f"{act}/"), sent)
    if act == "confirm":  # to say again that they have stopped changes nothing
        assert again.status_code == 302
    else:
        assert again.status_code == 409 and "You were first yourself" in again.content.decode()
        assert WORDS in again.content.decode()  # given back
    referral.refresh_from_db()
    assert referral.state == MOVES[move].target
    change = referral.changes.exclude(move__in={"send", "open"}).filter(move=move).last()
    assert (change.by, change.text) == (cast.caseworker, WORDS)
    assert change.way == ("phone" if act in BY_PHONE else "")
    made = LogEntry.objects.filter(event=MOVES[move].event, row=str(referral.pk), user=cast.caseworker)
    assert made.count() == 1
    html = client.get(page(referral)).content.decode()
    assert WORDS in html and ("Anna, by phone" in html) is (act in BY_PHONE)


@pytest.mark.parametrize("act", CASES)
def test_who_may_act(client_of, cast, make_referral, at, act):
    move, state, data = CASES[act]
    with at(NOW):
        referral = make_referral(state)
        where = page(referral, f"{act}/")
        assert client_of(cast.caseworker).get(where).status_code == 405
        expected = {"stranger": 404, "other_manager": 404, "partner": 403, "other_partner": 403, "keeper": 403}
        for name, status in expected.items():
            assert client_of(cast.everybody()[name]).post(where, {"text": "x", **data}).status_code == status, name
        answer = client_of(cast.colleague).post(where, {"text": "my words", **data})
    html = answer.content.decode()
    assert answer.status_code == 403 and "/reason/" in html and "my words" in html  # given back
    referral.refresh_from_db()
    assert referral.state == state


@pytest.mark.parametrize("act", [act for act in CASES if act != "confirm"])  # nothing else can happen meanwhile
def test_an_old_page_is_told_who_was_first(client_of, cast, make_referral, at, act):
    move, state, data = CASES[act]
    with at(NOW):
        referral = make_referral(state)
        client = client_of(cast.caseworker)
        old = seen(client, referral)
        if state in {"sent", "opened", "question"}:
            actions.decline(by=cast.partner, referral=referral, reason="other")
        else:
            actions.return_referral(by=cast.partner, referral=referral, reason="other")
        answer = client.post(page(referral, f"{act}/"), {"text": WORDS, "seen": old, **data})
    html = answer.content.decode()
    assert answer.status_code == 409 and "Frida was first" in html and WORDS in html
    referral.refresh_from_db()
    assert referral.state in {"declined", "returned"}
    assert not referral.changes.filter(by=cast.caseworker).exclude(move="send").exists()


@pytest.mark.parametrize(
    "act", [act for act in CASES if act not in {"contact", "complete", "resume", "miss", "confirm"}]
)
def test_what_is_missing_comes_back_at_its_place(client_of, cast, make_referral, act):
    _move, state, _data = CASES[act]
    referral = make_referral(state)
    words = " " if act in {"answer", "ask"} else WORDS
    answer = client_of(cast.caseworker).post(page(referral, f"{act}/"), {"text": words})
    assert answer.status_code == 422 and answer.context["refused"].errors
    referral.refresh_from_db()
    assert referral.state == state


def test_a_withdrawal_has_a_reason_and_words_where_it_is_another(client_of, cast, make_referral):
    referral, client = make_referral("accepted"), client_of(cast.caseworker)
    for data in ({"text": "No reason."}, {"reason": "consent_withdrawn", "text": "x"}, {"reason": "other"}):
        assert client.post(page(referral, "withdraw/"), data).status_code == 422
    client.post(page(referral, "withdraw/"), {"reason": "other", "text": "The family has moved."})
    change = referral.changes.get(move="withdraw")
    assert (change.reason, change.text) == ("other", "The family has moved.")
    html = client.get(page(referral)).content.decode()
    assert "Not confirmed yet" in html and "They have not yet confirmed that they have stopped." in html
    referral.refresh_from_db()
    actions.confirm_withdrawal(by=cast.partner, referral=referral)
    assert "Not confirmed yet" not in client.get(page(referral)).content.decode()


def test_a_refused_time_stands_in_its_open_form(client_of, cast, make_referral):
    referral, client = make_referral("accepted"), client_of(cast.caseworker)
    late = (clock.now() + dt.timedelta(days=40)).strftime("%Y-%m-%dT%H:%M")
    answer = client.post(page(referral, "book/"), {"at": late, "text": WORDS})
    html = answer.content.decode()
    assert answer.status_code == 422 and "too late for the person" in html and WORDS in html
    assert 'id="group-time" open' in html and 'id="act-book" open' in html


def test_who_is_suggested_by_phone_is_offered_first(client_of, cast, make_referral):
    referral, client = make_referral("opened", need="family_support"), client_of(cast.caseworker)
    client.post(page(referral, "decline/"), {"reason": "no_capacity", "suggested": cast.other_agency.pk})
    assert referral.changes.get(move="decline").suggested == cast.other_agency
    html = client.get(page(referral)).content.decode()
    assert f"They suggest {cast.other_agency}." in html
    assert f"?instead={referral.pk}" in html and "btn-primary" in html


def test_an_agency_does_not_suggest_itself(client_of, cast, make_referral):
    referral = make_referral("opened")
    data = {"reason": "no_capacity", "suggested": cast.agency.pk}
    assert client_of(cast.caseworker).post(page(referral, "decline/"), data).status_code == 422


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
    allowed = {move.name for move in MOVES.values() if state in move.sources and OWNER in move.who} - {"send"}
    if "/caller/" in answer.content.decode():
        offered.add("caller_no")
    assert offered == allowed
    shown = [act.code for act, form in answer.context["first"]]
    shown += [act.code for name, title, pairs in answer.context["groups"] for act, form in pairs]
    assert sorted(shown) == sorted(act.code for act, form in answer.context["acts"])  # each once


@pytest.mark.parametrize(
    "state, filled",
    [("sent", 0), ("accepted", 0), ("question", 1), ("declined", 1), ("contact_made", 0), ("on_hold", 0)],
)
def test_one_filled_button_at_most_and_only_where_it_is_our_turn(client_of, cast, make_referral, state, filled):
    html = client_of(cast.caseworker).get(page(make_referral(state))).content.decode()
    main = html[html.index('<main id="main"') : html.index("</main>")]
    assert main.count("btn-primary") == filled


def test_the_page_shows_what_was_shared_and_what_happened(client_of, cast, make_referral):
    answer = client_of(cast.caseworker).get(page(make_referral("declined")))
    html = answer.content.decode()
    assert CARD["happened"] in html
    assert [one.move for one in answer.context["happenings"]] == ["send", "decline"]
    assert "No capacity" in html and "Full." in html and "Frida" in html
    assert "They do not know who could help instead." in html


def test_the_ladder_is_said_and_what_was_climbed(client_of, cast, make_referral, at):
    with at(NOW):  # a Monday; the answer is due on Wednesday at noon
        referral = make_referral("sent")
        html = client_of(cast.caseworker).get(page(referral)).content.decode()
        rungs = {row.rung: say_moment(row.due_at) for row in referral.rungs.all()}
        assert f"they are reminded {rungs['nudge']}, and again {rungs['deputy']}." in html
        assert "Wed 25 Nov 12:00 it is you who calls them." in html
        assert f"the unit manager is told {rungs['manager']}." in html
    with clock.at(referral.rungs.get(rung="nudge").due_at):
        actions.sweep()
        html = client_of(cast.caseworker).get(page(referral)).content.decode()
        assert f"{cast.agency} was reminded" in html and "they are reminded again" in html
        actions.accept(by=cast.partner, referral=referral)
        assert "If they are silent" not in client_of(cast.caseworker).get(page(referral)).content.decode()


def test_a_deputy_is_named_as_such_and_the_owner_by_name(client_of, cast, make_referral, at):
    cast.agency.deputy_mailbox = "deputy@example.com"
    cast.agency.save()
    with at(NOW):
        referral = make_referral("sent")
        open_with_reason(by=cast.manager, case=referral.case, reason="supervision")
        html = client_of(cast.manager).get(page(referral)).content.decode()
    assert "then their deputy" in html and "it is Anna who calls them." in html


def test_a_silent_agency_is_called_and_its_answer_written_down(client_of, cast, make_referral, at):
    with at(NOW):
        referral = make_referral("sent")
    with at("2026-11-25 12:30"):
        actions.sweep()
        client = client_of(cast.caseworker)
        answer = client.get(page(referral))
        html = answer.content.decode()
        assert [act.code for act, form in answer.context["first"]] == ["accept", "decline", "ask"]
        assert f"Call {cast.agency}" in html and "Open now." in html
        data = {"handled_by": "Frida", "contact_by": "2026-11-26T10:00", "text": "She had been ill."}
        assert client.post(page(referral, "accept/"), data).status_code == 302
    connection.check_constraints()
    referral.refresh_from_db()
    assert (referral.state, referral.handled_by) == ("accepted", "Frida")
    assert not referral.case.steps.planned().filter(kind="call_agency").exists()
    assert not referral.rungs.filter(state="scheduled").exists()


def test_until_when_they_see_it_is_said_while_they_do(client_of, cast, make_referral, at):
    with at(NOW):
        client = client_of(cast.caseworker)
        assert "Their access" in client.get(page(make_referral("accepted", need="housing"))).content.decode()
        assert "Their access" not in client.get(page(make_referral("declined"))).content.decode()


def test_a_closed_case_is_with_nobody_and_nothing_is_offered_but_the_callers_no(client_of, cast, make_referral):
    referral = make_referral("contact_made")
    actions.caller_says(by=cast.caseworker, referral=referral, answer="enough")
    for step in referral.case.steps.planned():
        finish_step(by=cast.caseworker, step=step, close="needs_met")
    answer = client_of(cast.caseworker).get(page(referral))
    assert [act.code for act, form in answer.context["acts"]] == []
    referral.refresh_from_db()
    assert referral.state == "completed"  # closing ended their access
    assert "The caller says that it did not help" in answer.content.decode()
    assert client_of(cast.caseworker).post(page(referral, "withdraw/"), {"reason": "changed_mind"}).status_code == 409


def test_messages_go_both_ways_and_once(client_of, cast, make_referral):
    referral, client = make_referral("accepted"), client_of(cast.caseworker)
    send_message(by=cast.partner, referral=referral, text="Is Tuesday possible?", from_agency=True)
    shown = client.get(page(referral))
    assert "Is Tuesday possible?" in shown.content.decode()
    data = {"text": "Tuesday is fine.", "seen": shown.context["message_form"].initial["seen"]}
    for _ in range(2):
        assert client.post(page(referral, "message/"), data).status_code == 302
    mine = referral.messages.get(from_agency=False)
    assert (mine.text, mine.by) == ("Tuesday is fine.", cast.caseworker)
    assert Notice.objects.filter(kind="referral.message", user=cast.partner).count() == 1
    send_message(by=cast.partner, referral=referral, text="At nine?", from_agency=True)
    old = client.post(page(referral, "message/"), {"text": "And bring her.", "seen": data["seen"]})
    assert old.status_code == 409 and "And bring her." in old.content.decode()
    assert client.post(page(referral, "message/"), {"text": " "}).status_code == 422
    assert client.get(page(referral, "message/")).status_code == 405
    for name, status in {"stranger": 404, "partner": 403, "keeper": 403}.items():
        assert client_of(cast.everybody()[name]).post(page(referral, "message/"), data).status_code == status
    actions.return_referral(by=cast.partner, referral=referral, reason="other")
    late = client.post(page(referral, "message/"), {"text": "One more thing."})
    assert late.status_code == 409 and "One more thing." in late.content.decode()
    assert client.get(page(referral)).context["message_form"] is None


def test_their_comment_is_answered_once(client_of, cast, make_referral):
    referral, client = make_referral("accepted"), client_of(cast.caseworker)
    assert client.post(page(referral, "comment/"), {"text": "x"}).status_code == 404  # there is none
    comment(by=cast.partner, referral=referral, text="Nobody had told us his age.")
    shown = client.get(page(referral))
    html = shown.content.decode()
    assert "Nobody had told us his age." in html and shown.context["comment_form"] is not None
    assert client.post(page(referral, "comment/"), {"text": ""}).status_code == 422
    assert client.get(page(referral, "comment/")).status_code == 405
    assert client_of(cast.stranger).post(page(referral, "comment/"), {"text": "x"}).status_code == 404
    assert client.post(page(referral, "comment/"), {"text": "We ask for it now."}).status_code == 302
    connection.check_constraints()
    again = client.post(page(referral, "comment/"), {"text": "Something else."})
    assert again.status_code == 409 and "Something else." in again.content.decode()
    row = referral.comments.get()
    assert (row.answer, row.answered_by) == ("We ask for it now.", cast.caseworker)
    assert LogEntry.objects.filter(event="referral.comment_answered", user=cast.caseworker).count() == 1
    assert not referral.case.steps.planned().filter(kind="answer_comment").exists()


def test_the_question_stands_above_its_answer(client_of, cast, make_referral):
    html = client_of(cast.caseworker).get(page(make_referral("question"))).content.decode()
    assert html.index("How old is he?") < html.index("Send the answer")


def test_a_handover_that_was_taken_back_is_not_called_unanswered(client_of, cast, make_referral):
    html = client_of(cast.caseworker).get(page(make_referral("withdrawn"))).content.decode()
    assert f"We took the handover to {cast.agency} back" in html and "did not answer" not in html


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


def all_lines(client) -> list:
    """The lines of every list: open, drafts, ended."""
    return [line for which in owner.LISTS for line in client.get(f"/handovers/?which={which}").context["lines"]]


def test_own_referrals_and_for_a_manager_those_of_the_unit(client_of, cast, make_referral):
    own, colleagues = make_referral("sent"), make_referral("sent", by=cast.colleague)
    other = make_referral("sent", by=cast.stranger)
    assert listed(client_of(cast.caseworker)) == [own]
    assert set(listed(client_of(cast.manager))) == {own, colleagues}
    assert listed(client_of(cast.stranger)) == [other]
    for nobody in (cast.partner, cast.keeper):
        assert client_of(nobody).get("/handovers/").status_code == 403


def test_open_ones_by_answer_time_and_drafts_and_the_ended_newest_first(client_of, cast, make_referral, at):
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
    client = client_of(cast.caseworker)
    assert listed(client) == listed(client, "?which=nonsense") == order[:3]
    assert listed(client, "?which=drafts") == order[3:4]
    assert listed(client, "?which=ended") == order[4:]


def test_what_has_ended_in_a_unit_is_read_in_its_order_however_much_there_is(client_of, cast, make_referral):
    make_referral("declined")
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ALTER TABLE referrals_referral DISABLE TRIGGER USER")
        columns = ", ".join(
            f'"{field.column}"' for field in Referral._meta.fields if field.name not in ("id", "ended_at")
        )
        cursor.execute(
            f"INSERT INTO referrals_referral (id, ended_at, {columns}) SELECT gen_random_uuid(),"
            f" ended_at - n * interval '1 hour', {columns} FROM referrals_referral, generate_series(1, 5000) n"
        )
        connection.check_constraints()
        cursor.execute("ALTER TABLE referrals_referral ENABLE TRIGGER USER")
        cursor.execute("ANALYZE referrals_referral")
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
    for user in (cast.manager, cast.caseworker):
        with CaptureQueriesContext(connection) as asked:
            assert len(listed(client_of(user), "?which=ended")) == 25
        (question,) = [one["sql"] for one in asked if one["sql"].startswith('SELECT "referrals_referral"."id"')]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {question}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "using ended_of_unit on referrals_referral" in plan and "Sort" not in plan, plan


def test_pages_of_25_with_each_row_once(client_of, cast, make_case, make_draft):
    for number in range(28):
        with clock.at(clock.now() - dt.timedelta(hours=number)):
            draft = make_draft()
        actions.send(by=cast.caseworker, referral=draft)
        if number % 14:
            actions.withdraw(by=cast.caseworker, referral=draft, reason="no_answer")
    client = client_of(cast.caseworker)
    first = client.get("/handovers/?which=ended")
    assert len(first.context["lines"]) == 25
    rest = listed(client, "?which=ended&after=" + first.context["next_key"].replace("+", "%2B"))
    seen = [line.referral.pk for line in first.context["lines"]] + [row.pk for row in rest]
    assert len(seen) == len(set(seen)) == 26
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
        ("contact_booked", "Socialtjänst barn och unga, Falköping has a time with the caller today 11:00"),
        ("on_hold", "Waits until Mon 30 Nov 09:00"),
        ("contact_made", "You ask the caller Mon 30 Nov 10:00"),
        ("completed", "You ask the caller Mon 30 Nov 10:00"),
        ("declined", "You choose who can help instead, by tomorrow 09:00"),
        ("expired", "You choose who can help instead, by tomorrow 09:00"),
        ("returned", "You choose who can help instead, by tomorrow 09:00"),
        ("failed", "You choose who can help instead, by tomorrow 09:00"),
        (
            "withdrawn",
            "You choose who can help instead, by tomorrow 09:00. They have not yet confirmed that they have stopped.",
        ),
    ],
)
def test_whose_turn_it_is_in_words(client_of, cast, make_referral, at, state, words):
    with at(NOW):
        make_referral(state)
        [line] = all_lines(client_of(cast.caseworker))
        assert (line.text.lower(), line.is_late) == (words.lower(), False)
        assert (line.badge == "ours") is (state == "question" or state in CAME_BACK)
    if state == "question":
        with at(NOW):
            [seen] = all_lines(client_of(cast.manager))
            assert seen.text == "Anna answers the question by tomorrow 09:00"
    if state not in {"draft"}:
        with at("2026-12-24 10:00"):
            [line] = all_lines(client_of(cast.caseworker))
            assert line.is_late


def test_whose_turn_it_is_when_something_did_not_come_about(client_of, cast, make_referral, at):
    with at(NOW):
        silent, missed = make_referral("sent"), make_referral("accepted")
        warm = make_referral("accepted")
        when = clock.now() + dt.timedelta(days=2, hours=4)
        actions.book(by=cast.partner, referral=warm, at=when, warm=True)
        actions.contact_missed(by=cast.partner, referral=missed)
        ended = make_referral("withdrawn")
        actions.confirm_withdrawal(by=cast.partner, referral=ended)
    with at("2026-11-25 12:30"):
        actions.sweep()
        text = {row.referral.pk: row.text for row in all_lines(client_of(cast.caseworker))}
        others = {row.referral.pk: row.text for row in all_lines(client_of(cast.manager))}
    assert text[silent.pk].startswith("They have not answered: you call them by")
    assert others[silent.pk].startswith("They have not answered: Anna calls them by")
    assert text[missed.pk].startswith("The contact did not come about: you see to it by")
    assert text[warm.pk] == f"You, {cast.agency} and the caller speak together today 14:00"
    assert text[ended.pk].startswith("You choose who can help instead, by") and "confirmed" not in text[ended.pk]


def test_of_who_is_protected_the_list_says_when_and_no_more(client_of, cast, make_case, make_draft, make_referral):
    case = make_case(track="C", protection="secrecy_marking", actualisation="yes")
    sent = actions.send(by=cast.caseworker, referral=make_draft(case=case))
    actions.accept(by=cast.partner, referral=sent)
    actions.contact_missed(by=cast.partner, referral=sent)
    html = client_of(cast.caseworker).get("/handovers/").content.decode()
    assert "Protected data" in html and cast.agency.name not in html and "did not come about" not in html


def test_an_empty_list_says_what_to_do(client_of, cast):
    assert "A handover begins on the page of a case." in client_of(cast.caseworker).get("/handovers/").content.decode()
