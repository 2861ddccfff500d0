"""A backup: the data in one folder, the keys in another, both of one moment, each whole or not there."""

import datetime as dt
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpline.backup import contents, forgotten, picture, server
from helpline.backup.contents import digest, named, on_disk, private
from helpline.backup.keep import HALF
from helpline.backup.server import Database, Trouble
from helpline.people import clock
from helpline.people.restoring import is_marked

Say = Callable[[str], object]
ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
HEAD = (
    "SELECT place, encode(hash, 'hex') FROM public.people_loglink WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1"
)
MASTERS = """
    SELECT master FROM public.people_datakey WHERE wrapped IS NOT NULL UNION SELECT master FROM public.people_indexkey
    ORDER BY master
"""


def backup(database: Database, folder: Path, keys_folder: Path, say: Say) -> Path:
    """Make one backup. Returns the folder of its data. Raises Trouble where it cannot be made; then there is none."""
    _apart(folder, keys_folder)
    now = clock.now()
    name = named(now)
    halves = [place / f".{name}{HALF}" for place in (keys_folder, folder)]
    made: list[Path] = []
    try:
        for half in halves:
            half.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (half.parent / name).exists():
                raise FileExistsError
            half.mkdir(mode=0o700)
            made.append(half)
        with database.transaction() as cursor:
            _write(database, cursor, halves[1], halves[0], now, say)
        for half in halves:  # the keys first: where the data are, the keys are
            on_disk(half)
            half.rename(half.parent / name)
            on_disk(half.parent)
    except FileExistsError:
        raise Trouble("Another backup is being made at this very moment.") from None
    finally:
        for half in made:
            shutil.rmtree(half, ignore_errors=True)
    return folder / name


def _apart(folder: Path, keys_folder: Path) -> None:
    one, other = folder.resolve(), keys_folder.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise Trouble("The keys belong apart from the data: neither folder may be in the other.")


def _write(database: Database, cursor: Any, data: Path, keys: Path, now: dt.datetime, say: Say) -> None:
    """All that one moment held. Sequences go on whatever the moment: they are read before the dump reads them."""
    cursor.execute(ONE_MOMENT)
    if is_marked(cursor):
        raise Trouble("This database is being restored: there is nothing whole to keep.")
    cursor.execute("SELECT pg_export_snapshot()")
    moment = f"--snapshot={cursor.fetchone()[0]}"
    sequences = picture.sequences(cursor)
    without = [f"--exclude-table-data=public.{table}" for table in (*picture.KEY_TABLES, *picture.PASSING_TABLES)]
    _dump(database, data / "data.dump", moment, *without)
    say("data.dump: all tables, without the rows of the keys and of the log-ins that go on")
    _dump(database, keys / "keys.dump", moment, "--data-only", *(f"--table=public.{one}" for one in picture.KEY_TABLES))
    say("keys.dump: the rows of the keys alone")
    contents.write(data / contents.FORGOTTEN, forgotten.read(cursor, now))
    tables = picture.tables(cursor, picture.names_of_tables(cursor))
    tables.update(dict.fromkeys(picture.PASSING_TABLES, picture.NO_ROWS))
    own = {name: tables.pop(name) for name in picture.KEY_TABLES}
    common = {"format": contents.FORMAT, "id": named(now), "made_at": now.isoformat()}
    told = {
        **common,
        **{"tools": _tools(cursor), "migrations": _migrations(cursor), "log_head": _head(cursor)},
        **{
            "tables": tables,
            "objects": picture.objects(cursor),
            "sequences": sequences,
            "roles": picture.roles(cursor),
        },
        "files": {name: digest(data / name) for name in ("data.dump", contents.FORGOTTEN)},
    }
    contents.write(data / contents.DATA, told)
    masters = _masters(cursor)
    of_keys = {**common, "tables": own, "masters": masters, "files": {"keys.dump": digest(keys / "keys.dump")}}
    contents.write(keys / contents.KEYS, of_keys)
    say(f"{len(tables) + len(own)} tables, {sum(one['rows'] for one in (*tables.values(), *own.values()))} rows")


def _dump(database: Database, path: Path, *arguments: str) -> None:
    with open(path, "xb", opener=private) as file:
        server.run("pg_dump", database, "--format=custom", "--no-password", *arguments, to=file)
        os.fsync(file.fileno())


def _tools(cursor: Any) -> dict[str, str]:
    cursor.execute("SHOW server_version")
    return {"pg_dump": server.version("pg_dump"), "server": cursor.fetchone()[0]}


def _migrations(cursor: Any) -> list[list[str]]:
    cursor.execute("SELECT app, name FROM public.django_migrations ORDER BY app, name")
    return [list(row) for row in cursor.fetchall()]


def _head(cursor: Any) -> dict[str, Any]:
    cursor.execute(HEAD)
    place, link = cursor.fetchone() or (0, "")
    return {"place": place, "hash": link}


def _masters(cursor: Any) -> list[str]:
    cursor.execute(MASTERS)
    return [master for (master,) in cursor.fetchall()]
