"""Who can help: agencies that meet a need, take the age and serve the municipality, in order, each with its reason."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext

from helpline.people import clock
from helpline.people.models import Municipality
from intake import triage
from referrals.models import PartnerAgency
from referrals.partners import HANDOVER

ACUTE_NEED = "immediate_danger"


@dataclass
class Offer:
    """One agency that can help, with which needs and why it stands where it stands."""

    agency: PartnerAgency
    meets: list[str]
    is_near: bool
    is_open: bool
    has_declined: bool = False
    order: tuple[object, ...] = field(default=())

    @property
    def why(self) -> str:
        """In one line: the needs, where, and whether it is open now."""
        parts = [", ".join(triage.name_of("needs", need).lower() for need in self.meets)]
        if self.is_near or self.agency.nationwide:
            parts.append(gettext("serves the municipality") if self.is_near else gettext("serves the whole country"))
        parts.append(gettext("open now") if self.is_open else gettext("closed now"))
        return " · ".join(parts)


def rank(
    *,
    needs: Iterable[str],
    municipality: str | None,
    age_band: str,
    declined: Collection[int] = (),
) -> dict[str, list[Offer]]:
    """Channel -> offers: acute need met, number of needs met, municipality, open now, then name. Those that have said no
    come last. For somebody who lives elsewhere, who meets `other_line` is offered too."""
    wanted = list(needs)
    if municipality == Municipality.ELSEWHERE and wanted:
        wanted.append("other_line")
    found: dict[str, list[Offer]] = {}
    agencies = PartnerAgency.objects.active().prefetch_related("municipalities", "hours", "absences")
    for agency in agencies:
        meets = [need for need in wanted if need in agency.meets]
        if not meets or not agency.kind.takes(age_band) or not agency.serves(municipality):
            continue
        offer = Offer(
            agency,
            meets,
            is_near=municipality is not None and municipality in agency.municipality_codes,
            is_open=agency.is_open(clock.now()),
            has_declined=agency.pk in declined,
        )
        offer.order = (
            offer.has_declined,
            ACUTE_NEED not in meets,
            -len(meets),
            not offer.is_near,
            not offer.is_open,
            agency.name,
        )
        found.setdefault(agency.kind.channel, []).append(offer)
    for offers in found.values():
        offers.sort(key=lambda offer: offer.order)
    return found


def handovers(
    *, needs: Iterable[str], municipality: str | None, age_band: str, declined: Collection[int] = ()
) -> list[Offer]:
    """The agencies that a person can be handed to, best first."""
    return rank(needs=needs, municipality=municipality, age_band=age_band, declined=declined).get(HANDOVER, [])
