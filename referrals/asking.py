"""Asking the caller whether a handover helped: whether somebody still does, and what follows from each answer, in words."""

from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import TooLate
from helpline.people.models import User
from helpline.people.templatetags.people import say_day
from referrals.actions.asking import mark_of, next_asking
from referrals.labels import BRINGS_BACK, CALLER_ANSWERS
from referrals.models import Referral


def still_asked(referral: Referral) -> bool:
    """Whether the caller is asked again; that it did not help is heard at any time."""
    return referral.case.is_open and bool(_mark(referral))


def follows(referral: Referral, reader: User) -> dict[str, str]:
    """Answer -> what happens then."""
    return {answer: _then(referral, answer, reader) for answer in CALLER_ANSWERS}


def _then(referral: Referral, answer: str, reader: User) -> str:
    if answer in BRINGS_BACK:
        return _back(referral, reader)
    coming = next_asking(referral, answer, _mark(referral)) if referral.case.is_open else None
    if coming is None:
        return _("The caller is not asked again about this.")
    return _("The caller is asked again %(day)s.") % {"day": say_day(clock.local_date(coming[1]))}


def _back(referral: Referral, reader: User) -> str:
    owner = referral.case.owner
    if not referral.case.is_open:
        return _("The case is opened again, with the same person. Somebody else is chosen.")
    if owner is None or owner.pk == reader.pk:
        return _("It is yours again: you choose who can help instead.")
    return _("It is back with %(owner)s: somebody else is chosen.") % {"owner": owner}


def _mark(referral: Referral) -> str:
    try:
        return mark_of(referral)
    except TooLate:
        return ""
