"""Whether each part works: said without log-in, and 503 where one is down."""

import datetime as dt

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from helpline import views
from helpline.people import heartbeat
from helpline.people.models import Heartbeat

PARTS = {"status", "database", "redis", "worker", "beat", "due"}


@pytest.fixture
def beating(db):
    for name in ("worker", "beat"):
        Heartbeat.objects.create(name=name, at=timezone.now())


def test_all_is_well(client, beating):
    answer = client.get("/health/")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/json"
    assert answer.json() == dict.fromkeys(PARTS, "ok")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_who_has_not_been_heard_for_a_minute_is_down(name, client, beating):
    Heartbeat.objects.filter(name=name).update(at=timezone.now() - dt.timedelta(minutes=1))
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json() == {**dict.fromkeys(PARTS, "ok"), "status": "down", name: "down"}


def test_who_was_never_heard_is_down(client, db):
    answer = client.get("/health/")
    assert answer.status_code == 503 and answer.json()["worker"] == answer.json()["beat"] == "down"


def test_a_broker_that_is_gone_is_down(client, beating, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/health/")
    assert answer.status_code == 503 and answer.json()["redis"] == "down" and answer.json()["worker"] == "ok"


def test_a_database_that_is_gone_is_down(client, monkeypatch):
    class Gone:
        def cursor(self):
            raise OperationalError("with words that nobody should read")

    monkeypatch.setattr(views, "connection", Gone())
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "down",
        "database": "down",
        "redis": "ok",
        "worker": "down",
        "beat": "down",
        "due": "down",
    }


def test_livez_depends_on_nothing(client):
    """No database in this test: a query would fail it."""
    answer = client.get("/livez")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_neither_takes_more_than_a_question(client, db):
    assert client.post("/health/").status_code == client.post("/livez").status_code == 405


def test_a_beat_is_written_and_not_more_often_than_needed(db, monkeypatch):
    monkeypatch.setattr(heartbeat, "_last", {})
    monkeypatch.setattr(heartbeat, "close_old_connections", lambda: None)
    heartbeat.beat("worker")
    assert heartbeat.is_alive("worker") and not heartbeat.is_alive("beat")
    Heartbeat.objects.filter(name="worker").update(at=timezone.now() - dt.timedelta(minutes=5))
    heartbeat.beat("worker")  # within EVERY seconds: nothing is written
    assert not heartbeat.is_alive("worker")
    monkeypatch.setattr(heartbeat, "_last", {})
    heartbeat.beat("worker")
    assert heartbeat.is_alive("worker") and Heartbeat.objects.count() == 1


def test_a_beat_survives_a_database_that_is_gone(db, monkeypatch):
    class Gone:
        closed = False

        def cursor(self):
            raise OperationalError

        def close(self):
            self.closed = True

    gone = Gone()
    monkeypatch.setattr(heartbeat, "_last", {})
    monkeypatch.setattr(heartbeat, "close_old_connections", lambda: None)
    monkeypatch.setattr(heartbeat, "connection", gone)
    heartbeat.beat("worker")
    assert gone.closed and connection.is_usable()
