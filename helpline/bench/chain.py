"""The chain of the log for rows that came by COPY, with no trigger: the database's own text of each row, hashed in order."""

import hashlib
import io
from collections.abc import Iterable, Iterator

import psycopg2

from helpline.bench.fill import TRIGGERS_OFF

BATCH = 50_000
LAST = "SELECT place, hash FROM people_loglink WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1"
LOOSE = """
    SELECT e.id, helpline_log_text(e) FROM people_logentry e
    WHERE NOT EXISTS (SELECT 1 FROM people_loglink l WHERE l.entry = e.id) ORDER BY e.id
"""
COPY = "COPY people_loglink (entry, place, hash) FROM STDIN"


def link(dsn: str) -> int:
    """Link every row that is in no chain yet behind the last one; how many. Nobody else writes meanwhile."""
    reading, writing = psycopg2.connect(dsn), psycopg2.connect(dsn)
    with writing.cursor() as cursor:
        cursor.execute(TRIGGERS_OFF)
        cursor.execute(LAST)
        place, before = cursor.fetchone() or (0, b"")
        before, first = bytes(before), place
        with reading.cursor("loose") as rows:
            rows.execute(LOOSE)
            while found := rows.fetchmany(BATCH):
                lines = []
                for entry, place, before in links(found, place, before):  # noqa: B020  the chain goes on
                    lines.append(f"{entry}\t{place}\t\\\\x{before.hex()}\n")
                cursor.copy_expert(COPY, io.StringIO("".join(lines)))
    writing.commit()
    reading.close()
    writing.close()
    return int(place - first)


def links(rows: Iterable[tuple[int, str]], place: int, before: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The link of each row, entry, place and hash, behind a place and its hash."""
    for entry, text in rows:
        place, before = place + 1, hashlib.sha256(before + text.encode()).digest()
        yield entry, place, before
