"""The caller is asked whether it helped: after a few days, a month and three months. A no brings the handover back."""

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.workdays import next_working_morning
from intake.actions import end_kept_step, finish_step, plan_step
from intake.actions.bounces import record_bounce
from intake.actions.timeline import record
from referrals import deadlines
from referrals.actions.go import already, hold, leave, names
from referrals.actions.moves import bring_back
from referrals.labels import ASKING_STEPS, BRINGS_BACK, CALLER_ANSWERS
from referrals.models import CallerAnswer, Referral
from referrals.states import ASKING

ASKED_OF = {"contact_made", "completed"}
ENOUGH = "enough"  # the caller does not want to be asked again: counts as the last answer
LAST, LATER = "quarter", "later"  # later: said unasked, when the caller was asked for the last time
NONE_YET = "none"  # the mark of a handover whose caller has said nothing


def mark_of_answers(referral: Referral) -> str:
    """What a form carries that is drawn now: the last answer."""
    last = referral.caller_answers.order_by("-at", "-id").values_list("pk", flat=True).first()
    return str(last) if last else NONE_YET


def caller_says(*, by: User, referral: Referral, answer: str, text: str = "", seen: str = "") -> CallerAnswer:
    """Write down what the caller says. Help or some: the next time to ask is planned. No help, or nobody called: the same
    one of us takes it up again. Not reached: asked again on the next working day. `seen` is the mark of the answers when
    the form was drawn: sent twice it does not answer the next time of asking. Raises Refused or TooLate."""
    if answer not in CALLER_ANSWERS:
        raise Refused(_("Choose what the caller says."), at="answer")
    with transaction.atomic():
        held = hold(referral)
        if held.state not in ASKED_OF:
            raise TooLate(already(held))
        _refuse_seen(held, seen)
        mark = mark_of(held, answer)
        made = CallerAnswer.objects.create(
            referral=held, mark=mark, answer=answer, by=by, at=clock.now(), text=text.strip()
        )
        codes: dict[str, Any] = {"said": answer, "agency": held.agency.name, "agency_id": held.agency_id}
        record("caller.answered", by=by, case=held.case, text=text, row=held.pk, **codes)
        if answer in BRINGS_BACK:
            held = bring_back(by=by, referral=held, reason=BRINGS_BACK[answer], text=text)
            _record_never_called(by, held, made)
        elif held.case.is_open:
            _ask_next(by, held, mark, answer)
        _end_old_steps(by, held)
    return made


def _record_never_called(by: User, referral: Referral, said: CallerAnswer) -> None:
    """That somebody waited for a call that never came is a bounce by the caller's own word."""
    if said.answer == "nobody_called":
        record_bounce(cause="nobody_called", source=f"answer:{said.pk}", case=referral.case, by=by, **names(referral))


def _refuse_seen(referral: Referral, seen: str) -> None:
    if seen and seen != mark_of_answers(referral):
        last = referral.caller_answers.select_related("by").order_by("-at", "-id").first()
        said = CALLER_ANSWERS[last.answer] if last else "–"
        who = last.by if last else ""
        raise TooLate(_("%(who)s has already written down an answer: “%(said)s”.") % {"who": who, "said": said})


def mark_of(referral: Referral, answer: str = "") -> str:
    """Which time of asking it is: the first that has no answer. After the last one, or where the caller has said that it
    is enough, nobody is asked, but a no is always heard."""
    answers = list(referral.caller_answers.exclude(answer="not_reached").values_list("mark", "answer"))
    given = {LAST if said == ENOUGH else mark for mark, said in answers}
    left = [mark for mark in deadlines.ASKED if mark not in given]
    if left and LAST not in given:
        return left[0]
    if answer in BRINGS_BACK:
        return LATER
    raise TooLate(_("The caller has answered for the last time."))


def next_asking(referral: Referral, answer: str, mark: str) -> tuple[str, dt.datetime] | None:
    """Which time of asking follows an answer, and when; None where nobody is asked again."""
    coming = mark if answer == "not_reached" else deadlines.NEXT_ASKED.get(mark, "")
    if not coming or answer == ENOUGH or answer in BRINGS_BACK:
        return None
    tomorrow = next_working_morning(clock.now())
    if answer == "not_reached":
        return coming, tomorrow
    made = referral.changes.filter(move="contact").order_by("-at").values_list("at", flat=True).first()
    return coming, max(deadlines.ask_caller_due(made or clock.now(), coming), tomorrow)


def _ask_next(by: User, referral: Referral, mark: str, answer: str) -> None:
    """End this asking and plan the next; where there is none to come and nothing else waits, somebody decides what does."""
    case = referral.case
    holder = end_kept_step(by=by, case=case, kept_by=ASKING, about=referral.pk)
    coming = next_asking(referral, answer, mark)
    if coming:
        leave(referral, by=by, kind=ASKING_STEPS[coming[0]], due=coming[1], keeper=ASKING, of=holder)
    elif not case.steps.planned().exclude(pk__in=_old_steps(referral)).exists():
        plan_step(by=by, case=case, kind="decide_next", due_at=next_working_morning(clock.now()), quiet=True)


def _old_steps(referral: Referral) -> list[uuid.UUID]:
    """Askings that were planned before an answer was what ends them."""
    old = referral.case.steps.planned().filter(kept_by="", kind__in=ASKING_STEPS.values(), about=str(referral.pk))
    return list(old.values_list("pk", flat=True))


def _end_old_steps(by: User, referral: Referral) -> None:
    for step in referral.case.steps.select_related("case__key").filter(pk__in=_old_steps(referral)):
        finish_step(by=by, step=step)
