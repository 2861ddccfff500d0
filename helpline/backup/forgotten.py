"""What must stay forgotten whatever is restored: identities and numbers, never a name or a word.

Destroyed keys, disposals that were carried out with their cases and calls, and accounts that are switched off. A list is
written with each backup, and can be written at any time and kept elsewhere; several make one.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

List = dict[str, Any]
PARTS = ("keys", "disposals", "accounts")
# Each answers one JSON value for each row. A disposal counts where a case or call of it went.
QUESTIONS = {
    "keys": "SELECT json_build_object('id', id, 'at', destroyed_at) FROM people_datakey WHERE wrapped IS NULL ORDER BY id",
    "disposals": """
        SELECT json_build_object('id', d.id, 'proposed_at', d.proposed_at, 'proposed_by', d.proposed_by_id,
            'unit', d.unit_id, 'approved_at', d.approved_at, 'approved_by', d.approved_by_id, 'done_at', d.done_at,
            'items', (SELECT json_agg(json_build_object('case', i."case", 'call', i.call, 'number', i.number,
                'rule', i.rule, 'due_on', i.due_on, 'done_at', i.done_at) ORDER BY i.id)
                FROM people_disposalitem i WHERE i.disposal_id = d.id AND i.done_at IS NOT NULL))
        FROM people_disposal d
        WHERE EXISTS (SELECT 1 FROM people_disposalitem i WHERE i.disposal_id = d.id AND i.done_at IS NOT NULL)
        ORDER BY d.id
    """,
    "accounts": "SELECT json_build_object('id', id) FROM people_user WHERE NOT is_active ORDER BY id",
}


def read(cursor: Any, now: dt.datetime) -> List:
    """The list of a database, by a cursor on it."""
    cursor.execute("SET LOCAL TimeZone = 'UTC'; SET LOCAL search_path = public; SET LOCAL row_security = off")
    found: List = {"made_at": now.isoformat()}
    for part, question in QUESTIONS.items():
        cursor.execute(question)
        found[part] = [row for (row,) in cursor.fetchall()]
    return found


def together(lists: Iterable[List]) -> List:
    """One list of several; where two say the same, what the newer one says."""
    ordered = sorted(lists, key=lambda one: dt.datetime.fromisoformat(one["made_at"]))
    merged: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for one in ordered:
        for part in PARTS:
            merged[part] |= {_identity(row): row for row in one.get(part, [])}
    # Whether an account is switched off, the newest list alone knows: it may have been let in again.
    merged["accounts"] = {_identity(row): row for row in ordered[-1].get("accounts", [])}
    return {"made_at": ordered[-1]["made_at"], **{part: list(rows.values()) for part, rows in merged.items()}}


def counted(one: List) -> str:
    """The list in one line."""
    items = sum(len(row["items"] or []) for row in one["disposals"])
    return f"{len(one['keys'])} destroyed keys, {items} cases and calls removed, {len(one['accounts'])} accounts switched off"


def _identity(row: dict[str, Any]) -> str:
    return f"{row['id']} {row.get('proposed_at', '')}"
