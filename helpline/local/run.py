"""`run`: the whole system, until somebody stops it."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from helpline.local.children import Household, Program, private, tied_to_us
from helpline.local.console import STOPPING, Stop, Trouble, pause, say, step
from helpline.local.ports import HOST, becomes_free
from helpline.local.stack import environment, servers_are_given, start_services, whole_environment
from helpline.local.state import CHECKOUT, State, lasting_state

PYTHON = sys.executable
# A worker or a beat that died rests longer than /health/ takes to see it: who watches health learns of every death.
REST = {"worker": 25.0, "beat": 25.0}
HURRY = 90.0  # seconds without a healthy answer after which we say what is missing


def run() -> int:
    """Starts everything, looks after it, and stops it."""
    port = chosen_port()
    servers_are_given(os.environ)  # complain before anything is made
    with lasting_state() as (state, unclean):
        if not becomes_free(port, within=10 if unclean else 0):
            raise Trouble(f"Port {port} is in use by another program. Choose another one: make run PORT={port + 1}")
        household = Household()
        try:
            env = prepare(state, household, port)
            start_programs(state, household, env, port)
            look_after(household, env, state, port)
        except Stop:
            say("\nStopping ...")
        finally:
            household.stop()
    say("Stopped.")
    return 0


def chosen_port() -> int:
    """PORT, or 8000."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Trouble(f"PORT is {text!r}, and should be a number from 1 to 65535.")
    return int(text)


def prepare(state: State, household: Household, port: int) -> dict[str, str]:
    """Servers, tables and data."""
    ours = environment(state, start_services(state, household, step))
    ours |= {"DEMO": os.environ.get("DEMO", "1"), "PORT": str(port)}
    state.keep_environment(ours)
    env = whole_environment(ours)
    with step("Migrating the database"):
        manage(state, env, "migrate")
    with step("Loading reference data"):
        manage(state, env, "load_reference")
    if is_demo(env):
        say("Loading demo data, if there is none yet (the first time takes a while):")
        manage(state, env, "load_demo", shown=True)
    return env


def is_demo(env: Mapping[str, str]) -> bool:
    """The same words as in the settings, which cannot be imported without Django."""
    return env.get("DEMO", "").strip().lower() in {"1", "true", "yes", "on"}


def manage(state: State, env: Mapping[str, str], command: str, *, shown: bool = False) -> None:
    """A command of manage.py that must end well before the next thing is done."""
    path = state.log(command)
    with open(path, "wb", opener=private) as log:
        process = subprocess.Popen(
            [PYTHON, "manage.py", command],
            cwd=CHECKOUT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=None if shown else log,
            stderr=None if shown else subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=tied_to_us(STOPPING[1]),
        )
        try:
            while process.poll() is None:
                pause(0.05)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        said = "" if shown else f":\n\n{last_lines(path)}"
        raise Trouble(f"manage.py {command} failed (exit code {process.returncode}){said}")


def last_lines(path: Path, number: int = 25) -> str:
    """The end of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-number:])


def start_programs(state: State, household: Household, env: Mapping[str, str], port: int) -> None:
    """The worker, beat and the web server. They need a moment, in which we do not wait."""
    for program in programs(state, env, port):
        household.start(program)


def programs(state: State, env: Mapping[str, str], port: int) -> list[Program]:
    """How the worker, beat and the web server are started."""
    celery = [PYTHON, "-m", "celery", "-A", "helpline"]
    worker = ["worker", "--without-gossip", "--without-mingle", "--concurrency", "2", "-l", "warning"]
    beat = ["beat", "-s", str(state.folder / "beat-schedule"), "-l", "warning"]
    gunicorn = [PYTHON, "-m", "gunicorn", "helpline.wsgi", "--bind", f"{HOST}:{port}", "--no-control-socket"]
    limits = ["--workers", "2", "--threads", "2", "--graceful-timeout", "5", "--log-level", "warning"]
    found = (("worker", celery + worker), ("beat", celery + beat), ("web", gunicorn + limits))
    return [Program(name, argv, env, state.log(name), rest=REST.get(name, 1.0)) for name, argv in found]


def look_after(household: Household, env: Mapping[str, str], state: State, port: int) -> None:
    """Until we are asked to stop: what dies is started again, and the first sign of health is told."""
    say("Starting the web server, the worker and beat ...")
    began, told_late, told_ready = time.monotonic(), False, False
    while True:
        household.tend()
        if not told_ready:
            status, answer = health(port)
            if status == 200:
                told_ready = True
                announce(env, state, port, time.monotonic() - began)
            elif not told_late and time.monotonic() - began > HURRY:
                told_late = True
                say(f"Not healthy yet: {answer or 'no answer'}. Still trying; the logs are in {state.logs}.")
        pause(0.25)


def health(port: int) -> tuple[int, str]:
    """What /health/ says: its status, and the parts that are not well. No proxy of the environment is asked."""
    connection = http.client.HTTPConnection(HOST, port, timeout=3)
    try:
        connection.request("GET", "/health/")
        response = connection.getresponse()
        return response.status, summary(response.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def summary(body: str) -> str:
    """The answer in one short line."""
    try:
        return ", ".join(f"{key}: {value}" for key, value in json.loads(body).items())
    except (ValueError, AttributeError):
        return "an answer that is not JSON"


def announce(env: Mapping[str, str], state: State, port: int, seconds: float) -> None:
    """The address, and who can log in."""
    say(f"Everything is up ({seconds:.1f} s).\n\n  http://localhost:{port}/\n")
    if is_demo(env):
        manage(state, env, "demo_logins", shown=True)
    say(f"\nCtrl-C stops everything. Logs: {state.logs}")
