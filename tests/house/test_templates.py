"""Templates: each is used, none carries script or style or a link out of the house, and no variable is misspelt."""

import ast
import re
from pathlib import Path

import allauth
import pytest
from django.template import engines

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(file for file in (ROOT / "templates").rglob("*") if file.is_file())
OWN_STATIC = [
    file for file in (ROOT / "static").rglob("*") if file.suffix in {".css", ".js"} and "vendor" not in file.parts
]
NAMESPACES = re.compile(r"http://www\.w3\.org/(2000/svg|1999/xlink|1999/xhtml)")


def name_of(file: Path) -> str:
    return file.relative_to(ROOT / "templates").as_posix()


def strings() -> list[str]:
    """Every string of our Python, those with gaps as patterns."""
    found = []
    for top in ("helpline", "intake", "referrals"):
        for file in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(re.escape(node.value))
                if isinstance(node, ast.JoinedStr):
                    parts = [
                        re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values
                    ]
                    found.append("".join(parts))
    return [pattern for pattern in found if pattern.endswith((r"\.html", r"\.txt", r"\.svg"))]


OF_ALLAUTH = {
    "429.html": "core/internal/ratelimit.py"
}  # which source of allauth shows it, where it brings none of its own


def test_every_template_is_used():
    named = re.compile(r"""{%\s*(?:extends|include)\s+["']([^"']+)["']""")
    by_templates = {name for file in TEMPLATES for name in named.findall(file.read_text(encoding="utf-8"))}
    by_python = [re.compile(pattern) for pattern in strings()]
    theirs = Path(allauth.__file__).parent / "templates"
    unused = [
        name
        for name in map(name_of, TEMPLATES)
        if name not in by_templates
        and not (theirs / name).exists()
        and name not in OF_ALLAUTH
        and not any(one.fullmatch(name) for one in by_python)
    ]
    assert unused == []
    for name, source in OF_ALLAUTH.items():
        assert name.split(".")[0] + "." in (theirs.parent / source).read_text(encoding="utf-8"), name


def test_every_template_that_is_named_is_there():
    named = re.compile(r"""{%\s*(?:extends|include)\s+["']([^"']+)["']""")
    for file in TEMPLATES:
        for name in named.findall(file.read_text(encoding="utf-8")):
            assert (ROOT / "templates" / name).exists(), f"{name_of(file)} names {name}"


@pytest.mark.parametrize("file", TEMPLATES, ids=name_of)
def test_no_script_and_no_style_in_a_page(file):
    text = re.sub(r"{%.*?%}", "", file.read_text(encoding="utf-8"))
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", text) == []
    assert re.findall(r"<style\b|\sstyle\s*=", text) == []
    assert re.findall(r"\son[a-z]+\s*=\s*[\"']|javascript:|hx-on|hx-vals=.js:", text) == []


@pytest.mark.parametrize("file", [file for file in TEMPLATES if file.suffix != ".txt"], ids=name_of)
def test_nothing_is_written_unescaped(file):
    assert re.findall(r"\|\s*safe(?:seq)?\b|{%\s*autoescape\s+off", file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", [*TEMPLATES, *OWN_STATIC], ids=lambda file: file.name)
def test_no_link_leads_out_of_the_house(file):
    text = NAMESPACES.sub("", file.read_text(encoding="utf-8"))
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"')]*", text) == []


@pytest.mark.parametrize("file", sorted((ROOT / "static" / "vendor").rglob("*.css")), ids=lambda file: file.name)
def test_vendored_style_fetches_nothing(file):
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"@import|url\((?!\s*[\"']?data:)[^)]*\)|sourceMappingURL", text) == []


class Misspelt(str):
    """string_if_invalid that fails: `%` is how Django fills in the name of the variable."""

    def __mod__(self, name: object) -> str:
        raise AssertionError(f"undefined in a template: {name}")


@pytest.fixture
def strict(monkeypatch):
    """A template variable that is not there fails the test. Every page is drawn like this in test_matrix."""
    monkeypatch.setattr(engines["django"].engine, "string_if_invalid", Misspelt("%s"))


def test_the_strictness_is_strict(strict):
    engine = engines["django"]
    with pytest.raises(AssertionError, match="undefined in a template: thing.name"):
        engine.from_string("{{ thing.name }}").render({})
    assert engine.from_string("{% if thing %}1{% endif %}{{ other|default:2 }}").render({"other": ""}) == "2"


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "500.html"])
def test_a_page_of_a_fault_needs_nothing(name, strict):
    from django.template.loader import render_to_string

    assert "<h1>" in render_to_string(name)
