"""A case that has become more urgent, and what was handed over before: it follows its case, and everybody concerned is told."""

from typing import Any

from django.db.models import Q, QuerySet

from helpline.people import clock
from intake.actions import end_kept_step
from intake.actions.timeline import record
from referrals import deadlines
from referrals.actions.go import leave, names, ours, tell_agency, tell_one
from referrals.actions.ladders import begin_ladder, stop_ladder
from referrals.models import Referral
from referrals.states import OPEN, REFERRAL

URGENCIES = list(deadlines.LADDER)  # the most urgent first
FOLLOWING = OPEN - {"contact_made"}  # where somebody still waits for help


def overtaken() -> QuerySet[Referral]:
    """Handovers that are with an agency, of cases that are more urgent now."""
    less = Q(pk__in=[])
    for place, urgency in enumerate(URGENCIES):
        less |= Q(case__urgency=urgency, urgency__in=URGENCIES[place + 1 :])
    return Referral.objects.filter(less, state__in=FOLLOWING, case__closed_at__isnull=True)


def follow_case(held: Referral) -> bool:
    """Take over the urgency of the case. What is to be answered is to be answered sooner, by a ladder that begins anew; of
    what was taken on already owner and agency are told. Once."""
    urgency = held.case.urgency
    if held.state not in FOLLOWING or not held.case.is_open or not _is_more(urgency, held.urgency):
        return False
    held.urgency = urgency
    if held.is_waiting and held.answer_due_at:
        held.answer_due_at = min(held.answer_due_at, deadlines.answer_due(urgency, clock.now(), held.agency))
    held.save(update_fields=["urgency", "answer_due_at"])
    if held.is_waiting:
        stop_ladder(held)
        begin_ladder(held)
    _hurry_step(held)
    record("referral.hurried", by=None, case=held.case, row=held.pk, urgency=urgency, **names(held))
    _tell(held)
    return True


def _is_more(urgency: str, than: str) -> bool:
    return URGENCIES.index(urgency) < URGENCIES.index(than)


def _hurry_step(held: Referral) -> None:
    """The step that waits for an answer gets its new time: theirs, or ours where it is for us to answer or to call them."""
    now = held.case.steps.planned().filter(kept_by=REFERRAL, about=str(held.pk)).first()
    soon: dict[str, Any] = {
        "await_answer": held.answer_due_at,
        "call_agency": deadlines.next_working_day(held.urgency, clock.now()),
        "answer_question": deadlines.next_working_day(held.urgency, clock.now()),
    }
    if now is None or now.kind not in soon or soon[now.kind] >= now.due_at:
        return
    theirs, kind = now.others_turn, now.kind
    holder = end_kept_step(by=None, case=held.case, kept_by=REFERRAL, about=held.pk)
    leave(held, by=None, kind=kind, due=soon[kind], keeper=REFERRAL, theirs=theirs, of=holder)


def _tell(held: Referral) -> None:
    """The round of the ladder, or the urgency itself, says which time it is: nobody is told the same twice."""
    source = f"hurried:{held.pk}:{held.urgency}"
    for person in ours(held):
        tell_one(person, "referral.hurried", f"{source}:{person.pk}", held, can_wait=True)
    tell_agency(held, "referral.hurried", source, can_wait=True)
