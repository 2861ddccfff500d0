"""The moves of a referral: each is one row of MOVES, with what it asks for."""

import datetime as dt
from typing import Any, Unpack

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.people.workdays import next_working_morning
from intake.actions import end_kept_step, finish_step, plan_step, reopen_case
from intake.actions.timeline import record
from referrals import deadlines
from referrals.actions.checks import missing_for_ground, missing_parts, not_yet_theirs
from referrals.actions.disclosures import disclosed_by, record_disclosure
from referrals.actions.drafts import DraftMoved, has_moved
from referrals.actions.go import How, go, hold, leave
from referrals.drawn import mark_of
from referrals.labels import CARD, DECLINE_REASONS, FAIL_REASONS, SYSTEM_REASONS, WITHDRAW_REASONS
from referrals.models import Disclosure, PartnerAgency, Referral
from referrals.states import AGENCY, OPEN, OWNER, STOPPING, SYSTEM, TAKEN_ON


def send(*, by: User, referral: Referral, drawn: str | None = None) -> Referral:
    """Send a draft, as urgent as its case is now. The ground is checked again as of today, whatever was chosen before;
    `drawn` is the mark of the draft that was seen. Raises Refused or TooLate."""
    with transaction.atomic():
        held = hold(referral)
        if drawn and held.state == "draft" and drawn != mark_of(held):
            raise DraftMoved(has_moved())
        held.follow_urgency()
        missing = missing_parts(held)
        if missing:
            raise Refused(" ".join(missing))
        due = deadlines.answer_due(held.urgency, clock.now(), held.agency)
        sent = go(
            *("send", held),
            by=by,
            how={"who": OWNER},
            urgency=held.urgency,
            sent_at=clock.now(),
            answer_due_at=due,
            access_until=deadlines.access_until(held),
        )
        if sent.agency.has_accounts:  # else it leaves by a link, on paper or by phone, and is written down then
            record_disclosure(by=by, referral=sent, way=Disclosure.Way.PORTAL)
        if sent.leads:  # what stands alongside is not who helps instead
            _somebody_is_chosen(by, sent)
        _bring(sent, "bring_handover", by)
        return sent


def _bring(referral: Referral, kind: str, by: User) -> None:
    """Where nobody has an account nothing comes there by itself: it is for us to bring it, soon."""
    if not referral.agency.has_accounts:
        leave(referral, by=by, kind=kind, due=deadlines.back_soon(referral, clock.now()), of=referral.case.owner)


def _somebody_is_chosen(by: User, sent: Referral) -> None:
    """What an earlier agency's no left to do for this need is done by sending to another."""
    before = [str(pk) for pk in sent.case.referrals.filter(need=sent.need).values_list("pk", flat=True)]
    steps = sent.case.steps.planned().select_related("case__key").filter(kind="choose_next", about__in=before)
    for step in steps:
        finish_step(by=by, step=step, done_by_act=True)


def open_referral(*, by: User | None, referral: Referral, **how: Unpack[How]) -> Referral:
    """An agency has opened it. Opening again changes nothing."""
    with transaction.atomic():
        held = hold(referral)
        if by is not None:
            _record_late_account(held)
        return go("open", held, by=by, how=how) if held.state == "sent" else held


# -- the answer --------------------------------------------------------------------------------------------------------


def accept(
    *,
    by: User | None,
    referral: Referral,
    handled_by: str = "",
    contact_by: dt.datetime | None = None,
    text: str = "",
    **how: Unpack[How],
) -> Referral:
    """An agency takes it on, and says by when it has had contact. The case stays ours until then. Raises Refused, also where
    another leading handover of the same need was taken on before."""
    with transaction.atomic():
        held = hold(referral)
        held.handled_by = handled_by.strip()
        contact_by = contact_by or deadlines.first_contact(held.urgency, clock.now(), held.agency)
        _refuse_time(held, contact_by, "contact_by")
        if held.leads and _taken_on_elsewhere(held):
            raise Refused(_("Somebody else has taken this on already. You need not do anything."))
        moved = go("accept", held, by=by, how=how, text=text, contact_due_at=contact_by)
        moved.save(update_fields=["handled_by"])
        _record_identity(moved, how.get("way", ""))
        _give_by_hand(moved, how.get("way", ""))
        rooms = PartnerAgency.objects.filter(pk=held.agency_id, room__gt=0, room_week=held.agency.room_week)
        if held.agency.room_left:
            rooms.update(room=F("room") - 1)
        return moved


def _record_identity(accepted: Referral, way: str) -> None:
    """Who it is about is seen from now on, as whoever sent it had decided; not by a link."""
    if way != "link" and set(accepted.shown) - set(CARD) and accepted.agency.has_accounts:
        record_disclosure(by=_sender(accepted), referral=accepted, way=Disclosure.Way.PORTAL)


def _record_late_account(held: Referral) -> None:
    """Who has an account since reads in the portal what was never shown there, our answers too."""
    if held.state not in OPEN:
        return
    if set(held.shown) - disclosed_by(held, Disclosure.Way.PORTAL):
        record_disclosure(by=_sender(held), referral=held, way=Disclosure.Way.PORTAL)
    answers = held.changes.filter(move="answer").select_related("by").order_by("at", "id")
    for answer in answers[held.disclosures.filter(way=Disclosure.Way.ANSWER).count() :]:
        record_disclosure(by=answer.by or _sender(held), referral=held, way=Disclosure.Way.ANSWER)


def _sender(referral: Referral) -> User:
    """Who decided that it is shared."""
    sent = referral.changes.select_related("by").get(move="send")
    return sent.by or referral.created_by


def _give_by_hand(accepted: Referral, way: str) -> None:
    """Who accepted by phone and has no account sees nothing: that we give them what they lack is a step of ours, due soon.
    By a link it is left by the link's own door."""
    if way != "link" and not accepted.agency.has_accounts and set(accepted.shown) - disclosed_by(accepted):
        due = deadlines.back_soon(accepted, clock.now())
        leave(accepted, by=None, kind="give_contact", due=due, of=accepted.case.owner)


def _taken_on_elsewhere(referral: Referral) -> bool:
    others = referral.case.referrals.exclude(pk=referral.pk)
    return others.filter(need=referral.need, leads=True, state__in=TAKEN_ON).exists()


def _refuse_time(referral: Referral, moment: dt.datetime, field: str) -> None:
    if moment <= clock.now():
        raise Refused(_("Choose a time that is still to come."), at=field)
    if moment > deadlines.latest_contact(referral.urgency, clock.now()):
        text = _("That is too late for the person. Choose an earlier time, or give it back so that we can ask another.")
        if referral.state in {"sent", "opened", "question"}:
            text = _("That is too late for the person. Choose an earlier time, or decline so that we can ask another.")
        raise Refused(text, at=field)


def decline(
    *,
    by: User | None,
    referral: Referral,
    reason: str,
    text: str = "",
    suggested: PartnerAgency | None = None,
    **how: Unpack[How],
) -> Referral:
    """An agency says no, why, and who could help instead if it knows. It comes back to the case's owner; the caller never
    hears of it."""
    if reason not in DECLINE_REASONS:
        raise Refused(_("Choose why you decline."), at="reason")
    _refuse_suggested(referral, suggested)
    with transaction.atomic():
        return go(
            *("decline", hold(referral)),
            by=by,
            how=how,
            reason=reason,
            text=text,
            suggested=suggested,
            ended_at=clock.now(),
        )


def _refuse_suggested(referral: Referral, suggested: PartnerAgency | None) -> None:
    """Who could help instead is another agency, and one that may be known of."""
    if suggested and (suggested.pk == referral.agency_id or not PartnerAgency.objects.nameable().contains(suggested)):
        raise Refused(_("Choose another agency, or that you don't know."), at="suggested")


def ask_question(*, by: User | None, referral: Referral, text: str, **how: Unpack[How]) -> Referral:
    """An agency needs to know more before it answers. Its time stands still, ours runs."""
    if not text.strip():
        raise Refused(_("Write what you need to know."), at="text")
    with transaction.atomic():
        return go("ask", hold(referral), by=by, how=how, text=text)


def answer_question(*, by: User, referral: Referral, text: str, seen: str = "") -> Referral:
    """We answer; the agency's time begins anew."""
    if not text.strip():
        raise Refused(_("Write your answer."))
    with transaction.atomic():
        held = hold(referral)
        # an answer shares more: the ground must hold for it too, and it tells nobody who it is before they have accepted
        missing = missing_for_ground(held, text) or not_yet_theirs(held, text)
        if missing and held.state == "question":
            raise Refused(" ".join(missing))
        due = deadlines.answer_due(held.urgency, clock.now(), held.agency)
        moved = go("answer", held, by=by, how={"who": OWNER, "seen": seen}, text=text, answer_due_at=due)
        if moved.agency.has_accounts:  # else when it is brought to them
            record_disclosure(by=by, referral=moved, way=Disclosure.Way.ANSWER)
        _bring(moved, "bring_answer", by)
        return moved


# -- until there is contact --------------------------------------------------------------------------------------------


def book(
    *, by: User | None, referral: Referral, at: dt.datetime, warm: bool = False, text: str = "", **how: Unpack[How]
) -> Referral:
    """A time with the caller is booked: the agency alone, or a three-way call in which we hand over warmly. Booking again
    moves it. Raises Refused."""
    with transaction.atomic():
        held = hold(referral)
        _refuse_time(held, at, "at")
        name, kind = ("book_warm", "warm") if warm else ("book", "alone")
        again: dict[str, Any] = {"agency_spoke_at": None, "owner_spoke_at": None, "contact_due_at": at}
        return go(name, held, by=by, how=how, text=text, contact_at=at, contact_kind=kind, **again)


def tick_spoke(*, by: User | None, referral: Referral, **how: Unpack[How]) -> Referral:
    """One side ticks that we spoke together in the three-way call. When both have, contact is made. Ticking again changes
    nothing, also when contact is made. Raises Refused where no such call is booked, or its time has not come."""
    with transaction.atomic():
        held = hold(referral)
        who = how.get("who", AGENCY)
        if held.contact_kind == "warm" and held.state in {"contact_made", "completed"} and held.owner_spoke_at:
            return held  # both have: a second press
        if not held.is_warm or held.contact_at is None:
            raise Refused(_("No three-way call is booked."))
        if held.contact_at > clock.now() + deadlines.HOUR:
            raise Refused(_("The time of the call has not come yet."))
        field = {AGENCY: "agency_spoke_at", OWNER: "owner_spoke_at"}[who]
        if getattr(held, field) is None:
            setattr(held, field, clock.now())
            held.save(update_fields=[field])
            agency: dict[str, Any] = {"agency": held.agency.name, "agency_id": held.agency_id}
            record("referral.ticked", by=by, case=held.case, row=held.pk, side=who, **agency)
        if held.agency_spoke_at and held.owner_spoke_at:
            return go("contact", held, by=by, how=how)
        return held


def contact_missed(*, by: User | None, referral: Referral, text: str = "", **how: Unpack[How]) -> Referral:
    """The contact that was promised or booked did not come about: our owner sees to it that it does."""
    with transaction.atomic():
        return go("miss", hold(referral), by=by, how=how, text=text, contact_due_at=None)


def contact_made(*, by: User | None, referral: Referral, text: str = "", **how: Unpack[How]) -> Referral:
    """The agency has spoken with the caller. Then it is the caller who is asked. Of a three-way call both sides tick."""
    with transaction.atomic():
        held = hold(referral)
        if held.is_warm:
            raise Refused(_("A three-way call is booked: both sides tick that you spoke together."))
        return go("contact", held, by=by, how=how, text=text)


def put_on_hold(*, by: User | None, referral: Referral, until: dt.date, text: str = "", **how: Unpack[How]) -> Referral:
    """It rests until a day, since the person wants so or the help begins then. Raises Refused."""
    with transaction.atomic():
        held = hold(referral)
        if until <= clock.today():
            raise Refused(_("Choose a day that is still to come."), at="until")
        if until > clock.today() + dt.timedelta(days=deadlines.ACCESS_DAYS):
            raise Refused(_("Choose a day within %(days)s days.") % {"days": deadlines.ACCESS_DAYS}, at="until")
        if held.access_until and until > held.access_until:
            raise Refused(
                _("The agency sees it only until %(day)s. Choose an earlier day.") % {"day": held.access_until},
                at="until",
            )
        return go("hold", held, by=by, how=how, text=text, hold_until=until)


def resume(*, by: User | None, referral: Referral, text: str = "", **how: Unpack[How]) -> Referral:
    """The day has come, or sooner: the agency makes contact."""
    with transaction.atomic():
        held = hold(referral)
        due = deadlines.answer_due(held.urgency, clock.now(), held.agency)
        return go("resume", held, by=by, how=how, text=text, contact_due_at=due, hold_until=None)


def complete(*, by: User | None, referral: Referral, text: str = "", **how: Unpack[How]) -> Referral:
    """The agency has done what it was asked. Whether it helped is for the caller to say."""
    with transaction.atomic():
        return go("complete", hold(referral), by=by, how=how, text=text, ended_at=clock.now())


# -- back in our hands -------------------------------------------------------------------------------------------------


def return_referral(
    *,
    by: User | None,
    referral: Referral,
    reason: str,
    text: str = "",
    suggested: PartnerAgency | None = None,
    **how: Unpack[How],
) -> Referral:
    """An agency that had taken it on gives it back, and says why."""
    if reason not in DECLINE_REASONS:
        raise Refused(_("Choose why you give it back."), at="reason")
    _refuse_suggested(referral, suggested)
    with transaction.atomic():
        return go(
            *("return", hold(referral)),
            by=by,
            how=how,
            reason=reason,
            text=text,
            suggested=suggested,
            ended_at=clock.now(),
        )


def fail(*, by: User | None, referral: Referral, reason: str, text: str = "", **how: Unpack[How]) -> Referral:
    """It did not lead to help: no contact, the person did not want it any more, or it did not help."""
    if reason not in FAIL_REASONS:
        raise Refused(_("Choose what went wrong."), at="reason")
    with transaction.atomic():
        return go("fail", hold(referral), by=by, how=how, reason=reason, text=text, ended_at=clock.now())


def withdraw(*, by: User | None, referral: Referral, reason: str, text: str = "", **how: Unpack[How]) -> Referral:
    """We take it back. The agency's access ends at once; it is told, and confirms that it has stopped. Raises Refused
    without a reason."""
    who = how.setdefault("who", OWNER)
    if reason not in (SYSTEM_REASONS if who == SYSTEM else {*WITHDRAW_REASONS, "consent_withdrawn"}):
        raise Refused(_("Choose why you take it back."))
    if reason == "other" and not text.strip():
        raise Refused(_("Say why you take it back."))
    with transaction.atomic():
        return go("withdraw", hold(referral), by=by, how=how, reason=reason, text=text, ended_at=clock.now())


def confirm_withdrawal(*, by: User | None, referral: Referral, text: str = "", **how: Unpack[How]) -> Referral:
    """The agency says that it has stopped, itself or to us by phone. Saying so again changes nothing."""
    with transaction.atomic():
        held = hold(referral)
        if held.confirmed_at is not None:
            return held
        moved = go("confirm", held, by=by, how=how, text=text, confirmed_at=clock.now())
        end_kept_step(by=by, case=moved.case, kept_by=STOPPING, about=moved.pk)
        if moved.case.is_open and not moved.case.steps.planned().exists():
            due = next_working_morning(clock.now())
            plan_step(by=by, case=moved.case, kind="decide_next", due_at=due, quiet=True)
        return moved


def bring_back(*, by: User, referral: Referral, reason: str, text: str = "") -> Referral:
    """The caller says that it did not help, or that nobody called: the same one of us takes it up again, in a case that is
    opened again if it was closed."""
    with transaction.atomic():
        held = hold(referral)
        if not held.case.is_open:
            held.case = reopen_case(by=by, case=held.case)
        how: How = {"who": OWNER}
        return go("caller_no", held, by=by, how=how, reason=reason, text=text, ended_at=clock.now())
