"""What the keeper does with accounts: made, changed, switched off and on. None is ever removed."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.calendar_address import end_address
from helpline.people.errors import Refused
from helpline.people.invitations import open_ones
from helpline.people.models import Role, User
from helpline.people.sessions import end_all
from helpline.people.watchers import tell_watchers

FACTS = {"first_name", "last_name", "email", "phone", "role", "unit", "is_qualified", "access_until"}
STAFF = {Role.CASEWORKER, Role.MANAGER}

# What somebody has in hand, in words ("3 open cases"); empty where nothing. Each floor adds its own at start.
HOLDS: list[Callable[[User], list[str]]] = []


def add_user(*, by: User | None, username: str, password: str | None = None, facts: Mapping[str, Any]) -> User:
    """Make an account. Staff have a unit, others none. Without a password its owner comes in by an invitation
    (invitations.invite). Raises Refused for a weak password or a wrong place."""
    user = User(username=username)
    _set(user, facts)
    if password is not None:
        _check_password(user, password)
    with transaction.atomic():
        user.set_password(password)
        user.save(force_insert=True)
        log("user.added", by=by, row=user.pk, role=user.role, unit=user.unit_id)
        if password is None:  # one that somebody will come in by; the demo's and the drill's have a password
            tell_watchers(about=user, by=by, kind="account_made")
    return user


def change_user(*, by: User, user: User, facts: Mapping[str, Any]) -> User:
    """Change what is given. Another role or unit is refused while the person has something in hand. Raises Refused."""
    with transaction.atomic():
        held = _hold(user)
        was_over = held.is_over
        changed = {name for name, value in facts.items() if name in FACTS and getattr(held, name) != value}
        if changed & {"role", "unit"}:
            if held.pk == by.pk:
                raise Refused(_("You cannot change your own role."))
            _refuse_while_in_hand(held)
        _set(held, facts)
        if "access_until" in changed and held.is_over:
            if held.pk == by.pk:
                raise Refused(_("You cannot switch off your own account."))
            _refuse_while_in_hand(held)
        held.save()
        if was_over or changed & {"role", "unit"}:  # an address that has ended does not come back with the account
            end_address(by=by, user=held)
        if changed:
            log("user.changed", by=by, row=held.pk, parts=sorted(changed), role=held.role, unit=held.unit_id)
    return held


def switch_off_user(*, by: User, user: User) -> None:
    """Nobody logs in with it, who is logged in is out, and no invitation opens it, not even when it is switched on again.
    Refused while the person has something in hand."""
    with transaction.atomic():
        held = _hold(user)
        if held.pk == by.pk:
            raise Refused(_("You cannot switch off your own account."))
        _refuse_while_in_hand(held)
        _switch(held, by, on=False)
        open_ones(held).update(until=clock.now())
        end_address(by=by, user=held)
        end_all(held)


def switch_on_user(*, by: User, user: User) -> None:
    """The account can be used again, with the password that it had."""
    with transaction.atomic():
        _switch(_hold(user), by, on=True)


def set_password(*, by: User | None, user: User, password: str) -> None:
    """Give a new password; whoever is logged in with the old one is out. Raises Refused with what is wrong with it."""
    _check_password(user, password)
    with transaction.atomic():
        held = _hold(user)
        held.set_password(password)
        held.save(update_fields=["password"])
        log("user.password_set", by=by, row=held.pk)


def set_keys(*, by: User, on: bool) -> None:
    """Whether single keys do something on the pages of this person."""
    with transaction.atomic():
        if User.objects.filter(pk=by.pk).exclude(uses_keys=on).update(uses_keys=on):
            log("user.keys_set", by=by, row=by.pk, on=on)


def _set(user: User, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if name not in FACTS:
            raise Refused(_("An account has no “%(name)s”.") % {"name": name})
        setattr(user, name, value)
    if (user.role in STAFF) != (user.unit is not None):
        raise Refused(_("Caseworkers and unit managers have a unit, others have none."))


def _check_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from None


def _hold(user: User) -> User:
    return User.objects.select_for_update(of=("self",)).select_related("unit").get(pk=user.pk)


def in_hand(user: User) -> list[str]:
    """What this person has in hand, counted, in words; empty where nothing."""
    return [words for holds in HOLDS for words in holds(user)]


def _refuse_while_in_hand(user: User) -> None:
    if held := in_hand(user):
        raise Refused(
            _("%(name)s has %(what)s. A unit manager gives them to a colleague first.")
            % {"name": user, "what": _(" and ").join(held)}
        )


def _switch(user: User, by: User, *, on: bool) -> None:
    if user.is_active == on:
        return
    user.is_active = on
    user.save(update_fields=["is_active"])
    log("user.switched_on" if on else "user.switched_off", by=by, row=user.pk)
