"""`make fuzz`: at least 500 odd values in every field, every question of an address and every part of one. Not part of
`make test`, which sends a fixed sample of them (tests/house/test_hostile.py). FUZZ_VALUES bounds it."""

import os

import pytest
from django.template import Template
from django.test.utils import _TestState
from django.urls import reverse

from helpline.people.words import HOSTILE
from intake.models import Note
from tests.fuzz.attack import Asked, Tally, Watched, every_form, every_part, every_question, sent_texts
from tests.fuzz.values import MEGABYTE, VALUES
from tests.house.conftest import address_of, world  # noqa: F401  # a world in which every page has something
from tests.house.streets import STREETS
from tests.house.test_bad_input import addresses, forms_at, watch  # noqa: F401

COUNT = int(os.environ.get("FUZZ_VALUES", len(VALUES)))
TRIED = VALUES[:: max(len(VALUES) // COUNT, 1)]
# Each test takes a part of the addresses, so that two cores have as much to do.
FIELDS, QUESTIONS, PARTS = 40, 20, 12


@pytest.fixture
def watched(monkeypatch):
    """What a request does. The test client keeps a copy of all that each page was drawn from; nothing here asks for it."""
    monkeypatch.setattr(Template, "_render", saved_rendering())
    return Watched(monkeypatch)


def saved_rendering():
    """How templates are drawn outside of tests."""
    return _TestState.saved_data.template_render


@pytest.fixture
def clients(cast, client_of):
    return {who: client_of(user) for who, user in cast.everybody().items()}


@pytest.fixture
def ends(record_property):
    """What was found, said by conftest.py as soon as it is known."""

    def end(tally: Tally, places: int = 0) -> None:
        record_property("tally", tally.line())
        assert tally.faults == [], f"{len(tally.faults)} faults:\n" + "\n".join(tally.faults[:40])
        assert tally.asked >= len(TRIED) and len(tally.places) >= places

    return end


def part_of(count: int, part: int) -> dict:
    """Each so-many-th street."""
    return dict(list(STREETS.items())[part::count])


def test_there_are_enough():
    assert len(VALUES) >= 500 and len(set(VALUES)) == len(VALUES)


@pytest.mark.parametrize("part", range(FIELDS))
def test_every_field(part, addresses, forms_at, watched, ends):  # noqa: F811
    tally = every_form(addresses[part::FIELDS], forms_at, watched, TRIED)
    ends(tally, places=1) if tally.places else None  # no form of this part has a field


@pytest.mark.parametrize("part", range(QUESTIONS))
def test_every_question(part, clients, address_of, watched, monkeypatch, ends):  # noqa: F811
    tally = every_question(clients, address_of, Asked(monkeypatch), watched, TRIED, part_of(QUESTIONS, part))
    ends(tally) if tally.places else None  # no page of this part reads anything of its address


@pytest.mark.parametrize("part", range(PARTS))
def test_every_part(part, clients, address_of, watched, ends):  # noqa: F811
    ends(every_part(clients, address_of, watched, TRIED, part_of(PARTS, part)), places=3)


def test_what_is_kept_is_what_was_sent(cast, make_case, clients, ends):
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
    ends(tally)
