"""One line of a case's timeline and one row of the log, always together."""

from typing import Any

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import User
from intake.models import Call, Case, Event, Note

NAMES = {"to", "agency", "giver", "suggested"}


def lock(case: Case) -> Case:
    """The case's row, held until the transaction ends: two acts on one case come one after the other. Its key is
    held too, so that nothing is written under one that is being destroyed."""
    return Case.objects.select_for_update(of=("self", "key")).select_related("key").get(pk=case.pk)


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
    return Event.objects.create(
        case=case, kind=kind, by=by, text=text, call=call, note=note, codes=codes, at=clock.now()
    )


def _plain(codes: dict[str, Any]) -> dict[str, Any]:
    """The log holds codes, never names: those that a timeline's line shows are left out of it."""
    return {key: value for key, value in codes.items() if key not in NAMES}
