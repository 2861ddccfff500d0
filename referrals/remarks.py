"""What is worth a thought before a draft is sent, each as a sentence: it stops nothing."""

from django.utils.translation import gettext as _

from referrals.models import Referral
from referrals.ranking import takes


def remarks(referral: Referral) -> list[str]:
    """All of them for a draft as it was saved; empty where there is nothing to say."""
    found = (_no_account(referral), _no_way_to_reach(referral), _other_age(referral))
    return [words for words in found if words]


def _no_account(referral: Referral) -> str:
    """A mail alone would lead them to a door that they cannot open."""
    agency = referral.agency
    if agency.has_accounts or not agency.is_reached:  # who is not reached at all stands among what is missing
        return ""
    if agency.mailbox:
        return _("They have no account with us: make a link when it is sent, and call them with the code.")
    return _("They have no account with us: give it to them as a secure message when it is sent, and call them.")


def _no_way_to_reach(referral: Referral) -> str:
    ground = referral.legal_ground
    if referral.phone or referral.safe_contact.strip() or (ground and ground.needs == "no_identity"):
        return ""
    return _("No phone number comes along: how do they reach the person?")


def _other_age(referral: Referral) -> str:
    """Whether its kind, or what it has said of itself, takes the age that is chosen; an age not known is nobody's fault."""
    agency = referral.agency
    if referral.age_band == "unknown" or takes(agency, referral.age_band):
        return ""
    said = {"agency": agency, "age": referral.age_name.lower(), "ages": agency.ages}
    if agency.ages:
        return _("%(agency)s takes people %(ages)s, and the age chosen is %(age)s. Ask them first.") % said
    return _("%(agency)s does not take people of the age chosen: %(age)s. Ask them first.") % said
