"""Who can help, in which order, and why."""

import pytest

from helpline.people.models import Municipality
from referrals.models import OpeningHours, PartnerAgency
from referrals.offers import groups, groups_of
from referrals.partners import DEIDENTIFIED, HANDOVER, SIGNPOST
from referrals.ranking import handovers, rank


@pytest.fixture
def make_agency(reference):
    """An agency of a type, for these municipalities, open at all hours or never; the standard ones are out of the way."""
    PartnerAgency.objects.all().delete()

    def make(name, type="EXIT", serves=(), always_open=False, **rest):
        agency = PartnerAgency.objects.create(
            name=name, type=type, nationwide=not serves, always_open=always_open, **rest
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


def test_then_the_municipality_then_open_now_then_the_name(make_agency):
    make_agency("A nationwide", always_open=True)
    make_agency("D near and closed", serves=["1499"])
    make_agency("C near and closed", serves=["1499"])
    make_agency("Z near and open", serves=["1499"], always_open=True)
    assert names(["exit_support"]) == ["Z near and open", "C near and closed", "D near and closed", "A nationwide"]


def test_who_has_said_no_comes_last(make_agency):
    first, second = make_agency("A"), make_agency("B")
    assert names(["exit_support"], declined=[first.pk]) == ["B", "A"]
    assert names(["exit_support"], declined=[second.pk]) == ["A", "B"]


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
