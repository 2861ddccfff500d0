"""Who can help with each need of a call or a case: the ranked agencies, grouped under the need that asks for them; and who
is next when a handover came back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from intake import triage
from intake.models import Case
from referrals import states
from referrals.asked_first import said_first
from referrals.models import Referral
from referrals.partners import DEIDENTIFIED, HANDOVER, SIGNPOST
from referrals.ranking import Offer, directory, offer_of, rank
from referrals.ruled_out import is_ruled_out, noes_of

TURNED_AWAY = states.CAME_BACK
HISTORY: dict[str, str | Promise] = {
    "declined": _("has said no"),
    "expired": _("did not answer"),
    "returned": _("gave it back"),
    "failed": _("did not help"),
    "withdrawn": _("we took it back"),
    **dict.fromkeys(states.OPEN, _("has a handover now")),
    "completed": _("has helped before"),
    "draft": _("a draft is begun"),
}
WEIGHT = list(HISTORY)  # those that tell most first
PLACE = {"yes": -1, "no": 1}  # of those that were asked without a name, beside the others

Sort = Callable[[str, list[Offer]], list[Offer]]


@dataclass
class Group:
    """One need, why it is there, and who can help with it."""

    need: str
    reasons: list[str] = field(default_factory=list)
    handovers: list[Offer] = field(default_factory=list)
    signposts: list[Offer] = field(default_factory=list)
    consulted: list[Offer] = field(default_factory=list)
    told: set[int] = field(default_factory=set)  # where the caller was told to go alone for it, in this call or case

    @property
    def name(self) -> str:
        return triage.name_of("needs", self.need)


def groups(
    needs: Mapping[str, Iterable[object]],
    *,
    municipality: str | None,
    age_band: str,
    language: str = "",
    sort: Sort | None = None,
) -> list[Group]:
    """Need -> its reasons, as groups of ranked agencies. `sort` orders what stands under one need by what is known of it."""
    ranked = rank(needs=needs, municipality=municipality, age_band=age_band, language=language)
    named = dict.fromkeys([*needs, *(need for offers in ranked.values() for offer in offers for need in offer.meets)])
    sort = sort or (lambda need, offers: offers)
    return [
        Group(
            need,
            reasons=[str(reason) for reason in needs.get(need, ())],
            handovers=sort(need, _meeting(need, ranked.get(HANDOVER, []))),
            signposts=_meeting(need, ranked.get(SIGNPOST, [])),
            consulted=sort(need, _meeting(need, ranked.get(DEIDENTIFIED, []))),
        )
        for need in named
    ]


def groups_of(case: Case) -> list[Group]:
    """Who can help with each need of a case."""
    return groups(
        dict.fromkeys(case.needs, ()),
        municipality=case.municipality_id,
        age_band=case.age_band,
        language=case.language,
        sort=known_of(case, case.age_band),
    )


def known_of(case: Case, age_band: str) -> Sort:
    """Under one need: who has said without a name that they can comes first; last who has said that they cannot, who has
    turned this need away, and whom a reason of an earlier no rules out."""
    noes, said, last = noes_of(case), said_first(case), _last(case)

    def of(offer: Offer, need: str) -> Offer:
        key = (offer.agency.pk, need)
        return replace(offer, has_declined=last.get(key) in TURNED_AWAY, says=said.get(key, ""))

    def place(offer: Offer, need: str) -> tuple[object, ...]:
        out = is_ruled_out(offer.agency, need=need, age_band=age_band, noes=noes)
        return (offer.has_declined, out, PLACE.get(offer.says, 0), offer.order)

    return lambda need, offers: sorted((of(offer, need) for offer in offers), key=lambda one: place(one, need))


def next_best(referral: Referral) -> list[Offer]:
    """Whom to ask now that a handover came back: the agency that it suggested itself, then the best for the need. Without
    those that a reason given in this case rules out, those that have a handover of this need now, those that nobody
    reaches, and those that have said without a name that they cannot."""
    case, need, age = referral.case, referral.need, referral.age_band
    noes, said = noes_of(case), said_first(case)
    busy = {one.agency_id for one in case.referrals.all() if one.need == need and one.state in states.OPEN}
    found = rank(needs=[need], municipality=case.municipality_id, age_band=age, language=case.language)
    offers = [*_suggested(referral), *found.get(HANDOVER, [])]
    best: dict[int, Offer] = {}
    for offer in offers:
        agency = offer.agency
        out = agency.pk in busy or is_ruled_out(agency, need=need, age_band=age, noes=noes)
        says = said.get((agency.pk, need), "")
        if not out and offer.is_reached and says != "no":
            best.setdefault(agency.pk, replace(offer, says=says))
    return sorted(best.values(), key=lambda offer: (offer.suggested_by is None, PLACE.get(offer.says, 0), offer.order))


def askable(case: Case, *, need: str, age_band: str) -> list[Offer]:
    """Whom this can be asked without a name, best first: those that the system itself can write to."""
    found = rank(needs=[need], municipality=case.municipality_id, age_band=age_band, language=case.language)
    offers = known_of(case, age_band)(need, [*found.get(HANDOVER, []), *found.get(DEIDENTIFIED, [])])
    return [offer for offer in offers if offer.gets_mail]


def _suggested(referral: Referral) -> list[Offer]:
    """Whom the agency named when it gave it back, where that one can be handed anything."""
    last = referral.changes.filter(suggested__isnull=False).order_by("-at", "-id")
    pk = last.values_list("suggested", flat=True).first()
    agency = directory().filter(pk=pk).first() if pk else None
    if agency is None or agency.kind.channel != HANDOVER:
        return []
    case = referral.case
    meets = [referral.need] if referral.need in agency.meets else []
    offer = offer_of(agency, meets=meets, municipality=case.municipality_id, language=case.language)
    return [replace(offer, suggested_by=referral.agency)]


# -- what there was before ---------------------------------------------------------------------------------------------


def history_of(case: Case) -> dict[int, list[str]]:
    """Agency -> the states that its handovers of this case's needs came to, those that tell most first. What came of an
    earlier one stands, also when a draft is begun or another need is with them."""
    found: dict[int, list[str]] = {}
    for (agency, _need), state in sorted(_last(case).items(), key=lambda item: WEIGHT.index(item[1])):
        found.setdefault(agency, []).append(state)
    for agency in {one.agency_id for one in case.referrals.all() if one.state == "draft"}:
        if "draft" not in found.setdefault(agency, []):
            found[agency].append("draft")
    return found


def words_of(case: Case) -> dict[int, str]:
    """Agency -> what there was with it before, in words."""
    return {
        agency: ", ".join(dict.fromkeys(str(HISTORY[state]) for state in found))
        for agency, found in history_of(case).items()
    }


def _last(case: Case) -> dict[tuple[int, str], str]:
    """(agency, need) -> the state of what was last sent to it."""
    sent = sorted(
        (one for one in case.referrals.all() if one.state != "draft"), key=lambda one: (one.created_at, one.pk)
    )
    return {(one.agency_id, one.need): one.state for one in sent}


def _meeting(need: str, offers: list[Offer]) -> list[Offer]:
    return [offer for offer in offers if need in offer.meets]
