"""What an agency says of the quality of our handover, and our answer: the case is not closed before it is given."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.workdays import add_working_days, local, next_working_morning
from intake import protection
from intake.actions import end_kept_step, plan_step
from intake.actions.timeline import lock, record
from referrals.actions.checks import missing_for_ground, points_at_somebody
from referrals.actions.go import already, hold, ours, tell_agency, tell_one
from referrals.models import QualityComment, Referral
from referrals.states import OPEN

COMMENTS = "comments"  # the keeper of the step that only our answer ends
ANSWER_WITHIN = 3  # working days


def answer_due() -> dt.datetime:
    """When a comment that comes now is to be answered."""
    return local(add_working_days(clock.today(), ANSWER_WITHIN), dt.time(16))


def comment(*, by: User, referral: Referral, text: str) -> QualityComment:
    """An agency comments on our handover, once. It leaves a step that only the answer ends. Raises Refused or TooLate."""
    if not text.strip():
        raise Refused(_("Write your comment."), at="text")
    with transaction.atomic():
        held = hold(referral)
        before = held.comments.first()
        if before and before.by_id == by.pk and before.text == text.strip():
            return before  # the same press
        if held.state not in OPEN:
            raise TooLate(already(held))
        if before:
            raise TooLate(_("Somebody with you has already commented on this handover."))
        made = QualityComment.objects.create(referral=held, by=by, text=text.strip(), at=clock.now())
        agency: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id}
        record("referral.commented", by=by, case=held.case, text=text.strip(), row=made.pk, **agency)
        plan_step(
            by=by,
            case=held.case,
            kind="answer_comment",
            due_at=answer_due(),
            kept_by=COMMENTS,
            about=str(made.pk),
            quiet=True,
            agency=held.agency.name,
        )
        for person in ours(held):
            tell_one(person, "referral.commented", f"comment:{made.pk}:{person.pk}", held)
        return made


def with_comment(
    do: Callable[..., Referral], *, by: User, referral: Referral, comment_text: str = "", **rest: Any
) -> Referral:
    """A move by which the handover leaves the agency, and what it says of our handover: both or none."""
    with transaction.atomic():
        if comment_text.strip():
            comment(by=by, referral=referral, text=comment_text)
        return do(by=by, referral=referral, **rest)


def answer_comment(*, by: User, comment: QualityComment, text: str) -> QualityComment:
    """We answer. The agency is told, and reads it as long as its access lasts. Raises Refused or TooLate."""
    if not text.strip():
        raise Refused(_("Write your answer."), at="text")
    with transaction.atomic():
        held = hold(comment.referral)
        found = QualityComment.objects.select_for_update().get(pk=comment.pk)
        found.referral = held
        if found.answered_at is not None:
            raise TooLate(_("%(who)s has already answered this comment.") % {"who": found.answered_by})
        _refuse_words(held, text)
        found.answer, found.answered_at, found.answered_by = text.strip(), clock.now(), by
        found.save(update_fields=["answer", "answered_at", "answered_by"])
        agency: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id}
        record("referral.comment_answered", by=by, case=held.case, text=text.strip(), row=found.pk, **agency)
        _end_step(by, found)
        tell_agency(held, "referral.comment_answered", f"comment:{found.pk}:answer")
        return found


def _refuse_words(referral: Referral, text: str) -> None:
    """An answer says nothing that points at anybody: it is read when the handover has left them. While they have it the
    ground must hold for it too."""
    missing = missing_for_ground(referral, text) if referral.state in OPEN else []
    missing += [one for one in points_at_somebody(referral.case, text) if one not in missing]
    if protection.forbids_address(referral) and protection.has_address(text):
        missing = [_("An address may not be shared of somebody whose data are protected. Take it out of the text.")]
    if missing:
        raise Refused(" ".join(missing), at="text")


def _end_step(by: User, answered: QualityComment) -> None:
    """The step ends; where nothing else waits, somebody decides what does."""
    case = lock(answered.referral.case)
    end_kept_step(by=by, case=case, kept_by=COMMENTS, about=answered.pk)
    if case.is_open and not case.steps.planned().exists():
        plan_step(by=by, case=case, kind="decide_next", due_at=next_working_morning(clock.now()), quiet=True)
