"""Partner agencies and their people; referrals, what was shared and on which ground, and every change of state."""

from referrals.models.agencies import (
    AgencyAbsence,
    AgencyMember,
    AgencyQuerySet,
    GroundSetting,
    OpeningHours,
    PartnerAgency,
)
from referrals.models.asking import FirstLook, PreAnswer, PreQuestion, Signposting
from referrals.models.consents import Consent, Disclosure
from referrals.models.exchange import AskedAgain, CallerAnswer, Message, QualityComment
from referrals.models.referrals import Referral, ReferralQuerySet, StateChange
from referrals.models.silence import SilenceRung

__all__ = [
    "AgencyAbsence",
    "AgencyMember",
    "AgencyQuerySet",
    "AskedAgain",
    "CallerAnswer",
    "Consent",
    "Disclosure",
    "FirstLook",
    "GroundSetting",
    "Message",
    "OpeningHours",
    "PartnerAgency",
    "PreAnswer",
    "PreQuestion",
    "QualityComment",
    "Referral",
    "ReferralQuerySet",
    "Signposting",
    "SilenceRung",
    "StateChange",
]
