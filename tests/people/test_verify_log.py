"""Whatever is done to the log by who owns the database is found, and named by the number of the row."""

import datetime as dt
import hashlib

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection

from helpline.people import chain, clock
from helpline.people.audit import log
from helpline.people.chain import head, publish_head, read_heads, verify
from helpline.people.models import LogEntry, LogLink

ROWS = 9


@pytest.fixture
def rows(cast) -> list[int]:
    """The numbers of some rows, one after the other in the chain, with more before and after them."""
    for number in range(ROWS):
        log(
            "case.read",
            by=cast.caseworker,
            case=cast_uuid(number),
            row=number,
            why="own",
            reason="cover",
            number=number,
        )
    connection.check_constraints()
    links = LogLink.objects.order_by("-place")[:ROWS]
    return sorted(link.entry for link in links)


def cast_uuid(number: int):
    import uuid

    return uuid.UUID(int=number + 1)


def tamper(*statements: str, **values) -> None:
    """As who owns the database, with every trigger off."""
    tables = ("people_logentry", "people_loglink")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement, values)
            assert cursor.rowcount, "nothing was done"
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is left of the foreign keys
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {no_truncate(table)}")
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")


def no_truncate(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE '%%no_truncate%%'", [table]
        )
        return str(cursor.fetchone()[0])


def found(*heads) -> dict[int, str]:
    """row -> what is wrong with it."""
    return {finding.row: finding.kind for finding in verify(heads)[1]}


def place_of(row: int) -> int:
    return LogLink.objects.get(entry=row).place


def rewrite(first: int, *, fix_links: bool = True) -> None:
    """Work every hash from this place on out anew, as who knows how would do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM people_loglink WHERE place = %s", [first - 1])
        before = bytes((cursor.fetchone() or [b""])[0])
        cursor.execute(
            f"""SELECT l.entry, {chain.TEXT} FROM people_loglink l JOIN people_logentry e ON e.id = l.entry
                WHERE l.place >= %s ORDER BY l.place""",
            [first],
        )
        for entry, text in cursor.fetchall():
            before = hashlib.sha256(before + text.encode()).digest()
            tamper("UPDATE people_loglink SET hash = %(hash)s WHERE entry = %(entry)s", hash=before, entry=entry)


def test_a_log_that_nobody_touched_is_whole(rows, capsys):
    count, findings = verify()
    assert findings == [] and count == LogEntry.objects.count() >= ROWS
    call_command("verify_log")
    assert f"The log is whole: {count} rows." in capsys.readouterr().out


def test_what_is_still_being_written_is_no_fault(rows, cast):
    log("case.read", by=cast.caseworker)
    # Of one's own transaction the row has no link yet: it is written past the chain until the commit.
    assert set(found().values()) <= {"inserted"}
    connection.check_constraints()
    assert found() == {}


def test_what_is_compared_is_what_the_trigger_wrote(rows):
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM people_logentry e WHERE {chain.TEXT} IS DISTINCT FROM helpline_log_text(e)"
        )
        assert cursor.fetchone()[0] == 0


CHANGES = {
    "at": "at + interval '1 microsecond'",
    "user_id": "NULL",
    "role": "'manager'",
    "event": "'case.real'",
    '"case"': "gen_random_uuid()",
    "call": "gen_random_uuid()",
    '"row"': "\"row\" || ' '",
    "why": "'owm'",
    "source": "'192.0.2.9'",
    "codes": 'codes || \'{"reason": "covers"}\'',
}


def test_every_column_is_tried():
    columns = {field.column for field in LogEntry._meta.fields}
    assert columns == {name.strip('"') for name in CHANGES} | {"id"}


@pytest.mark.parametrize("column", CHANGES)
def test_one_byte_changed(column, rows, capsys):
    tamper(f"UPDATE people_logentry SET {column} = {CHANGES[column]} WHERE id = %(id)s", id=rows[4])
    assert found() == {rows[4]: "changed"}
    with pytest.raises(CommandError) as told:
        call_command("verify_log")
    assert told.value.returncode == 1 and f"changed: row {rows[4]} " in capsys.readouterr().out


def test_its_number_changed(rows):
    """The link leads to nothing, and what it was of has no link."""
    tamper("UPDATE people_logentry SET id = 900000001 WHERE id = %(id)s", id=rows[4])
    assert found() == {rows[4]: "removed", 900000001: "inserted"}


def test_the_first_and_the_last_row(rows):
    first = LogLink.objects.get(place=1).entry
    for row in (first, rows[-1]):
        tamper("UPDATE people_logentry SET why = 'x' WHERE id = %(id)s", id=row)
    assert found() == {first: "changed", rows[-1]: "changed"}


def test_several_rows_changed(rows):
    for row in (rows[2], rows[3], rows[6]):
        tamper("UPDATE people_logentry SET role = 'keeper' WHERE id = %(id)s", id=row)
    assert found() == {rows[2]: "changed", rows[3]: "changed", rows[6]: "changed"}


def test_the_hash_of_a_link_changed(rows):
    tamper("UPDATE people_loglink SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1) WHERE entry = %(id)s", id=rows[4])
    assert found() == {rows[4]: "changed"}


def test_a_row_changed_together_with_its_link(rows):
    """The next row does not follow from it any more: it, or the one before it."""
    tamper("UPDATE people_logentry SET role = 'keeper' WHERE id = %(id)s", id=rows[4])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {chain.TEXT} FROM people_logentry e WHERE id = %s", [rows[4]])
        text = cursor.fetchone()[0]
    forged = hashlib.sha256(bytes(LogLink.objects.get(entry=rows[3]).hash) + text.encode()).digest()
    tamper("UPDATE people_loglink SET hash = %(hash)s WHERE entry = %(id)s", hash=forged, id=rows[4])
    [finding] = verify()[1]
    assert (finding.kind, finding.row) == ("changed", rows[5]) and "or the row before it" in finding.text


def test_a_row_removed(rows):
    tamper("DELETE FROM people_logentry WHERE id = %(id)s", id=rows[4])
    assert found() == {rows[4]: "removed"}


def test_a_row_removed_with_its_link(rows):
    place = place_of(rows[4])
    tamper(
        "DELETE FROM people_logentry WHERE id = %(id)s", "DELETE FROM people_loglink WHERE entry = %(id)s", id=rows[4]
    )
    [finding] = verify()[1]
    assert (finding.kind, finding.row) == ("removed", place) and f"before row {rows[5]}" in finding.text


def test_a_row_removed_with_its_link_and_the_places_closed(rows):
    place = place_of(rows[4])
    tamper(
        "DELETE FROM people_logentry WHERE id = %(id)s", "DELETE FROM people_loglink WHERE entry = %(id)s", id=rows[4]
    )
    for row in rows[5:]:
        tamper("UPDATE people_loglink SET place = place - 1 WHERE entry = %(id)s", id=row)
    assert place_of(rows[5]) == place and found() == {rows[5]: "changed"}


def test_the_first_rows_removed(rows):
    tamper(
        "DELETE FROM people_logentry WHERE id IN (SELECT entry FROM people_loglink WHERE place < 3)",
        "DELETE FROM people_loglink WHERE place < 3",
    )
    assert found() == {1: "removed"}


@pytest.mark.parametrize("which", [[4], [4, 5], [3, 4, 5]])
def test_links_removed(which, rows):
    gone = [rows[number] for number in which]
    tamper("DELETE FROM people_loglink WHERE entry = ANY(%(ids)s)", ids=gone)
    assert found() == dict.fromkeys(gone, "unlinked")


def test_a_row_written_past_the_chain(rows):
    insert(700000001)
    assert found() == {700000001: "inserted"}


def insert(number: int) -> None:
    tamper(
        """INSERT INTO people_logentry (id, at, role, event, "row", why, codes)
           VALUES (%(id)s, now(), '', 'case.read', '', '', '{}')""",
        id=number,
    )


@pytest.mark.parametrize("is_right", [False, True])
def test_a_row_put_in_the_middle_with_a_link(is_right, rows):
    at = place_of(rows[4])
    insert(700000001)
    for row in reversed(rows[4:]):
        tamper("UPDATE people_loglink SET place = place + 1 WHERE entry = %(id)s", id=row)
    forged = b"\1" * 32
    if is_right:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {chain.TEXT} FROM people_logentry e WHERE id = 700000001")
            text = cursor.fetchone()[0]
        forged = hashlib.sha256(bytes(LogLink.objects.get(entry=rows[3]).hash) + text.encode()).digest()
    tamper("INSERT INTO people_loglink VALUES (700000001, %(place)s, %(hash)s)", place=at, hash=forged)
    assert found() == {700000001: "inserted"}


@pytest.mark.parametrize("place", ["end", 0, -5, 10**9])
def test_a_row_put_at_an_end_with_a_forged_link(place, rows):
    insert(700000001)
    at = head().place + 1 if place == "end" else place
    tamper("INSERT INTO people_loglink VALUES (700000001, %(place)s, %(hash)s)", place=at, hash=b"\1" * 32)
    wrong = found()
    assert wrong.get(700000001) in ("changed", "inserted") or place == 10**9
    assert wrong, "a link far behind the end leaves a gap"


def test_a_link_without_a_place_is_of_a_row_outside(rows):
    tamper("UPDATE people_loglink SET place = NULL WHERE entry = %(id)s", id=rows[-1])
    assert found() == {rows[-1]: "inserted"}


@pytest.mark.parametrize("pair", [(3, 4), (2, 6)])
def test_two_places_swapped(pair, rows):
    one, other = (rows[number] for number in pair)
    places = place_of(one), place_of(other)
    tamper("UPDATE people_loglink SET place = -1 WHERE entry = %(id)s", id=one)
    tamper("UPDATE people_loglink SET place = %(place)s WHERE entry = %(id)s", place=places[0], id=other)
    tamper("UPDATE people_loglink SET place = %(place)s WHERE entry = %(id)s", place=places[1], id=one)
    wrong = found()
    assert wrong and set(wrong.values()) == {"reordered"} and set(wrong) <= {one, other} and other in wrong


@pytest.mark.parametrize("pair", [(3, 4), (2, 6)])
def test_two_numbers_swapped(pair, rows):
    one, other = (rows[number] for number in pair)
    for before, after in ((one, -1), (other, one), (-1, other)):
        tamper("UPDATE people_logentry SET id = %(after)s WHERE id = %(before)s", before=before, after=after)
    assert found() == {one: "changed", other: "changed"}


@pytest.mark.parametrize("pair", [(3, 4), (2, 6)])
def test_two_links_swapped(pair, rows):
    one, other = (rows[number] for number in pair)
    for before, after in ((one, -1), (other, one), (-1, other)):
        tamper("UPDATE people_loglink SET entry = %(after)s WHERE entry = %(before)s", before=before, after=after)
    assert found() == {one: "reordered", other: "reordered"}


def test_a_row_moved_to_the_end(rows):
    end = head().place
    tamper("UPDATE people_loglink SET place = %(place)s WHERE entry = %(id)s", place=end + 1, id=rows[2])
    wrong = found()
    assert wrong[rows[2]] == "reordered" and set(wrong.values()) == {"reordered", "removed"}


# -- what only the head shows ------------------------------------------------------------------------------------------


def cut(rows: list[int], count: int) -> None:
    gone = rows[-count:]
    tamper(
        "DELETE FROM people_logentry WHERE id = ANY(%(ids)s)",
        "DELETE FROM people_loglink WHERE entry = ANY(%(ids)s)",
        ids=gone,
    )


def test_a_cut_tail_is_found_with_the_head_alone(rows, capsys):
    said = head()
    cut(rows, 3)
    assert found() == {} and found(said) == {said.place: "cut"}
    with pytest.raises(CommandError):
        call_command("verify_log", head=[str(said)])
    assert f"cut: the head of {said.day} is at place {said.place}" in capsys.readouterr().out


def test_a_cut_tail_that_grew_again_is_found_too(rows, cast):
    said = head()
    cut(rows, 3)
    for _turn in range(5):
        log("case.read", by=cast.manager)
    connection.check_constraints()
    assert found() == {} and found(said) == {said.place: "rewritten"}


def test_a_rewritten_chain_is_found_with_the_head_alone(rows):
    said = head()
    tamper("UPDATE people_logentry SET role = 'keeper' WHERE id = %(id)s", id=rows[4])
    rewrite(place_of(rows[4]))
    assert found() == {} and found(said) == {said.place: "rewritten"}


def test_of_many_heads_those_before_the_fault_agree(rows, cast):
    early = chain.Head("2026-11-20", place_of(rows[2]), bytes(LogLink.objects.get(entry=rows[2]).hash).hex())
    late = head()
    tamper("UPDATE people_logentry SET role = 'keeper' WHERE id = %(id)s", id=rows[4])
    rewrite(place_of(rows[4]))
    assert found(early, late) == {late.place: "rewritten"}


def test_a_log_that_went_on_agrees_with_an_old_head(rows, cast, tmp_path, capsys):
    capsys.readouterr()
    call_command("log_head")
    line = capsys.readouterr().out
    assert read_heads([line]) == [head()]
    log("case.read", by=cast.manager)
    connection.check_constraints()
    kept = tmp_path / "heads"
    kept.write_text(f"Subject: Helpline log\n\n> {line}")
    call_command("verify_log", head=[str(kept), line.strip()])
    assert "2 published heads agree" in capsys.readouterr().out


@pytest.mark.parametrize("given", ["nothing", "2026-11-22 12", "2026-11-22 12 abc", "/nowhere/at/all", "\0"])
def test_what_is_no_head_is_said(given, db):
    with pytest.raises(CommandError) as told:
        call_command("verify_log", head=[given])
    assert told.value.returncode == 2


def test_nothing_logged_yet(db, capsys):
    tamper_all = "SELECT 1"
    tamper(tamper_all)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE people_logentry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE people_loglink DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM people_logentry")
        cursor.execute("DELETE FROM people_loglink")
    assert head() is None and verify() == (0, [])
    call_command("log_head")
    assert "Nothing is logged yet." in capsys.readouterr().out


# -- published outside -------------------------------------------------------------------------------------------------


def test_the_head_is_published_once_a_day(rows, settings, tmp_path):
    settings.LOG_HEAD_TO, settings.LOG_HEAD_FILE = ["kept@example.com"], str(tmp_path / "heads")
    said = head()
    call_command("sweep")
    call_command("sweep")
    [message] = [one for one in mail.outbox if one.to == ["kept@example.com"]]
    assert message.body.split()[0] == said.day and (tmp_path / "heads").read_text().splitlines() == [
        message.body.strip()
    ]
    row = LogEntry.objects.get(event="log.head_published")
    assert row.user is None and row.row == said.day
    connection.check_constraints()
    assert found(*read_heads(message.body.splitlines())) == {}
    with clock.at(clock.now() + dt.timedelta(days=1)):
        assert publish_head() and not publish_head()
    assert len((tmp_path / "heads").read_text().splitlines()) == 2


def test_a_mail_that_did_not_go_out_is_tried_again(rows, settings, monkeypatch, tmp_path):
    def down(_self):
        raise OSError("the server is down")

    settings.LOG_HEAD_TO, settings.LOG_HEAD_FILE = ["kept@example.com"], str(tmp_path / "heads")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="down"):
        patch.setattr("django.core.mail.EmailMessage.send", down)
        publish_head()
    assert not (tmp_path / "heads").exists() and not LogEntry.objects.filter(event="log.head_published").exists()
    assert publish_head() and len(mail.outbox) == 1


def test_where_nothing_is_set_nothing_is_published(rows, settings):
    settings.LOG_HEAD_TO, settings.LOG_HEAD_FILE = [], ""
    assert not publish_head()
    assert mail.outbox == [] and not LogEntry.objects.filter(event="log.head_published").exists()


def test_an_empty_log_where_there_are_people_is_not_whole(cast, monkeypatch):
    monkeypatch.setattr("helpline.management.commands.verify_log.verify", lambda heads: (0, []))
    with pytest.raises(CommandError, match="empty"):
        call_command("verify_log")
    monkeypatch.setattr("helpline.management.commands.verify_log.User.objects.exists", lambda: False)
    call_command("verify_log")
