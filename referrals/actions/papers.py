"""A handover that leaves the house on paper or in a secure message: each making is a disclosure."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import User
from intake.actions.timeline import record
from intake.gate import has_step
from intake.whose import stand_ins_of
from referrals.actions.checks import missing_for_ground, missing_words
from referrals.actions.disclosures import record_disclosure
from referrals.actions.go import end_steps_of, hold
from referrals.models import Disclosure, Referral
from referrals.papers import as_pdf, as_text, shared_on_paper
from referrals.states import OPEN

WAYS: dict[str, Callable[[Referral], Any]] = {Disclosure.Way.PDF: as_pdf, Disclosure.Way.TEXT: as_text}


def give_out(*, by: User, referral: Referral, way: str) -> Any:
    """Make it as a PDF (bytes) or as text, and write down that it was given out, in one: what is not written down is not
    made. Each making is a disclosure of its own. Raises Refused."""
    with transaction.atomic():
        held = hold(referral)
        missing = in_the_way(held, by)
        if missing:
            raise Refused(" ".join(missing))
        made = WAYS[way](held)
        record_disclosure(by=by, referral=held, way=way, parts=shared_on_paper(held))
        codes: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id, "way": way}
        record("referral.disclosed", by=by, case=held.case, row=held.pk, **codes)
        end_steps_of(held, by=by)
        return made


def in_the_way(referral: Referral, user: User) -> list[str]:
    """Why it is not given out on paper, each as a sentence; empty where nothing stands in the way."""
    found = []
    if not is_theirs(referral, user):
        found.append(_("Only the case's owner, or who stands in, gives it out."))
    if referral.case.is_practice:
        found.append(_("This is practice: nothing is sent to anybody."))
    if referral.case.protection != "none":
        found.append(
            _("The data are protected: they leave the house neither on paper nor as text. Call %(agency)s.")
            % {"agency": referral.agency}
        )
    if referral.state not in OPEN or not referral.case.is_open:
        found.append(_("It is not with the agency now."))
    if referral.access_until and referral.access_until < clock.today():
        found.append(_("The time in which the agency sees it has ended."))
    return [*found, *missing_words(referral), *missing_for_ground(referral)]


def is_theirs(referral: Referral, user: User) -> bool:
    """Whether it is for this one to give out: the case's owner, who stands in today, or has a step of the case in hand."""
    owner = referral.case.owner
    there = stand_ins_of(referral.case, owner, clock.today()) if owner else []
    return user in there or owner == user or has_step(referral.case, user)
