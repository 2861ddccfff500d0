"""What the owner can do with a handover that is sent: one table. Which of it now is said by MOVES."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.templatetags.people import say_day, say_time
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
    untold: Words = ""  # what it says where nobody there has an account


def _ours(action: Callable[..., Referral], **more: Any) -> Callable[..., Referral]:
    """An action as the owner takes it."""
    return lambda **rest: action(who=OWNER, **more, **rest)


def _told(action: Callable[..., Referral], **more: Any) -> Callable[..., Referral]:
    """An action that the agency asks for by phone, and that the owner writes down."""
    return _ours(action, way="phone", **more)


def _is_alone(referral: Referral) -> bool:
    return not referral.is_warm


def _is_unconfirmed(referral: Referral) -> bool:
    return referral.confirmed_at is None


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
            *("confirm", "confirm", PHONE, _("They have stopped, and said so by phone")),
            *(
                _("They do not contact the person because of it."),
                _("Write down that they have stopped"),
            ),
            *(forms.PhoneForm, _told(actions.confirm_withdrawal)),
            fits=_is_unconfirmed,
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
            untold=_("The agency no longer sees it. You call them and tell them so, and choose what comes instead."),
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
            untold=_(
                "Nobody there has an account: you call them, and write down that they have stopped. You choose who can help."
            ),
        ),
    ]
}
# The step that waits -> what is to be done about it, first the most likely.
FIRST: dict[str, list[str]] = {
    "answer_question": ["answer"],
    "tell_to_stop": ["confirm"],
    "call_agency": ["accept", "decline", "ask"],
    "three_way_call": ["spoke"],
    "missed_contact": ["book", "book-warm", "contact"],
}


# What is said when an act is done: what happened, and what comes now.
DONE: dict[str, Words] = {
    "answer": _("The answer is sent to %(agency)s. Their time to answer begins anew."),
    "spoke": _("Ticked: you spoke together with %(agency)s."),
    "accept": _("Written down: %(agency)s accepts. The case stays yours until they have had contact."),
    "decline": _("Written down: %(agency)s declines. Now you choose who can help instead."),
    "ask": _("The question from %(agency)s is written down. Now you answer it."),
    "contact": _("Written down: %(agency)s has had contact. You ask the person in a few days."),
    "complete": _("Written down: %(agency)s has finished."),
    "book": _("The time with %(agency)s is booked: %(when)s."),
    "book-warm": _("The three-way call with %(agency)s is booked: %(when)s."),
    "hold": _("It rests until %(until)s. Then %(agency)s goes on."),
    "resume": _("It goes on: %(agency)s makes contact."),
    "miss": _("Written down: the contact with %(agency)s did not come about. You see to it that it does."),
    "return": _("Written down: %(agency)s gives it back. Now you choose who can help instead."),
    "fail": _("The handover to %(agency)s is ended. Now you choose who can help instead."),
    "withdraw": _("You have taken the handover to %(agency)s back. They no longer see it."),
    "confirm": _("Written down: %(agency)s has stopped."),
}


def done_of(act: Act, referral: Referral) -> str:
    """What is said when an act is done."""
    at, until = referral.contact_at, referral.hold_until
    when = f"{say_day(clock.local_date(at))} {say_time(at)}" if at else ""
    day = say_day(until) if until else ""
    return str(DONE[act.code]) % {"agency": referral.agency, "when": when, "until": day}


def offered(referral: Referral) -> list[Act]:
    """What the owner can do with it now: what MOVES allows, and in a closed case only what leaves no step there."""
    found = [act for act in ACTS.values() if _allowed(act, referral)]
    return [act for act in found if act.fits(referral)]


def said_of(act: Act, referral: Referral) -> Act:
    """The act, in words of what follows with this very agency."""
    return replace(act, says=act.untold) if act.untold and not referral.agency.has_accounts else act


def _allowed(act: Act, referral: Referral) -> bool:
    move = MOVES[act.move]
    return referral.state in move.sources and OWNER in move.who and (referral.case.is_open or move.step is None)


def form_of(act: Act, referral: Referral, *, seen: str = "", data: Any = None) -> forms.ActForm:
    """An act's form; several stand on one page, so each has fields with ids of its own."""
    return act.form(data, referral=referral, seen=seen, auto_id=f"id_{act.code}_%s")
