"""Who can help: agencies that meet a need, take the age and serve the municipality, in order, each with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, prefetch_related_objects
from django.utils.translation import gettext, gettext_lazy

from helpline.people.models import Municipality, in_use
from helpline.people.templatetags.people import say_day
from intake import triage
from intake.labels import Words
from referrals.ages import overlaps
from referrals.models import AgencyMember, PartnerAgency
from referrals.models.agencies import AgencyQuerySet
from referrals.partners import HANDOVER, SIGNPOST
from referrals.standing import Standing, standing

ACUTE_NEED = "immediate_danger"
STANDING = ("hours", "absences")  # what is read of an agency for how it stands now
OUR_LANGUAGE = "sv"  # everybody speaks it: not worth a word
SAYS: Words = {
    "yes": gettext_lazy("says that they can"),
    "maybe": gettext_lazy("says: perhaps"),
    "no": gettext_lazy("says that they cannot"),
}


@dataclass
class Offer:
    """One agency that can help, with which needs and why it stands where it stands."""

    agency: PartnerAgency
    meets: list[str]
    is_near: bool
    standing: Standing
    has_declined: bool = False
    speaks: str = ""  # the language of the case, where it is spoken there and not everybody's
    gets_mail: bool = True  # the system itself tells somebody there
    suggested_by: PartnerAgency | None = None
    says: str = ""  # what it has answered without a name to this need: a code of labels.PRE_ANSWERS
    order: tuple[object, ...] = field(default=())

    @property
    def says_words(self) -> str:
        """What it has answered without a name, in words."""
        return str(SAYS.get(self.says, ""))

    @property
    def is_reached(self) -> bool:
        """Whether anybody there gets a handover; a place where one goes alone gets none."""
        return self.gets_mail or bool(self.agency.sdk_address) or self.agency.kind.channel == SIGNPOST

    @property
    def is_open(self) -> bool:
        return self.standing.is_open

    @property
    def why(self) -> str:
        """In one line: who suggested it, the needs, where, whether it is open and has room, and its language."""
        parts = [", ".join(triage.name_of("needs", need).lower() for need in self.meets)] if self.meets else []
        if self.suggested_by:
            parts.insert(0, gettext("suggested by %(agency)s") % {"agency": self.suggested_by})
        if self.is_near or self.agency.nationwide:
            parts.append(gettext("serves the municipality") if self.is_near else gettext("serves the whole country"))
        parts.append(gettext("open now") if self.is_open else gettext("closed now"))
        if self.standing.away_until:
            parts[-1] = gettext("away until %(day)s") % {"day": say_day(self.standing.away_until)}
        if self.standing.is_full:
            parts.append(gettext("no room left this week"))
        if self.speaks:
            parts.append(gettext("speaks %(language)s") % {"language": triage.name_of("languages", self.speaks)})
        if not self.is_reached:
            parts.append(gettext("nobody there gets a message"))
        return " · ".join(parts)


def rank(
    *,
    needs: Iterable[str],
    municipality: str | None,
    age_band: str,
    language: str = "",
) -> dict[str, list[Offer]]:
    """Channel -> offers: with room and at work, acute need met, number of needs met, municipality, open now, then name.
    A language rules nobody out; that it is spoken is said. For somebody who lives
    elsewhere, who meets `other_line` is offered too."""
    wanted = list(needs)
    if municipality == Municipality.ELSEWHERE and wanted:
        wanted.append("other_line")
    able: list[tuple[PartnerAgency, list[str]]] = []
    for agency in directory().meeting(wanted) if wanted else ():
        met = agency.meets
        meets = [need for need in wanted if need in met]
        if takes(agency, age_band) and agency.serves(municipality):
            able.append((agency, meets))
    prefetch_related_objects([agency for agency, _meets in able], *STANDING)
    found: dict[str, list[Offer]] = {}
    for agency, meets in able:
        offer = offer_of(agency, meets=meets, municipality=municipality, language=language)
        offer.order = _order(offer)
        found.setdefault(agency.kind.channel, []).append(offer)
    for offers in found.values():
        offers.sort(key=lambda offer: offer.order)
    return found


def directory() -> AgencyQuerySet:
    """The agencies in use, with what tells whether they can help; how they stand now is asked of those that can."""
    people = AgencyMember.objects.filter(in_use("user__"), agency=OuterRef("pk"))
    rows = PartnerAgency.objects.active().annotate(has_people=Exists(people))
    return rows.with_codes()


def takes(agency: PartnerAgency, age_band: str) -> bool:
    """Whether it takes somebody of this age: its kind does, and what it has said of itself does."""
    return agency.kind.takes(age_band) and overlaps(age_band, agency.minimum_age, agency.maximum_age)


def offer_of(agency: PartnerAgency, *, meets: list[str], municipality: str | None, language: str = "") -> Offer:
    """One agency of `directory` as an offer."""
    return Offer(
        agency,
        meets,
        is_near=municipality is not None and municipality in agency.municipality_codes,
        standing=standing(agency),
        speaks=language if language != OUR_LANGUAGE and language in agency.languages else "",
        gets_mail=bool(agency.mailbox) or getattr(agency, "has_people", True),
    )


def _order(offer: Offer) -> tuple[object, ...]:
    """First is best. Who has no room or is away comes after those who can begin, whatever else speaks for them."""
    return (
        not offer.is_reached,
        offer.standing.is_full + offer.standing.is_away,
        ACUTE_NEED not in offer.meets,
        -len(offer.meets),
        not offer.is_near,
        not offer.is_open,
        offer.agency.name,
    )


def handovers(
    *,
    needs: Iterable[str],
    municipality: str | None,
    age_band: str,
    language: str = "",
) -> list[Offer]:
    """The agencies that a person can be handed to, best first."""
    found = rank(needs=needs, municipality=municipality, age_band=age_band, language=language)
    return found.get(HANDOVER, [])
