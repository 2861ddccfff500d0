"""How a person can be reached safely, as it is agreed anew: what stood there before is kept."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from helpline.people.models import User
from intake.actions.timeline import lock, record
from intake.models import Case


def change_safe_contact(*, by: User, case: Case, safe: Mapping[str, Any]) -> Case:
    """Change lines of what is agreed, by key of intake/safe.py. The old words stand in the timeline; what says nothing new
    leaves no line. Raises Refused for what the table does not have."""
    with transaction.atomic():
        case = lock(case)
        before, after = case.safe, case.safe.changed(safe)
        if after == before:
            return case
        case.safe_contact = after.write()
        case.save(update_fields=["safe_contact"])
        record("safe.changed", by=by, case=case, text=before.text, row=case.pk)
    return case
