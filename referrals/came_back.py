"""Why handovers came back, in words: whose no it was, and whether the person wants anybody at all."""

from collections.abc import Iterable
from dataclasses import dataclass

from referrals.labels import CAME_BACK_FROM, UNWANTED, WHY_BACK
from referrals.models import Referral, StateChange
from referrals.states import CAME_BACK


@dataclass(frozen=True)
class Back:
    """One that came back: how its page is named, and whether the person is asked first if they want anybody."""

    why: str
    is_unwanted: bool


def came_back(referrals: Iterable[Referral]) -> dict[object, Back]:
    """Handover -> why it came back. One question, however many they are; none where none has."""
    back = {one.pk: one for one in referrals if one.state in CAME_BACK}
    if not back:
        return {}
    changes = StateChange.objects.filter(referral__in=list(back), target__in=CAME_BACK).exclude(move="confirm")
    reasons = dict(changes.order_by("at", "id").values_list("referral", "reason"))
    return {pk: _back(one, reasons.get(pk, "")) for pk, one in back.items()}


def _back(referral: Referral, reason: str) -> Back:
    words = CAME_BACK_FROM.get(reason, WHY_BACK[referral.state])
    return Back(str(words) % {"agency": referral.agency}, reason in UNWANTED)
