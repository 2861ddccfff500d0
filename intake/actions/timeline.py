"""One line of a case's timeline and one row of the log, always together."""

import contextlib
import contextvars
import datetime as dt
from collections.abc import Iterator
from typing import Any

from helpline.people import audit, clock
from helpline.people.audit import log
from helpline.people.models import User
from helpline.people.sealed import write_new
from intake.models import Call, Case, Event, Note

PRESSED_TWICE = dt.timedelta(minutes=10)  # the same words of the same person within it are those that there are
NAMES = {"to", "agency", "giver", "suggested"}
# The lines of the act in hand, to be written when it ends (`together`); None where each is written by itself.
_waiting: contextvars.ContextVar[list[Event] | None] = contextvars.ContextVar("waiting_lines", default=None)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """All that one act records, written by one statement for the timeline and one for the log at its end, within its
    transaction. Left by an exception it writes nothing, as that transaction does."""
    if _waiting.get() is not None:  # of an act that this one is part of
        yield
        return
    waiting: list[Event] = []
    token = _waiting.set(waiting)
    try:
        with audit.together():
            yield
    finally:
        _waiting.reset(token)
    write_new(waiting)


def lock(case: Case) -> Case:
    """The case's row, held until the transaction ends: two acts on one case come one after the other. Its key is
    held too, so that nothing is written under one that is being destroyed."""
    return Case.objects.select_for_update(of=("self", "key")).select_related("key").get(pk=case.pk)


def lock_call(call: Call) -> Call:
    """The call's row as it is now, held until the transaction ends. Joined is only what a call never changes: of a row that
    was waited for, the database joins what it referred to before."""
    return Call.objects.select_for_update(of=("self",)).select_related("key", "unit", "taken_by").get(pk=call.pk)


def just_written(by: User, case: Case, kind: str) -> list[Event]:
    """The last lines of this kind that this person has written in a case just now: a form that is pressed twice, or sent
    again after its answer was lost, is known by its words."""
    written = Event.objects.filter(case=case, kind=kind, by=by, at__gte=clock.now() - PRESSED_TWICE)
    return list(written.select_related("case__key", "note__case__key").order_by("-at", "-id")[:5])


def record(
    kind: str,
    *,
    by: User | None,
    case: Case,
    text: str = "",
    call: Call | None = None,
    note: Note | None = None,
    row: object = "",
    right: str = "",
    but_call: Call | None = None,
    **codes: Any,
) -> Event:
    """Write what happened to the timeline, and to the log without its words. `right`: under which right it was done, for the
    log alone; `but_call`: a call that the log names and the timeline does not, since its words are another's."""
    of = call or but_call
    log(kind, by=by, case=case.pk, call=of.pk if of else None, row=row, why=right, **_plain(codes))
    event = Event(case=case, kind=kind, by=by, text=text, call=call, note=note, codes=codes, at=clock.now())
    waiting = _waiting.get()
    if waiting is None:
        event.save(force_insert=True)
    else:
        waiting.append(event)
    return event


def _plain(codes: dict[str, Any]) -> dict[str, Any]:
    """The log holds codes, never names: those that a timeline's line shows are left out of it."""
    return {key: value for key, value in codes.items() if key not in NAMES}
