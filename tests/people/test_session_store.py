"""A database that goes down while a session is saved is a fault of ours (500); a session that is gone is not (400)."""

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from helpline.people.session_store import SessionStore
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


def test_a_database_that_is_down_is_our_fault(client, monkeypatch):
    def gone(*_args, **_rest):
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(Session, "save", gone)
    assert client.get(reverse("keeper:user-list")).status_code == 503


def test_a_session_that_is_gone_is_told_so(client, monkeypatch):
    save = Session.save

    def too_late(self, **rest):
        Session.objects.all().delete()
        save(self, **rest)

    monkeypatch.setattr(Session, "save", too_late)
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
