"""Reminders: rows with a due time are the queue; whoever looks claims the due ones and makes a notice of each."""

import logging

from django.db import transaction

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import User
from helpline.people.notices import notify
from intake.models import FollowUp, Reminder
from intake.whose import leaders_of, stand_ins_of

BATCH = 50
logger = logging.getLogger(__name__)


def fire_due_reminders() -> int:
    """Fire every due rung, in batches. Returns how many. Two at once never hold the same row; a crash is a rollback."""
    fired, failed = 0, set[int]()
    while True:
        with transaction.atomic():
            due = list(
                Reminder.objects.filter(state=Reminder.State.SCHEDULED, due_at__lte=clock.now())
                .exclude(pk__in=failed)
                .select_related("step__owner", "step__case")
                .order_by("due_at")
                .select_for_update(skip_locked=True, of=("self",))[:BATCH]
            )
            for reminder in due:
                try:
                    with transaction.atomic():
                        _fire(reminder)
                    fired += 1
                except Exception as error:  # one row that cannot fire keeps no other waiting
                    logger.error("a reminder could not fire: %s", type(error).__name__)
                    failed.add(reminder.pk)
        if len(due) < BATCH:
            return fired


def _fire(reminder: Reminder) -> None:
    step = reminder.step
    if step.state != FollowUp.State.PLANNED:
        reminder.state = Reminder.State.CANCELLED
    else:
        for person in _recipients(reminder):
            notify(
                user=person,
                kind=f"step.{reminder.rung}",
                source=f"reminder:{reminder.pk}:{person.pk}",
                case=step.case_id,
                about=str(step.pk),
            )
        reminder.state = Reminder.State.FIRED
        reminder.fired_at = clock.now()
        log("reminder.fired", by=None, case=step.case_id, row=step.pk, rung=reminder.rung)
    reminder.save(update_fields=["state", "fired_at"])


def _recipients(reminder: Reminder) -> list[User]:
    """The step's owner, or who stands in while the owner is away or switched off; for the late rung the managers who are
    there. Somebody always hears of it."""
    owner, today = reminder.step.owner, clock.today()
    case = reminder.step.case
    own = stand_ins_of(case, owner, today)
    if reminder.rung == Reminder.Rung.DUE:
        return own
    if case.is_practice:
        return own  # practice reaches nobody else
    return leaders_of(case, today) or own
