"""Every URL has a row in streets.py and says what it needs; what each gets of it is asked in test_matrix."""

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from helpline.people.access import ANYONE, MAY
from helpline.people.models import User
from tests.house.streets import BY_LINK, EVERYBODY, OPEN, STREETS, WAYS_IN

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


def ask(client: Client, method: str, url: str, **more):
    """One request, of which nothing remains."""
    with transaction.atomic():
        answer = getattr(client, method.lower())(url, **more)
        if answer.status_code < 500:
            connection.check_constraints()
        transaction.set_rollback(True)
    return answer


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
