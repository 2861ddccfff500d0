"""Whether the log says what it said: its chain, worked out anew by the database; and its head, published outside."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import LogEntry, LogLink

HEAD = re.compile(r"(\d{4}-\d\d-\d\d) (\d{1,18}) ([0-9a-f]{64})")
PUBLISHED = "log.head_published"
PUBLISH_LOCK = 7262016  # of the database: two that publish at once
MOST = 500  # findings: with more than these it is no row that was changed, it is another log

# What a row says, as migration 0006_chain writes it into the hash. It stands here a second time, so that who changes the
# function of the database changes nothing of what is found.
TEXT = """pg_catalog.jsonb_build_array(
    e.id, pg_catalog.to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), e.user_id, e.role, e.event,
    e."case", e.call, e."row", e.why, pg_catalog.host(e.source), e.codes
)::text"""
# Each link against the one before it, in the order of their places. A row that fits is not brought over.
MISFITS = f"""
WITH links AS (
    SELECT l.place, l.entry, l.hash, lag(l.hash) OVER by_place AS before, lag(l.place, 1, 0) OVER by_place AS place_before
    FROM public.people_loglink l WHERE l.place IS NOT NULL WINDOW by_place AS (ORDER BY l.place)
)
SELECT k.place, k.entry, coalesce(k.hash, ''), coalesce(k.before, ''), k.place_before, CASE WHEN e.id IS NOT NULL THEN {TEXT} END
FROM links k LEFT JOIN public.people_logentry e ON e.id = k.entry
WHERE e.id IS NULL OR k.place <> k.place_before + 1
   OR k.hash IS DISTINCT FROM
      pg_catalog.sha256(coalesce(k.before, ''::bytea) || pg_catalog.convert_to({TEXT}, 'UTF8'))
ORDER BY k.place LIMIT {MOST + 1}
"""  # noqa: S608  constants alone
OUTSIDE = f"""
SELECT e.id, {TEXT} FROM public.people_logentry e LEFT JOIN public.people_loglink l ON l.entry = e.id AND l.place IS NOT NULL
WHERE l.entry IS NULL ORDER BY e.id LIMIT {MOST + 1}
"""  # noqa: S608  constants alone
NEIGHBOURS = "SELECT place, entry, hash FROM public.people_loglink WHERE place BETWEEN %s AND %s ORDER BY place"


class Head(NamedTuple):
    """The last link on some day: with its hash nothing before it can be changed unseen."""

    day: str
    place: int
    hash: str

    def __str__(self) -> str:
        return f"{self.day} {self.place} {self.hash}"


@dataclass(frozen=True)
class Finding:
    """What is wrong with one row. `row` is the number of the row of the log, or of the place in the chain (`cut`,
    `rewritten`, and rows that went with their link)."""

    kind: str  # changed, removed, inserted, reordered, unlinked, cut or rewritten
    row: int
    text: str


class _Misfit(NamedTuple):
    place: int
    entry: int
    hash: bytes
    before: bytes
    place_before: int
    text: str | None

    def hash_after(self, before: bytes) -> bytes:
        return hashlib.sha256(before + (self.text or "").encode()).digest()


def head() -> Head | None:
    """The head of now, with today's date in Sweden; None while nothing is logged."""
    last = LogLink.objects.filter(place__isnull=False).order_by("-place").first()
    return Head(clock.today().isoformat(), last.place, bytes(last.hash or b"").hex()) if last and last.place else None


def read_heads(lines: Iterable[str]) -> list[Head]:
    """The heads among the lines of what was published, a mail as it came included. Raises ValueError where there is none."""
    found = [HEAD.fullmatch(line.strip().lstrip("> ")) for line in lines]
    heads = [Head(match[1], int(match[2]), match[3]) for match in found if match]
    if not heads:
        raise ValueError("no line says a head: date, place and hash")
    return heads


def verify(heads: Iterable[Head] = ()) -> tuple[int, list[Finding]]:
    """How many links there are, and what is wrong. In one snapshot: what is being committed meanwhile is seen whole or not at
    all. Changes nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        if len(connection.savepoint_ids) == 0:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SHOW statement_timeout")
        patience = cursor.fetchone()[0]
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT count(*) FROM public.people_loglink WHERE place IS NOT NULL")
        count = int(cursor.fetchone()[0])
        cursor.execute(MISFITS)
        misfits = [_misfit(*row) for row in cursor.fetchall()]
        cursor.execute(OUTSIDE)
        outside = dict(cursor.fetchall())
        unlinked = {row: misfit for misfit in misfits for row in _unlinked(misfit, outside)}
        findings = [*_of_misfits(misfits, unlinked), *_of_outside(outside, unlinked), *_of_heads(heads)]
        cursor.execute("SELECT pg_catalog.set_config('statement_timeout', %s, true)", [patience])
    return count, findings


def _misfit(place: int, entry: int, known: Any, before: Any, place_before: int, text: str | None) -> _Misfit:
    """A row as the database gives it; its bytes as bytes."""
    return _Misfit(place, entry, bytes(known), bytes(before), place_before, text)


def _unlinked(misfit: _Misfit, outside: dict[int, str]) -> list[int]:
    """The rows without a link that fill the places before this one, so that the chain closes: only their links are gone."""
    missing = misfit.place - misfit.place_before - 1
    rows = list(outside)
    for first in range(len(rows) - missing + 1) if missing > 0 else []:
        end = misfit.before
        for row in rows[first : first + missing]:
            end = hashlib.sha256(end + outside[row].encode()).digest()
        if misfit.hash_after(end) == misfit.hash:
            return rows[first : first + missing]
    return []


def _of_outside(outside: dict[int, str], unlinked: "dict[int, _Misfit]") -> Iterator[Finding]:
    for row in outside:
        if row in unlinked:
            yield Finding("unlinked", row, f"the link of row {row} was removed; what the row says is whole")
        else:
            yield Finding("inserted", row, f"row {row} was written past the chain, or lost its link")


def _of_misfits(misfits: list[_Misfit], unlinked: "dict[int, _Misfit]") -> list[Finding]:
    """Name what is wrong where links do not fit. A link that fits somewhere else was moved, or something was put before it;
    the one that follows such a row has nothing wrong of its own."""
    gone = [misfit for misfit in misfits if misfit.text is None]
    found = [Finding("removed", one.entry, f"row {one.entry} was removed (place {one.place})") for one in gone]
    closed = {misfit.place for misfit in unlinked.values()}
    found += [gap for misfit in misfits if misfit.place not in closed for gap in _gap(misfit)]
    there = {misfit.place: misfit for misfit in misfits if misfit.text is not None}
    ends = _Ends(misfits)
    named: dict[int, Finding] = {}
    for place, misfit in there.items():
        if misfit.place_before != place - 1 and not ends.elsewhere(misfit):
            continue  # behind a gap nobody can tell
        finding = _name(misfit, there.get(place - 1), ends)
        if finding is not None:
            named[finding.row] = finding  # who was put in between is named once, and not as changed besides
    return sorted([*found, *named.values()], key=lambda finding: finding.row)


class _Ends:
    """The hashes that a link near the fault may once have followed, and the texts that it may once have been of."""

    def __init__(self, misfits: list[_Misfit]) -> None:
        whole = [misfit for misfit in misfits if misfit.text is not None]
        self.hashes = {b""} | {misfit.hash for misfit in misfits} | {misfit.before for misfit in misfits}
        self.texts = {misfit.entry: misfit for misfit in whole}
        self.befores: dict[int, tuple[int, bytes]] = {}
        for misfit in misfits:
            with connection.cursor() as cursor:
                cursor.execute(NEIGHBOURS, [misfit.place - 2, misfit.place - 1])
                near = [(entry, bytes(known or b"")) for _place, entry, known in cursor.fetchall()]
            if misfit.place - 1 > 0 and near:
                self.befores[misfit.place] = (near[-1][0], near[0][1] if len(near) == 2 else b"")
            self.hashes |= {known for _entry, known in near}

    def elsewhere(self, misfit: _Misfit) -> bool:
        """Whether it fits after some other link than the one that it stands behind."""
        return any(misfit.hash_after(end) == misfit.hash for end in self.hashes - {misfit.before})

    def stands_for(self, misfit: _Misfit) -> int | None:
        """The row whose place this link is, where another stands there now."""
        at = misfit.before
        return next(
            (
                entry
                for entry, other in self.texts.items()
                if entry != misfit.entry and other.hash_after(at) == misfit.hash
            ),
            None,
        )


def _name(misfit: _Misfit, before: "_Misfit | None", ends: _Ends) -> Finding | None:
    row = misfit.entry
    if ends.elsewhere(misfit):
        put, end = ends.befores.get(misfit.place, (0, b""))
        if before is not None and ends.elsewhere(before):
            return None  # it follows a row that was moved
        if put and misfit.hash_after(end) == misfit.hash:
            return Finding("inserted", put, f"row {put} was put between two others (place {misfit.place - 1})")
        return Finding("reordered", row, f"row {row} is out of its order (place {misfit.place})")
    if before is not None and misfit.hash_after(before.hash_after(before.before)) == misfit.hash:
        return None  # whole: it is the link of the row before that was changed, and that one is named
    if other := ends.stands_for(misfit):
        return Finding("reordered", row, f"rows {row} and {other} stand in each other's place")
    return Finding("changed", row, f"row {row} was changed, or the row before it in the chain with its link")


def _gap(misfit: _Misfit) -> Iterator[Finding]:
    """Places that nobody has: the rows went with their links."""
    first, last = misfit.place_before + 1, misfit.place - 1
    if first <= last:
        places = f"{first}" if first == last else f"{first} to {last}"
        yield Finding(
            "removed", first, f"at place {places}, before row {misfit.entry}, rows were removed with their links"
        )
    elif misfit.place < 1:
        yield Finding("inserted", misfit.entry, f"row {misfit.entry} was put before the first (place {misfit.place})")


def _of_heads(heads: Iterable[Head]) -> Iterator[Finding]:
    """What was published against what is there: the log may have more since, never less and nothing else."""
    for said in heads:
        link = LogLink.objects.filter(place=said.place).first()
        if link is None:
            last = head()
            yield Finding(
                "cut",
                said.place,
                f"the head of {said.day} is at place {said.place}, and the log ends at {last.place if last else 0}",
            )
        elif bytes(link.hash or b"").hex() != said.hash:
            yield Finding(
                "rewritten",
                said.place,
                f"the head of {said.day} (place {said.place}) was another: the chain was rewritten",
            )


def publish_head() -> bool:
    """Once a day: mail the head to LOG_HEAD_TO and add it to LOG_HEAD_FILE. That it was published is a row of the log, taken
    back where the mail does not go out, so that the next tick tries again. Harmless when run twice or at once."""
    if not (settings.LOG_HEAD_TO or settings.LOG_HEAD_FILE):
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
        today = clock.today().isoformat()
        lately = LogEntry.objects.filter(at__gt=clock.now() - dt.timedelta(days=2), event=PUBLISHED)
        found = head()
        if found is None or lately.filter(row=today).exists():
            return False
        log(PUBLISHED, by=None, row=today, place=found.place)
        _publish(found)
    return True


def _publish(found: Head) -> None:
    if settings.LOG_HEAD_TO:
        EmailMessage(
            subject=f"Helpline log {found.day}",
            body=f"{found}\n",
            to=settings.LOG_HEAD_TO,
            headers={"Auto-Submitted": "auto-generated"},
        ).send()
    if settings.LOG_HEAD_FILE:
        with Path(settings.LOG_HEAD_FILE).open("a", encoding="ascii") as file:
            file.write(f"{found}\n")
