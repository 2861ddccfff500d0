"""The ledger of bounces: each time the promise was not kept, with its cause. Written in the transaction of what caused it."""

import datetime as dt
import logging
import uuid
from typing import Any

from django.db import models, transaction
from django.db.models import Max
from django.db.models.functions import Cast

from helpline.people import clock
from helpline.people.access import STAFF
from helpline.people.audit import log
from helpline.people.models import User
from helpline.people.workdays import add_working_days, local
from intake.clocks import KEPT_BY as LAW
from intake.labels import BOUNCES, CONTACT, INSIDE
from intake.models import Bounce, Call, Case, Event, FollowUp

UNTOUCHED_AFTER = 3  # working days past a step's time
# What one of us does on a case that is not yet doing anything in it: to look, and to change who has it.
NO_TOUCH = {"case.opened_by_other", "case.reassigned", "case.linked", "case.unlinked", "shift.taken", "text.made"}
logger = logging.getLogger(__name__)


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
    """Write that somebody was bounced. False where `source` is written already: then nothing happens. `codes` are for its
    line; `whose` and `to` are the pks of who had it in hand and of whom it came to."""
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


# -- the caller calls again --------------------------------------------------------------------------------------------


def called_again(*, by: User, case: Case, call: Call) -> bool:
    """A call goes on in a case: a bounce where what the caller was promised had not come. To be asked before the call
    stands in the timeline. True where it is one."""
    step = broken_promise(case, call)
    if step is None:
        return False
    codes = {**step.codes, "step": step.kind, "whose": step.owner_id}
    cause, source = "called_again_unanswered", f"call:{call.pk}"
    return record_bounce(cause=cause, source=source, case=case, call=call, by=by, about=str(step.pk), **codes)


def broken_promise(case: Case, call: Call) -> FollowUp | None:
    """The first step whose time had passed when the caller called, and that had not come: not done (where a keeper ends it:
    not in time), and no contact since, nor a try. The law's times for a child and steps between us and an agency promise
    the caller nothing."""
    contacts = case.events.filter(kind__in=CONTACT).exclude(call=call)
    last = contacts.aggregate(last=Max("at"))["last"] or case.opened_at
    steps = case.steps.exclude(kept_by=LAW).exclude(kind__in=INSIDE).exclude(state=FollowUp.State.CANCELLED)
    late = steps.filter(due_at__lt=call.received_at).select_related("owner").in_order()
    return next((step for step in late if not _has_come(step, last)), None)


def _has_come(step: FollowUp, last: dt.datetime) -> bool:
    """Whether a step whose time has passed was kept, `last` being the latest contact with the caller. What is ours to do is
    kept by any contact since it was promised; what an agency promised only by one that came when its time was out."""
    done = step.state == FollowUp.State.DONE
    if step.kept_by and not step.is_calling:
        return (done and step.ended_at is not None and step.ended_at <= step.due_at) or last >= step.due_at
    return done or last > step.planned_at


# -- a step that nobody touches ----------------------------------------------------------------------------------------


def find_untouched_steps() -> int:
    """Write a bounce for each step that is three working days past its time and untouched: none of us has done anything in
    its case since. Once a step. Returns how many. Harmless when run twice or at once."""
    now = clock.now()
    known = Bounce.objects.filter(cause="step_untouched").values("about")
    late = FollowUp.objects.planned().filter(due_at__lt=now - dt.timedelta(days=UNTOUCHED_AFTER))
    late = late.annotate(key=Cast("pk", models.CharField(max_length=40)))
    found = 0
    for step in late.exclude(key__in=known).select_related("case").order_by("due_at", "pk"):
        if now < untouched_from(step.due_at):
            continue
        try:
            with transaction.atomic():
                found += _write_untouched(step)
        except Exception as error:  # one step that cannot be written keeps no other waiting
            logger.error("a step could not be written as untouched: %s", type(error).__name__)
    return found


def untouched_from(due_at: dt.datetime) -> dt.datetime:
    """From when a step with this time counts as left lying: the same time of day, three working days later."""
    day = add_working_days(clock.local_date(due_at), UNTOUCHED_AFTER)
    return local(day, clock.local_time(due_at).time())


def _write_untouched(step: FollowUp) -> bool:
    """Under the lock of its case, so that whoever does the step meanwhile was first."""
    held = Case.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=step.case_id).first()
    if held is None or not FollowUp.objects.planned().filter(pk=step.pk).exists() or is_touched(step):
        return False
    codes = {**step.codes, "step": step.kind, "whose": step.owner_id}
    return record_bounce(cause="step_untouched", source=f"step:{step.pk}", case=held, about=str(step.pk), **codes)


def is_touched(step: FollowUp) -> bool:
    """Whether one of us has done anything in the case since the step was due: called or tried, written, moved, handed over.
    To look at it, or to give it to another, is not that; nor is what an agency or the clock does."""
    since = Event.objects.filter(case=step.case_id, at__gt=step.due_at, by__role__in=STAFF)
    return since.exclude(kind__in=NO_TOUCH).exists()


# -- other hands -------------------------------------------------------------------------------------------------------


def changed_hands(*, by: User | None, case: Case, event: Event, before: User | None, to: User) -> bool:
    """A case has another owner, to whom nobody handed it over in words."""
    whose = before.pk if before else None
    return record_bounce(cause="changed_hands", source=f"event:{event.pk}", case=case, by=by, whose=whose, to=to.pk)
