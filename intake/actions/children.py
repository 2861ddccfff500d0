"""A report of concern for a child starts the clocks of the law."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.people.workdays import statutory_last_day
from intake import triage
from intake.actions.timeline import lock, record
from intake.models import Case, ChildClock, ConcernReport

# Days after the day of arrival, which is day 0. 0: at once (genast, SoL 20:1), so on the day of arrival, whatever day it is.
# 14: the decision to open an inquiry or not (SoL 20:2); its last day moves by lag (1930:173) 2 §, the aim does not.
CLOCKS = {"immediate_protection_assessment": 0, "preliminary_assessment": 14}


def register_concern(
    *, by: User, case: Case, child_age_band: str, received_at: dt.datetime | None = None
) -> ConcernReport:
    """Register a report of concern and start its clocks. The age is the child's own. Raises Refused for an unknown code."""
    if child_age_band not in triage.codes("age_bands"):
        raise Refused(_("Choose about how old the child is."))
    with transaction.atomic():
        case = lock(case)
        if not case.is_open:
            raise Refused(_("The case is closed."))
        received_at = received_at or clock.now()
        report = ConcernReport.objects.create(
            case=case, received_at=received_at, child_age_band=child_age_band, registered_by=by
        )
        arrived = clock.local_date(received_at)
        for kind, days in CLOCKS.items():
            aim = arrived + dt.timedelta(days=days)
            ChildClock.objects.create(
                report=report, kind=kind, aim=aim, last_day=statutory_last_day(aim) if days else aim
            )
        record("concern.registered", by=by, case=case, row=report.pk, age=child_age_band)
    return report
