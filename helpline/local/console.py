"""What the person at the keyboard sees, and how Ctrl-C is heard."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Step = Callable[[str, str], AbstractContextManager[None]]


class Trouble(Exception):
    """Something that the person at the keyboard can mend: its text is shown instead of a traceback."""


class Stop(Exception):
    """We were asked to stop. Raised only where we wait, so that no process is started and then forgotten."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class Ear:
    """Remembers the first signal that asks us to stop, until somebody waits."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.signum = 0

    def listen(self) -> None:
        """From now on a stop is a note in here, and not an exception in the middle of anything."""
        for signum in STOPPING:
            signal.signal(signum, self._note)

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        self.signum = self.signum or signum
        self.heard.set()

    def pause(self, seconds: float) -> None:
        """Wait, unless we are asked to stop."""
        if self.heard.wait(seconds):
            raise Stop(self.signum)


EAR = Ear()
pause = EAR.pause


def say(text: str) -> None:
    """A line for the person who started us."""
    print(text, flush=True)


def warn(text: str) -> None:
    """A line that must not be mixed into the output of a command that we run for somebody."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str, done: str = "done") -> Iterator[None]:
    """Says what is being done while it is done, and how long it took."""
    began = time.monotonic()
    print(f"{text} ... ", end="", flush=True)
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    say(f"{done} ({time.monotonic() - began:.1f} s)")


@contextmanager
def silent_step(_text: str, _done: str = "") -> Iterator[None]:
    """A step of `with`, whose output belongs to the command."""
    yield
