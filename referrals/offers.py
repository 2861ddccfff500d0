"""Who can help with each need of a call or a case: the ranked agencies, grouped under the need that asks for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from intake import triage
from intake.models import Case
from referrals import states
from referrals.partners import DEIDENTIFIED, HANDOVER, SIGNPOST
from referrals.ranking import Offer, rank

TURNED_AWAY = states.CAME_BACK
HISTORY: dict[str, str | Promise] = {
    "draft": _("a draft is begun"),
    "declined": _("has said no"),
    **dict.fromkeys(("expired", "returned", "failed", "withdrawn"), _("was asked before, and nothing came of it")),
    "completed": _("has helped before"),
    **dict.fromkeys(states.OPEN, _("has a handover now")),
}


@dataclass
class Group:
    """One need, why it is there, and who can help with it."""

    need: str
    reasons: list[str] = field(default_factory=list)
    handovers: list[Offer] = field(default_factory=list)
    signposts: list[Offer] = field(default_factory=list)
    consulted: list[Offer] = field(default_factory=list)

    @property
    def name(self) -> str:
        return triage.name_of("needs", self.need)


def groups(
    needs: Mapping[str, Iterable[object]],
    *,
    municipality: str | None,
    age_band: str,
    history: Mapping[int, str] | None = None,
) -> list[Group]:
    """Need -> its reasons, as groups of ranked agencies. `history` (agency -> state) puts last those that said no."""
    declined = [agency for agency, state in (history or {}).items() if state in TURNED_AWAY]
    ranked = rank(needs=needs, municipality=municipality, age_band=age_band, declined=declined)
    named = dict.fromkeys([*needs, *(need for offers in ranked.values() for offer in offers for need in offer.meets)])
    return [
        Group(
            need,
            reasons=[str(reason) for reason in needs.get(need, ())],
            handovers=_meeting(need, ranked.get(HANDOVER, [])),
            signposts=_meeting(need, ranked.get(SIGNPOST, [])),
            consulted=_meeting(need, ranked.get(DEIDENTIFIED, [])),
        )
        for need in named
    ]


def groups_of(case: Case) -> list[Group]:
    """Who can help with each need of a case."""
    return groups(
        dict.fromkeys(case.needs, ()),
        municipality=case.municipality_id,
        age_band=case.age_band,
        history=history_of(case),
    )


def history_of(case: Case) -> dict[int, str]:
    """Agency -> the state of what was last handed to it in this case."""
    return dict(case.referrals.order_by("created_at").values_list("agency", "state"))


def _meeting(need: str, offers: list[Offer]) -> list[Offer]:
    return [offer for offer in offers if need in offer.meets]
