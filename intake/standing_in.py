"""What is done for a colleague who is away, in words: for whom, until when, and by whom."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.absences import away, away_among, away_on, stand_ins
from helpline.people.models import Absence, User
from helpline.people.templatetags.people import say_day
from intake.models import Call, FollowUp
from intake.models.calls import CallQuerySet


def say_for_whom(steps: Iterable[FollowUp], reader: User) -> None:
    """Give each step that is of a colleague's case the words for whom it is done. One query, however many they are."""
    theirs = [step for step in steps if step.case.owner_id not in (None, reader.pk)]
    gone = away_among([step.case.owner_id for step in theirs if step.case.owner_id], clock.today()) if theirs else {}
    for step in theirs:
        owner = step.case.owner
        assert owner is not None  # chosen above
        step.for_whom = _for_whom(owner, gone.get(owner.pk))  # type: ignore[attr-defined]


def unfinished_for(user: User) -> CallQuerySet:
    """Own unfinished calls, and those of everybody in the unit who is away today."""
    away_today = away_on(clock.today()).exclude(pk=user.pk).values("pk")
    return Call.objects.visible_to(user).unfinished().filter(Q(taken_by=user) | Q(taken_by__in=away_today))


def calls_in_hand(user: User) -> list[Call]:
    """Own unfinished calls, and those of colleagues who are away and for whom this person stands in; oldest first."""
    found = list(unfinished_for(user).select_related("taken_by"))
    own = [call for call in found if call.taken_by_id == user.pk]
    others = [call for call in found if call.taken_by_id != user.pk]
    takers = {call.taken_by_id: call.taken_by for call in others}
    mine = {pk for pk, taker in takers.items() if user in stand_ins(taker, clock.today())}
    gone = away_among(mine, clock.today()) if mine else {}
    for call in (theirs := [call for call in others if call.taken_by_id in mine]):
        call.for_whom = _for_whom(call.taken_by, gone.get(call.taken_by_id))  # type: ignore[attr-defined]
    return sorted([*own, *theirs], key=lambda call: (call.received_at, str(call.pk)))


def say_away(user: User | None) -> str:
    """That somebody is away today, until when, and who stands in; empty where they are not."""
    if user and user.access_until and user.is_over:
        words = {"name": user, "day": say_day(user.access_until), "deputy": _and(stand_ins(user, clock.today()))}
        return _("The access of %(name)s ended on %(day)s. %(deputy)s stands in until it is handed over.") % words
    absence = away(user, clock.today()) if user else None
    if absence is None:
        return ""
    words = {
        "name": absence.user,
        "day": say_day(absence.last_day),
        "deputy": _and(stand_ins(absence.user, clock.today())),
    }
    return _("%(name)s is away to the end of %(day)s. %(deputy)s stands in.") % words


def _for_whom(owner: User, absence: Absence | None) -> str:
    if absence is None:
        return _("for %(name)s") % {"name": owner}
    return _("for %(name)s, away to the end of %(day)s") % {"name": owner, "day": say_day(absence.last_day)}


def _and(people: list[User]) -> str:
    return _(" and ").join(map(str, people))
