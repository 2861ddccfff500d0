"""Why handovers came back, in words: whose no it was, and whether the person wants anybody at all."""

from collections.abc import Collection, Iterable
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
    reasons = reasons_of(list(back.values()))
    return {pk: _back(one, reasons.get(pk, "")) for pk, one in back.items()}


def reasons_of(back: Collection[Referral]) -> dict[object, str]:
    """Handover that came back -> the reason that was given last. Asked once for rows that are here: of those that were asked
    before none is asked again."""
    if any("why_back" not in vars(one) for one in back):
        changes = StateChange.objects.filter(referral__in=[one.pk for one in back], target__in=CAME_BACK)
        found = dict(changes.exclude(move="confirm").order_by("at", "id").values_list("referral", "reason"))
        for one in back:
            one.why_back = found.get(one.pk, "")  # type: ignore[attr-defined]  # read here alone
    return {one.pk: vars(one)["why_back"] for one in back}


def _back(referral: Referral, reason: str) -> Back:
    words = CAME_BACK_FROM.get(reason, WHY_BACK[referral.state])
    return Back(str(words) % {"agency": referral.agency}, reason in UNWANTED)
