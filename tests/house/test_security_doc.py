"""docs/security.md names no test, file or requirement that is not there, and leaves no section of ASVS 5.0.0 out."""

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "security.md"
# How many requirements each section of OWASP ASVS 5.0.0 has, chapter by chapter: 345 in all.
SECTIONS = {
    f"{chapter}.{section}": count
    for chapter, counts in enumerate(
        [
            *([2, 10, 12, 3, 3], [3, 3, 5, 2], [1, 3, 5, 8, 8, 1, 5], [5, 5, 2, 4], [1, 6, 3, 3]),
            *([3, 12, 8, 6, 8, 4, 2, 4], [3, 4, 2, 5, 3, 2], [4, 4, 3, 2], [3, 4], [2, 3, 5, 16, 5, 2, 3]),
            *([4, 5, 5, 4, 2, 2, 2], [5, 2, 5], [4, 6, 4, 7], [2, 8, 3], [5, 5, 7, 4], [1, 5, 4, 3, 4], [2, 8, 2]),
        ],
        start=1,
    )
    for section, count in enumerate(counts, start=1)
}
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PLACE = re.compile(r"(?<![\w./])(?:helpline|intake|referrals|templates|static|tests|docs|\.ci)/[\w./-]*\w")
ID = re.compile(r"\d+\.\d+\.\d+")
NOT_MET, PARTLY = "**not met**: ", "**partly**: "


@lru_cache
def known_tests(path: Path) -> frozenset[str]:
    """The tests that a file has, also those of its classes."""
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in found if isinstance(node, functions) and node.name.startswith("test_"))


def table(text: str, head: str) -> list[list[str]]:
    """The rows of the table that begins with this line, as cells."""
    lines = text.partition(f"{head}\n")[2].splitlines()[1:]
    end = next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:end]]


def named(text: str) -> list[str]:
    """What is named and not there."""
    wrong = [place for place in PLACE.findall(text) if not (ROOT / place).exists()]
    for path, name in TEST.findall(text):
        if (ROOT / path).exists() and name not in known_tests(ROOT / path):
            wrong.append(f"{path}::{name}")
    # A test that is written in another way would be passed over.
    return wrong + [f"odd: {one}" for one in re.findall(r"\S+::\S+", TEST.sub("", text))]


def of_rows(rows: list[list[str]], cells: int) -> list[str]:
    """Rows that lack something, or show nothing."""
    wrong = [f"cells: {row[0]}" for row in rows if len(row) != cells or not all(row)]
    for row in rows:
        is_open = row[-1].startswith(NOT_MET) and len(row[-1]) > len(NOT_MET)
        if not (TEST.search(row[-1]) or is_open):
            wrong.append(f"nothing shows it: {row[0]}")
        if row[-1].startswith("**") and not row[-1].startswith((NOT_MET, PARTLY)):
            wrong.append(f"neither met nor not: {row[0]}")
    return wrong


def of_asvs(rows: list[list[str]], left_out: list[list[str]]) -> list[str]:
    """Requirements that are not of ASVS or stand twice; sections of which nothing is said."""
    ids = [one for row in rows for one in row[0].split(", ")]
    wrong = [f"no id: {one}" for one in ids if not ID.fullmatch(one)]
    for one in filter(ID.fullmatch, ids):
        section, _dot, number = one.rpartition(".")
        if not 1 <= int(number) <= SECTIONS.get(section, 0):
            wrong.append(f"ASVS has no {one}")
    wrong += [f"twice: {one}" for one in sorted({one for one in ids if ids.count(one) > 1})]
    wrong += [
        f"out of order: {row[0]}" for row, after in zip(rows, rows[1:], strict=False) if place(row) > place(after)
    ]
    told = {one.rpartition(".")[0] for one in ids}
    out = [section for row in left_out for section in row[0].split(", ")]
    wrong += [f"left out and told: {one}" for one in out if one in told]
    wrong += [f"no section: {one}" for one in out if one not in SECTIONS]
    wrong += [f"left out without a reason: {row[0]}" for row in left_out if len(row) != 2 or not row[1]]
    return wrong + [f"nothing is said of {one}" for one in SECTIONS if one not in told and one not in out]


def place(row: list[str]) -> list[int]:
    return [int(part) for part in row[0].partition(",")[0].split(".")]


def faults(text: str) -> list[str]:
    """All that is wrong with the document."""
    attackers = table(text, "| who | what they could try | what stops it | shown by |")
    rows = table(text, "| id | says | what we do | shown by |")
    left_out = table(text, "| section | why |")
    assert len(attackers) > 12 and len(rows) > 80 and left_out, "the tables are not found"
    return [*named(text), *of_rows(attackers, 4), *of_rows(rows, 4), *of_asvs(rows, left_out)]


def test_asvs_is_counted_right():
    assert sum(SECTIONS.values()) == 345 and len(SECTIONS) == 80


def test_it_names_nothing_that_is_not_there_and_leaves_nothing_out():
    assert faults(DOC.read_text(encoding="utf-8")) == []


SPOILED = {
    "a test that was renamed": (
        "test_verify_log.py::test_one_byte_changed`",
        "test_verify_log.py::test_one_bit`",
        "tests/people/test_verify_log.py::test_one_bit",
    ),
    "a test in brackets": ("::test_one_byte_changed`", "::test_one_byte_changed[at]`", "odd: "),
    "a file that is gone": ("helpline/people/outside.py)", "helpline/people/gone.py)", "helpline/people/gone.py"),
    "an id that stands twice": ("| 1.2.2 |", "| 1.2.1 |", "twice: 1.2.1"),
    "an id that ASVS has not": ("| 16.5.3 |", "| 16.5.9 |", "ASVS has no 16.5.9"),
    "an empty cell": ("| 2.3.1 | steps come in their order |", "| 2.3.1 | |", "cells: 2.3.1"),
    "a row without a test": ("| 5.4.2 | names of files are safe |", "| 5.4.2 | x | y | z |\n| 5.4.3 | x |", "shows it: 5.4.2"),
    "not met without a word": (f"| {NOT_MET}on purpose |", f"| {NOT_MET.strip()} |", "shows it: 3.4.7"),
    "a section that is forgotten": ("| 5.1, 5.3 |", "| 5.3 |", "nothing is said of 5.1"),
    "a section that is both": ("| 5.1, 5.3 |", "| 5.1, 5.2, 5.3 |", "left out and told: 5.2"),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILED)
def test_what_is_wrong_is_found(how):
    right, wrong, said = SPOILED[how]
    text = DOC.read_text(encoding="utf-8")
    assert right in text
    assert any(said in fault for fault in faults(text.replace(right, wrong, 1))), faults(text.replace(right, wrong, 1))
