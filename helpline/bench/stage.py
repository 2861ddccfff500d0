"""The stage: servers and the web server as in production, on private ports; the data in memory where there is room."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from helpline.bench.order import Order
from helpline.local import postgres
from helpline.local.children import Household
from helpline.local.console import Trouble, pause, step
from helpline.local.ports import HOST, free_port
from helpline.local.run import health, last_lines, manage, programs
from helpline.local.stack import URLS, environment, start_services, whole_environment
from helpline.local.state import State, temporary_state

MEMORY = Path("/dev/shm")  # noqa: S108  where it is asked for room, not for safety
BYTES_A_CASE = 16_000  # of tables, indexes and what is written ahead
READY_WITHIN = 60.0  # seconds


@dataclass
class Stage:
    """What runs, and how it is reached."""

    household: Household
    env: dict[str, str]
    port: int
    dsn: str  # of the superuser
    in_memory: bool


@contextmanager
def opened(order: Order) -> Iterator[Stage]:
    """PostgreSQL, Valkey and the web server run; afterwards nothing does, and nothing is left."""
    for name in URLS:
        os.environ.pop(name, None)  # millions of rows: never into somebody else's
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > order.cases * BYTES_A_CASE + 500_000_000
    if in_memory:
        os.environ.setdefault("TMPDIR", str(MEMORY))
    with temporary_state() as state:
        state.lasting = True  # servers set as in production
        household = Household()
        try:
            yield _built(state, household, in_memory)
        except Trouble as trouble:
            raise Trouble(f"{trouble}\n{last_lines(state.log('web'))}") from trouble
        finally:
            household.stop()


def _built(state: State, household: Household, in_memory: bool) -> Stage:
    urls = start_services(state, household, step)
    port = free_port()
    env = whole_environment(environment(state, urls) | _production(port))
    with step("Migrating the database"):
        manage(state, env, "migrate")
    web = next(one for one in programs(state, env, port) if one.name == "web")
    argv = ["helpline.bench.wsgi" if part == "helpline.wsgi" else part for part in web.argv]
    bench = {"DJANGO_SETTINGS_MODULE": "helpline.bench.settings"}
    household.start(replace(web, argv=argv, env={**env, **bench}))
    with step("Starting the web server", "answers"):
        _answers(household, port)
    database = urls["DATABASE_URL"].rpartition(":")[2].partition("/")[0]
    dsn = f"host={HOST} port={database} user={postgres.SUPERUSER} password={state.secrets['superuser']} dbname=helpline"
    return Stage(household, {**env, **bench}, port, dsn, in_memory)


def _production(port: int) -> dict[str, str]:
    """Not the demo: https behind a proxy, a second factor, and a start that is refused where it is not safe."""
    return {
        **{"DEMO": "0", "DEBUG": "0", "BEHIND_PROXY": "1", "PORT": str(port), "SITE_URL": f"https://{HOST}:{port}"},
        **{"EMAIL_HOST": HOST, "EMAIL_PORT": "9", "EMAIL_HOST_USER": "", "EMAIL_USE_TLS": "0"},
        **{"ALLOWED_HOSTS": f"localhost,{HOST}", "SECURE_SSL_REDIRECT": "1"},
        "DJANGO_SETTINGS_MODULE": "helpline.settings",
    }


def _answers(household: Household, port: int) -> None:
    waited = 0.0
    while waited < READY_WITHIN:
        household.tend()
        if health(port)[0]:  # no worker runs: what is asked is whether anything answers
            return
        pause(0.25)
        waited += 0.25
    raise Trouble(f"The web server did not answer within {READY_WITHIN:.0f} s.")
