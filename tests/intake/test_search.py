"""Search by law: exact, by name or number; it tells no more than the searcher may know, and leaves no term behind."""

import datetime as dt
import re
import unicodedata

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.models import LogEntry, Notice, User
from helpline.people.notices import _message
from intake import actions
from intake.actions.search import tell_of_many
from intake.codes import begins, spoken, words
from intake.models import Case, LockedOut, NamedAccess

pytestmark = pytest.mark.django_db
NAME, NUMBER = "Maria Öberg Ek", "198112189876"
URL = "/search/"


@pytest.fixture
def case(make_case, cast) -> Case:
    """A case of somebody whose name and number are known."""
    made = make_case(track="B", caller_name=NAME)
    caller = made.people.get(part="caller")
    actions.change_person(by=cast.caseworker, person=caller, facts={"personal_number": NUMBER})
    return made


@pytest.fixture
def search(client_of, cast):
    """Search as somebody; the page, or the answer where it is another than a page."""

    def asked(term: str, who=None, status: int = 200) -> str:
        answer = client_of(who or cast.caseworker).post(URL, {"term": term})
        assert answer.status_code == status, (answer.status_code, term)
        connection.check_constraints()
        if status == 302:
            return answer.headers["Location"]
        page = answer.content.decode()
        return page.partition('aria-labelledby="found-title"')[2].partition("</section>")[0] if status == 200 else page

    return asked


def test_its_address_says_nothing(search, case):
    assert reverse("intake:search") == URL
    assert case.number in search(NAME)


@pytest.mark.parametrize(
    "typed",
    [
        NAME,
        "maria öberg ek",
        "EK, MARIA ÖBERG",
        "Öberg Ek,Maria",
        "  Ek \t Öberg\u00a0Maria ",
        unicodedata.normalize("NFD", NAME),
    ],
)
def test_a_whole_name_is_found(search, case, typed):
    assert case.number in search(typed)


@pytest.mark.parametrize(
    "typed", ["Maria", "Maria Ek", "Maria Öberg", "Maria Oberg Ek", "Maria Öberg E", "Mari Öberg Ek", "%", "Maria%"]
)
def test_nothing_else_is(search, case, typed):
    page = search(typed)
    assert case.number not in page and "nothing with exactly that name or number" in page


@pytest.mark.parametrize("typed", ["811218-9876", "8112189876", "19811218-9876", NUMBER])
def test_a_personal_number_is_found(search, case, typed):
    assert case.number in search(typed)
    assert LogEntry.objects.get(event="search.made").codes["kind"] == "personal_number"


def test_a_coordination_number_is_found(search, case, cast):
    somebody = {"part": "household", "name": "Tom Ek", "personal_number": "19850472-1235"}
    with pytest.raises(Exception, match="last digit"):
        actions.add_person(by=cast.caseworker, case=case, facts=somebody)
    from tests.people.test_personal_numbers import number

    actions.add_person(by=cast.caseworker, case=case, facts={**somebody, "personal_number": number("19850472")})
    assert case.number in search(number("19850472")[2:])
    assert LogEntry.objects.get(event="search.made").codes["kind"] == "coordination_number"


@pytest.mark.parametrize("typed", ["811218-9877", "850231-1238", "1234567"])
def test_a_wrong_number_is_told_at_the_field_and_not_searched(search, case, typed):
    page = search(typed, status=422)
    assert 'aria-invalid="true"' in page and "error-summary" in page
    assert not LogEntry.objects.filter(event="search.made").exists()


def test_a_case_number_leads_to_the_case(search, case):
    assert search(spoken(case.code).replace("-", " ").upper(), status=302) == reverse("intake:case", args=[case.slug])


def test_the_beginning_of_a_case_number_is_enough(search, case):
    plain = case.slug.replace("-", "")
    for typed in (plain[:4], plain[:-1], case.code.rpartition("-")[0], case.number[:-1], case.slug[:5].upper()):
        assert case.number in search(typed), typed
    search(plain[:3], status=200)  # read as a name: too short for a number
    assert case.number not in search(plain[:3])
    assert case.number not in search(plain[1:6])


def test_beginnings_are_those_of_numbers():
    for first, second in (("tegel", "måne"), (words()[0], words()[-1]), (words()[5], words()[77])):
        code = f"{first}-{second}-58"
        for end in range(4, len(code) - 1):
            typed = code[:end]
            if len(re.sub(r"[^a-zåäö]", "", typed)) >= 4 and first in words() and second in words():
                assert any(code.startswith(start) for start in begins(typed)), typed
    for typed in ("teg", "", "xxxxxx", "tegel-måne-1488", "tegel\0", "t" * 100):
        assert begins(typed) == []


@pytest.mark.parametrize("who", ["stranger", "other_manager"])
def test_another_unit_finds_nothing(search, case, cast, who):
    for typed in (NAME, NUMBER, case.number, case.slug[:5]):
        assert case.number not in search(typed, getattr(cast, who))
    assert set(LogEntry.objects.filter(event="search.made").values_list("codes__found", flat=True)) == {0}


@pytest.mark.parametrize("who", ["partner", "keeper"])
def test_others_may_not_search(client_of, cast, case, who):
    client = client_of(getattr(cast, who))
    assert client.get(URL).status_code == 403 and client.post(URL, {"term": NAME}).status_code == 403
    assert not LogEntry.objects.filter(event="search.made").exists()


def test_of_a_colleagues_case_it_says_whose_and_that_a_reason_is_asked_for(search, case, cast):
    page = search(NAME, cast.colleague)
    assert "Anna" in page and "Open with a reason" in page and "Open since" in page
    for word in (NAME, NUMBER, "elative", "ears"):
        assert word not in page


@pytest.mark.parametrize("level", ["secrecy_marking", "protected_registration"])
def test_a_protected_case_is_there_for_its_owner_and_who_is_named(search, case, cast, level):
    actions.change_protection(by=cast.caseworker, case=case, level=level, why="Threat.")
    terms = (NAME, NUMBER, case.slug[:5])
    assert all(case.number in search(typed) for typed in (NAME, NUMBER))
    for who in (cast.colleague, cast.manager):
        nothing = [search(typed, who) for typed in terms]
        assert not any(case.number in page or "Anna" in page for page in nothing)
        assert all("nothing with exactly that name" in page for page in nothing)
    named = NamedAccess.objects.create(case=case, user=cast.colleague, by=cast.manager)
    assert case.number in search(NAME, cast.colleague) and case.number not in search(NAME, cast.manager)
    NamedAccess.objects.filter(pk=named.pk).update(ended_at=clock.now(), ended_by=cast.manager)
    assert case.number not in search(NAME, cast.colleague)


@pytest.mark.parametrize("who", ["colleague", "manager"])
def test_a_protected_case_by_its_exact_number_is_the_masked_row_of_the_list(search, case, cast, who):
    """Who takes the person's call comes on: whose it is, and the way in an emergency; nothing else of it."""
    actions.change_protection(by=cast.caseworker, case=case, level="secrecy_marking", why="Threat.")
    for typed in (case.number, case.slug):
        page = search(typed, getattr(cast, who))
        assert case.number in page and "Anna" in page and "Protected data" in page and "Found: 1" in page
        assert f"{reverse('intake:emergency')}?number={case.slug}" in page
        for word in (NAME, NUMBER, "elative", "ears", "Open since"):
            assert word not in page
    row = LogEntry.objects.filter(event="search.made").latest("pk")
    assert row.codes["kind"] == "case_number" and row.codes["cases"] == [str(case.pk)] and row.codes["found"] == 1
    for other in (cast.stranger, cast.other_manager):  # of another unit
        assert case.number not in search(case.number, other)
    LockedOut.objects.create(case=case, user=getattr(cast, who), by=cast.other_manager, reason="His brother.")
    assert case.number not in search(case.number, getattr(cast, who))


def test_what_is_found_is_counted(search, case, cast, make_case):
    make_case(track="B", caller_name=NAME)
    assert "Found: 2" in search(NAME)


def test_for_who_is_locked_out_it_is_not_there(search, case, cast):
    LockedOut.objects.create(case=case, user=cast.colleague, by=cast.manager, reason="His brother.")
    for typed in (NAME, NUMBER, case.number, case.slug[:5]):
        assert case.number not in search(typed, cast.colleague)
    assert set(LogEntry.objects.filter(user=cast.colleague).values_list("codes__found", flat=True)) == {0}
    assert case.number in search(NAME, cast.manager)


def test_a_call_without_a_case_is_found_by_who_gave_a_name(search, make_call, cast):
    call = make_call(track="B", caller_name="Nils Ståhl", urgency="NORMAL", urgency_reason="Calm.", caller_type="other")
    assert "Call without a case" not in search("Nils Ståhl")  # it is still going on
    actions.complete_call(by=cast.caseworker, call=call)
    assert reverse("intake:call", args=[call.pk]) in search("ståhl nils")
    page = search("Nils Ståhl", cast.colleague)
    assert "taken by Anna" in page and str(call.pk) not in page
    assert "Call without a case" not in search("Nils Ståhl", cast.stranger)


def test_who_is_off_the_list_is_not_found(search, case, cast):
    tom = actions.add_person(by=cast.caseworker, case=case, facts={"part": "household", "name": "Tom Ek"})
    assert case.number in search("Tom Ek")
    actions.remove_person(by=cast.caseworker, person=tom)
    assert case.number not in search("Tom Ek") and case.number in search(NAME)


def test_the_log_says_what_kind_and_what_was_shown_never_the_term(search, case, cast):
    search(NAME)
    row = LogEntry.objects.get(event="search.made")
    assert row.codes == {"kind": "name", "found": 1, "own": False, "cases": [str(case.pk)], "calls": []}
    search(NUMBER), search(case.slug[:5])
    for row in LogEntry.objects.all():
        said = f"{row.codes} {row.row} {row.why}".casefold()
        assert not any(part in said for part in ("maria", "öberg", "8112189876", "811218", case.slug[:5])), row.event


def test_who_looks_for_their_own_name_is_marked(search, cast):
    cast.caseworker.last_name = "Lind"
    cast.caseworker.save()
    search("lind, anna"), search("Anna Lindh")
    assert list(LogEntry.objects.filter(event="search.made").order_by("id").values_list("codes__own", flat=True)) == [
        True,
        False,
    ]


HOSTILE = {
    "nul": "Maria\0Ek", "long": "x" * 1_000_000, "turned": "Maria\u202eEk", "half": "Maria\ud800Ek", "empty": "", "blank": "   ",
    "comma": ",", "figures": "58", "short number": "123456", "point": ".", "mixed": "ab12cd",
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_terms_are_refused_and_not_searched(client_of, cast, case, kind):
    body = "term=" + "".join(f"%{byte:02x}" for byte in HOSTILE[kind].encode("utf-8", "surrogatepass")[:3_000])
    if kind == "long":
        body = f"term={HOSTILE[kind]}"
    answer = client_of(cast.caseworker).post(URL, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422, kind
    assert not LogEntry.objects.filter(event="search.made").exists()


def test_the_queries_do_not_grow_with_what_is_found(client_of, cast, make_case, case):
    client = client_of(cast.caseworker)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.post(URL, {"term": NAME}).status_code == 200
        return len(queries)

    count()
    few = count()
    for _more in range(4):
        make_case(track="B", caller_name=NAME)
    assert count() == few
    page = client.post(URL, {"term": NAME}).content.decode()
    assert page.count('class="row-item"') == 5


def test_looking_at_the_page_is_no_search(client_of, cast, case):
    with CaptureQueriesContext(connection) as queries:
        page = client_of(cast.caseworker).get(URL, {"term": NAME}).content.decode()
    assert case.number not in page and NAME not in page and 'name="term"' in page
    assert not any("search" in query["sql"].lower() for query in queries)


def test_it_is_in_the_top_bar_and_on_the_list_of_cases(client_of, cast):
    page = client_of(cast.caseworker).get(reverse("intake:case-list")).content.decode()
    assert page.count(f'href="{URL}"') >= 1 and f'action="{URL}"' in page


@pytest.mark.parametrize(("term", "kind"), [("Maja 19", "mixed"), ("198112189875", "personal_number")])
def test_a_search_that_is_refused_is_a_row_without_its_words(term, kind, search, cast):
    search(term, status=422)
    [row] = LogEntry.objects.filter(event="search.refused")
    assert (row.user, row.codes, row.row) == (cast.caseworker, {"kind": kind}, "")


@pytest.mark.parametrize(
    ("term", "kind", "fault"),
    [
        ("", "nothing", "required"),
        ("  \n", "nothing", "required"),
        ("Maria\u202eEk", "words", "hostile"),
        ("198112189876\u202e", "personal_number", "hostile"),
        ("Maria Ek 19" * 400, "mixed", "max_length"),
    ],
)
def test_a_search_that_its_form_refuses_is_a_row_without_its_words(client_of, cast, term, kind, fault):
    assert client_of(cast.caseworker).post(URL, {"term": term}).status_code == 422
    [row] = LogEntry.objects.filter(event__startswith="search.")
    assert (row.event, row.user, row.row, row.why) == ("search.refused", cast.caseworker, "", "")
    assert row.codes == {"kind": kind, "fault": fault}


def test_a_search_without_its_field_is_a_row_too(client_of, cast):
    assert client_of(cast.caseworker).post(URL, {"q": NAME}).status_code == 422
    assert LogEntry.objects.get(event="search.refused").codes == {"kind": "nothing", "fault": "required"}


def test_whoever_searches_again_and_again_is_slowed_down(search, cast, at):
    with at("2026-11-18 10:10"):
        for _turn in range(30):
            search("Ingen Alls")
        search("Ingen Alls")  # and then one a minute
        assert "more than 30 times" in search("Ingen Alls", status=422)
        assert LogEntry.objects.get(event="search.refused").codes == {"kind": "too_many"}
        search("Ingen Alls", cast.colleague)
    with at("2026-11-18 10:12"):
        search("Ingen Alls")
    with at("2026-11-18 11:01"):
        for _turn in range(3):
            search("Ingen Alls")


def told(user) -> int:
    return Notice.objects.filter(kind="search.many", user=user).count()


def test_who_leads_hears_once_a_day_of_who_searches_very_often(search, cast, at, client_of):
    with at("2026-11-18 10:10"):
        for _turn in range(30):
            search("Ingen Alls")
        assert not Notice.objects.filter(kind="search.many").exists()
        for _turn in range(3):
            search("Ingen Alls", status=200 if _turn == 0 else 422)
        assert told(cast.manager) == LogEntry.objects.filter(event="search.many").count() == 1
        assert Notice.objects.filter(kind="search.many").count() == 1, "not the searcher, no other unit"
        page = client_of(cast.manager).get(reverse("intake:my-day")).content.decode()
        assert "searched more than 30 times" in page and str(cast.caseworker) in page
        assert (
            "searched more than 30 times"
            not in client_of(cast.caseworker).get(reverse("intake:my-day")).content.decode()
        )
        notice = Notice.objects.get(kind="search.many")
        assert client_of(cast.manager).get(reverse("intake:notice-open", args=[notice.pk])).url == reverse(
            "log:review-list"
        )
        everything = [str(value) for row in Notice.objects.values() for value in row.values()]
        everything += [str(LogEntry.objects.get(event="search.many").codes)]
        assert not any("Ingen" in value or "Alls" in value for value in everything)
    with at("2026-11-18 14:10"):
        for _turn in range(31):
            search("Ingen Alls")
        assert told(cast.manager) == 1, "one a day"
    with at("2026-11-19 10:10"):
        for _turn in range(31):
            search("Ingen Alls")
        assert told(cast.manager) == 2


def test_a_manager_who_searches_very_often_is_heard_of_by_somebody_else(cast):
    tell_of_many(by=cast.manager)
    tell_of_many(by=cast.manager)
    assert (told(cast.manager), told(cast.reviewer), told(cast.other_manager)) == (0, 1, 0)
    second = User.objects.create(username="maud", role="manager", unit=cast.unit, email="maud@example.com")
    with clock.at(clock.now() + dt.timedelta(days=1)):
        tell_of_many(by=cast.manager)
    assert (told(cast.manager), told(second), told(cast.reviewer)) == (0, 1, 1)
    [mail] = [_message(one) for one in Notice.objects.filter(kind="search.many", user=cast.reviewer)]
    assert reverse("log:list") in mail.body


@pytest.mark.parametrize("typed", ["070-123 45 67", "0709934567", "+46701234567", "+46 70 123 45 67", "0500-49 77 82"])
def test_a_telephone_number_is_told_that_it_is_not_searched_for(typed, client_of, cast):
    page = client_of(cast.caseworker).post("/search/", {"term": typed}).content.decode()
    assert "telephone number is not searched for" in page and "last digit" not in page
    assert LogEntry.objects.get(event="search.refused").codes["kind"] == "phone"


@pytest.mark.parametrize("typed", ["070112-3450", "0701234567"])
def test_what_may_be_both_hears_both(typed, client_of, cast):
    page = client_of(cast.caseworker).post("/search/", {"term": typed}).content.decode()
    assert "last digit" in page and "telephone number is not searched for" in page
