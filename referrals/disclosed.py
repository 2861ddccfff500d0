"""What left the house with one handover, in words: to whom, by which way, what and what not, on which ground, who decided."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from intake.labels import Words
from referrals.grounds import grounds
from referrals.labels import DISCLOSURE_WAYS, SHARED
from referrals.models import Disclosure, Referral

# What was given that time alone, where it was not the card; what they saw before stands in the rows before.
THAT: Words = {"answer": gettext_lazy("our answer"), "message": gettext_lazy("our message")}


@dataclass(frozen=True)
class Disclosed:
    """One disclosure as it is read."""

    at: dt.datetime
    way: str
    shared: str
    withheld: str
    ground: str
    by: str
    text: str  # what was held back and why, in the decider's words


def disclosed(referral: Referral) -> list[Disclosed]:
    """Every disclosure of a handover, oldest first."""
    rows = referral.disclosures.select_related("decided_by").order_by("decided_at", "pk")
    return [_in_words(row) for row in rows]


def _in_words(row: Disclosure) -> Disclosed:
    ground = grounds().get(row.ground)
    return Disclosed(
        at=row.decided_at,
        way=str(DISCLOSURE_WAYS[row.way]),
        shared=str(THAT[row.way]) if row.way in THAT else _names(row.shared),
        withheld="" if row.way in THAT else _names(row.withheld),
        ground=", ".join(part for part in (ground.name if ground else row.ground, row.law) if part),
        by=str(row.decided_by),
        text=row.words,
    )


def _names(codes: list[str]) -> str:
    return ", ".join(str(SHARED[code]).lower() for code in codes if code in SHARED)
