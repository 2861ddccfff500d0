"""The directory as HSDS 3.x: what is written, what is never written, and what a file changes."""

import datetime as dt
import json
import uuid
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from helpline.people import clock
from helpline.people.models import LogEntry, Municipality
from intake import triage
from referrals.actions.directory import FACTS, save_agency
from referrals.hsds.changes import import_directory, words_of
from referrals.hsds.node import MOST_BYTES
from referrals.hsds.table import TABLE, languages
from referrals.hsds.write import as_json, directory, service
from referrals.models import OpeningHours, PartnerAgency
from referrals.partners import partner_types, receiver_names

DOCUMENT = Path(__file__).parents[2] / "docs" / "directory.md"
ROWS = ["municipalities", "hours"]


def state_of_directory():
    """All that an import may touch, to see that nothing was."""
    facts = list(PartnerAgency.objects.order_by("pk").values())
    hours = list(
        OpeningHours.objects.order_by("agency", "weekday", "opens").values("agency", "weekday", "opens", "closes")
    )
    areas = list(
        PartnerAgency.municipalities.through.objects.order_by("partneragency", "municipality").values_list(
            "partneragency", "municipality"
        )
    )
    return facts, hours, areas


def as_file(*services, **more) -> bytes:
    return json.dumps({"contents": list(services), **more}, ensure_ascii=False).encode()


def term(link_type: str, code: str, value=None):
    return {"value": value, "taxonomy_term": {"taxonomy": f"stodlinjen:{link_type}", "code": code}}


def area(code: str, taxonomy="SCB kommunkod"):
    return {"attributes": [{"taxonomy_term": {"taxonomy": taxonomy, "code": code}}]}


@pytest.fixture
def full(cast) -> PartnerAgency:
    """An agency with all that can be said of one."""
    facts = {"name": "Kvinnojouren Ängen", "type": "WOMEN", "receiver_kind": "civil_society", "phone": "0500-49 80 00"}
    facts |= {
        "mailbox": "angens.brev@example.com",
        "deputy_mailbox": "angens.ersattare@example.com",
        "sdk_address": "angen@sdk.example",
    }
    facts |= {"description": "För kvinnor\noch barn.", "needs": ["threat_protection", "housing"], "minimum_age": 18}
    facts |= {"maximum_age": 65, "languages": ["sv", "ar", "prs"], "verified_on": dt.date(2026, 3, 1)}
    hours = {0: [(dt.time(8), dt.time(12)), (dt.time(13), dt.time(16, 30))], 6: [(dt.time(20), dt.time(23, 59, 59))]}
    served = list(Municipality.objects.filter(pk__in=["1496", "1499"]))
    return save_agency(by=cast.keeper, facts=facts, municipalities=served, hours=hours)


# -- writing ---


def test_a_service_has_the_fields_of_hsds(full):
    found = service(full)
    assert found["id"] == str(full.external_id) and found["name"] == full.name and found["status"] == "active"
    assert (found["minimum_age"], found["maximum_age"], found["assured_date"]) == (18, 65, "2026-03-01")
    assert [phone["number"] for phone in found["phones"]] == ["0500-49 80 00"]
    assert [(one["byday"], one["opens_at"], one["closes_at"]) for one in found["schedules"]] == [
        ("MO", "08:00", "12:00"),
        ("MO", "13:00", "16:30"),
        ("SU", "20:00", "23:59:59"),
    ]
    assert all(one["freq"] == "WEEKLY" for one in found["schedules"])
    assert [one["name"] for one in found["service_areas"]] == ["Skövde", "Falköping"]
    assert {one["code"]: one["name"] for one in found["languages"]}["ar"] == "arabiska"
    assert found["organization"]["name"] == full.name and found["organization_id"] == found["organization"]["id"]
    assert [one["email"] for one in found["contacts"]] == ["angens.ersattare@example.com"]
    kinds = {one["link_type"]: one for one in found["attributes"]}
    assert kinds["function_address"]["value"] == "angen@sdk.example"
    assert kinds["receiver_kind"]["taxonomy_term"]["code"] == "civil_society" and kinds["channel"]
    for rows in found.values():  # each row has an id that is the same each time
        for row in rows if isinstance(rows, list) else []:
            assert uuid.UUID(row["id"])
    assert service(full) == found


def test_the_required_fields_of_the_schema_are_there(full):
    for found in directory()["contents"]:
        assert found["id"] and found["name"] and found["status"] in {"active", "inactive"}
        assert found["organization"]["id"] and found["organization"]["name"] and found["organization"]["description"]
        assert all(phone["number"] for phone in found["phones"])
        for one in found["attributes"]:
            assert one["link_id"] == found["id"] and one["taxonomy_term_id"] == one["taxonomy_term"]["id"]
            assert one["taxonomy_term"]["name"] and one["taxonomy_term"]["description"]


def test_it_is_a_page_of_services(cast):
    page = json.loads(as_json())
    count = PartnerAgency.objects.count()
    assert (page["total_items"], page["size"], page["total_pages"], page["empty"]) == (count, count, 1, False)
    assert [one["name"] for one in page["contents"]] == list(
        PartnerAgency.objects.order_by("name").values_list("name", flat=True)
    )


def test_one_that_is_always_open_says_so_to_others_too(cast):
    agency = PartnerAgency.objects.filter(always_open=True).first()
    [schedule] = service(agency)["schedules"]
    assert (schedule["byday"], schedule["opens_at"], schedule["closes_at"]) == (
        "MO,TU,WE,TH,FR,SA,SU",
        "00:00",
        "23:59:59",
    )


def test_a_confidential_entry_leaves_no_trace(full, tmp_path):
    PartnerAgency.objects.filter(pk=full.pk).update(is_confidential=True, phone="031-10 20 30", name="Huset vid ån")
    before = PartnerAgency.objects.count()
    call_command("export_directory", output=tmp_path / "directory.json")
    text = (tmp_path / "directory.json").read_text(encoding="utf-8")
    secrets = ["031-10 20 30", "Huset", "angen", "angens.brev", "angens.ersattare", str(full.external_id), "kvinnor"]
    for secret in secrets:
        assert secret not in text, secret
    assert json.loads(text)["total_items"] == before - 1
    with pytest.raises(ValueError):
        service(PartnerAgency.objects.get(pk=full.pk))


def test_one_that_is_switched_off_is_inactive(full):
    PartnerAgency.objects.filter(pk=full.pk).update(is_active=False)
    assert next(one for one in directory()["contents"] if one["id"] == str(full.external_id))["status"] == "inactive"


def test_people_and_room_are_never_written(full, cast):
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(room=7331, room_week=clock.today())
    text = as_json()
    assert '"room' not in text and ": 7331" not in text and cast.partner.email not in text


def test_every_fact_of_ours_has_a_row_and_every_row_is_documented():
    """But for whether it is confidential: that is never written and never read."""
    assert {row.ours for row in TABLE} == (FACTS - {"is_confidential"}) | {"external_id", *ROWS}
    text = DOCUMENT.read_text(encoding="utf-8")
    for row in TABLE:
        assert f"| `{row.ours}` | `{row.place}` |" in text, row.ours


# -- reading it back ---


def test_what_was_written_changes_nothing_when_it_is_read(full):
    before = state_of_directory()
    for apply in (False, True):
        plan = import_directory(by=None, data=as_json().encode(), apply=apply)
        assert (plan.changes, plan.faults, plan.unnamed, plan.confidential) == ([], [], [], [])
    assert state_of_directory() == before


codes = st.sampled_from
minutes = st.builds(dt.time, st.integers(0, 23), st.sampled_from([0, 5, 30, 59]))
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn"]), min_size=1, max_size=40).map(
    str.strip
)


@st.composite
def shifts(draw):
    ends = sorted(draw(st.sets(minutes, min_size=2, max_size=4)))
    return [(ends[number], ends[number + 1]) for number in range(0, len(ends) - 1, 2)]


@st.composite
def agencies(draw):
    """What a keeper may write of an agency."""
    low = draw(st.none() | st.integers(0, 60))
    facts = {
        "name": draw(words.filter(bool)),
        "type": draw(codes(list(partner_types()))),
        "receiver_kind": draw(codes(["", *receiver_names()])),
        "nationwide": draw(st.booleans()),
        "phone": draw(codes(["", "0500-49 80 00", "112", "+46 10 456 30 00", "116 111"])),
        "mailbox": draw(codes(["", "brev@example.com"])),
        "always_open": draw(st.booleans()),
        "is_active": draw(st.booleans()),
        "verified_on": draw(st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2026, 1, 1))),
        "description": draw(st.just("") | words),
        "needs": draw(st.lists(codes(triage.codes("needs")), unique=True, max_size=4)),
        "minimum_age": low,
        "maximum_age": draw(st.none() | st.integers(low or 0, 120)),
        "languages": draw(st.lists(codes(languages()), unique=True, max_size=4)),
        "sdk_address": draw(codes(["", "funktion@sdk.example"])),
        "deputy_mailbox": draw(codes(["", "e@example.com"])),
    }
    served = draw(st.lists(codes(["1496", "1499", "1493"]), unique=True, min_size=0 if facts["nationwide"] else 1))
    week = {day: draw(shifts()) for day in draw(st.sets(st.integers(0, 6)))}
    return facts, served, week


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(agencies(), min_size=1, max_size=3, unique_by=lambda row: row[0]["name"].casefold()))
def test_whatever_a_keeper_writes_comes_back_as_it_was(django_db_blocker, django_db_setup, rows):
    """Export and import again: no difference, and into an empty directory the same entries."""
    with django_db_blocker.unblock(), transaction.atomic():
        PartnerAgency.municipalities.through.objects.all().delete()
        OpeningHours.objects.all().delete()
        PartnerAgency.objects.all().delete()
        for facts, served, week in rows:
            areas = list(Municipality.objects.filter(pk__in=served))
            save_agency(by=None, facts=facts, municipalities=areas, hours=week)
        data = as_json().encode()
        plan = import_directory(by=None, data=data, apply=True)
        assert (plan.changes, plan.faults, plan.unnamed) == ([], [], [])
        PartnerAgency.municipalities.through.objects.all().delete()
        OpeningHours.objects.all().delete()
        PartnerAgency.objects.all().delete()
        plan = import_directory(by=None, data=data, apply=True)
        assert plan.faults == [] and len(plan.changes) == len(rows)
        assert json.loads(as_json()) == json.loads(data)
        transaction.set_rollback(True)


# -- a file that changes something ---


def changed_file(full, **changes) -> bytes:
    return as_file({**service(full), **changes})


def test_it_says_what_it_would_change_and_changes_nothing(full, tmp_path, capsys):
    file = tmp_path / "new.json"
    new = {"name": "Nya jouren", "phones": [{"number": "116 111"}], "status": "active"}
    new |= {"attributes": [term("partner_type", "WOMEN")], "service_areas": [area("SE", "ISO 3166-1")]}
    file.write_bytes(as_file({**service(full), "phones": [{"number": "112"}], "minimum_age": 20}, new))
    before, logged = state_of_directory(), LogEntry.objects.count()
    call_command("import_directory", file)
    said = capsys.readouterr().out
    assert f"changed: {full.name}" in said and "phone: 0500-49 80 00 -> 112" in said and "minimum_age: 18 -> 20" in said
    assert "new: Nya jouren" in said and "phone: – -> 116 111" in said and "1 changed, 1 new, 0 as they are" in said
    assert "left alone, since the file does not name them:" in said and "nothing is changed yet" in said
    assert state_of_directory() == before and LogEntry.objects.count() == logged
    call_command("import_directory", file, apply=True)
    connection.check_constraints()
    full.refresh_from_db()
    assert (full.phone, full.minimum_age, full.name) == ("112", 20, "Kvinnojouren Ängen")
    made = PartnerAgency.objects.get(name="Nya jouren")
    assert (made.type, made.nationwide, made.phone, made.verified_on) == ("WOMEN", True, "116 111", None)
    row = LogEntry.objects.get(event="agency.changed", row=str(full.pk))
    assert row.codes["way"] == "import" and row.codes["parts"] == ["minimum_age", "phone"]
    assert LogEntry.objects.filter(event="agency.added", row=str(made.pk)).count() == 1
    after = state_of_directory()
    capsys.readouterr()
    call_command("import_directory", file, apply=True)
    assert "0 changed, 0 new, 2 as they are" in capsys.readouterr().out and state_of_directory() == after


def test_it_deletes_nothing_and_switches_nothing_off(full, cast):
    count = PartnerAgency.objects.active().count()
    plan = import_directory(by=None, data=as_file(), apply=True)
    assert not plan.changes and len(plan.unnamed) == PartnerAgency.objects.count()
    assert PartnerAgency.objects.active().count() == count


def test_what_the_file_leaves_empty_empties_nothing(full):
    before = state_of_directory()
    bare = {"id": str(full.external_id), "name": full.name}
    empty = {"phones": [], "email": "", "languages": None, "attributes": [], "schedules": [], "service_areas": []}
    empty |= {"minimum_age": None, "description": "", "contacts": [], "status": None, "assured_date": None}
    for data in (as_file(bare), as_file({**bare, **empty})):
        assert not import_directory(by=None, data=data, apply=True).changes
    assert state_of_directory() == before


def test_it_never_touches_what_is_confidential_nor_who_works_there(full, cast):
    data = changed_file(full, phones=[{"number": "112"}], is_confidential=False)
    PartnerAgency.objects.filter(pk=full.pk).update(is_confidential=True)
    members = list(cast.agency.members.values())
    plan = import_directory(by=None, data=data, apply=True)
    assert plan.confidential == [full.name] and not plan.changes
    said = "\n".join(words_of(plan))
    assert "0500-49 80 00" not in said
    full.refresh_from_db()
    assert full.is_confidential and full.phone == "0500-49 80 00" and list(cast.agency.members.values()) == members
    with_flag = {"name": "Ny", "is_confidential": True, "attributes": [term("partner_type", "FAITH")]}
    import_directory(by=None, data=as_file({**with_flag, "service_areas": [area("1496")]}), apply=True)
    assert not PartnerAgency.objects.get(name="Ny").is_confidential


def test_by_id_first_then_by_name(full, cast):
    other = str(uuid.uuid4())
    import_directory(
        by=None, data=as_file({"id": other, "name": "KVINNOJOUREN ängen", "phones": [{"number": "112"}]}), apply=True
    )
    kept = PartnerAgency.objects.get(pk=full.pk)
    assert kept.phone == "112" and str(kept.external_id) != other
    data = as_file({"id": str(kept.external_id), "name": "Jouren Ängen"})
    plan = import_directory(by=None, data=data, apply=True)
    assert plan.changes[0].fields == {"name": ("KVINNOJOUREN ängen", "Jouren Ängen")}
    assert PartnerAgency.objects.get(pk=full.pk).name == "Jouren Ängen"


def test_a_new_one_keeps_the_id_of_the_file(cast):
    key = uuid.uuid4()
    new = {"id": str(key), "name": "Ny", "attributes": [term("partner_type", "FAITH")], "service_areas": [area("1496")]}
    import_directory(by=None, data=as_file(new), apply=True)
    assert PartnerAgency.objects.get(name="Ny").external_id == key


def test_what_we_checked_later_than_the_file_stays_checked(full):
    assert not import_directory(by=None, data=changed_file(full, assured_date="2025-01-01"), apply=True).changes
    import_directory(by=None, data=changed_file(full, assured_date="2026-04-01"), apply=True)
    assert PartnerAgency.objects.get(pk=full.pk).verified_on == dt.date(2026, 4, 1)


def test_one_with_handovers_is_not_switched_off_by_a_file(cast, make_referral):
    make_referral("accepted")
    before = state_of_directory()
    data = as_file(
        {**service(cast.other_agency), "phones": [{"number": "112"}]}, {**service(cast.agency), "status": "inactive"}
    )
    plan = import_directory(by=None, data=data, apply=True)
    assert any("$.contents[1] (is_active): 1 handover is with" in fault for fault in plan.faults)
    assert state_of_directory() == before  # the other one neither


BROKEN = {
    "no json": (b"{", "line 1, column 2"),
    "not utf-8": (b'{"contents": ["\xff"]}', "not UTF-8 (byte 15)"),
    "no list": (b'{"contents": 3}', "$.contents: must be a list of services"),
    "nothing": (b"{}", "$.contents: must be a list of services"),
    "a text": (b'"x"', "$: must be an object"),
    "nested": (b"[" * 100_000, "nested too deeply"),
    "not a number": (b'[{"name": "x", "minimum_age": NaN}]', "NaN is no number"),
    "endless number": (b'[{"name": "x", "minimum_age": ' + b"9" * 5000 + b"}]", "$"),
    "said twice": (b'[{"name": "x", "name": "y"}]', '"name" twice'),
    "too large": (b" " * (MOST_BYTES + 1), "larger than 5 MB"),
    "no object": (b"[3]", "$[0]: must be an object"),
    "no name": (b"[{}]", "$[0].name: is missing"),
    "two of a name": (b'[{"name": "x"}, {"name": "X"}]', "$[1].name: stands twice"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_says_where_and_changes_nothing(case, cast, tmp_path):
    data, place = BROKEN[case]
    before = state_of_directory()
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(CommandError) as caught:
        call_command("import_directory", tmp_path / "x.json", apply=True)
    assert place in str(caught.value) and "nothing is changed" in str(caught.value)
    assert state_of_directory() == before


WRONG = {
    "id": ("7", ".id: must be a UUID"),
    "name": (["x"], ".name: must be a text"),
    "description": ("a\u202eb", ".description: There is an invisible mark"),
    "status": ("open", ".status: must be active"),
    "email": ("not an address", ".email: must be an e-mail address"),
    "minimum_age": (True, ".minimum_age: must be a whole number"),
    "maximum_age": (1e400, "must be a whole number"),
    "assured_date": ("yesterday", ".assured_date: must be a date"),
    "phones": ([{"number": "ring oss"}], "cannot be called from Sweden"),
    "languages": ([{"code": "klingon"}], ".languages[0].code: must be one of sv"),
    "service_areas": ([area("0000")], ".service_areas[0].attributes[0].taxonomy_term.code: is no municipality"),
    "contacts": ({"title": "deputy"}, ".contacts: must be a list"),
    "attributes": ([term("need", "money")], ".attributes[0].taxonomy_term.code: must be one of"),
    "schedules": (
        [{"byday": "MO", "opens_at": "16:00", "closes_at": "08:00"}],
        ".schedules[0].closes_at: must be later",
    ),
}


@pytest.mark.parametrize("key", WRONG)
def test_what_cannot_be_kept_is_told_by_its_place(key, full):
    value, place = WRONG[key]
    before = state_of_directory()
    data = as_file({**service(full), "minimum_age": 3, key: value})
    if key == "maximum_age":
        data = data.replace(b"Infinity", b"1e400")
    plan = import_directory(by=None, data=data, apply=True)
    assert len(plan.faults) == 1 and place in plan.faults[0], plan.faults
    assert "$.contents[0]" in plan.faults[0]
    assert state_of_directory() == before


@pytest.mark.parametrize(
    ("schedule", "place"),
    [
        ({"byday": "XX", "opens_at": "08:00", "closes_at": "09:00"}, "byday: must be days"),
        ({"opens_at": "08:00", "closes_at": "09:00"}, "byday: must be days"),
        ({"byday": "MO", "opens_at": "8", "closes_at": "09:00"}, "opens_at: must be a time of day"),
        ({"byday": "MO", "opens_at": "08:00Z", "closes_at": "09:00"}, "opens_at: must be a time of Swedish clocks"),
        ({"byday": "MO", "opens_at": "08:00", "closes_at": "09:00", "freq": "MONTHLY"}, "freq: only hours"),
        ({"byday": "MO", "opens_at": "08:00", "closes_at": "09:00", "valid_to": "2026-12-31"}, "valid_to: only hours"),
    ],
)
def test_hours_that_we_cannot_keep(schedule, place, full):
    plan = import_directory(by=None, data=changed_file(full, schedules=[schedule]), apply=True)
    assert place in plan.faults[0]


def test_hours_of_others_are_read_as_they_write_them(full):
    rows = [{"byday": "MO,TU", "opens_at": "08:00:00+01:00", "closes_at": "24:00", "freq": "WEEKLY", "interval": 1.0}]
    plan = import_directory(by=None, data=changed_file(full, schedules=rows), apply=True)
    assert not plan.faults
    found = [(row.weekday, row.opens, row.closes) for row in full.hours.all()]
    assert found == [(day, dt.time(8), dt.time(23, 59, 59)) for day in (0, 1)]


def test_times_that_overlap_are_refused(full):
    rows = [{"byday": "MO", "opens_at": start, "closes_at": "12:00"} for start in ("08:00", "09:00")]
    assert "the times of MO overlap" in import_directory(by=None, data=changed_file(full, schedules=rows)).faults[0]


def test_a_new_one_without_its_kind_or_its_area_is_refused(cast):
    bare = {"name": "Ny"}
    assert "needs a term of stodlinjen:partner_type" in import_directory(by=None, data=as_file(bare)).faults[0]
    typed = {**bare, "attributes": [term("partner_type", "FAITH")]}
    assert "(municipalities)" in import_directory(by=None, data=as_file(typed)).faults[0]


def test_two_rows_of_one_agency_and_a_name_that_is_taken(full, cast):
    by_name = {"name": full.name}
    by_id = {"id": str(full.external_id), "name": "Annat namn"}
    plan = import_directory(by=None, data=as_file(by_name, by_id), apply=True)
    assert any("is the same agency as $.contents[0]" in fault for fault in plan.faults)
    taken = {"id": str(full.external_id), "name": cast.agency.name.upper()}
    plan = import_directory(by=None, data=as_file(taken), apply=True)
    assert plan.faults == ["$.contents[0].name: another agency has this name"]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_directory", tmp_path / "none.json")
