"""What an agency can do with a handover that it has: one table. Which of them now is said by MOVES; the first is likely."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from referrals import actions, deadlines
from referrals.actions.comments import with_comment
from referrals.forms import portal as forms
from referrals.models import Referral
from referrals.states import AGENCY, moves_from

Words = str | Promise


@dataclass(frozen=True)
class Act:
    """One act: its URL and the row of MOVES have its name; its form; what it is called and what follows."""

    name: str
    form: type[forms.MoveForm]
    do: Callable[..., Referral]
    title: Words
    says: Words
    button: Words
    done: Words

    @property
    def url(self) -> str:
        return f"portal:{self.name}"

    def form_for(self, referral: Referral, reader: str = "", data: Any = None, *, seen: str = "") -> forms.MoveForm:
        """Its form; several stand on one page, so each has fields with ids of its own. `seen`: the last change, where it is
        known already."""
        first = {"seen": seen} if seen else None
        return self.form(data, referral=referral, reader=reader, initial=first, auto_id=f"id_{self.name}_%s")


# In the order in which they are likely: the first that is possible stands open with the only filled button.
ACTS: dict[str, Act] = {
    act.name: act
    for act in [
        Act(
            *("accept", forms.AcceptForm, actions.accept, _("Accept")),
            *(_("You make the first contact and say when."), _("Accept")),
            _("You have accepted. The support line is told, and keeps the case until you have had contact."),
        ),
        Act(
            *("decline", forms.DeclineForm, partial(with_comment, actions.decline), _("Decline")),
            *(_("with a reason. The person is not told that you have said no."), _("Decline")),
            _("You have declined. The support line is told; the person never hears of it."),
        ),
        Act(
            *("ask", forms.AskForm, actions.ask_question, _("Ask")),
            *(_("Your time to answer stands still until we have answered."), _("Ask")),
            _("Your question is sent. Your time to answer stands still until we have answered."),
        ),
        Act(
            *("tick", forms.TickForm, actions.tick_spoke, _("When the three-way call is over")),
            *(_("When both sides have ticked, the contact is made."), _("We spoke together")),
            _("Ticked: you spoke together."),
        ),
        Act(
            *("complete", forms.CompleteForm, actions.complete, _("When you have finished")),
            *(_("Your access to this handover ends. We ask the person how it went."), _("We have finished")),
            _("Written down: you have finished. You no longer see this handover."),
        ),
        Act(
            *("resume", forms.ResumeForm, actions.resume, _("When it goes on")),
            *(_("It goes on by itself when the day comes. You can take it up sooner."), _("Take it up now")),
            _("It goes on. Now you make contact."),
        ),
        Act(
            *("contact", forms.ContactForm, actions.contact_made, _("When you have had contact")),
            *(_("Then we ask the person how it went."), _("We have had contact")),
            _("Written down: you have had contact. Thank you."),
        ),
        Act(
            *("book", forms.BookForm, actions.book, _("Book a time")),
            *(_("We see the time. Book again and the old time no longer counts."), _("Book the time")),
            _("The time is booked, and the support line is told."),
        ),
        Act(
            *("hold", forms.HoldForm, actions.put_on_hold, _("Wait until a day")),
            *(_("It rests until then, and goes on by itself. The support line is told."), _("Wait until the day")),
            _("It rests until the day, and then goes on by itself."),
        ),
        Act(
            *("miss", forms.MissForm, actions.contact_missed, _("The contact did not come about")),
            *(_("You keep it. The support line sees to it that a contact comes about."), _("It did not come about")),
            _("Written down. The support line sees to it that a contact comes about."),
        ),
        Act(
            *("return", forms.ReturnForm, partial(with_comment, actions.return_referral), _("Give it back")),
            *(_("You no longer see it. The support line finds somebody else."), _("Give it back")),
            _("You have given it back. The support line takes it from here."),
        ),
        Act(
            *("fail", forms.FailForm, actions.fail, _("It did not lead to help")),
            *(_("You no longer see it. The support line takes it up again with the person."), _("It did not help")),
            _("Written down. The support line takes it up again with the person."),
        ),
    ]
}
ONE_OF_TWO = {"book_warm": "book"}  # a row of MOVES that its form chooses
WITHOUT_FORM = {"open", "confirm"}  # reading opens; what is withdrawn has a page of its own


def acts_for(referral: Referral) -> list[Act]:
    """What the agency can do now, the likely first. Of a three-way call both sides tick; nobody says it alone."""
    names = {ONE_OF_TWO.get(move.name, move.name) for move in moves_from(referral.state, AGENCY)} - WITHOUT_FORM
    if referral.is_warm:
        names = (names - {"contact"}) | {"tick"}
    missed = referral.state == "accepted" and referral.contact_due_at is None
    order = [*(["book"] if missed else []), *ACTS]  # after a contact that did not come about a new time is likely
    return [ACTS[name] for name in dict.fromkeys(order) if name in names]


def can_tick(referral: Referral) -> bool:
    """Whether the agency's tick is waited for: the time of the three-way call is near or past."""
    at = referral.contact_at
    return (
        referral.is_warm and referral.agency_spoke_at is None and at is not None and at <= clock.now() + deadlines.HOUR
    )
