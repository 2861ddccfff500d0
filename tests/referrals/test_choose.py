"""The page where one chooses to whom."""

import pytest
from django.db import connection

from helpline.people.models import LogEntry
from intake.actions import open_with_reason
from referrals.models import PartnerAgency, Referral


@pytest.fixture
def case(make_case):
    made = make_case(caller_type="relative")
    made.needs = ["child_protection", "family_support", "professional_advice"]
    made.save()
    return made


def page(case) -> str:
    return f"/cases/{case.slug}/refer/"


def choice(cast, **rest) -> dict:
    return {"agency": cast.agency.pk, "need": "child_protection", **rest}


def test_each_need_shows_who_can_help_and_where_one_goes_alone(client_of, cast, case):
    answer = client_of(cast.caseworker).get(page(case))
    assert answer.status_code == 200
    groups = {group.need: group for group in answer.context["groups"]}
    assert list(groups) == case.needs
    assert cast.agency in [offer.agency for offer in groups["child_protection"].handovers]
    html = answer.content.decode()
    assert "Barnens hjälplinje" in html and "Nationellt kunskapscenter" in html
    for offer in groups["family_support"].signposts:
        assert f'name="agency" value="{offer.agency.pk}"' not in html
    for offer in groups["professional_advice"].consulted:
        assert f'name="agency" value="{offer.agency.pk}"' in html


def test_choosing_begins_a_draft_once(client_of, cast, case):
    client = client_of(cast.caseworker)
    answers = [client.post(page(case), choice(cast)) for _ in range(2)]
    connection.check_constraints()
    draft = Referral.objects.get()
    assert {answer.headers["Location"] for answer in answers} == {f"/handovers/{draft.pk}/"}
    assert (draft.state, draft.agency, draft.need, draft.case_id) == ("draft", cast.agency, "child_protection", case.pk)
    assert LogEntry.objects.filter(event="referral.drafted", case=case.pk).count() == 1
    assert LogEntry.objects.filter(event="case.used", case=case.pk).count() == 2


def test_an_agency_outside_the_list_is_chosen_from_the_directory(client_of, cast, case):
    faith = PartnerAgency.objects.get(type="FAITH")
    assert (
        client_of(cast.caseworker).post(page(case), {"agency": faith.pk, "need": "faith_dialogue"}).status_code == 302
    )
    assert Referral.objects.get().agency == faith


@pytest.mark.parametrize("slip", [{"agency": ""}, {"agency": "999999"}, {"need": "money"}])
def test_a_choice_that_is_none_comes_back(client_of, cast, case, slip):
    answer = client_of(cast.caseworker).post(page(case), choice(cast, **slip))
    assert answer.status_code == 422
    assert not Referral.objects.exists()


def test_no_draft_to_where_the_caller_goes_alone_or_to_whom_is_switched_off(client_of, cast, case):
    line = PartnerAgency.objects.get(type="NGO_LINE")
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(is_active=False)
    for agency in (line, cast.agency):
        assert client_of(cast.caseworker).post(page(case), choice(cast, agency=agency.pk)).status_code == 422
    assert not Referral.objects.exists()


def test_a_closed_case_hands_nothing_over(client_of, cast, case):
    from intake.actions import finish_step

    finish_step(by=cast.caseworker, step=case.steps.planned().get(), close="needs_met")
    client = client_of(cast.caseworker)
    assert b'<button class="btn btn-outline-primary btn-sm"' not in client.get(page(case)).content
    answer = client.post(page(case), choice(cast))
    assert (answer.status_code, "The case is closed." in answer.content.decode()) == (422, True)


def test_what_was_told_once_comes_along(client_of, cast, make_referral):
    declined = make_referral("declined")
    answer = client_of(cast.caseworker).post(
        page(declined.case), choice(cast, agency=cast.other_agency.pk, instead=declined.pk)
    )
    draft = Referral.objects.get(state="draft")
    assert answer.headers["Location"] == f"/handovers/{draft.pk}/"
    assert (draft.happened, draft.wants, draft.agency) == (declined.happened, declined.wants, cast.other_agency)
    assert (draft.ground, draft.consent, draft.approved_at, draft.name) == ("", None, None, "")


def test_changing_the_agency_of_a_draft_leaves_one_draft(client_of, cast, make_draft):
    draft = make_draft()
    client_of(cast.caseworker).post(page(draft.case), choice(cast, agency=cast.other_agency.pk, instead=draft.pk))
    left = Referral.objects.get()
    assert (left.agency, left.fears) == (cast.other_agency, draft.fears)


def test_words_of_another_case_do_not_come_along(client_of, cast, make_draft, case):
    other = make_draft(by=cast.stranger)
    answer = client_of(cast.caseworker).post(page(case), choice(cast, instead=other.pk))
    assert answer.status_code == 422
    assert Referral.objects.get() == other


def test_who_said_no_comes_last_with_a_word(client_of, cast, make_referral):
    declined = make_referral("declined")
    declined.case.needs = ["child_protection"]
    declined.case.save()
    answer = client_of(cast.caseworker).get(page(declined.case))
    [group] = answer.context["groups"]
    assert group.handovers[-1].agency == cast.agency
    assert "has said no" in answer.content.decode()


def test_who_may_choose(client_of, cast, case):
    expected = {
        "caseworker": 200,
        "stranger": 404,
        "other_manager": 404,
        "partner": 403,
        "other_partner": 403,
        "keeper": 403,
    }
    for name, status in expected.items():
        assert client_of(cast.everybody()[name]).get(page(case)).status_code == status, name
        if status != 200:
            assert client_of(cast.everybody()[name]).post(page(case), choice(cast)).status_code == status, name
    assert not Referral.objects.exists()


@pytest.mark.parametrize("name", ["colleague", "manager"])
def test_a_colleague_gives_a_reason_first(client_of, cast, case, name):
    someone = cast.everybody()[name]
    assert "/reason/" in client_of(someone).get(page(case)).headers["Location"]
    asked = client_of(someone).post(page(case), choice(cast))
    assert asked.status_code == 403 and "/reason/" in asked.content.decode()
    assert not Referral.objects.exists()
    open_with_reason(by=someone, case=case, reason="caller_on_line")
    assert client_of(someone).get(page(case)).status_code == 200
