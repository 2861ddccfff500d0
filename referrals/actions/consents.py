"""A consent is taken back: what is not sent is stopped, what is sent ends, the agency is told."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import TooLate
from helpline.people.models import User
from intake.actions.timeline import lock, record
from referrals.actions.moves import withdraw
from referrals.models import Consent, Referral
from referrals.states import OPEN, OWNER


def withdraw_consent(*, by: User, consent: Consent, text: str = "") -> int:
    """Write down that the person takes a consent back (it can be taken back at any time, for what is to come). Drafts lose
    it; handovers that stand on it are taken back. Returns how many were. Raises TooLate where it was withdrawn before."""
    with transaction.atomic():
        case = lock(consent.case)
        held = Consent.objects.filter(pk=consent.pk, withdrawn_at__isnull=True)
        if not held.update(withdrawn_at=clock.now(), withdrawn_to=by):
            raise TooLate(_("This consent was withdrawn before."))
        codes: dict[str, Any] = {"agency": consent.agency.name, "agency_id": consent.agency_id}
        record("consent.withdrawn", by=by, case=case, text=text, row=consent.pk, **codes)
        Referral.objects.filter(consent=consent, state="draft").update(consent=None, approved_at=None)
        standing = list(Referral.objects.filter(consent=consent, state__in=OPEN).order_by("pk"))
        for referral in standing:
            withdraw(by=by, referral=referral, reason="consent_withdrawn", text=text, who=OWNER)
    return len(standing)
