"""Several numbers in one statement, written out once a day for each person: the words are kept, never what they find."""

import pytest
from django.db.models import F, OuterRef

from helpline.people import clock
from helpline.people.counts import Count, Listed, asked_once, by_day, first_of, written
from helpline.people.models import LogEntry, Notice, User

pytestmark = pytest.mark.django_db


@by_day
def _colleagues(user: User):
    theirs = User.objects.filter(unit=user.unit_id)
    return {"count": Count(theirs), "names": Listed(theirs.order_by("first_name"), "first_name")}


def _asked(user: User):
    return asked_once(user, _colleagues(user))


def test_the_answer_is_always_a_new_one(cast):
    before = _asked(cast.manager)
    assert before["count"] == len(before["names"]) > 1
    User.objects.filter(pk=cast.colleague.pk).update(unit=cast.other_unit)
    after = _asked(cast.manager)
    assert after["count"] == before["count"] - 1
    assert set(before["names"]) - set(after["names"]) == {cast.colleague.first_name}


def test_who_comes_to_another_unit_asks_of_that(cast):
    mine, theirs = _asked(cast.caseworker)["names"], _asked(cast.stranger)["names"]
    assert set(mine).isdisjoint(theirs)
    cast.caseworker.unit = cast.other_unit
    cast.caseworker.save()
    assert _asked(cast.caseworker)["names"] == sorted([*theirs, cast.caseworker.first_name])


def test_the_next_day_is_asked_for_as_that_day(cast, at):
    asks = by_day(lambda user: {"of_today": Count(User.objects.filter(access_until=clock.today()))})
    counts = []
    with at("2026-11-23 08:00"):
        User.objects.filter(pk=cast.colleague.pk).update(access_until=clock.today())
        counts.append(asked_once(cast.manager, asks(cast.manager))["of_today"])
    with at("2026-11-24 08:00"):
        counts.append(asked_once(cast.manager, asks(cast.manager))["of_today"])
    assert counts == [1, 0]


def test_a_time_is_never_asked_all_day(cast, at):
    asks = by_day(lambda user: {"late": Count(LogEntry.objects.filter(at__lt=clock.now()))})
    with at("2026-11-23 08:00"), pytest.raises(ValueError, match="all day"):
        asks(cast.manager)


def test_what_refers_to_the_row_outside_does_not_stand_apart(cast):
    of_each = Notice.objects.filter(user=OuterRef("pk"))
    with pytest.raises(ValueError, match="outer query"):
        asked_once(cast.manager, {"first": first_of(of_each, "kind")})


def test_what_is_joined_is_not_written_out(cast):
    with pytest.raises(ValueError, match="join"):
        written(User, {"unit_name": F("unit__name")})


def test_what_there_cannot_be_is_nothing(cast):
    asks = by_day(lambda user: {"count": Count(User.objects.none()), "name": first_of(User.objects.none(), "language")})
    assert asked_once(cast.manager, asks(cast.manager)) == {"count": 0, "name": None}
