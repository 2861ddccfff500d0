"""How long a log-in lasts: at most a working day, no longer than somebody is there, and never out in the middle of a call."""

import datetime as dt
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.models import LogEntry, User
from helpline.people.sessions import ACTIVE, BEGAN
from intake import actions
from intake.models import Call

pytestmark = pytest.mark.django_db
QUIET = {"X-Quiet": "1"}


@pytest.fixture
def hanna(client_of, cast):
    return client_of(cast.keeper)


def pass_time(client, seconds, *keys):
    """So much time passes: the stamps of the session are so much older."""
    session = client.session
    for key in keys or (BEGAN, ACTIVE):
        session[key] -= seconds
    session.save()


def is_in(client, path, **headers):
    return client.get(path, headers=headers).status_code == 200


@pytest.fixture
def path():
    return reverse("keeper:user-list")


def test_an_idle_session_ends(hanna, path, settings, cast):
    pass_time(hanna, settings.IDLE_MINUTES * 60 - 5)
    assert is_in(hanna, path)
    pass_time(hanna, settings.IDLE_MINUTES * 60)
    answer = hanna.get(path)
    assert answer.status_code == 302 and answer.url.startswith(reverse("account_login"))
    row = LogEntry.objects.get(event="session.ended")
    assert (row.user, row.why) == (cast.keeper, "idle")
    assert not is_in(hanna, path)


def test_somebody_who_works_is_not_idle(hanna, path, settings):
    for _ in range(3):
        pass_time(hanna, settings.IDLE_MINUTES * 60 - 5)
        assert is_in(hanna, path)


def test_a_working_day_is_the_most_however_much_is_done(hanna, path, settings):
    for _ in range(settings.SESSION_COOKIE_AGE // 1200):
        assert is_in(hanna, path)
        pass_time(hanna, 1200)
    assert not is_in(hanna, path)
    assert LogEntry.objects.get(event="session.ended").why == "day"


def test_a_page_that_asks_by_itself_is_no_activity(hanna, path, settings):
    pass_time(hanna, settings.IDLE_MINUTES * 60 - 5)
    before = hanna.session[ACTIVE]
    assert is_in(hanna, path, **QUIET)
    assert hanna.session[ACTIVE] == before
    pass_time(hanna, 10)
    assert not is_in(hanna, path, **QUIET)


@pytest.mark.parametrize("who", ["caseworker", "partner", "keeper"])
def test_who_writes_long_without_sending_is_there(client_of, cast, settings, who):
    theirs = client_of(getattr(cast, who))
    for _ in range(3):
        pass_time(theirs, settings.IDLE_MINUTES * 60 - 5)
        answer = theirs.get(reverse("account-here"))
        assert (answer.status_code, answer.content) == (204, b"")
    assert theirs.post(reverse("account-here")).status_code == 405
    pass_time(theirs, settings.IDLE_MINUTES * 60)
    assert theirs.get(reverse("account-here")).status_code == 302


def test_a_call_that_goes_on_is_not_idle(client_of, cast, settings):
    anna = client_of(cast.caseworker)
    made = actions.start_call(by=cast.caseworker)
    long_ago = clock.now() - dt.timedelta(hours=3, minutes=59)
    Call.objects.filter(pk=made.pk).update(saved_at=long_ago, received_at=long_ago)
    pass_time(anna, settings.IDLE_MINUTES * 60 * 3)
    assert is_in(anna, "/my-day/")
    pass_time(anna, settings.IDLE_MINUTES * 60 * 3)
    actions.void_call(by=cast.caseworker, call=made, why="Over")
    assert not is_in(anna, "/my-day/")


@pytest.mark.parametrize("whose", ["old", "a colleague's"])
def test_another_call_keeps_nobody_in(client_of, cast, settings, whose):
    made = actions.start_call(by=cast.colleague if whose != "old" else cast.caseworker)
    if whose == "old":
        long_ago = clock.now() - dt.timedelta(hours=4, minutes=1)
        Call.objects.filter(pk=made.pk).update(saved_at=long_ago, received_at=long_ago)
    anna = client_of(cast.caseworker)
    pass_time(anna, settings.IDLE_MINUTES * 60)
    assert not is_in(anna, "/my-day/")


def test_a_call_outlasts_no_working_day(client_of, cast, settings):
    anna = client_of(cast.caseworker)
    actions.start_call(by=cast.caseworker)
    pass_time(anna, settings.SESSION_COOKIE_AGE)
    assert not is_in(anna, "/my-day/")


def test_a_session_without_stamps_gets_them(hanna, path):
    session = hanna.session
    del session[BEGAN], session[ACTIVE]
    session.save()
    assert is_in(hanna, path)
    assert abs(hanna.session[BEGAN] - time.time()) < 5


def test_the_stamp_costs_nothing_within_a_minute(hanna, path):
    is_in(hanna, path)
    with CaptureQueriesContext(connection) as heard:
        is_in(hanna, path)
    assert not [query for query in heard if query["sql"].startswith("UPDATE")]
    pass_time(hanna, 61)
    with CaptureQueriesContext(connection) as heard:
        is_in(hanna, path)
    assert len([query for query in heard if query["sql"].startswith("UPDATE")]) == 1


# ---------- Single keys ----------


@pytest.mark.parametrize("who", ["caseworker", "partner", "keeper"])
def test_single_keys_are_switched_off_and_on(client_of, cast, who):
    user = getattr(cast, who)
    theirs = client_of(user)
    for value, on in (("off", False), ("off", False), ("on", True)):
        answer = theirs.post(reverse("account-keys"), {"uses_keys": value, "next": "/cases/"})
        assert (answer.status_code, answer.url) == (302, "/cases/")
        assert User.objects.get(pk=user.pk).uses_keys is on
    assert [row.codes for row in LogEntry.objects.filter(event="user.keys_set")] == [{"on": False}, {"on": True}]


def test_the_switch_leads_to_no_foreign_place_and_needs_a_form(client_of, cast):
    anna = client_of(cast.caseworker)
    assert anna.post(reverse("account-keys"), {"next": "https://evil.example/"}).url == reverse("home")
    assert anna.get(reverse("account-keys")).status_code == 405


def test_switched_off_no_key_is_announced(client_of, cast):
    anna = client_of(cast.caseworker)
    assert ' aria-keyshortcuts="N"' in anna.get("/my-day/").content.decode()
    anna.post(reverse("account-keys"), {"uses_keys": "off"})
    html = anna.get("/my-day/").content.decode()
    assert " aria-keyshortcuts" not in html and 'data-keys="off"' in html and 'aria-checked="false"' in html
