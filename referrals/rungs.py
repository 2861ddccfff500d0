"""The ladder of one handover's silence in words: what has been climbed is in the timeline, and this is what comes."""

from collections.abc import Mapping

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from helpline.people.models import User, in_use
from referrals.models import PartnerAgency, Referral, SilenceRung
from referrals.standing import say_moment


def rungs_to_come(referral: Referral, reader: User) -> list[str]:
    """What happens while they do not answer: each rung that is left, with its time, in the order of the times."""
    left = list(referral.rungs.filter(state=SilenceRung.State.SCHEDULED).order_by("due_at", "pk"))
    at = {row.rung: say_moment(row.due_at) for row in left}
    found = [str(words) % at for words in _sentences(referral, reader, [row.rung for row in left]) if words]
    return [capfirst(words) for words in found]


def _sentences(referral: Referral, reader: User, left: list[str]) -> list[str]:
    says = _says(referral, reader)
    if left[:2] == ["nudge", "deputy"]:
        return [_both(referral.agency), *(says[rung] for rung in left[2:])]
    return [says[rung] for rung in left]


def _says(referral: Referral, reader: User) -> Mapping[str, str]:
    has_deputy = _has_deputy(referral.agency)
    return {
        "nudge": _("If they do not answer they are reminded %(nudge)s."),
        "deputy": _("If they do not answer their deputy is told %(deputy)s.")
        if has_deputy
        else _("If they do not answer they are reminded again %(deputy)s."),
        "owner": _who_calls(referral, reader),
        "manager": _("If nobody has reached them the unit manager is told %(manager)s."),
        "expire": _("%(expire)s it is taken back, and somebody else is chosen."),
    }


def _both(agency: PartnerAgency) -> str:
    if _has_deputy(agency):
        return _("If they do not answer they are reminded %(nudge)s, then their deputy %(deputy)s.")
    return _("If they do not answer they are reminded %(nudge)s, and again %(deputy)s.")


def _has_deputy(agency: PartnerAgency) -> bool:
    named = agency.members.filter(in_use("user__"), is_deputy=True)
    return bool(agency.deputy_mailbox) or named.exists()


def _who_calls(referral: Referral, reader: User) -> str:
    owner = referral.case.owner
    if owner is None or owner.pk == reader.pk:
        return _("%(owner)s it is you who calls them.")
    name = str(owner).replace("%", "%%")  # the times are filled in afterwards
    return _("%(when)s it is %(name)s who calls them.") % {"when": "%(owner)s", "name": name}
