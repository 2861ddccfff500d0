"""The agency's whole world: it sees the card of what was handed to it, while it is with it, and nothing else."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline.people import clock
from helpline.people.models import LogEntry, Notice
from helpline.people.notices import deliver_mail
from referrals import actions
from referrals.models import AgencyMember, Referral
from referrals.states import AGENCY, MOVES, SEEN_BY_AGENCY, STATES
from tests.referrals.conftest import CARD


def soon(days: int = 1) -> str:
    """A time tomorrow, as a browser sends it."""
    return clock.local_time(clock.now() + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


SOON = soon()
WHY = {"reason": "wrong_age", "suggested": "unknown", "text": "Too young."}
# act -> the state from which it is made, what is sent; its move has its name
ACTS = {
    "accept": ("opened", {"handled_by": "Frida", "contact_by": SOON}),
    "decline": ("opened", WHY),
    "ask": ("opened", {"text": "How old?"}),
    "book": ("accepted", {"warm": "alone", "at": SOON, "text": "At our place."}),
    "contact": ("accepted", {"text": "Met."}),
    "miss": ("contact_booked", {"text": "Nobody there."}),
    "hold": ("accepted", {"until": soon(7)[:10], "text": "Away."}),
    "resume": ("on_hold", {"text": "Home again."}),
    "complete": ("contact_made", {"text": "Done."}),
    "return": ("accepted", WHY),
    "fail": ("contact_made", {"reason": "did_not_help", "text": "It was not enough."}),
}


def page(referral, act="") -> str:
    return f"/portal/{referral.pk}/" + (f"{act}/" if act else "")


def drawn(client, referral, act) -> str:
    """The mark that the form of this act carries on the page as it is drawn now."""
    html = client.get(page(referral)).content.decode()
    form = html[html.index(f'action="{page(referral, act)}"') :]
    return re.search(r'name="seen" value="([^"]+)"', form[: form.index("</form>")])[1]


def state_of(referral) -> str:
    return Referral.objects.values_list("state", flat=True).get(pk=referral.pk)


def test_the_agency_sees_the_card_and_nothing_else(client_of, cast, make_case, make_draft):
    case = make_case(
        notes={"told": "A note of ours."},
        milieu="RIGHT",
        track="B",
        identity="named",
        caller_name="Maria Ek",
        phone="070-1234567",
    )
    sent = actions.send(by=cast.caseworker, referral=make_draft(case=case, name="Maria Ek", phone="070-1234567"))
    other = actions.send(
        by=cast.caseworker,
        referral=make_draft(case=case, agency=cast.other_agency, need="exit_support", happened="For Exit."),
    )
    client = client_of(cast.partner)
    html = client.get(page(sent)).content.decode() + client.get("/portal/").content.decode()
    assert all(words in html for words in CARD.values())
    for hidden in [
        case.code,
        case.slug,
        str(case),
        str(case.pk),
        "A note of ours.",
        "right-wing",
        "For Exit.",
        str(other.pk),
    ]:
        assert hidden not in html
    for identity in ("Maria Ek", "070-1234567"):
        assert identity not in html
    assert "Protection of a child" in html and "for Socialtjänst barn och unga, Falköping" in html


def test_name_and_number_only_after_it_has_accepted(client_of, cast, make_draft, make_case):
    sent = actions.send(
        by=cast.caseworker, referral=make_draft(case=make_case(track="B"), name="Maria Ek", phone="070-1234567")
    )
    client = client_of(cast.partner)
    assert "Shown when you have accepted." in client.get(page(sent)).content.decode()
    client.post(page(sent, "ask"), {"text": "How old?"})
    assert "Maria" not in client.get(page(sent)).content.decode()
    actions.answer_question(by=cast.caseworker, referral=sent, text="Sixteen.")
    assert "Maria" not in client.get(page(sent)).content.decode()
    client.post(page(sent, "accept"), ACTS["accept"][1])
    html = client.get(page(sent)).content.decode()
    assert "Maria Ek" in html and "070-1234567" in html


@pytest.mark.parametrize("state", STATES)
def test_seen_while_it_is_with_them_by_them_alone(client_of, cast, make_referral, state):
    referral = make_referral(state)
    expected = 200 if state in {*SEEN_BY_AGENCY, "withdrawn"} else 404  # to be confirmed, without a word of it
    assert client_of(cast.partner).get(page(referral)).status_code == expected
    assert client_of(cast.other_partner).get(page(referral)).status_code == 404
    for name in ("caseworker", "manager", "keeper", "stranger"):
        assert client_of(cast.everybody()[name]).get(page(referral)).status_code == 403, name
    assert (str(referral.pk) in client_of(cast.partner).get("/portal/").content.decode()) is (expected == 200)


@pytest.mark.parametrize("state", STATES)
def test_what_an_agency_cannot_do_now_changes_nothing(client_of, cast, make_referral, state):
    for act, (_, data) in ACTS.items():
        move = MOVES[act]
        referral = make_referral(state)
        answer = client_of(cast.partner).post(page(referral, act), data)
        connection.check_constraints()
        if state in move.sources and AGENCY in move.who:
            assert (state_of(referral), answer.status_code) == (move.target, 302)
        else:
            assert state_of(referral) == state
            assert answer.status_code == (404 if state == "draft" else 409)
            assert not [words for words in CARD.values() if words in answer.content.decode()] or state in SEEN_BY_AGENCY


def test_opening_is_told_to_the_case_and_each_reading_is_logged(client_of, cast, make_referral):
    sent = make_referral("sent")
    client = client_of(cast.partner)
    client.get("/portal/")
    assert state_of(sent) == "sent"
    for _ in range(2):
        client.get(page(sent))
    connection.check_constraints()
    assert state_of(sent) == "opened"
    assert sent.changes.filter(move="open", by=cast.partner).count() == 1
    rows = LogEntry.objects.filter(event="referral.read", user=cast.partner, row=str(sent.pk), case=sent.case_id)
    assert rows.count() == 2
    client_of(cast.other_partner).get(page(sent))
    assert LogEntry.objects.filter(event="referral.refused", user=cast.other_partner, row=str(sent.pk)).count() == 1


@pytest.mark.parametrize("act", ACTS)
def test_each_act_once_by_post_by_its_agency_alone(client_of, cast, make_referral, act):
    state, data = ACTS[act]
    referral = make_referral(state)
    client = client_of(cast.partner)
    assert client.get(page(referral, act)).status_code == 405
    assert client_of(cast.other_partner).post(page(referral, act), data).status_code == 404
    for name in ("caseworker", "manager", "keeper"):
        assert client_of(cast.everybody()[name]).post(page(referral, act), data).status_code == 403, name
    assert state_of(referral) == state
    data = {**data, "seen": drawn(client, referral, act)}
    answers = [client.post(page(referral, act), data) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]  # a second press is no fault of anybody
    connection.check_constraints()
    change = referral.changes.get(move=act)
    assert (state_of(referral), change.by, change.text) == (MOVES[act].target, cast.partner, data.get("text", ""))
    assert LogEntry.objects.filter(event=MOVES[act].event, row=str(referral.pk), user=cast.partner).count() == 1
    notice = Notice.objects.get(kind=MOVES[act].event, user=cast.caseworker)
    assert notice.case == referral.case_id


@pytest.mark.parametrize("act", ACTS)
def test_the_mail_about_it_says_nothing(client_of, cast, make_referral, act, django_capture_on_commit_callbacks):
    state, data = ACTS[act]
    referral = make_referral(state)
    Notice.objects.all().delete()
    client_of(cast.partner).post(page(referral, act), data)
    deliver_mail()
    [message] = mail.outbox
    assert message.to == [cast.caseworker.email]
    text = message.subject + message.body
    assert not any(
        words in text
        for words in [*CARD.values(), "Frida", str(cast.agency), str(referral.case), "Protection", "declin"]
    )


def test_what_is_accepted_says_who_and_by_when(client_of, cast, make_referral, at):
    referral = make_referral("opened")
    client = client_of(cast.partner)
    form = client.get(page(referral)).context["answers"]["accept"]
    assert form.initial["handled_by"] == "Frida"
    client.post(page(referral, "accept"), {"handled_by": "Karin", "contact_by": SOON})
    html = client.get(page(referral)).content.decode()
    assert "Karin makes contact by" in html and SOON[-5:] in html


@pytest.mark.parametrize(
    "act, data, kept",
    [
        ("accept", {"handled_by": "Karin Ek", "contact_by": "2020-01-01T10:00"}, "Karin Ek"),
        ("accept", {"handled_by": "Karin Ek", "contact_by": "soon"}, "Karin Ek"),
        ("accept", {"handled_by": "Karin Ek", "contact_by": soon(60)}, "too late for the person"),
        ("decline", {**WHY, "reason": "", "text": "We are too few."}, "We are too few."),
        ("decline", {**WHY, "reason": "lazy", "text": "We are too few."}, "We are too few."),
        ("decline", {**WHY, "suggested": ""}, "or that you don&#x27;t know"),
        ("decline", {**WHY, "suggested": "9999"}, "Too young."),
        ("ask", {"text": " "}, "This field is required"),
        ("book", {"warm": "", "at": SOON, "text": "At our place."}, "At our place."),
        ("book", {"warm": "warm", "at": "2020-01-01T10:00", "text": "At ours."}, "At ours."),
        ("book", {"warm": "warm", "at": soon(60), "text": "At ours."}, "or give it back"),
        ("hold", {"until": "2020-01-01", "text": "She is away."}, "She is away."),
        ("hold", {"until": soon(80)[:10], "text": "She is away."}, "sees it only until"),
        ("return", {**WHY, "suggested": ""}, "Too young."),
        ("fail", {"reason": "", "text": "No answer."}, "No answer."),
    ],
)
def test_an_answer_that_is_refused_comes_back_open_and_filled_in(client_of, cast, make_referral, act, data, kept):
    state = ACTS[act][0]
    referral = make_referral(state)
    answer = client_of(cast.partner).post(page(referral, act), data)
    assert (answer.status_code, answer.context["chosen"]) == (422, act)
    html = answer.content.decode()
    assert kept in html
    assert (
        f'id="act-{act}" open' in html or act in {"accept", "decline", "ask"} or act == answer.context["first"][0].name
    )
    [target] = re.findall(rf'href="#((?:div_)?id_{act}_[^"]*)"', html)
    assert f'id="{target}"' in html  # the list of errors leads to its field
    assert state_of(referral) == state


def test_after_a_decline_it_is_gone_and_the_inbox_says_so(client_of, cast, make_referral):
    referral = make_referral("opened")
    client = client_of(cast.partner)
    answer = client.post(page(referral, "decline"), {"reason": "conflict", "suggested": "unknown"}, follow=True)
    assert answer.redirect_chain == [("/portal/", 302)]
    assert "You have declined." in answer.content.decode()
    assert client.get(page(referral)).status_code == 404


def test_question_and_answer_are_seen_by_the_agency(client_of, cast, make_referral):
    referral = make_referral("question")
    actions.answer_question(by=cast.caseworker, referral=referral, text="He is sixteen.")
    html = client_of(cast.partner).get(page(referral)).content.decode()
    assert html.index("How old is he?") < html.index("He is sixteen.")


def test_what_an_agency_told_us_by_phone_is_not_shown_back(client_of, cast, make_referral):
    referral = make_referral("accepted")
    actions.contact_made(by=cast.caseworker, referral=referral, who="owner", text="Said in confidence.")
    assert "Said in confidence." not in client_of(cast.partner).get(page(referral)).content.decode()


def test_the_inbox_has_what_to_answer_by_time_and_what_is_in_progress(client_of, cast, make_referral, at):
    with at("2026-11-23 10:00"):
        late = make_referral("sent", case=None)
        accepted, asked = make_referral("accepted"), make_referral("question")
    with at("2026-11-20 10:00"):
        soon = make_referral("opened")
    context = client_of(cast.partner).get("/portal/").context
    assert context["to_answer"] == [soon, late]
    assert set(context["in_progress"]) == {accepted, asked}
    assert client_of(cast.other_partner).get("/portal/").context["to_answer"] == []


def test_an_empty_inbox_says_so(client_of, cast):
    assert "Nothing waits for your answer." in client_of(cast.partner).get("/portal/").content.decode()


def test_a_partner_without_an_agency_is_told_whom_to_call(client_of, cast, make_referral, settings):
    referral = make_referral("sent")
    AgencyMember.objects.filter(user=cast.partner).delete()
    client = client_of(cast.partner)
    answer = client.get("/portal/")
    assert (answer.status_code, settings.LINE_PHONE in answer.content.decode()) == (200, True)
    assert client.get(page(referral)).status_code == 404


def test_an_agency_that_is_switched_off_sees_nothing(client_of, cast, make_referral):
    referral = make_referral("accepted")
    cast.agency.is_active = False
    cast.agency.save()
    client = client_of(cast.partner)
    assert client.get(page(referral)).status_code == 404
    assert "not tied to an agency" in client.get("/portal/").content.decode()


def test_who_is_moved_to_another_agency_takes_nothing_along(client_of, cast, make_referral):
    referral = make_referral("accepted")
    AgencyMember.objects.filter(user=cast.partner).update(agency=cast.other_agency)
    assert client_of(cast.partner).get(page(referral)).status_code == 404


def test_the_top_bar_has_nothing_but_language_and_log_out(client_of, cast):
    html = client_of(cast.partner).get("/portal/").content.decode()
    bar = html[html.index("<header") : html.index("</header>")]
    assert 'href="/portal/"' in bar and "/logout/" in bar and "/language/" in bar
    for place in ("/handovers/", "/cases/", "/agencies/", "/calls/", "/overview/"):
        assert place not in bar


def test_the_inbox_asks_as_many_questions_however_many_rows(client_of, cast, make_referral):
    client = client_of(cast.partner)
    client.get("/portal/")  # the session is there
    counts = []
    for number in (1, 3):
        for _ in range(number):
            make_referral("opened")
        with CaptureQueriesContext(connection) as queries:
            client.get("/portal/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_closed_door_stays_closed_after_it_is_done(client_of, cast, make_referral):
    done = make_referral("completed")
    actions.caller_says(by=cast.caseworker, referral=done, answer="helped")
    assert client_of(cast.partner).get(page(done)).status_code == 404
