"""The questions without a name that wait for an agency: for its own page in the portal, and for a line in its inbox."""

from typing import Any

from helpline.people.models import User
from referrals.actions.pre_questions import open_answers
from referrals.gate import agency_of
from referrals.models import PreAnswer


def questions_for(user: User) -> list[PreAnswer]:
    """What this person's agency can answer now, by its time. Police have no list: they answer by the link alone."""
    agency = agency_of(user)
    return [] if agency is None or agency.is_police else list(open_answers().filter(agency=agency))


def question_for(user: User, pk: Any) -> PreAnswer | None:
    """One that this person's agency was asked, whatever has become of it: who answers too late is told so."""
    agency = agency_of(user)
    if agency is None or agency.is_police:
        return None
    rows = PreAnswer.objects.select_related("question__case", "agency").filter(agency=agency)
    return rows.filter(pk=pk).first()
