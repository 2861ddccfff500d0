"""What tells which kind of caller reported (OSL 26:5): the questions of one kind of caller alone, the needs, clocks, steps and
agencies that follow from who called. Whoever did not call reads none of it, neither the words nor our label for them."""

from django.db.models import Q

from intake import triage
from intake.models import Case, Event, FollowUp
from referrals.models import Referral, Signposting

ASKED_OF_ALL = ("opening", "acute", "closing")  # question sets that every caller is asked
OF_THEMSELVES = {"leaver", "child_self", "targeted"}  # callers whom the call is about
CLOCKS = {"feedback"}  # only who has a duty to report can ask for it
STEPS = {"child.feedback", "ask_signposted", "ask_caller", "call_back"}


def own_questions(guide: triage.Guide) -> set[str]:
    """The questions of this version that one kind of caller alone is asked."""
    every = {question.key for name in ASKED_OF_ALL for question in guide.sets.get(name, [])}
    return {question.key for entries in guide.sets.values() for question in entries} - every


def needs_of_all(case: Case) -> list[str]:
    """Of the needs of a case those to which an answer pointed that everybody is asked for."""
    common = set()
    for call in case.calls.finished().select_related("key").prefetch_related("answers"):
        for question in (one for name in ASKED_OF_ALL for one in call.guide.sets.get(name, [])):
            common |= set(question.points("suggests", call.answered.get(question.key, "")))
    return [need for need in case.needs if need in common]


def tells(need: str) -> bool:
    """Whether a need that a person chose is one of who calls about somebody else."""
    callers = triage.guide_today().callers.values()
    return need in {caller.need for caller in callers if caller.need and caller.code not in OF_THEMSELVES}


def agencies_for_callers(case: Case) -> set[str]:
    """The names of agencies that were found for who called, by the need or by a number that was given in a call."""
    rows = Referral.objects.filter(case=case).values_list("need", "agency__name")
    named = Signposting.objects.filter(Q(case=case) | Q(call__case=case))
    return {name for need, name in rows if tells(need)} | set(named.values_list("agency__name", flat=True))


def event_tells(event: Event, agencies: set[str]) -> bool:
    """Whether an event names such a need, clock or agency."""
    codes = event.codes
    named = codes.get("agency") in agencies or codes.get("suggested") in agencies
    return named or tells(codes.get("need", "")) or codes.get("clock") in CLOCKS or codes.get("step") in STEPS


def step_tells(step: FollowUp, agencies: set[str]) -> bool:
    """Whether a step is one that follows from who called."""
    return step.kind in STEPS or step.codes.get("agency") in agencies
