"""Guards that can be taken out from outside, one at a time, to see that the drill sees it. The product knows none of this."""

import time
import uuid
from collections.abc import Callable
from typing import Any

LATER = 0.4  # seconds between an act and the mark that it was done, where the two are taken apart
MUCH_LATER = 2.5  # the same, where few are due at a time: longer than a tick of the drill

GUARDS: dict[str, Callable[[], None]] = {}


def guard(change: Callable[[], None]) -> Callable[[], None]:
    """Known by the name of its function."""
    GUARDS[change.__name__] = change
    return change


@guard
def unwritten_commit() -> None:
    """The database says "done" before what it has done is on the disk."""
    from django.conf import settings

    for database in settings.DATABASES.values():
        options: Any = database["OPTIONS"]
        options["options"] += " -c synchronous_commit=off"


@guard
def token_ignored() -> None:
    """Each press opens a call, also the same press sent again."""
    from helpline.people.models import User
    from intake.actions import calls
    from intake.models import Call

    def open_always(by: User, token: uuid.UUID | None, start: Callable[[uuid.UUID | None], Call]) -> Call:
        known = Call.objects.filter(start_token=token).exists()
        return start(None if known else token)

    calls.open_once = open_always


@guard
def marked_afterwards() -> None:
    """A reminder is fired in one transaction and marked as fired in another, a moment later; nobody holds the row."""
    from helpline.people import clock
    from intake.actions import reminders
    from intake.models import Reminder

    def fire_all() -> int:
        due = list(Reminder.objects.filter(state=Reminder.State.SCHEDULED, due_at__lte=clock.now()))
        for reminder in due:
            mark = reminder.save
            reminder.save = lambda **_rest: None  # type: ignore[method-assign]
            reminders._fire(reminder)
            time.sleep(LATER)
            mark(update_fields=["state", "fired_at"])
        return len(due)

    from intake import tasks

    tasks.fire_due_reminders = fire_all


@guard
def mail_sent_again() -> None:
    """A mail whose sender died is sent again, instead of being shown as unknown."""
    from helpline.people import clock, notices
    from helpline.people.models import Notice

    def try_again() -> None:
        expired = Notice.objects.filter(mail=Notice.Mail.SENDING, lease_until__lt=clock.now())
        expired.update(mail=Notice.Mail.READY, lease_until=None)

    notices._give_up_expired_leases = try_again


@guard
def climbed_unclaimed() -> None:
    """A rung of silence is climbed without being claimed, and marked in another transaction, some moments later."""
    from django.db import transaction

    from referrals.actions import silence
    from referrals.models import SilenceRung

    claim = silence._claim

    def climb() -> int:
        due = [pk for (pk,) in silence.due_rungs()]
        for pk in due:
            rung = SilenceRung.objects.select_related("referral").get(pk=pk)
            if silence._safely(lambda pk=pk: silence._climb(pk), "a rung could not be climbed"):  # type: ignore[misc]
                time.sleep(MUCH_LATER)
            with transaction.atomic():
                claim(pk, silence.hold(rung.referral))
        return len(due)

    silence._claim = lambda pk, held: held.is_waiting
    silence.LOOKS = tuple(climb if look is silence.climb else look for look in silence.LOOKS)


@guard
def unmarked_first() -> None:
    """The mark of a day is taken away in one transaction, and its sums are counted in another, some moments later."""
    from helpline import sums, tasks
    from intake.models import DayMark

    def sum_up() -> int:
        days = sorted(set(DayMark.objects.values_list("day", flat=True)))
        DayMark.objects.all().delete()
        time.sleep(MUCH_LATER)
        for day in days:
            sums.recount(day, day)
        return len(days)

    tasks.sum_up = sum_up
