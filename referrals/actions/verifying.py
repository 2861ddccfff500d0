"""The yearly follow-up of the directory: is what stands about an agency still true?"""

import datetime as dt

from helpline.people import clock
from helpline.people.models import Notice, Role, User, in_use
from helpline.people.notices import notify
from helpline.people.workdays import local
from referrals.models import PartnerAgency

KIND = "agency.verify"
YEAR = 365  # days


def ask_to_verify() -> int:
    """Ask the keepers about each agency that nobody has checked for a year: a notice an agency, year and keeper. However
    many there are, a keeper gets one mail that day; the list of them stands on the keeper's page. Harmless when run again.
    Returns how many notices were made."""
    keepers = list(User.objects.filter(in_use(), role=Role.KEEPER))
    asked = set(Notice.objects.filter(kind=KIND).values_list("source", flat=True))
    made = 0
    for agency in PartnerAgency.objects.to_verify():
        for keeper in keepers:
            source = f"verify:{agency.pk}:{_round(agency)}:{keeper.pk}"
            if source not in asked:
                mails = not _mailed_today(keeper)
                made += notify(user=keeper, kind=KIND, source=source, about=str(agency.pk), mails=mails)
    return made


def _round(agency: PartnerAgency) -> str:
    """Which asking it is: the first a year after the check, then one a year; of what was never checked one a calendar year."""
    if agency.verified_on is None:
        return f"never.{clock.today().year}"
    return f"{agency.verified_on}.{(clock.today() - agency.verified_on).days // YEAR}"


def _mailed_today(keeper: User) -> bool:
    today = local(clock.today(), dt.time())
    return keeper.notices.filter(kind=KIND, created_at__gte=today).exclude(mail=Notice.Mail.NONE).exists()
