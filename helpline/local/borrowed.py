"""`with -- CMD`: a command with services of its own, which are gone when it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from helpline.local.children import Household, tied_to_us
from helpline.local.console import Stop, Trouble, pause, silent_step
from helpline.local.stack import environment, servers_are_given, start_services, whole_environment
from helpline.local.state import State, temporary_state, var_folder

PATIENCE = 15.0  # seconds that a command has to end after it was told to


def run_with(command: Sequence[str]) -> int:
    """Runs the command and hands its exit code on."""
    with state_for_command() as state:
        household = Household()
        try:
            env = whole_environment(environment(state, start_services(state, household, silent_step)))
            return run_command(command, env, household)
        except Stop as stop:
            return 128 + stop.signum
        finally:
            household.stop()


@contextmanager
def state_for_command() -> Iterator[State]:
    """A temporary state; but given servers outlive the command, and so must the keys of what is written to them."""
    if servers_are_given(os.environ):
        yield State(var_folder(), lasting=True)
    else:
        with temporary_state() as state:
            yield state


def run_command(command: Sequence[str], env: Mapping[str, str], household: Household) -> int:
    """The command stays in our process group, so that it owns the terminal: a debugger works in it."""
    try:
        process = subprocess.Popen(list(command), env=dict(env), preexec_fn=tied_to_us(signal.SIGTERM))
    except OSError as error:
        raise Trouble(f"{command[0]}: {error.strerror}") from None
    try:
        while process.poll() is None:
            household.tend()
            pause(0.05)
    except Stop as stop:
        end_command(process, stop.signum)
    code = process.returncode
    return 128 - code if code < 0 else code


def end_command(process: subprocess.Popen[bytes], signum: int) -> None:
    """Hands a stop on, unless the terminal has sent the same Ctrl-C to the command already."""
    if not (signum == signal.SIGINT and owns_terminal()):
        process.send_signal(signum)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def owns_terminal() -> bool:
    """Whether Ctrl-C in the terminal reaches our whole process group."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
