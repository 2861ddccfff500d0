"""Every URL, by every member of the cast and by nobody: what streets.py says, and nothing else."""

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from helpline.people.access import ANYONE, MAY
from helpline.people.models import User
from referrals.models import AgencyMember
from tests.house.streets import ASKS_AGAIN, BY_LINK, EVERYBODY, OPEN, STREETS, WAYS_IN

NUMBERED = (
    "keeper:",
    "log:",
    "intake:shift",
    "intake:absence",
    "portal:agency",
    "portal:person",
    "referrals:consent",
    *ASKS_AGAIN,
)  # rows that are told apart by a number
LET_IN = {200, 302, 303, 409, 422}


def test_every_url_has_a_row_and_every_row_a_url(urls):
    assert set(urls) == set(STREETS)


def test_every_url_declares_what_it_needs(urls):
    acts = {name: getattr(pattern.callback, "act", None) for name, pattern in urls.items()}
    undeclared = {name for name, act in acts.items() if act not in MAY and act != ANYONE}
    assert undeclared == set()


def test_the_open_doors_are_few_and_known(urls):
    acts = {name: getattr(pattern.callback, "act", ANYONE) for name, pattern in urls.items()}
    assert {name for name, act in acts.items() if act == ANYONE} == OPEN


def test_every_row_speaks_of_the_cast(cast):
    assert set(EVERYBODY.split()) == set(cast.everybody())
    for name, street in STREETS.items():
        for answers in (street.get, street.post or {}):
            named = " ".join(answers.values()).split()
            assert len(named) == len(set(named)) and set(named) <= set(EVERYBODY.split()), name


def fits(expected: object, answer) -> bool:
    if expected == "in":
        return answer.status_code in LET_IN and "/reason/" not in answer.headers.get("Location", "")
    if expected == "reason":
        return answer.status_code == 302 and "/reason/" in answer.headers["Location"]
    return answer.status_code == (403 if expected == "unqualified" else expected)


def ask(client: Client, method: str, url: str):
    """One request, of which nothing remains."""
    with transaction.atomic():
        answer = getattr(client, method.lower())(url)
        if answer.status_code < 500:
            connection.check_constraints()
        transaction.set_rollback(True)
    return answer


@pytest.mark.parametrize("who", EVERYBODY.split())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_each_gets(method, who, cast, client_of, address_of):
    wrong = {}
    for name, street in STREETS.items():
        answer = ask(client_of(cast.everybody()[who]), method, address_of(name, street))
        if not fits(street.answer(method, who), answer):
            wrong[name] = (street.answer(method, who), answer.status_code, answer.headers.get("Location", ""))
    assert wrong == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_not_logged_in_is_sent_to_the_log_in(method, address_of):
    for name in set(STREETS) - OPEN:
        answer = ask(Client(), method, address_of(name, STREETS[name]))
        assert answer.status_code == 302 and answer.url.startswith(f"{reverse(settings.LOGIN_URL)}?next="), name


@pytest.mark.parametrize("name", sorted(OPEN))
def test_an_open_door_is_open(name, db):
    expected = {"health": 503, "language": 405, "account_logout": 302, **BY_LINK, **WAYS_IN}.get(name, 200)
    nothing = dict.fromkeys(STREETS[name].where, "nothing")
    assert Client().get(reverse(name, kwargs=nothing)).status_code == expected


def test_who_is_switched_off_is_out_everywhere(cast, client_of, address_of):
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    User.objects.update(is_active=False)
    for name in set(STREETS) - OPEN:
        for who in EVERYBODY.split():
            answer = ask(theirs[who], "GET", address_of(name, STREETS[name]))
            assert answer.status_code == 302 and answer.url.startswith(reverse(settings.LOGIN_URL)), (name, who)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_there_is_not_found(method, cast, client_of):
    """For whoever has the act, an address that leads to nothing is 404, like one that leads to somebody else's."""
    theirs = {who: client_of(user) for who, user in cast.everybody().items()}
    AgencyMember.objects.filter(user=cast.partner).update(is_manager=True)
    nowhere = "00000000-0000-7000-8000-000000000000"
    nothing = {"code": "ingen-alls-99", "key": "nothing", "pk": nowhere, "call": nowhere, "report": "987654321"} | {
        "kind": "nothing",
        "amendment": "nothing",
        "token": "nothing",
        "agency": "987654321",
        "need": "nothing",
    }
    for name, street in STREETS.items():
        here = {**nothing, "pk": "987654321"} if name.startswith(NUMBERED) else nothing
        url = reverse(name, kwargs={part: here[part] for part in street.where})
        for who in EVERYBODY.split() if street.where else []:
            expected = street.answer(method, who) if street.answer(method, who) in (403, 405) else 404
            expected = 302 if name in ASKS_AGAIN and expected == 404 else expected
            assert ask(theirs[who], method, url).status_code == expected, (name, who)


def test_a_page_is_kept_by_no_browser_and_runs_nothing_foreign(cast, client_of, address_of):
    for name, street in STREETS.items():
        who = next((who for who in EVERYBODY.split() if street.answer("GET", who) == 200), None)
        if who:
            page = ask(client_of(cast.everybody()[who]), "GET", address_of(name, street))
            assert "no-store" in page["Cache-Control"], name
            policy = page["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy, name
