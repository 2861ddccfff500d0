"""A restore: into an empty database, compared row by row, without what was forgotten since, and only then to be served from."""

import datetime as dt
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from psycopg2 import sql

from helpline.backup import contents, forgotten, picture, server
from helpline.backup.server import Database, Trouble
from helpline.people.restoring import MARK, is_marked

Say = Callable[[str], object]
IS_EMPTY = """
    SELECT NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%')
"""
OTHERS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
"""
# A line of the backup's own constraints: whose key is in the table of keys.
HAS_KEY = re.compile(r"(?:public\.)?(\w+) \w+ FOREIGN KEY \((\w+)\) REFERENCES (?:public\.)?people_datakey\b.*")


@dataclass(frozen=True)
class Backup:
    """The two halves, as they say of themselves."""

    folder: Path
    keys_folder: Path
    data: dict[str, Any]
    keys: dict[str, Any]
    forgotten: forgotten.List

    @property
    def name(self) -> str:
        """Of the data."""
        return str(self.data["id"])

    @property
    def newest_keys(self) -> dt.datetime:
        """When the newest backup of keys was made, of those that lie beside these: until then the database was there."""
        beside = [time for path in self.keys_folder.resolve().parent.iterdir() if (time := contents.time_of(path.name))]
        return max([_moment(self.keys), *beside])


def opened(folder: Path, keys_folder: Path) -> Backup:
    """Both halves, whole and of each other. Raises Trouble."""
    if not (keys_folder / contents.KEYS).exists() and (keys_folder / folder.resolve().name).is_dir():
        keys_folder = keys_folder / folder.resolve().name
    data, keys = contents.read(folder / contents.DATA), contents.read(keys_folder / contents.KEYS)
    if {data["format"], keys["format"]} != {contents.FORMAT}:
        raise Trouble("This backup was written in another format.")
    contents.files_are_whole(folder, data)
    contents.files_are_whole(keys_folder, keys)
    if _moment(keys) < _moment(data):
        raise Trouble(
            f"The keys are of {keys['made_at']}, older than the data ({data['made_at']}): what was written in between would "
            "be lost. Take keys of the same time, or newer ones."
        )
    missing = sorted(set(keys["masters"]) - {entry.partition(":")[0] for entry in settings.HELPLINE_KEYS})
    if missing:
        raise Trouble(f"The keys are under the master key {', '.join(missing)}, which is not in HELPLINE_KEYS.")
    return Backup(folder, keys_folder, data, keys, contents.read(folder / contents.FORGOTTEN))


def restore(
    backup: Backup, into: Database, newer: Iterable[forgotten.List], say: Say, *, with_broken_log: bool = False
) -> None:
    """Restore into an empty database. Raises Trouble; what was begun by then has the mark, and nobody is served from it.
    `with_broken_log`: also where the chain of the log does not hold, which the log then says."""
    _migrations_are_known(backup)
    _can_take(into, backup)
    told = forgotten.together([backup.forgotten, *newer])
    with into.transaction() as cursor:
        cursor.execute(f"CREATE SCHEMA {MARK}")
    _load(backup, into, say)
    _compare(backup, into)
    rows = sum(one["rows"] for one in backup.data["tables"].values())
    say(f"compared: {len(backup.data['tables'])} tables, {rows} rows, all as in the backup; so is all that guards them")
    environment = _environment(into)
    _manage(environment, "migrate", "--verbosity", "0")
    environment["DATABASE_URL"] = into.url
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / contents.FORGOTTEN
        contents.write(path, told)
        also = ["--with-broken-log"] if with_broken_log else []
        say(_manage(environment, "finish_restore", backup.name, str(path), *also))


def list_of(database: Database) -> forgotten.List | None:
    """The list of a database that may still be reached, as that which is replaced; None where it is not."""
    try:
        with database.transaction() as cursor:
            return None if is_marked(cursor) else forgotten.read(cursor, dt.datetime.now(dt.UTC))
    except psycopg2.Error:
        return None


def holds_log_of(database: Database, head: dict[str, Any]) -> bool:
    """Whether a database went on from this backup: its log has the backup's last row, at its place and with its hash. One that
    is merely there, new or another's, knows nothing of what was forgotten."""
    question = "SELECT EXISTS (SELECT 1 FROM public.people_loglink WHERE place = %s AND hash = decode(%s, 'hex'))"
    try:
        with database.transaction() as cursor:
            cursor.execute(question, [head["place"], head["hash"]])
            return bool(cursor.fetchone()[0])
    except psycopg2.Error:
        return False


def make_database(into: Database) -> None:
    """Make the database where there is none of this name. Raises Trouble."""
    try:
        into.connect().close()
        return
    except psycopg2.OperationalError:
        connection = replace(into, name="postgres").connect()
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(into.name)))
    finally:
        connection.close()


def _moment(told: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(told["made_at"])


def _migrations_are_known(backup: Backup) -> None:
    ours = {*MigrationLoader(None).disk_migrations}
    apps = {app for app, _name in ours}
    unknown = [f"{app}.{name}" for app, name in backup.data["migrations"] if app in apps and (app, name) not in ours]
    if unknown:
        raise Trouble(f"The backup was made by a newer Helpline: {unknown[0]} is not known here.")


def _can_take(into: Database, backup: Backup) -> None:
    """Empty, ours alone, and with the roles that the grants name."""
    with into.transaction() as cursor:
        if is_marked(cursor):
            raise Trouble(f"A restore into {into.name} was cut off: remove that database, and restore into a new one.")
        if not _one(cursor, IS_EMPTY):
            raise Trouble(f"{into.name} is not empty: a restore goes into an empty database only.")
        if _one(cursor, OTHERS):
            raise Trouble(f"Somebody else is connected to {into.name}: stop what uses it first.")
        cursor.execute("SELECT rolname FROM pg_roles")
        missing = sorted(set(backup.data["roles"]) - {name for (name,) in cursor.fetchall()})
        if missing:
            raise Trouble(
                f"The backup grants to roles that are not on this server: {', '.join(missing)}. Make them first."
            )


def _one(cursor: Any, question: str) -> Any:
    cursor.execute(question)
    return cursor.fetchone()[0]


def _load(backup: Backup, into: Database, say: Say) -> None:
    """Tables, data, keys, and only then what would object to the one without the other."""
    data, keys = backup.folder / "data.dump", backup.keys_folder / "keys.dump"
    whole = ("--exit-on-error", "--no-owner", "--single-transaction", "--no-password")
    server.run("pg_restore", into, *whole, "--section=pre-data", data)
    server.run("pg_restore", into, *whole, "--section=data", data)
    server.run("pg_restore", into, *whole, "--data-only", keys)
    say("loaded: data and keys")
    with into.transaction() as cursor:
        told = picture.differences(backup.keys["tables"], picture.tables(cursor, list(picture.KEY_TABLES)))
        if told:
            raise Trouble("The keys are not as in the backup. " + "; ".join(told))
        lost = _without_key(cursor, backup.data["objects"]["constraints"])
    if lost:
        say(f"{lost} calls and cases whose keys were removed since the data were kept: forgotten")
    server.run("pg_restore", into, *whole, "--section=post-data", data)


def _without_key(cursor: Any, constraints: list[str]) -> int:
    """With keys that are newer than the data: a key that is gone is a destroyed one. Returns how many."""
    cursor.execute("SET LOCAL search_path = public")
    made = 0
    for table, column in (match.groups() for line in constraints if (match := HAS_KEY.fullmatch(line))):
        cursor.execute(
            sql.SQL(
                "INSERT INTO people_datakey (id, master, wrapped, destroyed_at) SELECT DISTINCT t.{0}, '', NULL::bytea, now()"
                " FROM {1} t LEFT JOIN people_datakey k ON k.id = t.{0} WHERE k.id IS NULL"
            ).format(sql.Identifier(column), sql.Identifier(table))
        )
        made += cursor.rowcount
    return made


def _compare(backup: Backup, into: Database) -> None:
    """Row by row with the list of contents. Raises Trouble with each difference in words."""
    with into.transaction() as cursor:
        names = [name for name in picture.names_of_tables(cursor) if name not in picture.KEY_TABLES]
        told = picture.differences(backup.data["tables"], picture.tables(cursor, names))
        told += picture.changed_objects(backup.data["objects"], picture.objects(cursor))
        now = picture.sequences(cursor)
        behind = [name for name, last in backup.data["sequences"].items() if now.get(name, -1) < last]
        told += [f"{name}: the sequence would give numbers that were given already" for name in behind]
    if told:
        raise Trouble(f"{into.name} is not as the backup says, and keeps its mark. " + "; ".join(told))


def _environment(into: Database) -> dict[str, str]:
    """For manage.py on the restored database: its owner migrates, and the application's role gets its grants."""
    app = Database.of(settings.DATABASES["default"])
    there = replace(into, user=str(settings.APP_ROLE), password=app.password)
    return {
        **os.environ,
        **{"DATABASE_URL": there.url, "OWNER_DATABASE_URL": into.url, "DJANGO_SETTINGS_MODULE": "helpline.settings"},
        **{"HELPLINE_KEYS": ",".join(settings.HELPLINE_KEYS), "SECRET_KEY": settings.SECRET_KEY},
    }


def _manage(environment: dict[str, str], *arguments: str) -> str:
    """manage.py in a process of its own, all of whose doors lead to the restored database."""
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
        env=environment,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise Trouble(f"manage.py {arguments[0]} failed, and the mark stays: {said[-1] if said else 'no reason given'}")
    return done.stdout.strip()
