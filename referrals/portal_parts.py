"""The questions without a name that wait for an agency: for its own page in the portal, and for a line in its inbox; and
who of us answers its call."""

from typing import Any

from helpline.people import clock
from helpline.people.models import User
from helpline.people.wall import as_granted, beyond_the_wall
from intake.whose import stand_in_of
from referrals.actions.pre_questions import open_answers
from referrals.gate import agency_of
from referrals.models import PartnerAgency, PreAnswer, Referral


def questions_for(agency: PartnerAgency) -> list[PreAnswer]:
    """What this agency, one's own, can answer now, by its time. Police have no list: they answer by the link alone."""
    return [] if agency.is_police else list(open_answers().filter(agency=agency))


def question_for(user: User, pk: Any) -> PreAnswer | None:
    """One that this person's agency was asked, whatever has become of it: who answers too late is told so."""
    agency = agency_of(user)
    if agency is None or agency.is_police:
        return None
    rows = PreAnswer.objects.filter(agency=agency, pk=pk)
    return as_granted(rows, "question", "question__case", "agency").first()


def answers_the_phone(referral: Referral) -> User | None:
    """Who of us to call about a handover: its owner, or who stands in. Our roster is none of an agency's business: it is
    asked beyond the wall for one name."""
    owner = referral.case.owner
    with beyond_the_wall():
        return stand_in_of(referral.case, owner, clock.today()) if owner else None
