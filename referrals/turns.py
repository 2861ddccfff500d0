"""Whose turn it is with a referral, and until when, in words."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from helpline.people import clock
from helpline.people.models import User
from helpline.people.templatetags.people import say_day, say_time
from intake.labels import Words
from intake.models import FollowUp
from referrals.models import Referral
from referrals.states import CAME_BACK

THEIRS: Words = {
    "sent": gettext_lazy("They answer by %(when)s"),
    "opened": gettext_lazy("They answer by %(when)s"),
    "accepted": gettext_lazy("%(agency)s makes contact by %(when)s"),
    "contact_booked": gettext_lazy("%(agency)s has a time with the caller %(when)s"),
    "on_hold": gettext_lazy("Waits until %(when)s"),
}
# What we do while our step waits: said to whom the step belongs, and to others.
YOURS: Words = {
    "question": gettext_lazy("You answer the question by %(when)s"),
    "contact_made": gettext_lazy("You ask the caller %(when)s"),
    "completed": gettext_lazy("You ask the caller %(when)s"),
    **dict.fromkeys(CAME_BACK, gettext_lazy("You choose who can help instead, by %(when)s")),
}
OWNERS: Words = {
    "question": gettext_lazy("%(owner)s answers the question by %(when)s"),
    "contact_made": gettext_lazy("%(owner)s asks the caller %(when)s"),
    "completed": gettext_lazy("%(owner)s asks the caller %(when)s"),
    **dict.fromkeys(CAME_BACK, gettext_lazy("%(owner)s chooses who can help instead, by %(when)s")),
}
# Nobody has anything left to do.
# Where a step of ours stands though the state is theirs: they are silent, or a contact was missed.
STEPS_OF_OURS: Words = {
    "call_agency": gettext_lazy("Call %(agency)s: they have not answered"),
    "missed_contact": gettext_lazy("The contact did not come about: see to it by %(when)s"),
    "three_way_call": gettext_lazy("Three-way call %(when)s"),
}
REST: Words = {
    "draft": gettext_lazy("Not sent yet"),
    "question": gettext_lazy("They wait for our answer"),
    "contact_made": gettext_lazy("They have had contact"),
    "completed": gettext_lazy("They have finished"),
    **dict.fromkeys(CAME_BACK, gettext_lazy("Ended")),
}


@dataclass(frozen=True)
class Line:
    """A referral with whose turn it is: one line of a list."""

    referral: Referral
    text: str
    until: dt.datetime | None
    is_ours: bool

    @property
    def is_masked(self) -> bool:
        """Whether a list shows no more of it than number, time and owner."""
        return self.referral.case.is_protected

    @property
    def is_late(self) -> bool:
        return self.until is not None and self.until < clock.now()

    @property
    def badge(self) -> str:
        """The class of the state's badge: ochre while something of ours waits, petrol when contact is made."""
        state = self.referral.state
        if state in {"contact_made", "completed"}:
            return "done"
        return "ours" if self.is_ours else ""


def lines(referrals: Iterable[Referral], reader: User) -> list[Line]:
    """Each with whose turn it is, as this person is told it. One query more, however many they are."""
    rows = list(referrals)
    steps = FollowUp.objects.planned().select_related("owner")
    steps = steps.filter(case__in={row.case_id for row in rows}, about__in=[str(row.pk) for row in rows])
    first = {step.about: step for step in steps.order_by("-due_at")}
    return [_line(row, first.get(str(row.pk)), reader) for row in rows]


def line(referral: Referral, reader: User) -> Line:
    """One of them."""
    return lines([referral], reader)[0]


def _line(referral: Referral, step: FollowUp | None, reader: User) -> Line:
    state = referral.state
    if step and step.kind in STEPS_OF_OURS:
        return Line(referral, _say(STEPS_OF_OURS[step.kind], referral, step.due_at), step.due_at, is_ours=True)
    if state in THEIRS:
        until = step.due_at if step and step.others_turn else referral.answer_due_at
        return Line(referral, _say(THEIRS[state], referral, until), until, is_ours=False)
    if step and state in YOURS:
        words = YOURS if step.owner_id == reader.pk else OWNERS
        return Line(referral, _say(words[state], referral, step.due_at, step.owner), step.due_at, is_ours=True)
    return Line(referral, str(REST[state]), None, is_ours=False)


def _say(words: object, referral: Referral, until: dt.datetime | None, who: User | None = None) -> str:
    when = f"{say_day(clock.local_date(until))} {say_time(until)}" if until else "–"
    return str(words) % {"when": when, "agency": referral.agency, "owner": who}
