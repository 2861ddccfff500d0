"""Personal and coordination numbers: read as people write them, checked, and shown masked."""

import pytest

from helpline.people.errors import Refused
from intake import personal_numbers
from intake.personal_numbers import read


def number(birth: str, last: str = "123") -> str:
    """A number with its check digit: eight digits of birth, three of order."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(birth[2:] + last)]
    return f"{birth}{last}{-sum(value // 10 + value % 10 for value in doubled) % 10}"


KNOWN = "198112189876"  # the number of the tax agency's own examples


def test_a_known_number_is_right():
    assert number("19811218", "987") == KNOWN and read(KNOWN) == KNOWN


@pytest.mark.parametrize(
    "text",
    [
        "811218-9876",
        "8112189876",
        "19811218-9876",
        "198112189876",
        " 811218 - 9876 ",
        "811218\u20139876",
        "811218\u00a09876",
    ],
)
def test_each_way_of_writing_gives_the_same(text):
    assert read(text) == KNOWN


def test_the_century_is_said_or_follows_from_the_day(at):
    with at("2026-11-23 12:00"):
        for birth, short in (
            ("20261123", "261123-"),
            ("19261124", "261124-"),
            ("19261123", "261123+"),
            ("20050101", "050101-"),
        ):
            whole = number(birth)
            assert read(f"{short}{whole[8:]}") == whole, birth
        assert read(number("19050101").replace("19050101", "050101+")) == number("19050101")


@pytest.mark.parametrize("birth", ["19850472", "19840289", "19850060", "19850460", "19850064"])
def test_a_coordination_number_has_its_day_plus_sixty(birth):
    """The month and the day may be unknown (00): the tax agency gives such numbers."""
    found = read(number(birth))
    assert found == number(birth) and personal_numbers.is_coordination(found)


def test_a_personal_number_is_no_coordination_number():
    assert not personal_numbers.is_coordination(KNOWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("198112189877", "last digit"),
        ("811218-9867", "last digit"),
        (number("19850231"), "no such date"),
        (number("19851304"), "no such date"),
        (number("19850292"), "no such date"),
        (number("19850400"), "no such date"),
        (number("20990101"), "no such date"),
        ("19811218987", "ten or twelve"),
        ("1234567", "ten or twelve"),
        ("", "ten or twelve"),
        ("8112189876\n5", "ten or twelve"),
        ("８１１２１８９８７６", "ten or twelve"),
        ("٨١١٢١٨٩٨٧٦", "ten or twelve"),
        ("not a number", "ten or twelve"),
    ],
)
def test_what_is_wrong_is_said(text, said):
    with pytest.raises(Refused, match=said):
        read(text)


def test_every_single_wrong_digit_is_found():
    for place in range(2, 12):
        for digit in "0123456789":
            if digit != KNOWN[place]:
                with pytest.raises(Refused):
                    read(KNOWN[:place] + digit + KNOWN[place + 1 :])


def test_a_list_shows_it_without_its_end():
    assert personal_numbers.masked(KNOWN) == "19811218-••••" and personal_numbers.masked("") == ""
    assert personal_numbers.written(KNOWN) == "19811218-9876"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("811218-9876", True),
        ("1234567", True),
        ("Tegel-Måne 58", False),
        ("Ek", False),
        ("58", False),
        ("12-34", False),
    ],
)
def test_what_was_meant_as_a_number(text, means):
    assert personal_numbers.looks_like_one(text) == means
