"""Safe contact: one table of what is agreed about reaching a person, kept as JSON in one sealed text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpline.people.errors import Refused
from intake.labels import Words


@dataclass(frozen=True)
class Field:
    """One thing that is agreed: what we ask, the short name of its line, and how each code reads; words where there are none."""

    ask: Any
    short: Any
    says: Words = field(default_factory=dict)  # code -> how the line reads it before a contact
    strong: frozenset[str] = frozenset()  # the codes that forbid something
    always_strong: bool = False
    longest: int = 200  # characters


YES, NO = _("Yes"), _("No")
ANSWERS: Words = {"yes": YES, "no": NO, "unknown": _("Don't know")}  # the words of the choice itself
FORBIDS = frozenset({"no"})

FIELDS: dict[str, Field] = {
    "may_call": Field(
        _("May we call?"),
        _("By phone"),
        {"yes": YES, "no": _("do NOT call"), "unknown": _("not known, ask first")},
        FORBIDS,
    ),
    "sms": Field(
        _("May we send a text message?"), _("Text message"), {"yes": YES, "no": _("NO text message")}, FORBIDS
    ),
    "hours": Field(_("When?"), _("When")),
    "voicemail": Field(_("May we leave a message?"), _("Message"), {"yes": YES, "no": _("leave NO message")}, FORBIDS),
    "say_as": Field(_("Who do we say that we are?"), _("We say")),
    "may_hear": Field(_("Who else may hear?"), _("May hear")),
    "stop_word": Field(_("Stop word"), _("Stop word"), always_strong=True, longest=80),
    "no_interpreter": Field(_("Interpreter to avoid"), _("Interpreter to avoid"), always_strong=True),
    "other": Field(_("Anything else"), _("Besides"), longest=2_000),
}


@dataclass(frozen=True)
class Line:
    """One line that is read before a contact."""

    key: str
    label: str
    value: str
    is_strong: bool


@dataclass(frozen=True)
class SafeContact:
    """What is agreed, by key of FIELDS. What was not asked is not there."""

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Self:
        """What a sealed text holds. Words of before the table stand under `other`."""
        try:
            found = json.loads(text) if text else {}
        except ValueError:
            found = None
        if not isinstance(found, dict) or not found.keys() <= FIELDS.keys():
            return cls({"other": text})
        return cls({key: str(found[key]) for key in FIELDS if found.get(key)})

    def changed(self, given: Mapping[str, Any]) -> Self:
        """With these keys as given, the others as they were. Empty takes a line away. Raises Refused for what the table
        does not have."""
        merged = {**self.values, **{key: _clean(key, value) for key, value in given.items()}}
        return type(self)({key: merged[key] for key in FIELDS if merged.get(key)})

    def with_later(self, later: Self) -> Self:
        """With what was said in a later call: what was not known, and what is stricter. Whatever else differs stands beside
        what was agreed, for the owner to decide; nothing that is agreed is loosened or lost."""
        merged, besides = dict(self.values), []
        for line in later.lines:
            key, said, known = line.key, later.values[line.key], self.values.get(line.key, "")
            if known in ("", "unknown") or said in FIELDS[key].strong:
                merged[key] = said
            elif said != "unknown" and not _stands_in(known, said):
                words = said if key == "other" else f"{line.label}: {line.value}"
                besides.append(gettext("Said in a later call: %(words)s") % {"words": words})
        other = merged.get("other", "")
        new = [words for words in besides if not _stands_in(other, words)]
        merged["other"] = "\n".join([other, *new] if other else new)
        return type(self)({key: merged[key] for key in FIELDS if merged.get(key)})

    def write(self) -> str:
        """As it is kept."""
        return json.dumps(dict(self.values), ensure_ascii=False) if self.values else ""

    @property
    def lines(self) -> list[Line]:
        """Each line in words, in the order of the table."""
        found = []
        for key, value in self.values.items():
            row = FIELDS[key]
            strong = row.always_strong or value in row.strong
            found.append(Line(key, str(row.short), str(row.says.get(value, value)), strong))
        return found

    @property
    def text(self) -> str:
        """All lines as one text, for a card that somebody else reads."""
        return "\n".join(line.value if line.key == "other" else f"{line.label}: {line.value}" for line in self.lines)

    @property
    def is_empty(self) -> bool:
        return not self.values

    @property
    def forbids_call(self) -> bool:
        return self.values.get("may_call") == "no"

    @property
    def forbids_message(self) -> bool:
        return self.values.get("voicemail") == "no"


def _stands_in(text: str, words: str) -> bool:
    """Whether words stand in a text as whole lines."""
    return f"\n{words}\n" in f"\n{text}\n"


def _clean(key: str, value: Any) -> str:
    """One value as it is kept. Raises Refused."""
    if key not in FIELDS:
        raise Refused(gettext("Safe contact has no “%(name)s”.") % {"name": key})
    text = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else str(value or "").strip()
    if text and FIELDS[key].says and text not in FIELDS[key].says:
        raise Refused(gettext("%(field)s: “%(value)s” cannot be chosen.") % {"field": FIELDS[key].ask, "value": text})
    return text or ""
