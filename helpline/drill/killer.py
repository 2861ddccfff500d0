"""Kills one part after another with SIGKILL, at random points, and measures what was going on and how long it took."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

import psycopg2

from helpline.drill.order import TARGETS, Order
from helpline.drill.stage import Stage
from helpline.drill.traffic import Traffic
from helpline.local.children import Child
from helpline.local.console import pause

LOOK = 0.05  # seconds between two looks
CROWDED = 0.6  # seconds that a kill waits for a request to be open, at the most
RECOVERY_WITHIN = 20.0  # seconds that the next kill waits for a save at the most
NEEDED = {"database", "web"}  # what saving needs
ALONE = 0.8  # how often a kill of what saving needs is left alone until a save succeeds


@dataclass
class Kill:
    """One kill. Moments are of the monotonic clock. It is back when its process is there again; the database when it answers."""

    target: str
    at: float
    child: Child
    in_flight: list[str] = field(default_factory=list)  # the requests that were open just before and just after
    back_at: float | None = None
    saved_at: float | None = None
    disturbed: bool = False  # another kill came before this one was over, or this one before another

    @property
    def recovery(self) -> float | None:
        """Seconds from its being back to the first save that was confirmed then."""
        return None if self.saved_at is None or self.back_at is None else self.saved_at - self.back_at

    @property
    def outage(self) -> float | None:
        """Seconds from the kill to the first save that was confirmed after its return."""
        return None if self.saved_at is None else self.saved_at - self.at


@dataclass
class Killer:
    """Who is next, and when."""

    stage: Stage
    traffic: Traffic
    order: Order
    kills: list[Kill] = field(default_factory=list)
    round: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.order.seed)
        self.began = time.monotonic()

    def begins(self) -> None:
        """The time runs from now on."""
        self.began = time.monotonic()

    def goes_round(self) -> None:
        """Until the time is over and the kills are enough, or the time is over by half again."""
        while not self._is_over():
            self._waits(self.dice.uniform(0.2, 1.8) * self._pace())
            if self._is_over():
                return
            self._kill(self._next())

    def tends(self, seconds: float) -> None:
        """Only looks after everybody for a while."""
        self._waits(seconds)

    def _is_over(self) -> bool:
        elapsed = time.monotonic() - self.began
        return elapsed > self.order.at_most or (elapsed > self.order.seconds and self._enough())

    def _enough(self) -> bool:
        return len(self.kills) >= self.order.kills and self.in_flight >= self.order.in_flight

    @property
    def in_flight(self) -> int:
        """How many kills hit while a request was open."""
        return sum(bool(kill.in_flight) for kill in self.kills)

    def by_target(self, *, in_flight: bool = False) -> dict[str, int]:
        """How often each was killed."""
        counted = Counter(kill.target for kill in self.kills if kill.in_flight or not in_flight)
        return {target: counted[target] for target in TARGETS}

    def _pace(self) -> float:
        """Seconds from one kill to the next, so that they are some more than enough in the time that is left."""
        left = self.order.seconds * 0.97 - (time.monotonic() - self.began)
        wanted = self.order.kills * 1.1 - len(self.kills)
        return min(max(left / wanted, 0.3), 6.0) if wanted > 0 else 2.0

    def _next(self) -> str:
        """In turn, each turn in another order."""
        if not self.round:
            self.round = self.dice.sample(TARGETS, len(TARGETS))
        return self.round.pop()

    def _kill(self, target: str) -> None:
        child = self._victim(target)
        if child is None or child.process is None:
            self.round.insert(0, target)
            return
        deadline = time.monotonic() + CROWDED
        while not self.traffic.open_now() and time.monotonic() < deadline:
            self._waits(0.005)
        before = self.traffic.open_now()
        os.killpg(child.process.pid, signal.SIGKILL)  # it leads a group of its own: its children go with it
        kill = Kill(target, time.monotonic(), child)
        after = self.traffic.open_now()
        kill.in_flight = [what for ticket, what in before.items() if ticket in after]
        self._disturbs(kill)
        self.kills.append(kill)
        alone = target not in NEEDED or self.dice.random() < ALONE
        until = kill.at + (RECOVERY_WITHIN if alone else self.dice.uniform(0, 1))
        while kill.saved_at is None and time.monotonic() < until:
            self._waits(LOOK)

    def _disturbs(self, kill: Kill) -> None:
        """While another is not over, neither tells how long one takes."""
        for other in self._pending():
            if other.target in NEEDED or kill.target in NEEDED:
                other.disturbed = kill.disturbed = True

    def _victim(self, target: str) -> Child | None:
        """One that runs now; it is waited for where it is still on its way."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            running = [child for child in self.stage.targets[target] if child.running]
            if running:
                return self.dice.choice(running)
            self._waits(LOOK)
        return None

    def _pending(self) -> list[Kill]:
        return [kill for kill in self.kills if kill.saved_at is None]

    def _looks(self) -> None:
        """Who is back, and whether a save was confirmed since."""
        for kill in self._pending():
            if kill.back_at is None and self._is_back(kill):
                kill.back_at = time.monotonic()
            if kill.back_at is not None:
                kill.saved_at = self.traffic.first_save_after(kill.back_at)

    def _is_back(self, kill: Kill) -> bool:
        runs = kill.child.running and kill.child.started_at > kill.at
        return runs and (kill.target != "database" or self._database_answers())

    def _database_answers(self) -> bool:
        try:
            url = self.stage.env["DATABASE_URL"]
            with closing(psycopg2.connect(url, connect_timeout=1)) as given, given.cursor() as cursor:
                cursor.execute("SELECT 1")
            return True
        except psycopg2.Error:
            return False

    def _waits(self, seconds: float) -> None:
        """Starts again what has died, while it waits."""
        until = time.monotonic() + seconds
        while True:
            self.stage.household.tend()
            self._looks()
            left = until - time.monotonic()
            if left <= 0:
                return
            pause(min(left, LOOK))
