"""What nobody answers, and what should have come about by now: the rungs are climbed, missed contacts come back, what rests is
taken up, access ends. Rows with a time are the queue; whoever looks does what is due, once."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from helpline.people import clock
from helpline.people.models import Notice, in_use
from helpline.people.notices import notify
from helpline.people.workdays import add_working_days, local
from intake.actions import end_kept_step
from intake.actions.timeline import record
from intake.models import Case, FollowUp
from intake.whose import leaders_of
from referrals import deadlines
from referrals.actions import moves
from referrals.actions.go import go, hold, leave, leave_stop, ours, tell_agency, tell_one
from referrals.actions.hurry import follow_case, overtaken
from referrals.actions.ladders import begin_ladder, put_off_later, waits_for_ours
from referrals.labels import CLIMBED, NUDGED_AGAIN
from referrals.models import Referral, SilenceRung
from referrals.states import OPEN, REFERRAL, SYSTEM

logger = logging.getLogger(__name__)


def sweep() -> int:
    """Do all that is due. Returns how many things were done. Harmless when run twice or at once. What fails keeps nothing
    else waiting; the first fault is raised at the end, so that it is known."""
    done, faults = 0, list[Exception]()
    for look in LOOKS:
        try:
            done += look()
        except Exception as error:
            faults.append(error)
    if faults:
        raise faults[0]
    return done


def begin_missing() -> int:
    """A handover that waits and has no rung before it (sent by an older version, or written past the application) gets a
    ladder."""
    before_it = SilenceRung.objects.filter(referral=OuterRef("pk"), state=SilenceRung.State.SCHEDULED)
    return _each(Referral.objects.waiting().exclude(Exists(before_it)), _begin)


def _begin(held: Referral) -> bool:
    if not held.is_waiting or held.rungs.filter(state=SilenceRung.State.SCHEDULED).exists():
        return False
    begin_ladder(held)
    return True


def climb() -> int:
    """Climb every rung that is due, in the order of their times. Returns how many."""
    climbed = 0
    for (pk,) in list(due_rungs()):
        climbed += _safely(lambda pk=pk: _climb(pk), "a rung could not be climbed")  # type: ignore[misc]
    return climbed


def due_rungs() -> QuerySet[SilenceRung, tuple[int]]:
    """The rungs whose time has come, the first due first."""
    due = SilenceRung.objects.filter(state=SilenceRung.State.SCHEDULED, due_at__lte=clock.now())
    return due.order_by("due_at", "pk").values_list("pk")


def _climb(pk: Any) -> bool:
    rung = SilenceRung.objects.select_related("referral").get(pk=pk)
    held = hold(rung.referral)  # whoever answered meanwhile was first
    if waits_for_ours(rung) or not _claim(pk, held) or not held.is_waiting:
        return False
    put_off_later(rung, held)
    CLIMB[rung.rung](held, f"rung:{rung.pk}")
    if rung.rung in CLIMBED:
        codes: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id, "rung": rung.rung}
        again = rung.rung == "deputy" and not _has_deputy(held)
        record(NUDGED_AGAIN if again else CLIMBED[rung.rung], by=None, case=held.case, row=held.pk, of=rung.pk, **codes)
    return True


def _claim(pk: Any, held: Referral) -> bool:
    """Take a rung, so that nobody else climbs it: fired where the handover still waits, else cancelled. One that was put off
    meanwhile is not due."""
    waits = held.is_waiting
    state = SilenceRung.State.FIRED if waits else SilenceRung.State.CANCELLED
    scheduled = SilenceRung.objects.filter(pk=pk, state=SilenceRung.State.SCHEDULED, due_at__lte=clock.now())
    return bool(scheduled.update(state=state, fired_at=clock.now() if waits else None))


def _nudge(held: Referral, source: str) -> None:
    """The agency; where it is away today, who stands in there at once. One that has a handover on paper alone gets no mail
    from us: whoever sent it is told instead."""
    if not held.agency.gets_mail:
        for person in ours(held):
            tell_one(person, "referral.owner", f"{source}:{person.pk}", held, can_wait=True)
    if held.agency.away_on(clock.today()):
        _tell_deputies(held, source)
    tell_agency(held, "referral.nudge", source, can_wait=True)


def _tell_deputy(held: Referral, source: str) -> None:
    """Who stands in at the agency; where nobody is named, everybody there once more."""
    if not _tell_deputies(held, source):
        tell_agency(held, "referral.nudge", source, can_wait=True)


def _has_deputy(held: Referral) -> bool:
    """Whether anybody is named there who stands in."""
    named = held.agency.members.filter(in_use("user__"), is_deputy=True)
    return bool(held.agency.deputy_mailbox) or named.exists()


def _tell_deputies(held: Referral, source: str) -> int:
    """Those who stand in there. Returns how many."""
    agency = held.agency
    about, at = str(held.pk), deadlines.mail_to_agency(held.urgency, clock.now(), agency)
    deputies = list(agency.members.filter(in_use("user__"), is_deputy=True).select_related("user"))
    for member in deputies:
        one = f"{source}:{member.user_id}"
        notify(user=member.user, kind="referral.deputy", source=one, about=about, mail_at=at)
    if agency.deputy_mailbox:
        box = agency.deputy_mailbox
        notify(address=box, kind="referral.deputy", source=f"{source}:deputy", about=about, mail_at=at)
    return len(deputies) + bool(agency.deputy_mailbox)


def _tell_owner(held: Referral, source: str) -> None:
    """It is for us to call them now: a step of ours, until they answer."""
    manager = held.rungs.filter(rung="manager").order_by("-round").values_list("due_at", flat=True).first()
    holder = end_kept_step(by=None, case=held.case, kept_by=REFERRAL, about=held.pk)
    due = max(manager or clock.now(), clock.now())
    leave(held, by=None, kind="call_agency", due=due, keeper=REFERRAL, of=holder)
    for person in ours(held):
        tell_one(person, "referral.owner", f"{source}:{person.pk}", held, can_wait=True)


def _tell_manager(held: Referral, source: str) -> None:
    for person in leaders_of(held.case, clock.today()) or ours(held):
        tell_one(person, "referral.manager", f"{source}:{person.pk}", held, can_wait=True)


def _expire(held: Referral, source: str) -> None:
    go("expire", held, by=None, how={"who": SYSTEM}, ended_at=clock.now())


CLIMB: dict[str, Callable[[Referral, str], None]] = {
    "nudge": _nudge,
    "deputy": _tell_deputy,
    "owner": _tell_owner,
    "manager": _tell_manager,
    "expire": _expire,
}


def hurry() -> int:
    """What is handed over follows a case that has become more urgent."""
    return _each(overtaken(), follow_case)


# -- what should have come about by now --------------------------------------------------------------------------------


def rescue() -> int:
    """What lies with an agency that is switched off, or that nobody reaches any more, comes back to us. Where there was
    contact it is finished: the caller is asked in any case."""
    by_paper, by_mail = ~Q(agency__sdk_address=""), ~Q(agency__mailbox="") | in_use("agency__members__user__")
    reached = Q(agency__is_active=True) & (by_paper | by_mail)
    stuck = Referral.objects.filter(state__in=OPEN, case__closed_at__isnull=True).exclude(
        pk__in=Referral.objects.filter(reached).values("pk")
    )
    return _each(stuck, lambda held: _is_lost(held) and _end(held, "agency_gone"))


def _is_lost(held: Referral) -> bool:
    return held.state in OPEN and not (held.agency.is_active and held.agency.is_reached)


def miss_contacts() -> int:
    """A contact that was booked or promised and has not come about is ours to see to."""
    now = clock.now()
    due = Q(state="accepted", contact_due_at__lte=now) | Q(state="contact_booked", contact_at__lte=now)
    return _each(Referral.objects.filter(due), lambda held: _is_missed(held) and _by_system(moves.contact_missed, held))


def _is_missed(held: Referral) -> bool:
    promised = {"accepted": held.contact_due_at, "contact_booked": held.contact_at}.get(held.state)
    return promised is not None and deadlines.missed_at(held, promised) <= clock.now()


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
    """An agency sees a handover until a day. After it, what had contact is finished, all else comes back to us. So is what
    had contact in a case that is closed: opened again, it gives nobody back what they no longer saw."""
    over = Q(access_until__lt=clock.today()) | Q(state="contact_made", case__closed_at__isnull=False)
    return _each(Referral.objects.filter(over, state__in=OPEN), _end_access)


def _end_access(held: Referral) -> bool:
    late = held.access_until is not None and held.access_until < clock.today()
    if held.state not in OPEN or not (late or (held.state == "contact_made" and not held.case.is_open)):
        return False
    return _end(held, "access_ended")


def finish_with_case(case: Case) -> None:
    """The case is closed: what had contact is finished, and its agency's access is over for good."""
    for referral in Referral.objects.filter(case=case, state="contact_made"):
        _by_system(moves.complete, referral)


def ask_for_ticks() -> int:
    """One side has ticked that they spoke together in the three-way call: the other is asked, once."""
    late = clock.now() - deadlines.MISSED_AFTER
    booked = Referral.objects.filter(state="contact_booked", contact_kind="warm", contact_at__lte=late)
    one = Q(agency_spoke_at__isnull=True, owner_spoke_at__isnull=False) | Q(
        agency_spoke_at__isnull=False, owner_spoke_at__isnull=True
    )
    return _each(booked.filter(one), _ask_for_tick)


def _ask_for_tick(held: Referral) -> bool:
    if not deadlines.lacks_one_tick(held) or held.contact_at is None:
        return False
    source = f"tick:{held.pk}:{held.contact_at:%y%m%d%H%M}"
    if Notice.objects.filter(source__startswith=source).exists():
        return False
    if held.agency_spoke_at is None:
        tell_agency(held, "referral.tick", source)
    else:
        for person in ours(held):
            tell_one(person, "referral.tick", f"{source}:{person.pk}", held)
    return Notice.objects.filter(source__startswith=source).exists()


def chase_stops() -> int:
    """What we took back and nobody there has confirmed for some working days: we call them."""
    old = clock.now() - dt.timedelta(days=deadlines.STOPPED_WITHIN)
    told = FollowUp.objects.filter(kind="tell_to_stop", about=Cast(OuterRef("pk"), CharField()))
    waits = Referral.objects.filter(state="withdrawn", confirmed_at__isnull=True, ended_at__lte=old)
    return _each(waits.filter(~Exists(told), case__closed_at__isnull=True), _chase_stop)


def _chase_stop(held: Referral) -> bool:
    if held.state != "withdrawn" or held.confirmed_at or held.ended_at is None or not held.case.is_open:
        return False
    day = add_working_days(clock.local_date(held.ended_at), deadlines.STOPPED_WITHIN)
    waits = held.case.steps.filter(kind="tell_to_stop", about=str(held.pk)).exists()
    if waits or clock.now() < local(day, clock.local_time(held.ended_at).time()):
        return False
    leave_stop(held, by=None, kept=True)
    return True


def _end(held: Referral, reason: str) -> bool:
    """What had contact is finished, all else comes back to us."""
    if held.state == "contact_made":
        return _by_system(moves.complete, held)
    return _by_system(moves.withdraw, held, reason=reason)


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


LOOKS: tuple[Callable[[], int], ...] = (
    *(rescue, hurry, begin_missing, climb, ask_for_ticks, miss_contacts, resume_held, end_access, chase_stops),
)
