"""Every move as every kind of person tries it: through the door that the pages use, then by the action that they call."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.test import RequestFactory

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import User
from intake.actions import open_with_reason
from intake.gate import ReasonNeeded
from referrals import actions
from referrals.actions.go import go, hold
from referrals.gate import portal_referral_for, referral_for
from referrals.models import Referral
from referrals.states import AGENCY, OWNER, SYSTEM


class NoDoor(Refused):
    """It is not there for this one."""


@dataclass(frozen=True)
class Role:
    """Who tries, as what, by which way. `user` is the name in the cast; "owner" the case's own; "": nobody is logged in."""

    name: str
    who: str
    user: str = ""
    way: str = ""

    @property
    def how(self) -> dict[str, str]:
        return {"who": self.who, **({"way": self.way} if self.way else {})}


ROLES = [
    Role("owner", OWNER, "owner"),
    Role("owner told by phone", OWNER, "owner", way="phone"),
    Role("colleague who stands in", OWNER, "colleague"),
    Role("manager", OWNER, "manager"),
    Role("caseworker of another unit", OWNER, "stranger"),
    Role("partner", AGENCY, "partner"),
    Role("partner of another agency", AGENCY, "other_partner"),
    Role("by a link", AGENCY, way="link"),
    Role("system", SYSTEM),
]


def enter(role: Role, user: User | None, referral: Referral, move: str = "") -> Referral:
    """The referral as this one gets it; a colleague gives a reason first. Raises NoDoor."""
    if user is None:
        return referral
    request = RequestFactory().post("/")
    request.user = user
    if role.who == AGENCY:
        if move == "confirm":
            return _confirm_door(user, referral)
        return _or_no_door(lambda: portal_referral_for(request, referral.pk))
    try:
        return _or_no_door(lambda: referral_for(request, referral.pk))
    except ReasonNeeded as needed:
        open_with_reason(by=user, case=needed.case, reason="owner_away")
        return _or_no_door(lambda: referral_for(request, referral.pk))


def _confirm_door(user: User, referral: Referral) -> Referral:
    found = Referral.objects.to_confirm_by(user).filter(pk=referral.pk).first()
    if found is None:
        raise NoDoor("not there")
    return found


def _or_no_door(look: Callable[[], Referral]) -> Referral:
    try:
        return look()
    except Http404:
        raise NoDoor("not there") from None


def attempt(move: str, role: Role, user: User | None, referral: Referral, **rest: Any) -> None:
    """Try it. Raises Refused."""
    found = enter(role, user, referral, move)
    own = {"send", "answer", "caller_no"}  # their actions are ours alone and take no `who`
    if move == "expire" or (move in own and role.who != OWNER):
        hold_and_go(move, role, user, found)
    else:
        ACTIONS[move](found, by=user, how=role.how, **rest)


def hold_and_go(move: str, role: Role, user: User | None, referral: Referral) -> None:
    """What has no action for this one, tried past the actions."""
    fields: dict[str, Any] = {"ended_at": clock.now()} if move in {"expire", "caller_no"} else {}
    if move in {"send", "answer"}:
        fields["answer_due_at"] = clock.now() + dt.timedelta(days=1)
    if move == "send":
        fields["sent_at"] = clock.now()
    go(move, hold(referral), by=user, how=role.how, **fields)  # type: ignore[arg-type]


def _soon() -> dt.datetime:
    return clock.now() + dt.timedelta(hours=1)


def _reason(how: dict[str, str]) -> str:
    return "access_ended" if how["who"] == SYSTEM else "changed_mind"


# move -> how its public action is called
ACTIONS: dict[str, Callable[..., Any]] = {
    "send": lambda r, by, how: actions.send(by=by, referral=r),
    "open": lambda r, by, how: actions.open_referral(by=by, referral=r, **how),
    "accept": lambda r, by, how: actions.accept(by=by, referral=r, handled_by="Somebody", **how),
    "decline": lambda r, by, how: actions.decline(by=by, referral=r, reason="no_capacity", text="Full.", **how),
    "ask": lambda r, by, how: actions.ask_question(by=by, referral=r, text="How old?", **how),
    "answer": lambda r, by, how: actions.answer_question(by=by, referral=r, text="Sixteen."),
    "book": lambda r, by, how: actions.book(by=by, referral=r, at=_soon(), **how),
    "book_warm": lambda r, by, how: actions.book(by=by, referral=r, at=_soon(), warm=True, **how),
    "miss": lambda r, by, how: actions.contact_missed(by=by, referral=r, **how),
    "contact": lambda r, by, how: actions.contact_made(by=by, referral=r, text="Met.", **how),
    "hold": lambda r, by, how, days=7: actions.put_on_hold(
        by=by, referral=r, until=clock.today() + dt.timedelta(days=days), **how
    ),
    "resume": lambda r, by, how: actions.resume(by=by, referral=r, **how),
    "complete": lambda r, by, how: actions.complete(by=by, referral=r, **how),
    "return": lambda r, by, how: actions.return_referral(by=by, referral=r, reason="no_capacity", **how),
    "fail": lambda r, by, how: actions.fail(by=by, referral=r, reason="withdrew", **how),
    "caller_no": lambda r, by, how, answer="no": actions.caller_says(by=by, referral=r, answer=answer, text="No."),
    "withdraw": lambda r, by, how: actions.withdraw(by=by, referral=r, reason=_reason(how), **how),
    "confirm": lambda r, by, how: actions.confirm_withdrawal(by=by, referral=r, **how),
}
