"""Which agency the caller has agreed to, and may therefore be told of by name."""

from django.core.exceptions import ValidationError

from intake.models import Call, FollowUp
from referrals.models import Referral, Signposting
from referrals.states import ASKING, REFERRAL


def agency_agreed_to(step: FollowUp) -> str:
    """The name of the agency of a step, where the caller consented to that very handover and still does; else "": on any
    other ground the caller is not told whom we have asked, nor that we have."""
    if step.kept_by not in {REFERRAL, ASKING} or not step.about:
        return ""
    try:
        referral = Referral.objects.select_related("agency", "consent").filter(pk=step.about, case=step.case_id).first()
    except ValidationError:  # about something else than a referral
        return ""
    ground = referral.legal_ground if referral else None
    if (
        referral is None
        or ground is None
        or not ground.is_consent
        or not referral.consent
        or not referral.consent.holds
    ):
        return ""
    return referral.agency.name if referral.consent.given_by == "self" else ""


def told_to_go_to(call: Call) -> list[tuple[str, str]]:
    """The places that the caller was told of in a call, to go there alone: (name, phone number)."""
    told = Signposting.objects.filter(call=call).order_by("given_at", "pk")
    return list(dict.fromkeys(told.values_list("agency__name", "agency__phone")))
