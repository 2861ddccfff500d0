"""What a person of this floor has in hand: whoever has something is not switched off."""

from django.utils.translation import ngettext

from helpline.people.models import User
from intake.models import Call, Case, FollowUp


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
