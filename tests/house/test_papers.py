"""The papers of the municipality are not stale: the record of processing says what the tables say, and leaves nothing out."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command

from helpline import papers
from helpline.people.access import MAY

PAPERS = Path(settings.BASE_DIR) / "docs" / "papers"


def personal_fields() -> set[str]:
    return {
        f"{model._meta.label}.{name}"
        for model in apps.get_models()
        for name in getattr(getattr(model, "Privacy", None), "personal", ())
    }


def test_the_record_is_what_the_tables_say():
    call_command("draw_papers", check=True)


def test_a_stale_record_is_found(monkeypatch):
    monkeypatch.setattr(papers, "HEAD", "another")
    with pytest.raises(CommandError, match="run manage.py draw_papers"):
        call_command("draw_papers", check=True)


def test_each_personal_field_stands_in_one_category():
    named = [name for one in papers.words()["categories"] for name in one["fields"]]
    assert len(named) == len(set(named)) and set(named) == personal_fields()


def test_each_act_has_its_words():
    assert set(papers.words()["acts"]) == set(MAY)


def test_each_open_question_says_where_it_is_configured():
    text = (PAPERS / "open-questions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-q]) \|(.+)\|(.+)\|(.+)\|$", text, re.MULTILINE)
    assert [row[0] for row in rows] == [*"abcdefghijklmnopq"]
    for letter, *cells in rows:
        assert all(cell.strip() for cell in cells), letter
        for place in re.findall(r"`([\w/]+\.(?:py|yaml|md))`", cells[-1]):
            assert (Path(settings.BASE_DIR) / place).exists(), place
