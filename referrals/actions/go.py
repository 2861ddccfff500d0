"""How a move is carried out: claim the state, write the change, the timeline and the log, end the step of before and leave the
next, tell whom it concerns. All in one transaction; who comes second is told who was first."""

import datetime as dt
from typing import Any, NotRequired, TypedDict

from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User, in_use
from helpline.people.notices import notify
from helpline.people.wall import as_granted
from intake.actions import end_kept_step, end_steps_about, plan_step
from intake.actions.bounces import record_bounce
from intake.actions.deputies import whose
from intake.actions.timeline import lock, record
from intake.models import Case
from intake.whose import stand_ins_of
from referrals import deadlines
from referrals.actions.ladders import begin_ladder, stop_ladder
from referrals.models import PartnerAgency, Referral, StateChange
from referrals.states import (
    AGENCY,
    ASKING,
    CAME_BACK,
    MOVES,
    MUST_STOP,
    NEEDED_IN,
    OWNER,
    REFERRAL,
    STOPPING,
    SYSTEM,
    UNANSWERED,
    Move,
)


class How(TypedDict):
    """Who moves it as what, by which way, and what that one had seen: the last change, for a form that is sent again."""

    who: NotRequired[str]  # states.OWNER, AGENCY or SYSTEM
    way: NotRequired[str]  # phone | link; "": logged in
    seen: NotRequired[str]


def hold(referral: Referral) -> Referral:
    """The referral's row as it stands now, its case held first: acts on one case come one after the other."""
    lock(Case(pk=referral.case_id))
    return (
        Referral.objects.select_for_update(of=("self",))
        .select_related("case__key", "case__owner", "case__unit", "agency", "consent")
        .get(pk=referral.pk)
    )


def go(
    name: str,
    referral: Referral,
    *,
    by: User | None,
    how: How,
    reason: str = "",
    text: str = "",
    suggested: PartnerAgency | None = None,
    **fields: Any,
) -> Referral:
    """Carry out one row of MOVES on a held referral. Raises TooLate where the state has changed, Refused where this one may
    not."""
    move, who = MOVES[name], how.get("who", AGENCY)
    if who not in move.who:
        raise Refused(_("This is not yours to do."))
    source = referral.state
    _refuse_seen(referral, how.get("seen", ""))
    taken = source in move.sources and Referral.objects.filter(pk=referral.pk, state=source).update(
        state=move.target, **fields
    )
    if not taken:
        raise TooLate(already(referral))
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
        way=how.get("way", ""),
        suggested=suggested,
        at=clock.now(),
    )
    _record(move, referral, by=by, text=text, reason=reason, way=how.get("way", ""), suggested=suggested)
    if source in UNANSWERED and move.target not in UNANSWERED:
        stop_ladder(referral)
    if move.step and move.step.due == "answer_due":
        begin_ladder(referral)
    _leave_step(move, referral, by)
    end_steps_of(referral, by=by, but_for=move.target)
    if name in MUST_STOP and who != AGENCY and not referral.agency.has_accounts:
        leave_stop(referral, by=by, kept=move.target == "withdrawn")
    if referral.caller_knows and move.target in {"declined", "expired", "returned"}:
        record_bounce(
            cause="turned_away", source=f"change:{change.pk}", case=referral.case, why=move.target, **names(referral)
        )
    _tell(move, referral, change, who)
    return referral


def names(referral: Referral) -> dict[str, Any]:
    """What lines about a referral hold: its agency, and which referral it is."""
    return {"about": str(referral.pk), "agency": referral.agency.name, "agency_id": referral.agency_id}


def already(referral: Referral) -> str:
    """Who was first, and where it stands now."""
    last = as_granted(referral.changes.order_by("-at", "-id"), "by").first()
    who = str(last.by) if last and last.by else _("the system")
    if last and last.way == "link":
        who = _("somebody at %(agency)s") % {"agency": referral.agency}
    return _("%(who)s was first: the handover is already “%(state)s”.") % {"who": who, "state": referral.state_name}


def _refuse_seen(referral: Referral, seen: str) -> None:
    """A form that was sent twice, or from a page that has become old, does not act a second time."""
    if not seen:
        return
    last = referral.changes.order_by("-at", "-id").values_list("pk", flat=True).first()
    if str(last) != seen:
        raise TooLate(already(referral))


def _record(
    move: Move,
    referral: Referral,
    *,
    by: User | None,
    text: str,
    reason: str,
    way: str,
    suggested: PartnerAgency | None,
) -> None:
    codes: dict[str, Any] = {key: value for key, value in {"reason": reason, "way": way}.items() if value}
    if move.name == "send":
        ground = referral.legal_ground
        codes |= {"ground": referral.ground, "law": ground.law if ground and ground.law != "-" else ""}
        codes["need"] = referral.need
    if move.name == "hold" and referral.hold_until:
        codes |= {"until": referral.hold_until.isoformat(), "of": referral.changes.latest("at", "id").pk.hex}
    if suggested:
        codes |= {"suggested": suggested.name, "suggested_id": suggested.pk}
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


def _leave_step(move: Move, referral: Referral, by: User | None) -> None:
    """End what this referral had planned, and plan what comes; both before the commit, so that the case is never without."""
    if move.step is None:
        return
    due = deadlines.DUE[move.step.due](referral)
    assert due is not None  # set by the move itself
    holder = end_kept_step(by=by, case=referral.case, kept_by=REFERRAL, about=referral.pk)
    if move.target in CAME_BACK:
        holder = end_kept_step(by=by, case=referral.case, kept_by=ASKING, about=referral.pk) or holder
    leave(
        referral, by=by, kind=move.step.kind, due=due, keeper=move.step.keeper, theirs=move.step.others_turn, of=holder
    )


def end_steps_of(referral: Referral, *, by: User | None, but_for: str = "") -> None:
    """What we had to bring or to give them is done, or needed no more: all but what is needed in this state."""
    kinds = [kind for kind, states in NEEDED_IN.items() if but_for not in states]
    end_steps_about(by=by, case=referral.case, about=referral.pk, kinds=kinds)


def leave_stop(referral: Referral, *, by: User | None, kept: bool) -> None:
    """Nobody there reads that it was taken out of their hands, or nobody says so: we call them. `kept`: until it is written
    down that they have stopped."""
    due = deadlines.next_working_day(referral.urgency, clock.now())
    leave(referral, by=by, kind="tell_to_stop", due=due, keeper=STOPPING if kept else "", of=referral.case.owner)


def leave(
    referral: Referral,
    *,
    by: User | None,
    kind: str,
    due: dt.datetime,
    keeper: str = "",
    theirs: bool = False,
    of: User | None = None,
) -> None:
    """Plan a step about a referral on its case, for whoever had the one before."""
    plan_step(
        by=by,
        case=referral.case,
        owner=whose(referral.case, of, due) if of else None,
        kind=kind,
        due_at=due,
        kept_by=keeper,
        others_turn=theirs,
        about=str(referral.pk),
        quiet=True,
        agency=referral.agency.name,
    )


def _tell(move: Move, referral: Referral, change: StateChange, who: str) -> None:
    """Whom the move concerns, but never the one who made it. What the system moves wakes nobody who can wait."""
    can_wait = who == SYSTEM
    if OWNER in move.tells:
        for person in ours(referral):
            if person.pk != change.by_id:
                tell_one(person, move.event, f"change:{change.pk}:{person.pk}", referral, can_wait=can_wait)
    if AGENCY in move.tells and who != AGENCY:
        tell_agency(referral, move.event, f"change:{change.pk}", can_wait=can_wait)


def ours(referral: Referral) -> list[User]:
    """Who hears of it with us: the case's owner, or who stands in; and who has its step in hand."""
    owner = referral.case.owner
    told = stand_ins_of(referral.case, owner, clock.today()) if owner else []
    steps = referral.case.steps.planned().filter(about=str(referral.pk)).select_related("owner")
    told += [step.owner for step in steps if step.owner.is_in_use]
    return list({person.pk: person for person in told}.values())


def tell_one(person: User, kind: str, source: str, referral: Referral, *, can_wait: bool = False) -> None:
    """A notice to one of us; its mail while we are at work, where it can wait and is not acute."""
    at = deadlines.mail_to_us(referral.urgency, clock.now()) if can_wait else None
    notify(user=person, kind=kind, source=source, case=referral.case_id, about=str(referral.pk), mail_at=at)


def tell_agency(referral: Referral, kind: str, source: str, *, but: User | None = None, can_wait: bool = False) -> None:
    """A notice to the agency's mailbox and its people, and where it is away today to its deputy's mailbox; their mail while
    it is open, where it can wait and is not acute."""
    agency = referral.agency
    at = deadlines.mail_to_agency(referral.urgency, clock.now(), agency) if can_wait else None
    for place, address in {"mailbox": agency.mailbox, "deputy": agency.deputy_mailbox}.items():
        if address and (place == "mailbox" or agency.away_on(clock.today())):
            notify(address=address, kind=kind, source=f"{source}:{place}", about=str(referral.pk), mail_at=at)
    for member in agency.members.filter(in_use("user__")).select_related("user"):
        if but is None or member.user_id != but.pk:
            source_of_one = f"{source}:{member.user_id}"
            notify(user=member.user, kind=kind, source=source_of_one, about=str(referral.pk), mail_at=at)
