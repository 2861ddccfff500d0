"""Fills the database with cases by COPY: triggers are off while rows come, chunk by chunk, in a process for each core."""

import io
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

import psycopg2
from django.db import connections
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from helpline.bench import people
from helpline.bench.facts import facts_of
from helpline.bench.people import Places
from helpline.bench.sealing import Master, Place, new_id
from helpline.bench.story import Story
from helpline.bench.writing import SENTENCES, Writing
from helpline.local.console import pause
from intake.models import Note

CHUNK = 1_000  # cases that one transaction brings
SEED = 20_261_122
TRIGGERS_OFF = "SET session_replication_role = replica"
# Numbers that we gave ourselves: what the database gives next comes after them.
GIVEN = """SELECT setval(pg_get_serial_sequence('intake_concernreport', 'id'),
                         (SELECT coalesce(max(id), 1) FROM intake_concernreport))"""

_held: dict[str, object] = {}  # of one process: its connection, and where everything is


def fill(dsn: str, first: int, last: int, processes: int | None = None) -> Counter[str]:
    """Bring cases `first` to `last` (not included). How many rows each table got. `dsn` is a superuser's. A process that
    fails ends it all."""
    now, whole = time.time(), last - first
    chunks = [(begin, min(begin + CHUNK, last), first, whole, now) for begin in range(first, last, CHUNK)]
    counts: Counter[str] = Counter()
    connections.close_all()  # none is shared with a child
    context, count = multiprocessing.get_context("fork"), min(processes or os.cpu_count() or 1, len(chunks))
    with ProcessPoolExecutor(count, context, _begin, (dsn,)) as pool:
        waiting = {pool.submit(_bring, chunk) for chunk in chunks}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
                counts.update(sum((one.result() for one in done), Counter()))
                pause(0)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(GIVEN)
    connection.close()
    return counts


def _begin(dsn: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us stops us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _held["at"] = people.places()
    connections.close_all()
    _held["connection"] = psycopg2.connect(dsn)


def _bring(chunk: tuple[int, int, int, int, float]) -> Counter[str]:
    at, connection = _held["at"], _held["connection"]
    assert isinstance(at, Places) and isinstance(connection, Connection)
    return load(connection, written(at, *chunk))


def written(at: Places, begin: int, end: int, first: int, whole: int, now: float) -> Writing:
    """The rows of cases `begin` to `end`, of a filling that brings `whole` cases from `first` on."""
    dice = random.Random(SEED + begin)
    write = Writing(at, now, dice)
    story = Story(write)
    for number in range(begin, end):
        story.add(facts_of(number, (number - first) / whole, now, at, dice))
    return write


def load(connection: Connection, write: Writing) -> Counter[str]:
    """Bring one chunk in one transaction, with no trigger. How many rows each table got."""
    with connection, connection.cursor() as cursor:
        cursor.execute(TRIGGERS_OFF)
        return bring(cursor, write)


def bring(cursor: Cursor, write: Writing) -> Counter[str]:
    """COPY all that was written. How many rows each table got."""
    counts: Counter[str] = Counter()
    for table in write.tables():
        counts[table.model._meta.db_table] = len(table.lines)
        cursor.copy_expert(table.copy, io.StringIO(table.taken()))
    return counts


def settle(dsn: str) -> None:
    """What a database of some age has behind it: statistics, and pages that are known to be visible."""
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
    connection.close()


def sums() -> None:
    """The sums by day of all that came, which no trigger has marked."""
    from helpline.sums import recount_all

    recount_all()


def microseconds_to_seal(times: int = 20_000) -> float:
    """What sealing one text of some sentences costs here, on one core."""
    dice = random.Random(SEED)
    field, master = Place(Note, "text"), Master()
    pk = new_id(time.time(), dice)
    key, _wrapped = master.new_key(pk)
    text = " ".join(SENTENCES[:5])
    began = time.perf_counter()
    for _number in range(times):
        key.seal(field, pk, text)
    return 1e6 * (time.perf_counter() - began) / times
