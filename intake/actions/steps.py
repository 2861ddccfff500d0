"""Steps: planned, done, moved. An open case is never without one."""

import datetime as dt
import uuid
from collections.abc import Callable, Collection
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.notices import notify
from helpline.people.workdays import add_working_days, at_work, is_working_day, local, next_working_morning
from intake.actions.deputies import whose
from intake.actions.timeline import just_written, lock, record
from intake.labels import KEEPERS
from intake.models import Call, Case, FollowUp, Reminder
from intake.triage import ACUTE
from intake.whose import may_hold

LONGEST_PROMISE = dt.timedelta(days=366)
KEEPER_LOOKS = dt.timedelta(minutes=30)  # after its time, what another floor keeps is looked after there
KEEPER_FIRST = dt.timedelta(minutes=15)  # and its owner hears of it this much later, where nobody did
# kind -> (by, step): what an upper floor writes down when one of its steps is done by hand; each adds its own at start.
DONE: dict[str, Callable[[User, FollowUp], None]] = {}
# How soon the first step is to be taken, by urgency: working days, then the time of day; none: within the hour.
FIRST_STEP: dict[str, tuple[int, dt.time] | None] = {
    "AKUT": None,
    "BRADSKANDE": (0, dt.time(16)),
    "SKYNDSAM": (3, dt.time(16)),
    "NORMAL": (10, dt.time(16)),
}


def first_step_due(urgency: str, moment: dt.datetime) -> dt.datetime:
    """When the first step is due at the latest. Urgent means the same day, also on a Sunday evening."""
    rule = FIRST_STEP[urgency]
    in_an_hour = moment + dt.timedelta(hours=1)
    if rule is None:
        return in_an_hour
    days, at = rule
    if days == 0:
        return max(local(clock.local_date(moment), at), in_an_hour)
    return local(add_working_days(clock.local_date(moment), days), at)


def first_step_of(call: Call, urgency: str) -> dt.datetime:
    """When the step after a call is due at the latest: from now; of a call that is entered afterwards from when it took
    place, unless that has passed."""
    if call.entered_late:
        from_the_call = first_step_due(urgency, call.received_at)
        if from_the_call > clock.now():
            return from_the_call
    return first_step_due(urgency, clock.now())


def plan_step(
    *,
    by: User | None,
    case: Case,
    due_at: dt.datetime,
    kind: str = "own",
    what: str = "",
    owner: User | None = None,
    kept_by: str = "",
    about: str = "",
    others_turn: bool = False,
    quiet: bool = False,
    **codes: Any,
) -> FollowUp:
    """Promise a step of an open case. Raises Refused on a closed case or without words for a step of one's own."""
    _check_time(due_at)
    with transaction.atomic():
        case = lock(case)
        if not case.is_open:
            raise Refused(_("The case is closed; no step can be planned in it."))
        if kind == "own" and not what.strip():
            raise Refused(_("Say what is to be done."))
        step = FollowUp(
            case=case,
            owner=owner if owner and may_hold(case, owner) else _owner_of(case),
            kind=kind,
            what=what.strip(),
            codes=codes,
            due_at=due_at,
            kept_by=kept_by,
            about=about,
            others_turn=others_turn,
            planned_at=clock.now(),
        )
        _promise(step)
        set_next_due(case)
        if not quiet:
            record("step.planned", by=by, case=case, text=step.what, row=step.pk, step=kind, **codes)
    return step


def plan_first(*, by: User, case: Case, what: str, due_at: dt.datetime) -> FollowUp:
    """The first step of a case that this transaction has opened, and that is due then: nobody else knows of it yet, so that
    there is nothing to hold and nothing to read again. Raises Refused."""
    _check_time(due_at)
    kind = "first_step"
    step = FollowUp(
        case=case, owner=_owner_of(case), kind=kind, what=what.strip(), due_at=due_at, planned_at=clock.now()
    )
    _promise(step)
    record("step.planned", by=by, case=case, text=step.what, row=step.pk, step=kind)
    return step


def _check_time(due_at: dt.datetime) -> None:
    if due_at > clock.now() + LONGEST_PROMISE:
        raise Refused(_("Choose a time within a year."))


def _promise(step: FollowUp) -> None:
    step.save(force_insert=True)
    _schedule(step)


def plan_once(*, by: User, case: Case, what: str, due_at: dt.datetime) -> FollowUp:
    """Promise a step in one's own words; pressed twice, it is planned once. Raises Refused as `plan_step` does."""
    with transaction.atomic():
        case = lock(case)
        return _same_of(by, case, what.strip(), due_at) or plan_step(by=by, case=case, what=what, due_at=due_at)


def plan_for_owner(*, by: User, case: Case, what: str, due_at: dt.datetime) -> FollowUp:
    """The same in a colleague's case. Its owner is told at once."""
    with transaction.atomic():
        step = plan_once(by=by, case=case, what=what, due_at=due_at)
        if step.owner_id != by.pk:
            source = f"step.planned:{step.pk}"
            notify(user=step.owner, kind="step.planned", source=source, case=case.pk, about=str(step.pk))
    return step


def _same_of(by: User, case: Case, what: str, due_at: dt.datetime) -> FollowUp | None:
    """The step of these words and this time that this person has planned just now, and that still waits."""
    if not any(event.text == what for event in just_written(by, case, "step.planned")):
        return None
    steps = case.steps.planned().select_related("case__key", "owner").filter(due_at=due_at, kind="own")
    return next((step for step in steps if step.what == what), None)


def _owner_of(case: Case) -> User:
    assert case.owner is not None  # the constraint open_case_has_owner says so
    return case.owner


def finish_step(
    *,
    by: User,
    step: FollowUp,
    outcome: str = "",
    next_what: str = "",
    next_due: dt.datetime | None = None,
    close: str = "",
    done_by_act: bool = False,
) -> None:
    """Do a step. The last one demands the next, or a reason to close the case; one of labels.NEEDS_WORDS demands words,
    unless an act of the floor that planned it has done what it was for. Raises Refused or TooLate."""
    from intake.actions.cases import close_case

    with transaction.atomic():
        case = lock(step.case)
        _refuse_kept(step)
        if step.needs_words and not outcome.strip() and not done_by_act:
            raise Refused(step.needs_words, at="outcome")
        _end(step, by=by, state=FollowUp.State.DONE, outcome=outcome)
        if step.kind in DONE:
            DONE[step.kind](by, step)
        record("step.done", by=by, case=case, text=outcome, row=step.pk, step=step.kind, **step.codes)
        if next_due is not None:
            owner = whose(case, step.owner, next_due)
            plan_step(by=by, case=case, what=next_what, due_at=next_due, owner=owner)
        set_next_due(case)
        if close:
            close_case(by=by, case=case, reason=close)
        elif not case.steps.planned().exists():
            raise Refused(_("This is the last step. Plan the next one, or close the case."))


def move_step(*, by: User, step: FollowUp, due_at: dt.datetime, why: str = "") -> FollowUp:
    """Move a step to another time. Its reminders begin anew. Raises Refused or TooLate."""
    if due_at <= clock.now():
        raise Refused(_("Choose a time that is still to come."))
    with transaction.atomic():
        case = lock(step.case)
        _refuse_kept(step)
        _end(step, by=by, state=FollowUp.State.MOVED, outcome=why)
        same: dict[str, Any] = {
            "kind": step.kind,
            "what": step.what,
            "about": step.about,
            "others_turn": step.others_turn,
        }
        moved = plan_step(by=by, case=case, owner=step.owner, due_at=due_at, quiet=True, **same, **step.codes)
        record("step.moved", by=by, case=case, text=why, row=step.pk, step=step.kind, **step.codes)
    return moved


def _refuse_kept(step: FollowUp) -> None:
    """What keeps a step ends it: a handover, a time of the law. Raises Refused in the words of its keeper."""
    if step.kept_by:
        raise Refused(str(KEEPERS[step.kept_by]))


def end_kept_step(*, by: User | None, case: Case, kept_by: str, about: uuid.UUID | int) -> User | None:
    """End what a keeper planned about one of its rows. Only that keeper calls this; none planned is no fault. Returns in
    whose hands it was."""
    holder = None
    with transaction.atomic():
        case = lock(case)
        for step in case.steps.planned().select_related("owner").filter(kept_by=kept_by, about=str(about)):
            _end(step, by=by, state=FollowUp.State.DONE, outcome="")
            holder = step.owner
        set_next_due(case)
    return holder


def end_steps_about(*, by: User | None, case: Case, about: uuid.UUID | int, kinds: Collection[str]) -> None:
    """What these steps ask for is done, or needed no more: end those of one row that anybody may end. None is no fault; that
    another step waits is for who calls this to see to."""
    with transaction.atomic():
        case = lock(case)
        for step in case.steps.planned().filter(kept_by="", about=str(about), kind__in=kinds):
            _end(step, by=by, state=FollowUp.State.DONE, outcome="")
        set_next_due(case)


def set_next_due(case: Case) -> None:
    """Keep the case's own due time what its steps say; the database refuses a commit where it is not."""
    due = case.steps.planned().aggregate(due=Min("due_at"))["due"]
    Case.objects.filter(pk=case.pk).update(next_due_at=due)
    case.next_due_at = due


def _end(step: FollowUp, *, by: User | None, state: str, outcome: str) -> None:
    """Claim the step by a conditional update. Raises TooLate where somebody has ended it."""
    taken = FollowUp.objects.filter(pk=step.pk, state=FollowUp.State.PLANNED).update(
        state=state, ended_at=clock.now(), ended_by=by
    )
    if not taken:
        raise TooLate(_("Somebody has already ended this step."))
    if outcome.strip():
        step.outcome = outcome.strip()
        step.save(update_fields=["outcome"])
    step.reminders.filter(state=Reminder.State.SCHEDULED).update(state=Reminder.State.CANCELLED)


def _schedule(step: FollowUp) -> None:
    """The rungs of reminding. Nobody is woken at night for what can wait: the late rung is in the morning of a working
    day."""
    Reminder.objects.bulk_create(
        [
            Reminder(step=step, rung=Reminder.Rung.DUE, due_at=due_rung(step)),
            Reminder(step=step, rung=Reminder.Rung.LATE, due_at=late_rung(step.due_at)),
        ]
    )


def due_rung(step: FollowUp) -> dt.datetime:
    """When its owner hears of a step: when it is due. Of what others do and another floor keeps only where that floor did
    not look after it, and while we are at work; where life may be at stake by the clock."""
    if not (step.kept_by and step.others_turn):
        return step.due_at
    looked = step.due_at + KEEPER_LOOKS
    return (looked if step.case.urgency == ACUTE else at_work(looked)) + KEEPER_FIRST


def late_rung(due_at: dt.datetime) -> dt.datetime:
    """When the managers hear of a step that nobody did: 09.00 of the next working day."""
    day = clock.local_date(due_at)
    return next_working_morning(due_at, 1 if is_working_day(day) else 0)
