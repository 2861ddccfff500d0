"""The log: one row for every reading, change and refusal, written in the transaction of what it tells of."""

import uuid
from typing import Any

from helpline.people.models import LogEntry, User


def log(
    event: str,
    *,
    by: User | None,
    case: uuid.UUID | None = None,
    call: uuid.UUID | None = None,
    row: object = "",
    **codes: Any,
) -> LogEntry:
    """Write one row. `event` is noun.verb_past; `codes` are codes and numbers, never names or free text."""
    return LogEntry.objects.create(
        event=event, user=by, role=by.role if by else "", case=case, call=call, row=str(row), codes=codes
    )
