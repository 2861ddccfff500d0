"""Hours in words: what can be read from them, and whether a moment is outside."""

import pytest

from helpline.people import clock
from intake.hours import is_outside, must_be_read, spans


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("22:00-23:30", [(1320, 1410)]),
        ("9–12 och 13.30–15", [(540, 720), (810, 900)]),
        ("mellan kl. 8 och 17", [(480, 1020)]),
        ("före 7 eller efter 21", [(1260, 420)]),
        ("efter 8, före 17", [(480, 1020)]),
        ("FROM 9 TO 12", [(540, 720)]),
        ("vardagar 9–12", []),
        ("9-5", []),
        ("efter 8 pm", []),
        ("9-12 efter lunch", []),
        ("9-12, efter 18", []),
        ("10 och 14", []),
        ("kl. 8 till 9", [(480, 540)]),
        ("efter 21", [(1260, 1440)]),
        ("after 21.30", [(1290, 1440)]),
        ("före kl 7", [(0, 420)]),
        ("when the children sleep", []),
        ("", []),
        ("0701-234567", []),
        ("2026-11-24", []),
    ],
)
def test_what_is_read(words, read):
    assert spans(words) == read


@pytest.mark.parametrize(
    ("words", "time", "outside"),
    [
        ("22:00-23:30", "22:00", False),
        ("22:00-23:30", "23:31", True),
        ("22:00-02:00", "01:00", False),
        ("22:00-02:00", "03:00", True),
        ("efter 21", "20:59", True),
        ("efter 21", "23:59", False),
        ("any time", "03:00", False),
    ],
)
def test_outside(at, words, time, outside):
    for day in ("2026-07-01", "2026-12-01"):  # Swedish time in summer and in winter
        with at(f"{day} {time}"):
            assert is_outside(words, clock.now()) is outside


@pytest.mark.parametrize(
    "words",
    [
        *(
            "inte efter 21",
            "ej mellan 8 och 17",
            "aldrig före 10",
            "not after 21",
            "never 9-12",
            "utom 9-12",
            "ei 9-12",
        ),
        *("efter 21 förutom helg", "except 9-12", "icke 9-12", "vardagar 9-12", "lördag 9-12", "9-12 on Mondays"),
        *(
            "kvällar",
            "any time",
            "when the children sleep",
            "9-12 ingen annan tid",
            "undvik 8-17",
            "INTE 8-17",
            "9-12?",
        ),
    ],
)
def test_what_is_not_understood_word_for_word_is_never_judged_and_never_passed_over(at, words):
    assert must_be_read(words)
    for hour in range(24):
        with at(f"2026-12-01 {hour:02}:00"):
            assert not is_outside(words, clock.now())


@pytest.mark.parametrize("words", ["", "  ", "22:00-23:30", "efter kl 21", "före 7 eller efter 21"])
def test_what_is_understood_need_not_be_read_aloud(words):
    assert not must_be_read(words)
