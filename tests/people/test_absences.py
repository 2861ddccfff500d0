"""Who is away and who stands in: never nobody."""

import datetime as dt

import pytest

from helpline.people import clock
from helpline.people.absences import (
    faults,
    leaders,
    on_duty,
    remove_absence,
    save_absence,
    stand_in,
    stand_ins,
)
from helpline.people.actions import switch_off_user
from helpline.people.errors import Refused
from helpline.people.models import Absence, LogEntry, Notice, Role, User

DAY = dt.timedelta(days=1)


@pytest.fixture
def today():
    return clock.today()


@pytest.fixture
def is_away(today):
    def make(user, deputy=None, first=0, last=0):
        return Absence.objects.create(
            user=user, deputy=deputy, first_day=today + first * DAY, last_day=today + last * DAY
        )

    return make


def test_who_is_there_stands_in_for_nobody(cast, today):
    assert on_duty(cast.caseworker, today)
    assert stand_ins(cast.caseworker, today) == [cast.caseworker]


def test_the_first_and_the_last_day_are_days_away(cast, is_away, today):
    is_away(cast.caseworker, cast.colleague, 1, 3)
    there = [on_duty(cast.caseworker, today + ahead * DAY) for ahead in range(5)]
    assert there == [True, False, False, False, True]


def test_the_deputy_stands_in(cast, is_away, today):
    is_away(cast.caseworker, cast.colleague)
    assert stand_in(cast.caseworker, today) == cast.colleague


def test_a_deputy_who_is_away_has_a_deputy(cast, is_away, today):
    is_away(cast.caseworker, cast.colleague)
    is_away(cast.colleague, cast.manager)
    assert stand_in(cast.caseworker, today) == cast.manager


def test_a_ring_of_deputies_ends_with_the_managers(cast, is_away, today):
    is_away(cast.caseworker, cast.colleague)
    is_away(cast.colleague, cast.caseworker)
    assert stand_ins(cast.caseworker, today) == [cast.manager]


def test_without_a_deputy_all_managers_who_are_there(cast, is_away, today):
    second = User.objects.create(username="second", first_name="Zara", role=Role.MANAGER, unit=cast.unit)
    is_away(cast.caseworker)
    assert stand_ins(cast.caseworker, today) == [cast.manager, second]
    is_away(second)
    assert stand_ins(cast.caseworker, today) == [cast.manager]


def test_a_deputy_who_is_switched_off_is_none(cast, is_away, today):
    is_away(cast.caseworker, cast.colleague)
    User.objects.filter(pk=cast.colleague.pk).update(is_active=False)
    assert stand_ins(cast.caseworker, today) == [cast.manager]


def test_a_deputy_who_went_to_another_unit_is_none(cast, is_away, today):
    is_away(cast.caseworker, cast.stranger)
    assert stand_ins(cast.caseworker, today) == [cast.manager]


def test_without_managers_whoever_is_there(cast, is_away, today):
    is_away(cast.caseworker)
    is_away(cast.manager)
    assert stand_ins(cast.caseworker, today) == [cast.colleague]


def test_where_all_are_away_the_managers_hear_of_it_all_the_same(cast, is_away, today):
    for user in (cast.caseworker, cast.manager, cast.colleague):
        is_away(user)
    assert stand_ins(cast.caseworker, today) == [cast.manager]


def test_who_is_alone_is_told_though_away(cast, is_away, today):
    is_away(cast.caseworker)
    User.objects.filter(unit=cast.unit).exclude(pk=cast.caseworker.pk).update(is_active=False)
    assert stand_ins(cast.caseworker, today) == [cast.caseworker]


def test_who_is_switched_off_is_stood_in_for(cast, today):
    cast.caseworker.is_active = False
    cast.caseworker.save()
    assert stand_ins(cast.caseworker, today) == [cast.manager]


def test_who_leads_the_unit(cast, is_away, today):
    assert leaders(cast.unit.pk, today) == [cast.manager]
    is_away(cast.manager, cast.colleague)
    assert leaders(cast.unit.pk, today) == [cast.colleague]
    is_away(cast.colleague)
    assert leaders(cast.unit.pk, today) == [cast.caseworker]
    is_away(cast.caseworker)
    assert leaders(cast.unit.pk, today) == [cast.manager]
    assert leaders(None, today) == []


# -- the calendar ---


def given(cast, today, **other):
    return {
        "user": cast.caseworker,
        "deputy": cast.colleague,
        "first_day": today + DAY,
        "last_day": today + 4 * DAY,
        **other,
    }


def test_an_absence_is_written_with_its_row_in_the_log(cast, today):
    row = save_absence(by=cast.caseworker, **given(cast, today))
    assert (row.user, row.deputy, row.last_day) == (cast.caseworker, cast.colleague, today + 4 * DAY)
    entry = LogEntry.objects.get(event="absence.saved")
    assert entry.user == cast.caseworker and entry.codes["deputy"] == cast.colleague.pk
    assert "Anna" not in str(entry.codes)


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"last_day": 0}, "last_day", "The last day comes before the first."),
        ({"first_day": -9, "last_day": -2}, "last_day", "Those days have passed."),
        ({"last_day": 900}, "last_day", "Choose days within two years."),
    ],
)
def test_days_that_cannot_be(change, field, said, cast, today):
    wrong = given(cast, today, **{name: today + days * DAY for name, days in change.items()})
    assert faults(**wrong) == {field: said}
    with pytest.raises(Refused) as refused:
        save_absence(by=cast.caseworker, **wrong)
    assert refused.value.at == field
    assert not Absence.objects.exists()


def test_who_fell_ill_yesterday_is_written_today(cast, today):
    save_absence(by=cast.caseworker, **given(cast, today, first_day=today - DAY))
    assert not on_duty(cast.caseworker, today)


def test_a_deputy_who_is_away_then_is_refused_by_name_and_days(cast, is_away, today):
    is_away(cast.colleague, None, 3, 9)
    text = faults(**given(cast, today))["deputy"]
    assert "Bert is away too" in text


def test_two_absences_do_not_overlap_but_one_may_be_changed(cast, today):
    row = save_absence(by=cast.caseworker, **given(cast, today))
    assert "There is an absence already" in faults(**given(cast, today))["first_day"]
    save_absence(by=cast.caseworker, absence=row, **given(cast, today, last_day=today + 2 * DAY))
    assert Absence.objects.get().last_day == today + 2 * DAY


@pytest.mark.parametrize("who", ["caseworker", "stranger", "keeper", "partner"])
def test_who_cannot_be_a_deputy(who, cast, today):
    assert faults(**given(cast, today, deputy=getattr(cast, who))) == {"deputy": "Choose a colleague of the same unit."}


def test_taken_away_twice_is_once(cast, today):
    row = save_absence(by=cast.caseworker, **given(cast, today))
    remove_absence(by=cast.caseworker, absence=Absence.objects.get())
    remove_absence(by=cast.caseworker, absence=row)
    assert not Absence.objects.exists()
    assert LogEntry.objects.filter(event="absence.removed").count() == 1


def test_whoever_stands_in_is_not_switched_off_unseen(cast, today):
    save_absence(by=cast.caseworker, **given(cast, today))
    with pytest.raises(Refused, match="1 absence to stand in for"):
        switch_off_user(by=cast.keeper, user=cast.colleague)


def test_whose_days_a_manager_writes_hears_of_it_each_time(cast, today):
    facts = {"user": cast.caseworker, "deputy": None, "first_day": today, "last_day": today}
    row = save_absence(by=cast.manager, **facts)
    save_absence(by=cast.manager, absence=row, **facts)
    remove_absence(by=cast.manager, absence=row)
    remove_absence(by=cast.manager, absence=row)  # gone already: nothing to tell
    told = Notice.objects.filter(kind="absence.changed")
    assert [(one.user, one.case) for one in told] == [(cast.caseworker, None)] * 3


def test_who_writes_their_own_days_is_told_nothing(cast, today):
    row = save_absence(by=cast.caseworker, user=cast.caseworker, deputy=None, first_day=today, last_day=today)
    remove_absence(by=cast.caseworker, absence=row)
    assert not Notice.objects.exists()
