"""Who can help, in which order, and why."""

import datetime as dt
import itertools

import pytest

from helpline.people.models import Municipality
from intake import triage
from referrals.ages import ANY, years_of
from referrals.models import AgencyAbsence, OpeningHours, PartnerAgency
from referrals.offers import groups, groups_of
from referrals.partners import DEIDENTIFIED, HANDOVER, SIGNPOST
from referrals.ranking import handovers, rank

MAIL = {"mailbox": "agency@example.com"}
MONDAY = dt.date(2026, 11, 23)


@pytest.fixture
def make_agency(reference):
    """An agency of a type, for these municipalities, open at all hours or never; the standard ones are out of the way."""
    PartnerAgency.objects.all().delete()

    def make(name, type="EXIT", serves=(), always_open=False, **rest):
        agency = PartnerAgency.objects.create(
            **{"name": name, "type": type, "nationwide": not serves, "always_open": always_open, **MAIL, **rest}
        )
        agency.municipalities.set(Municipality.objects.filter(pk__in=serves))
        return agency

    return make


def names(needs, municipality="1499", age_band="26+", **rest):
    return [offer.agency.name for offer in handovers(needs=needs, municipality=municipality, age_band=age_band, **rest)]


def test_the_acute_need_first_then_the_number_of_needs(make_agency):
    make_agency("B all but the acute", "EXIT")
    make_agency("C the acute", "SAPO")
    assert names(["immediate_danger", "exit_support", "family_support"]) == ["C the acute", "B all but the acute"]
    make_agency("A one need", "PROBATION")
    assert names(["exit_support", "family_support"]) == ["B all but the acute", "A one need"]


def test_then_the_municipality_then_open_now_then_the_name(make_agency, at):
    make_agency("A nationwide", always_open=True)
    make_agency("D near and closed", serves=["1499"])
    make_agency("C near and closed", serves=["1499"])
    make_agency("Z near and open", serves=["1499"], always_open=True)
    with at("2026-11-22 10:00"):  # a Sunday: who has not said when is open on weekdays
        assert names(["exit_support"]) == ["Z near and open", "C near and closed", "D near and closed", "A nationwide"]


def test_who_does_not_meet_serve_or_take_is_not_offered(make_agency):
    make_agency("Elsewhere", serves=["1493"])
    make_agency("Other need", "FAITH")
    make_agency("For children", "BUP")
    make_agency("Switched off", is_active=False)
    assert names(["exit_support", "mental_health"]) == []
    assert names(["mental_health"], age_band="15-17") == ["For children"]


def test_an_unknown_municipality_rules_nobody_out(make_agency):
    make_agency("Somewhere", serves=["1493"])
    assert names(["exit_support"], municipality=None) == ["Somewhere"]


def test_for_somebody_from_elsewhere_another_line_is_offered(make_agency):
    make_agency("Another line", "LINE")
    assert names(["exit_support"], municipality=Municipality.ELSEWHERE) == ["Another line"]
    assert names(["exit_support"]) == []


def test_open_now_is_read_from_the_hours(make_agency, at):
    agency = make_agency("Mornings")
    OpeningHours.objects.create(agency=agency, weekday=0, opens="08:00", closes="12:00")
    for moment, is_open in [("2026-11-23 11:59", True), ("2026-11-23 12:00", False), ("2026-11-24 09:00", False)]:
        with at(moment):
            [offer] = handovers(needs=["exit_support"], municipality="1499", age_band="26+")
            assert offer.is_open is is_open
            assert ("open now" in offer.why) is is_open


def test_why_says_needs_place_and_hours(make_agency):
    make_agency("Near", serves=["1499"], always_open=True)
    [offer] = handovers(needs=["exit_support", "housing"], municipality="1499", age_band="26+")
    assert offer.why == "support to leave · serves the municipality · open now"


def test_each_way_of_reaching_stands_apart(reference):
    found = rank(needs=["professional_advice"], municipality="1499", age_band="26+")
    assert {way: {offer.agency.type for offer in offers} for way, offers in found.items()} == {
        HANDOVER: {"EXIT"},
        SIGNPOST: {"NGO_LINE"},
        DEIDENTIFIED: {"CVE", "COORD"},
    }


def test_groups_stand_under_the_need_that_asks_with_its_reasons(reference):
    found = groups({"housing": ["no home"], "faith_dialogue": []}, municipality="1499", age_band="26+")
    assert [(group.need, group.reasons) for group in found] == [("housing", ["no home"]), ("faith_dialogue", [])]
    assert [offer.agency.type for offer in found[0].handovers] == ["SOC_ADULT"]
    assert [offer.agency.type for offer in found[1].handovers] == ["FAITH"]


def test_a_case_remembers_who_said_no(make_referral, cast):
    case = make_referral("declined", case=None).case
    case.needs = ["child_protection"]
    [group] = groups_of(case)
    assert [offer.agency for offer in group.handovers if offer.has_declined] == [cast.agency]
    assert group.handovers[-1].agency == cast.agency


def test_ranking_asks_as_many_questions_however_many_agencies(make_agency, django_assert_num_queries):
    for number in range(12):
        make_agency(f"Agency {number}", serves=["1499"])
    with django_assert_num_queries(3):
        assert len(names(["exit_support"])) == 12


# -- what an agency has said of itself ---


def test_an_agencys_own_needs_stand_in_for_those_of_its_type(make_agency):
    make_agency("As its type")
    make_agency("Of its own", needs=["housing"])
    assert names(["exit_support"]) == ["As its type"]
    assert names(["housing"]) == ["Of its own"]


def test_what_the_database_says_of_a_need_is_what_the_agency_says(make_agency):
    make_agency("As its type")
    make_agency("As another type", "SCHOOL")
    make_agency("Of its own", needs=["housing", "exit_support"])
    make_agency("Of its own, and not as its type", needs=["housing"])
    for need in triage.codes("needs"):
        met = {agency.name for agency in PartnerAgency.objects.all() if need in agency.meets}
        assert {agency.name for agency in PartnerAgency.objects.meeting([need])} == met
    assert PartnerAgency.objects.meeting(["housing", "exit_support"]).count() == 3
    assert not PartnerAgency.objects.meeting([])


@pytest.mark.parametrize(
    "band, low, high, taken",
    [
        ("15-17", None, None, True),
        ("15-17", 18, None, False),
        ("15-17", 17, None, True),  # one year in common is enough
        ("15-17", None, 14, False),
        ("15-17", None, 15, True),
        ("20", 21, None, False),
        ("20", 20, 20, True),
        ("26+", None, 25, False),
        ("26+", None, 26, True),
        ("26+", 65, None, True),
        ("0-11", 0, 3, True),
        ("0-11", 12, None, False),
        ("unknown", 90, 95, True),  # an age that nobody knows rules nobody out
    ],
)
def test_ages_overlap_by_a_year(make_agency, band, low, high, taken):
    make_agency("Ages", minimum_age=low, maximum_age=high)
    assert (names(["exit_support"], age_band=band) == ["Ages"]) is taken


def test_every_band_of_the_list_has_years_and_they_follow_each_other():
    bands = [years_of(code) for code in triage.codes("age_bands") if code != "unknown"]
    assert bands[0][0] == 0 and bands[-1][1] == ANY[1]
    assert all(high + 1 == low for (_low, high), (low, _high) in itertools.pairwise(bands))
    assert years_of("unknown") == years_of("") == ANY


def test_own_ages_do_not_widen_those_of_the_type(make_agency):
    make_agency("For children", "BUP", minimum_age=0, maximum_age=99)
    assert names(["mental_health"], age_band="26+") == []


def test_who_has_no_room_comes_after_those_with_room_and_says_so(make_agency, at):
    with at("2026-11-25 10:00"):
        make_agency("A full and near", serves=["1499"], always_open=True, room=0, room_week=MONDAY)
        make_agency("B full", room=0, room_week=MONDAY - dt.timedelta(days=7))  # said of another week
        make_agency("C some", room=2, room_week=MONDAY)
        found = handovers(needs=["exit_support"], municipality="1499", age_band="26+")
        assert [offer.agency.name for offer in found] == ["B full", "C some", "A full and near"]
        assert ["no room left" in offer.why for offer in found] == [False, False, True]


def test_no_room_counts_more_than_the_acute_need_and_the_number_of_needs(make_agency, at):
    with at("2026-11-25 10:00"):
        make_agency("Full", "POLICE_LOCAL", room=0, room_week=MONDAY)
        make_agency("Room")
        assert names(["immediate_danger", "crime_prevention", "exit_support"]) == ["Room", "Full"]


def test_who_is_away_today_comes_after_and_says_until_when(make_agency, at):
    with at("2026-11-25 10:00"):
        away = make_agency("A away", always_open=True)
        AgencyAbsence.objects.create(agency=away, first_day=dt.date(2026, 11, 25), last_day=dt.date(2026, 11, 27))
        make_agency("B closed")
        OpeningHours.objects.create(
            agency_id=PartnerAgency.objects.get(name="B closed").pk, weekday=0, opens="08:00", closes="09:00"
        )
        found = handovers(needs=["exit_support"], municipality="1499", age_band="26+")
        assert [offer.agency.name for offer in found] == ["B closed", "A away"]
        assert "away until Fri 27 Nov" in found[1].why and "open now" not in found[1].why
    with at("2026-11-28 10:00"):
        assert names(["exit_support"]) == ["A away", "B closed"]


def test_a_language_rules_nobody_out_and_is_said_where_it_is_met(make_agency):
    make_agency("A", languages=["sv", "so"])
    make_agency("B", languages=["ar", "sv"])
    found = handovers(needs=["exit_support"], municipality="1499", age_band="26+", language="ar")
    assert [(offer.agency.name, "speaks Arabic" in offer.why) for offer in found] == [("A", False), ("B", True)]
    found = handovers(needs=["exit_support"], municipality="1499", age_band="26+", language="sv")
    assert not any("speaks" in offer.why for offer in found)


def test_a_confidential_agency_is_there_for_staff(make_agency):
    make_agency("A shelter", "WOMEN", is_confidential=True)
    assert names(["threat_protection"]) == ["A shelter"]


def test_whom_nobody_reaches_comes_last_and_says_so(make_agency):
    make_agency("A silent", mailbox="")
    make_agency("B by letter", mailbox="", sdk_address="0203:1")
    make_agency("C")
    found = handovers(needs=["exit_support"], municipality="1499", age_band="26+")
    assert [offer.agency.name for offer in found] == ["B by letter", "C", "A silent"]
    assert ["nobody there gets" in offer.why for offer in found] == [False, False, True]
