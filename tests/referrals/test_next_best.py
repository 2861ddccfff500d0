"""When a handover came back: who is next, and whom each reason rules out."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpline.people import clock
from helpline.people.models import Municipality
from referrals import actions
from referrals.actions.go import go, hold
from referrals.actions.pre_questions import answer_first, ask_first
from referrals.labels import REASONS
from referrals.models import AgencyMember, PartnerAgency, Referral
from referrals.offers import groups_of, history_of, next_best, words_of
from referrals.ruled_out import RULED_OUT, is_ruled_out, noes_of
from referrals.states import CAME_BACK, MOVES
from tests.referrals.conftest import CARD

NEED = "exit_support"


@pytest.fixture
def make_agency(cast):
    """An agency of a type that serves Falköping, or the country."""
    PartnerAgency.objects.exclude(pk=cast.agency.pk).exclude(pk=cast.other_agency.pk).delete()
    PartnerAgency.objects.update(is_active=False)

    def make(name, type="EXIT", serves=(), **rest):
        facts = {"mailbox": f"{name.lower()}@example.com", "always_open": True, **rest}
        agency = PartnerAgency.objects.create(name=name, type=type, nationwide=not serves, **facts)
        agency.municipalities.set(Municipality.objects.filter(pk__in=serves))
        return agency

    return make


@pytest.fixture
def hand(make_case, cast):
    """Hand a case to an agency; `reason` brings it back as a decline."""
    held = {}

    def do(agency, reason="", need=NEED, case=None, suggested=None, age_band="26+"):
        case = case or held.setdefault("case", make_case(age_band=age_band))
        draft = actions.draft_referral(by=cast.caseworker, case=case, agency=agency, need=need)
        words = {**CARD, "safe_contact": "", "happened": "Something.", "about": "Somebody.", "age_band": age_band}
        draft = actions.save_draft(
            by=cast.caseworker, referral=draft, words={**words, "ground": "DEIDENT"}, leads=False
        )
        sent = actions.send(by=cast.caseworker, referral=draft)
        if reason:
            actions.decline(by=None, referral=sent, reason=reason, suggested=suggested)
        connection.check_constraints()
        return Referral.objects.select_related("case__key", "agency").get(pk=sent.pk)

    return do


def names(offers) -> list[str]:
    return [offer.agency.name for offer in offers]


# -- the table ---


def test_every_reason_stands_in_the_table_and_no_other():
    assert set(RULED_OUT) == {*REASONS, ""}


# One agency says no; the others are: of its kind and area, of its kind elsewhere too, of its kind for all, of another kind.
@pytest.mark.parametrize(
    "reason, left",
    [
        ("no_capacity", "Same Wider All Other"),
        ("other", "Same Wider All Other"),
        ("conflict", "Same Wider All Other"),
        ("unsafe", "Same Wider All Other"),
        ("not_our_area", "Wider All Other"),
        ("not_eligible", "Other"),
        ("wrong_age", "Other"),
    ],
)
def test_whom_a_decline_rules_out(make_agency, hand, reason, left):
    first = make_agency("First", "SOC_ADULT", ["1499"])
    make_agency("Same", "SOC_ADULT", ["1499"])
    make_agency("Wider", "SOC_ADULT", ["1499", "1496"])
    make_agency("All", "SOC_ADULT")
    make_agency("Other", "PROBATION")
    back = hand(first, reason)
    assert sorted(names(next_best(back))) == sorted(left.split())


def test_private_bodies_of_a_kind_have_rules_of_their_own(make_agency, hand):
    first = make_agency("First", "EXIT")
    make_agency("Second", "EXIT")
    assert names(next_best(hand(first, "not_eligible"))) == ["Second"]


def test_a_wrong_age_leaves_who_has_said_other_ages(make_agency, hand):
    first = make_agency("First", maximum_age=30)
    make_agency("As first", maximum_age=30)
    make_agency("Says none")
    make_agency("Older too", minimum_age=18, maximum_age=99)
    assert names(next_best(hand(first, "wrong_age"))) == ["Older too"]


def test_a_wrong_age_rules_out_only_while_it_is_the_age(make_agency, hand):
    first, second = make_agency("First"), make_agency("Second")
    back = hand(first, "wrong_age")
    noes = noes_of(back.case)
    assert is_ruled_out(second, need=NEED, age_band="26+", noes=noes)
    assert not is_ruled_out(second, need=NEED, age_band="21-25", noes=noes)


@pytest.mark.parametrize(
    "reason, still", [("conflict", True), ("unsafe", True), ("no_capacity", False), ("other", False)]
)
def test_what_holds_for_every_need_of_the_case(make_agency, hand, reason, still):
    first = make_agency("First")
    back = hand(first, reason)
    assert is_ruled_out(first, need="family_support", age_band="26+", noes=noes_of(back.case)) is still


def test_any_reason_given_in_the_case_counts_not_only_the_last(make_agency, hand):
    first, second = make_agency("First"), make_agency("Second")
    make_agency("Third")
    hand(first, "conflict", need="family_support")
    assert names(next_best(hand(second, "no_capacity"))) == ["Third"]


def test_a_no_in_another_case_rules_nobody_out(make_agency, hand, make_case):
    first = make_agency("First")
    make_agency("Second")
    hand(first, "conflict", case=make_case(age_band="26+"))
    back = hand(PartnerAgency.objects.get(name="Second"), "no_capacity")
    assert names(next_best(back)) == ["First"]


# -- each way in which one comes back ---


WAYS = {
    "declined": lambda sent, by: actions.decline(by=None, referral=sent, reason="no_capacity"),
    "expired": lambda sent, by: go("expire", hold(sent), by=None, how={"who": "system"}, ended_at=clock.now()),
    "withdrawn": lambda sent, by: actions.withdraw(by=by, referral=sent, reason="no_answer"),
    "returned": lambda sent, by: (
        actions.accept(by=None, referral=sent),
        actions.return_referral(by=None, referral=sent, reason="no_capacity"),
    ),
    "failed": lambda sent, by: (
        actions.accept(by=None, referral=sent),
        actions.fail(by=None, referral=sent, reason="no_contact"),
    ),
}


@pytest.mark.parametrize("state", sorted(CAME_BACK))
def test_next_after_each_way_back(make_agency, hand, cast, state):
    make_agency("Second")
    sent = hand(make_agency("First"))
    WAYS[state](sent, cast.caseworker)
    back = Referral.objects.select_related("case__key", "agency").get(pk=sent.pk)
    assert back.state == state
    assert names(next_best(back)) == ["Second"]


def test_every_way_back_is_tried():
    assert set(WAYS) == CAME_BACK == {move.target for move in MOVES.values() if move.target in CAME_BACK}


@pytest.mark.parametrize("reason", ["sent_wrong"])
def test_what_was_our_own_fault_rules_nobody_out(make_agency, hand, cast, reason):
    sent = hand(make_agency("First"))
    actions.withdraw(by=cast.caseworker, referral=sent, reason=reason)
    assert names(next_best(sent)) == ["First"]


# -- what was suggested ---


def test_the_agencys_own_suggestion_is_first_and_marked(make_agency, hand):
    first = make_agency("First")
    make_agency("A near one", serves=["1499"])
    named = make_agency("Named", "FAITH", ["1493"])  # neither meets the need nor serves the place: they know why
    offers = next_best(hand(first, "no_capacity", suggested=named))
    assert names(offers) == ["Named", "A near one"]
    assert offers[0].suggested_by == first and "suggested by First" in offers[0].why
    assert "suggested" not in offers[1].why


def test_a_suggestion_that_is_in_the_list_stands_there_once(make_agency, hand):
    named = make_agency("Named")
    assert names(next_best(hand(make_agency("First"), "other", suggested=named))) == ["Named"]


@pytest.mark.parametrize("slip", [{"is_active": False}, {"type": "NGO_LINE"}, {"type": "CVE"}, {"mailbox": ""}])
def test_a_suggestion_that_cannot_be_handed_anything_is_left_out(make_agency, hand, slip):
    named = make_agency("Named")
    back = hand(make_agency("First"), "other", suggested=named)
    PartnerAgency.objects.filter(pk=named.pk).update(**slip)
    assert names(next_best(back)) == []


def test_a_suggestion_that_was_ruled_out_before_is_left_out(make_agency, hand):
    named = make_agency("Named")
    hand(named, "conflict")
    assert names(next_best(hand(make_agency("First"), "no_capacity", suggested=named))) == []


# -- who is not asked again ---


def test_who_has_a_handover_of_the_need_now_is_not_offered(make_agency, hand):
    busy = make_agency("Busy")
    hand(busy)
    make_agency("Free")
    assert names(next_best(hand(make_agency("First"), "no_capacity"))) == ["Free"]


def test_who_has_another_need_of_the_case_can_still_be_asked(make_agency, hand):
    hand(make_agency("Busy"), need="family_support")
    assert names(next_best(hand(make_agency("First"), "no_capacity"))) == ["Busy"]


def test_who_has_said_without_a_name_that_they_cannot_is_left_out_and_who_can_comes_first(make_agency, hand, cast):
    back = hand(make_agency("First"), "no_capacity")
    agencies = [make_agency(name) for name in ("A no", "B nothing", "C yes")]
    question = ask_first(by=cast.caseworker, case=back.case, need=NEED, age_band="26+", agencies=agencies)
    by_name = {row.agency.name: row for row in question.answers.all()}
    answer_first(by=None, answer=by_name["A no"], said="no")
    answer_first(by=None, answer=by_name["C yes"], said="yes")
    assert names(next_best(back)) == ["C yes", "B nothing"]


def test_the_order_is_the_same_every_time(make_agency, hand):
    back = hand(make_agency("First"), "no_capacity")
    for number in range(8):
        make_agency(f"Equal {number}")
    assert [names(next_best(back)) for _again in range(3)] == [[f"Equal {number}" for number in range(8)]] * 3


def test_as_many_questions_however_many_agencies_and_noes(make_agency, hand):
    back = hand(make_agency("First"), "no_capacity", suggested=make_agency("Named"))
    make_agency("Another")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert all(offer.why for offer in next_best(back))
        return len(queries)

    before = asked()
    for number in range(6):
        hand(make_agency(f"Said no {number}"), "no_capacity")
        make_agency(f"More {number}", serves=["1499"])
    assert asked() == before


# -- what there was before ---


def test_a_no_is_not_hidden_by_a_draft_that_is_begun_anew(make_agency, hand, cast):
    first = make_agency("First")
    make_agency("Second")
    back = hand(first, "no_capacity")
    actions.draft_referral(by=cast.caseworker, case=back.case, agency=first, need=NEED)
    assert history_of(back.case) == {first.pk: ["declined", "draft"]}
    assert words_of(back.case) == {first.pk: "has said no, a draft is begun"}
    back.case.needs = [NEED]
    [group] = groups_of(back.case)
    assert [(offer.agency.name, offer.has_declined) for offer in group.handovers] == [
        ("Second", False),
        ("First", True),
    ]


def test_a_no_to_one_need_is_not_hidden_by_another_and_puts_nobody_last_there(make_agency, hand):
    first = make_agency("First")
    make_agency("Second")
    back = hand(first, "no_capacity")
    hand(first, need="family_support")
    assert words_of(back.case) == {first.pk: "has said no, has a handover now"}
    back.case.needs = [NEED, "family_support"]
    last = {group.need: group.handovers[-1].agency.name for group in groups_of(back.case)}
    assert last == {NEED: "First", "family_support": "Second"}


def test_whom_a_reason_rules_out_comes_after_those_it_does_not(make_agency, hand):
    back = hand(make_agency("First", "SOC_ADULT", ["1499"]), "not_our_area")
    make_agency("A same area", "SOC_ADULT", ["1499"])
    make_agency("B for all", "SOC_ADULT")
    back.case.needs = [NEED]
    [group] = groups_of(back.case)
    assert names(group.handovers) == ["B for all", "A same area", "First"]


def test_the_step_shows_who_is_next_and_what_was_told_comes_along(client_of, cast, make_agency, hand):
    named = make_agency("Named")
    back = hand(make_agency("First"), "no_capacity", suggested=named)
    html = client_of(cast.caseworker).get(f"/cases/{back.case.slug}/").content.decode()
    assert "Suggested by First" in html and f'name="agency" value="{named.pk}"' in html
    client_of(cast.caseworker).post(
        f"/cases/{back.case.slug}/refer/", {"agency": named.pk, "need": NEED, "instead": back.pk}
    )
    assert Referral.objects.get(state="draft").wants == back.wants


def test_nobody_there_with_an_account_that_is_switched_off(make_agency, hand, cast):
    named = make_agency("Named", mailbox="")
    AgencyMember.objects.filter(user=cast.other_partner).update(agency=named)
    back = hand(make_agency("First"), "no_capacity")
    assert names(next_best(back)) == ["Named"]
    cast.other_partner.is_active = False
    cast.other_partner.save()
    assert names(next_best(back)) == []
