"""The only doors to a referral: for staff through its case, for partners through their agency. Each reading is logged."""

from typing import Any

from django.http import Http404, HttpRequest

from helpline.people.audit import log
from helpline.people.models import User
from intake.gate import case_for, person
from referrals.models import AgencyMember, PartnerAgency, Referral


def referral_for(request: HttpRequest, pk: Any) -> Referral:
    """A referral of a case that one may open; that of a colleague's case asks for a reason first. Raises Http404."""
    found = (
        Referral.objects.visible_to(person(request)).select_related("case", "agency", "consent").filter(pk=pk).first()
    )
    if found is None:
        raise _refused(request, pk)
    found.case = case_for(request, found.case.code)
    _log(request, found)
    return found


def portal_referral_for(request: HttpRequest, pk: Any) -> Referral:
    """What was handed to one's own agency and is still with it. Raises Http404."""
    theirs = Referral.objects.for_agency_of(person(request))
    found = theirs.select_related("case__key", "case__unit", "case__owner", "agency", "consent").filter(pk=pk).first()
    if found is None:
        raise _refused(request, pk)
    _log(request, found)
    return found


def agency_of(user: User) -> PartnerAgency | None:
    """The agency that a partner answers for; none where there is none, or it is switched off."""
    member = AgencyMember.objects.select_related("agency").filter(user=user, agency__is_active=True).first()
    return member.agency if member else None


def _log(request: HttpRequest, referral: Referral) -> None:
    event = "referral.read" if request.method == "GET" else "referral.used"
    log(event, by=person(request), case=referral.case_id, row=referral.pk)


def _refused(request: HttpRequest, pk: Any) -> Http404:
    log("referral.refused", by=person(request), row=pk)
    return Http404()
