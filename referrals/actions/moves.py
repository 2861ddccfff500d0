"""The moves of a referral. Each is one row of MOVES carried out: claim the state, write the change, the timeline and the
log, end the step of before and leave the next, tell whom it concerns. All in one transaction; who comes second is told so."""

import datetime as dt
import logging
import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.absences import stand_ins
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from helpline.people.notices import notify
from intake import protection
from intake.actions import end_kept_step, finish_step, plan_step
from intake.actions.deputies import whose
from intake.actions.timeline import lock, record
from intake.actions.tracks import no_identity
from intake.models import Case
from referrals import states
from referrals.actions.drafts import IDENTITY
from referrals.labels import CARD, DECLINE_REASONS
from referrals.models import GroundSetting, PartnerAgency, Referral, StateChange
from referrals.states import AGENCY, MOVES, OWNER, SYSTEM, Move

KEPT_BY = "referrals"
logger = logging.getLogger(__name__)


def send(*, by: User, referral: Referral) -> Referral:
    """Send a draft. The ground is checked again as of today, whatever was chosen before. Raises Refused or TooLate."""
    with transaction.atomic():
        held = _hold(referral)
        missing = missing_parts(held)
        if missing:
            raise Refused(" ".join(missing))
        due = states.answer_due(held.urgency, clock.now())
        sent = _go("send", held, by=by, who=OWNER, sent_at=clock.now(), answer_due_at=due)
        _somebody_is_chosen(by, sent)
        return sent


def _somebody_is_chosen(by: User, sent: Referral) -> None:
    """What an earlier agency's no left to do for this need is done by sending to another."""
    before = [str(pk) for pk in sent.case.referrals.filter(need=sent.need).values_list("pk", flat=True)]
    steps = sent.case.steps.planned().select_related("case__key").filter(kind="choose_next", about__in=before)
    for step in steps:
        finish_step(by=by, step=step)


def open_referral(*, by: User, referral: Referral) -> Referral:
    """An agency has opened it. Opening again changes nothing."""
    with transaction.atomic():
        held = _hold(referral)
        return _go("open", held, by=by, who=AGENCY) if held.state == "sent" else held


def accept(*, by: User, referral: Referral, handled_by: str = "", contact_by: dt.datetime | None = None) -> Referral:
    """An agency takes it on, and says by when it has had contact. The case stays ours until then."""
    with transaction.atomic():
        held = _hold(referral)
        held.handled_by = handled_by.strip()
        contact_by = contact_by or states.answer_due(held.urgency, clock.now())
        if contact_by <= clock.now():
            raise Refused(_("Choose a time that is still to come."))
        if contact_by > states.latest_contact(held.urgency, clock.now()):
            raise Refused(
                _("That is too late for the person. Choose an earlier time, or decline so that we can ask another.")
            )
        moved = _go("accept", held, by=by, who=AGENCY, contact_due_at=contact_by)
        moved.save(update_fields=["handled_by"])
        return moved


def decline(*, by: User, referral: Referral, reason: str, text: str = "") -> Referral:
    """An agency says no, and why. It comes back to the case's owner; the caller never hears of it."""
    if reason not in DECLINE_REASONS:
        raise Refused(_("Choose why you decline."))
    with transaction.atomic():
        return _go("decline", _hold(referral), by=by, who=AGENCY, reason=reason, text=text, ended_at=clock.now())


def ask_question(*, by: User, referral: Referral, text: str) -> Referral:
    """An agency needs to know more before it answers. Its time stands still, ours runs."""
    if not text.strip():
        raise Refused(_("Write what you need to know."))
    with transaction.atomic():
        return _go("ask", _hold(referral), by=by, who=AGENCY, text=text)


def answer_question(*, by: User, referral: Referral, text: str) -> Referral:
    """We answer; the agency's time begins anew."""
    if not text.strip():
        raise Refused(_("Write your answer."))
    with transaction.atomic():
        held = _hold(referral)
        missing = _missing_for_ground(held, text)  # an answer shares more: the ground must hold for it too
        if missing and held.state == "question":
            raise Refused(" ".join(missing))
        due = states.answer_due(held.urgency, clock.now())
        return _go("answer", held, by=by, who=OWNER, text=text, answer_due_at=due)


def contact_made(*, by: User, referral: Referral, who: str = AGENCY, text: str = "") -> Referral:
    """The agency has spoken with the caller. Then it is the caller who is asked."""
    with transaction.atomic():
        return _go("contact", _hold(referral), by=by, who=who, text=text)


def complete(*, by: User, referral: Referral, who: str = AGENCY, text: str = "") -> Referral:
    """The agency has done what it was asked. Whether it helped is for the caller to say."""
    with transaction.atomic():
        return _go("complete", _hold(referral), by=by, who=who, text=text, ended_at=clock.now())


def take_back(*, by: User, referral: Referral, text: str = "") -> Referral:
    """The owner waits no longer. The agency's access ends, and it is told."""
    with transaction.atomic():
        return _go("take_back", _hold(referral), by=by, who=OWNER, text=text, ended_at=clock.now())


def expire_silent() -> int:
    """Take back, one by one, what nobody has answered in time. Returns how many. Harmless when run twice or at once."""
    silent = Referral.objects.waiting().filter(answer_due_at__lt=clock.now()).order_by("answer_due_at")
    expired = 0
    for referral in list(silent.only("pk", "case_id")):
        try:
            with transaction.atomic():
                held = _hold(referral)  # whoever answered meanwhile was first
                if held.is_silent:
                    _go("expire", held, by=None, who=SYSTEM, ended_at=clock.now())
                    expired += 1
        except Exception as error:  # one row that cannot be moved keeps no other waiting
            logger.error("a silent handover could not be taken back: %s", type(error).__name__)
    return expired


def missing_parts(referral: Referral) -> list[str]:
    """What stands in the way of sending, each as a sentence; empty where nothing does."""
    found = []
    if referral.case.is_practice:
        found.append(_("This is practice: nothing is sent to anybody."))
    if not referral.case.is_open:
        found.append(_("The case is closed."))
    if not referral.agency.is_active:
        found.append(_("%(agency)s no longer takes handovers.") % {"agency": referral.agency})
    elif not referral.agency.is_reached:
        found.append(
            _("Nobody at %(agency)s would get the message: it has no mailbox and no account.")
            % {"agency": referral.agency}
        )
    if (referral.name or referral.phone) and not referral.case.takes_identity:
        found.append(no_identity(referral.case.track))
    if protection.forbids_address(referral) and _has_address(referral):
        found.append(_("An address may not be shared of somebody whose data are protected. Take it out of the text."))
    if not referral.ask.strip():
        found.append(_("Say what the agency is asked to do."))
    if not referral.happened.strip():
        found.append(_("Say what has happened."))
    return [*found, *_missing_for_ground(referral)]


def _has_address(referral: Referral) -> bool:
    return any(protection.has_address(getattr(referral, field)) for field in (*CARD, "ground_reason", *IDENTITY))


def _missing_for_ground(referral: Referral, more: str = "") -> list[str]:
    """What the ground lacks for what is shared, and for `more` words that are to be."""
    on = GroundSetting.switched_on(referral.case.unit.municipality_id)
    allowed = {ground.code: ground for ground in referral.agency.grounds_for(referral.age_band, clock.today(), on)}
    ground = allowed.get(referral.ground)
    if ground is None:
        return [_("Choose a legal ground that is possible for this receiver, this age and today.")]
    found = []
    if ground.reason and not referral.ground_reason.strip():
        found.append(_("Write why this ground holds."))
    if ground.is_consent:
        consent = referral.consent
        wanted = "guardian" if ground.needs == "guardian_consent" else "self"
        if not (consent and consent.holds and consent.agency_id == referral.agency_id and consent.given_by == wanted):
            found.append(_("Write down the consent: how it was given, and until when."))
        if referral.approved_at is None:
            found.append(_("Read the text aloud to the caller and tick that it is approved."))
    if ground.needs == "no_identity":
        found += _identity_in(referral, more)
    return found


def _identity_in(referral: Referral, more: str = "") -> list[str]:
    """A referral without identity carries no name, number or way to reach anybody: not in its fields, not in its words."""
    if referral.name or referral.phone:
        return [_("Without identity, no name and no number can be shared.")]
    if referral.safe_contact:
        return [_("Without identity there is nobody to reach. Empty “Safe contact”.")]
    text = " ".join([*(getattr(referral, field) for field in CARD), more])
    names = {part for person in referral.case.people.all() for part in re.findall(r"\w{3,}", person.name)}
    words = {word.casefold() for word in re.findall(r"\w+", text)}
    if any(word.startswith(name.casefold()) for name in names for word in words):
        return [_("The text names a person of the case. Take the name out, or choose another ground.")]
    if re.search(r"(?:\d[\s().,/+-]*){6,}", text) or "@" in text:
        return [_("The text holds a long number or an address. Take it out, or choose another ground.")]
    return []


def _hold(referral: Referral) -> Referral:
    """The referral's row as it stands now, its case held first: acts on one case come one after the other."""
    lock(Case(pk=referral.case_id))
    return (
        Referral.objects.select_for_update(of=("self",))
        .select_related("case__key", "case__owner", "case__unit", "agency", "consent")
        .get(pk=referral.pk)
    )


def _go(
    name: str,
    referral: Referral,
    *,
    by: User | None,
    who: str,
    reason: str = "",
    text: str = "",
    **fields: dt.datetime,
) -> Referral:
    """Carry out one row of MOVES. Raises TooLate where the state has changed, Refused where this one may not."""
    move = MOVES[name]
    if who not in move.who:
        raise Refused(_("This is not yours to do."))
    source = referral.state
    taken = source in move.sources and Referral.objects.filter(pk=referral.pk, state=source).update(
        state=move.target, **fields
    )
    if not taken:
        raise TooLate(_already(referral))
    referral.state = move.target
    for field, value in fields.items():
        setattr(referral, field, value)
    change = StateChange.objects.create(
        referral=referral,
        by=by,
        move=name,
        source=source,
        target=move.target,
        reason=reason,
        text=text.strip(),
        at=clock.now(),
    )
    codes: dict[str, Any] = {"reason": reason} if reason else {}
    if name == "send":
        ground = referral.legal_ground
        codes |= {"ground": referral.ground, "law": ground.law if ground and ground.law != "-" else ""}
        codes["need"] = referral.need
    record(
        move.event,
        by=by,
        case=referral.case,
        text=text.strip(),
        row=referral.pk,
        agency=referral.agency.name,
        agency_id=referral.agency_id,
        **codes,
    )
    _leave_step(move, referral, by)
    _tell(move, referral, change)
    return referral


def _already(referral: Referral) -> str:
    last = referral.changes.select_related("by").order_by("-at", "-id").first()
    who = str(last.by) if last and last.by else _("the system")
    return _("%(who)s was first: the handover is already “%(state)s”.") % {"who": who, "state": referral.state_name}


def _leave_step(move: Move, referral: Referral, by: User | None) -> None:
    """The next step is planned before the last one ends, so that the case is never without."""
    if move.keeps_step or move.step is None:
        return
    case = referral.case
    due = {
        "answer_due": lambda: referral.answer_due_at,
        "contact_due": lambda: referral.contact_due_at,
        "next_working_day": lambda: states.next_working_day(referral.urgency, clock.now()),
        "in_five_days": lambda: states.ask_caller_due(clock.now()),
    }[move.step.due]()
    assert due is not None  # set by the move itself
    holder = end_kept_step(by=by, case=case, kept_by=KEPT_BY, about=referral.pk)
    plan_step(
        by=by,
        case=case,
        owner=whose(case, holder, due) if holder else None,
        kind=move.step.kind,
        due_at=due,
        kept_by=KEPT_BY if move.step.kept else "",
        others_turn=move.step.others_turn,
        about=str(referral.pk),
        quiet=True,
        agency=referral.agency.name,
    )


def _tell(move: Move, referral: Referral, change: StateChange) -> None:
    """Whom the move concerns, but never the one who made it."""
    for person in _ours(referral) if move.tells == OWNER else []:
        if person.pk != change.by_id:
            notify(
                user=person,
                kind=move.event,
                source=f"change:{change.pk}:{person.pk}",
                case=referral.case_id,
                about=str(referral.pk),
            )
    if move.tells == AGENCY:
        kind = "referral.taken_back" if move.name == "take_back" else move.event
        _tell_agency(referral.agency, kind, change, referral)


def _ours(referral: Referral) -> list[User]:
    """Who hears of it with us: the case's owner, or who stands in; and who has its step in hand."""
    owner = referral.case.owner
    told = stand_ins(owner, clock.today()) if owner else []
    steps = referral.case.steps.planned().filter(about=str(referral.pk)).select_related("owner")
    told += [step.owner for step in steps if step.owner.is_active]
    return list({person.pk: person for person in told}.values())


def _tell_agency(agency: PartnerAgency, kind: str, change: StateChange, referral: Referral) -> None:
    if agency.mailbox:
        notify(address=agency.mailbox, kind=kind, source=f"change:{change.pk}:mailbox", about=str(referral.pk))
    for member in agency.members.filter(user__is_active=True).select_related("user"):
        notify(user=member.user, kind=kind, source=f"change:{change.pk}:{member.user_id}", about=str(referral.pk))
