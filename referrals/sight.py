"""What the receiver sees of a referral, and nothing else: one source for the preview, the portal and what was shared."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.templatetags.people import say_day
from referrals import deadlines
from referrals.models import Referral
from referrals.states import OPEN

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
    identity_waits: str  # what they see of who it is once they have accepted, in words; "": nothing
    notes: list[str]
    access_until: dt.date | None = None  # the last day on which they see it

    @property
    def mark(self) -> str:
        """The class of the urgency's mark."""
        return f"mark-{self.urgency.lower()}"


def sight(referral: Referral, parts: list[Part] | None = None) -> Sight:
    """The referral as its receiver sees it now. `parts` stands in for the card while it is being written."""
    shown = referral.shows_identity or referral.state == "completed"
    return Sight(
        title=referral.need_name,
        urgency=referral.urgency,
        urgency_name=referral.urgency_name,
        answer_by=_answer_by(referral),
        parts=referral.card if parts is None else parts,
        identity=[pair for pair in _identity(referral) if pair[1]] if shown else [],
        identity_waits=_promised(referral) if referral.state in NOT_YET_ACCEPTED else "",
        notes=_notes(referral),
        access_until=_access_until(referral),
    )


def _answer_by(referral: Referral) -> dt.datetime | None:
    """When an answer is due; of a draft, when it would be if it were sent now."""
    if referral.state == "draft":
        return deadlines.answer_due(referral.urgency, clock.now(), referral.agency)
    return referral.answer_due_at if referral.is_waiting else None


def _access_until(referral: Referral) -> dt.date | None:
    """The last day on which they see it; of what has ended, none."""
    if referral.state == "draft":
        return deadlines.access_until(referral)
    return referral.access_until if referral.state in OPEN and referral.case.is_open else None


def _identity(referral: Referral) -> list[tuple[str, str]]:
    return [(_("Name"), referral.name), (_("Phone number"), referral.phone)]


def _promised(referral: Referral) -> str:
    """What is shown of who it is when they have accepted: no more than there is."""
    if referral.name and referral.phone:
        return _("Name and number")
    return next((label for label, words in _identity(referral) if words), "")


def _notes(referral: Referral) -> list[str]:
    return [*footing(referral, say_day), _("From %(unit)s. Secrecy under OSL 26:1.") % {"unit": referral.case.unit}]


def footing(referral: Referral, say: Callable[[dt.date], object]) -> list[str]:
    """On what footing they have it: what was read aloud, and whose consent holds until which day, as `say` says it."""
    found = []
    if referral.approved_at:
        found.append(_("The text was read aloud to the caller, who approved it."))
    ground, consent = referral.legal_ground, referral.consent
    if ground and ground.is_consent and consent and consent.holds:
        words = {
            "self": _("The person has consented to your having it, until %(day)s."),
            "guardian": _("A guardian has consented to your having it, until %(day)s."),
        }
        found.append(words[consent.given_by] % {"day": say(consent.valid_until)})
    return found
