"""Whether what came without triggers is as they would have let it in: every reference, every rule that a trigger keeps, the
chain of the log, and words that open. Check constraints and unique keys held while it came."""

from collections.abc import Iterator

import psycopg2
from django.db.models import Model
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from helpline.people.chain import verify
from helpline.people.sealed import SealedTextField
from intake.models import Answer, Call, Case, Event, FollowUp, Note, Person
from referrals.models import Referral

REFERENCES = """
    SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, b.attname FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.connamespace = 'public'::regnamespace
"""
# What the triggers refuse, asked of all rows at once: models/cases.py IN_HANDS, models/referrals.py REFUSE_DRIFT,
# models/children.py QUALIFIED; and what no trigger says, but COPY could get wrong.
RULES = {
    "an open case is in somebody's hands": """
        SELECT count(*) FROM intake_case c LEFT JOIN (
            SELECT case_id, min(due_at) AS due FROM intake_followup WHERE state = 'planned' GROUP BY case_id
        ) f ON f.case_id = c.id
        WHERE c.next_due_at IS DISTINCT FROM f.due OR (c.closed_at IS NULL) <> (c.next_due_at IS NOT NULL)
           OR (c.closed_at IS NULL AND c.owner_id IS NULL)""",
    "a referral is where its changes lead": """
        SELECT count(*) FROM referrals_referral r JOIN (
            SELECT r.id, count(*) FILTER (WHERE c.target = r.state) - count(*) FILTER (WHERE c.source = r.state) AS led
            FROM referrals_referral r LEFT JOIN referrals_statechange c ON c.referral_id = r.id GROUP BY r.id
        ) found ON found.id = r.id WHERE found.led <> CASE WHEN r.state = 'draft' THEN 0 ELSE 1 END""",
    "a clock for a child is ended by qualified staff": """
        SELECT count(*) FROM intake_childclock k JOIN people_user u ON u.id = k.done_by_id WHERE NOT u.is_qualified""",
    "each row of the log has its link": """
        SELECT count(*) FROM people_logentry e WHERE NOT EXISTS (
            SELECT 1 FROM people_loglink l WHERE l.entry = e.id AND l.place IS NOT NULL)""",
    "a case is handled by its own unit": """
        SELECT count(*) FROM intake_case c JOIN people_user u ON u.id = c.owner_id WHERE u.unit_id <> c.unit_id""",
}
SAMPLE = 200  # cases whose words are opened
SEALED: list[tuple[type[Model], str]] = [
    *((model, "call__case") for model in (Answer,)),
    *((model, "case") for model in (Call, Event, FollowUp, Person, Referral)),
]


def faults(dsn: str) -> list[str]:
    """What is wrong, as sentences; nothing where all is as it should be."""
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            found = list(of_rows(cursor))
    finally:
        connection.close()
    count, findings = verify()
    found += [f"the log: {one.kind} {one.row}" for one in findings[:5]]
    return found + ([] if count else ["the log is empty"]) + unopened()


def of_rows(cursor: Cursor) -> Iterator[str]:
    """What is wrong with references and with what triggers keep."""
    yield from _references(cursor)
    yield from _rules(cursor)


def _references(cursor: Cursor) -> Iterator[str]:
    cursor.execute(REFERENCES)
    for table, column, to, key in cursor.fetchall():
        ask = sql.SQL(
            "SELECT count(*) FROM {} c WHERE c.{} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.{} = c.{})"
        )
        names = (table, column, to, key, column)
        cursor.execute(ask.format(*(sql.Identifier(name) for name in names)))
        if missing := _one(cursor):
            yield f"{table}.{column}: {missing} rows refer to no row of {to}"


def _rules(cursor: Cursor) -> Iterator[str]:
    for rule, ask in RULES.items():
        cursor.execute(ask)
        if broken := _one(cursor):
            yield f"{rule}: not so in {broken} rows"


def _one(cursor: Cursor) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def unopened() -> list[str]:
    """Opens each sealed word of some cases through the ORM, as the pages do."""
    sample = list(Case.objects.order_by("id").values_list("pk", flat=True)[:SAMPLE])
    sample += list(Case.objects.order_by("-id").values_list("pk", flat=True)[:SAMPLE])
    opened, found = 0, []
    rows: list[Model] = list(Note.objects.filter(call__case__in=sample).select_related("call__key"))
    for model, way in SEALED:
        rows += model._default_manager.filter(**{f"{way}__in": sample})
    for row in rows:
        for field in row._meta.concrete_fields:
            if isinstance(field, SealedTextField):
                try:
                    opened += bool(getattr(row, field.attname))
                except Exception as error:  # noqa: BLE001  whatever the cipher says of it
                    found.append(f"{row._meta.label}.{field.name} of {row.pk} does not open: {type(error).__name__}")
    return found[:5] + ([] if opened else ["no word was found to open"])
