"""Which colleagues a case is for: who is locked out of it, who is named for it, who hears of it while its owner is away."""

import datetime as dt
import uuid

from helpline.people.absences import leaders, on_duty, stand_ins
from helpline.people.access import may
from helpline.people.models import User
from intake.models import Case, LockedOut, NamedAccess


def locked_out(case: uuid.UUID | None) -> set[int]:
    """Who is locked out of a case today; nobody where there is none."""
    if case is None:
        return set()
    return set(LockedOut.objects.in_force().filter(case=case).values_list("user", flat=True))


def is_locked_out(user: User, case: uuid.UUID) -> bool:
    """Whether this case is not there for this person: nothing is written to them about it."""
    return LockedOut.objects.in_force().filter(case=case, user=user).exists()


def is_named(case: Case, user: User) -> bool:
    """Whether a manager has named this person for a case with protected personal data."""
    return NamedAccess.objects.in_force().filter(case=case, user=user).exists()


def named(case: Case) -> list[User]:
    """Who is named for it and still works in its unit."""
    rows = NamedAccess.objects.in_force().filter(case=case, user__unit=case.unit_id).select_related("user")
    return [row.user for row in rows.order_by("pk") if may(row.user, "work_case")]


def may_hold(case: Case, user: User) -> bool:
    """Whether a step of this case may come into these hands: those of its owner; not of who is locked out; of a protected
    case only of who is named for it."""
    if user.pk == case.owner_id:
        return True
    return not is_locked_out(user, case.pk) and (not case.is_protected or is_named(case, user))


def leaders_of(case: Case, day: dt.date) -> list[User]:
    """Who leads the unit that day, for this case: nobody who is locked out of it; then the next hears of it."""
    return leaders(case.unit_id, day, but=locked_out(case.pk))


def stand_ins_of(case: Case, user: User, day: dt.date) -> list[User]:
    """Who hears of a case what this person would hear that day; of a protected one who is named, else who leads the unit.
    Never empty, and never who is locked out of it."""
    out = locked_out(case.pk)
    if case.is_protected and not on_duty(user, day):
        there = [one for one in named(case) if one.pk not in out and on_duty(one, day)]
        return there or leaders(case.unit_id, day, but=out) or stand_ins(user, day, but=out)
    return stand_ins(user, day, but=out)


def stand_in_of(case: Case, user: User, day: dt.date) -> User:
    """Who does the work of this person in a case that day: the first of `stand_ins_of`."""
    return stand_ins_of(case, user, day)[0]
