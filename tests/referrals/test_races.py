"""Two at once, on two connections, fifty times over: one is first, the other is told so, and nothing is done twice.

Each race stands twice. The second time a guard is taken out of the code that runs (as text, so that a guard which has moved is
noticed) and a moment is put where it mattered: then the wrong thing happens, which is how we know that the first test looks.
"""

import datetime as dt
import inspect
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import translation

from helpline.people import clock
from helpline.people.errors import TooLate
from helpline.people.models import LogEntry, Notice, Role, User
from intake import actions as intake
from intake.actions import cases as intake_cases
from intake.actions import reminders as intake_reminders
from intake.actions import shifts as intake_shifts
from intake.models import Case, Event, FollowUp, Reminder, ShiftHandover
from referrals import actions
from referrals.actions import go as going
from referrals.actions import moves, silence
from referrals.models import AgencyMember, Referral, SilenceRung, StateChange
from tests.referrals.conftest import CARD

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 50
A_MOMENT = 0.05  # how long whoever is without a guard dwells where the guard stood


class Pair:
    """Two workers with a connection each, who begin at the same moment."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(2)
        self.ready = threading.Barrier(2, timeout=30)

    def run(self, *acts: Callable[[], object]) -> list[object]:
        """What each of the two got: what the act returned, or what it raised."""
        return list(self.pool.map(self._one, acts))

    def _one(self, act: Callable[[], object]) -> object:
        self.ready.wait()
        try:
            with translation.override("en"):  # of each thread its own
                return act()
        except Exception as error:
            return error

    def close(self) -> None:
        list(self.pool.map(self._leave, range(2)))
        self.pool.shutdown()

    def _leave(self, _number: int) -> None:
        self.ready.wait()  # so that each of the two closes its own
        connection.close()


class Unclaimed:
    """Rows that are looked at, and changed a moment later whatever they have become."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def update(self, **fields: Any) -> int:
        found = list(self.rows.values_list("pk", flat=True))
        time.sleep(A_MOMENT)
        return self.rows.model.objects.filter(pk__in=found).update(**fields)


@pytest.fixture
def pair():
    both = Pair()
    yield both
    both.close()


@pytest.fixture
def without(monkeypatch):
    """Take a guard out of a function: these words become those; a line that is only a pause lets the other come in."""

    def take(module, name: str, *guards: tuple[str, str]) -> None:
        text = textwrap.dedent(inspect.getsource(getattr(module, name)))
        for guard, instead in guards:
            assert guard in text, f"{name} has no such guard any more: {guard}"
            text = text.replace(guard, instead)
        names = {**vars(module), "dwell": lambda: time.sleep(A_MOMENT), "unclaimed": Unclaimed}
        exec(compile(text, f"{name} without its guard", "exec"), names)
        # what it calls in its own module is looked up there, so that other guards stay
        function = names[name]
        monkeypatch.setattr(module, name, function)
        return function

    return take


@pytest.fixture
def sent(cast, make_case) -> Callable[[], Referral]:
    """One more handover that waits for an answer: on the same case ten times, each for itself."""
    made: list[Case] = []

    def make() -> Referral:
        if not made or len(made) % 10 == 0:
            made.append(make_case())
        else:
            made.append(made[-1])
        draft = actions.draft_referral(by=cast.caseworker, case=made[-1], agency=cast.agency, need="child_protection")
        words = {**CARD, "ground": "CARE_U18", "ground_reason": "Needed."}
        actions.save_draft(by=cast.caseworker, referral=draft, words=words, approved=True, leads=False)
        return actions.send(by=cast.caseworker, referral=draft)

    return make


@pytest.fixture
def frida2(cast) -> User:
    made = User.objects.create(username="ines", role=Role.PARTNER, email="ines@example.com", first_name="Ines")
    AgencyMember.objects.create(user=made, agency=cast.agency)
    return made


# -- two people of one agency answer the same handover ----------------------------------------------------------------------


def answer_at_once(pair: Pair, referral: Referral, first: User, second: User, *, both_accept: bool) -> list[object]:
    other = (
        (lambda: actions.accept(by=second, referral=referral, handled_by="Ines"))
        if both_accept
        else (lambda: actions.decline(by=second, referral=referral, reason="no_capacity"))
    )
    return pair.run(lambda: actions.accept(by=first, referral=referral, handled_by="Frida"), other)


def one_was_first(referral: Referral, got: list[object], names: dict[int, str]) -> None:
    """One answer stands; who was second is told who was first, and where it stands."""
    now = Referral.objects.select_related("case").get(pk=referral.pk)
    lost = [one for one in got if isinstance(one, Exception)]
    assert [type(one) for one in lost] == [TooLate], got
    answer = now.changes.get(move__in=["accept", "decline"])
    assert answer.target == now.state
    assert str(lost[0]) == f"{names[answer.by_id]} was first: the handover is already “{now.state_name}”."
    kinds = list(now.case.steps.planned().filter(about=str(now.pk)).values_list("kind", flat=True))
    assert kinds == [{"accepted": "await_contact", "declined": "choose_next"}[now.state]]
    assert not now.rungs.filter(state="scheduled").exists()
    answered = LogEntry.objects.filter(row=str(now.pk), event__in=["referral.accepted", "referral.declined"])
    assert answered.count() == 1


def test_two_people_of_one_agency_answer_the_same_handover(pair, sent, cast, frida2):
    names = {cast.partner.pk: "Frida", frida2.pk: "Ines"}
    for number in range(ROUNDS):
        referral = sent()
        got = answer_at_once(pair, referral, cast.partner, frida2, both_accept=number % 2 == 0)
        one_was_first(referral, got, names)


NO_LOCK = ('Referral.objects.select_for_update(of=("self",))', "Referral.objects")
NO_CASE = ("    lock(Case(pk=referral.case_id))\n", "")
NO_CLAIM = (
    "Referral.objects.filter(pk=referral.pk, state=source).update(",
    "(dwell() or Referral.objects.filter(pk=referral.pk)).update(",
)
SLOW_CLAIM = (
    "Referral.objects.filter(pk=referral.pk, state=source).update(",
    "(dwell() or Referral.objects.filter(pk=referral.pk, state=source)).update(",
)


def unguarded(without, monkeypatch, claim: tuple[str, str]) -> None:
    hold = without(going, "hold", NO_LOCK, NO_CASE)
    go = without(going, "go", claim)
    monkeypatch.setattr(moves, "hold", hold)
    monkeypatch.setattr(moves, "go", go)


def wrong_outcome(rounds: int, play: Callable[[int], None], kind: type[Exception] = AssertionError) -> str:
    """What the same look finds once the guard is gone. Fails where it finds nothing."""
    for number in range(rounds):
        try:
            play(number)
        except kind as error:
            return str(error)
    raise AssertionError("the guard was taken out, and nobody noticed")


def test_without_the_lock_the_second_is_told_what_is_not_true(pair, sent, cast, frida2, without, monkeypatch):
    """The conditional update alone lets one through, and tells the other of a state that is gone."""
    unguarded(without, monkeypatch, SLOW_CLAIM)
    names = {cast.partner.pk: "Frida", frida2.pk: "Ines"}

    def play(number: int) -> None:
        referral = sent()
        one_was_first(referral, answer_at_once(pair, referral, cast.partner, frida2, both_accept=True), names)

    wrong_outcome(ROUNDS, play)


def test_without_lock_and_claim_only_the_database_stands_between_them(pair, sent, cast, frida2, without, monkeypatch):
    unguarded(without, monkeypatch, NO_CLAIM)
    found = ""
    for number in range(ROUNDS):
        referral = sent()
        got = answer_at_once(pair, referral, cast.partner, frida2, both_accept=number % 2 == 0)
        faults = [one for one in got if isinstance(one, IntegrityError)]
        assert StateChange.objects.filter(referral=referral, move__in=["accept", "decline"]).count() <= 1
        if faults:
            found = str(faults[0])
            break
    assert "one_answer_a_referral" in found or "no move leads to this state" in found


# -- the owner withdraws while the agency accepts ------------------------------------------------------------------------------


def withdraw_while_accepted(pair: Pair, referral: Referral, cast) -> list[object]:
    return pair.run(
        lambda: actions.withdraw(by=cast.caseworker, referral=referral, reason="changed_mind"),
        lambda: actions.accept(by=cast.partner, referral=referral, handled_by="Frida"),
    )


def it_is_ours_again(referral: Referral, got: list[object]) -> None:
    """Whoever was first: it is taken back. Who accepted too late is told so; nobody who accepted in time sees it still."""
    now = Referral.objects.select_related("case").get(pk=referral.pk)
    withdrawn, accepted = got
    assert not isinstance(withdrawn, Exception), withdrawn
    assert now.state == "withdrawn"
    path = sorted(now.changes.exclude(move="send").values_list("source", "target"))
    if isinstance(accepted, Exception):
        assert isinstance(accepted, TooLate) and "Anna was first: the handover is already “Taken back”" in str(accepted)
        assert path == [("sent", "withdrawn")]
    else:
        assert path == [("accepted", "withdrawn"), ("sent", "accepted")]
    planned = now.case.steps.planned().filter(about=str(now.pk))
    assert [step.kind for step in planned] == ["choose_next"]
    assert not now.rungs.filter(state="scheduled").exists()


def test_the_owner_withdraws_while_the_agency_accepts(pair, sent, cast):
    for _round in range(ROUNDS):
        referral = sent()
        it_is_ours_again(referral, withdraw_while_accepted(pair, referral, cast))
        assert referral.pk not in Referral.objects.for_agency_of(cast.partner).values_list("pk", flat=True)


@pytest.mark.parametrize("claim", [SLOW_CLAIM, NO_CLAIM], ids=["no lock", "no lock and no claim"])
def test_without_the_guard_it_is_not_surely_ours(pair, sent, cast, without, monkeypatch, claim):
    unguarded(without, monkeypatch, claim)

    def play(_number: int) -> None:
        referral = sent()
        it_is_ours_again(referral, withdraw_while_accepted(pair, referral, cast))

    wrong_outcome(ROUNDS, play)


# -- two workers take the same case ---------------------------------------------------------------------------------------


def take_at_once(pair: Pair, case: Case, cast) -> list[object]:
    """Two managers look at the same case of somebody who is ill, and each gives it to another."""
    seen = [Case.objects.select_related("key", "owner").get(pk=case.pk) for _one in range(2)]
    return pair.run(
        lambda: intake.reassign_case(by=cast.manager, case=seen[0], to=cast.manager),
        lambda: intake.reassign_case(by=cast.manager, case=seen[1], to=cast.colleague),
    )


def one_has_it(case: Case, got: list[object], before: int) -> None:
    now = Case.objects.select_related("owner").get(pk=case.pk)
    lost = [one for one in got if isinstance(one, Exception)]
    assert [type(one) for one in lost] == [TooLate] and str(lost[0]) == f"{now.owner} has the case already.", got
    assert set(now.steps.planned().values_list("owner", flat=True)) == {now.owner_id}
    assert Event.objects.filter(case=case, kind="case.reassigned").count() == before + 1
    told = Notice.objects.filter(kind="case.assigned", case=case.pk)
    assert told.count() == before + 1 and told.order_by("created_at").last().user_id == now.owner_id


def give_back(case: Case, cast) -> int:
    fresh = Case.objects.select_related("key", "owner").get(pk=case.pk)
    if fresh.owner_id != cast.caseworker.pk:
        intake.reassign_case(by=cast.manager, case=fresh, to=cast.caseworker)
    return Event.objects.filter(case=case, kind="case.reassigned").count()


def test_two_workers_take_the_same_case(pair, make_case, cast):
    case = make_case()
    for _round in range(ROUNDS):
        before = give_back(case, cast)
        one_has_it(case, take_at_once(pair, case, cast), before)


def test_without_the_guard_both_believe_that_it_is_theirs(pair, make_case, cast, without, monkeypatch):
    changed = without(intake_cases, "reassign_case", ("case.owner_id != had", "dwell()"))
    monkeypatch.setattr(intake, "reassign_case", changed)
    case = make_case()

    def play(_number: int) -> None:
        before = give_back(case, cast)
        one_has_it(case, take_at_once(pair, case, cast), before)

    wrong_outcome(ROUNDS, play)


def a_shift(case: Case, cast) -> ShiftHandover:
    step = intake.plan_step(by=cast.caseworker, case=case, what="Call", due_at=clock.now() + dt.timedelta(hours=1))
    return intake.give_shift(by=cast.caseworker, to=cast.colleague, steps=[step.pk])


def taken_or_withdrawn(pair: Pair, shift: ShiftHandover, cast) -> None:
    """The receiver says yes while the giver takes it back: the step is with one of the two, and both know with whom."""
    step = shift.steps.get()
    taken, withdrawn = pair.run(
        lambda: intake.take_shift(by=cast.colleague, shift=shift),
        lambda: intake.withdraw_shift(by=cast.caseworker, shift=shift),
    )
    owner = FollowUp.objects.get(pk=step.pk).owner_id
    if isinstance(taken, TooLate):
        assert withdrawn is None and owner == cast.caseworker.pk and "Anna has already" in str(taken)
    else:
        assert taken == 1 and owner == cast.colleague.pk
        assert isinstance(withdrawn, TooLate) and "Bert has already" in str(withdrawn)


def test_a_shift_is_taken_while_it_is_taken_back(pair, make_case, cast):
    case = make_case()
    for _round in range(ROUNDS):
        taken_or_withdrawn(pair, a_shift(case, cast), cast)


def test_without_its_claim_a_shift_is_both_taken_and_taken_back(pair, make_case, cast, without, monkeypatch):
    for name, who in (("take_shift", "given_to=by"), ("withdraw_shift", "given_by=by")):
        rows = f"waiting_shifts().filter(pk=shift.pk, {who})"
        unclaimed = without(intake_shifts, name, (f"{rows}.update(", f"unclaimed({rows}).update("))
        monkeypatch.setattr(intake, name, unclaimed)
    case = make_case()
    wrong_outcome(
        ROUNDS, lambda _number: taken_or_withdrawn(pair, a_shift(case, cast), cast), (AssertionError, IntegrityError)
    )


# -- two reminder workers claim the same row ---------------------------------------------------------------------------------


def due_now(case: Case, cast) -> list[int]:
    step = intake.plan_step(by=cast.caseworker, case=case, what="Call", due_at=clock.now() + dt.timedelta(days=9))
    rows = Reminder.objects.filter(step=step)
    rows.update(due_at=clock.now())
    return list(rows.values_list("pk", flat=True))


def fire_at_once(pair: Pair, case: Case, cast) -> None:
    """Each reminder is fired once, by one of the two: one row of the log, one notice to each whom it concerns."""
    due = due_now(case, cast)
    before = LogEntry.objects.filter(event="reminder.fired").count()
    got = pair.run(intake_reminders.fire_due_reminders, intake_reminders.fire_due_reminders)
    assert not [one for one in got if isinstance(one, Exception)], got
    assert sum(got) == len(due), got
    assert Reminder.objects.filter(pk__in=due, state="fired", fired_at__isnull=False).count() == len(due)
    assert LogEntry.objects.filter(event="reminder.fired").count() == before + len(due)
    for pk in due:
        assert Notice.objects.filter(source__startswith=f"reminder:{pk}:").count() == 1


def test_two_reminder_workers_claim_the_same_row(pair, make_case, cast):
    case = make_case()
    for _round in range(ROUNDS):
        fire_at_once(pair, case, cast)


def test_without_its_claim_a_reminder_is_fired_twice(pair, make_case, cast, without):
    without(
        intake_reminders,
        "fire_due_reminders",
        ('.select_for_update(skip_locked=True, of=("self",))', ""),
        ("            for reminder in due:", "            dwell()\n            for reminder in due:"),
    )
    case = make_case()
    wrong_outcome(ROUNDS, lambda _number: fire_at_once(pair, case, cast))


def climb_at_once(pair: Pair, referral: Referral) -> None:
    """A rung is climbed once: one line, one log row, one mail to the agency."""
    SilenceRung.objects.filter(referral=referral, rung="nudge").update(due_at=clock.now())
    got = pair.run(silence.climb, silence.climb)
    assert not [one for one in got if isinstance(one, Exception)], got
    assert sum(got) == 1, got
    rung = referral.rungs.get(rung="nudge")
    assert rung.state == "fired"
    assert LogEntry.objects.filter(event="referral.nudged", row=str(referral.pk)).count() == 1
    assert Notice.objects.filter(source__startswith=f"rung:{rung.pk}:", user=None).count() == 1


def test_two_workers_climb_the_same_rung(pair, sent):
    for _round in range(ROUNDS):
        climb_at_once(pair, sent())


def test_without_lock_and_claim_a_rung_is_climbed_twice(pair, sent, without, monkeypatch):
    hold = without(going, "hold", NO_LOCK, NO_CASE)
    monkeypatch.setattr(silence, "hold", hold)
    without(
        silence,
        "_claim",
        (
            "SilenceRung.objects.filter(pk=pk, state=SilenceRung.State.SCHEDULED, due_at__lte=clock.now())",
            "(dwell() or SilenceRung.objects.filter(pk=pk, due_at__lte=clock.now()))",
        ),
    )
    wrong_outcome(ROUNDS, lambda _number: climb_at_once(pair, sent()))
