"""What stands in the way of sharing: checked when a handover is sent, and again when a question is answered."""

import re

from django.utils.translation import gettext as _

from helpline.people import clock
from intake import protection
from intake.actions.tracks import no_identity
from intake.models import Case
from referrals import states
from referrals.actions.drafts import IDENTITY
from referrals.labels import CARD
from referrals.models import GroundSetting, Referral


def missing_parts(referral: Referral) -> list[str]:
    """What stands in the way of sending, each as a sentence; empty where nothing does."""
    return [*_missing_to_send(referral), *missing_words(referral), *missing_for_ground(referral)]


def _missing_to_send(referral: Referral) -> list[str]:
    """Whether it can go to this agency at all."""
    found = []
    if referral.case.is_practice:
        found.append(_("This is practice: nothing is sent to anybody."))
    if not referral.case.is_open:
        found.append(_("The case is closed."))
    if not referral.agency.is_active:
        found.append(_("%(agency)s no longer takes handovers.") % {"agency": referral.agency})
    elif not referral.agency.is_reached:
        found.append(
            _("Nobody at %(agency)s would get the message: it has no mailbox and no account.")
            % {"agency": referral.agency}
        )
    if referral.leads and (other := leading_other(referral)):
        text = _(
            "A handover of the same need is already with %(agency)s. Let this one stand alongside it, or take the other back."
        )
        found.append(text % {"agency": other.agency})
    return found


def missing_words(referral: Referral) -> list[str]:
    """What the text lacks, or holds that it may not."""
    found = []
    if (referral.name or referral.phone) and not referral.case.takes_identity:
        found.append(no_identity(referral.case.track))
    if protection.forbids_address(referral) and _has_address(referral):
        found.append(_("An address may not be shared of somebody whose data are protected. Take it out of the text."))
    if not referral.ask.strip():
        found.append(_("Say what the agency is asked to do."))
    if not referral.happened.strip():
        found.append(_("Say what has happened."))
    if referral.agency.is_police and not referral.kept_back.strip():
        found.append(_("Write what is not shared with the police, and why."))
    return found


def leading_other(referral: Referral) -> Referral | None:
    """The leading handover of the same need that is with an agency already."""
    others = referral.case.referrals.exclude(pk=referral.pk).filter(need=referral.need, leads=True)
    return others.filter(state__in=states.OPEN).select_related("agency").first()


def _has_address(referral: Referral) -> bool:
    return any(protection.has_address(getattr(referral, field)) for field in (*CARD, "ground_reason", *IDENTITY))


def missing_for_ground(referral: Referral, more: str = "") -> list[str]:
    """What the ground lacks for what is shared, and for `more` words that are to be."""
    on = GroundSetting.switched_on(referral.case.unit.municipality_id)
    allowed = {ground.code: ground for ground in referral.agency.grounds_for(referral.age_band, clock.today(), on)}
    ground = allowed.get(referral.ground)
    if ground is None:
        return [_("Choose a legal ground that is possible for this receiver, this age and today.")]
    found = []
    if ground.reason and not referral.ground_reason.strip():
        found.append(_("Write why this ground holds."))
    if ground.is_consent:
        consent = referral.consent
        wanted = "guardian" if ground.needs == "guardian_consent" else "self"
        if not (consent and consent.holds and consent.agency_id == referral.agency_id and consent.given_by == wanted):
            found.append(_("Write down the consent: how it was given, and until when."))
        elif referral.state == "draft" and set(referral.shared) - set(consent.scope):
            found.append(
                _("The consent does not cover all that is shared. Read it aloud again and tick that it is approved.")
            )
        if referral.approved_at is None:
            found.append(_("Read the text aloud to the caller and tick that it is approved."))
    if ground.needs == "no_identity":
        found += _identity_in(referral, more)
    return found


def _identity_in(referral: Referral, more: str = "") -> list[str]:
    """A referral without identity carries no name, number or way to reach anybody: not in its fields, not in its words."""
    if referral.name or referral.phone:
        return [_("Without identity, no name and no number can be shared.")]
    if referral.safe_contact:
        return [_("Without identity there is nobody to reach. Empty “Safe contact”.")]
    return points_at_somebody(referral.case, " ".join([*(getattr(referral, field) for field in CARD), more]))


def points_at_somebody(case: Case, text: str) -> list[str]:
    """Whether words name a person of the case, or hold a number or an address by which anybody is reached."""
    if _names_somebody(case, text):
        return [_("The text names a person of the case. Take the name out, or choose another ground.")]
    if _holds_number(text):
        return [_("The text holds a long number or an address. Take it out, or choose another ground.")]
    return []


def not_yet_theirs(referral: Referral, text: str) -> list[str]:
    """Whether words that an agency is to read tell it who it is about, where it does not see that: before it has accepted,
    or where the name or the number is not shared. Whatever the ground is."""
    found = []
    if "name" not in referral.shown and _names_somebody(referral.case, text):
        found.append(_("The agency does not have the name. Take it out of the text."))
    if "phone" not in referral.shown and _holds_number(text):
        found.append(_("The agency does not have the number. Take long numbers and addresses out of the text."))
    return found


def _names_somebody(case: Case, text: str) -> bool:
    names = {part for person in case.people.all() for part in re.findall(r"\w{3,}", person.name)}
    words = {word.casefold() for word in re.findall(r"\w+", text)}
    return any(word.startswith(name.casefold()) for name in names for word in words)


def _holds_number(text: str) -> bool:
    return bool(re.search(r"(?:\d[\s().,/+-]*){6,}", text)) or "@" in text
