"""The log: one row for every reading, change and refusal, written in the transaction of what it tells of; a refusal stands
outside it. What cannot be logged is neither shown nor done."""

import contextvars
import uuid
from typing import Any

from django.db import DatabaseError

from helpline.people.models import LogEntry, User

# From where the request in hand comes, set by middleware.SourceMiddleware; None outside a request of a colleague.
SOURCE: contextvars.ContextVar[str | None] = contextvars.ContextVar("source", default=None)
# The refusals of the request in hand (refusals.RefusalsMiddleware); None outside a request.
REFUSED: contextvars.ContextVar[list[LogEntry] | None] = contextvars.ContextVar("refused", default=None)

ROW_LENGTH = 80  # LogEntry.row


class NotLogged(Exception):
    """The row could not be written: refusals.RefusalsMiddleware answers 503, and nothing is shown."""


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
    logged in no address is kept: a caller, or who came by a link, leaves none.

    A refusal (noun.refused) of a request stays also where the transaction is rolled back. Raises NotLogged."""
    entry = LogEntry(
        event=event,
        user=by,
        role=by.role if by else "",
        case=case,
        call=call,
        row=str(row)[:ROW_LENGTH],  # a number out of an address can be of any length, and is a refusal all the same
        why=why,
        source=SOURCE.get() if by else None,
        codes=codes,
    )
    write(entry)
    refused = REFUSED.get()
    if refused is not None and event.endswith(".refused"):
        refused.append(entry)
    return entry


def write(entry: LogEntry) -> None:
    """Store a row. Raises NotLogged."""
    try:
        entry.save(force_insert=True)
    except DatabaseError as error:
        raise NotLogged(type(error).__name__) from error
