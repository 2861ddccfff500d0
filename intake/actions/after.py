"""After the call: a heavy call is counted and tied to nobody, a call of before is entered."""

import datetime as dt
import uuid

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from intake.actions.calls import start_call
from intake.actions.timeline import record
from intake.casetext import text_of
from intake.models import Call, Case, HeavyCall

OLDEST = dt.timedelta(days=60)  # of a call that is entered afterwards
LONGEST = 12 * 60  # minutes
ENTERED = uuid.UUID("5b0c1e5e-6f0b-4f0e-9d53-0d6f6a3a4f21")  # of what is entered afterwards: who, when and how long


def make_text(*, by: User, case: Case) -> str:
    """The text of a case for the municipality's own system, in Swedish. Raises Refused for a protected person, and where
    the words are erased."""
    if case.is_protected:
        raise Refused(_("The personal data of this person are protected. No text is made of it."))
    if case.is_forgotten:
        raise Refused(_("The words are erased. There is nothing to make a text of."))
    with transaction.atomic():
        record("text.made", by=by, case=case, row=case.pk)
        return text_of(case)


def mark_of(call: Call) -> str:
    """What stands for a heavy call: nobody reads from it which call it was without the secret of this installation."""
    return salted_hmac("intake.heavy", str(call.pk), algorithm="sha256").hexdigest()


def is_heavy(call: Call) -> bool:
    """Whether it is ticked as heavy. Told to who took it, and to nobody else."""
    return HeavyCall.objects.filter(mark=mark_of(call)).exists()


def tick_heavy(*, by: User, call: Call, heavy: bool) -> None:
    """Tick a call as heavy, or take the tick away. Leaves no row in the log and none in the timeline, since such a row
    would name who found it heavy (docs/decisions). Raises Refused for another's call, and for practice."""
    if call.taken_by_id != by.pk or not call.is_finished:
        raise Refused(_("Only who took the call can say that it was heavy."))
    if call.is_practice:
        raise Refused(_("This is practice. It is not counted."))
    if not heavy:
        HeavyCall.objects.filter(mark=mark_of(call)).delete()
        return
    month = clock.local_date(call.received_at).replace(day=1)
    HeavyCall.objects.get_or_create(mark=mark_of(call), defaults={"unit_id": call.unit_id, "month": month})


def start_late_call(*, by: User, received_at: dt.datetime, minutes: int) -> Call:
    """Enter a call that was taken on paper: it counts on the day that it took place. Entered twice by one person, with the
    same time, it is one until it is finished. Raises Refused with its field."""
    if received_at > clock.now():
        raise Refused(_("The call cannot have taken place in the future."), at="received_at")
    if received_at < clock.now() - OLDEST:
        raise Refused(_("That is more than 60 days ago. Check the date."), at="received_at")
    if not 1 <= minutes <= LONGEST:
        raise Refused(_("Write the minutes as a number from 1 to 720."), at="minutes")
    if received_at + dt.timedelta(minutes=minutes) > clock.now() + dt.timedelta(minutes=1):
        raise Refused(_("A call that began then cannot have lasted that long yet."), at="minutes")
    with transaction.atomic():
        call = start_call(by=by, token=uuid.uuid5(ENTERED, f"{by.pk} {received_at.isoformat()} {minutes}"))
        if call.entered_late:
            return call
        call.received_at, call.lasted_minutes, call.entered_late = received_at, minutes, True
        call.save(update_fields=["received_at", "lasted_minutes", "entered_late"])
        log("call.entered_late", by=by, call=call.pk, minutes=minutes)
    return call
