"""The bare SQL of the same work: what one would write by hand who wanted the rows of a page and nothing else, or the rows that a
post leaves behind. Without log-in; through the driver, as the application's role, with every trigger."""

import json
import time

from django.db.models import AutoField, BinaryField, Model
from psycopg2.extensions import cursor as Cursor

from helpline.bench.desk import Desk
from helpline.bench.rows import moment
from helpline.bench.sealing import new_id

PAGE = 26
SEALED = b"\x00" * 160  # as many bytes as a short text takes when it is sealed
STEPS = """
    SELECT f.id, f.kind, f.what, f.due_at, f.codes, c.code, c.urgency, k.wrapped FROM intake_followup f
    JOIN intake_case c ON c.id = f.case_id JOIN people_datakey k ON k.id = c.key_id
    WHERE f.owner_id = %s AND f.state = 'planned' ORDER BY f.due_at, f.id LIMIT 50"""
CASES = """
    SELECT c.id, c.code, c.urgency, c.next_due_at, c.caller_type, c.track, u.first_name, u.last_name, m.name,
           f.kind, f.what, f.due_at, k.wrapped
    FROM (SELECT * FROM intake_case WHERE owner_id = %s AND closed_at IS NULL ORDER BY next_due_at, id LIMIT 26) c
    JOIN people_user u ON u.id = c.owner_id JOIN people_datakey k ON k.id = c.key_id
    LEFT JOIN people_municipality m ON m.code = c.municipality_id
    LEFT JOIN LATERAL (SELECT kind, what, due_at FROM intake_followup
                       WHERE case_id = c.id AND state = 'planned' ORDER BY due_at, id LIMIT 1) f ON true
    ORDER BY c.next_due_at, c.id"""
CASE = [
    """SELECT c.*, k.wrapped, u.first_name, u.last_name FROM intake_case c JOIN people_datakey k ON k.id = c.key_id
       LEFT JOIN people_user u ON u.id = c.owner_id WHERE c.code = %(code)s""",
    "SELECT * FROM intake_followup WHERE case_id = %(case)s AND state = 'planned' ORDER BY due_at, id",
    "SELECT * FROM intake_person WHERE case_id = %(case)s AND unlisted_at IS NULL",
    """SELECT e.*, n.*, a.*, u.first_name, u.last_name
       FROM (SELECT * FROM intake_event WHERE case_id = %(case)s ORDER BY at DESC, id DESC LIMIT 26) e
       LEFT JOIN intake_note n ON n.id = e.note_id LEFT JOIN people_user u ON u.id = e.by_id
       LEFT JOIN LATERAL (SELECT array_agg(x.value) FROM intake_answer x WHERE x.call_id = e.call_id) a ON true
       ORDER BY e.at DESC, e.id DESC""",
]
CALL = [
    "SELECT c.*, k.wrapped FROM intake_call c JOIN people_datakey k ON k.id = c.key_id WHERE c.id = %(call)s",
    "SELECT * FROM intake_answer WHERE call_id = %(call)s",
    "SELECT * FROM intake_note WHERE call_id = %(call)s",
    "SELECT code, name FROM people_municipality ORDER BY name",
]
OVERVIEW = [
    """SELECT owner_id, urgency, caller_type, count(*) FROM intake_case
       WHERE unit_id = %(unit)s AND closed_at IS NULL GROUP BY 1, 2, 3""",
    """SELECT count(*) FILTER (WHERE f.due_at < now()), count(*) FROM intake_followup f
       JOIN intake_case c ON c.id = f.case_id
       WHERE f.state = 'planned' AND c.unit_id = %(unit)s AND c.closed_at IS NULL""",
    """SELECT r.state, count(*), count(*) FILTER (WHERE r.answer_due_at < now()) FROM intake_case c
       JOIN referrals_referral r ON r.case_id = c.id
       WHERE c.unit_id = %(unit)s AND c.closed_at IS NULL GROUP BY 1""",
    "SELECT id, first_name, last_name FROM people_user WHERE unit_id = %(unit)s AND is_active",
    """SELECT count(*) FROM intake_call WHERE unit_id = %(unit)s AND completed_at IS NULL AND voided_at IS NULL""",
]
REFERRALS = """
    SELECT r.id, r.need, r.state, r.answer_due_at, a.name, c.code, u.first_name, u.last_name
    FROM intake_case c JOIN referrals_referral r ON r.case_id = c.id
    JOIN referrals_partneragency a ON a.id = r.agency_id LEFT JOIN people_user u ON u.id = c.owner_id
    WHERE c.unit_id = %s AND c.closed_at IS NULL
      AND r.state IN ('sent', 'opened', 'question', 'accepted', 'contact_booked', 'on_hold', 'contact_made')
    ORDER BY r.answer_due_at, r.id LIMIT 26"""
INBOX = """
    SELECT r.id, r.need, r.state, r.answer_due_at, r.urgency, r.ask, k.wrapped
    FROM referrals_referral r JOIN intake_case c ON c.id = r.case_id JOIN people_datakey k ON k.id = c.key_id
    WHERE r.agency_id = %s AND c.closed_at IS NULL
      AND r.state IN ('sent', 'opened', 'question', 'accepted', 'contact_booked', 'on_hold', 'contact_made')
    ORDER BY r.answer_due_at, r.id"""
LOG = """INSERT INTO people_logentry (at, user_id, role, event, "case", call, "row", why, source, codes)
         VALUES (now(), %s, 'caseworker', %s, %s, %s, '', 'own', '10.1.1.1', '{}')"""
KEY = "INSERT INTO people_datakey (id, master, wrapped) VALUES (%s, '1', %s)"


def _rows(cursor: Cursor, ask: str, params: object) -> None:
    cursor.execute(ask, params)
    cursor.fetchall()


def steps(cursor: Cursor, desk: Desk) -> None:
    """My day: what is planned, with its cases."""
    _rows(cursor, STEPS, [desk.user])


def cases(cursor: Cursor, desk: Desk) -> None:
    """A page of one's cases, each with its first step."""
    _rows(cursor, CASES, [desk.user])


def case(cursor: Cursor, desk: Desk) -> None:
    """A case with steps, people and timeline; and the row of the log that says it was read."""
    pk, code, _slug = desk.next_case()
    for ask in CASE:
        _rows(cursor, ask, {"case": str(pk), "code": code})
    cursor.execute(LOG, [desk.user, "case.read", str(pk), None])


def call(cursor: Cursor, desk: Desk) -> None:
    """A call with what is written in it; and the row of the log."""
    for ask in CALL:
        _rows(cursor, ask, {"call": desk.call})
    cursor.execute(LOG, [desk.user, "call.read", None, desk.call])


def overview(cursor: Cursor, desk: Desk) -> None:
    """What the tiles count."""
    for ask in OVERVIEW:
        _rows(cursor, ask, {"unit": desk.unit})


def referrals(cursor: Cursor, desk: Desk) -> None:
    """A page of the unit's open handovers."""
    _rows(cursor, REFERRALS, [desk.unit])


def inbox(cursor: Cursor, desk: Desk) -> None:
    """All that is with the agency."""
    _rows(cursor, INBOX, [desk.agency])


def search(cursor: Cursor, desk: Desk) -> None:
    """A case by its number; and the row of the log."""
    pk, code, _slug = desk.next_case()
    _rows(cursor, "SELECT id FROM intake_case WHERE code = %s", [code])
    cursor.execute(LOG, [desk.user, "search.made", str(pk), None])


def _new_key(cursor: Cursor, desk: Desk) -> tuple[str, str]:
    now = time.time()
    pk, key = new_id(now, desk.dice), new_id(now, desk.dice)
    cursor.execute(KEY, [key, SEALED[:60]])
    return pk, key


def start(cursor: Cursor, desk: Desk) -> None:
    """A call with its key; and the row of the log."""
    from intake.models import Call

    pk, key = _new_key(cursor, desk)
    now = moment(time.time())
    given = {
        **{"id": pk, "key_id": key, "unit_id": desk.unit, "taken_by_id": desk.user, "question_set_id": 1},
        **{"received_at": now, "saved_at": now},
    }
    _insert(cursor, Call, given)
    cursor.execute(LOG, [desk.user, "call.started", None, pk])


def save(cursor: Cursor, desk: Desk) -> None:
    """The words of a note, the time of the save; the row of the log; and the call as its page shows it anew."""
    cursor.execute("SELECT id FROM intake_call WHERE id = %s FOR UPDATE", [desk.call])
    written = "UPDATE intake_note SET text = %s, at = now() WHERE call_id = %s AND kind = 'told' AND signed_at IS NULL"
    cursor.execute(written, [SEALED, desk.floor_call])
    cursor.execute("UPDATE intake_call SET saved_at = now() WHERE id = %s", [desk.call])
    cursor.execute(LOG, [desk.user, "call.saved", None, desk.call])
    for ask in CALL:
        _rows(cursor, ask, {"call": desk.call})


def complete(cursor: Cursor, desk: Desk) -> None:
    """What a completed call leaves: its case with two people, a step with two reminders, four lines of the timeline and as
    many rows of the log."""
    from intake.models import Case, Event, FollowUp, Person, Reminder

    pk, key = _new_key(cursor, desk)
    now, due = moment(time.time()), moment(time.time() + 86_400)
    facts = {"caller_type": "relative", "urgency": "NORMAL", "opened_at": now, "opened_by_id": desk.user}
    owned = {"unit_id": desk.unit, "owner_id": desk.user, "next_due_at": due, "code": f"bench-bench-{pk}"[:40]}
    _insert(cursor, Case, {"id": pk, "key_id": key, **facts, **owned})
    for part in ("caller", "concern"):
        _insert(cursor, Person, {"id": new_id(time.time(), desk.dice), "case_id": pk, "part": part})
    step = new_id(time.time(), desk.dice)
    promised = {"id": step, "case_id": pk, "owner_id": desk.user, "kind": "first_step", "what": SEALED}
    _insert(cursor, FollowUp, {**promised, "due_at": due, "planned_at": now})
    for rung in ("due", "late"):
        _insert(cursor, Reminder, {"step_id": step, "rung": rung, "due_at": due})
    for kind in ("call.completed", "urgency.confirmed", "case.opened", "step.planned"):
        event = {"id": new_id(time.time(), desk.dice), "case_id": pk, "at": now, "by_id": desk.user, "kind": kind}
        _insert(cursor, Event, event)
        cursor.execute(LOG, [desk.user, kind, pk, None])


def note(cursor: Cursor, desk: Desk) -> None:
    """A signed note, its line of the timeline, its row of the log."""
    from intake.models import Event, Note

    pk, written, now = desk.next_noted()[0], new_id(time.time(), desk.dice), moment(time.time())
    owned = {"case_id": str(pk), "at": now, "by_id": desk.user}
    _insert(cursor, Note, {"id": written, **owned, "kind": "seen", "text": SEALED, "signed_at": now})
    _insert(cursor, Event, {"id": new_id(time.time(), desk.dice), **owned, "kind": "note.signed", "note_id": written})
    cursor.execute(LOG, [desk.user, "note.signed", str(pk), None])


_inserts: dict[tuple[object, ...], tuple[str, list[object]]] = {}


def _insert(cursor: Cursor, model: type[Model], given: dict[str, object]) -> None:
    """One row; what is not given is as the model has it by default. The text is made once for each kind of row."""
    made = (model, *given)
    if made not in _inserts:
        _inserts[made] = _text(model, given)
    ask, constants = _inserts[made]
    cursor.execute(ask, [*given.values(), *constants])


def _text(model: type[Model], given: dict[str, object]) -> tuple[str, list[object]]:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    rest = [one for one in fields if one not in given and not isinstance(fields[one], AutoField)]
    constants: list[object] = []
    for name in rest:
        value = fields[name].get_default()
        binary = isinstance(fields[name], BinaryField)
        constants.append(b"" if binary else json.dumps(value) if isinstance(value, list | dict) else value)
    columns = [f'"{fields[name].column}"' for name in [*given, *rest]]
    table, marks = model._meta.db_table, ", ".join(["%s"] * len(columns))
    return f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({marks})', constants  # noqa: S608  of models alone
