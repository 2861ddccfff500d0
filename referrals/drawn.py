"""What the page of a draft was drawn from: a mark of each part, so that an old window overwrites nothing and revives
nothing, and so that it is known afterwards which parts either window changed."""

from django.utils.crypto import salted_hmac

from referrals.labels import CARD
from referrals.models import Referral

WORDS = [*CARD, "name", "phone", "ground", "ground_reason", "age_band", "kept_back"]
LENGTH = 12  # of the mark of one part, in characters


def mark_of_part(draft: Referral, part: str, text: str) -> str:
    """The mark of one part of one draft, if it says this."""
    return salted_hmac("referrals.drawn", f"{draft.pk} {part} {text}").hexdigest()[:LENGTH]


def mark_of(draft: Referral) -> str:
    """What a page carries that is drawn now: each part with its mark, also the consent and the approval."""
    return " ".join(f"{part}:{mark_of_part(draft, part, text)}" for part, text in _stands(draft).items())


def parts_of(mark: str) -> dict[str, str]:
    """The mark of each part; none of what is no mark of ours."""
    return dict(part.split(":", 1) for part in mark.split() if ":" in part)


def _stands(draft: Referral) -> dict[str, str]:
    consent = draft.consent
    given = (consent.pk, consent.form, consent.valid_until, consent.withdrawn_at) if consent else ""
    parts = [part for part in WORDS if part != "kept_back" or draft.agency.is_police]  # asked of nobody else
    return {
        **{part: getattr(draft, part) for part in parts},
        "leads": str(draft.leads),
        "consent": str(given),
        "approved": str(draft.approved_at),
    }
