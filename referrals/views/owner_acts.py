"""What the owner can do with a handover that is sent: one table. Which of it now is said by MOVES."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from referrals import actions, deadlines
from referrals.forms import owner as forms
from referrals.models import Referral
from referrals.states import MOVES, OWNER

Words = str | Promise
PHONE, TIME, WRONG, BACK = "phone", "time", "wrong", "back"
GROUPS: dict[str, Words] = {
    PHONE: _("They have told you by phone"),
    TIME: _("A time, or a pause"),
    WRONG: _("It did not work out"),
    BACK: _("Take it back"),
}


ANSWERED = _("They have answered by phone")  # while an answer is waited for


def _always(referral: Referral) -> bool:
    return True


@dataclass(frozen=True)
class Act:
    """What the owner can do by one move: its words, its form and its action. `code` is its address; `fits` says whether
    it is offered, beside what MOVES allows."""

    code: str
    move: str
    group: str
    title: Words
    says: Words
    button: Words
    form: type[forms.ActForm]
    do: Callable[..., Referral]
    fits: Callable[[Referral], bool] = _always


def _ours(action: Callable[..., Referral], **more: Any) -> Callable[..., Referral]:
    """An action as the owner takes it."""
    return lambda **rest: action(who=OWNER, **more, **rest)


def _told(action: Callable[..., Referral], **more: Any) -> Callable[..., Referral]:
    """An action that the agency asks for by phone, and that the owner writes down."""
    return _ours(action, way="phone", **more)


def _is_alone(referral: Referral) -> bool:
    return not referral.is_warm


def _may_tick(referral: Referral) -> bool:
    at = referral.contact_at
    return referral.is_warm and at is not None and at <= clock.now() + deadlines.HOUR and not referral.owner_spoke_at


ACTS: dict[str, Act] = {
    act.code: act
    for act in [
        Act(
            *("answer", "answer", "", _("Answer the question")),
            *(_("Their time to answer begins anew when you have answered."), _("Send the answer")),
            *(forms.AnswerForm, actions.answer_question),
        ),
        Act(
            *("spoke", "contact", "", _("We spoke together")),
            *(_("When both you and the agency have ticked, the contact is made."), _("Tick that we spoke together")),
            *(forms.TickForm, _ours(actions.tick_spoke)),
            fits=_may_tick,
        ),
        Act(
            *("accept", "accept", PHONE, _("They accept")),
            *(
                _("They make contact with the person. The case stays yours until then."),
                _("Write down that they accept"),
            ),
            *(forms.AcceptedForm, _told(actions.accept)),
        ),
        Act(
            *("decline", "decline", PHONE, _("They decline")),
            *(_("You choose who can help instead. The person does not hear of it."), _("Write down that they decline")),
            *(forms.DeclinedForm, _told(actions.decline)),
        ),
        Act(
            *("ask", "ask", PHONE, _("They ask something")),
            *(_("Their time to answer stands still until you have answered."), _("Write down the question")),
            *(forms.AskedForm, _told(actions.ask_question)),
        ),
        Act(
            *("contact", "contact", PHONE, _("They have had contact")),
            *(_("You ask the person in a few days how it went."), _("Write down the contact")),
            *(forms.PhoneForm, _told(actions.contact_made)),
            fits=_is_alone,
        ),
        Act(
            *("complete", "complete", PHONE, _("They have finished")),
            *(_("Whether it helped is for the person to say."), _("Write down that it is finished")),
            *(forms.PhoneForm, _told(actions.complete)),
        ),
        Act(
            *("book", "book", TIME, _("Book a time between them and the person")),
            *(_("The agency sees the time. A time that was booked before is replaced."), _("Book the time")),
            *(forms.BookedForm, _told(actions.book)),
        ),
        Act(
            *("book-warm", "book_warm", TIME, _("Book a three-way call")),
            *(_("You, the agency and the person speak together. You are reminded."), _("Book the three-way call")),
            *(forms.BookedForm, _told(actions.book, warm=True)),
        ),
        Act(
            *("hold", "hold", TIME, _("Let it rest until a day")),
            *(_("The agency keeps it, and goes on by itself when the day has come."), _("Let it rest")),
            *(forms.HoldForm, _told(actions.put_on_hold)),
        ),
        Act(
            *("resume", "resume", TIME, _("Go on now")),
            *(_("The agency makes contact, as if the day had come."), _("Go on")),
            *(forms.PhoneForm, _told(actions.resume)),
        ),
        Act(
            *("miss", "miss", WRONG, _("The contact did not come about")),
            *(
                _("The agency keeps it. It is for you to see that there is a new time."),
                _("Write down that it did not come about"),
            ),
            *(forms.MissedForm, _ours(actions.contact_missed)),
        ),
        Act(
            *("return", "return", WRONG, _("They give it back by phone")),
            *(_("The agency no longer sees it. You choose who can help instead."), _("Write down that they give back")),
            *(forms.DeclinedForm, _told(actions.return_referral)),
        ),
        Act(
            *("fail", "fail", WRONG, _("It did not lead to help")),
            *(_("The agency no longer sees it, and is told so. You choose what comes instead."), _("End the handover")),
            *(forms.FailedForm, _ours(actions.fail)),
        ),
        Act(
            *("withdraw", "withdraw", BACK, _("Take the handover back")),
            *(
                _(
                    "The agency no longer sees it, is told so, and confirms that it has stopped. You choose who can help."
                ),
                _("Take back"),
            ),
            *(forms.WithdrawForm, _ours(actions.withdraw)),
        ),
    ]
}
# The step that waits -> what is to be done about it, first the most likely.
FIRST: dict[str, list[str]] = {
    "answer_question": ["answer"],
    "call_agency": ["accept", "decline", "ask"],
    "three_way_call": ["spoke"],
    "missed_contact": ["book", "book-warm", "contact"],
}


def offered(referral: Referral) -> list[Act]:
    """What the owner can do with it now: what MOVES allows, and in a closed case only what leaves no step there."""
    found = [act for act in ACTS.values() if _allowed(act, referral)]
    return [act for act in found if act.fits(referral)]


def _allowed(act: Act, referral: Referral) -> bool:
    move = MOVES[act.move]
    return referral.state in move.sources and OWNER in move.who and (referral.case.is_open or move.step is None)


def form_of(act: Act, referral: Referral, *, seen: str = "", data: Any = None) -> forms.ActForm:
    """An act's form; several stand on one page, so each has fields with ids of its own."""
    return act.form(data, referral=referral, seen=seen, auto_id=f"id_{act.code}_%s")
