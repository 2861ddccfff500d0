"""Who is away on which days, and who stands in: a chain of deputies that never ends with nobody."""

import datetime as dt
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpline.people import clock
from helpline.people.access import STAFF
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Absence, Role, User, in_use
from helpline.people.notices import notify
from helpline.people.templatetags.people import say_day

LONGEST_AHEAD = dt.timedelta(days=731)  # two years: a parental leave, not a slip of the pen


def absences_on(day: dt.date) -> QuerySet[Absence]:
    """Who is away that day, the one who has been away longest first."""
    return Absence.objects.filter(first_day__lte=day, last_day__gte=day).order_by("first_day", "pk")


def away_on(day: dt.date) -> QuerySet[User]:
    """Who is not there that day: by an absence, or since the last day of their access has passed."""
    return User.objects.filter(Q(access_until__lt=day) | Q(pk__in=absences_on(day).values("user")))


def away(user: User, day: dt.date) -> Absence | None:
    """The absence of this person on that day; the one that lasts longest where there are two."""
    return absences_on(day).filter(user=user).select_related("deputy", "user").order_by("-last_day", "-pk").first()


def away_among(users: Iterable[int], day: dt.date) -> dict[int, Absence]:
    """Of these people, who is away that day: id -> absence. One query, however many they are."""
    rows = absences_on(day).filter(user__in=set(users)).select_related("user", "deputy")
    return {row.user_id: row for row in rows.order_by("last_day", "pk")}


def on_duty(user: User, day: dt.date) -> bool:
    """Whether this person may log in that day and is not away."""
    return user.is_in_use and not away_on(day).filter(pk=user.pk).exists()


def colleagues(user: User) -> QuerySet[User]:
    """The other workers of the unit who can log in, by name."""
    unit = User.objects.filter(in_use(), unit=user.unit_id, unit__isnull=False, role__in=STAFF)
    return unit.exclude(pk=user.pk).order_by("first_name", "last_name", "pk")


def present(people: QuerySet[User], day: dt.date) -> QuerySet[User]:
    """Those of them who are not away that day."""
    return people.exclude(pk__in=away_on(day).values("pk"))


def stand_in(user: User, day: dt.date) -> User:
    """Who does the work of this person that day: the first of `stand_ins`."""
    return stand_ins(user, day)[0]


def stand_ins(user: User, day: dt.date, but: Collection[int] = ()) -> list[User]:
    """Who hears what this person would hear that day: the person, if on duty; else the deputy, or the deputy's own;
    where that leads to nobody the managers of the unit, and where none of them is there whoever is. Never empty. `but`:
    who may not hear of it, and is passed over like somebody who is away."""
    asked, seen = user, set[int]()
    while asked.pk not in seen and asked.unit_id == user.unit_id:
        if on_duty(asked, day) and asked.pk not in but:
            return [asked]
        seen.add(asked.pk)
        absence = away(asked, day)
        asked = absence.deputy if absence and absence.deputy else asked
    return _of_the_unit(user, day, but) or [user]


def leaders(unit: int | None, day: dt.date, but: Collection[int] = ()) -> list[User]:
    """The managers of a unit who are there that day; where all are away, those who stand in for them, or whoever is
    there, or they themselves. Empty only where the unit has no manager. `but`: who may not hear of it, and is passed over;
    then it may be empty where nobody else is there."""
    staff = User.objects.filter(in_use(), unit=unit, unit__isnull=False, role__in=STAFF).order_by("pk")
    is_away = Exists(away_on(day).filter(pk=OuterRef("pk")))
    managers: list[User] = list(staff.filter(role=Role.MANAGER).annotate(is_away=is_away))
    there = [one for one in managers if one.pk not in but and one.is_in_use and not vars(one)["is_away"]]
    if there or not managers:
        return there
    named = {row.deputy_id for one in managers if (row := away(one, day)) and row.deputy_id}
    staff = staff.exclude(pk__in=but)
    last = [one for one in managers if one.pk not in but]
    return list(present(staff.filter(pk__in=named), day)) or list(present(staff, day)) or last


def answer_for(user: User, day: dt.date) -> list[User]:
    """Who answers for what this person has in hand, besides themselves: the managers of the unit who are there; where none
    is, whoever is there. Empty only where the unit has nobody else."""
    return _of_the_unit(user, day)


def _of_the_unit(user: User, day: dt.date, but: Collection[int] = ()) -> list[User]:
    """Who is there instead: the managers, then the others; where all are away, the managers all the same."""
    others = colleagues(user).exclude(pk__in=but)
    there = present(others, day)
    managers = others.filter(role=Role.MANAGER)
    return list(there.filter(role=Role.MANAGER)) or list(there) or list(managers) or list(others)


def standing_in(user: User) -> list[str]:
    """For whom this person is the deputy, counted, in words: whoever is one is not switched off unseen."""
    count = Absence.objects.filter(deputy=user, last_day__gte=clock.today()).count()
    if not count:
        return []
    return [
        ngettext("%(count)s absence to stand in for", "%(count)s absences to stand in for", count) % {"count": count}
    ]


def faults(
    *, user: User, deputy: User | None, first_day: dt.date, last_day: dt.date, but: Absence | None = None
) -> dict[str, str]:
    """What is wrong with such an absence: field -> a whole sentence. `but` is the row that is changed."""
    found = {}
    others = Absence.objects.exclude(pk=but.pk) if but else Absence.objects.all()
    during = others.filter(first_day__lte=last_day, last_day__gte=first_day).order_by("first_day", "pk")
    if last_day < first_day:
        found["last_day"] = _("The last day comes before the first.")
    elif last_day < clock.today():
        found["last_day"] = _("Those days have passed.")
    elif last_day > clock.today() + LONGEST_AHEAD:
        found["last_day"] = _("Choose days within two years.")
    elif own := during.filter(user=user).first():
        found["first_day"] = _("There is an absence already: %(days)s.") % {"days": say_days(own)}
    if deputy is not None and "last_day" not in found:
        if deputy.pk == user.pk or deputy.unit_id != user.unit_id or deputy.role not in STAFF or not deputy.is_in_use:
            found["deputy"] = _("Choose a colleague of the same unit.")
        elif theirs := during.filter(user=deputy).first():
            words = {"name": deputy, "days": say_days(theirs)}
            found["deputy"] = _("%(name)s is away too: %(days)s. Choose another colleague.") % words
    return found


def save_absence(
    *, by: User, user: User, deputy: User | None, first_day: dt.date, last_day: dt.date, absence: Absence | None = None
) -> Absence:
    """Write in the calendar that somebody is away, or change it; never why. Raises Refused, `at` the field."""
    with transaction.atomic():
        _hold({user.pk, *([deputy.pk] if deputy else [])})  # two at once do not overlap, and no deputy is switched off
        if deputy is not None:
            deputy.refresh_from_db()
        wrong = faults(user=user, deputy=deputy, first_day=first_day, last_day=last_day, but=absence)
        for field, text in wrong.items():
            raise Refused(text, at=field)
        row = absence or Absence(user=user)
        row.deputy, row.first_day, row.last_day = deputy, first_day, last_day
        row.save()
        days = [first_day.isoformat(), last_day.isoformat()]
        entry = log("absence.saved", by=by, row=row.pk, of=user.pk, deputy=deputy.pk if deputy else None, days=days)
        _tell(by, user, entry.pk)
    return row


def remove_absence(*, by: User, absence: Absence) -> None:
    """Take an absence out of the calendar. What a deputy has got meanwhile stays there until it is done."""
    with transaction.atomic():
        removed, _rows = Absence.objects.filter(pk=absence.pk).delete()
        if removed:
            entry = log("absence.removed", by=by, row=absence.pk, of=absence.user_id)
            _tell(by, absence.user, entry.pk)


def say_days(absence: Absence) -> str:
    """The days as people say them."""
    if absence.first_day == absence.last_day:
        return say_day(absence.first_day)
    return _("%(first)s to %(last)s") % {"first": say_day(absence.first_day), "last": say_day(absence.last_day)}


def _tell(by: User, user: User, entry: int) -> None:
    """Whose days another has written hears of it: what is due then goes to somebody else."""
    if by.pk != user.pk:
        notify(user=user, kind="absence.changed", source=f"absence.changed:{entry}")


def _hold(people: set[int]) -> None:
    list(User.objects.select_for_update(of=("self",)).filter(pk__in=people).order_by("pk"))
