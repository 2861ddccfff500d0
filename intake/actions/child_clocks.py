"""The clocks of a report of concern: started, stopped, given more time. Each that runs is a step that the case waits for."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.access import may
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake import clocks
from intake.actions.steps import LONGEST_PROMISE, end_kept_step, plan_step
from intake.actions.timeline import lock, record
from intake.models import ChildClock, ConcernReport


def start_clock(
    *, by: User, report: ConcernReport, kind: str, started_at: dt.datetime, at_once: bool = False
) -> ChildClock:
    """Start one clock, and plan its step on the case. To be called in the transaction of what starts it."""
    rule = clocks.CLOCKS[kind]
    days = clocks.days_of(rule, clock.local_date(started_at), at_once=at_once)
    made = ChildClock.objects.create(
        report=report, kind=kind, started_at=started_at, aim=days.aim, last_day=days.last_day
    )
    _plan(by, made, days)
    return made


def stop_clock(*, by: User, report: ConcernReport, kind: str) -> None:
    """End one clock and its step. Where it was the last step, what comes next is to be decided. Raises Refused or TooLate."""
    running = ChildClock.objects.filter(report=report, kind=kind)
    found = running.first()
    if found is None:
        raise Refused(_("No such time runs for this report."))
    if not running.filter(done_at__isnull=True).update(done_at=clock.now(), done_by=by):
        raise TooLate(_("Somebody has already done this."))
    end_kept_step(by=by, case=report.case, kept_by=clocks.KEPT_BY, about=found.pk)


def leave_a_step(*, by: User, report: ConcernReport) -> None:
    """An open case is never without a step: what comes after the last clock is decided the next working day."""
    if not report.case.steps.planned().exists():
        plan_step(by=by, case=report.case, kind="decide_next", due_at=clocks.decide_next_due(clock.now()))


def extend_clock(*, by: User, running: ChildClock, to: dt.date, why: str) -> ChildClock:
    """Give more time, for the reasons that the law names (SoL 20:2, 20:3): a manager's act. Raises Refused or TooLate."""
    if not may(by, "extend_child_clock"):
        raise Refused(_("Only the unit manager can give more time."))
    if not running.rule.extension:
        raise Refused(_("The law gives no more time for this."))
    if not why.strip():
        raise Refused(_("Say why more time is needed."), at="why")
    with transaction.atomic():
        case = lock(running.report.case)
        held = ChildClock.objects.select_for_update().get(pk=running.pk)
        if not held.runs:
            raise TooLate(_("Somebody has already done this."))
        if to <= held.last_day:
            raise Refused(_("Choose a day after the last day that holds now."), at="to")
        if to < clock.today():
            raise Refused(_("Choose today or a later day."), at="to")
        if to > clock.today() + LONGEST_PROMISE:
            raise Refused(_("Choose a day within a year."), at="to")
        days = clocks.moved_to(held.rule, to)
        held.aim, held.last_day, held.extended_at, held.extended_by = days.aim, days.last_day, clock.now(), by
        held.save(update_fields=["aim", "last_day", "extended_at", "extended_by"])
        holder = end_kept_step(by=by, case=case, kept_by=clocks.KEPT_BY, about=held.pk)
        _plan(by, held, days, holder)
        record(
            "child.clock_extended",
            by=by,
            case=case,
            text=why.strip(),
            row=held.pk,
            report=held.report_id,
            clock=held.kind,
            day=days.aim.isoformat(),
        )
    return held


def _plan(by: User, one: ChildClock, days: clocks.Days, owner: User | None = None) -> None:
    due = clocks.due_at(days, one.started_at)
    plan_step(
        by=by,
        case=one.report.case,
        kind=one.rule.step,
        due_at=due,
        kept_by=clocks.KEPT_BY,
        about=str(one.pk),
        owner=owner,
        quiet=True,
        report=one.report_id,
    )
