"""What a person of this floor has in hand: whoever has something is not switched off."""

import datetime as dt

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import ngettext

from helpline.people.models import User
from intake.models import Call, Case, FollowUp

LONGEST_CALL = dt.timedelta(hours=4)  # so long a call that goes on keeps its session
BROUGHT_BACK = dt.timedelta(hours=2)  # so long after its last word one is brought back into it


def is_in_a_call(user: User) -> bool:
    """Whether a call goes on: somebody who listens presses no key."""
    return Call.objects.going_on(user, LONGEST_CALL).exists()


def calls_going_on(user: User) -> QuerySet[Call]:
    """The calls that one is brought back into, the latest first; none that is entered afterwards."""
    return Call.objects.going_on(user, BROUGHT_BACK).filter(entered_late=False).order_by("-saved_at")


def call_that_goes_on(user: User) -> Call | None:
    """The one of them that one is brought back into."""
    return calls_going_on(user).only("pk", "received_at").first()


def place_of_call(user: User) -> str:
    """Where the call that goes on is, or nowhere."""
    call = call_that_goes_on(user)
    return reverse("intake:call", args=[call.pk]) if call else ""


def in_hand(user: User) -> list[str]:
    """Unfinished calls, open cases and planned steps of this person, counted, in words."""
    cases = Case.objects.open().of(user).count()
    steps = FollowUp.objects.planned().filter(owner=user).count()
    calls = Call.objects.unfinished().filter(taken_by=user).count()
    found = []
    if calls:
        found.append(ngettext("%(count)s call not finished", "%(count)s calls not finished", calls) % {"count": calls})
    if cases:
        found.append(ngettext("%(count)s open case", "%(count)s open cases", cases) % {"count": cases})
    if steps:
        found.append(ngettext("%(count)s planned step", "%(count)s planned steps", steps) % {"count": steps})
    return found
