"""What the receiver sees of a referral, and nothing else: one source for the preview, the portal and what was shared."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.templatetags.people import say_day
from referrals import deadlines
from referrals.models import Referral

NOT_YET_ACCEPTED = {"draft", "sent", "opened", "question"}

Part = tuple[str, str, str]  # field, label, words


@dataclass(frozen=True)
class Sight:
    """One referral as its receiver reads it."""

    title: str
    urgency: str
    urgency_name: str
    answer_by: dt.datetime | None  # while an answer is waited for
    parts: list[Part]
    identity: list[tuple[str, str]]  # label and words, once the agency has accepted
    identity_waits: bool
    notes: list[str]
    access_until: dt.date | None = None  # the last day on which they see it

    @property
    def mark(self) -> str:
        """The class of the urgency's mark."""
        return f"mark-{self.urgency.lower()}"


def sight(referral: Referral, parts: list[Part] | None = None) -> Sight:
    """The referral as its receiver sees it now. `parts` stands in for the card while it is being written."""
    has_identity = bool(referral.name or referral.phone)
    shown = referral.shows_identity or referral.state == "completed"
    return Sight(
        title=referral.need_name,
        urgency=referral.urgency,
        urgency_name=referral.urgency_name,
        answer_by=_answer_by(referral),
        parts=referral.card if parts is None else parts,
        identity=[pair for pair in _identity(referral) if pair[1]] if shown else [],
        identity_waits=has_identity and referral.state in NOT_YET_ACCEPTED,
        notes=_notes(referral),
        access_until=deadlines.access_until(referral) if referral.state == "draft" else referral.access_until,
    )


def _answer_by(referral: Referral) -> dt.datetime | None:
    """When an answer is due; of a draft, when it would be if it were sent now."""
    if referral.state == "draft":
        return deadlines.answer_due(referral.urgency, clock.now(), referral.agency)
    return referral.answer_due_at if referral.is_waiting else None


def _identity(referral: Referral) -> list[tuple[str, str]]:
    return [(_("Name"), referral.name), (_("Phone number"), referral.phone)]


def _notes(referral: Referral) -> list[str]:
    """On what footing they have it."""
    found = []
    if referral.approved_at:
        found.append(_("The text was read aloud to the caller, who approved it."))
    ground, consent = referral.legal_ground, referral.consent
    if ground and ground.is_consent and consent and consent.holds:
        words = {
            "self": _("The person has consented to your having it, until %(day)s."),
            "guardian": _("A guardian has consented to your having it, until %(day)s."),
        }
        found.append(words[consent.given_by] % {"day": say_day(consent.valid_until)})
    found.append(_("From %(unit)s. Secrecy under OSL 26:1.") % {"unit": referral.case.unit})
    return found
