"""A new master key: every key is wrapped anew while the old one still opens, and then the old one opens nothing."""

import uuid

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from helpline.people import checks, rotation
from helpline.people.models import DataKey, IndexKey, LogEntry, User
from helpline.people.rotation import left, rotate
from helpline.people.sealed import master_keys
from intake.models import Call
from tests.people.factors import code_of, enrol, log_in, second_step

OLD, NEW = "old:" + "A" * 43 + "=", "new:" + "B" * 43 + "="


@pytest.fixture
def calls(settings, make_call) -> list[Call]:
    """Three calls and the key of the index, all under the old key; now the new one is current."""
    settings.HELPLINE_KEYS = [OLD]
    made = [make_call(track="B", notes={"seen": f"Ord {number}"}, phone="0701234567") for number in range(3)]
    IndexKey.current()
    settings.HELPLINE_KEYS = [NEW, OLD]
    return made


def who(client) -> str | None:
    return client.session.get("_auth_user_id")


def words(call: Call) -> str:
    return Call.objects.get(pk=call.pk).notes.get().text


def test_all_is_wrapped_anew_and_the_old_key_is_of_no_use(calls, settings, capsys):
    mark = IndexKey.current().mark("name", "maja")
    with pytest.raises(CommandError, match="4 keys still need old"):
        call_command("rotate_keys", check=True)
    call_command("rotate_keys")
    assert "4 of 4 wrapped anew" in capsys.readouterr().out
    call_command("rotate_keys", check=True)
    assert "the old key can be taken away" in capsys.readouterr().out
    settings.HELPLINE_KEYS = [NEW]
    assert [words(call) for call in calls] == ["Ord 0", "Ord 1", "Ord 2"]
    assert IndexKey.current().mark("name", "maja") == mark
    row = LogEntry.objects.get(event="keys.rotated")
    assert (row.row, row.codes) == ("new", {"keys": 4})
    settings.HELPLINE_KEYS = [OLD]
    for call in calls:
        with pytest.raises(ImproperlyConfigured, match="the master key new is not in HELPLINE_KEYS"):
            words(call)
    with pytest.raises(ImproperlyConfigured):
        IndexKey.current().mark("name", "maja")


def test_with_both_keys_all_opens_at_any_time_whichever_is_first(calls, settings):
    for number in rotate(batch=1):
        assert number <= 2  # a batch of each kind
        for keys in ([NEW, OLD], [OLD, NEW]):
            settings.HELPLINE_KEYS = keys
            assert [words(call) for call in calls] == ["Ord 0", "Ord 1", "Ord 2"]
        settings.HELPLINE_KEYS = [NEW, OLD]


def test_what_was_cut_off_goes_on_and_twice_does_it_once(calls):
    cut = rotate(batch=1)
    next(cut)
    cut.close()
    assert sum(left().values()) == 2
    assert sum(rotate(batch=1)) == 2 and list(rotate()) == []
    call_command("rotate_keys")
    assert not LogEntry.objects.filter(event="keys.rotated").exists()  # nothing was done by it


def test_new_rows_are_under_the_new_key(calls, make_call):
    assert make_call(track="B").key.master == "new"


def test_a_key_that_is_destroyed_meanwhile_stays_destroyed(calls):
    held = DataKey.objects.get(pk=calls[0].key_id)  # as the rotation read it
    assert held.secret
    DataKey.objects.get(pk=held.pk).destroy()
    assert not held.wrap_anew()
    assert DataKey.objects.get(pk=held.pk).wrapped is None
    assert sum(rotate()) == 3  # and needs no master key any more
    assert left() == {} and words(calls[0]) == ""


def test_one_that_cannot_be_opened_keeps_no_other_waiting(calls, monkeypatch):
    broken = DataKey.objects.create(id=uuid.uuid4(), master="old", wrapped=b"x" * 60)
    stranger = DataKey.objects.create(id=uuid.uuid4(), master="gone", wrapped=b"x" * 60)
    with pytest.raises(CommandError, match="1 keys still need"):
        call_command("rotate_keys")
    assert left() == {"old": 1, "gone": 1}
    assert [words(call) for call in calls] == ["Ord 0", "Ord 1", "Ord 2"]
    kept = [bytes(key.wrapped) for key in (broken, stranger)]
    assert [bytes(DataKey.objects.get(pk=key.pk).wrapped) for key in (broken, stranger)] == kept


def test_production_does_not_start_without_the_key_of_what_is_there(calls, monkeypatch, settings):
    def found(*keys: str) -> list[str]:
        return rotation.faults(master_keys(keys))

    assert found(NEW, OLD) == []
    assert found(NEW) == ["There are keys under the master key old, which is not in HELPLINE_KEYS."]
    another = OLD.replace("A", "C")
    assert "does not open" in found(another, NEW)[0]
    list(rotate())
    assert found(NEW) == []
    settings.HELPLINE_KEYS = [OLD]
    assert any("under the master key new" in fault for fault in checks._faults_of_database())
    settings.HELPLINE_KEYS = [NEW]
    assert not any("master key" in fault for fault in checks._faults_of_database())


@pytest.fixture
def enrolled(cast, client, settings) -> User:
    """A keeper with an app and recovery codes, and nothing else in the database: their secrets are under the old key."""
    settings.HELPLINE_KEYS = [OLD]
    log_in(client, cast.keeper)
    enrol(client)
    client.post(reverse("account_logout"))
    settings.HELPLINE_KEYS = [NEW, OLD]
    return cast.keeper


def test_second_factors_follow_and_are_counted(enrolled, client, settings, capsys):
    with pytest.raises(CommandError, match="2 keys still need old"):
        call_command("rotate_keys", check=True)
    assert rotation.faults(master_keys((NEW,))) == [
        "There are keys under the master key old, which is not in HELPLINE_KEYS."
    ]
    assert "does not open" in rotation.faults(master_keys((OLD.replace("A", "C"), NEW)))[0]
    call_command("rotate_keys")
    assert "2 of 2 wrapped anew" in capsys.readouterr().out
    call_command("rotate_keys", check=True)
    settings.HELPLINE_KEYS = [NEW]  # the old key is retired
    assert rotation.faults(master_keys((NEW,))) == []
    log_in(client, enrolled)
    assert second_step(client, code_of(enrolled, 1)).status_code == 302
    client.post(reverse("account_logout"))
    log_in(client, enrolled)
    codes = Authenticator.objects.get(user=enrolled, type="recovery_codes").wrap().get_unused_codes()
    assert second_step(client, codes[0]).status_code == 302 and who(client) == str(enrolled.pk)


def test_a_factor_that_cannot_be_opened_keeps_no_other_waiting(enrolled, settings):
    broken = Authenticator.objects.get(type="totp")
    data = {**broken.data, "secret": "gone:" + broken.data["secret"].partition(":")[2]}
    Authenticator.objects.filter(pk=broken.pk).update(data=data)
    with pytest.raises(CommandError, match="1 keys still need gone"):
        call_command("rotate_keys")
    assert left() == {"gone": 1}
    assert Authenticator.objects.get(type="recovery_codes").data["seed"].startswith("new:")


def test_a_name_that_stands_there_twice_is_refused():
    with pytest.raises(ImproperlyConfigured, match="old stands there twice"):
        master_keys((OLD, "old:" + "B" * 43 + "="))


def test_the_application_may_do_it(calls):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, has_table_privilege('people_indexkey', 'UPDATE')")
        assert cursor.fetchone() == ("helpline_app", True)
