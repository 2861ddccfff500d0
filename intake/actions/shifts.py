"""A shift is handed over: the steps stay the giver's until the receiver says yes."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.absences import colleagues, on_duty
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Notice, User
from helpline.people.notices import notify
from helpline.people.workdays import add_working_days, local
from intake.actions.timeline import lock, record
from intake.models import Case, FollowUp, ShiftHandover
from intake.models.steps import FollowUpQuerySet
from intake.whose import may_hold

A_DAY = dt.timedelta(days=1)


def last_day() -> dt.date:
    """The next working day: what is due before its end needs somebody now."""
    return add_working_days(clock.today(), 1)


def waiting_shifts() -> QuerySet[ShiftHandover]:
    """Handed over, and neither taken nor withdrawn."""
    return ShiftHandover.objects.filter(acknowledged_at__isnull=True, withdrawn_at__isnull=True)


def steps_to_give(user: User) -> FollowUpQuerySet:
    """Own steps that need somebody until the end of the next working day, without those that wait for a colleague."""
    until = local(last_day() + A_DAY, dt.time())
    given = waiting_shifts().filter(given_by=user).values("steps")
    return FollowUp.objects.planned().filter(owner=user, due_at__lt=until).exclude(pk__in=given)


def steps_of(shift: ShiftHandover) -> FollowUpQuerySet:
    """What is left of a handover: steps that were done, moved or given to another meanwhile have fallen out."""
    return FollowUp.objects.planned().filter(pk__in=shift.steps.values("pk"), owner=shift.given_by_id)


def with_left(shifts: QuerySet[ShiftHandover]) -> QuerySet[Any]:
    """Each with how many steps are `left` of it, counted as `steps_of` does; one query, however many they are."""
    mine = Q(steps__state=FollowUp.State.PLANNED, steps__owner=F("given_by"))
    return shifts.annotate(left=Count("steps", filter=mine))


def give_shift(*, by: User, to: User, steps: Iterable[uuid.UUID]) -> ShiftHandover:
    """Hand steps to a colleague who is there. Nothing changes hands before that one says yes. Raises Refused."""
    with transaction.atomic():
        held = (
            User.objects.select_for_update().filter(pk__in=[by.pk, to.pk]).order_by("pk")
        )  # pressed twice, given once
        to = {user.pk: user for user in held}[to.pk]
        if not colleagues(by).filter(pk=to.pk).exists() or not on_duty(to, clock.today()):
            raise Refused(_("Choose a colleague of the same unit who is there today."), at="to")
        wanted = set(steps)
        chosen = list(steps_to_give(by).filter(pk__in=wanted))
        if not chosen or len(chosen) < len(wanted):
            raise Refused(_("The list has changed meanwhile. Look through it again."), at="steps")
        _refuse_who_may_not(to, chosen)
        assert by.unit is not None  # a colleague of the unit is chosen
        shift = ShiftHandover.objects.create(unit=by.unit, given_by=by, given_to=to, at=clock.now())
        shift.steps.set(chosen)
        notify(user=to, kind="shift.given", source=f"shift.given:{shift.pk}", about=str(shift.pk))
        cases = sorted({str(step.case_id) for step in chosen})
        log("shift.given", by=by, row=shift.pk, to=to.pk, steps=len(chosen), cases=cases)
    return shift


def take_shift(*, by: User, shift: ShiftHandover) -> int:
    """Say yes: what is left of the steps becomes one's own, all at once. Returns how many. Raises TooLate where it is
    withdrawn, or taken already: then nothing happens again."""
    with transaction.atomic():
        if not waiting_shifts().filter(pk=shift.pk, given_to=by).update(acknowledged_at=clock.now()):
            raise TooLate(_ended(shift))
        left = list(steps_of(shift).order_by("case", "due_at", "id").values_list("pk", "case"))
        cases = {pk: lock(Case(pk=pk)) for pk in dict.fromkeys(case for _step, case in left)}
        by = User.objects.select_for_update().get(pk=by.pk)  # nobody is switched off while steps come
        if not by.is_in_use:
            raise TooLate(_("This account is switched off. Nothing was taken over."))
        taken = sum(_take(by, shift, step, cases[case]) for step, case in left)
        notify(user=shift.given_by, kind="shift.taken", source=f"shift.taken:{shift.pk}", about=str(shift.pk))
        log("shift.taken", by=by, row=shift.pk, giver=shift.given_by_id, steps=taken)
    return taken


def withdraw_shift(*, by: User, shift: ShiftHandover) -> None:
    """Take back what the colleague has not said yes to. Raises TooLate where it is taken, or withdrawn already."""
    with transaction.atomic():
        if not waiting_shifts().filter(pk=shift.pk, given_by=by).update(withdrawn_at=clock.now()):
            raise TooLate(_ended(shift))
        Notice.objects.filter(source=f"shift.given:{shift.pk}", seen_at__isnull=True).update(seen_at=clock.now())
        log("shift.withdrawn", by=by, row=shift.pk, to=shift.given_to_id)


def _refuse_who_may_not(to: User, steps: Iterable[FollowUp]) -> None:
    """Nobody is handed what they are locked out of, or a protected case that they are not named for. Raises Refused."""
    cases = Case.objects.filter(pk__in={step.case_id for step in steps}).order_by("code")
    for case in cases:
        if not may_hold(case, to):
            words = {"name": to, "case": case}
            raise Refused(
                _("%(name)s may not have %(case)s. Untick it, or choose another colleague.") % words, at="steps"
            )


def _take(by: User, shift: ShiftHandover, pk: uuid.UUID, case: Case) -> bool:
    """One step, by a conditional update under the lock of its case, with its line in the timeline."""
    if case.unit_id != by.unit_id or not may_hold(case, by):
        return False
    if not steps_of(shift).filter(pk=pk).update(owner=by):
        return False
    step = FollowUp.objects.select_related("case__key").get(pk=pk)
    codes = {**step.codes, "step": step.kind, "giver": str(shift.given_by)}
    record("shift.taken", by=by, case=case, row=step.pk, **codes)
    return True


def _ended(shift: ShiftHandover) -> str:
    """Who was first."""
    now = ShiftHandover.objects.select_related("given_by", "given_to").get(pk=shift.pk)
    if now.acknowledged_at:
        return _("%(name)s has already taken over.") % {"name": now.given_to}
    return _("%(name)s has already taken the handover back.") % {"name": now.given_by}
