"""What a handover that came back rules out: one table of reasons, read for the same case. It rules out an offer, never a
choice: who is ruled out can still be chosen from the whole directory.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from intake.models import Case
from referrals.ages import overlaps
from referrals.came_back import reasons_of
from referrals.models import PartnerAgency
from referrals.states import CAME_BACK

PRIVATE = "civil_society"  # a private body has rules of its own; public ones of a kind follow the same


@dataclass(frozen=True)
class No:
    """One handover that came back: from whom, of which need and age, and why ("": they did not answer)."""

    agency: PartnerAgency
    need: str
    age_band: str
    reason: str


Reach = Callable[[PartnerAgency, No], bool]  # whether another agency falls away with the one of the no


def nobody(agency: PartnerAgency, no: No) -> bool:
    """Not even the one that it was with."""
    return False


def itself(agency: PartnerAgency, no: No) -> bool:
    """The one that it was with."""
    return agency.pk == no.agency.pk


def same_area(agency: PartnerAgency, no: No) -> bool:
    """And those of its kind that serve no more than it does: it would not be their area either."""
    if itself(agency, no):
        return True
    if agency.type != no.agency.type or agency.nationwide:
        return False
    return no.agency.nationwide or agency.municipality_codes <= no.agency.municipality_codes


def same_rules(agency: PartnerAgency, no: No) -> bool:
    """And the public bodies of its kind, which decide by the same law. Of private bodies each has rules of its own."""
    public = PRIVATE not in {agency.receiver, no.agency.receiver}
    return itself(agency, no) or (public and (agency.type, agency.receiver) == (no.agency.type, no.agency.receiver))


def same_ages(agency: PartnerAgency, no: No) -> bool:
    """And those of its kind that take the same ages; one that has said other ages, and takes this one, stays."""
    if itself(agency, no):
        return True
    said = agency.minimum_age is not None or agency.maximum_age is not None
    other_ages = (agency.minimum_age, agency.maximum_age) != (no.agency.minimum_age, no.agency.maximum_age)
    stays = said and other_ages and overlaps(no.age_band, agency.minimum_age, agency.maximum_age)
    return agency.type == no.agency.type and not stays


@dataclass(frozen=True)
class Rule:
    """Whom a reason rules out, and whether for every need of the case or for that need alone. An age that was wrong rules
    out only as long as the person is held to be of that age."""

    who: Reach
    every_need: bool = False
    while_age: bool = False


# Why it came back -> what that rules out.
RULED_OUT: dict[str, Rule] = {
    # the agency said no, or gave it back
    "no_capacity": Rule(itself),  # they are full with this; another of their kind may have room
    "not_our_area": Rule(same_area, every_need=True),
    "not_eligible": Rule(same_rules),
    "wrong_age": Rule(same_ages, while_age=True),
    "conflict": Rule(itself, every_need=True),  # somebody there is too near: whatever the need
    "unsafe": Rule(itself, every_need=True),  # the same danger to them with any need
    "other": Rule(itself),
    # it did not lead to help
    "no_contact": Rule(itself),
    "withdrew": Rule(itself),
    "did_not_help": Rule(itself),
    # nobody answered
    "": Rule(itself),
    # we took it back
    "changed_mind": Rule(itself),  # the person does not want them for this
    "other_help": Rule(itself),
    "no_answer": Rule(itself),
    "sent_wrong": Rule(nobody),  # what was wrong was ours: they may be just right
    # the system did
    "consent_withdrawn": Rule(itself, every_need=True),  # the person does not want them to know
    "access_ended": Rule(nobody),  # only a time ran out
    "agency_gone": Rule(itself),
}


def noes_of(case: Case) -> list[No]:
    """What came back in a case, oldest first. As many questions, however many they are."""
    back = sorted(
        (one for one in case.referrals.all() if one.state in CAME_BACK), key=lambda one: (one.created_at, one.pk)
    )
    prefetch_related_objects(back, "agency__municipalities")
    why = reasons_of(back)
    return [No(one.agency, one.need, one.age_band, why[one.pk]) for one in back]


def is_ruled_out(agency: PartnerAgency, *, need: str, age_band: str, noes: Iterable[No]) -> bool:
    """Whether a reason that was given in the case speaks against offering this agency for the need."""
    return any(_speaks_against(agency, no, need, age_band) for no in noes)


def _speaks_against(agency: PartnerAgency, no: No, need: str, age_band: str) -> bool:
    rule = RULED_OUT.get(no.reason, Rule(itself))  # a reason that is no longer in use
    if not (rule.every_need or no.need == need) or (rule.while_age and no.age_band != age_band):
        return False
    return rule.who(agency, no)
