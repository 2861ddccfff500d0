"""Who may be told what: every ground by receiver, age and day, read from the table; and by hand what the law turns on."""

import datetime as dt
import itertools
from pathlib import Path

import pytest
import yaml

from helpline.people.models import Municipality
from intake import triage
from referrals import actions, grounds
from referrals.models import GroundSetting, PartnerAgency
from referrals.partners import partner_types, receiver_names

TABLE = yaml.safe_load((Path(grounds.__file__).parent / "grounds.yaml").read_text(encoding="utf-8"))
ALL_ON = {row["code"] for row in TABLE}
NORMALLY_ON = {row["code"] for row in TABLE if row.get("default_on", True)}
RECEIVERS = list(receiver_names())
BANDS = triage.codes("age_bands")
# The highest age that a person of the band may have, written down here a second time and not read from the list.
OLDEST = {"0-11": 11, "12-14": 14, "15-17": 17, "18-19": 19, "20": 20, "21-25": 25, "26+": 200, "unknown": 200}
TODAY = dt.date(2026, 11, 23)


def possible(
    receiver: str, age_band: str = "26+", day: dt.date = TODAY, on=frozenset(NORMALLY_ON), channel="handover"
) -> set[str]:
    return {row.code for row in grounds.possible(receiver=receiver, channel=channel, age_band=age_band, day=day, on=on)}


def days_around(row: dict) -> set[dt.date]:
    found = {TODAY}
    for name in ("valid_from", "valid_to"):
        if name in row:
            found |= {row[name] + dt.timedelta(days=days) for days in (-1, 0, 1)}
    return found


def in_table(row: dict, receiver: str, age_band: str, day: dt.date) -> bool:
    """What the row says, read by another hand than the code's."""
    to_them = row["receivers"] == "any" or receiver in row["receivers"]
    young = "under" not in row or OLDEST[age_band] < row["under"]
    begun = "valid_from" not in row or row["valid_from"] <= day
    ended = "valid_to" in row and row["valid_to"] < day
    return to_them and young and begun and not ended


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["code"])
def test_each_ground_for_every_receiver_age_and_day(row):
    for receiver, band, day in itertools.product(RECEIVERS, BANDS, sorted(days_around(row))):
        expected = in_table(row, receiver, band, day)
        found = row["code"] in possible(receiver, band, day, on=ALL_ON)
        assert found is expected, (row["code"], receiver, band, day)
        assert row["code"] not in possible(receiver, band, day, on=ALL_ON - {row["code"]})


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["code"])
def test_each_ground_that_is_not_possible_says_why(row):
    for receiver, band in itertools.product(RECEIVERS, BANDS):
        found = grounds.verdicts(receiver=receiver, channel="handover", age_band=band, day=TODAY, on=NORMALLY_ON)
        assert len(found) == len(TABLE)
        why = next(why for ground, why in found if ground.code == row["code"])
        assert bool(why) is (row["code"] not in possible(receiver, band))


# By hand, from the law itself.
def test_a_private_body_is_told_by_consent_or_without_identity_alone():
    for band in BANDS:
        assert possible("civil_society", band) <= {"CONSENT", "CONSENT_GUARDIAN", "DEIDENT"}
        assert possible("civil_society", band, on=ALL_ON) <= {
            "CONSENT",
            "CONSENT_GUARDIAN",
            "DEIDENT",
            "NECESSARY",
            "PROVISO",
        }


@pytest.mark.parametrize(
    "band, holds",
    [("15-17", True), ("18-19", True), ("20", True), ("21-25", False), ("26+", False), ("unknown", False)],
)
def test_a_young_persons_future_crime_under_twenty_one_to_the_police(band, holds):
    assert ("U21_CRIME" in possible("police", band)) is holds
    assert ("U21_CRIME" in possible("security_service", band)) is holds
    assert "U21_CRIME" not in possible("school", band)


@pytest.mark.parametrize("day, holds", [(dt.date(2025, 3, 31), False), (dt.date(2025, 4, 1), True)])
def test_the_rules_of_april_2025(day, holds):
    for code in ("U21_CRIME", "TERROR_RISK", "CLOSE_VIOLENCE", "TERROR_DONE", "CRIME_DONE"):
        assert (code in possible("police", "15-17", day)) is holds


def test_close_violence_is_told_to_the_police_and_not_to_the_security_service():
    assert "CLOSE_VIOLENCE" in possible("police")
    assert "CLOSE_VIOLENCE" not in possible("security_service")


def test_a_crime_against_a_child_is_told_whatever_the_age_of_the_suspect():
    assert all("CRIME_VS_CHILD" in possible("police", band) for band in BANDS)
    assert not any("CRIME_VS_CHILD" in possible("security_service", band) for band in BANDS)


@pytest.mark.parametrize("band, holds", [("0-11", True), ("15-17", True), ("18-19", False), ("unknown", False)])
def test_the_duty_to_report_a_child_goes_to_the_board_alone(band, holds):
    assert ("DUTY" in possible("social_board", band)) is holds
    for receiver in set(RECEIVERS) - {"social_board"}:
        assert "DUTY" not in possible(receiver, band)


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_necessary_care_of_a_child_goes_to_social_services_and_public_care(receiver):
    assert ("CARE_U18" in possible(receiver, "15-17")) is (
        receiver in {"social_board", "social_services", "health_care"}
    )
    assert "CARE_U18" not in possible(receiver, "18-19")


@pytest.mark.parametrize("day, holds", [(dt.date(2025, 11, 30), False), (dt.date(2025, 12, 1), True)])
def test_the_general_rule_of_2025_is_between_authorities_and_off_until_decided(day, holds):
    assert "GENERAL_2025" not in possible("police", day=day)
    assert ("GENERAL_2025" in possible("police", day=day, on=ALL_ON)) is holds
    assert "GENERAL_2025" not in possible("civil_society", day=day, on=ALL_ON)


def test_what_is_off_until_the_municipality_decides():
    off = {"CARE_ADULT", "DRUGS_TO_CHILD", "GENERAL_2025", "MOVE_CASE", "NECESSARY", "PROVISO"}
    assert off == ALL_ON - NORMALLY_ON


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_an_agency_that_is_only_consulted_is_told_nothing_of_identity(receiver):
    assert possible(receiver, "15-17", on=ALL_ON, channel="deidentified") == {"DEIDENT"}
    assert possible(receiver, "15-17", on=ALL_ON, channel="signpost") == set()


def test_every_type_has_a_receiver_and_every_receiver_a_ground():
    assert {kind.receives for kind in partner_types().values()} <= set(RECEIVERS)
    assert all(possible(receiver, band) for receiver in RECEIVERS for band in BANDS)


def test_a_private_clinic_is_a_private_body_whatever_its_type(reference):
    clinic = PartnerAgency(name="Private clinic", type="BUP", receiver_kind="civil_society")
    public = PartnerAgency(name="Public clinic", type="BUP")
    on = NORMALLY_ON
    assert "CARE_U18" in {row.code for row in public.grounds_for("15-17", TODAY, on)}
    assert "CARE_U18" not in {row.code for row in clinic.grounds_for("15-17", TODAY, on)}


def test_a_municipality_switches_a_ground_for_itself_alone(cast):
    here, there = Municipality.objects.get(pk="1496"), Municipality.objects.get(pk="1493")
    actions.switch_ground(by=cast.keeper, municipality=here, code="NECESSARY", on=True)
    actions.switch_ground(by=cast.keeper, municipality=here, code="EMERGENCY", on=False)
    assert GroundSetting.switched_on(here.pk) == NORMALLY_ON - {"EMERGENCY"} | {"NECESSARY"}
    assert GroundSetting.switched_on(there.pk) == NORMALLY_ON
