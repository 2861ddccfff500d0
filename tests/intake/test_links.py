"""Cases that belong together: nothing tells one of the other until a manager has said so, and after that only its number."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from intake import actions
from intake.models import CaseLink, CaseOpening, Event

pytestmark = pytest.mark.django_db
LINK = "/links/"


@pytest.fixture
def pair(make_case, cast):
    """The mother's case, with Anna, and the son's, with Bert: about the same man."""
    mother = make_case(notes={"told": "Her son has a plan"}, age_band="18-19", milieu="RIGHT")
    son = make_case(
        by=cast.colleague, caller_type="leaver", notes={"told": "His mother knows nothing"}, age_band="18-19"
    )
    return mother, son


def page_of(client_of, user, case):
    return client_of(user).get(reverse("intake:case", args=[case.slug])).content.decode()


def tie(client, pair, **changes):
    data = {"one": pair[0].number, "other": pair[1].number, "reason": "The same household", **changes}
    return client.post(LINK, data)


def test_nothing_tells_one_of_the_other(client_of, cast, pair):
    mother, son = pair
    assert son.number not in page_of(client_of, cast.caseworker, mother)
    assert mother.number not in page_of(client_of, cast.colleague, son)
    for name in ("people", "contact", "case-close"):
        page = client_of(cast.caseworker).get(reverse(f"intake:{name}", args=[mother.slug])).content.decode()
        assert son.number not in page and "Belongs together" not in page, name
    for words in ("Belongs together with <a", "His mother", "related"):
        assert words not in page_of(client_of, cast.caseworker, mother)
    day = client_of(cast.caseworker).get(reverse("intake:my-day")).content.decode()
    assert son.number not in day and "1 open" in day
    mine = client_of(cast.caseworker).get(reverse("intake:case-list")).content.decode()
    assert son.number not in mine
    for case, other in (pair, pair[::-1]):
        about = Event.objects.filter(case=case).values_list("kind", flat=True)
        assert not any("link" in kind for kind in about)
        assert not LogEntry.objects.filter(case=case.pk, row=str(other.pk)).exists()
    assert not Notice.objects.exclude(user=cast.manager).exists()


def test_a_search_answers_as_if_the_other_were_any_number(client_of, cast, pair, make_case):
    """In the unit the number leads to the page that asks for a reason, whosever case it is."""
    mother, son = pair
    unrelated = make_case(by=cast.colleague)
    client = client_of(cast.caseworker)
    found = [client.post(reverse("intake:search"), {"term": case.number}, follow=True) for case in (son, unrelated)]
    pages = []
    for answer, case in zip(found, (son, unrelated), strict=True):
        page = answer.content.decode().replace(case.number, "").replace(case.slug, "")
        pages.append(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).split("<main")[1].split("</main")[0])
    assert pages[0] == pages[1] and "Why do you open it?" in pages[0]


def test_a_claim_of_the_one_says_nothing_of_the_other(client_of, cast, pair):
    mother, son = pair
    call = actions.start_call(by=cast.caseworker)
    actions.claim_case(by=cast.caseworker, call=call, number=son.number)
    page = client_of(cast.caseworker).get(reverse("intake:call", args=[call.pk])).content.decode()
    assert son.number in page and mother.number not in page and "Her son" not in page


def test_a_manager_ties_them_and_reads_neither(client_of, cast, pair):
    mother, son = pair
    client = client_of(cast.manager)
    assert tie(client, pair).status_code == 302
    connection.check_constraints()
    link = CaseLink.objects.get()
    assert {link.one, link.other} == set(pair) and link.reason == "The same household" and link.by == cast.manager
    assert not CaseOpening.objects.exists()
    assert not LogEntry.objects.filter(event="case.read", user=cast.manager).exists()
    for case, other in (pair, pair[::-1]):
        event = case.events.get(kind="case.linked")
        assert event.title == f"Belongs together with {other.number}" and event.text == ""
        row = LogEntry.objects.get(event="case.linked", case=case.pk)
        assert row.user == cast.manager and other.number not in str(row.codes)
    page = client.get(LINK).content.decode()
    assert mother.number in page and "The same household" in page
    assert "Her son" not in page and "His mother" not in page


def test_then_both_pages_name_the_other_and_nothing_else_of_it(client_of, cast, pair):
    mother, son = pair
    tie(client_of(cast.manager), pair)
    page = page_of(client_of, cast.caseworker, mother)
    assert f'<a href="{reverse("intake:case", args=[son.slug])}">{son.number}</a>' in page
    assert "His mother" not in page and "The same household" not in page
    assert mother.number in page_of(client_of, cast.colleague, son)
    answer = client_of(cast.caseworker).get(reverse("intake:case", args=[son.slug]))
    assert answer.status_code == 302 and "/reason/" in answer.url  # reading it still takes a reason


def test_tied_twice_is_tied_once(client_of, cast, pair):
    client = client_of(cast.manager)
    tie(client, pair)
    answer = tie(client, pair[::-1])
    assert answer.status_code == 422 and "tied together already" in answer.content.decode()
    assert CaseLink.objects.count() == 1
    with pytest.raises(TooLate):
        actions.link_cases(by=cast.manager, one=pair[0].number, other=pair[1].number, reason="x")


def test_a_link_is_ended_by_a_manager(client_of, cast, pair):
    mother, son = pair
    client = client_of(cast.manager)
    tie(client, pair)
    end = reverse("intake:case-unlink", args=[CaseLink.objects.get().pk])
    assert client.get(end).status_code == 405
    assert client.post(end).status_code == 302
    assert "Somebody has ended this already" in client.post(end, follow=True).content.decode()
    connection.check_constraints()
    link = CaseLink.objects.get()
    assert link.ended_by == cast.manager and link.ended_at
    assert "Belongs together with <a" not in page_of(client_of, cast.caseworker, mother)
    assert LogEntry.objects.filter(event="case.unlinked").count() == 2
    assert tie(client, pair).status_code == 302  # and can be tied again


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"one": "no such thing"}, "nothing with that number"),
        ({"other": "no such thing"}, "nothing with that number"),
        ({"reason": " "}, "required"),
        ({"reason": ""}, "required"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_kept(client_of, cast, pair, changes, said):
    answer = tie(client_of(cast.manager), pair, **changes)
    page = answer.content.decode()
    assert answer.status_code == 422 and said in page
    assert (pair[1].number if "one" in changes else pair[0].number) in page
    assert not CaseLink.objects.exists()


def test_the_same_number_twice_is_refused(cast, pair):
    with pytest.raises(Refused, match="twice"):
        actions.link_cases(by=cast.manager, one=pair[0].number, other=pair[0].number, reason="x")


def test_another_units_case_is_not_there(client_of, cast, pair, make_case):
    theirs = make_case(by=cast.stranger)
    answer = tie(client_of(cast.manager), (pair[0], theirs))
    assert answer.status_code == 422 and "nothing with that number" in answer.content.decode()
    tie(client_of(cast.manager), pair)
    link = CaseLink.objects.get()
    other = client_of(cast.other_manager)
    assert pair[0].number not in other.get(LINK).content.decode()
    assert other.post(reverse("intake:case-unlink", args=[link.pk])).status_code == 404


def test_only_a_manager_may(client_of, cast, pair):
    for who, user in cast.everybody().items():
        if "manager" not in who:
            client = client_of(user)
            assert client.get(LINK).status_code == 403 and tie(client, pair).status_code == 403, who
    assert "/links/" not in page_of(client_of, cast.caseworker, pair[0])
