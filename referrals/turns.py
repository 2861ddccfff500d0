"""Whose turn it is with a referral, and until when, in words."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext_lazy

from helpline.people import clock
from helpline.people.models import User
from helpline.people.templatetags.people import say_day, say_time
from intake.labels import Words
from intake.models import FollowUp
from referrals.models import QualityComment, Referral
from referrals.states import CAME_BACK

# By the step that waits: an agency's, as everybody is told it.
THEIRS: Words = {
    "await_answer": gettext_lazy("They answer by %(when)s"),
    "await_contact": gettext_lazy("%(agency)s makes contact by %(when)s"),
    "booked_contact": gettext_lazy("%(agency)s has a time with the caller %(when)s"),
    "held_until": gettext_lazy("Waits until %(when)s"),
}
# One of ours: said to whom the step belongs, and to others.
_ASKS = ("confirm_contact", "ask_month", "ask_quarter")
YOURS: Words = {
    "call_agency": gettext_lazy("They have not answered: you call them by %(when)s"),
    "answer_question": gettext_lazy("You answer the question by %(when)s"),
    "give_contact": gettext_lazy("You give %(agency)s what they need to make contact, by %(when)s"),
    "answer_comment": gettext_lazy("You answer their comment by %(when)s"),
    "read_message": gettext_lazy("You read their message by %(when)s"),
    "three_way_call": gettext_lazy("You, %(agency)s and the caller speak together %(when)s"),
    "missed_contact": gettext_lazy("The contact did not come about: you see to it by %(when)s"),
    "bring_handover": gettext_lazy("They have not got it yet: you bring it to them by %(when)s"),
    "bring_answer": gettext_lazy("You bring them the answer by %(when)s"),
    "tell_to_stop": gettext_lazy("You call them by %(when)s: they must stop"),
    "choose_next": gettext_lazy("You choose who can help instead, by %(when)s"),
    **dict.fromkeys(_ASKS, gettext_lazy("You ask the caller %(when)s")),
}
OWNERS: Words = {
    "call_agency": gettext_lazy("They have not answered: %(owner)s calls them by %(when)s"),
    "answer_question": gettext_lazy("%(owner)s answers the question by %(when)s"),
    "give_contact": gettext_lazy("%(owner)s gives %(agency)s what they need to make contact, by %(when)s"),
    "answer_comment": gettext_lazy("%(owner)s answers their comment by %(when)s"),
    "read_message": gettext_lazy("%(owner)s reads their message by %(when)s"),
    "three_way_call": gettext_lazy("%(owner)s, %(agency)s and the caller speak together %(when)s"),
    "missed_contact": gettext_lazy("The contact did not come about: %(owner)s sees to it by %(when)s"),
    "bring_handover": gettext_lazy("They have not got it yet: %(owner)s brings it to them by %(when)s"),
    "bring_answer": gettext_lazy("%(owner)s brings them the answer by %(when)s"),
    "tell_to_stop": gettext_lazy("%(owner)s calls them by %(when)s: they must stop"),
    "choose_next": gettext_lazy("%(owner)s chooses who can help instead, by %(when)s"),
    **dict.fromkeys(_ASKS, gettext_lazy("%(owner)s asks the caller %(when)s")),
}
# No step of it waits.
REST: Words = {
    "draft": gettext_lazy("Not sent yet"),
    "question": gettext_lazy("They wait for our answer"),
    "contact_made": gettext_lazy("They have had contact"),
    "completed": gettext_lazy("They have finished"),
    **dict.fromkeys(CAME_BACK, gettext_lazy("Ended")),
    **dict.fromkeys(("sent", "opened"), gettext_lazy("They answer by %(when)s")),
    **dict.fromkeys(("accepted", "contact_booked", "on_hold"), gettext_lazy("With %(agency)s")),
}
OF_A_STEP = ("kind", "about", "due_at", *(f"owner__{name}" for name in ("first_name", "last_name", "username")))
ANSWER_COMMENT = "answer_comment"  # the step that is about a comment, and not about its handover
UNCONFIRMED = gettext_lazy("They have not yet confirmed that they have stopped.")


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
    """Each with whose turn it is, as this person is told it. One query more, however many they are, and one where an answer
    to a comment waits."""
    rows = list(referrals)
    about = Q(about__in=[str(row.pk) for row in rows]) | Q(kind=ANSWER_COMMENT)
    steps = FollowUp.objects.planned().filter(about, case__in={row.case_id for row in rows})
    steps = steps.select_related("owner").only(*OF_A_STEP)
    return lines_by(rows, list(steps) if rows else [], reader)


def lines_by(rows: list[Referral], steps: Iterable[FollowUp], reader: User) -> list[Line]:
    """The same where the steps that wait in their cases are here already."""
    latest = sorted(steps, key=lambda step: step.due_at, reverse=True)
    waits = any(step.kind == ANSWER_COMMENT for step in latest)
    comments = {str(pk): str(of) for pk, of in _open_comments(rows)} if waits else {}
    first = {comments.get(step.about, step.about): step for step in latest}
    return [_line(row, first.get(str(row.pk)), reader) for row in rows]


def _open_comments(rows: list[Referral]) -> Iterable[tuple[object, object]]:
    """The comments that wait for an answer, each with its referral: their steps are about them."""
    waiting = QualityComment.objects.filter(referral__in=[row.pk for row in rows], answered_at__isnull=True)
    return waiting.values_list("pk", "referral")


def line(referral: Referral, reader: User) -> Line:
    """One of them."""
    return lines([referral], reader)[0]


def _line(referral: Referral, step: FollowUp | None, reader: User) -> Line:
    if step and step.kind in THEIRS:
        return Line(referral, _say(THEIRS[step.kind], referral, step.due_at), step.due_at, is_ours=False)
    if step and step.kind in YOURS:
        words = YOURS if step.owner_id == reader.pk else OWNERS
        return Line(referral, _say(words[step.kind], referral, step.due_at, step.owner), step.due_at, is_ours=True)
    until = referral.answer_due_at if referral.is_waiting else None
    return Line(referral, _say(REST[referral.state], referral, until), until, is_ours=False)


def _say(words: object, referral: Referral, until: dt.datetime | None, who: User | None = None) -> str:
    when = f"{say_day(clock.local_date(until))} {say_time(until)}" if until else "–"
    text = str(words) % {"when": when, "agency": referral.agency, "owner": who}
    if referral.state == "withdrawn" and referral.confirmed_at is None:
        return f"{text}. {UNCONFIRMED}"
    return text
