"""Texts are found as Django looks them up, and every fault of a translation is told; no database."""

import ast
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.template import Context, Engine
from django.utils import translation

from helpline.management.commands import messages

REAL = Path(project.BASE_DIR)
PYTHON = '''
from django.utils.translation import gettext as _, gettext_lazy, ngettext, pgettext, npgettext

one = gettext_lazy("Call")
two = _("Hand " "over") + ngettext("%(n)s day", "%(n)s days", 2) % {"n": 2}
three = pgettext("month", "May"), npgettext("place", "seat", "seats", 2)
four = _(one), _(f"{one}"), "not a text", other("nor this")
five = _("""Två
rader""")  # Swedish letters and lines stay
'''
TEMPLATE = """{% load i18n %}
  {% translate "Save" %}{% trans 'Close' as label %}{% translate "May" context "month" %}{% translate "50 %" %}
      <p title="{% translate "It's here" %}">{{ _("Open") }}{{ x|default:_("Nobody") }}</p>
  {% blocktranslate %}Hi {{ name }}, 5 %{% endblocktranslate %}
{% blocktranslate trimmed with a=b|upper %}
    First {{ a }}
    second
{% endblocktranslate %}
{% blocktranslate count n=rows|length trimmed %}
  {{ n }} row
{% plural %}
  {{ n }} rows
{% endblocktranslate %}
{% blocktranslate context "verb" %}Call{% endblocktranslate %}
{# {% translate "Hidden" %} #}{% comment %}{% translate "Gone" %}{% endcomment %}
{% if x == "no text" %}{{ x|default:"nor this" }}{% endif %}
"""
IN_PYTHON = {
    (None, "Call"),
    (None, "Hand over"),
    (None, "%(n)s day"),
    (None, "Två\nrader"),
    ("month", "May"),
    ("place", "seat"),
}
IN_TEMPLATE = {
    (None, "Save"),
    (None, "Close"),
    ("month", "May"),
    (None, "50 %%"),
    (None, "It's here"),
    (None, "Open"),
    (None, "Nobody"),
    (None, "Hi %(name)s, 5 %%"),
    (None, "First %(a)s second"),
    (None, "%(n)s row"),
    ("verb", "Call"),
}


@pytest.fixture
def house(tmp_path, settings):
    """A small project, its texts collected, with a place for its translations."""
    for name, text in {"intake/labels.py": PYTHON, "templates/intake/page.html": TEMPLATE}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings.BASE_DIR, settings.LOCALE_PATHS = tmp_path, [tmp_path / "locale"]
    settings.LANGUAGES = [("sv", "Swedish"), ("en", "English")]
    return tmp_path


@pytest.fixture
def po(house):
    """Its .po file, compiled, in which each text is translated by itself in brackets."""
    file = house / "locale/sv/LC_MESSAGES/django.po"
    run()
    with changed(file) as texts:
        for message in filter(lambda message: message.id, texts):
            message.string = tuple(map("[{}]".format, message.id)) if message.pluralizable else f"[{message.id}]"
    return file


def run():
    call_command("messages", stdout=StringIO())


@contextmanager
def changed(po):
    """Change the translations, and compile them."""
    texts = read_po(BytesIO(po.read_bytes()))
    yield texts
    with po.open("wb") as file:
        write_po(file, texts)
    po.with_suffix(".mo").write_bytes(messages.compiled(po, "sv"))


def told():
    """What --check finds."""
    with pytest.raises(CommandError) as error:
        call_command("messages", "--check")
    return str(error.value).splitlines()[:-1]


def test_texts_are_found_in_code_and_templates(house):
    assert set(messages.collect(house)) == IN_PYTHON | IN_TEMPLATE


def test_both_forms_of_a_plural_are_found(house):
    found = messages.collect(house)
    assert found[None, "%(n)s row"].id == ("%(n)s row", "%(n)s rows")
    assert found["place", "seat"].id == ("seat", "seats")


def test_migrations_and_other_folders_are_not_read(house):
    for name in ("intake/migrations/0001.py", "docs/page.py", "intake/notes.txt"):
        (house / name).parent.mkdir(exist_ok=True)
        (house / name).write_text('_("Elsewhere")')
    assert (None, "Elsewhere") not in messages.collect(house)


def test_django_finds_the_translations(po):
    template = Engine(libraries={"i18n": "django.templatetags.i18n"}).from_string(TEMPLATE)
    with translation.override("sv"):
        page = template.render(Context({"name": "Bo", "b": "x", "rows": [1, 2]}))
    shown = ["[Save]", "[50 %]", "[It's here]", "[Open]", "[Nobody]", "[Hi Bo, 5 %]", "[First X second]", "[2 rows]"]
    assert [text for text in [*shown, "[May]", "[Call]"] if text not in page] == []


def test_a_whole_translation_has_no_faults(po):
    call_command("messages", "--check")


def test_the_same_texts_make_the_same_files(po):
    run()
    files = [po, po.with_suffix(".mo")]
    before = [file.read_bytes() for file in files]
    run()
    assert [file.read_bytes() for file in files] == before
    head = before[0].decode().partition('msgid "%(n)s day"')[0]
    assert "charset=UTF-8" in head and "nplurals=2; plural=(n != 1);" in head
    assert "Date" not in head and "Babel" not in head


def test_texts_are_sorted_and_without_line_numbers(po):
    run()
    ids = [str(message.id) for message in read_po(BytesIO(po.read_bytes())) if message.id]
    assert ids == sorted(ids, key=lambda text: text.strip("('"))
    assert "#:" not in po.read_text()


def test_translations_are_kept_and_obsolete_ones_dropped(po, house):
    (house / "intake/labels.py").write_text('_("Call")')
    run()
    held = read_po(BytesIO(po.read_bytes()))
    assert held.get("Call").string == "[Call]" and held.get("Call", "verb").string == "[Call]"
    assert held.get("Hand over") is None and not held.obsolete
    call_command("messages", "--check")


def test_check_changes_nothing(house):
    assert "sv: missing: 'Save'" in told()
    assert not (house / "locale").exists()


def test_check_tells_what_is_missing(po, house):
    (house / "intake/labels.py").write_text(PYTHON + '_("New")')
    assert told() == ["sv: missing: 'New'"]


def test_check_tells_what_is_obsolete(po, house):
    (house / "intake/labels.py").write_text(PYTHON.replace("Hand ", "Hold "))
    assert told() == ["sv: missing: 'Hold over'", "sv: obsolete: 'Hand over'"]


def test_check_tells_what_is_kept_as_obsolete(po):
    with po.open("a") as file:
        file.write('\n#~ msgid "Old"\n#~ msgstr "Gammal"\n')
    assert told() == ["sv: obsolete: 'Old'"]


def test_check_tells_a_changed_plural(po, house):
    (house / "intake/labels.py").write_text(PYTHON.replace("%(n)s days", "%(n)s whole days"))
    assert told() == ["sv: plural changed: '%(n)s day'"]


@pytest.mark.parametrize("string", ["", ("[%(n)s day]", "")])
def test_check_tells_what_is_untranslated(po, string):
    key = "%(n)s day" if string else "Save"
    with changed(po) as texts:
        texts.get(key).string = string
    assert told() == [f"sv: untranslated: {key!r}"]


def test_check_tells_what_is_fuzzy(po):
    with changed(po) as texts:
        texts.get("Save").flags.add("fuzzy")
    assert told() == ["sv: fuzzy: 'Save'"]


@pytest.mark.parametrize(
    ("key", "string"),
    [
        ("First %(a)s second", "Först andra"),
        ("First %(a)s second", "Först %(b)s andra"),
        ("50 %%", "50 %"),
        ("Save", "Spara {name}"),
        ("%(n)s day", ("En dag", "%(n)s dagar")),
        ("%(n)s day", ("%(n)s dag", "Dagar")),
    ],
)
def test_check_tells_different_placeholders(po, key, string):
    with changed(po) as texts:
        texts.get(key).string = string
    assert told() == [f"sv: different placeholders: {key!r}"]


def test_check_tells_what_is_not_compiled(po):
    compiled = po.with_suffix(".mo")
    compiled.write_bytes(compiled.read_bytes().replace(b"[Save]", b"[Keep]"))
    assert told() == ["sv: not compiled: django.mo is not what django.po compiles to"]
    compiled.unlink()
    assert len(told()) == 1
    run()
    call_command("messages", "--check")


def test_texts_in_code_are_whole():
    """Not joined from parts, not filled in before they are looked up: such a text is never found."""
    joined = (ast.JoinedStr, ast.BinOp, ast.IfExp)
    broken = [
        f"{path}:{call.lineno}"
        for folder in messages.FOLDERS
        for path in sorted((REAL / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in messages.FUNCTIONS
        if any(isinstance(argument, joined) for argument in call.args[:2])
    ]
    assert not broken
