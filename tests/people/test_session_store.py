"""A database that goes down while a session is saved is a fault of ours (500); a session that is gone is not (400)."""

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from helpline.people.session_store import NEWER, SessionStore
from helpline.people.sessions import ACTIVE

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of, cast):
    """Somebody whose next request writes into the session."""
    client = client_of(cast.keeper)
    session = client.session
    session[ACTIVE] -= 120
    session.save()
    client.raise_request_exception = False
    return client


def test_a_database_that_is_down_is_our_fault(client):
    def gone(execute, sql, *rest):
        if sql.startswith('UPDATE "django_session"'):
            raise OperationalError("the database system is shutting down")
        return execute(sql, *rest)

    with connection.execute_wrapper(gone):
        assert client.get(reverse("keeper:user-list")).status_code == 503


def test_a_session_that_is_gone_is_told_so(client):
    def too_late(execute, sql, *rest):
        if sql.startswith('UPDATE "django_session"'):
            Session.objects.all().delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(too_late):
        assert client.get(reverse("keeper:user-list")).status_code == 400


def test_what_stands_in_the_tables_opens_no_session(client, cast):
    """Who reads them, or a copy of them, is logged in as nobody."""
    assert client.get(reverse("keeper:user-list")).status_code == 200
    read = {*Session.objects.values_list("session_key", flat=True)}
    read |= {*UserSession.objects.values_list("session_key", flat=True)}
    assert read and client.session.session_key not in read
    for key in read:
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = key
        assert thief.get(reverse("keeper:user-list")).status_code == 302
    assert client.get(reverse("keeper:user-list")).status_code == 200


def test_a_new_key_leaves_no_old_row(client):
    store = SessionStore(client.session.session_key)
    before = store.session_key
    store.cycle_key()
    assert Session.objects.count() == 1 and not store.exists(before) and store.exists(store.session_key)
    store.flush()
    assert not Session.objects.exists()


def test_what_another_left_meanwhile_is_not_written_over(client, django_assert_num_queries):
    here = SessionStore(client.session.session_key)
    assert ACTIVE in here  # read
    here["mine"] = 1
    with django_assert_num_queries(1):  # as it was read: by one statement
        here.save()
    other = SessionStore(here.session_key)
    other[NEWER] = "2026-11-23T10:00"
    other.save()
    here["mine"] = 2
    here.save()
    held = SessionStore(here.session_key)
    assert held[NEWER] == "2026-11-23T10:00" and held["mine"] == 2
