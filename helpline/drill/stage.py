"""The stage: servers and programs as in production, on private ports, each started again at once when it dies."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from helpline.drill.order import Order
from helpline.drill.sink import Sink
from helpline.local.children import Child, Household
from helpline.local.console import Trouble, pause, step
from helpline.local.ports import HOST, free_port
from helpline.local.run import PYTHON, health, manage, programs
from helpline.local.stack import URLS, environment, start_services, whole_environment
from helpline.local.state import CHECKOUT, State, temporary_state

READY_WITHIN = 120.0  # seconds
TICK = "2"  # seconds between two looks for due rows: in production 30, which a drill of minutes cannot wait for


@dataclass
class Stage:
    """What runs, and how it is reached."""

    household: Household
    state: State
    sink: Sink
    env: dict[str, str]
    port: int
    password: str
    targets: dict[str, list[Child]]  # what is killed -> the processes that it may be


@contextmanager
def opened(order: Order, folder: Path) -> Iterator[Stage]:
    """Everything runs and is healthy; afterwards nothing does. Logs and mail are kept in the folder."""
    for name in URLS:
        os.environ.pop(name, None)  # a drill kills its database: never somebody else's
    with temporary_state() as state:
        state.lasting = True  # what is confirmed is on the disk, as in production
        state.logs = folder / "log"
        state.logs.mkdir()
        household, sink = Household(), Sink(folder / "mail")
        try:
            yield _built(order, state, household, sink)
        finally:
            household.stop()
            sink.stop()


def _built(order: Order, state: State, household: Household, sink: Sink) -> Stage:
    urls = start_services(state, household, step)
    database, broker = household.children
    port, password = free_port(), secrets.token_urlsafe(18)
    temporary = state.folder / "tmp"  # who is killed clears up nothing
    temporary.mkdir()
    own = {"TMPDIR": str(temporary)}
    env = whole_environment(environment(state, urls) | _production(order, port, sink.port) | own)
    with step("Migrating the database, making its people"):
        manage(state, env, "migrate")
        _cast(state, env, password)
    web, workers, beat = _started(order, state, household, env, port)
    for child in household.children:
        child.program = replace(child.program, rest=0.0)
    _healthy(household, port)
    targets = {"worker": workers, "beat": [beat], "broker": [broker], "database": [database], "web": [web]}
    return Stage(household, state, sink, env, port, password, targets)


def _production(order: Order, port: int, mail_port: int) -> dict[str, str]:
    """Not the demo: https behind a proxy, mail by SMTP, and a start that is refused where it is not safe."""
    return {
        **{"DEMO": "0", "DEBUG": "0", "BEHIND_PROXY": "1", "PORT": str(port), "SITE_URL": f"https://{HOST}:{port}"},
        **{"EMAIL_HOST": HOST, "EMAIL_PORT": str(mail_port), "EMAIL_HOST_USER": "", "EMAIL_USE_TLS": "0"},
        **{"HELPLINE_TICK": TICK, "ALLOWED_HOSTS": f"localhost,{HOST}", "SECURE_SSL_REDIRECT": "1"},
        **{"DJANGO_SETTINGS_MODULE": "helpline.settings", "DRILL_SABOTAGE": order.sabotage},
    }


def _cast(state: State, env: dict[str, str], password: str) -> None:
    with state.log("cast").open("wb") as log:
        argv = [PYTHON, "-m", "helpline.drill.cast"]
        done = subprocess.run(argv, cwd=CHECKOUT, env=env, input=password.encode(), stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise Trouble(f"The drill's people could not be made: see {state.log('cast')}.")


def _started(
    order: Order, state: State, household: Household, env: dict[str, str], port: int
) -> tuple[Child, list[Child], Child]:
    """Two workers, beat and the web server; with one guard taken out where that is asked for."""
    if order.sabotage:
        env = env | {"DJANGO_SETTINGS_MODULE": "helpline.drill.sabotaged"}
    worker, beat, web = programs(state, env, port)
    children = []
    for number in (1, 2):
        argv = [*worker.argv, "-n", f"worker{number}@%h"]
        program = replace(worker, name=f"worker {number}", argv=argv, log=state.log(f"worker{number}"))
        children.append(household.start(program))
    started_beat = household.start(beat)
    return household.start(web), children, started_beat


def _healthy(household: Household, port: int) -> None:
    """Waits until /health/ says so."""
    with step("Starting the web server, two workers and beat", "healthy"):
        waited, said = 0.0, ""
        while waited < READY_WITHIN:
            household.tend()
            status, said = health(port)
            if status == 200:
                return
            pause(0.5)
            waited += 0.5
        raise Trouble(f"Not healthy within {READY_WITHIN:.0f} s: {said or 'no answer'}.")
