"""Processes that we start: none outlives us, not even after kill -9, and one that dies is started again."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from helpline.local.accounts import Account, arguments
from helpline.local.console import warn
from helpline.local.state import CHECKOUT

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
LONGEST_DELAY = 40.0  # seconds: a child that dies again and again is started again no later than this
WELL_AGAIN = 60.0  # seconds of life after which the next death is a first one


def tied_to_us(signum: int) -> Callable[[], None] | None:
    """For preexec_fn: the kernel sends this signal to the child when we die, also by kill -9. Linux only.

    The tie is to the thread that starts the child, so children are started from the main thread.
    """
    if LIBC is None:
        return None
    us = os.getpid()

    def tie() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != us:  # we died before the tie held
            os._exit(1)

    return tie


@dataclass(frozen=True)
class Program:
    """What to start, and how it likes to be stopped."""

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str]
    log: Path
    account: Account | None = None
    told: str = ""  # given on standard input: what must not be seen in the list of processes
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0  # seconds between the polite signal and SIGKILL
    before: Callable[[], None] | None = None
    rest: float = 1.0  # seconds before it is started again after it died


class Child:
    """One process that shall run until it is stopped."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.restart_at = 0.0
        self.deaths = 0

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Starts the process in a session of its own: Ctrl-C comes to us, and we stop them in good order."""
        program = self.program
        if program.before:
            program.before()
        with open(program.log, "ab", opener=private) as log, tempfile.TemporaryFile() as told:
            told.write(program.told.encode())
            told.seek(0)
            self.process = subprocess.Popen(
                list(program.argv),
                env=dict(program.env),
                cwd="/" if program.account else CHECKOUT,
                stdin=told,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=tied_to_us(program.orphan_signal),
                **arguments(program.account),
            )
        self.started_at = time.monotonic()
        self.restart_at = 0.0

    def tend(self) -> None:
        """Starts it again if it died, later each time that it dies young."""
        if self.running:
            return
        now = time.monotonic()
        if not self.restart_at:
            self.clear_up()
            self.deaths = 1 if now - self.started_at > WELL_AGAIN else self.deaths + 1
            delay = min(self.program.rest * 2 ** (self.deaths - 1), LONGEST_DELAY)
            self.restart_at = now + delay
            warn(f"{self.program.name} {self.ending()}: starting it again in {delay:.0f} s (see {self.program.log})")
        elif now >= self.restart_at:
            self.start()

    def ending(self) -> str:
        """How the process ended, in words."""
        code = self.process.returncode if self.process else 0
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def stop(self) -> None:
        """Asks politely, waits, and then does not ask."""
        if self.process is None:
            return
        if self.running:
            self.process.send_signal(self.program.stop_signal)
            try:
                self.process.wait(self.program.patience)
            except subprocess.TimeoutExpired:
                warn(f"{self.program.name} did not stop within {self.program.patience:.0f} s: killed")
        self.clear_up()
        self.process.wait()

    def clear_up(self) -> None:
        """Its own children, if it left any."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Household:
    """All children, in the order in which they were started."""

    def __init__(self) -> None:
        self.children: list[Child] = []

    def start(self, program: Program) -> Child:
        """Starts a program and looks after it from then on."""
        child = Child(program)
        child.start()
        self.children.append(child)
        return child

    def tend(self) -> None:
        """Looks after each: to be called again and again."""
        for child in self.children:
            child.tend()

    def stop(self) -> None:
        """The last one started is the first to go: the web before the worker, the database at the end."""
        while self.children:
            self.children.pop().stop()


def private(path: str, flags: int) -> int:
    """An opener for logs that only their owner reads."""
    return os.open(path, flags, 0o600)
