"""The first unit and the first keeper of a line that has nothing yet."""

import re

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from helpline.people.models import LogEntry, Role, Unit, User

GOOD = "a long enough password"


def test_a_unit_is_added_once(reference, capsys):
    for _ in range(2):
        call_command("add_unit", "Line one", "1496", phone="0500-1")
    assert Unit.objects.get(name="Line one").municipality_id == "1496"
    assert LogEntry.objects.filter(event="unit.added").count() == 1
    with pytest.raises(CommandError, match="no municipality 0000"):
        call_command("add_unit", "Line two", "0000")


def link_in(text: str) -> str:
    return re.search(r"/invitation/[\w-]+/", text)[0]


def test_a_keeper_is_added_and_comes_in_by_a_link(reference, capsys, client):
    call_command("add_keeper", "first", name="Birgit Nor", email="b@example.com")
    keeper = User.objects.get(username="first")
    assert (keeper.role, keeper.get_full_name(), keeper.is_demo) == (Role.KEEPER, "Birgit Nor", False)
    assert LogEntry.objects.filter(event="user.added", row=str(keeper.pk)).exists()
    assert not keeper.has_usable_password()
    link = link_in(capsys.readouterr().out)
    assert client.post(link, {"password": "short", "again": "short"}).status_code == 422
    assert client.post(link, {"password": GOOD, "again": GOOD}).status_code == 302
    assert client.get("/keeper/users/").status_code == 200
    assert client.post(link, {"password": GOOD, "again": GOOD}).status_code == 404
    with pytest.raises(CommandError, match="already an account"):
        call_command("add_keeper", "first")


def test_the_only_keeper_begins_again(reference, capsys, client):
    call_command("add_keeper", "first")
    client.post(link_in(capsys.readouterr().out), {"password": GOOD, "again": GOOD})
    call_command("add_keeper", "first", again=True)
    link = link_in(capsys.readouterr().out)
    assert client.get("/keeper/users/").status_code == 302
    assert client.post(link, {"password": GOOD, "again": GOOD}).status_code == 302
    with pytest.raises(CommandError, match="no keeper"):
        call_command("add_keeper", "nobody", again=True)
