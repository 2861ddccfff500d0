"""Guards that can be taken out from outside, one at a time, to see that the drill sees it. The product knows none of this."""

import time
import uuid
from collections.abc import Callable
from typing import Any

LATER = 0.4  # seconds between an act and the mark that it was done, where the two are taken apart

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
