"""The consents of a case as they are read: who said yes to what, to whom, how, until when, and whether it still holds."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from intake.models import Case
from intake.there import there_may_be
from referrals.labels import SHARED
from referrals.models import Consent, Referral
from referrals.of_case import handovers_of

GIVEN_BY: dict[str, Any] = {"self": _("The person"), "guardian": _("A guardian")}
FORMS: dict[str, Any] = {"spoken": _("spoken"), "written": _("in writing")}


@dataclass(frozen=True)
class Given:
    """One consent in words."""

    consent: Consent

    @property
    def who(self) -> str:
        return str(GIVEN_BY[self.consent.given_by])

    @property
    def form(self) -> str:
        return str(FORMS[self.consent.form])

    @property
    def scope(self) -> str:
        """What it covers."""
        return ", ".join(str(SHARED[code]).lower() for code in self.consent.scope if code in SHARED)


def shown_of(case: Case) -> list[Consent]:
    """The same for the page of a case: of the handovers that are read there, where there is no other."""
    if there_may_be(case, "unused"):
        return list(consents_of(case))
    used = {one.consent.pk: one.consent for one in handovers_of(case) if one.consent}
    return sorted(used.values(), key=lambda one: (one.given_at, one.pk), reverse=True)


def consents_of(case: Case) -> QuerySet[Consent]:
    """Those that something rests on, or that were withdrawn, newest first. One that was written anew while a draft was made
    is not among them: the later one took its place."""
    used = Exists(Referral.objects.filter(consent=OuterRef("pk")))
    found = case.consents.filter(Q(used) | Q(withdrawn_at__isnull=False))
    return found.select_related("agency", "taken_by", "withdrawn_to").order_by("-given_at", "-pk")
