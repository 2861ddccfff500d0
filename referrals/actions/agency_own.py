"""What an agency keeps itself: how many more it can take, when it is away and open, who stands in, who works there."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import actions as accounts
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.invitations import invite
from helpline.people.models import Role, User, in_use
from helpline.people.templatetags.people import say_day
from referrals.actions.directory import Hours, set_hours, set_membership
from referrals.models import AgencyAbsence, AgencyMember, PartnerAgency

MOST = 500  # more than this in a week is a slip of the hand
LONGEST_AHEAD = dt.timedelta(days=366)


FRIDAY = 4


def room_week() -> dt.date:
    """The Monday of the week until whose Sunday it holds what is said of room now: of this week, and from Friday on of the
    coming one as well, since at the end of a week nobody hands much over."""
    today = clock.today()
    monday = today - dt.timedelta(days=today.weekday())
    return monday + dt.timedelta(days=7) if today.weekday() >= FRIDAY else monday


def room_until(monday: dt.date | None = None) -> dt.date:
    """The last day on which it holds what was said for the week of that Monday, or is said now."""
    return (monday or room_week()) + dt.timedelta(days=6)


# -- anybody who works there -------------------------------------------------------------------------------------------


def say_room(*, by: User, agency: PartnerAgency, room: int | None) -> None:
    """How many more it can take until `room_until`; None: it does not say. Raises Refused."""
    if room is not None and not 0 <= room <= MOST:
        raise Refused(_("Write a number from 0 to %(most)s.") % {"most": MOST}, at="room")
    with transaction.atomic():
        held = _hold(agency)
        week = None if room is None else room_week()
        if (held.room, held.room_week) == (room, week) or (room is None and held.room_left is None):
            return
        held.room, held.room_week = room, week
        held.save(update_fields=["room", "room_week"])
        log("agency.room_said", by=by, row=held.pk, room=room)


def add_away(*, by: User, agency: PartnerAgency, first_day: dt.date, last_day: dt.date) -> AgencyAbsence:
    """Days on which nobody there answers: the deputy hears in their place. The same days twice are one. Raises Refused."""
    if last_day < first_day:
        raise Refused(_("The last day comes before the first."), at="last_day")
    if last_day < clock.today():
        raise Refused(_("Those days have passed."), at="last_day")
    if last_day > clock.today() + LONGEST_AHEAD:
        raise Refused(_("Choose days within a year."), at="last_day")
    with transaction.atomic():
        held = _hold(agency)
        during = held.absences.filter(first_day__lte=last_day, last_day__gte=first_day).first()
        if during and (during.first_day, during.last_day) == (first_day, last_day):
            return during
        if during:
            raise Refused(
                _("There is an absence already: %(days)s.")
                % {"days": f"{say_day(during.first_day)}–{say_day(during.last_day)}"},
                at="first_day",
            )
        made = AgencyAbsence.objects.create(agency=held, first_day=first_day, last_day=last_day)
        days = [first_day.isoformat(), last_day.isoformat()]
        log("agency.away_said", by=by, row=held.pk, days=days)
        return made


def remove_away(*, by: User, absence: AgencyAbsence) -> None:
    """They are there after all."""
    with transaction.atomic():
        removed, _rows = AgencyAbsence.objects.filter(pk=absence.pk).delete()
        if removed:
            days = [absence.first_day.isoformat(), absence.last_day.isoformat()]
            log("agency.away_removed", by=by, row=absence.agency_id, days=days)


# -- who manages its people --------------------------------------------------------------------------------------------


def keep_hours(*, by: User, agency: PartnerAgency, always_open: bool, hours: Hours) -> None:
    """When it answers. Due times of handovers that are sent from now on fall in these hours."""
    with transaction.atomic():
        held = _lead(by, agency)
        held.always_open = always_open
        held.save(update_fields=["always_open"])
        set_hours(held, hours)
        log("agency.changed", by=by, row=held.pk, parts=["hours"])


def keep_deputies(*, by: User, agency: PartnerAgency, mailbox: str, deputies: Collection[AgencyMember]) -> None:
    """Who hears where the others are silent: a mailbox, people of the agency, or both. Raises Refused."""
    with transaction.atomic():
        held = _lead(by, agency)
        chosen = {one.pk for one in deputies}
        if chosen - set(held.members.filter(in_use("user__")).values_list("pk", flat=True)):
            raise Refused(_("Choose people who work with you."), at="deputies")
        held.deputy_mailbox = mailbox
        held.save(update_fields=["deputy_mailbox"])
        held.members.filter(pk__in=chosen).update(is_deputy=True)
        held.members.exclude(pk__in=chosen).update(is_deputy=False)
        people = sorted(held.members.filter(is_deputy=True).values_list("user_id", flat=True))
        log("agency.changed", by=by, row=held.pk, parts=["deputy"], people=people, mailbox=bool(mailbox))


def add_person(
    *, by: User, agency: PartnerAgency, username: str, facts: Mapping[str, Any], is_manager: bool = False
) -> AgencyMember:
    """An account for a colleague of one's own agency, and of no other. They come in by an invitation. Raises Refused."""
    with transaction.atomic():
        held = _lead(by, agency)
        user = accounts.add_user(by=by, username=username, facts={**facts, "role": Role.PARTNER, "unit": None})
        set_membership(by=by, user=user, agency=held, is_manager=is_manager)
        return AgencyMember.objects.select_related("user").get(user=user)


def invite_person(*, by: User, member: AgencyMember) -> str:
    """A new invitation for a colleague who has no way in yet, or has lost the link. Returns its token. Raises Refused."""
    with transaction.atomic():
        _lead(by, member.agency)
        if member.user.has_usable_password():
            raise Refused(_("This person has logged in already. The system keeper of the line helps."))
        return invite(by=by, user=member.user)


def change_person(*, by: User, member: AgencyMember, facts: Mapping[str, Any], is_manager: bool) -> AgencyMember:
    """What stands about a colleague, and whether they manage the people. Somebody always does. Raises Refused."""
    with transaction.atomic():
        held = _lead(by, member.agency)
        if not is_manager and member.is_manager and not _managers(held).exclude(pk=member.pk).exists():
            raise Refused(_("Somebody must manage your people. Choose another first."), at="is_manager")
        user = accounts.change_user(by=by, user=member.user, facts=facts)
        set_membership(by=by, user=user, agency=held, is_manager=is_manager)
        return AgencyMember.objects.select_related("user").get(pk=member.pk)


def remove_person(*, by: User, member: AgencyMember) -> None:
    """Close the account of a colleague: at once, wherever they are logged in. Nothing waited for that person alone: what is
    with the agency is with all of it. Nobody removes themselves, so one who manages the people is always left."""
    with transaction.atomic():
        _lead(by, member.agency)
        accounts.switch_off_user(by=by, user=member.user)


def return_person(*, by: User, member: AgencyMember) -> None:
    """Open the account of a colleague again."""
    with transaction.atomic():
        _lead(by, member.agency)
        accounts.switch_on_user(by=by, user=member.user)


def _managers(agency: PartnerAgency) -> Any:
    return agency.members.filter(in_use("user__"), is_manager=True)


def _lead(by: User, agency: PartnerAgency) -> PartnerAgency:
    """Its row, held: two who remove each other at the same moment come one after the other, and the second is refused."""
    held = _hold(agency)
    if not _managers(held).filter(user=by).exists():
        raise Refused(_("Only who manages your people can do this."))
    return held


def _hold(agency: PartnerAgency) -> PartnerAgency:
    return PartnerAgency.objects.select_for_update(of=("self",)).get(pk=agency.pk)
