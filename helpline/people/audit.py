"""The log: one row for every reading, change and refusal, written in the transaction of what it tells of."""

import contextvars
import uuid
from typing import Any

from helpline.people.models import LogEntry, User

# From where the request in hand comes, set by middleware.SourceMiddleware; None outside a request of a colleague.
SOURCE: contextvars.ContextVar[str | None] = contextvars.ContextVar("source", default=None)


def log(
    event: str,
    *,
    by: User | None,
    case: uuid.UUID | None = None,
    call: uuid.UUID | None = None,
    row: object = "",
    why: str = "",
    **codes: Any,
) -> LogEntry:
    """Write one row. `event` is noun.verb_past; `why` the right under which something was opened; `codes` are codes and
    numbers, never names or free text. The database adds the row to the chain when the transaction commits. Where nobody is
    logged in no address is kept: a caller, or who came by a link, leaves none."""
    return LogEntry.objects.create(
        event=event,
        user=by,
        role=by.role if by else "",
        case=case,
        call=call,
        row=str(row),
        why=why,
        source=SOURCE.get() if by else None,
        codes=codes,
    )
