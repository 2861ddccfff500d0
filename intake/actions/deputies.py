"""The due steps of somebody who is away go to who stands in; and whose a next step is when another had the one before."""

import datetime as dt
import logging
import uuid

from django.db import transaction

from helpline.people import clock
from helpline.people.absences import away_on, on_duty
from helpline.people.models import User
from helpline.people.notices import notify
from helpline.people.workdays import local
from intake.actions.timeline import record
from intake.models import Case, FollowUp
from intake.whose import may_hold, stand_in_of

A_DAY = dt.timedelta(days=1)
logger = logging.getLogger(__name__)


def pass_due_steps() -> int:
    """Give every step that is late or due today, and whose owner is away today, to who stands in; somebody whose access has
    ended is away. Returns how many.
    Harmless when run twice or at once: a case that another holds waits for the next look."""
    passed = 0
    until = local(clock.today() + A_DAY, dt.time())
    away_today = away_on(clock.today()).values("pk")
    due = FollowUp.objects.planned().filter(owner__in=away_today, due_at__lt=until)
    for case, owner in due.order_by("case", "owner").values_list("case", "owner").distinct():
        try:
            with transaction.atomic():
                passed += _pass(case, owner, until)
        except Exception as error:  # one case that cannot be passed on keeps no other waiting
            logger.error("due steps could not be passed on: %s", type(error).__name__)
    return passed


def _pass(case_id: uuid.UUID, owner_id: int, until: dt.datetime) -> int:
    """The due steps of one person in one case. Where nobody is there, or of a protected case nobody who is named for it, they
    stay: reminders find the managers."""
    held = (
        Case.objects.select_for_update(skip_locked=True, of=("self", "key"))
        .select_related("key", "owner")
        .filter(pk=case_id)
    )
    case = held.first()
    if case is None:
        return 0
    to = stand_in_of(case, User.objects.get(pk=owner_id), clock.today())
    to = User.objects.select_for_update().get(pk=to.pk)  # nobody is switched off while a step comes
    if to.pk == owner_id or to.unit_id != case.unit_id or not (on_duty(to, clock.today()) and may_hold(case, to)):
        return 0
    steps = case.steps.planned().select_related("case__key").filter(owner=owner_id, due_at__lt=until)
    return sum(_give(case, step, to) for step in steps.in_order())


def _give(case: Case, step: FollowUp, to: User) -> bool:
    """One step, by a conditional update, with its line, its row and a notice."""
    mine = FollowUp.objects.planned().filter(pk=step.pk, owner=step.owner_id)
    if not mine.update(owner=to):
        return False
    codes = {**step.codes, "step": step.kind, "to": str(to), "giver": str(step.owner), "owner": to.pk}
    event = record("step.passed", by=None, case=case, row=step.pk, **codes)
    notify(user=to, kind="step.passed", source=f"step.passed:{event.pk}", case=case.pk, about=str(step.pk))
    return True


def whose(case: Case, holder: User, due_at: dt.datetime) -> User:
    """Whose the next step is when `holder` had the one before: what is due today stays in the hands that have the case
    now; what comes later is the case's owner's again, who knows the person, unless away or switched off that day."""
    owner = case.owner
    assert owner is not None  # the constraint open_case_has_owner says so
    if holder.pk == owner.pk or not holder.is_in_use or holder.unit_id != case.unit_id:
        return owner
    if not may_hold(case, holder):
        return owner
    day = max(clock.local_date(due_at), clock.today())
    is_back = day > clock.today() and on_duty(owner, day)
    return owner if is_back else holder
