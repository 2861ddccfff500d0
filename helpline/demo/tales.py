"""A tale: one case of the demo with its story and its way, lived act by act; or one call without a case."""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from helpline.demo import texts
from helpline.demo.calls import write_down
from helpline.demo.days import MINUTE, Calendar
from helpline.demo.staff import Staff
from helpline.people import clock
from helpline.people.models import Role, User
from helpline.people.workdays import add_working_days, local
from intake import actions
from intake.clocks import KEPT_BY
from intake.models import Call, Case, FollowUp
from referrals.models import Referral

FINISHES = {"step", "done"}  # the acts that do a step of our own


class Act:
    """`2 refer EXIT` or `@-1 15:10 question`: when, what, and with which words."""

    def __init__(self, text: str) -> None:
        words = text.split()
        self.at = (int(words[0][1:]), words[1]) if text.startswith("@") else None
        self.days = 0 if self.at else int(words[0])
        self.name, *self.words = words[2:] if self.at else words[1:]

    def after(self, before: dt.datetime, calendar: Calendar, dice: random.Random) -> dt.datetime:
        """The moment of the act, given that of the one before."""
        if self.at:
            return calendar.moment(*self.at)
        if self.days == 0:
            return before + dice.randint(12, 28) * MINUTE
        day = add_working_days(clock.local_date(before), self.days)
        return local(day, dt.time(dice.randint(8, 10), dice.randint(5, 55)))  # answers are due at noon


class Tale:
    """One case of the demo, and what its acts need to know. Told by the clock: see live()."""

    def __init__(self, plan: dict[str, Any], turn: int, staff: Staff, calendar: Calendar, dice: random.Random) -> None:
        self.plan, self.staff, self.calendar, self.dice = plan, staff, calendar, dice
        self.story = texts.story(plan["story"], turn)
        self.worker = staff[plan["by"]]
        way = plan.get("way", [])
        self.acts = [Act(text) for text in (texts.read("cases")["ways"][way] if isinstance(way, str) else way)]
        self.next = [(calendar.to_come(day, time), what) for day, time, what in plan.get("next", [])]
        self.to_come: list[Act] = []
        self.referrals: list[Referral] = []
        self.agencies = iter(self.story.get("to", []))
        self.notes = iter(self.story.get("later", []))
        self.steps = iter([*self.story.get("steps", []), *[texts.read("cases")["further"]] * 9])
        self.step: list[str] = next(self.steps)
        self.minutes = plan.get("minutes", dice.randint(18, 50))
        self._case: Case | None = None

    @property
    def case(self) -> Case:
        assert self._case is not None  # every act comes after the call
        return self._case

    def live(self, do: Mapping[str, Callable[..., object]]) -> Iterator[dt.datetime]:
        """Yields a moment, and acts when it is resumed: then the clock stands there. `do`: the acts by name."""
        moment = self.calendar.past(began(self.plan, self.calendar, self.dice), len(self.acts) + 4)
        yield moment
        call = write_down(self.worker, self.story, self.plan)
        moment = self.calendar.past(moment + self.minutes * MINUTE, len(self.acts) + 2)
        yield moment
        self._hang_up(call)
        for index, act in enumerate(self.acts):
            self.to_come = self.acts[index + 1 :]
            moment = self._moment_of(act, moment)
            yield moment
            do[act.name](self, *act.words)
        if self.next:
            yield moment + MINUTE / 2
            self._plan_the_rest()

    def _moment_of(self, act: Act, before: dt.datetime) -> dt.datetime:
        if act.name == "silent":
            last = self.referrals[-1].rungs.order_by("-due_at").values_list("due_at", flat=True)[0]
            return last + 40 * MINUTE
        wanted = act.after(before, self.calendar, self.dice)
        if wanted > self.calendar.now + dt.timedelta(days=1):
            raise ValueError(f"{self.plan['story']}, {self.plan['ago']} days ago: “{act.name}” would come after today")
        return max(self.calendar.past(wanted, len(self.to_come) + 1), before + MINUTE / 2)

    def _hang_up(self, call: Call) -> None:
        """The call ends, and a first step is promised: in words, where it is that step which the way then does."""
        first = next((act.name for act in self.acts if act.name in {*FINISHES, "refer", "missed", "concern"}), "")
        in_words = first in {*FINISHES, "missed", "concern"} or (not first and self.next)
        done = actions.complete_call(by=self.worker, call=call, what=self.step[0] if in_words else "", open_a_case=True)
        self._case = done.case

    def own_steps(self) -> list[FollowUp]:
        """What is ours to do, first due first."""
        return list(self.case.steps.planned().filter(kept_by="").select_related("owner", "case__key").in_order())

    def waits_for_others(self) -> bool:
        """Whether an agency's step holds the case, so that we need none of our own."""
        return self.case.steps.planned().exclude(kept_by__in=["", KEPT_BY]).exists()

    @property
    def qualified(self) -> User:
        """Who decides for a child: the worker, or the manager of the unit."""
        return self.worker if self.worker.is_qualified else self.worker.unit.users.get(role=Role.MANAGER)  # type: ignore[union-attr]

    def outcome(self, step: FollowUp) -> str:
        """What came of a step. A step of the story's own makes way for its next one."""
        if step.kind == "choose_next":
            return str(texts.read("cases")["unfinished"])
        outcome = self.step[1]
        self.step = next(self.steps)
        return outcome

    def following(self) -> tuple[dt.datetime, str] | None:
        """The step after this one: the way's next, or what is open at last; none where another step holds the case."""
        if len(self.own_steps()) > 1:
            return None
        wait = 0
        for act in self.to_come:
            wait += act.days
            if act.name in FINISHES:
                return self._in(wait), self.step[0]
        if self.next:
            return self.next.pop(0)
        return None if self.waits_for_others() else (self._in(5), self.step[0])

    def _in(self, working_days: int) -> dt.datetime:
        return local(add_working_days(clock.today(), working_days), dt.time(16))

    def finish(self, step: FollowUp) -> None:
        """Do a step of our own, and promise the next."""
        outcome = self.outcome(step)
        due, what = self.following() or (None, "")
        actions.finish_step(by=self.worker, step=step, outcome=outcome, next_what=what, next_due=due)

    def _plan_the_rest(self) -> None:
        for step in self.own_steps():
            if step.kind in {"first_step", "choose_next"} and self.next:
                self.finish(step)
        for due, what in self.next:
            actions.plan_step(by=self.worker, case=self.case, what=what, due_at=due)


def began(plan: dict[str, Any], calendar: Calendar, dice: random.Random) -> dt.datetime:
    """When a call came in: so many working days ago, or yesterday, whatever day that was."""
    time = plan.get("time") or f"{dice.randint(8, 14):02}:{dice.randint(0, 59):02}"
    if plan.get("yesterday"):
        return calendar.moment(0, time) - dt.timedelta(days=1)
    return calendar.moment(-plan["ago"], time)


def live_without_case(
    plan: dict[str, Any], turn: int, staff: Staff, calendar: Calendar, dice: random.Random
) -> Iterator[dt.datetime]:
    """A call that no case comes of: counted, taken away, or still to be written to the end (`left`)."""
    story, worker = texts.story(plan["story"], turn), staff[plan["by"]]
    moment = calendar.past(began(plan, calendar, dice), 4)
    yield moment
    call = write_down(worker, story, plan)
    yield calendar.past(moment + plan["minutes"] * MINUTE + MINUTE / 5, 2)
    left = plan.get("left")
    if left == "open":
        actions.save_call(by=worker, call=call, notes={"told": story["told"]})
    elif left:
        actions.void_call(by=worker, call=call, why=left)
    else:
        actions.complete_call(by=worker, call=call)
