"""A database that goes down while a session is saved is a fault of ours (500); a session that is gone is not (400)."""

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.urls import reverse

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
    assert client.get(reverse("keeper:user-list")).status_code == 500


def test_a_session_that_is_gone_is_told_so(client, monkeypatch):
    save = Session.save

    def too_late(self, **rest):
        Session.objects.all().delete()
        save(self, **rest)

    monkeypatch.setattr(Session, "save", too_late)
    assert client.get(reverse("keeper:user-list")).status_code == 400
