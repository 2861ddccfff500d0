"""The only doors to a referral: for staff through its case, for partners through their agency. Each reading is logged."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from helpline.people.audit import log
from helpline.people.models import User
from helpline.people.wall import as_granted, stand_also
from intake.gate import case_for, person
from referrals.actions.looks import may_be_looked_at, newest
from referrals.models import AgencyMember, FirstLook, PartnerAgency, Referral

LOOK = "look"  # in the session of a browser without a log-in: the look whose code was given there


def referral_for(request: HttpRequest, pk: Any) -> Referral:
    """A referral of a case that one may open; that of a colleague's case asks for a reason first. Raises Http404."""
    found = (
        Referral.objects.within_reach_of(person(request))
        .select_related("case", "agency", "consent")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise _refused(request, pk)
    found.case = case_for(request, found.case.code, of="referral", row=found.pk)
    found.follow_urgency()
    return found


def portal_referral_for(request: HttpRequest, pk: Any) -> Referral:
    """What was handed to one's own agency and is still with it. Raises Http404."""
    found = handed(request, pk)
    if found is None:
        raise _refused(request, pk)
    _log(request, found)
    return found


def handed(request: HttpRequest, pk: Any) -> Referral | None:
    """The same, read once more in a request whose reading is logged. None where it is not there (any more)."""
    theirs = Referral.objects.for_agency_of(person(request)).filter(pk=pk)
    return as_granted(theirs, "case", "case__key", "case__unit", "case__owner", "agency", "consent").first()


def left_for(request: HttpRequest, pk: Any) -> Referral | None:
    """What is left to one's own agency of a handover that has ended: to confirm that it has stopped, or to read our answer
    to its comment. None where nothing is."""
    user = person(request)
    left = as_granted(Referral.objects.to_confirm_by(user).filter(pk=pk)).first()
    answered = Referral.objects.answered_for(user).filter(pk=pk)
    left = left or as_granted(answered, "case", "case__key").first()
    if left is not None:
        _log(request, left)
    return left


def ended_before(request: HttpRequest, pk: Any) -> Referral:
    """What one's own agency had in its hands, whatever became of it: to say who was first to somebody whose words came too
    late, and nothing of what it holds. Raises Http404."""
    agency = agency_of(person(request))
    stand_also(ended=pk)
    had = Referral.objects.filter(agency=agency).exclude(state="draft") if agency else Referral.objects.none()
    found = as_granted(had.filter(pk=pk), "agency", "case").first()
    if found is None:
        raise Http404
    return found


def looked_at(request: HttpRequest) -> Referral | None:
    """What the code of a first look opened in this very browser: for half an hour, until it is answered or a new link is
    made. None where there is nothing (any more)."""
    pk = request.session.get(LOOK)
    stand_also(look=pk or "")
    looks = as_granted(
        FirstLook.objects.all(),
        *("referral", "referral__case", "referral__case__key", "referral__case__unit", "referral__case__owner"),
        *("referral__agency", "referral__consent"),
    )
    look = looks.filter(pk=pk).first() if pk else None
    if look is None or not (look.is_on and newest(look.referral) == look and may_be_looked_at(look.referral)):
        return None
    event = "referral.read" if request.method == "GET" else "referral.used"
    log(event, by=None, case=look.referral.case_id, row=look.referral_id, look=str(look.pk))
    return look.referral


def last_moment(referral: Referral) -> dt.datetime:
    """Until when a card that was opened by a link is shown."""
    look = newest(referral)
    assert look is not None and look.used_at is not None  # looked_at() has just let it through
    return look.used_at + look.LASTS


def agency_of(user: User) -> PartnerAgency | None:
    """The agency that a partner answers for; none where there is none, or it is switched off."""
    member = AgencyMember.objects.select_related("agency").filter(user=user, agency__is_active=True).first()
    return member.agency if member else None


def own_member(request: HttpRequest, *, manages: bool = False) -> AgencyMember:
    """Who this person is at their own agency. Raises Http404 where they have none in use, PermissionDenied where it takes
    somebody who manages its people and they do not."""
    user = person(request)
    members = AgencyMember.objects.filter(user=user, agency__is_active=True)
    found = as_granted(members, "agency", "user").first()
    if found is None:
        raise Http404
    if manages and not found.is_manager:
        log("agency.refused", by=user, row=found.agency_id)
        raise PermissionDenied
    return found


def own_agency(request: HttpRequest) -> PartnerAgency:
    """The agency of one's own, and no other. Raises Http404."""
    return own_member(request).agency


def _log(request: HttpRequest, referral: Referral) -> None:
    event = "referral.read" if request.method == "GET" else "referral.used"
    log(event, by=person(request), case=referral.case_id, row=referral.pk, why="agency")


def _refused(request: HttpRequest, pk: Any) -> Http404:
    log("referral.refused", by=person(request), row=pk)
    return Http404()
