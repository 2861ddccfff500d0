"""The line of messages between an agency and a case's owner: about one handover, and only while it is with the agency."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.workdays import next_working_morning
from intake import protection
from intake.actions import end_kept_step, plan_step
from intake.actions.timeline import record
from referrals import deadlines
from referrals.actions.checks import missing_for_ground, not_yet_theirs
from referrals.actions.disclosures import record_disclosure
from referrals.actions.go import already, hold, leave, ours, tell_agency, tell_one
from referrals.models import Disclosure, Message, Referral
from referrals.states import OPEN

MESSAGES = "messages"  # the keeper of the step that waits until a message is read
NONE_YET = "none"  # the mark of a line without messages


def mark_of_line(referral: Referral) -> str:
    """What a form carries that is drawn now: the last message of the line."""
    last = referral.messages.order_by("-at", "-id").values_list("pk", flat=True).first()
    return str(last) if last else NONE_YET


def send_message(*, by: User, referral: Referral, text: str, from_agency: bool, seen: str = "") -> Message:
    """Write to the other side. It is no answer to the handover: what waits goes on waiting. `seen` is the line's mark when
    the form was drawn: sent twice it is written once, and who has not read the newest is told so. Raises Refused, or
    TooLate where the handover is no longer with the agency."""
    if not text.strip():
        raise Refused(_("Write your message."), at="text")
    with transaction.atomic():
        held = hold(referral)
        if held.state not in OPEN:
            raise TooLate(already(held))
        if not held.case.is_open:
            raise TooLate(_("The case is closed."))
        if held.case.is_protected:
            raise Refused(no_messages(held, from_agency), at="text")
        if again := _sent_before(by, held, text.strip(), seen):
            return again
        _refuse_words(held, text, from_agency)
        made = Message.objects.create(referral=held, by=by, from_agency=from_agency, text=text.strip(), at=clock.now())
        codes: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id}
        codes["side"] = "agency" if from_agency else "owner"
        record("referral.message", by=by, case=held.case, text=text.strip(), row=made.pk, **codes)
        if not from_agency:
            record_disclosure(by=by, referral=held, way=Disclosure.Way.MESSAGE)
        _tell_other_side(made, held, by)
        if from_agency:
            _leave_to_read(held)
        else:
            _end_reading(by, held)
        return made


def read_message(*, by: User, referral: Referral, seen: str = "") -> None:
    """One of us has read what the agency wrote. `seen` is the line's mark when the page was drawn. Reading again changes
    nothing. Raises TooLate where a newer message has come."""
    with transaction.atomic():
        held = hold(referral)
        waits = held.case.steps.planned().filter(kept_by=MESSAGES, about=str(held.pk))
        if not waits.exists():
            return
        if seen and seen != mark_of_line(held):
            raise TooLate(_("A new message has come. Read it first."))
        codes: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id}
        record("referral.message_read", by=by, case=held.case, row=held.pk, **codes)
        _end_reading(by, held)


def _leave_to_read(referral: Referral) -> None:
    """That a message waits for us: one step, however many messages."""
    if referral.case.steps.planned().filter(kept_by=MESSAGES, about=str(referral.pk)).exists():
        return
    due = deadlines.next_working_day(referral.urgency, clock.now())
    leave(referral, by=None, kind="read_message", due=due, keeper=MESSAGES, of=_holder(referral))


def _holder(referral: Referral) -> User | None:
    """Who has the handover in hand."""
    step = referral.case.steps.planned().select_related("owner").filter(about=str(referral.pk)).in_order().first()
    return step.owner if step else None


def _end_reading(by: User, referral: Referral) -> None:
    """The step ends; where nothing else waits, somebody decides what does."""
    case = referral.case
    end_kept_step(by=by, case=case, kept_by=MESSAGES, about=referral.pk)
    if case.is_open and not case.steps.planned().exists():
        plan_step(by=by, case=case, kind="decide_next", due_at=next_working_morning(clock.now()), quiet=True)


def no_messages(referral: Referral, from_agency: bool) -> str:
    """Why nothing is written to the other side: the data are protected, and it is said by phone. Empty where it may be."""
    if not referral.case.is_protected:
        return ""
    if from_agency:
        return _("The data are protected: nothing is written here. Call us instead.")
    return _("The data are protected: nothing is written here. Call %(agency)s instead.") % {"agency": referral.agency}


def _sent_before(by: User, referral: Referral, text: str, seen: str) -> Message | None:
    """The same message of the same press; raises TooLate where the other side, or a colleague, has written meanwhile."""
    if not seen or seen == mark_of_line(referral):
        return None
    last = referral.messages.order_by("-at", "-id").first()
    if last and last.by_id == by.pk and last.text == text:
        return last
    raise TooLate(_("A new message has come. Read it, and send yours again if it still holds."))


def _refuse_words(referral: Referral, text: str, from_agency: bool) -> None:
    """What we write shares more: the ground must hold for it too. An address of who is protected stands in no message."""
    if protection.forbids_address(referral) and protection.has_address(text):
        raise Refused(
            _("An address may not be shared of somebody whose data are protected. Take it out of the text."), at="text"
        )
    missing = [] if from_agency else missing_for_ground(referral, text) or not_yet_theirs(referral, text)
    if missing:
        raise Refused(" ".join(missing), at="text")


def _tell_other_side(made: Message, referral: Referral, by: User) -> None:
    """That there is a message; never a word of it."""
    if not made.from_agency:
        tell_agency(referral, "referral.message", f"message:{made.pk}")
        return
    for person in ours(referral):
        tell_one(person, "referral.message", f"message:{made.pk}:{person.pk}", referral)
