"""How an agency stands now: open or when it opens, away until, whether it has room; and what follows if it does not answer."""

import datetime as dt
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.models import User, in_use
from helpline.people.templatetags.people import say_day, say_time
from helpline.people.workdays import local
from referrals import deadlines, hours
from referrals.models import PartnerAgency, Referral


@dataclass(frozen=True)
class Standing:
    """One agency at one moment, by what it has said of itself."""

    is_open: bool
    opens: dt.datetime | None  # when it opens next; none: it is open, or nobody knows
    away_until: dt.date | None  # the last day of an absence that it is in
    is_full: bool  # it has said that it can take no more this week

    @property
    def is_away(self) -> bool:
        return self.away_until is not None

    @property
    def lines(self) -> list[str]:
        """What is good to know before one asks them, each as a sentence."""
        found = []
        if self.away_until:
            found.append(_("Away until %(day)s.") % {"day": say_day(self.away_until)})
        if self.is_open:
            found.append(_("Open now."))
        elif self.opens:
            found.append(_("Closed now, opens %(when)s.") % {"when": say_moment(self.opens)})
        else:
            found.append(_("Closed now."))
        if self.is_full:
            found.append(_("They have said that they cannot take any more this week."))
        return found


def standing(agency: PartnerAgency) -> Standing:
    """How it stands now. Asks no question more where hours and absences are at hand."""
    now = clock.now()
    away = agency.away_on(clock.local_date(now))
    is_open = agency.is_open(now)
    return Standing(
        is_open=is_open,
        opens=None if is_open else opens_next(agency, now),
        away_until=away.last_day if away else None,
        is_full=agency.room_left == 0,
    )


def opens_next(agency: PartnerAgency, moment: dt.datetime) -> dt.datetime | None:
    """When somebody answers there next, past its absences; none where that is not in sight."""
    for _again in range(len(agency.absences.all()) + 1):
        moment = hours.next_open(agency, moment)
        away = agency.away_on(clock.local_date(moment))
        if away is None:
            return moment if hours.is_open(agency, moment) else None
        moment = local(away.last_day + hours.A_DAY, dt.time())
    return None


def call_them(referral: Referral) -> str:
    """Where life may be at stake and nobody there reads what is sent: that one calls; else ""."""
    agency = referral.agency
    if referral.urgency != deadlines.ACUTE or agency.is_open(clock.now()):
        return ""
    opens = opens_next(agency, clock.now())
    when = _("They do not open before %(when)s.") % {"when": say_moment(opens)} if opens else _("They are closed.")
    call = _("Call them: %(phone)s.") % {"phone": agency.phone} if agency.phone else _("Call somebody who answers now.")
    return f"{when} {call}"


def on_silence(referral: Referral, reader: User) -> list[str]:
    """What happens if a draft is sent now and nobody answers: each rung with its time, as sentences in their order."""
    now = clock.now()
    due = deadlines.answer_due(referral.urgency, now, referral.agency)
    at = deadlines.ladder(urgency=referral.urgency, agency=referral.agency, sent=now, due=due)
    said = {rung: say_moment(moment) for rung, moment in at.items()}
    if at["nudge"] <= at["deputy"] <= at["owner"]:
        found = [_reminded(referral.agency) % said, capfirst(_who_calls(referral, reader) % said)]
    else:  # they sleep, and we do not wait for them
        found = [
            capfirst(_("if they do not answer: %(what)s") % {"what": _who_calls(referral, reader) % said}),
            _("They are reminded when they open, %(nudge)s.") % said,
        ]
    return [*found, _("Then the unit manager is told %(manager)s, and %(expire)s the handover comes back.") % said]


def _reminded(agency: PartnerAgency) -> str:
    deputies = agency.members.filter(in_use("user__"), is_deputy=True)
    if agency.deputy_mailbox or deputies.exists():
        return _("If they do not answer they are reminded %(nudge)s, then their deputy %(deputy)s.")
    return _("If they do not answer they are reminded %(nudge)s, and again %(deputy)s.")


def _who_calls(referral: Referral, reader: User) -> str:
    owner = referral.case.owner
    if owner is None or owner.pk == reader.pk:
        return _("%(owner)s it is you who calls them.")
    # The name is written out of the way of the placeholders of the times.
    name = str(owner).replace("%", "%%")
    return _("%(when)s it is %(name)s who calls them.") % {"when": "%(owner)s", "name": name}


def say_moment(moment: dt.datetime) -> str:
    """A moment as it is said within a sentence."""
    return f"{say_day(clock.local_date(moment))} {say_time(moment)}"
