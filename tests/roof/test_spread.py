"""A colleague's cases are spread over those who are there: by room, never to who may not have them, and in words."""

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice, Role, User
from helpline.spread import Gift, cases_of, give, propose
from intake import actions
from intake.models import Bounce, Case, Event


@pytest.fixture
def third(cast) -> User:
    """One more colleague."""
    return User.objects.create(username="third", unit=cast.unit, role=Role.CASEWORKER, first_name="Carl", language="en")


@pytest.fixture
def cases(make_case, cast) -> list[Case]:
    return [make_case(urgency=urgency) for urgency in ("NORMAL", "AKUT", "SKYNDSAM")]


def _url(cast) -> str:
    return reverse("spread", args=[cast.caseworker.pk])


def _form(cases, to, note="Anna is away until Friday. Call on Monday.") -> dict[str, str]:
    return {"handover": note} | {f"to-{case.slug}": str(to.pk) for case in cases}


def _owners(cases) -> set[int | None]:
    return set(Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("owner", flat=True))


# -- proposed ----------------------------------------------------------------------------------------------------------


def test_the_heaviest_goes_to_who_has_most_room(cast, cases, make_case, third, settings):
    settings.CASELOAD_WEIGHTS = {"AKUT": 5, "SKYNDSAM": 2, "NORMAL": 1}
    make_case(by=cast.colleague, urgency="AKUT")
    to = {one.case.urgency: one.to.who for one in propose(cast.caseworker, cast.manager)}
    # room: Carl 20, Bert 15, the manager 20 too, who is no caseworker; the acute to Carl, then they are alike
    assert to["AKUT"] == third and to["SKYNDSAM"] in {third, cast.colleague}
    assert to["NORMAL"] in {third, cast.colleague} - {to["SKYNDSAM"]}


def test_nobody_who_is_away_locked_out_or_unnamed_is_proposed(cast, cases, make_case, third):
    days = {"first_day": clock.today(), "last_day": clock.today()}
    save_absence(by=cast.colleague, user=cast.colleague, deputy=None, **days)
    actions.lock_out(by=cast.manager, case=cases[0], user=third, reason="Cousin.")
    protected = make_case(protection="secrecy_marking", track="B")
    by = {one.case.pk: one for one in propose(cast.caseworker, cast.manager)}
    assert {worker.who for worker in by[cases[0].pk].may} == {cast.manager}
    assert by[protected.pk].may == [] and by[protected.pk].to is None
    actions.name_staff(by=cast.manager, case=protected, user=third)
    by = {one.case.pk: one for one in propose(cast.caseworker, cast.manager)}
    assert by[protected.pk].to.who == third
    assert all(cast.colleague not in [worker.who for worker in one.may] for one in by.values())


def test_what_the_manager_is_locked_out_of_is_not_there(cast, cases):
    boss = User.objects.create(username="boss", unit=cast.unit, role=Role.MANAGER, language="en")
    actions.lock_out(by=boss, case=cases[0], user=cast.manager, reason="Her brother.")
    assert cases[0] not in cases_of(cast.caseworker, cast.manager)
    assert cases[0] in cases_of(cast.caseworker, boss)


# -- handed over -------------------------------------------------------------------------------------------------------


def test_one_button_hands_them_over_with_their_steps_and_words(client_of, cast, cases, third):
    client = client_of(cast.manager)
    page = client.get(_url(cast)).content.decode()
    assert all(case.number in page for case in cases)
    data = _form(cases, cast.colleague) | {
        f"to-{cases[0].slug}": str(third.pk),
        f"note-{cases[1].slug}": "He likes Bert.",
    }
    assert client.post(_url(cast), data).url == reverse("caseload")
    connection.check_constraints()
    owners = dict(Case.objects.values_list("pk", "owner"))
    assert owners == {cases[0].pk: third.pk, cases[1].pk: cast.colleague.pk, cases[2].pk: cast.colleague.pk}
    for case in cases:
        assert set(case.steps.planned().values_list("owner", flat=True)) == {owners[case.pk]}
    words = {event.case_id: event.text for event in Event.objects.filter(kind="case.reassigned")}
    assert words[cases[1].pk] == "He likes Bert." and words[cases[2].pk].startswith("Anna is away")
    assert LogEntry.objects.filter(event="case.reassigned", user=cast.manager).count() == 3
    assert Notice.objects.filter(kind="case.assigned").count() == 3
    assert not Bounce.objects.filter(cause="changed_hands").exists()


def test_twice_does_it_once(client_of, cast, cases):
    client = client_of(cast.manager)
    for _ in range(2):
        assert client.post(_url(cast), _form(cases, cast.colleague)).status_code == 302
    assert Event.objects.filter(kind="case.reassigned").count() == 3
    assert _owners(cases) == {cast.colleague.pk}


def test_without_words_nothing_is_handed_over(client_of, cast, cases):
    answer = client_of(cast.manager).post(_url(cast), _form(cases, cast.colleague, note=" "))
    assert answer.status_code == 422 and "what the new owners must know" in answer.content.decode()
    assert _owners(cases) == {cast.caseworker.pk}
    gifts = [Gift(cases[0], cast.colleague, "Words."), Gift(cases[1], cast.colleague, " ")]
    with pytest.raises(Refused, match="what the new owner must know"):
        give(by=cast.manager, worker=cast.caseworker, gifts=gifts)
    assert _owners(cases) == {cast.caseworker.pk}


def test_what_is_not_chosen_stays(client_of, cast, cases):
    client = client_of(cast.manager)
    assert client.post(_url(cast), {"handover": "Words."}).status_code == 422
    assert client.post(_url(cast), _form(cases[:1], cast.colleague)).status_code == 302
    assert _owners(cases[1:]) == {cast.caseworker.pk} and _owners(cases[:1]) == {cast.colleague.pk}


def test_one_that_cannot_be_given_keeps_no_other(cast, cases, make_case, third):
    protected = make_case(protection="secrecy_marking", track="B")
    actions.lock_out(by=cast.manager, case=cases[0], user=third, reason="Cousin.")
    late = Case.objects.get(pk=cases[1].pk)
    actions.reassign_case(by=cast.manager, case=Case.objects.get(pk=cases[1].pk), to=cast.colleague, handover="Before.")
    gifts = [Gift(case, third, "Words.") for case in (cases[0], late, cases[2], protected)]
    result = give(by=cast.manager, worker=cast.caseworker, gifts=gifts)
    connection.check_constraints()
    assert result.given == {"Carl": 1}
    assert "locked out" in result.left[cases[0].slug] and "already" in result.left[late.slug]
    assert "named" in result.left[protected.slug]
    assert _owners([cases[2]]) == {third.pk} and _owners([late]) == {cast.colleague.pk}
    assert _owners([cases[0], protected]) == {cast.caseworker.pk}


def test_who_may_not_have_it_cannot_be_chosen(client_of, cast, cases, make_case, third):
    protected = make_case(protection="secrecy_marking", track="B")
    actions.lock_out(by=cast.manager, case=cases[0], user=third, reason="Cousin.")
    client = client_of(cast.manager)
    for case, to in ((cases[0], third), (protected, third), (cases[1], cast.stranger), (cases[1], cast.keeper)):
        assert client.post(_url(cast), _form([case], to)).status_code == 422
    assert _owners([*cases, protected]) == {cast.caseworker.pk}


def test_what_could_not_be_given_is_said_at_its_line(client_of, cast, cases, monkeypatch):
    def refuses(**rest):
        raise Refused("Somebody holds it.")

    monkeypatch.setattr("helpline.spread.reassign_case", refuses)
    answer = client_of(cast.manager).post(_url(cast), _form(cases, cast.colleague))
    assert answer.status_code == 422 and answer.content.decode().count("Somebody holds it.") >= 3


def test_those_of_who_is_switched_off_are_spread_too(client_of, cast, cases):
    User.objects.filter(pk=cast.caseworker.pk).update(is_active=False)
    page = client_of(cast.manager).get(reverse("caseload")).content.decode()
    assert _url(cast) in page and "switched off" in page
    assert client_of(cast.manager).post(_url(cast), _form(cases, cast.colleague)).status_code == 302
    assert _owners(cases) == {cast.colleague.pk}


def test_nothing_to_spread_leads_back(client_of, cast):
    assert client_of(cast.manager).get(_url(cast)).url == reverse("caseload")


# -- who may -----------------------------------------------------------------------------------------------------------


def test_who_may(client_of, cast, cases):
    for who in ("caseworker", "colleague", "partner", "keeper", "coordinator", "reviewer"):
        for act in ("get", "post"):
            assert getattr(client_of(getattr(cast, who)), act)(_url(cast)).status_code == 403
    assert client_of(cast.other_manager).get(_url(cast)).status_code == 404
    assert client_of(cast.other_manager).post(_url(cast), _form(cases, cast.stranger)).status_code == 404
    assert _owners(cases) == {cast.caseworker.pk}


def test_it_asks_no_more_when_there_is_more(client_of, cast, cases, make_case, django_assert_max_num_queries):
    client = client_of(cast.manager)
    client.get(_url(cast))
    for _ in range(6):
        make_case()
    with django_assert_max_num_queries(12):
        client.get(_url(cast))
