"""The ledger of bounces: one function writes it, once a cause."""

import uuid
from typing import Any

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import User
from intake.labels import BOUNCES
from intake.models import Bounce, Call, Case


def record_bounce(
    *,
    cause: str,
    source: str,
    case: Case | None = None,
    call: Call | None = None,
    by: User | None = None,
    about: str = "",
    **codes: Any,
) -> bool:
    """Write that somebody was bounced. False where `source` is written already: then nothing happens."""
    if cause not in BOUNCES:
        raise KeyError(f"{cause} is not a cause of labels.BOUNCES")
    key = f"{cause}:{source}"
    row = Bounce(
        case=case, call=call, cause=cause, source=key, by=by, about=about, codes=codes, at=clock.now(), pk=uuid.uuid4()
    )
    Bounce.objects.bulk_create([row], ignore_conflicts=True)
    made = Bounce.objects.filter(pk=row.pk).exists()
    if made:
        plain = {"cause": cause}
        log(
            "bounce.recorded",
            by=by,
            case=case.pk if case else None,
            call=call.pk if call else None,
            row=row.pk,
            **plain,
        )
    return made
