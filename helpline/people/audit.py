"""The log: one row for every reading, change and refusal, written in the transaction of what it tells of; a refusal stands
outside it. What cannot be logged is neither shown nor done."""

import contextlib
import contextvars
import uuid
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError

from helpline.people.models import LogEntry, User

# From where the request in hand comes, set by middleware.SourceMiddleware; None outside a request of a colleague.
SOURCE: contextvars.ContextVar[str | None] = contextvars.ContextVar("source", default=None)
# The refusals of the request in hand (refusals.RefusalsMiddleware); None outside a request.
REFUSED: contextvars.ContextVar[list[LogEntry] | None] = contextvars.ContextVar("refused", default=None)
# The rows of the act in hand, to be written when it ends (`together`); None where each is written by itself.
WAITING: contextvars.ContextVar[list[LogEntry] | None] = contextvars.ContextVar("waiting", default=None)

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
    waiting, refused = WAITING.get(), REFUSED.get()
    if event.endswith(".refused"):
        waiting = None  # a refusal waits for nothing
        if refused is not None:
            refused.append(entry)
    if waiting is None:
        write(entry)
    else:
        waiting.append(entry)
    return entry


def write(*entries: LogEntry) -> None:
    """Store rows, in their order. Raises NotLogged."""
    try:
        if len(entries) == 1:
            entries[0].save(force_insert=True)  # outside a transaction it makes none of its own
        else:
            LogEntry.objects.bulk_create(entries)
    except DatabaseError as error:
        raise NotLogged(type(error).__name__) from error


@contextlib.contextmanager
def together() -> Iterator[None]:
    """The rows of one act, written by one statement at its end; within its transaction. Left by an exception it writes none,
    as that transaction does. Raises NotLogged."""
    if WAITING.get() is not None:  # of an act that this one is part of
        yield
        return
    waiting: list[LogEntry] = []
    token = WAITING.set(waiting)
    try:
        yield
    finally:
        WAITING.reset(token)
    write(*waiting)
