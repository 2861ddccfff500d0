"""Collect the texts for translation, keep what is translated and compile it, by Babel. With --check only look."""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation.template import templatize

SOURCE_LANGUAGE = "en"
FOLDERS = ("helpline", "intake", "referrals", "templates")
# Which arguments of a function are texts; "c" marks the context.
FUNCTIONS: dict[str, Any] = {"_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None}
FUNCTIONS |= {"ngettext": (1, 2), "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2)}
FUNCTIONS |= {"npgettext": ((1, "c"), 2, 3), "npgettext_lazy": ((1, "c"), 2, 3)}
PLACEHOLDER = re.compile(r"%\(\w+\)\w|%[sd%]?|\{[^{}]*\}")
COMMENT = "# Written by manage.py messages: change the translations here, and nothing else."

Key = tuple[str | None, str]  # the context and the text, or its singular


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail where a translation is missing, wrong or stale")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        found = collect(Path(settings.BASE_DIR))
        wrong: list[str] = []
        for language in (code for code, name in settings.LANGUAGES if code != SOURCE_LANGUAGE):
            po = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"
            if check:
                wrong += [f"{language}: {fault}" for fault in faults(found, po, language)]
            else:
                update(found, po, language)
                self.stdout.write(f"{language}: {len(found)} texts, {len(faults(found, po, language))} faults")
        if wrong:
            raise CommandError("\n".join([*wrong, f"{len(wrong)} faults: run manage.py messages, then translate"]))


class Texts(Catalog):
    """A catalogue whose header holds no dates and no names, so that the same texts always make the same files."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]


def collect(root: Path) -> dict[Key, Message]:
    """Every text of the code and the templates, as Django looks it up at run time."""
    texts = Texts()
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.*")):
        parts = path.relative_to(root).parts
        if path.suffix == ".py" and "migrations" not in parts:
            code = path.read_text(encoding="utf-8")
        elif path.suffix in (".html", ".txt") and "templates" in parts:
            # Django turns a template into calls amid dummy words; without indents these are tokens of Python.
            code = re.sub(r"^\s+", "", templatize(path.read_text(encoding="utf-8"), str(path)), flags=re.MULTILINE)
        else:
            continue
        for _line, text, _comments, context in extract("python", BytesIO(code.encode()), FUNCTIONS):
            texts.add(text, context=context)
    return {_key(message): message for message in _messages(texts)}


def update(found: dict[Key, Message], po: Path, language: str) -> None:
    """Write the texts that are found, with the translations that there were, and compile them."""
    old, new = _read(po, language), Texts(locale=language, header_comment=COMMENT, fuzzy=False)
    for key, message in found.items():
        was = old.get(key[1], key[0])
        if was and was.pluralizable == message.pluralizable:
            new.add(
                message.id, was.string, context=key[0], flags=was.flags & {"fuzzy"}, user_comments=was.user_comments
            )
        else:
            new.add(message.id, context=key[0])
    po.parent.mkdir(parents=True, exist_ok=True)
    with po.open("wb") as file:
        write_po(file, new, width=0, no_location=True, sort_output=True)
    po.with_suffix(".mo").write_bytes(compiled(po, language))


def faults(found: dict[Key, Message], po: Path, language: str) -> list[str]:
    """What is wrong with the translations, a line each."""
    held = _read(po, language)
    by_key = {_key(message): message for message in _messages(held)}
    wrong = [f"missing: {key[1]!r}" for key in found.keys() - by_key.keys()]
    wrong += [f"obsolete: {key[1]!r}" for key in by_key.keys() - found.keys()]
    wrong += [f"obsolete: {_key(message)[1]!r}" for message in held.obsolete.values()]
    for key in found.keys() & by_key.keys():
        wrong += [f"{fault}: {key[1]!r}" for fault in _faults_of(by_key[key], found[key])]
    mo = po.with_suffix(".mo")
    if not mo.exists() or mo.read_bytes() != compiled(po, language):
        wrong.append(f"not compiled: {mo.name} is not what {po.name} compiles to")
    return sorted(wrong)


def compiled(po: Path, language: str) -> bytes:
    """The .mo file that belongs to a .po file."""
    texts = Texts(locale=language, fuzzy=False)
    for message in _messages(_read(po, language)):
        texts.add(message.id, message.string, flags=message.flags, context=message.context)
    file = BytesIO()
    write_mo(file, texts)
    return file.getvalue()


def _faults_of(held: Message, found: Message) -> Iterator[str]:
    ids, strings = _forms(found.id), _forms(held.string)
    if _forms(held.id) != ids:
        yield "plural changed"
    elif not strings or not all(strings):
        yield "untranslated"
    elif any(
        set(PLACEHOLDER.findall(string)) != set(PLACEHOLDER.findall(ids[min(form, len(ids) - 1)]))
        for form, string in enumerate(strings)
    ):
        yield "different placeholders"
    if held.fuzzy:
        yield "fuzzy"


def _read(po: Path, language: str) -> Catalog:
    return read_po(BytesIO(po.read_bytes() if po.exists() else b""), locale=language)


def _messages(texts: Iterable[Message]) -> Iterator[Message]:
    return (message for message in texts if message.id)


def _key(message: Message) -> Key:
    return (message.context, _forms(message.id)[0])


def _forms(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text or ())
