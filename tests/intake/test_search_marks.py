"""The keyed index: after any acts it says what the words say, and without its key it says nothing."""

import random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from helpline.people import clock
from helpline.people.models import DataKey, IndexKey
from intake import actions
from intake.actions.tracks import change_track
from intake.marks import drift, plain_name, rebuild
from intake.models import Call, Case, Person, SearchMark
from tests.people.test_personal_numbers import number

pytestmark = pytest.mark.django_db
NUMBERS = [number(f"19{year}0412") for year in range(40, 60)]
IDENTITIES, LEVELS = ["anonymous", "pseudonym", "named"], ["none", "secrecy_marking", "fictitious_identity"]
NAMES = ["Maria Ek", "Tom Hill", "Ali Åberg", "Eva Ek", "Bo Al", "Siv Ström"]


def computed() -> set[tuple]:
    """The marks as they ought to be, by another way than the index goes: row by row, from the words."""
    key, found = IndexKey.current(), set()
    for person in Person.everybody.select_related("case__key"):
        if person.unlisted_at is None and not person.case.is_forgotten:
            found |= (
                {(person.case_id, None, person.pk, "name", key.mark("name", plain_name(person.name)))}
                if person.name
                else set()
            )
            if person.personal_number:
                found.add((person.case_id, None, person.pk, "number", key.mark("number", person.personal_number)))
    for call in Call.objects.select_related("key"):
        if call.is_finished and call.case_id is None and not call.is_forgotten:
            found |= (
                {(None, call.pk, None, "name", key.mark("name", plain_name(call.caller_name)))}
                if call.caller_name
                else set()
            )
            if call.personal_number:
                found.add((None, call.pk, None, "number", key.mark("number", call.personal_number)))
    return found


def stored() -> set[tuple]:
    return set(SearchMark.objects.values_list("case", "call", "person", "kind", "mark"))


@pytest.fixture
def case(make_case) -> Case:
    return make_case(track="B", caller_name="Maria Ek", personal_number=NUMBERS[0])


def test_a_call_brings_its_marks_to_the_case(case, make_call, cast):
    assert SearchMark.objects.count() == 2 and stored() == computed()
    assert {mark.case_id for mark in SearchMark.objects.all()} == {case.pk}
    call = case.calls.get()
    assert call.caller_name and not call.personal_number  # it stands with the person now
    alone = make_call(
        track="B",
        caller_name="Bo Al",
        personal_number=NUMBERS[1],
        urgency="NORMAL",
        urgency_reason="-",
        caller_type="other",
    )
    assert not SearchMark.objects.filter(call=alone.pk).exists()
    actions.complete_call(by=cast.caseworker, call=alone)
    assert SearchMark.objects.filter(call=alone.pk).count() == 2 and stored() == computed()


def test_a_mark_tells_nothing_without_the_key(case):
    before = stored()
    assert all(len(mark) == 64 and "maria" not in mark for *_rest, mark in before)
    IndexKey.objects.all().delete()
    assert not stored() & computed()  # another key, another index
    with pytest.raises(CommandError, match="2 missing, 2 wrong"):
        call_command("rebuild_search", check=True)
    call_command("rebuild_search")
    assert stored() == computed() and not before & stored()
    call_command("rebuild_search", check=True)


def test_drift_is_found_and_mended(case):
    assert drift() == (0, 0)
    SearchMark.objects.filter(kind="name").delete()
    SearchMark.objects.create(case=case, kind="name", mark="0" * 64)  # of nobody
    SearchMark.objects.create(case=case, person=case.people.get(part="concern"), kind="name", mark="1" * 64)
    assert drift() == (1, 2)
    assert rebuild() == (1, 2) and drift() == (0, 0) and rebuild() == (0, 0)


def test_names_that_change_or_go_take_their_marks_along(case, cast):
    caller = case.people.get(part="caller")
    actions.change_person(by=cast.caseworker, person=caller, facts={"name": "Maria Al", "personal_number": ""})
    assert stored() == computed() and SearchMark.objects.count() == 1
    change_track(by=cast.caseworker, case=case, track="A", identity="anonymous", why="Advice alone.")
    assert not SearchMark.objects.exists()
    assert not any(one.name or one.personal_number for one in Person.everybody.all())


def test_what_is_forgotten_has_no_marks(case, make_call, cast):
    alone = make_call(track="B", caller_name="Bo Al", urgency="NORMAL", urgency_reason="-", caller_type="other")
    alone = actions.complete_call(by=cast.caseworker, call=alone)
    DataKey.objects.get(pk=alone.key_id).destroy()
    assert not SearchMark.objects.filter(call=alone.pk).exists() and SearchMark.objects.exists()
    DataKey.objects.get(pk=case.key_id).destroy()
    assert not SearchMark.objects.exists() and computed() == set()


def test_a_crash_leaves_words_and_marks_as_they_were(case, cast, monkeypatch):
    before, caller = stored(), case.people.get(part="caller")

    def crash(*_args, **_kwargs):
        raise RuntimeError

    monkeypatch.setattr("intake.marks.set_marks", crash)
    with pytest.raises(RuntimeError):
        actions.change_person(by=cast.caseworker, person=caller, facts={"name": "Eva Ek"})
    monkeypatch.undo()
    assert Person.objects.get(pk=caller.pk).name == "Maria Ek" and stored() == before == computed()


def test_another_identity_has_no_personal_number(case, cast):
    actions.change_protection(by=cast.caseworker, case=case, level="fictitious_identity", why="New identity.")
    assert not Person.everybody.exclude(personal_number=b"").exists()
    assert stored() == computed() and set(SearchMark.objects.values_list("kind", flat=True)) == {"name"}


def _acts(cast, make_case, make_call, chance: random.Random):
    """Acts that write names and numbers, each on whatever there is."""
    by = cast.caseworker

    def facts():
        return {"name": chance.choice([*NAMES, ""]), "personal_number": chance.choice([*NUMBERS, "", ""])}

    def a_case():
        return chance.choice(
            list(Case.objects.select_related("key", "unit", "owner")) or [make_case(track="B", caller_name="Eva Ek")]
        )

    def a_person():
        return chance.choice(list(Person.everybody.select_related("case__key")) or [None])

    def new_case():
        named = {"track": chance.choice("BC"), "caller_name": chance.choice(NAMES)}
        make_case(**(named if chance.random() < 0.7 else {"track": "A"}))

    def new_call():
        call = make_call(
            track="B",
            caller_name=chance.choice(NAMES),
            personal_number=chance.choice(NUMBERS),
            caller_type="other",
            urgency="NORMAL",
            urgency_reason="-",
        )
        if chance.random() < 0.7:
            actions.complete_call(by=by, call=call)
        elif chance.random() < 0.5:
            actions.void_call(by=by, call=call, why="A slip.")

    def slip_of_track():
        call = make_call(
            track="B", caller_name=chance.choice(NAMES), caller_type="other", urgency="NORMAL", urgency_reason="-"
        )
        call = actions.save_call(by=by, call=call, facts={"track": "A"})
        chance.choice(
            [lambda: actions.complete_call(by=by, call=call), lambda: actions.void_call(by=by, call=call, why="-")]
        )()

    def called_again():
        case = a_case()
        call = make_call(track="B", caller_name=chance.choice(NAMES), urgency="NORMAL", urgency_reason="-")
        actions.claim_case(by=by, call=call, number=case.number)
        actions.complete_call(by=by, call=Call.objects.get(pk=call.pk))

    return [
        new_case, new_call, slip_of_track, called_again,
        lambda: actions.add_person(by=by, case=a_case(), facts={"part": "household", **facts()}),
        lambda: actions.change_person(by=by, person=a_person(), facts=facts()),
        lambda: actions.change_person(by=by, person=a_person(), facts={"name": chance.choice(NAMES)}),
        lambda: actions.remove_person(by=by, person=a_person()),
        lambda: change_track(by=by, case=a_case(), track=chance.choice("AABC"), identity=chance.choice(IDENTITIES),
                             why="-", name=chance.choice([*NAMES, ""]), told=True),
        lambda: actions.change_protection(by=by, case=a_case(), level=chance.choice(LEVELS), why="-"),
        lambda: actions.set_number(by=by, case=a_case(), phone="070-1"),
        lambda: a_case().key.destroy() if chance.random() < 0.2 else None,
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_after_any_acts_the_marks_are_those_of_the_words(seed, cast, make_case, make_call):
    from helpline.people.errors import Refused
    from helpline.people.sealed import Forgotten

    chance, done = random.Random(seed), 0
    acts = _acts(cast, make_case, make_call, chance)
    new_case = acts[0]
    new_case(), new_case()
    for _turn in range(40):
        try:
            with connection.cursor(), clock.at(clock.now()):
                chance.choice(acts)()
            done += 1
        except (Refused, Forgotten, AttributeError):  # refused: nothing is changed
            pass
        assert stored() == computed()
    connection.check_constraints()
    assert done > 10 and drift() == (0, 0)
