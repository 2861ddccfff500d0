"""Whatever the order of answers, saves, retries and double presses, in two windows: no answer is lost, no call doubled, no
urgency lowered without a reason, and no open case is left without owner and next step."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from intake import triage
from intake.forms.calls import CallForm
from intake.models import Call
from tests.intake.test_calls import Browser, fresh, page_of, url

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=40).map(str.strip)
YES_NO = st.sampled_from(["", "yes", "no", "unknown"])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "a.danger_now": YES_NO,
    "a.weapon": YES_NO,
    "a.child_harm": YES_NO,
    "a.r_violence": YES_NO,
    "a.r_known": st.lists(st.sampled_from(["school", "police", "social_services"]), unique=True),
    "a.r_event": WORDS,
    "r.weapon": WORDS,
    "n.seen": WORDS,
    "n.told": WORDS,
    "n.assessment": WORDS,
    "milieu": st.sampled_from(["RIGHT", "LEFT", "UNKNOWN"]),
    "caller_type": st.sampled_from(["relative", "leaver", "professional", "other"]),
    "actualisation": st.sampled_from(["no"]),
    "actualisation_reason": WORDS,
    "urgency_reason": WORDS,
}
WINDOWS = st.integers(0, 1)


class TalkingCall(RuleBasedStateMachine):
    """One call in two windows without script: each sends the whole page, as it was when it was fetched."""

    client: Client
    steps_taken = 0

    def __init__(self) -> None:
        super().__init__()
        self.before = transaction.savepoint()

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.before)

    @initialize()
    def begin(self) -> None:
        token = str(uuid.uuid4())
        answers = [self.client.post(reverse("intake:call-start"), {"token": token}) for _ in range(2)]
        assert answers[0].url == answers[1].url  # pressed twice
        self.call = Call.objects.get()
        self.holds = self.stored()
        self.windows = [page_of(self.client, self.call) for _ in range(2)]
        self.seen = [dict(self.holds), dict(self.holds)]
        self.last: tuple[str, dict[str, Any]] | None = None
        self.done = False
        self.written = 0

    def stored(self) -> dict[str, Any]:
        values = CallForm(fresh(self.call)).stored()
        return {name: sorted(values[name]) if isinstance(values[name], list) else values[name] for name in FIELDS}

    def look(self, window: int) -> None:
        self.windows[window], self.seen[window] = page_of(self.client, self.call), dict(self.holds)

    def send(self, name: str, data: dict[str, Any]) -> Any:
        self.last = (name, data)
        return self.client.post(url(name, self.call), data)

    @precondition(lambda self: not self.done)
    @rule(window=WINDOWS, name=st.sampled_from(list(FIELDS)), data=st.data(), act=st.sampled_from(["keep", "take"]))
    def write(self, window: int, name: str, data: Any, act: str) -> None:
        """Something is written in one field, and the page is saved; where the other window was first, a person chooses."""
        TalkingCall.steps_taken += 1
        self.written += 1
        value = data.draw(FIELDS[name])
        if name not in self.windows[window].names:
            return  # a question of another caller type: it is not on the page
        wanted = sorted(value) if isinstance(value, list) else value
        empty = wanted in ("", [])
        sent = self.windows[window].data(**{name.replace(".", "__"): value})
        if empty and name.startswith("a.") and name != "a.r_event":
            sent = {**self.windows[window].data(), "clear": name}
        answer = self.send("call-save", sent)
        if answer.status_code == 422:
            assert self.holds[name] not in (self.seen[window][name], wanted), name
            assert self.stored() == self.holds
            pressed = re.search(rf'name="{act}" value="({re.escape(name)}[^"]*)"', answer.content.decode())
            assert pressed, name
            again = Browser(answer.content.decode()).data(**{act: pressed[1]})
            answer = self.send("call-save", again)
            wanted = wanted if act == "keep" else self.holds[name]
        assert answer.status_code == 303, answer.content.decode()[:3000]
        if wanted != self.seen[window][name] or act == "keep":
            self.holds[name] = self.expected(window, name, wanted)
        self.look(window)

    def expected(self, window: int, name: str, wanted: Any) -> Any:
        """What must be stored: what was written, or what the other window wrote where this one changed nothing."""
        return self.holds[name] if wanted == self.seen[window][name] else wanted

    @precondition(lambda self: not self.done)
    @rule(window=WINDOWS)
    def reload(self, window: int) -> None:
        self.look(window)

    @precondition(lambda self: self.last is not None)
    @rule()
    def retry(self) -> None:
        """The answer was lost on the way, so the same is sent again."""
        name, data = self.last
        assert self.client.post(url(name, self.call), data).status_code in (303, 422, 409)

    @precondition(lambda self: not self.done)
    @rule(urgency=st.sampled_from(triage.codes("urgencies")))
    def confirm(self, urgency: str) -> None:
        """A person confirms an urgency, higher or lower than the answers call for."""
        assert self.send("call-save", {"confirm": urgency}).status_code == 303

    @precondition(lambda self: not self.done and self.written > 6)
    @rule(window=WINDOWS, twice=st.booleans())
    def finish(self, window: int, twice: bool) -> None:
        self.look(window)
        for _ in range(1 + twice):
            answer = self.send("call-complete", self.windows[window].data())
            assert answer.status_code in (303, 422)
        self.done = fresh(self.call).completed_at is not None

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "call"):
            assert self.stored() == self.holds

    @invariant()
    def nothing_is_doubled(self) -> None:
        assert Call.objects.count() <= 1
        if hasattr(self, "call"):
            assert fresh(self.call).notes.count() <= 3

    @invariant()
    def no_urgency_is_lowered_without_a_reason(self) -> None:
        call = fresh(self.call) if hasattr(self, "call") else None
        if call and call.completed_at:
            least = call.assessment.urgency
            assert triage.rank(call.urgency) <= triage.rank(least) or call.urgency_reason.strip()

    @invariant()
    def nobody_is_in_nobodys_hands(self) -> None:
        connection.check_constraints()
        call = fresh(self.call) if hasattr(self, "call") else None
        if call and call.completed_at:
            assert bool(call.case) == call.assessment.needs_a_case
        if call and call.case:
            assert call.case.owner is not None and call.case.open_steps


@pytest.fixture
def machine(client_of, cast, settings) -> Callable[[], TalkingCall]:
    settings.PANELS = ""
    client = client_of(cast.caseworker)
    return type("Machine", (TalkingCall,), {"client": client})


@pytest.mark.django_db
def test_no_order_of_acts_loses_doubles_or_lowers_anything(machine):
    TalkingCall.steps_taken = 0
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
    assert TalkingCall.steps_taken > 80
