"""Sixteen mistakes that systems for this work have made, each with the test that keeps it out of this one."""

import contextlib
import datetime as dt
import inspect
import json
import logging
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from helpline.management.commands import draw_states
from helpline.people import clock, notices
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice, User
from helpline.people.notices import deliver_mail
from intake import actions as intake
from intake.labels import EVENTS, KEEPERS, STEP_KINDS
from intake.models import Case, Event, FollowUp, Person
from referrals import actions, deadlines, labels, turns
from referrals.actions import silence
from referrals.actions.go import go, hold
from referrals.models import PartnerAgency, Referral, SilenceRung, StateChange
from referrals.states import AGENCY, CAME_BACK, MOVES, OPEN, OWNER, STATES, SYSTEM, TAKEN_ON
from tests.referrals.attempts import ACTIONS
from tests.referrals.conftest import make_draft, make_referral  # noqa: F401  # handovers in each state

pytestmark = pytest.mark.django_db
WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")


def carry_out(name: str, who: str, referral: Referral, cast) -> None:
    by = {OWNER: cast.caseworker, AGENCY: cast.partner, SYSTEM: None}[who]
    if name == "expire":
        go("expire", hold(referral), by=None, how={"who": SYSTEM}, ended_at=clock.now())
    else:
        ACTIONS[name](referral, by=by, how={"who": who})


WAYS_BACK = [
    (move.name, state, who)
    for move in MOVES.values()
    if move.target in CAME_BACK and move.step
    for state in sorted(move.sources)
    for who in sorted(move.who)
]


@pytest.mark.parametrize(("name", "state", "who"), WAYS_BACK)
def test_mistake_01_a_no_that_ends_in_nobodys_hands(name, state, who, make_referral, cast):  # noqa: F811
    """Some kinds of no came back to a list that belonged to nobody, and the person waited for ever. Here each of them, from
    each state and by whomever, is a step of a person who is there, with a time, before the commit."""
    referral = make_referral(state)
    carry_out(name, who, referral, cast)
    connection.check_constraints()
    now = Referral.objects.select_related("case__owner").get(pk=referral.pk)
    step = now.case.steps.planned().get(kind="choose_next", about=str(now.pk))
    assert step.owner == now.case.owner == cast.caseworker and step.owner.is_active
    assert not step.others_turn and not step.kept_by and step.due_at <= clock.now() + dt.timedelta(days=5)
    assert step.reminders.filter(state="scheduled").count() == 2


def test_mistake_02_a_state_that_can_be_set_to_anything(make_referral, client_of, cast):  # noqa: F811
    """A form or an interface that takes a state as a value lets anybody skip what stands between. Here none does, and the
    database lets through what is a row of the table and nothing else."""
    moves = {(source, move.target) for move in MOVES.values() for source in move.sources}
    for state in ("sent", "accepted", "declined", "completed"):
        referral = make_referral(state)
        for target in STATES:
            if target != state and (state, target) not in moves:
                referral.state = target
                with pytest.raises(IntegrityError, match="no move leads"), transaction.atomic():
                    referral.save(update_fields=["state"])
    sent = make_referral("opened")
    for act in ("accept", "decline", "ask"):  # words are missing, and a state is offered in their place
        client_of(cast.partner).post(f"/portal/{sent.pk}/{act}/", {"state": "completed", "target": "completed"})
    assert Referral.objects.get(pk=sent.pk).state in {"opened", "accepted"}
    for module in (actions, intake):
        for name in module.__all__:
            assert "state" not in inspect.signature(getattr(module, name)).parameters, name


def test_mistake_03_a_table_of_states_that_points_to_one_that_is_missing():
    """Data that named a state which no longer was there broke the page of whoever opened it. Here every code that a table
    holds is a code of the table that has its words."""
    known = set(STATES)
    for table in (labels.STATES, draw_states.FHIR):
        assert set(table) == known
    assert set(turns.REST) == known >= OPEN | TAKEN_ON | CAME_BACK
    assert set(turns.OWNERS) == set(turns.YOURS) and {*turns.THEIRS, *turns.YOURS} <= set(STEP_KINDS)
    for move in MOVES.values():
        assert {*move.sources, move.target} <= known and move.event in EVENTS
        assert not move.tells or move.event in labels.NOTICES and move.event in notices.KINDS
        if move.step:
            assert move.step.kind in STEP_KINDS and move.step.due in deadlines.DUE
            assert move.step.kind in (turns.THEIRS if move.step.others_turn else turns.YOURS)
            assert not move.step.keeper or move.step.keeper in KEEPERS
            assert move.step.due in draw_states.DUE
    for kind in [*labels.CALLING, *labels.ASKING_STEPS.values()]:
        assert kind in STEP_KINDS
    for rungs in deadlines.LADDER.values():
        assert [rung.name for rung in rungs] == deadlines.RUNGS and set(deadlines.RUNGS) == set(silence.CLIMB)
    assert set(labels.BRINGS_BACK) <= set(labels.CALLER_ANSWERS) and set(labels.BRINGS_BACK.values()) <= set(
        labels.REASONS
    )
    assert (
        set(deadlines.NEXT_ASKED) | set(deadlines.NEXT_ASKED.values())
        == set(deadlines.ASKED)
        == set(labels.ASKING_STEPS)
    )


@pytest.mark.parametrize("state", sorted(OPEN))
def test_mistake_04_taking_back_without_a_reason(state, make_referral, cast):  # noqa: F811
    """Whoever had sent it could revoke it at any time and nobody ever knew why. Here there is no taking back, no declining
    and no giving back without a reason that is a code, and "other" wants words."""
    referral = make_referral(state)
    count = StateChange.objects.count()
    for reason, text in (("", ""), ("because", "Because."), ("agency_gone", ""), ("other", "  ")):
        with pytest.raises(Refused):
            actions.withdraw(by=cast.caseworker, referral=referral, reason=reason, text=text)
    for act, by in (
        (actions.decline, cast.partner),
        (actions.return_referral, cast.partner),
        (actions.fail, cast.partner),
    ):
        for reason in ("", "because"):
            with pytest.raises(Refused):
                act(by=by, referral=referral, reason=reason)
    assert StateChange.objects.count() == count and Referral.objects.get(pk=referral.pk).state == state
    actions.withdraw(by=cast.caseworker, referral=referral, reason="other", text="She called and asked for it.")
    change = referral.changes.get(move="withdraw")
    assert change.reason == "other" and change.text == "She called and asked for it." and change.by == cast.caseworker


def everything_but(*names: str) -> dict[str, list]:
    """Every row of every table of ours, but those."""
    ours = [
        model for model in apps.get_models() if model.__module__.split(".")[0] in {"helpline", "intake", "referrals"}
    ]
    return {
        model.__name__: list(model._base_manager.order_by("pk").values())
        for model in ours
        if model.__name__ not in {"DataKey", *names}
    }


@pytest.mark.parametrize("rung", ["nudge", "deputy", "manager"])
def test_mistake_05_a_reminder_that_changes_what_it_reminds_of(rung, make_referral):  # noqa: F811
    """ "Only tell" escalated, reassigned or closed as it told. Here a reminder leaves a notice, its line and its own mark."""
    referral = make_referral("sent")
    told = ("Notice", "SilenceRung", "Event", "LogEntry")
    first = ["owner"] if rung == "manager" else []  # the managers hear of it once it has been for us to call
    for one in referral.rungs.filter(rung__in=first):
        with clock.at(one.due_at), transaction.atomic():
            assert silence._climb(one.pk)
    before = everything_but(*told)
    due = referral.rungs.get(rung=rung)
    with clock.at(due.due_at), transaction.atomic():
        assert silence._climb(due.pk)
    assert everything_but(*told) == before
    assert Notice.objects.filter(source__startswith=f"rung:{due.pk}:").exists()
    changed = SilenceRung.objects.exclude(state="scheduled")
    assert list(changed.order_by("due_at").values_list("rung", flat=True)) == [*first, rung]


def test_mistake_06_a_copy_that_drifts_from_what_it_copies(make_referral, cast):  # noqa: F811
    """A state or a due time that was kept twice drifted, and a job at night mended it. Here the database refuses a commit in
    which the two differ, whichever of them was changed."""
    referral = make_referral("sent")
    wrong = [
        lambda: Case.objects.filter(pk=referral.case_id).update(next_due_at=clock.now()),
        lambda: FollowUp.objects.filter(case=referral.case_id).update(due_at=clock.now()),
        lambda: Referral.objects.filter(pk=referral.pk).update(state="accepted"),
        lambda: StateChange.objects.create(referral=referral, move="open", source="sent", target="opened"),
    ]
    for act in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            assert act()
            connection.check_constraints()
    for state in STATES:
        row = make_referral(state)
        case = Case.objects.get(pk=row.case_id)
        assert case.next_due_at == min(case.steps.planned().values_list("due_at", flat=True))
        last = row.changes.order_by("at", "pk").last()
        assert row.state == (last.target if last else "draft")


def test_mistake_07_a_limit_of_tries_that_ends_in_an_exception(make_referral, cast, make_case):  # noqa: F811
    """After the last try that was allowed the system raised an error, and the person was out of every list. Here there is no
    last try: each one that fails leaves the next, on a later day."""
    referral = make_referral("contact_made")
    moment = clock.now()
    for _try in range(15):
        step = referral.case.steps.planned().get(about=str(referral.pk))
        moment = max(moment, step.due_at) + dt.timedelta(minutes=5)
        with clock.at(moment):
            actions.caller_says(by=cast.caseworker, referral=referral, answer="not_reached")
        connection.check_constraints()
        following = referral.case.steps.planned().get(about=str(referral.pk))
        assert following.pk != step.pk and following.due_at > moment
    case = make_case()
    for _try in range(15):
        intake.log_contact(by=cast.caseworker, case=case, outcome="no_answer", text="No answer.")
        connection.check_constraints()
        assert case.steps.planned().exists()


def in_short(referral: Referral) -> Any:
    """What stands after an answer, without who gave it and by which way."""
    now = Referral.objects.get(pk=referral.pk)
    steps = now.case.steps.planned().filter(about=str(now.pk)).values_list("kind", "kept_by", "others_turn", "owner")
    changes = now.changes.order_by("at").values_list("move", "source", "target", "reason")
    rungs = sorted(now.rungs.values_list("rung", "state"))
    told = "owner" in MOVES[now.changes.order_by("-at").first().move].tells
    return now.state, sorted(steps), list(changes), rungs, bool(now.ended_at), told


@pytest.mark.parametrize("name", ["accept", "decline", "ask"])
def test_mistake_08_another_service_for_who_comes_another_way(name, make_referral, cast):  # noqa: F811
    """Who wrote by the web got another service than who telephoned. Here an answer by the portal, by a link without an account
    and by telephone is one action, and leaves the same."""
    ways = {
        "portal": (cast.partner, {"who": AGENCY}),
        "link": (None, {"who": AGENCY, "way": "link"}),
        "phone": (cast.caseworker, {"who": OWNER, "way": "phone"}),
    }
    left = {}
    for way, (by, how) in ways.items():
        referral = make_referral("opened")
        ACTIONS[name](referral, by=by, how=how)
        connection.check_constraints()
        left[way] = in_short(referral)
    assert left["portal"] == left["link"] == left["phone"]


def ways_in(model) -> list[Any]:
    """Every manager of a model, and every method of its querysets that can be called with what we have."""
    return [*model._meta.managers, model._default_manager, model._base_manager]


def test_mistake_09_a_list_that_deletes_rows_when_it_is_read(world, cast):
    """A manager removed stale rows each time that somebody looked at a list. Here reading, by every manager and every method
    of every queryset of ours, asks and nothing else."""
    user = cast.caseworker
    seen = 0
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for model in apps.get_models():
            if model.__module__.split(".")[0] not in {"helpline", "intake", "referrals"}:
                continue
            for manager in ways_in(model):
                list(manager.all()[:2])
                seen += 1
                for kind in type(manager.all()).__mro__:
                    if kind in (QuerySet, object) or not kind.__module__.startswith(
                        ("helpline", "intake", "referrals")
                    ):
                        continue
                    seen += _run_methods(manager, kind, user)
    writing = [query["sql"] for query in queries if query["sql"].lstrip().upper().startswith(WRITES)]
    assert writing == [] and seen > 60 and len(queries) > 60


def _run_methods(manager, kind, user: User) -> int:
    count = 0
    for name, method in vars(kind).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        wanted = [one for one in list(inspect.signature(method).parameters.values())[1:] if one.default is one.empty]
        if all(one.annotation in (User, "User") for one in wanted):
            found = getattr(manager.all(), name)(*[user] * len(wanted))
            list(found[:2]) if isinstance(found, QuerySet) else None
            count += 1
    return count


OPEN_TO_ALL = ("people_user", "referrals_partneragency")  # who works here, and the directory, are no secret


def test_mistake_10_a_search_in_the_middle_of_words(pages, client_of, cast, world):
    """A search by any part of a name went through every row, and made a name in a list a way into a case. Here nothing of a
    person is searched but by the whole number, whatever is asked for."""
    seen = 0
    for who in ("caseworker", "manager", "partner", "keeper"):
        for name, client, address in pages(who):
            with CaptureQueriesContext(connection) as queries:
                client.get(address, {"q": "Hill", "search": "Hill", "name": "Hill", "number": "Hill"})
            for words in (query["sql"].upper() for query in queries):
                seen += 1
                wide = "LIKE" in words or " ~" in words or "POSITION(" in words
                assert not wide or words.partition(" FROM ")[2].strip('" ').lower().startswith(OPEN_TO_ALL), (
                    name,
                    words,
                )
    assert seen > 200


def test_mistake_11_numbers_that_are_not_found_since_they_were_written_otherwise(make_call, make_case, cast):
    """A number with spaces or a hyphen was another number than the same without. Here a caller is known however it is
    written, and a case is found however its number is said."""
    case = make_case(track="C", caller_name="Mary Hill", phone="070-123 45 67")
    for written in ("0701234567", "070 - 1234567", "(070) 123 45 67"):
        call = make_call(track="C", phone=written, urgency="NORMAL", urgency_reason="Calm.")
        said = f" {case.number.upper()}  ".replace("-", " ")
        assert intake.claim_case(by=cast.caseworker, call=call, number=said).pk == case.pk
        intake.complete_call(by=cast.caseworker, call=call)
    callers = list(Person.objects.filter(case=case, part="caller"))
    assert len(callers) == 1 and callers[0].name == "Mary Hill"
    assert " " not in Case.objects.values_list("code", flat=True).get(pk=case.pk)


@pytest.mark.parametrize("gone", ["agency", "account", "owner"])
@pytest.mark.parametrize("state", sorted(OPEN))
def test_mistake_12_a_receiver_that_is_switched_off_while_it_has_something(gone, state, make_referral, cast):  # noqa: F811
    """A receiver was disabled and what it had been sent hung where nobody could reach it. Here it comes back to us by itself;
    and where it is our own worker who has gone, somebody who is there hears of it."""
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(mailbox="", deputy_mailbox="")
    referral = make_referral(state)
    if gone == "agency":
        PartnerAgency.objects.filter(pk=cast.agency.pk).update(is_active=False)
    elif gone == "account":
        User.objects.filter(pk=cast.partner.pk).update(is_active=False)
    else:
        User.objects.filter(pk=cast.caseworker.pk).update(is_active=False)
    Notice.objects.all().delete()
    silence.sweep()
    connection.check_constraints()
    now = Referral.objects.select_related("case").get(pk=referral.pk)
    if gone != "owner" and state == "contact_made":  # they have met: now it is the caller who tells whether it helped
        assert now.state == "completed"
        assert now.case.steps.planned().get(about=str(now.pk)).kind == "confirm_contact"
        return
    if gone != "owner":
        assert now.state == "withdrawn" and now.changes.get(move="withdraw").reason == "agency_gone"
        kinds = now.case.steps.planned().filter(about=str(now.pk)).values_list("kind", flat=True)
        assert set(kinds) == {"choose_next", "tell_to_stop"}  # nobody there reads that it is over: we say it
        assert Notice.objects.filter(user=cast.caseworker, kind="referral.withdrawn").exists()
        return
    step = now.case.steps.planned().filter(about=str(now.pk)).order_by("due_at").first()
    with clock.at(step.due_at + dt.timedelta(days=5)):
        silence.sweep()
        intake.fire_due_reminders()
    told = User.objects.filter(notices__case=now.case_id, is_active=True, unit=cast.unit)
    assert told.exists(), "nobody who is there heard of it"


CANARIES = {name: f"Canary{number}Zebra" for number, name in enumerate(["ask", "happened", "wants", "fears", "tried"])}
SAID = "Canary9Zebra"


def test_mistake_13_what_people_said_in_logs_and_telemetry(make_draft, make_case, cast, caplog, monkeypatch):  # noqa: F811
    """Names and stories ended in log files, in error reports and in the arguments of background jobs. Here codes alone do."""
    from helpline.people import tasks

    sent_to_broker = []
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda *args, **rest: sent_to_broker.append((args, rest)))
    caplog.set_level(logging.DEBUG)
    draft = make_draft(case=make_case(track="B"), **CANARIES, name="Canary7Zebra", kept_back="Canary8Zebra")
    sent = actions.send(by=cast.caseworker, referral=draft)
    actions.ask_question(by=cast.partner, referral=sent, text=SAID)
    actions.answer_question(by=cast.caseworker, referral=sent, text=SAID)
    actions.accept(by=cast.partner, referral=sent, handled_by=SAID, text=SAID)
    actions.contact_made(by=cast.partner, referral=sent, text=SAID)
    actions.caller_says(by=cast.caseworker, referral=sent, answer="no", text=SAID)
    with contextlib.suppress(Refused):
        actions.accept(by=cast.partner, referral=sent, handled_by=SAID)
    deliver_mail()
    rows = json.dumps(
        [list(model.objects.values()) for model in (LogEntry, Notice, StateChange, Referral, FollowUp)], default=repr
    )
    events = json.dumps(list(Event.objects.values("kind", "codes")), default=repr)
    heard = caplog.text + rows + events + repr(sent_to_broker)
    heard += "".join(one.subject + one.body + str(one.to) + str(one.extra_headers) for one in mail.outbox)
    assert "Canary" not in heard.replace("CanaryMeta", "") and mail.outbox
    assert all(not args for args, _rest in sent_to_broker)


@pytest.mark.parametrize("urgency", ["BRADSKANDE", "SKYNDSAM", "NORMAL"])
def test_mistake_14_mail_at_midnight(urgency, make_draft, make_case, cast):  # noqa: F811
    """Reminders that were due when a clock ran out went out at night, and those who got them learned to look away. Here what can
    wait is said while people are at work, whenever it was sent."""
    monday = clock.local_time(clock.now()).replace(2026, 11, 23, 0, 30, 0, 0)
    for hours in range(0, 24 * 7, 11):
        moment = monday + dt.timedelta(hours=hours)
        with clock.at(moment):
            sent = actions.send(by=cast.caseworker, referral=make_draft(case=make_case(urgency=urgency)))
        for rung in sent.rungs.exclude(rung="expire").order_by("due_at"):
            Notice.objects.all().delete()
            with clock.at(rung.due_at), transaction.atomic():
                silence._climb(rung.pk)
            for notice in Notice.objects.exclude(mail="none"):
                goes = clock.local_time(notice.next_try_at or notice.created_at)
                assert 7 <= goes.hour < 18 and goes.weekday() < 5, (rung.rung, moment, goes)


def test_mistake_15_a_call_to_somebody_elses_server_inside_a_request(client_of, cast, make_referral, monkeypatch):  # noqa: F811
    """A hook that was called while the page waited made a slow server of theirs a dead page of ours. Here a request talks to
    the database and leaves a row; what goes out goes later, from somewhere else."""
    reached: list[Any] = []
    connect = socket.socket.connect

    def watched(self, address):
        reached.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    ours = {connection.settings_dict["HOST"], urlsplit(settings.REDIS_URL).hostname, "localhost", "127.0.0.1"}
    sent = make_referral("sent")
    agency, anna = client_of(cast.partner), client_of(cast.caseworker)
    assert agency.get(f"/portal/{sent.pk}/").status_code == 200
    assert agency.post(f"/portal/{sent.pk}/ask/", {"text": "How old is he?"}).status_code in (302, 303)
    assert anna.get(f"/handovers/{sent.pk}/").status_code == 200
    assert Referral.objects.get(pk=sent.pk).state == "question"
    elsewhere = {address[0] for address in reached if isinstance(address, tuple)} - ours
    assert not elsewhere and mail.outbox == []
    assert Notice.objects.filter(user=cast.caseworker, kind="referral.question", mail="ready").exists()


PRIVATE = {"kept_back": "Private1Zebra", "ground_reason": "Private2Zebra"}


def test_mistake_16_a_private_note_that_a_change_of_state_shows(client_of, cast, make_case, make_draft):  # noqa: F811
    """A note for colleagues was shown to the other side since the change that it stood with was. Here no move shows the agency
    what we wrote for ourselves, and none shows one agency what another wrote."""
    case = make_case(notes={"told": "Private3Zebra"}, urgency="SKYNDSAM")
    intake.add_note(by=cast.caseworker, case=case, kind="assessment", text="Private4Zebra")
    client = client_of(cast.partner)

    def look(referral: Referral) -> None:
        html = "".join(
            client.get(address).content.decode()
            for address in ("/portal/", f"/portal/{referral.pk}/", "/portal/questions/")
        )
        assert "Private" not in html, Referral.objects.get(pk=referral.pk).state
        deliver_mail()
        assert not any("Private" in one.subject + one.body for one in mail.outbox)

    paths = [
        ["open", "ask", "answer", "accept", "miss", "hold", "resume", "book", "contact", "complete"],
        ["accept", "return"],
        ["open", "decline"],
        ["accept", "book_warm", "fail"],
        ["withdraw", "confirm"],
        ["ask", "withdraw"],
        ["accept", "contact", "caller_no"],
    ]
    for path in paths:
        draft = make_draft(case=case, ground="CARE_U18", **PRIVATE)
        actions.save_draft(by=cast.caseworker, referral=draft, words={}, leads=False)
        sent = actions.send(by=cast.caseworker, referral=draft)
        look(sent)
        for name in path:
            who = AGENCY if AGENCY in MOVES[name].who and name not in {"miss", "withdraw"} else OWNER
            if name == "withdraw":
                actions.withdraw(by=cast.caseworker, referral=sent, reason="other", text="Private5Zebra")
            elif name == "caller_no":
                actions.caller_says(by=cast.caseworker, referral=sent, answer="no", text="Private6Zebra")
            else:
                ACTIONS[name](sent, by=cast.partner if who == AGENCY else cast.caseworker, how={"who": who})
            look(sent)


def test_each_of_the_sixteen_stands_here():
    """By its number."""
    numbers = {int(name.split("_")[2]) for name in globals() if name.startswith("test_mistake_")}
    assert numbers == set(range(1, 17))
