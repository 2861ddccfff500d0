"""What goes on between the clients and the web server: which requests are open now, and when a save was confirmed."""

import itertools
import threading
import time
from collections import Counter


class Traffic:
    """Shared by all clients and the killer. Moments are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.give_up_at = float("inf")
        self.counts: Counter[str] = Counter()  # answered, refused (4xx), failed (5xx), cut off, not there
        self._lock = threading.Lock()
        self._tickets = itertools.count(1)
        self._open: dict[int, str] = {}
        self._saves: list[float] = []

    def enter(self, what: str) -> int:
        """A request has been sent. Returns its ticket."""
        with self._lock:
            ticket = next(self._tickets)
            self._open[ticket] = what
            return ticket

    def leave(self, ticket: int) -> None:
        """Its answer has been read, or it was cut off."""
        with self._lock:
            self._open.pop(ticket, None)

    def open_now(self) -> dict[int, str]:
        """The requests that are sent and not answered."""
        with self._lock:
            return dict(self._open)

    def tally(self, what: str) -> None:
        """One more of something."""
        with self._lock:
            self.counts[what] += 1

    def saved(self) -> None:
        """A save was confirmed now."""
        with self._lock:
            self._saves.append(time.monotonic())

    def first_save_after(self, moment: float) -> float | None:
        """When a save was confirmed for the first time after a moment."""
        with self._lock:
            return next((save for save in self._saves if save >= moment), None)

    def end(self, patience: float) -> None:
        """No new act is begun; what is begun has this many seconds to be answered."""
        self.give_up_at = time.monotonic() + patience
        self.over.set()
