"""What there is of handovers in a case: asked with its row, and read once for its page."""

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, prefetch_related_objects

from intake.models import Case
from intake.there import there_may_be
from referrals.models import Consent, PreQuestion, Referral

OF = OuterRef("pk")


def asked_of_row() -> dict[str, Any]:
    """This floor's part of what a case is asked (intake.there). `has_unused`: consents that no handover rests on, and that
    were withdrawn."""
    unused = Consent.objects.filter(case=OF, withdrawn_at__isnull=False)
    return {
        "has_handovers": Exists(Referral.objects.filter(case=OF)),
        "has_questions": Exists(PreQuestion.objects.filter(case=OF)),
        "has_unused": Exists(unused.exclude(Exists(Referral.objects.filter(consent=OF)))),
    }


def handovers_of(case: Case) -> list[Referral]:
    """Its handovers with agency and consent, newest first: read once for this row of the case, and not where there is none."""
    if not there_may_be(case, "handovers"):
        return []
    if "handovers" not in vars(case):
        related = ("agency", "consent__taken_by", "consent__withdrawn_to", "consent__agency")
        found = Referral.objects.select_related(*related).order_by("-created_at")
        prefetch_related_objects([case], Prefetch("referrals", found))
        case.handovers = list(case.referrals.all())  # type: ignore[attr-defined]  # read here alone
    rows: list[Referral] = vars(case)["handovers"]
    return rows
