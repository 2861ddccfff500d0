"""What agencies have answered, in words, for the first page of who waits for it."""

import datetime as dt
import uuid
from collections.abc import Collection

from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.models import Notice, User
from helpline.people.templatetags.people import say_day, say_time
from intake.news import Told
from referrals.labels import ANSWERS, EVENTS
from referrals.models import Referral

OURS = {"referral.question", "referral.commented", "referral.message"}  # they wait for a word of ours


def answers_in(user: User, notices: Collection[Notice]) -> dict[uuid.UUID, Told]:
    """Of these notices those that are an agency's answer: which agency, and what follows. One statement."""
    answers = [notice for notice in notices if notice.kind in ANSWERS and notice.about]
    if not answers:
        return {}
    asked = Referral.objects.visible_to(user).filter(pk__in={notice.about for notice in answers})
    needed = ("agency__name", "state", "contact_due_at", "contact_at", "hold_until")
    found = {str(referral.pk): referral for referral in asked.select_related("agency").only(*needed)}
    return {notice.pk: _told(notice.kind, found[notice.about]) for notice in answers if notice.about in found}


def _told(kind: str, referral: Referral) -> Told:
    until = say_day(referral.hold_until) if referral.hold_until else "–"
    text = str(EVENTS[kind]) % {"agency": referral.agency.name, "until": until}
    return Told(text, _what_follows(kind, referral), _("Answer") if kind in OURS else _("Read the answer"))


def _what_follows(kind: str, referral: Referral) -> str:
    """By when, as it stands now; what has gone on since is read in the case."""
    if kind == "referral.question" and referral.state == "question":
        return _("their time stands still until you answer")
    if referral.state == "accepted" and referral.contact_due_at:
        return _("they make contact by %(when)s") % {"when": _moment(referral.contact_due_at)}
    if referral.state == "contact_booked" and referral.contact_at:
        return _moment(referral.contact_at)
    return ""


def _moment(moment: dt.datetime) -> str:
    return f"{say_day(clock.local_date(moment))} {say_time(moment)}"
