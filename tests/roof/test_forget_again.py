"""After a recovery that did not go by `manage.py restore`: the list is applied to the database in use, as the application."""

import uuid
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.dateparse import parse_datetime

from helpline.backup import contents, forgotten, server
from helpline.people import clock
from helpline.people.calendar_address import make_address
from helpline.people.invitations import begin_again_by_command
from helpline.people.models import CalendarAddress, DataKey, Disposal, DisposalItem, Invitation, LogEntry, User
from helpline.statistics import settle
from intake import actions
from intake.models import Call, Case, DaySum, LockedOut, PastCase, ToldPeriod

WHEN = "2026-11-20T10:00:00+00:00"


def a_list(**parts) -> forgotten.List:
    return {"made_at": WHEN, "keys": [], "disposals": [], "accounts": []} | parts


def disposal_of(case: Case, cast, **changed) -> dict:
    item = {"case": str(case.pk), "call": None, "number": case.slug, "rule": "five_years", "due_on": "2026-11-01"}
    told = {
        "id": 4711,
        "proposed_at": "2026-11-19T10:00:00+00:00",
        "proposed_by": cast.manager.pk,
        "unit": cast.unit.pk,
    }
    told |= {"approved_at": WHEN, "approved_by": cast.other_manager.pk, "done_at": WHEN}
    return told | {"items": [{**item, "done_at": WHEN}]} | changed


def apply(folder, told: forgotten.List) -> str:
    path, out = folder / f"{uuid.uuid4()}.json", StringIO()
    contents.write(path, told)
    call_command("forget_again", str(path), stdout=out)
    return out.getvalue()


def test_keys_disposals_and_accounts_are_as_the_list_says(tmp_path, cast, make_call, make_case, client_of):
    call, case = make_call(track="B", notes={"seen": "Ord"}), make_case(track="B")
    key = {"id": str(call.key_id), "at": WHEN}
    client_of(cast.manager)
    open_one = Invitation.objects.create(user=cast.manager, digest="d", until=parse_datetime("2099-01-01T00:00:00Z"))
    make_address(by=cast.manager)
    told = a_list(keys=[key], disposals=[disposal_of(case, cast)], accounts=[{"id": cast.colleague.pk}])
    for _ in range(2):  # twice does it once
        apply(tmp_path, told)
    destroyed = DataKey.objects.get(pk=call.key_id)
    assert (destroyed.wrapped, destroyed.destroyed_at) == (None, parse_datetime(WHEN))
    assert Call.objects.get(pk=call.pk).notes.get().text == ""
    assert not Case.objects.filter(pk=case.pk).exists() and PastCase.objects.count() == 1
    disposal, item = Disposal.objects.get(), DisposalItem.objects.get()
    assert (disposal.approved_by, disposal.done_at, item.number) == (
        cast.other_manager,
        parse_datetime(WHEN),
        case.slug,
    )
    assert item.done_at == parse_datetime(WHEN)
    assert not User.objects.get(pk=cast.colleague.pk).is_active
    assert Invitation.objects.get(pk=open_one.pk).until.year < 2099
    assert not CalendarAddress.objects.exists()
    rows = LogEntry.objects.filter(event="restore.forgotten").order_by("pk")
    assert [row.codes["keys"] for row in rows] == [1, 0] and [row.codes["removed"] for row in rows] == [1, 0]
    assert rows[0].codes["sessions"] == 1


def test_a_list_that_waits_in_the_backup_is_the_one_that_was_carried_out(tmp_path, cast, make_case):
    case = make_case(track="B")
    waits = Disposal.objects.create(
        proposed_by=cast.manager, unit=cast.unit, proposed_at=parse_datetime("2026-11-19T10:00:00Z")
    )
    DisposalItem.objects.create(disposal=waits, case=case.pk, number=case.slug, rule="five_years", due_on="2026-11-01")
    apply(tmp_path, a_list(disposals=[disposal_of(case, cast)]))
    assert Disposal.objects.get().done_at and DisposalItem.objects.get().done_at
    assert not Case.objects.filter(pk=case.pk).exists()


def test_without_who_approved_it_the_words_go_and_the_rest_is_proposed_anew(tmp_path, cast, make_case):
    case = make_case(track="B")
    told = a_list(keys=[{"id": str(case.key_id), "at": WHEN}], disposals=[disposal_of(case, cast, approved_by=10**6)])
    assert "unrecorded 1" in apply(tmp_path, told)
    assert Case.objects.select_related("key").get(pk=case.pk).key.is_destroyed and not Disposal.objects.exists()


def test_a_list_that_was_changed_destroys_nothing(tmp_path, cast, make_call):
    call, path = make_call(), tmp_path / "list.json"
    contents.write(path, a_list())
    path.write_text(path.read_text().replace('"keys": []', f'"keys": [{{"id": "{call.key_id}", "at": null}}]'))
    with pytest.raises(CommandError, match="its signature does not fit"):
        call_command("forget_again", str(path))
    assert not DataKey.objects.get(pk=call.key_id).is_destroyed


def test_several_lists_are_one_and_the_newest_knows_who_may_come_in():
    key, other = {"id": "k", "at": "1"}, {"id": "o", "at": "2"}
    old = a_list(keys=[key], accounts=[{"id": 1}, {"id": 2}])
    new = a_list(keys=[key | {"at": "3"}, other], accounts=[{"id": 2}]) | {"made_at": "2026-11-21T10:00:00+00:00"}
    for lists in ([old, new], [new, old]):
        one = forgotten.together(lists)
        assert one["made_at"] == new["made_at"] and one["accounts"] == [{"id": 2}]
        assert one["keys"] == [key | {"at": "3"}, other]


def test_what_an_account_may_no_longer_do_it_may_not_after_a_restore(tmp_path, cast, client_of):
    """The last day that was set, and the log-in that was reset, after the backup; once, so that who began anew stays in."""
    client_of(cast.colleague)
    factors = Authenticator.objects.filter(user=cast.colleague)
    TOTP.activate(cast.colleague, generate_totp_secret())
    assert factors.exists() and cast.colleague.has_usable_password()
    told = a_list(
        last_days=[{"id": cast.manager.pk, "until": "2026-01-31"}], resets=[{"id": str(cast.colleague.pk), "at": WHEN}]
    )
    said = apply(tmp_path, told)
    assert "last_days 1" in said and "resets 1" in said
    assert User.objects.get(pk=cast.manager.pk).is_over and not factors.exists()
    assert not User.objects.get(pk=cast.colleague.pk).has_usable_password()
    cast.colleague.set_password("begun anew")
    cast.colleague.save()
    assert "resets 0" in apply(tmp_path, told)
    assert User.objects.get(pk=cast.colleague.pk).has_usable_password()


def test_who_was_locked_out_since_is_locked_out_again_and_has_nothing_of_it_in_hand(tmp_path, cast, make_case):
    """In the backup the case was still theirs."""
    case = make_case(by=cast.colleague)
    assert case.owner == cast.colleague
    row = {"id": 1, "case": str(case.pk), "user": cast.colleague.pk, "at": WHEN, "by": cast.manager.pk, "until": None}
    told = a_list(locks=[{**row, "owner": cast.caseworker.pk}])
    assert "locks 1, not_locked 0" in apply(tmp_path, told)
    connection.check_constraints()
    case = Case.objects.get(pk=case.pk)
    assert case.owner == cast.caseworker and {step.owner for step in case.steps.planned()} == {cast.caseworker}
    assert not Case.objects.visible_to(cast.colleague).filter(pk=case.pk).exists()
    assert "locks 0, not_locked 0" in apply(tmp_path, told)
    assert LockedOut.objects.get(case=case).user == cast.colleague
    assert LogEntry.objects.filter(event="staff.locked_out", case=case.pk).count() == 1


FROZEN = {"call": {"all": 18, "parts": {"place": {"1496": 6, "1472": None}}}}


def test_what_was_told_of_a_quarter_is_not_told_anew_of_less(tmp_path, cast):
    """A backup from before it was told: the rows it was told from may be gone. What stands here is never changed."""
    row = {"id": "2026-Q3", "counts": {"call": {"all": {"1": 18}}}, "told": FROZEN, "at": WHEN}
    assert "told 1, told_otherwise 0" in apply(tmp_path, a_list(told=[row]))
    assert "told 0, told_otherwise 0" in apply(tmp_path, a_list(told=[row]))
    here = ToldPeriod.objects.get()
    assert (here.period, here.counts, here.told, here.at) == ("2026-Q3", row["counts"], FROZEN, parse_datetime(WHEN))
    DaySum.objects.create(unit=cast.unit, what="call", day="2026-08-11", count=9)
    with clock.at(parse_datetime("2026-11-22T10:00:00Z")):
        settle()
    assert "told 0, told_otherwise 1" in apply(tmp_path, a_list(told=[row | {"told": {}}]))
    assert ToldPeriod.objects.get().told == FROZEN


@pytest.mark.django_db(transaction=True)
def test_the_list_of_a_database_says_what_was_told(cast):
    ToldPeriod.objects.create(period="2026-Q3", counts={"call": {}}, told=FROZEN, at=parse_datetime(WHEN))
    with server.owner().transaction() as cursor:
        found = forgotten.read(cursor, parse_datetime(WHEN))
    assert [(row["id"], row["counts"], row["told"]) for row in found["told"]] == [("2026-Q3", {"call": {}}, FROZEN)]
    assert parse_datetime(found["told"][0]["at"]) == parse_datetime(WHEN)
    older = a_list() | {"made_at": "2026-11-21T10:00:00+00:00"}
    assert forgotten.together([found, older])["told"] == found["told"] and "1 periods told" in forgotten.counted(found)


@pytest.mark.django_db(transaction=True)
def test_the_list_of_a_database_says_who_may_not_come_in(cast, make_case):
    """Identities alone; a lock-out that has ended is none."""
    case, other = make_case(), make_case()
    actions.lock_out(by=cast.manager, case=case, user=cast.colleague, reason="A cousin.")
    ended = actions.lock_out(by=cast.manager, case=other, user=cast.colleague, reason="A cousin.")
    actions.end_lock(by=cast.manager, locked=ended)
    User.objects.filter(pk=cast.manager.pk).update(access_until="2026-12-31")
    begin_again_by_command(cast.colleague)
    with server.owner().transaction() as cursor:
        found = forgotten.read(cursor, parse_datetime(WHEN))
    assert [(row["case"], row["user"], row["owner"]) for row in found["locks"]] == [
        (str(case.pk), cast.colleague.pk, cast.caseworker.pk)
    ]
    assert {"id": cast.manager.pk, "until": "2026-12-31"} in found["last_days"]
    assert [row["id"] for row in found["resets"]] == [str(cast.colleague.pk)]
    assert "cousin" not in str(found) and "1 log-ins reset, 1 lock-outs" in forgotten.counted(found)
