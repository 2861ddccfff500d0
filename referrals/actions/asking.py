"""The caller is asked whether it helped: after a few days, a month and three months. A no brings the handover back."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.workdays import next_working_morning
from intake.actions import end_kept_step, finish_step, plan_step
from intake.actions.timeline import record
from referrals import deadlines
from referrals.actions.go import hold, leave
from referrals.actions.moves import bring_back
from referrals.labels import ASKING_STEPS, BRINGS_BACK, CALLER_ANSWERS
from referrals.models import CallerAnswer, Referral
from referrals.states import ASKING

ASKED_OF = {"contact_made", "completed"}


def caller_says(*, by: User, referral: Referral, answer: str, text: str = "") -> CallerAnswer:
    """Write down what the caller says. Help or some: the next time to ask is planned. No help, or nobody called: the same
    one of us takes it up again. Not reached: asked again on the next working day. Raises Refused or TooLate."""
    if answer not in CALLER_ANSWERS:
        raise Refused(_("Choose what the caller says."))
    with transaction.atomic():
        held = hold(referral)
        if held.state not in ASKED_OF:
            raise TooLate(_("There is nothing to ask about: the handover is “%(state)s”.") % {"state": held.state_name})
        mark = mark_of(held)
        made = CallerAnswer.objects.create(
            referral=held, mark=mark, answer=answer, by=by, at=clock.now(), text=text.strip()
        )
        codes: dict[str, Any] = {"said": answer, "agency": held.agency.name, "agency_id": held.agency_id}
        record("caller.answered", by=by, case=held.case, text=text, row=held.pk, **codes)
        if answer in BRINGS_BACK:
            bring_back(by=by, referral=held, reason=BRINGS_BACK[answer], text=text)
        elif held.case.is_open:
            _ask_next(by, held, mark, answer)
    return made


def mark_of(referral: Referral) -> str:
    """Which time of asking it is: the first that has no answer; after the last, the last again."""
    given = set(referral.caller_answers.exclude(answer="not_reached").values_list("mark", flat=True))
    if "quarter" in given:
        raise TooLate(_("The caller has answered for the last time."))
    return next(mark for mark in deadlines.ASKED if mark not in given)


def _ask_next(by: User, referral: Referral, mark: str, answer: str) -> None:
    """End this asking and plan the next; where there is none to come and nothing else waits, somebody decides what does."""
    case = referral.case
    holder = end_kept_step(by=by, case=case, kept_by=ASKING, about=referral.pk)
    for step in (
        case.steps.planned()
        .select_related("case__key")
        .filter(kept_by="", kind__in=ASKING_STEPS.values(), about=str(referral.pk))
    ):  # planned before asking was kept
        plan = next_working_morning(clock.now())
        finish_step(by=by, step=step, next_what=_("Decide what comes next"), next_due=plan)
    coming = mark if answer == "not_reached" else deadlines.NEXT_ASKED.get(mark, "")
    if answer == "enough":
        coming = ""
    if coming:
        made = referral.changes.filter(move="contact").order_by("-at").values_list("at", flat=True).first()
        due = deadlines.ask_caller_due(made or clock.now(), coming)
        due = next_working_morning(clock.now()) if due <= clock.now() or answer == "not_reached" else due
        leave(referral, by=by, kind=ASKING_STEPS[coming], due=due, keeper=ASKING, of=holder)
    elif not case.steps.planned().exists():
        plan_step(by=by, case=case, kind="decide_next", due_at=next_working_morning(clock.now()), quiet=True)
