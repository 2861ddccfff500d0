"""A consent is taken back: what is not sent is stopped, what is sent ends, the agency is told."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import TooLate
from helpline.people.models import User
from intake.actions import reopen_case
from intake.actions.timeline import lock, record
from referrals.actions.moves import withdraw
from referrals.grounds import consent_grounds
from referrals.models import Consent, Referral
from referrals.states import OPEN, OWNER


def withdraw_consent(*, by: User, consent: Consent, text: str = "") -> int:
    """Write down that the person takes a consent back (it can be taken back at any time, for what is to come). Drafts lose
    it; handovers that stand on it are taken back, in a case that is opened again if it was closed. Returns how many were.
    Raises TooLate where it was withdrawn before."""
    with transaction.atomic():
        case = lock(consent.case)
        held = Consent.objects.filter(pk=consent.pk, withdrawn_at__isnull=True)
        if not held.update(withdrawn_at=clock.now(), withdrawn_to=by):
            raise TooLate(withdrawn_before(consent))
        codes: dict[str, Any] = {"agency": consent.agency.name, "agency_id": consent.agency_id}
        record("consent.withdrawn", by=by, case=case, text=text.strip(), row=consent.pk, **codes)
        drafts_on(consent).update(consent=None, approved_at=None)
        standing = list(handovers_on(consent))
        if standing and not case.is_open:
            reopen_case(by=by, case=case)
        for referral in standing:
            withdraw(by=by, referral=referral, reason="consent_withdrawn", text=text, who=OWNER)
    return len(standing)


def drafts_on(consent: Consent) -> QuerySet[Referral]:
    """What is not sent yet and rests on this consent."""
    return Referral.objects.filter(consent=consent, state="draft").select_related("agency").order_by("pk")


def handovers_on(consent: Consent) -> QuerySet[Referral]:
    """What is with the agency because of this consent. What has another ground stands by itself."""
    found = Referral.objects.filter(consent=consent, ground__in=consent_grounds(), state__in=OPEN)
    return found.select_related("agency").order_by("pk")


def withdrawn_before(consent: Consent) -> str:
    """Who wrote down before that it was taken back."""
    now = Consent.objects.select_related("withdrawn_to").get(pk=consent.pk)
    if now.withdrawn_to is None:
        return _("This consent was withdrawn before.")
    return _("%(who)s has already written down that this consent is withdrawn.") % {"who": now.withdrawn_to}
