"""Two windows of one call: neither overwrites the other unseen, and no word is lost on either side."""

import re
import threading
import time
import uuid

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people.models import LogEntry
from helpline.people.sealed import DataKey
from intake import actions
from intake.actions import calls
from intake.forms.calls import APART, CallForm
from intake.forms.windows import mark
from intake.models import Call
from tests.intake.test_calls import Browser, events, fresh, note, page_of, url

pytestmark = pytest.mark.django_db
HERS, HIS = "Brodern har ett gevär", "Brodern sover hos en vän"
SCRIPT = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def without_upper_floors(settings):
    settings.PANELS = ""


@pytest.fixture
def call(make_call):
    return make_call(track="B", caller_name="Ingegerd")


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


def conflict(answer, name):
    return answer.context["form"][name].conflict


def press(answer, act, name):
    """The value of a button at the conflict of a field."""
    pattern = rf'name="{act}" value="({re.escape(name)}[^"]*)"'
    return re.search(pattern, answer.content.decode())[1]


# ---------- A mark ----------


@pytest.mark.parametrize("one, other", [("a", "b"), ("", "a"), (["a"], ["a", "b"]), (True, False), ("ab", "ba")])
def test_what_differs_has_another_mark(one, other):
    assert mark(one) != mark(other)


@pytest.mark.parametrize("one, other", [("", []), ("", None), (["a", "b"], ["b", "a"]), (False, ""), ("a", ["a"])])
def test_what_is_the_same_has_the_same_mark(one, other):
    assert mark(one) == mark(other)


def test_every_field_of_the_page_carries_its_base(anna, cast, make_call):
    """Whoever adds a field adds its base: without one a window overwrites another."""
    call = make_call(answers={"weapon": "yes", "r_event": "ord"}, notes={"seen": "ord"}, track="C", urgency="AKUT")
    names = page_of(anna, call).names
    fields = {name for name in names if name in CallForm(call).fields} - APART
    assert len(fields) > 40
    assert {name for name in fields if f"base.{name}" not in names} == set()


# ---------- Two windows without script: each sends the whole page ----------


def test_a_field_that_was_not_touched_takes_nothing_from_another_window(anna, call):
    older = page_of(anna, call)
    anna.post(
        url("call-save", call),
        page_of(anna, call).data(
            n__seen=HERS, a__weapon="no", r__weapon=HERS, milieu="LEFT", interpreter="on", a__r_known=["school"]
        ),
    )
    answer = anna.post(url("call-save", call), older.data(n__told=HIS))
    assert answer.status_code == 303  # nothing to choose between
    saved = fresh(call)
    assert (note(saved, "seen"), note(saved, "told"), saved.milieu) == (HERS, HIS, "LEFT")
    assert (saved.answered["weapon"], saved.remarks["weapon"], saved.interpreter) == ("no", HERS, True)


@pytest.mark.parametrize(
    "name, hers, his",
    [
        ("n.seen", HERS, HIS),
        ("r.weapon", HERS, HIS),
        ("a.r_event", HERS, HIS),
        ("a.weapon", "yes", "unknown"),
        ("a.r_known", ["school"], ["police"]),
        ("milieu", "LEFT", "RIGHT"),
        ("municipality", "1496", "1493"),
        ("track", "C", "A"),
        ("caller_name", "Eva Ek", "Eva Al"),
        ("caller_type", "leaver", "other"),
        ("what", HERS, HIS),
        ("actualisation_reason", HERS, HIS),
        ("age_band", "18-19", "20"),
    ],
)
def test_where_both_wrote_both_stand_and_nothing_is_overwritten(anna, call, name, hers, his):
    key = name.replace(".", "__")
    older = page_of(anna, call)
    anna.post(url("call-save", call), page_of(anna, call).data(**{key: hers}))
    before = CallForm(fresh(call)).stored()[name]
    answer = anna.post(url("call-save", call), older.data(**{key: his, "n__told": "annat"}))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [name]
    saved = fresh(call)
    assert CallForm(saved).stored()[name] == before
    assert note(saved, "told") == "annat"  # everything else is saved
    found = conflict(answer, name)
    assert found.by.username == "anna" and found.at == LogEntry.objects.filter(event="call.saved").order_by("pk")[1].at
    sent = dict(Browser(answer.content.decode()).data())[name]
    assert sent == (his if isinstance(his, list) else [his])  # what is written here stands in the field
    if name == "n.seen":
        assert HERS in answer.content.decode()  # and the other's beside it
    connection.check_constraints()


def refused(anna, call, name="n.seen", hers=HERS, his=HIS):
    older = page_of(anna, call)
    anna.post(url("call-save", call), {name: hers})
    return anna.post(url("call-save", call), older.data(**{name.replace(".", "__"): his}))


def test_sending_it_again_as_it_is_overwrites_nothing(anna, call):
    answer = refused(anna, call)
    answer = anna.post(url("call-save", call), Browser(answer.content.decode()).data())
    assert answer.status_code == 422 and note(fresh(call), "seen") == HERS
    answer = anna.post(url("call-complete", call), Browser(answer.content.decode()).data())
    assert answer.status_code == 422 and fresh(call).completed_at is None


@pytest.mark.parametrize("act, kept", [("keep", HIS), ("take", HERS), ("both", f"{HERS}\n\n{HIS}")])
def test_a_person_chooses(anna, call, act, kept):
    answer = refused(anna, call)
    again = Browser(answer.content.decode()).data(**{act: press(answer, act, "n.seen")})
    assert anna.post(url("call-save", call), again).status_code == 303
    assert note(fresh(call), "seen") == kept


@pytest.mark.parametrize("act", ["keep", "both"])
def test_a_choice_holds_for_what_was_shown_and_nothing_newer(anna, call, act):
    answer = refused(anna, call)
    anna.post(url("call-save", call), {"n.seen": "something newer still"})
    again = Browser(answer.content.decode()).data(**{act: press(answer, act, "n.seen")})
    answer = anna.post(url("call-save", call), again)
    assert answer.status_code == 422 and note(fresh(call), "seen") == "something newer still"


def test_both_is_offered_for_notes_alone(anna, call):
    html = refused(anna, call, "milieu", "LEFT", "RIGHT").content.decode()
    assert 'name="keep"' in html and 'name="both"' not in html


def test_what_was_taken_away_elsewhere_is_said(anna, make_call):
    call = make_call(notes={"seen": HERS})
    html = refused(anna, call, "n.seen", "", HIS).content.decode()
    assert "Nothing: it was taken away." in html and HIS in html


def test_taking_an_answer_away_takes_no_newer_one(anna, make_call):
    call = make_call(answers={"weapon": "no"})
    older = page_of(anna, call)
    anna.post(url("call-save", call), {"a.weapon": "yes"})
    answer = anna.post(url("call-save", call), older.data(clear="a.weapon"))
    assert answer.status_code == 422 and fresh(call).answered["weapon"] == "yes"


# ---------- With script: fields that were edited, each with its base ----------


def test_the_same_words_in_both_windows_are_no_conflict(anna, call):
    anna.post(url("call-save", call), {"n.seen": HERS})
    answer = anna.post(url("call-save", call), {"n.seen": HERS, "base.n.seen": mark("")}, headers=SCRIPT)
    assert answer.status_code == 200


def test_words_that_were_sent_before_and_not_answered_are_ones_own(anna, call):
    """The answer to the first save was lost on the way; more was written since."""
    anna.post(url("call-save", call), {"n.seen": "Brodern", "base.n.seen": mark("")}, headers=SCRIPT)
    data = {"n.seen": HERS, "base.n.seen": f"{mark('')},{mark('Brodern')}"}
    assert anna.post(url("call-save", call), data, headers=SCRIPT).status_code == 200
    assert note(fresh(call), "seen") == HERS


def test_an_older_request_that_comes_late_overwrites_nothing(anna, call):
    anna.post(url("call-save", call), {"n.seen": HERS, "base.n.seen": f"{mark('')},{mark('Brod')}"}, headers=SCRIPT)
    late = anna.post(url("call-save", call), {"n.seen": "Brod", "base.n.seen": mark("")}, headers=SCRIPT)
    assert late.status_code == 422 and note(fresh(call), "seen") == HERS


def test_a_colleague_in_another_window_is_named(anna, client_of, cast, call):
    older = page_of(anna, call)
    client_of(cast.colleague).post(url("call-save", call), {"n.seen": HERS})
    html = anna.post(url("call-save", call), older.data(n__seen=HIS)).content.decode()
    assert f"{cast.colleague} wrote" in html


def test_an_urgency_that_was_raised_meanwhile_is_not_confirmed_unseen(anna, make_call):
    call = make_call()
    older = page_of(anna, call)
    anna.post(url("call-save", call), {"a.weapon": "yes"})
    for name, extra in (("call-save", {"confirm": "NORMAL"}), ("call-complete", {})):
        answer = anna.post(url(name, call), older.data(**extra))
        assert answer.status_code == 422, name
        assert fresh(call).urgency == "" and fresh(call).completed_at is None


def test_words_of_a_conflict_in_a_call_that_was_finished_are_given_back(anna, cast, call):
    older = page_of(anna, call)
    done = actions.save_call(by=cast.caseworker, call=call, facts={"urgency": "NORMAL"}, notes={"seen": HERS})
    actions.complete_call(by=cast.caseworker, call=done)
    answer = anna.post(url("call-save", call), older.data(n__seen=HIS))
    assert answer.status_code == 409 and HIS in answer.content.decode()


def test_two_saves_at_once_are_seen_by_the_second(anna, cast, call):
    """The other window's save comes between the reading and the saving of this one."""
    from django.http import QueryDict

    form = CallForm(fresh(call), QueryDict(f"n.seen={HIS}&base.n.seen={mark('')}"))
    actions.save_call(by=cast.caseworker, call=call, notes={"seen": HERS})
    form.save(by=cast.caseworker)
    assert list(form.errors) == ["n.seen"] and note(fresh(call), "seen") == HERS


# ---------- Another person in the same browser ----------


@pytest.mark.parametrize(
    "name", ["call-save", "call-complete", "call-quick", "call-void", "call-again", "call-not-again"]
)
@pytest.mark.parametrize("who", ["colleague", "stranger"])
def test_nothing_is_saved_under_the_wrong_name(anna, client_of, cast, call, name, who):
    data = page_of(anna, call).data(n__seen=HERS)
    answer = client_of(getattr(cast, who)).post(url(name, call), data)
    html = answer.content.decode()
    assert answer.status_code == 403 and HERS in html and "somebody else is logged in here" in html
    assert "Ingegerd" not in html  # what was not written here is not shown
    assert not fresh(call).notes.exists() and not fresh(call).is_finished
    assert LogEntry.objects.filter(event="call.refused", row=str(call.pk), why="other_writer").exists()


# ---------- Opened once ----------

START = "/calls/start/"


def token_of(anna):
    return re.search(r'name="token" value="([^"]+)"', anna.get("/my-day/").content.decode())[1]


def test_pressed_twice_opens_one_call(anna):
    token = token_of(anna)
    first, second = (anna.post(START, {"token": token}) for _ in range(2))
    assert first.url == second.url and Call.objects.count() == 1
    assert events(Call.objects.get()).count("call.started") == 1


def test_another_page_opens_another_call(anna):
    for _ in range(2):
        anna.post(START, {"token": token_of(anna)})
    assert Call.objects.count() == 2


def test_gone_back_to_the_page_after_the_call_it_opens_a_new_one_and_that_one_once(anna, cast):
    token = token_of(anna)
    anna.post(START, {"token": token})
    actions.void_call(by=cast.caseworker, call=Call.objects.get(), why="Fel")
    again = {anna.post(START, {"token": token}).url for _ in range(2)}
    assert len(again) == 1 and Call.objects.count() == 2


def test_a_token_leads_nobody_into_the_call_of_another(anna, client_of, cast):
    token = token_of(anna)
    hers = anna.post(START, {"token": token}).url
    assert client_of(cast.colleague).post(START, {"token": token}).url != hers
    assert set(Call.objects.values_list("taken_by__username", flat=True)) == {"anna", "bert"}


@pytest.mark.parametrize("token", ["", "x", "0", "00000000-0000-0000", "\x00"])
def test_a_token_that_is_none_opens_a_call(anna, token):
    assert anna.post(START, {"token": token}).status_code == 303
    assert Call.objects.get().start_token is None


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_open_one_call(cast, monkeypatch):
    """The second writes while the first has written and not yet committed."""
    token, written, opened = uuid.uuid4(), threading.Event(), []
    log = calls.log

    def slowly(*args, **rest):
        written.set()
        time.sleep(0.5)  # so that the other waits for the row of this one
        return log(*args, **rest)

    monkeypatch.setattr(calls, "log", slowly)

    def press(wait: bool) -> None:
        if wait:
            written.wait(timeout=10)
        opened.append(actions.start_call(by=cast.caseworker, token=token).pk)
        connection.close()

    threads = [threading.Thread(target=press, args=[wait]) for wait in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(opened) == 2 and len({*opened}) == 1
    assert Call.objects.count() == DataKey.objects.count() == 1  # nothing is left of the press that came too late


# ---------- Brought back ----------


def test_the_way_leads_back_into_the_call(anna, cast):
    made = actions.start_call(by=cast.caseworker)
    assert anna.get("/").url == url("call", made)
    html = anna.get("/cases/").content.decode()
    assert "Back to the call" in html and url("call", made) in html


@pytest.mark.parametrize("how", ["finished", "old", "late", "a colleague's", "none"])
def test_there_is_no_way_back_to_a_call_that_does_not_go_on(anna, cast, at, how):
    from intake.models import Call as Row

    if how != "none":
        made = actions.start_call(by=cast.colleague if how == "a colleague's" else cast.caseworker)
        if how == "finished":
            actions.void_call(by=cast.caseworker, call=made, why="x")
        elif how == "late":
            Row.objects.filter(pk=made.pk).update(entered_late=True)
        elif how == "old":
            import datetime as dt

            from helpline.people import clock

            long_ago = clock.now() - dt.timedelta(hours=2, minutes=1)
            Row.objects.filter(pk=made.pk).update(saved_at=long_ago, received_at=long_ago)
    assert anna.get("/").url == reverse("intake:my-day")
    assert "Back to the call" not in anna.get("/cases/").content.decode()


def test_after_logging_in_one_is_brought_back_wherever_the_way_led(client, cast):
    made = actions.start_call(by=cast.caseworker)
    for data in ({}, {"next": "/cases/"}):
        answer = client.post(reverse("account_login"), {"login": "anna", "password": "pw", **data})
        assert answer.url == url("call", made)
        client.logout()
