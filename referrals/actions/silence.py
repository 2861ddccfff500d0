"""What nobody answers, and what should have come about by now: the rungs are climbed, missed contacts come back, what rests is
taken up, access ends. Rows with a time are the queue; whoever looks does what is due, once."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from helpline.people import clock
from helpline.people.absences import leaders
from helpline.people.notices import notify
from intake.actions import end_kept_step
from intake.actions.timeline import record
from referrals import deadlines
from referrals.actions import moves
from referrals.actions.go import go, hold, leave, ours, tell_agency, tell_one
from referrals.actions.ladders import begin_ladder
from referrals.models import Referral, SilenceRung
from referrals.states import OPEN, REFERRAL, SYSTEM, UNANSWERED

EVENTS = {"nudge": "nudged", "deputy": "deputy_told", "owner": "owner_told", "manager": "manager_told"}
logger = logging.getLogger(__name__)


def sweep() -> int:
    """Do all that is due. Returns how many things were done. Harmless when run twice or at once."""
    return sum(look() for look in (begin_missing, climb, rescue, miss_contacts, resume_held, end_access))


def begin_missing() -> int:
    """A handover that waits without a ladder (sent by an older version, or written past the application) gets one."""
    bare = Referral.objects.filter(state__in=UNANSWERED, rungs__isnull=True)
    return _each(bare, lambda held: held.state in UNANSWERED and not held.rungs.exists() and _begin(held))


def _begin(held: Referral) -> bool:
    begin_ladder(held)
    return True


def climb() -> int:
    """Climb every rung that is due, in the order of their times. Returns how many."""
    due = SilenceRung.objects.filter(state=SilenceRung.State.SCHEDULED, due_at__lte=clock.now())
    climbed = 0
    for pk in list(due.order_by("due_at", "pk").values_list("pk", flat=True)):
        climbed += _safely(lambda pk=pk: _climb(pk), "a rung could not be climbed")  # type: ignore[misc]
    return climbed


def _climb(pk: Any) -> bool:
    rung = SilenceRung.objects.select_related("referral").get(pk=pk)
    held = hold(rung.referral)  # whoever answered meanwhile was first
    waits = held.state in UNANSWERED
    state = SilenceRung.State.FIRED if waits else SilenceRung.State.CANCELLED
    claimed = SilenceRung.objects.filter(pk=pk, state=SilenceRung.State.SCHEDULED)
    if not claimed.update(state=state, fired_at=clock.now() if waits else None) or not waits:
        return False
    rung.referral = held
    CLIMB[rung.rung](held, f"rung:{rung.pk}")
    if rung.rung in EVENTS:
        codes: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id, "rung": rung.rung}
        record(f"referral.{EVENTS[rung.rung]}", by=None, case=held.case, row=held.pk, **codes)
    return True


def _nudge(held: Referral, source: str) -> None:
    tell_agency(held, "referral.nudge", source)


def _tell_deputy(held: Referral, source: str) -> None:
    """Who stands in at the agency; where nobody is named, everybody there once more."""
    agency = held.agency
    deputies = agency.members.filter(user__is_active=True, is_deputy=True).select_related("user")
    for member in deputies:
        notify(user=member.user, kind="referral.deputy", source=f"{source}:{member.user_id}", about=str(held.pk))
    if agency.deputy_mailbox:
        notify(address=agency.deputy_mailbox, kind="referral.deputy", source=f"{source}:mailbox", about=str(held.pk))
    if not deputies and not agency.deputy_mailbox:
        tell_agency(held, "referral.nudge", source)


def _tell_owner(held: Referral, source: str) -> None:
    """It is for us to call them now: a step of ours, until they answer."""
    manager = held.rungs.filter(rung="manager").order_by("-round").values_list("due_at", flat=True).first()
    holder = end_kept_step(by=None, case=held.case, kept_by=REFERRAL, about=held.pk)
    due = max(manager or clock.now(), clock.now())
    leave(held, by=None, kind="call_agency", due=due, keeper=REFERRAL, of=holder)
    for person in ours(held):
        tell_one(person, "referral.owner", f"{source}:{person.pk}", held)


def _tell_manager(held: Referral, source: str) -> None:
    for person in leaders(held.case.unit_id, clock.today()) or ours(held):
        tell_one(person, "referral.manager", f"{source}:{person.pk}", held)


def _expire(held: Referral, source: str) -> None:
    go("expire", held, by=None, how={"who": SYSTEM}, ended_at=clock.now())


CLIMB: dict[str, Callable[[Referral, str], None]] = {
    "nudge": _nudge,
    "deputy": _tell_deputy,
    "owner": _tell_owner,
    "manager": _tell_manager,
    "expire": _expire,
}


# -- what should have come about by now --------------------------------------------------------------------------------


def rescue() -> int:
    """What lies with an agency that is switched off, or that nobody reaches any more, comes back to us."""
    reached = Q(agency__is_active=True) & (~Q(agency__mailbox="") | Q(agency__members__user__is_active=True))
    stuck = Referral.objects.filter(state__in=OPEN, case__closed_at__isnull=True).exclude(
        pk__in=Referral.objects.filter(reached).values("pk")
    )
    return _each(stuck, lambda held: _is_lost(held) and _by_system(moves.withdraw, held, reason="agency_gone"))


def _is_lost(held: Referral) -> bool:
    return held.state in OPEN and not (held.agency.is_active and held.agency.is_reached)


def miss_contacts() -> int:
    """A contact that was booked or promised and has not come about is ours to see to."""
    late = clock.now() - deadlines.MISSED_AFTER
    due = Q(state="accepted", contact_due_at__lt=late) | Q(state="contact_booked", contact_at__lt=late)
    return _each(Referral.objects.filter(due), lambda held: _is_missed(held) and _by_system(moves.contact_missed, held))


def _is_missed(held: Referral) -> bool:
    promised = {"accepted": held.contact_due_at, "contact_booked": held.contact_at}.get(held.state)
    return promised is not None and promised < clock.now() - deadlines.MISSED_AFTER


def resume_held() -> int:
    """What rested until today goes on."""
    resting = Referral.objects.filter(state="on_hold", hold_until__lte=clock.today())
    return _each(
        resting,
        lambda held: (
            held.state == "on_hold"
            and held.hold_until is not None
            and held.hold_until <= clock.today()
            and _by_system(moves.resume, held)
        ),
    )


def end_access() -> int:
    """An agency sees a handover until a day. After it, what had contact is finished, all else comes back to us."""
    over = Referral.objects.filter(state__in=OPEN, access_until__lt=clock.today())
    return _each(over, _end_access)


def _end_access(held: Referral) -> bool:
    if held.state not in OPEN or held.access_until is None or held.access_until >= clock.today():
        return False
    if held.state == "contact_made":
        return _by_system(moves.complete, held)
    return _by_system(moves.withdraw, held, reason="access_ended")


def _by_system(move: Callable[..., Referral], held: Referral, **rest: str) -> bool:
    move(by=None, referral=held, who=SYSTEM, **rest)
    return True


def _each(rows: QuerySet[Referral], do: Callable[[Referral], bool]) -> int:
    """Do it for each, held and read again, in a transaction of its own: one that cannot be moved keeps no other waiting."""
    found: Iterable[Referral] = list(rows.only("pk", "case_id").distinct())
    return sum(
        _safely(lambda row=row: do(hold(row)), "a handover could not be moved")  # type: ignore[misc]
        for row in found
    )


def _safely(act: Callable[[], bool], complaint: str) -> bool:
    try:
        with transaction.atomic():
            return bool(act())
    except Exception as error:
        logger.error("%s: %s", complaint, type(error).__name__)
        return False
