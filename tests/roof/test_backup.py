"""A backup in two halves, and a restore that is as it was, row by row, without what was forgotten since."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from helpline.backup import contents, keep, picture, server
from helpline.backup.make import _head
from helpline.backup.restore import Backup
from helpline.disposals import dispose_again
from helpline.management.commands import restore as restore_command
from helpline.people import clock
from helpline.people.models import Disposal, DisposalItem, LogEntry
from helpline.people.restoring import MARK, is_marked
from intake.models import Call, Case, FollowUp, PastCase, ToldPeriod
from tests.conftest import APP_LOGIN

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db(transaction=True)
NAMES = {"erased": "Ellinor Vassberg", "disposed": "Disa Gren", "kept": "Karin Lod"}
SEEN = "He keeps a rifle in the barn by the lake"


class Place:
    """Two folders, and a database to restore into."""

    def __init__(self, folder: Path) -> None:
        self.data, self.keys, self.folder = folder / "data", folder / "keys", folder
        self.into = replace(server.owner(), name=f"restored_{uuid.uuid4().hex[:12]}")

    def backup(self) -> Path:
        out = StringIO()
        call_command("backup", str(self.data), keys_dir=str(self.keys), stdout=out)
        return Path(re.search(r"^written: (.+), its keys:", out.getvalue(), re.MULTILINE)[1])

    def restore(self, backup: Path, **options) -> str:
        out = StringIO()
        call_command(
            "restore", str(backup), into=self.into.name, keys=options.pop("keys", str(self.keys)), **options, stdout=out
        )
        return out.getvalue()

    def run(self, code: str, **env: str) -> subprocess.CompletedProcess:
        """Python with the application's role on the restored database."""
        there = replace(self.into, user=APP_LOGIN["USER"], password=APP_LOGIN["PASSWORD"]).url
        told = {"DATABASE_URL": there, "OWNER_DATABASE_URL": there, "DJANGO_SETTINGS_MODULE": "helpline.settings"}
        told |= {"HELPLINE_KEYS": ",".join(settings.HELPLINE_KEYS), "SECRET_KEY": "s" * 60} | env
        return subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True
        )


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    first = made.into.name
    yield made
    there = replace(made.into, name="postgres").connect()
    there.autocommit = True
    for name in {first, made.into.name}:
        there.cursor().execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    there.close()


@pytest.fixture
def no_server_is_left(monkeypatch):
    """The database that is replaced cannot be reached any more."""
    monkeypatch.setattr(restore_command, "list_of", lambda database: None)


def rows(database: server.Database) -> dict[str, set[str]]:
    """Every row of every table, as text."""
    with database.transaction() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'UTC'")
        found = {}
        for name in picture.names_of_tables(cursor):
            cursor.execute(f'SELECT t::text FROM public."{name}" t')
            told = [row for (row,) in cursor.fetchall()]
            found[name] = set(told)
            assert len(found[name]) == len(told)
        return found


@pytest.fixture
def filled(make_call, make_case, client_of, cast) -> dict:
    """Two calls with words, two cases, and somebody who is logged in."""
    client_of(cast.manager)
    words = {name: {"caller_name": named, "notes": {"seen": SEEN}} for name, named in NAMES.items()}
    return {
        "erased": make_call(track="B", **words["erased"]),
        "disposed": make_case(track="B", **words["disposed"]),
        "kept": make_case(track="B", **words["kept"]),
    }


def dispose(case: Case, cast) -> None:
    """What one proposed and another approved is carried out."""
    disposal = Disposal.objects.create(
        proposed_by=cast.manager,
        unit=cast.unit,
        approved_by=cast.other_manager,
        approved_at=clock.now(),
        done_at=clock.now(),
    )
    item = {"rule": "five_years", "due_on": clock.today(), "number": case.slug, "done_at": clock.now()}
    DisposalItem.objects.create(disposal=disposal, case=case.pk, **item)
    assert dispose_again([case.pk], []) == 1


def forgotten_of(filled) -> list[str]:
    """The identities of all that is forgotten below."""
    case, call = filled["disposed"], filled["erased"]
    found = [case.pk, case.key_id, call.key_id]
    found += FollowUp.objects.filter(case=case).values_list("pk", flat=True)
    for one in case.calls.all():
        found += [one.pk, one.key_id]
    return [str(one) for one in found]


def test_all_comes_back_but_what_was_forgotten_since(place, filled, cast, no_server_is_left):
    gone, before = forgotten_of(filled), rows(server.owner())
    passing = {row for table in picture.PASSING_TABLES for row in before[table]}
    assert before["django_session"]  # no backup keeps them
    backup = place.backup()
    assert rows(server.owner()) == before  # nothing was written by it
    filled["erased"].key.destroy()
    dispose(filled["disposed"], cast)
    cast.colleague.is_active = False
    cast.colleague.save()
    ToldPeriod.objects.create(period="2026-Q3", counts={"call": {}}, told={"call": {"all": 7}})
    Call.objects.filter(pk=filled["kept"].calls.get().pk).update(urgency_reason=b"")  # not forgotten: it comes back
    later = place.folder / "newer.json"
    call_command("export_forgotten", str(later), stdout=StringIO())
    for name in NAMES.values():
        assert name not in later.read_text()
    with pytest.raises(CommandError, match="Nobody says what was forgotten after"):
        place.restore(backup)
    said = place.restore(backup, forgotten=later)
    assert "all as in the backup" in said and "the log is whole" in said and "removed 1" in said

    after = rows(place.into)
    assert after.keys() == before.keys()
    colleague = f"({cast.colleague.pk},"
    lost = {table: before[table] - after[table] for table in before}
    for row in {row for rows in lost.values() for row in rows} - passing:
        assert any(one in row for one in gone) or row.startswith(colleague), row
    assert len(lost["people_datakey"]) == 3 and lost["intake_case"] and lost["people_user"] and lost["intake_note"]
    # The log tells what was done again; nothing of it went.
    assert not lost["people_logentry"] and not lost["people_loglink"] and not lost["django_migrations"]
    come = {table for table in before if after[table] - before[table]}
    assert come == {
        *("people_datakey", "people_user", "people_logentry", "people_loglink", "people_disposal"),
        *("people_disposalitem", "intake_pastcase", "intake_daymark"),  # whose day is counted anew
        "intake_toldperiod",  # what was told is not told anew
    }
    assert not after["django_session"]
    assert any("restore.done" in row for row in after["people_logentry"])

    code = """
import django; django.setup()
from helpline.people.checks import refuse_unsafe_start; refuse_unsafe_start()
from helpline.people.chain import verify
from helpline.people.models import DataKey, Disposal
from intake.models import Call, Case, Note, PastCase, ToldPeriod
print(ToldPeriod.objects.get().told)
print(*sorted(call.caller_name for call in Call.objects.all()), sep='|')
print(*sorted({note.text for note in Note.objects.all()}), sep='|')
print(Case.objects.count(), PastCase.objects.count(), Disposal.objects.get().items.get().number, len(verify()[1]))
print(DataKey.objects.filter(wrapped=None, destroyed_at__isnull=False).count())
"""
    done = place.run(code, DEMO="0", ALLOWED_HOSTS="localhost")
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert answers.pop(0) == "{'call': {'all': 7}}"
    assert answers == [f"|{NAMES['kept']}", f"|{SEEN}", f"1 1 {filled['disposed'].slug} 0", "3"]
    assert PastCase.objects.count() == 1
    assert rows(server.owner())["people_logentry"] >= before["people_logentry"]


def test_a_log_that_was_tampered_with_is_restored_only_where_somebody_says_so(place, filled, no_server_is_left):
    """It fails and says the way on; that way leaves the log as it is, says so in it, and serves."""
    row = LogEntry.objects.order_by("pk").first()
    with server.owner().transaction() as cursor:
        cursor.execute("ALTER TABLE people_logentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE people_logentry SET why = 'x' WHERE id = %s", [row.pk])
        cursor.execute("ALTER TABLE people_logentry ENABLE TRIGGER USER")
    backup, surely = place.backup(), {"nothing_was_forgotten_since": True}
    with pytest.raises(CommandError, match=f"mark stays.* row {row.pk} .*--with-broken-log.*docs/backup.md"):
        place.restore(backup, **surely)
    with place.into.transaction() as cursor:
        assert is_marked(cursor)
        cursor.execute("SELECT count(*) FROM people_logentry WHERE event LIKE 'restore.%%'")
        assert cursor.fetchone() == (0,)
    place.into = replace(place.into, name=f"{place.into.name}_b")
    said = place.restore(backup, **surely, with_broken_log=True)
    assert "restored with a broken log, as was asked" in said and "the log is whole" not in said
    with place.into.transaction() as cursor:
        assert not is_marked(cursor)
        cursor.execute("SELECT event, codes FROM people_logentry WHERE event LIKE 'restore.%%' ORDER BY id")
        (broken, codes), (done, _codes) = cursor.fetchall()
        assert (broken, done) == ("restore.broken_log", "restore.done")
        assert codes["found"] == 1 and codes["rows"] == [row.pk] and codes["kinds"] == ["changed"]
        cursor.execute("SELECT why FROM people_logentry WHERE id = %s", [row.pk])
        assert cursor.fetchone() == ("x",)  # nothing is mended


def test_the_database_that_is_replaced_is_asked_and_newer_keys_do(place, filled):
    """Keys are kept for days, data for weeks: old data and new keys are the ordinary restore."""
    backup = place.backup()
    filled["erased"].key.destroy()
    for half in (place.data, place.keys):  # as if it had been made yesterday
        for path in half.glob("2*"):
            age(path)
    backup = next(place.data.glob("2*"))
    newer = place.backup()
    said = place.restore(backup, keys=str(place.keys / newer.name))
    assert re.search(r"which is replaced, still says, as of 20\S+: 1 destroyed keys", said)
    assert re.search(r"^The backup says, as of 20\S+: 0 destroyed keys", said, re.MULTILINE)
    with place.into.transaction() as cursor:
        cursor.execute("SELECT wrapped IS NULL FROM people_datakey WHERE id = %s", [str(filled["erased"].key_id)])
        assert cursor.fetchone() == (True,)


def newer(place: Place, log_head: dict, **options) -> list[dict]:
    """What a restore of a backup of a month ago would go by."""
    now = contents.dt.datetime.now(contents.dt.UTC)
    keys, made_at = place.keys / "k", (now - contents.dt.timedelta(days=30)).isoformat()
    keys.mkdir(parents=True, exist_ok=True)
    nothing = {"made_at": made_at, "keys": [], "disposals": [], "accounts": []}
    backup = Backup(place.data, keys, {"made_at": made_at, "log_head": log_head}, {"made_at": made_at}, nothing)
    asked = {"forgotten": None, "replaces": None, "nothing_was_forgotten_since": False, **options}
    command = restore_command.Command(stdout=StringIO())
    return list(command._newer(backup, place.into, asked))


def a_list(place: Place, **before) -> Path:
    """A list of what was forgotten that was made so long ago."""
    path = place.folder / f"{uuid.uuid4().hex}.json"
    made = contents.dt.datetime.now(contents.dt.UTC) - contents.dt.timedelta(**before)
    contents.write(path, {"made_at": made.isoformat(), "keys": [], "disposals": [], "accounts": []})
    return path


def test_a_database_that_did_not_go_on_from_the_backup_knows_nothing(place, make_call):
    """A fresh one, or another's, where the old one stood: its log lacks the backup's last row, at its place with its hash."""
    make_call()
    with server.owner().transaction() as cursor:
        head = _head(cursor)
    assert head["place"] and len(newer(place, head)) == 1
    for other in ({"place": 4711, "hash": head["hash"]}, {**head, "hash": "ab" * 32}, {"place": 0, "hash": ""}):
        with pytest.raises(server.Trouble, match="Nobody says what was forgotten"):
            newer(place, other)
        with pytest.raises(server.Trouble, match="is not the one that is replaced"):
            newer(place, other, replaces=server.owner().url)
        assert newer(place, other, nothing_was_forgotten_since=True) == []


def test_an_old_list_is_not_enough(place, no_server_is_left):
    """Made after the backup, and yet a month old; or older than keys that were kept since. Somebody may say that it is."""
    head = {"place": 1, "hash": "00"}
    old, fresh = a_list(place, days=29), a_list(place, minutes=50)
    assert len(newer(place, head, forgotten=fresh)) == 1
    with pytest.raises(server.Trouble, match="older than a day"):
        newer(place, head, forgotten=old)
    assert len(newer(place, head, forgotten=old, nothing_was_forgotten_since=True)) == 1
    later = contents.dt.datetime.now(contents.dt.UTC) - contents.dt.timedelta(minutes=30)
    (place.keys / contents.named(later)).mkdir()  # a backup of keys that is newer than the list
    with pytest.raises(server.Trouble, match="the newest backup of keys"):
        newer(place, head, forgotten=fresh)


def age(half: Path) -> None:
    """A day older, in name and contents."""
    made = contents.time_of(half.name) - contents.dt.timedelta(days=1)
    for path in (half / contents.DATA, half / contents.KEYS):
        if path.exists():
            resign(path, id=contents.named(made), made_at=made.isoformat())
    half.rename(half.with_name(contents.named(made)))


def resign(path: Path, **changed) -> None:
    """As somebody would who has the master key."""
    told = {**contents.read(path), **changed}
    path.unlink()
    contents.write(path, told)


def test_the_halves_are_apart_and_nobody_elses(place, filled):
    backup = place.backup()
    keys = place.keys / backup.name
    files = {path for folder in (backup, keys) for path in folder.iterdir()}
    assert {path.name for path in files} == {"data.dump", "manifest.json", "forgotten.json", "keys.dump", "keys.json"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (backup, keys)} == {0o700}
    assert [path.name for path in place.data.iterdir()] == [backup.name]  # nothing half
    told = {name: text_of(place, folder / f"{name}.dump") for name, folder in (("data", backup), ("keys", keys))}
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(wrapped, 'hex') FROM people_datakey WHERE wrapped IS NOT NULL")
        wrapped = [one for (one,) in cursor.fetchall()]
    assert len(wrapped) == 5 and filled["kept"].code in told["data"] and filled["kept"].code not in told["keys"]
    for one in wrapped:
        assert one in told["keys"] and one not in told["data"]
    everything = b"".join(path.read_bytes() for path in files) + "".join(told.values()).encode()
    for word in (*NAMES.values(), SEEN):
        assert word.encode() not in everything and word.encode().hex().encode() not in everything
    told = contents.read(backup / contents.DATA)
    assert told["log_head"]["place"] == LogEntry.objects.count()
    assert told["tables"]["intake_call"]["rows"] == 3 and "people_datakey" not in told["tables"]
    assert contents.read(keys / contents.KEYS)["tables"]["people_datakey"]["rows"] == 5
    assert any("only_by_disposal" in line for line in told["objects"]["triggers"])
    assert any("intake_case: SELECT to helpline_app" in line for line in told["objects"]["grants"])


def text_of(place: Place, dump: Path) -> str:
    program = server.programs() / "pg_restore"
    return subprocess.run([program, "-f", "-", dump], capture_output=True, check=True).stdout.decode()


def test_what_is_not_whole_is_refused_by_name(place, filled, no_server_is_left, monkeypatch):
    with pytest.raises(CommandError, match="The keys belong apart"):
        call_command("backup", str(place.data), keys_dir=str(place.data / "keys"), stdout=StringIO())
    with pytest.raises(CommandError, match="another, --keys-dir"):
        call_command("backup", str(place.data), stdout=StringIO())
    backup = place.backup()
    surely = {"nothing_was_forgotten_since": True}
    with pytest.raises(CommandError, match=r"keys.json is missing: this is no backup, or half of one"):
        place.restore(backup, keys=str(place.folder), **surely)
    with pytest.raises(CommandError, match="is not empty"):
        call_command("restore", str(backup), keys=str(place.keys), into=server.owner().name, **surely)
    with monkeypatch.context() as patch:
        patch.setattr(settings, "HELPLINE_KEYS", ["other:" + "B" * 43 + "="])
        with pytest.raises(CommandError, match="which is not in HELPLINE_KEYS"):
            place.restore(backup, **surely)
    manifest = backup / contents.DATA
    as_written = manifest.read_text()
    told = json.loads(as_written)
    told["tables"]["intake_note"]["rows"] += 1
    manifest.write_text(json.dumps(told))
    with pytest.raises(CommandError, match="manifest.json is not as it was written"):
        place.restore(backup, **surely)
    manifest.write_text(as_written)
    listed = backup / contents.FORGOTTEN
    listed.write_text(listed.read_text().replace('"keys": []', '"keys": [{}]'))
    with pytest.raises(CommandError, match="forgotten.json is not the file that was written"):
        place.restore(backup, **surely)
    as_listed = listed.read_bytes()
    listed.unlink()
    with pytest.raises(CommandError, match="forgotten.json is missing"):
        place.restore(backup, **surely)
    listed.write_bytes(as_listed.replace(b'"keys": [{}]', b'"keys": []'))
    age(place.keys / backup.name)
    with pytest.raises(CommandError, match="older than the data"):
        place.restore(backup, keys=str(next(place.keys.glob("2*"))), **surely)


def test_a_row_that_was_changed_is_named_and_nobody_is_served(place, filled, cast, no_server_is_left):
    backup = place.backup()
    cast.unit.name = "Another name"
    cast.unit.save()
    dump = backup / "data.dump"
    dump.unlink()
    without = [f"--exclude-table-data={one}" for one in (*picture.KEY_TABLES, *picture.PASSING_TABLES)]
    with dump.open("wb") as file:
        server.run("pg_dump", server.owner(), "-Fc", *without, to=file)
    files = contents.read(backup / contents.DATA)["files"] | {"data.dump": contents.digest(dump)}
    resign(backup / contents.DATA, files=files)
    with pytest.raises(CommandError, match=r"people_unit: 2 rows as in the backup, and at least one") as error:
        place.restore(backup, nothing_was_forgotten_since=True)
    assert str(error.value).count("rows") == 1  # and no other table
    refused(place)
    with pytest.raises(CommandError, match="was cut off"):
        place.restore(backup, nothing_was_forgotten_since=True)


def refused(place: Place) -> None:
    """No program serves from it, in the demo neither."""
    for demo in ("1", "0"):
        done = place.run("import helpline.wsgi", DEMO=demo)
        assert done.returncode == 3 and "is being restored" in done.stderr, done.stderr


def test_what_is_killed_in_the_middle_is_not_served_from(place, filled):
    backup = place.backup()
    command = ["restore", backup, "--keys", place.keys, "--into", place.into.url, "--nothing-was-forgotten-since"]
    env = {**os.environ, "HELPLINE_KEYS": ",".join(settings.HELPLINE_KEYS)}
    connection_there = replace(place.into, name="postgres").connect()
    connection_there.autocommit = True
    connection_there.cursor().execute(f'CREATE DATABASE "{place.into.name}"')
    connection_there.close()
    argv = [sys.executable, "manage.py", *map(str, command)]
    process = subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until and not marked(place):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert marked(place)
    refused(place)


def marked(place: Place) -> bool:
    try:
        with place.into.transaction() as cursor:
            return is_marked(cursor)
    except server.psycopg2.OperationalError:
        return False


def test_each_program_asks_for_the_mark(cast):
    with server.owner().transaction() as cursor:
        cursor.execute(f"CREATE SCHEMA {MARK}")
    try:
        from helpline.celery import app
        from helpline.people.checks import refuse_unsafe_start

        assert app.main == "helpline"
        with pytest.raises(SystemExit, match="is being restored"):
            refuse_unsafe_start()
        with pytest.raises(CommandError, match="is being restored"):
            call_command("sweep")
        with pytest.raises(CommandError, match="nothing whole to keep"):
            call_command("backup", "a", keys_dir="b", stdout=StringIO())
    finally:
        with server.owner().transaction() as cursor:
            cursor.execute(f"DROP SCHEMA {MARK}")
    refuse_unsafe_start()


def test_old_backups_go_the_newest_never(tmp_path):
    now = contents.time_of("20261130T120000Z")
    days = ("20261101T020000Z", "20261122T020000Z", "20261124T020000Z", "20261129T020000Z")
    for name in (*days, ".20261128T020000Z.half", ".20261130T115900Z.half", "20200101T000000Z", "photos"):
        (tmp_path / name).mkdir()
    for name in days:
        (tmp_path / name / contents.KEYS).touch()
    gone = keep.remove_older(tmp_path, days=7, lists=contents.KEYS, now=now)
    assert gone == [*days[:2], ".20261128T020000Z.half"]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        *days[2:],
        ".20261130T115900Z.half",
        "20200101T000000Z",
        "photos",
    }  # what is no backup of ours stays
    late = now + contents.dt.timedelta(days=99)
    keep.remove_older(tmp_path, days=7, lists=contents.KEYS, now=late)
    assert (tmp_path / days[3]).exists() and not (tmp_path / days[2]).exists()
