"""`make fuzz`: at least 500 odd values in every field, every question of an address and every part of one. Not part of
`make test`, which sends a fixed sample of them (tests/house/test_hostile.py). FUZZ_VALUES bounds it."""

import os

import pytest
from django.urls import reverse

from helpline.people.words import HOSTILE
from intake.models import Note
from tests.fuzz.attack import Asked, Tally, Watched, every_form, every_part, every_question, sent_texts
from tests.fuzz.values import MEGABYTE, VALUES
from tests.house.conftest import address_of, world  # noqa: F401  # a world in which every page has something
from tests.house.test_bad_input import addresses, forms_at, watch  # noqa: F401

COUNT = int(os.environ.get("FUZZ_VALUES", len(VALUES)))
TRIED = VALUES[:: max(len(VALUES) // COUNT, 1)]
RESULTS: list[Tally] = []


@pytest.fixture
def watched(monkeypatch):
    return Watched(monkeypatch)


@pytest.fixture
def clients(cast, client_of):
    return {who: client_of(user) for who, user in cast.everybody().items()}


@pytest.fixture(scope="module", autouse=True)
def table():
    """What was found, at the end."""
    yield
    print(f"\n\n{len(TRIED)} values\n" + "\n".join(tally.line() for tally in RESULTS))


def ends(tally: Tally) -> None:
    RESULTS.append(tally)
    assert tally.faults == [], f"{len(tally.faults)} faults:\n" + "\n".join(tally.faults[:40])
    assert tally.asked >= len(TRIED) and len(tally.places) > 10


def test_there_are_enough():
    assert len(VALUES) >= 500 and len(set(VALUES)) == len(VALUES)


def test_every_field(addresses, forms_at, watched):  # noqa: F811
    ends(every_form(addresses, forms_at, watched, TRIED, loud=True))


def test_every_question(clients, address_of, watched, monkeypatch):  # noqa: F811
    ends(every_question(clients, address_of, Asked(monkeypatch), watched, TRIED, loud=True))


def test_every_part(clients, address_of, watched):  # noqa: F811
    ends(every_part(clients, address_of, watched, TRIED, loud=True))


def test_what_is_kept_is_what_was_sent(cast, make_case, clients):
    """A note, stored in earnest and read again: letter for letter what was sent, or refused and not there."""
    url = reverse("intake:note-add", args=[make_case().slug])
    tally = Tally("a note, kept")
    for value in [*TRIED, MEGABYTE]:
        before = set(Note.objects.values_list("pk", flat=True))
        body = f"kind=told&text={value}"
        answer = clients["caseworker"].post(url, body.encode(), content_type="application/x-www-form-urlencoded")
        new = list(Note.objects.exclude(pk__in=before))
        tally.note(f"note {len(new)}", answer, [], value)
        if answer.status_code in (302, 303):
            assert len(new) == 1 and new[0].text in sent_texts(body) and not HOSTILE.search(new[0].text), value[:80]
        else:
            assert answer.status_code in (400, 422) and new == [], (answer.status_code, value[:80])
    tally.places |= {f"place {number}" for number in range(11)}  # one form, many values
    ends(tally)
