"""How often an open door is used from one place."""

import datetime as dt

from django.test import RequestFactory

from helpline.people import clock
from helpline.people.pace import too_often


def times(address: str, count: int, what: str = "door") -> list[bool]:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    return [too_often(request, what=what, a_minute=3) for _time in range(count)]


def test_so_many_times_a_minute_and_then_again_the_next(db, at):
    with at("2026-11-23 10:00"):
        assert times("10.0.0.1", 5) == [False, False, False, True, True]
        with clock.at(clock.now() + dt.timedelta(seconds=60)):
            assert times("10.0.0.1", 1) == [False]


def test_one_place_and_one_door_keep_no_other_waiting(db, at):
    with at("2026-11-23 10:00"):
        times("10.0.0.1", 9)
        assert times("10.0.0.2", 1) == times("10.0.0.1", 1, "another") == [False]


def test_a_long_address_counts_by_its_household(db, at):
    with at("2026-11-23 10:00"):
        times("2001:db8:1:1::1", 3)
        assert times("2001:db8:1:1::2", 1) == [True]
        assert times("2001:db8:1:2::1", 1) == [False]


def test_once_counted_a_time_costs_one_statement(db, django_assert_num_queries):
    times("10.0.0.1", 1)
    with django_assert_num_queries(2):
        times("10.0.0.1", 2)
