"""The drill's own counting, on made-up data: it finds a loss, a double and a broken promise, and nothing where all is well."""

import datetime as dt
import json
from collections import Counter
from copy import deepcopy

import pytest
from django.conf import settings
from django.utils import timezone

from helpline.drill import count, diary, forms, order, report, store
from helpline.drill.count import BROKEN, DOUBLED, LOST
from helpline.drill.diary import CONFIRMED, REFUSED, TRIED, Act
from helpline.drill.found import Found, FoundCall, FoundCase, FoundChange, FoundMail, FoundReferral, FoundRung
from helpline.drill.hurry import FORWARD
from helpline.drill.order import TARGETS, Order
from helpline.drill.sabotage import GUARDS
from helpline.local.console import Trouble
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import LogEntry, Notice
from helpline.sums import sum_up
from intake.models import DayMark, DaySum
from referrals import actions as referral_actions
from referrals.actions import silence

WELL = {"in_flight": 40, "kills": 60, "measured": 12, "slowest_recovery_s": 2.0, "slowest_outage_s": 3.0}


def made_up() -> tuple[list[Act], Found]:
    """One call with a case, a step, a note and a handover that was answered: all confirmed, and all there."""
    acts = [
        Act("v-1", "start", CONFIRMED, {"token": "t1", "call": "c1"}),
        Act("v-2", "save", CONFIRMED, {"call": "c1", "words": {"n.seen": "first"}}),
        Act("v-3", "save", CONFIRMED, {"call": "c1", "words": {"n.seen": "second\nline", "r.safe": "said"}}),
        Act("v-4", "complete", CONFIRMED, {"call": "c1", "words": {"n.own": "third"}, "step": "ring", "case": "k1"}),
        Act("v-5", "plan", CONFIRMED, {"case": "k1", "words": "write"}),
        Act("v-6", "note", CONFIRMED, {"case": "k1", "words": "told"}),
        Act("v-7", "draft", CONFIRMED, {"case": "k1", "referral": "r1"}),
        Act("v-8", "send", CONFIRMED, {"referral": "r1", "words": {"ask": "help", "wants": "peace"}}),
        Act("p-1", "move", CONFIRMED, {"referral": "r1", "move": "ask", "words": "who?"}),
        Act("v-9", "move", CONFIRMED, {"referral": "r1", "move": "answer", "words": "she"}),
        Act("p-2", "move", CONFIRMED, {"referral": "r1", "move": "accept", "words": "Pia\nnow"}),
    ]
    changes = [
        FoundChange("send", "draft", "sent"),
        FoundChange("open", "sent", "opened"),
        FoundChange("ask", "opened", "question", "who?"),
        FoundChange("answer", "question", "opened", "she"),
        FoundChange("accept", "opened", "accepted"),
    ]
    words = {"ask": "help", "wants": "peace", "handled_by": "Pia now"}
    found = Found(
        calls={"c1": FoundCall("t1", {"n.seen": "second\nline", "r.safe": "said", "n.own": "third"}, True, "k1")},
        cases={"k1": FoundCase(["ring", "write"], ["told"])},
        referrals={"r1": FoundReferral("accepted", words, changes, Counter(change.move for change in changes))},
        rungs=[
            FoundRung("1", "fired", True, Counter({"u1": 1, "u2": 1}), 1),
            FoundRung("2", "cancelled", True),
            FoundRung("3", "scheduled", False),
        ],
        ladders=[
            FoundRung("1 (nudge)", "fired", True, Counter({"u3": 1, "mailbox": 1}), 1),
            FoundRung("2 (deputy)", "cancelled", True),
            FoundRung("3 (owner)", "scheduled", False),
        ],
        mails=[FoundMail("m1", "sent", 1), FoundMail("m2", "unknown", 1), FoundMail("m3", "unknown", 0)],
        saves=Counter({("c1", "seen"): 2, ("c1", "safe"): 1, ("c1", "own"): 1}),
        started=Counter({"c1": 1}),
        completed=Counter({"c1": 1}),
        lines=Counter({("k1", "step.planned"): 2}),
        logged=Counter({("k1", "step.planned"): 2}),
        sums=5,
        links=9,
    )
    return acts, found


def kinds(acts: list[Act], found: Found) -> dict[str, int]:
    counted = count.checks(acts, found)
    return {kind: total for kind in (LOST, DOUBLED, BROKEN) if (total := count.total(counted, kind))}


def test_where_all_is_well_nothing_is_found():
    acts, found = made_up()
    assert kinds(acts, found) == {}
    assert all(check.of for check in count.checks(acts, found)), "a check that looks at nothing finds nothing"


def drop_call(found):
    found.calls.clear()


def older_words(found):
    found.calls["c1"].words["n.seen"] = "first"


def fewer_letters(found):
    found.calls["c1"].words["n.seen"] = "second line"


def no_words(found):
    del found.calls["c1"].words["r.safe"]


def not_finished(found):
    found.calls["c1"].is_completed = False


def another_case(found):
    found.calls["c1"].case = "k2"


def no_step(found):
    found.cases["k1"].steps.remove("ring")


def no_note(found):
    found.cases["k1"].notes.clear()


def no_case(found):
    found.cases.clear()


def no_referral(found):
    found.referrals.clear()


def older_card(found):
    found.referrals["r1"].words["wants"] = ""


def no_answer(found):
    del found.referrals["r1"].changes[2:4]


def never_fired(found):
    found.rungs[2].is_due = True


def told_nobody(found):
    found.rungs[0].notices.clear()


def never_climbed(found):
    found.ladders[2].is_due = True


def climbed_and_told_nobody(found):
    found.ladders[0].notices.clear()


def left_silent(found):
    found.silent.append("r1")


def mail_vanished(found):
    found.mails[0].taken = 0


def mail_stuck(found):
    found.mails.append(FoundMail("m4", "ready", 0, is_late=True))


LOSSES = [
    *(
        drop_call,
        older_words,
        fewer_letters,
        no_words,
        not_finished,
        another_case,
        no_step,
        no_note,
        no_case,
        no_referral,
    ),
    *(older_card, no_answer, never_fired, told_nobody, left_silent, mail_vanished, mail_stuck),
    *(never_climbed, climbed_and_told_nobody),
]


@pytest.mark.parametrize("lose", LOSSES)
def test_a_loss_is_found(lose):
    acts, found = made_up()
    lose(found)
    assert kinds(acts, found)[LOST] >= 1


def same_token(found):
    found.calls["c2"] = deepcopy(found.calls["c1"])


def call_of_nobody(found):
    found.calls["c2"] = FoundCall("")


def finished_twice(found):
    found.completed["c1"] = 2


def saved_twice(found):
    found.saves["c1", "seen"] = 3


def two_steps(found):
    found.cases["k1"].steps.append("write")


def two_notes(found):
    found.cases["k1"].notes.append("told")


def sent_twice(found):
    found.referrals["r1"].changes.append(FoundChange("send", "accepted", "sent"))


def answered_twice(found):
    found.referrals["r1"].changes.append(FoundChange("answer", "accepted", "opened", "she"))


def fired_twice(found):
    found.rungs[0].logged = 2


def told_twice(found):
    found.rungs[0].notices["u1"] = 2


def climbed_twice(found):
    found.ladders[0].logged = 2


def mailed_twice(found):
    found.mails[1].taken = 2


DOUBLES = [
    *(same_token, call_of_nobody, finished_twice, saved_twice, two_steps, two_notes, sent_twice, answered_twice),
    *(fired_twice, told_twice, climbed_twice, mailed_twice),
]


@pytest.mark.parametrize("double", DOUBLES)
def test_a_double_is_found(double):
    acts, found = made_up()
    double(found)
    assert kinds(acts, found)[DOUBLED] >= 1


def in_nobodys_hands(found):
    found.unheld.append("k1")


def a_wrong_sum(found):
    found.missums.append("has a row too many")


def a_broken_chain(found):
    found.misfits.append("place 7")


def another_state(found):
    found.referrals["r1"].state = "declined"


def a_hole(found):
    del found.referrals["r1"].changes[1]


def change_unlogged(found):
    found.referrals["r1"].logged["accept"] = 0


def save_unlogged(found):
    found.saves["c1", "own"] = 0


def start_unlogged(found):
    found.started.clear()


def end_unlogged(found):
    found.completed.clear()


def line_unlogged(found):
    found.logged["k1", "step.planned"] = 1


def reminder_unlogged(found):
    found.rungs[0].logged = 0


def climbed_unlogged(found):
    found.ladders[0].logged = 0


def told_unmarked(found):
    found.rungs[2].notices["u1"] = 1


BREAKS = [
    *(in_nobodys_hands, another_state, a_hole, change_unlogged, save_unlogged, start_unlogged, end_unlogged),
    *(line_unlogged, reminder_unlogged, told_unmarked, climbed_unlogged, a_wrong_sum, a_broken_chain),
]


@pytest.mark.parametrize("spoil", BREAKS)
def test_a_broken_promise_is_found(spoil):
    acts, found = made_up()
    spoil(found)
    assert kinds(acts, found)[BROKEN] >= 1


def test_what_was_sent_and_not_answered_may_be_there_or_not():
    acts, found = made_up()
    acts.append(Act("v-10", "save", TRIED, {"call": "c1", "words": {"n.seen": "fourth"}}))
    assert kinds(acts, found) == {}
    found.calls["c1"].words["n.seen"] = "fourth"
    found.saves["c1", "seen"] = 3
    assert kinds(acts, found) == {}
    found.calls["c1"].words["n.seen"] = "first"
    assert kinds(acts, found) == {LOST: 1}


def test_a_card_that_was_saved_and_not_sent_is_no_loss():
    acts, found = made_up()
    acts.append(Act("v-10", "send", REFUSED, {"referral": "r1", "words": {"wants": "home"}, "why": "422"}))
    acts.append(Act("v-11", "card", TRIED, {"referral": "r2", "words": {"wants": "never confirmed"}}))
    found.referrals["r1"].words["wants"] = "home"
    assert kinds(acts, found) == {}


def test_a_call_whose_start_was_never_answered_is_none_too_many():
    acts, found = made_up()
    found.calls["c2"], found.started["c2"] = FoundCall("t2"), 1
    assert kinds(acts, found) == {DOUBLED: 1}
    acts.append(Act("w-1", "start", TRIED, {"token": "t2"}))
    assert kinds(acts, found) == {}


def test_a_card_that_is_sent_as_it_was_saved_is_still_looked_at():
    acts, found = made_up()
    acts.append(Act("v-10", "send", CONFIRMED, {"referral": "r1", "words": {}}))
    assert kinds(acts, found) == {}
    found.referrals["r1"].words["wants"] = ""
    assert kinds(acts, found) == {LOST: 1}


def test_a_diary_is_read_as_far_as_it_came(tmp_path):
    written = diary.Diary(tmp_path / "vera.jsonl")
    done, open_, refused = (written.tries("save", call="c1", words={"n.seen": text}) for text in "abå")
    written.confirmed(done)
    written.refused(refused, 409, 2)
    acts = diary.read(tmp_path)  # not closed: a client that is killed closes nothing
    assert [act.stage for act in acts] == [CONFIRMED, TRIED, REFUSED] and acts[2].facts["tries"] == 2
    assert acts[2].facts["words"] == {"n.seen": "å"} and open_.id == "vera-2"


HTML = """
<form action="/save/" id="f" method="post">
 <input type="hidden" name="token" value="t&amp;1"><input name="name" value="Åsa"><input name="off" value="x" disabled>
 <textarea name="words">
one
two</textarea>
 <input type="radio" name="urgency" value="A"><input type="radio" name="urgency" value="B" checked>
 <input type="checkbox" name="more" value="1"><input type="checkbox" name="more" value="2" checked>
 <input type="radio" form="none" name="tab" value="1" checked>
 <select name="need"><option value="">Choose</option><option value="home" selected>A home</option></select>
 <button name="confirm" value="A">Confirm</button><button formaction="/complete/">Finish</button>
</form>
<input form="f" type="hidden" name="later" value="yes"><p class="notice error" role="alert">No</p><a href="../k1/?x=1">x</a>
"""


def test_a_form_is_sent_as_a_browser_without_script_would():
    page = forms.read("/calls/c1/", 200, HTML)
    form = page.form("/save/")
    sent = "token=t%261&name=%C3%85sa&words=one%0D%0Atwo&urgency=B&more=2&need=home&later=yes"
    assert form.body() == sent
    assert form.body(form.buttons[0]) == f"{sent}&confirm=A"
    assert form.target(form.button("/complete/")) == "/complete/" and form.target() == "/save/"
    assert form.choices("need") == ["home"] and form.choices("urgency") == ["A", "B"]
    assert form.put("urgency", "A") and form.put("more", "1") and form.put("words", "å")
    assert not form.put("missing", "x") and not form.put("urgency", "C")
    assert "more=1&more=2" in form.body() and "words=%C3%A5" in form.body()
    assert page.links == ["/calls/k1/"] and page.faults == ["notice error"]


def told(**changes) -> dict:
    figures = {
        **{"kills": 60, "kills_with_request_in_flight": 40, "slowest_recovery_s": 2.0, "lost": 0, "doubled": 0},
        **{"by_target": dict.fromkeys(TARGETS, WELL), "broken": 0, "reminders": {"fired": 3}, "silence": {"fired": 2}},
        "confirmed": dict.fromkeys(report.MUST_HAPPEN, 5),
    }
    figures |= changes
    return figures | {"unmet": report.unmet(Order(), figures)}


def test_a_drill_passes_where_nothing_is_wrong_and_enough_happened(tmp_path):
    assert report.passed(told())
    report.write(told(), tmp_path / "build" / "drill.json")
    assert json.loads((tmp_path / "build" / "drill.json").read_text())["passed"] is True


@pytest.mark.parametrize(
    "change",
    [
        *({"lost": 1}, {"doubled": 1}, {"broken": 1}, {"kills": 59}, {"kills_with_request_in_flight": 39}),
        *({"slowest_recovery_s": 5.01}, {"slowest_recovery_s": None}, {"confirmed": {}}, {"reminders": {}}),
        {"silence": {"cancelled": 3}},
        {"by_target": {target: {**WELL, "kills": int(target != "beat")} for target in TARGETS}},
    ],
    ids=str,
)
def test_a_drill_fails_by_one_loss_or_where_too_little_happened(change):
    assert not report.passed(told(**change))


def test_what_is_asked_for_is_read_from_the_environment():
    assert order.read({"DRILL_SEED": "7"}) == Order(seed=7)
    short = order.read({"DRILL_SECONDS": "60", "DRILL_SEED": "1", "DRILL_KILLS": "12"})
    assert (short.seconds, short.kills, short.in_flight) == (60, 12, 8)
    assert order.read({"DRILL_SABOTAGE": "token_ignored"}).sabotage in GUARDS
    for wrong in ({"DRILL_SECONDS": "long"}, {"DRILL_SABOTAGE": "nothing"}):
        with pytest.raises(Trouble):
            order.read(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("name", FORWARD)
def test_what_is_brought_forward_is_still_in_the_tables(name):
    """A column that has another name since would be a fault that the drill swallows as a database that is away."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(FORWARD[name][0])


def brought_forward(name: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(FORWARD[name][0])
        moved = cursor.rowcount
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
    return moved


def test_a_silence_that_is_brought_forward_keeps_its_order(make_referral):
    with clock.at(clock.now() - dt.timedelta(minutes=1)):
        sent = make_referral("sent")
    asked = make_referral("question")
    before = list(sent.rungs.order_by("due_at", "pk"))
    moved = brought_forward("silence")
    after = list(sent.rungs.order_by("due_at", "pk"))
    soon = timezone.now() + dt.timedelta(seconds=10)
    assert 1 <= moved <= 5 and [rung.pk for rung in after] == [rung.pk for rung in before]
    assert [rung.due_at < soon for rung in after] == [True] * moved + [False] * (5 - moved)
    assert set(asked.rungs.values_list("state", flat=True)) == {"cancelled"}
    sent.refresh_from_db()
    assert sent.state == "sent", "only times are moved"


def test_a_pause_that_is_brought_forward_is_over(make_referral):
    resting = make_referral("on_hold")
    assert brought_forward("pauses") == 1
    resting.refresh_from_db()
    assert resting.hold_until == clock.today()


def test_the_rungs_of_silence_are_read_as_they_were_climbed(make_referral, cast):
    """Two rounds, each climbed to its end or stopped; and one that was climbed twice is seen."""
    sent = make_referral("sent")
    with clock.at(sent.rungs.get(rung="deputy").due_at):
        silence.climb()
        referral_actions.ask_question(by=cast.partner, referral=sent, text="How old?")
        referral_actions.answer_question(by=cast.caseworker, referral=sent, text="Fifteen.")
    while left := sent.rungs.filter(state="scheduled").order_by("due_at", "pk").first():
        with clock.at(max(left.due_at, clock.now())):
            silence.climb()
    found = Found()
    store._ladders(found)
    said = {
        rung.id.split("(")[1].split(" of")[0]: (rung.state, rung.logged, bool(rung.notices)) for rung in found.ladders
    }
    climbed, stopped = ("fired", 1, True), ("cancelled", 0, False)
    first = {"nudge": climbed, "deputy": climbed, "owner": stopped, "manager": stopped, "expire": stopped}
    assert said == {
        **{f"{name} 1": seen for name, seen in first.items()},
        **{f"{name} 2": climbed for name in first},
    }
    checks = count._rungs("rungs of silence", found.ladders)
    assert all(check.of and not check.wrong for check in checks if check.name != "rungs of silence fired when due")
    log("referral.nudged", by=None, case=sent.case_id, row=sent.pk, rung="nudge")
    again = Found()
    store._ladders(again)
    [twice] = [check for check in count._rungs("", again.ladders) if check.kind == DOUBLED]
    assert len(twice.wrong) == 1 and "nudge 2" in twice.wrong[0]


def test_what_waits_without_a_rung_is_seen(make_referral):
    sent = make_referral("sent")
    found = Found()
    store._referrals(found)
    assert found.silent == []
    sent.rungs.update(state="cancelled")
    store._referrals(found)
    assert found.silent == [str(sent.pk)]


def test_it_is_quiet_when_nothing_is_due(make_referral):
    sent = make_referral("sent")
    Notice.objects.update(mail="sent")
    assert not store.is_quiet()  # a day is to be counted anew
    sum_up()
    assert store.is_quiet()
    rung = sent.rungs.first()
    for moment, quiet in ((clock.now() - dt.timedelta(seconds=1), False), (clock.now() + dt.timedelta(days=1), True)):
        sent.rungs.filter(pk=rung.pk).update(due_at=moment)
        assert store.is_quiet() is quiet


def test_without_its_guard_a_rung_is_climbed_twice(make_referral, monkeypatch):
    """What the drill takes out is what holds: the same look, twice, climbs twice."""
    from helpline.drill import sabotage

    sent = make_referral("sent")
    for name in ("_claim", "LOOKS"):
        monkeypatch.setattr(silence, name, getattr(silence, name))
    monkeypatch.setattr(sabotage, "MUCH_LATER", 0)
    rung = sent.rungs.get(rung="nudge")
    with clock.at(rung.due_at):
        GUARDS["climbed_unclaimed"]()
        assert silence._climb(rung.pk) and silence._climb(rung.pk)
        silence.sweep()
    rung.refresh_from_db()
    assert rung.state == "fired"
    assert LogEntry.objects.filter(event="referral.nudged", row=str(sent.pk)).count() == 3


def test_a_wrong_sum_is_found(make_referral):
    make_referral("sent")
    while sum_up():
        pass
    found = Found()
    store._sums(found)
    assert found.sums and found.missums == []
    DaySum.objects.filter(what="case", part="").update(count=7)
    store._sums(found)
    assert len(found.missums) == 2  # one that is not, one that is missing
    assert DaySum.objects.filter(count=7).exists()  # the count itself changes nothing


def test_without_its_guard_a_day_is_counted_in_two_transactions(make_referral, monkeypatch):
    from helpline import sums, tasks
    from helpline.drill import sabotage

    make_referral("sent")
    monkeypatch.setattr(tasks, "sum_up", tasks.sum_up)
    monkeypatch.setattr(sabotage, "MUCH_LATER", 0)
    GUARDS["unmarked_first"]()

    def killed(*_days):
        raise RuntimeError

    monkeypatch.setattr(sums, "recount", killed)
    with pytest.raises(RuntimeError):
        tasks.sum_up()
    assert not DayMark.objects.exists() and not DaySum.objects.exists()  # nobody will ever count it


def test_the_app_of_a_client_shows_what_is_taken(cast, client, settings):
    """The drill's people log in as everybody does, with a second factor."""
    from allauth.mfa.totp.internal import auth as totp

    from helpline.drill import phones

    secret = phones.secret_of("anna", "pw")
    totp.TOTP.activate(cast.caseworker, secret)
    settings.REQUIRE_SECOND_FACTOR = True
    answer = client.post("/login/", {"login": "anna", "password": "pw"})
    assert answer.status_code == 302 and answer.url.startswith("/login/code/")
    answer = client.post(answer.url, {"code": phones.code_of(secret)})
    assert answer.status_code == 302 and client.get("/my-day/").status_code == 200
