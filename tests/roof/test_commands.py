"""The first unit and the first keeper of a line that has nothing yet."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from helpline.management.commands import add_keeper
from helpline.people.models import LogEntry, Role, Unit, User

GOOD = "a long enough password"


def test_a_unit_is_added_once(reference, capsys):
    for _ in range(2):
        call_command("add_unit", "Line one", "1496", phone="0500-1")
    assert Unit.objects.get(name="Line one").municipality_id == "1496"
    assert LogEntry.objects.filter(event="unit.added").count() == 1
    with pytest.raises(CommandError, match="no municipality 0000"):
        call_command("add_unit", "Line two", "0000")


def test_a_keeper_is_added_and_can_log_in(reference, monkeypatch, client):
    monkeypatch.setattr(add_keeper, "getpass", lambda prompt: GOOD)
    call_command("add_keeper", "first", name="Birgit Nor", email="b@example.com")
    keeper = User.objects.get(username="first")
    assert (keeper.role, keeper.get_full_name(), keeper.is_demo) == (Role.KEEPER, "Birgit Nor", False)
    assert LogEntry.objects.filter(event="user.added", row=str(keeper.pk)).exists()
    assert client.post("/login/", {"login": "first", "password": GOOD}).status_code == 302
    assert client.get("/keeper/users/").status_code == 200
    with pytest.raises(CommandError, match="already an account"):
        call_command("add_keeper", "first")


def test_a_weak_password_is_refused(reference, monkeypatch):
    monkeypatch.setattr(add_keeper, "getpass", lambda prompt: "short")
    with pytest.raises(CommandError):
        call_command("add_keeper", "first")
    assert not User.objects.filter(username="first").exists()
