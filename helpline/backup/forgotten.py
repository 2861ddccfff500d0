"""What must stay forgotten whatever is restored: identities and numbers, never a name or a word.

Destroyed keys, disposals that were carried out with their cases and calls, accounts that are switched off; and who may not
come in, or not to a case: last days of accounts, log-ins that were reset, lock-outs; and the statistics that were told, so that
they are not told anew of less. A list is written with each backup, and
can be written at any time and kept elsewhere; several make one.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

List = dict[str, Any]
PARTS = ("keys", "disposals", "resets", "accounts", "last_days", "locks", "told")
# As it is now: the newest list alone knows, for it may have been taken back.
NOW = ("accounts", "last_days", "locks")
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
    "last_days": """
        SELECT json_build_object('id', id, 'until', access_until) FROM people_user WHERE access_until IS NOT NULL ORDER BY id
    """,
    # Of each account the last time that every way in was taken away: what was known before opens nothing any more.
    "resets": """
        SELECT json_build_object('id', "row", 'at', max(at)) FROM people_logentry WHERE event = 'second_factor.reset'
        GROUP BY "row" ORDER BY "row"
    """,
    # What was told of a quarter or a year is never told anew, and otherwise. Numbers alone, those that are not told with them:
    # the year is counted from them.
    "told": """
        SELECT json_build_object('id', period, 'counts', counts, 'told', told, 'at', at) FROM intake_toldperiod ORDER BY period
    """,
    # The owner too: who is locked out has nothing of the case in hand.
    "locks": """
        SELECT json_build_object('id', l.id, 'case', l.case_id, 'user', l.user_id, 'at', l.at, 'by', l.by_id,
            'until', l.until, 'owner', c.owner_id)
        FROM intake_lockedout l JOIN intake_case c ON c.id = l.case_id WHERE l.ended_at IS NULL ORDER BY l.id
    """,
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
    merged |= {part: {_identity(row): row for row in ordered[-1].get(part, [])} for part in NOW}
    return {"made_at": ordered[-1]["made_at"], **{part: list(rows.values()) for part, rows in merged.items()}}


def counted(one: List) -> str:
    """The list in one line."""
    items = sum(len(row["items"] or []) for row in one["disposals"])
    said = f"{len(one['keys'])} destroyed keys, {items} cases and calls removed, {len(one['accounts'])} accounts switched off"
    more = {
        "last_days": "last days of accounts",
        "resets": "log-ins reset",
        "locks": "lock-outs",
        "told": "periods told",
    }
    return ", ".join([said, *(f"{len(one.get(part, []))} {words}" for part, words in more.items())])


def _identity(row: dict[str, Any]) -> str:
    return f"{row['id']} {row.get('proposed_at', '')}{row.get('case', '')}"
