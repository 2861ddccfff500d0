"""In Swedish, "ärende" is a legal word: it stands on the screen only where the track is C (docs/decisions/0006)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from babel.messages.pofile import read_po
from django.urls import reverse
from django.utils import translation

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"ärende", re.IGNORECASE)
# Where a text is shown on track C alone: file -> what the text stands under.
ON_C_ALONE = {
    "intake/questions/lists.yaml": {"tracks.C.sv", "nouns.C.sv"},
    "intake/questions/spoken.yaml": {"texts.track_C.sv"},
}
TABLES = sorted({*ROOT.glob("intake/**/*.yaml"), *ROOT.glob("referrals/*.yaml"), *ROOT.glob("helpline/demo/*.yaml")})


def texts_of(held: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a table, with the keys that lead to it."""
    if isinstance(held, dict):
        for key, value in held.items():
            yield from texts_of(value, f"{path}.{key}".lstrip("."))
    elif isinstance(held, list):
        for value in held:
            yield from texts_of(value, f"{path}.{value.get('key', '')}" if isinstance(value, dict) else path)
    elif isinstance(held, str):
        yield path, held


def test_no_translation_says_it():
    with (ROOT / "locale/sv/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file, locale="sv")
    said = {}
    for message in catalog:
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and any(WORD.search(text or "") for text in strings):
            said[message.id] = strings
    assert len(catalog) > 400 and said == {}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_no_table_says_it_but_of_track_c(path):
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    allowed = ON_C_ALONE.get(path.relative_to(ROOT).as_posix(), set())
    said = {where for where, text in texts_of(table) if WORD.search(text)}
    assert {where for where in said if not any(where.startswith(one) for one in allowed)} == set()


def test_no_template_and_no_script_says_it():
    files = [*ROOT.glob("templates/**/*"), *ROOT.glob("static/js/*.js"), *ROOT.glob("static/css/*.css")]
    texts = [path for path in files if path.suffix in {".html", ".txt", ".js", ".css"}]
    assert len(texts) > 60
    assert [path.name for path in texts if WORD.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(("track", "noun"), [("A", "Rådgivning"), ("B", "Stöd"), ("C", "Ärende")])
def test_a_case_is_called_by_its_track(track, noun, make_case, cast, client_of):
    cast.caseworker.language = "sv"
    cast.caseworker.save()
    case = make_case(track=track)
    with translation.override("sv"):
        page = client_of(cast.caseworker).get(reverse("intake:case", args=[case.slug])).content.decode()
    heading = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1]
    assert noun in heading
    assert bool(WORD.search(page)) == (track == "C")
