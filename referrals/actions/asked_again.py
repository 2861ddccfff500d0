"""What the person had to tell again: the agency says so, and the ledger of bounces counts it."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake.actions.bounces import record_bounce
from intake.actions.timeline import record
from referrals.actions.go import already, hold, names
from referrals.labels import CARD
from referrals.models import AskedAgain, Referral

OTHER = "other"
AFTER_CONTACT = {"contact_made"}


def asked_again(*, by: User, referral: Referral, what: Iterable[str], text: str = "") -> AskedAgain:
    """The agency had to ask the person again for what the card should have told it: which parts. Once a handover, after
    the contact. Raises Refused or TooLate."""
    parts = [code for code in (*CARD, OTHER) if code in set(what)]
    if not parts:
        raise Refused(_("Choose what you had to ask again."), at="what")
    if parts == [OTHER] and not text.strip():
        raise Refused(_("Say what it was."), at="text")
    with transaction.atomic():
        held = hold(referral)
        before = held.asked_again.first()
        if before and before.by_id == by.pk and (before.what, before.text) == (parts, text.strip()):
            return before  # the same press
        if held.state not in AFTER_CONTACT:
            raise TooLate(already(held))
        if before:
            raise TooLate(_("Somebody with you has already written this down."))
        made = AskedAgain.objects.create(referral=held, what=parts, by=by, text=text.strip(), at=clock.now())
        codes: dict[str, Any] = {"what": parts, "agency": held.agency.name, "agency_id": held.agency_id}
        record("referral.asked_again", by=by, case=held.case, text=text.strip(), row=made.pk, **codes)
        record_bounce(cause="told_again", source=f"asked_again:{made.pk}", case=held.case, by=by, **names(held))
        return made
