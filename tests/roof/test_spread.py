"""A colleague's cases are spread over those who are there: by room, never to who may not have them, and in words."""

import pytest
from django.db import connection
from django.urls import reverse

from helpline import spread as spreading
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
    to = {one.case.urgency: one.to.who for one in propose(cast.caseworker, cast.manager).rows}
    # room: Carl 20, Bert 15, the manager 20 too, who is no caseworker; the acute to Carl, then they are alike
    assert to["AKUT"] == third and to["SKYNDSAM"] in {third, cast.colleague}
    assert to["NORMAL"] in {third, cast.colleague} - {to["SKYNDSAM"]}


def test_nobody_who_is_away_locked_out_or_unnamed_is_proposed(cast, cases, make_case, third):
    days = {"first_day": clock.today(), "last_day": clock.today()}
    save_absence(by=cast.colleague, user=cast.colleague, deputy=None, **days)
    actions.lock_out(by=cast.manager, case=cases[0], user=third, reason="Cousin.")
    protected = make_case(protection="secrecy_marking", track="B")
    by = {one.case.pk: one for one in propose(cast.caseworker, cast.manager).rows}
    assert {worker.who for worker in by[cases[0].pk].may} == {cast.manager}
    assert by[protected.pk].may == [] and by[protected.pk].to is None
    actions.name_staff(by=cast.manager, case=protected, user=third)
    by = {one.case.pk: one for one in propose(cast.caseworker, cast.manager).rows}
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


# -- what has left meanwhile -------------------------------------------------------------------------------------------


def _moves(cast, case, to) -> None:
    actions.reassign_case(by=cast.manager, case=Case.objects.get(pk=case.pk), to=to, handover="Before.")


def test_words_for_a_case_that_left_meanwhile_are_given_back(client_of, cast, cases):
    client = client_of(cast.manager)
    client.get(_url(cast))
    _moves(cast, cases[0], cast.colleague)
    data = _form(cases[:1], cast.manager, note="") | _form(cases[1:], cast.colleague, note="")
    data |= {f"note-{case.slug}": f"Never call before {hour}." for hour, case in enumerate(cases, 7)}
    answer = client.post(_url(cast), data)
    page = answer.content.decode()
    assert answer.status_code == 422 and "Never call before 7." in page and "Never call before 8." not in page
    assert f"{cases[0].number}: Bert has it already." in page and "You had chosen" in page
    assert _owners(cases[1:]) == {cast.colleague.pk}  # one that has left keeps no other
    assert Event.objects.filter(kind="case.reassigned").count() == 3


def test_where_all_have_left_the_common_words_are_given_back_too(client_of, cast, cases):
    client = client_of(cast.manager)
    for case in cases:
        _moves(cast, case, cast.colleague)
    answer = client.post(_url(cast), _form(cases, cast.manager, note="Never call before noon."))
    page = answer.content.decode()
    assert answer.status_code == 422 and "Never call before noon." in page
    assert all(f"{case.number}: Bert has it already." in page for case in cases)
    assert "Hand them over" not in page and _owners(cases) == {cast.colleague.pk}
    alone = client.post(_url(cast), {"handover": "Never call before noon."})
    assert alone.status_code == 422 and "Never call before noon." in alone.content.decode()


def test_of_what_the_manager_may_not_know_no_more_is_said_than_of_what_never_was(client_of, cast, cases):
    boss = User.objects.create(username="boss", unit=cast.unit, role=Role.MANAGER, language="en")
    _moves(cast, cases[0], cast.colleague)
    actions.lock_out(by=boss, case=cases[0], user=cast.manager, reason="Her brother.")
    told = []
    for slug in (cases[0].slug, "nothing-of-ours-10"):
        data = {f"to-{slug}": str(cast.manager.pk), f"note-{slug}": "He is beaten.", "handover": "Words."}
        answer = client_of(cast.manager).post(_url(cast), data)
        page = answer.content.decode()
        assert answer.status_code == 422 and "He is beaten." in page and "Bert has it" not in page
        assert reverse("intake:case", args=[cases[0].slug]) not in page
        told.append("It is no longer here to be handed over." in page)
    assert told == [True, True]


def test_words_of_a_case_for_which_nobody_is_chosen_are_not_lost(client_of, cast, cases):
    data = _form(cases[:1], cast.colleague) | {f"to-{cases[1].slug}": "", f"note-{cases[1].slug}": "He is beaten."}
    answer = client_of(cast.manager).post(_url(cast), data)
    assert answer.status_code == 422 and "He is beaten." in answer.content.decode()
    assert _owners(cases) == {cast.caseworker.pk}


# -- more than a page --------------------------------------------------------------------------------------------------


def test_more_than_a_page_is_said_and_comes_next(client_of, cast, cases, monkeypatch):
    monkeypatch.setattr(spreading, "AT_ONCE", 2)
    client, more = client_of(cast.manager), "There are more than are shown here"
    page = client.get(_url(cast)).content.decode()
    shown = [case for case in cases if case.number in page]
    assert len(shown) == 2 and more in page
    assert client.post(_url(cast), _form(shown, cast.colleague)).url == _url(cast)
    page = client.get(_url(cast)).content.decode()
    (last,) = [case for case in cases if case not in shown]
    assert last.number in page and more not in page
    assert client.post(_url(cast), _form([last], cast.colleague)).url == reverse("caseload")
    assert _owners(cases) == {cast.colleague.pk}


def test_what_the_page_had_is_handed_over_though_others_come_before_it_now(client_of, cast, cases, monkeypatch):
    monkeypatch.setattr(spreading, "AT_ONCE", 1)
    (last,) = [case for case in cases if case.urgency == "NORMAL"]
    assert last not in [one.case for one in propose(cast.caseworker, cast.manager).rows]
    client_of(cast.manager).post(_url(cast), _form([last], cast.colleague))
    assert _owners([last]) == {cast.colleague.pk}


# -- what stays behind -------------------------------------------------------------------------------------------------


def _away(user) -> None:
    save_absence(by=user, user=user, deputy=None, first_day=clock.today(), last_day=clock.today())


def test_who_has_only_what_the_manager_is_locked_out_of_is_said_like_anybody(client_of, cast, make_case):
    boss = User.objects.create(username="boss", unit=cast.unit, role=Role.MANAGER, language="en")
    case = make_case()
    actions.lock_out(by=boss, case=case, user=cast.manager, reason="Her brother.")
    _away(cast.caseworker)
    client = client_of(cast.manager)
    pages = [
        client.get(reverse("spread", args=[one.pk]), follow=True).content.decode().replace(str(one), "X")
        for one in (cast.caseworker, cast.colleague)
    ]
    assert all("There is nothing of X that you may hand over." in page for page in pages)
    assert case.number not in pages[0]
    client.get(_url(cast))
    (told,) = Notice.objects.filter(kind="spread.left")
    assert (told.user, told.case) == (boss, case.pk)


def test_of_who_is_there_nobody_need_hear(client_of, cast, cases):
    boss = User.objects.create(username="boss", unit=cast.unit, role=Role.MANAGER, language="en")
    actions.lock_out(by=boss, case=cases[0], user=cast.manager, reason="Her brother.")
    client_of(cast.manager).get(_url(cast))
    assert client_of(cast.manager).post(_url(cast), _form(cases[1:], cast.colleague)).status_code == 302
    client_of(cast.manager).get(_url(cast))
    assert not Notice.objects.filter(kind="spread.left").exists()


def test_other_leaders_hear_of_what_stays_behind_when_the_rest_is_spread(client_of, cast, cases):
    boss = User.objects.create(username="boss", unit=cast.unit, role=Role.MANAGER, language="en")
    actions.lock_out(by=boss, case=cases[0], user=cast.manager, reason="Her brother.")
    _away(cast.caseworker)
    assert client_of(cast.manager).post(_url(cast), _form(cases[1:], cast.colleague)).status_code == 302
    assert list(Notice.objects.filter(kind="spread.left").values_list("user", "case")) == [(boss.pk, cases[0].pk)]
    assert "stayed behind" in client_of(boss).get(reverse("intake:my-day")).content.decode()


def test_a_colleague_who_gets_several_gets_one_mail(cast, cases, third):
    User.objects.update(email="somebody@example.org")
    gifts = [Gift(cases[0], third, "Words."), *(Gift(case, cast.colleague, "Words.") for case in cases[1:])]
    give(by=cast.manager, worker=cast.caseworker, gifts=gifts)
    told = Notice.objects.filter(kind="case.assigned")
    assert {one.case for one in told.filter(user=cast.colleague)} == {case.pk for case in cases[1:]}
    ready = list(told.filter(mail="ready").order_by("user").values_list("user", flat=True))
    assert ready == sorted([cast.colleague.pk, third.pk])


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


def test_every_link_of_the_overview_leads_somewhere_also_of_who_has_moved(client_of, cast, cases):
    User.objects.filter(pk=cast.caseworker.pk).update(unit=cast.stranger.unit, access_until=clock.today())
    client = client_of(cast.manager)
    page = client.get(reverse("caseload")).content.decode()
    week = reverse("worker-week", args=[cast.caseworker.pk])
    assert week in page and client.get(week).status_code == 200
    assert client.get(_url(cast)).status_code == 200
    assert client_of(cast.other_manager).get(week).status_code == 200  # whose colleague it is now
    assert not any(case.number in client_of(cast.other_manager).get(week).content.decode() for case in cases)
