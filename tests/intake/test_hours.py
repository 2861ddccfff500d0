"""Hours in words: what can be read from them, and whether a moment is outside."""

import pytest

from helpline.people import clock
from intake.hours import is_outside, spans


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("22:00-23:30", [(1320, 1410)]),
        ("vardagar 9–12 och 13.30–15", [(540, 720), (810, 900)]),
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
