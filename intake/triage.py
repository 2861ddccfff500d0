"""Triage: reads the question sets and says the least urgency, the needs and why. A table with a reader; no branches.

The sets are YAML files in questions/. Each version that was ever in use is stored as a row, and a call keeps the version
that it was asked with. Answers may only raise a *least* urgency, which a person confirms or overrides with a reason: no
score is ever computed.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import get_language, gettext

FOLDER = Path(__file__).parent / "questions"
ACUTE = "AKUT"  # the most urgent: what it demands is done while the caller is still there
SETS = ["opening", "acute", "relative", "leaver", "professional", "closing"]
BOOL3 = {
    "yes": {"sv": "Ja", "en": "Yes"},
    "no": {"sv": "Nej", "en": "No"},
    "unknown": {"sv": "Vet inte", "en": "Don't know"},
}
SAID = {"said": {"sv": "Sagt", "en": "Said"}}

Value = str | list[str]
Entry = dict[str, Any]


class BadAnswer(ValueError):
    """An answer that its question does not have. The text can be shown to a person."""


def in_language(entry: Mapping[str, Any]) -> str:
    """The text of a table's entry in the language of the page; Swedish where that is missing."""
    language = (get_language() or "sv")[:2]
    return str(entry.get(language) or entry["sv"])


@lru_cache
def read_files() -> Entry:
    """All question files as one document: {lists, callers, sets}."""

    def load(name: str) -> Any:
        return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))

    return {"lists": load("lists"), "callers": load("callers"), "sets": {name: load(name) for name in SETS}}


def digest(document: Entry) -> str:
    """What tells two versions apart."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def codes(name: str) -> list[str]:
    """The codes of one list of questions/lists.yaml, in order."""
    return list(read_files()["lists"][name])


def name_of(list_name: str, code: str) -> str:
    """A code in words, in the language of the page. One that is gone from the list has the words that it last had."""
    entry = _entry(list_name, code)
    return in_language(entry) if entry else code


def _entry(list_name: str, code: str) -> Entry | None:
    """A code of a list as it stands, or as it stood in the latest version that had it."""
    entry: Entry | None = read_files()["lists"][list_name].get(code)
    if entry is None and code:
        older = (guide.lists.get(list_name, {}).get(code) for guide in _guides())
        entry = next(filter(None, older), None)
    return entry


def choices(list_name: str) -> list[tuple[str, str]]:
    """The list as the choices of a form field."""
    return [(code, name_of(list_name, code)) for code in codes(list_name)]


def rank(urgency: str) -> int:
    """0 is the most urgent. What is no longer in the list counts as that: nothing is lowered by taking a code away."""
    order = codes("urgencies")
    return order.index(urgency) if urgency in order else 0


def more_urgent(one: str, other: str) -> str:
    """The more urgent of two."""
    return min(one, other, key=rank)


def certainly_under(age_band: str, years: int) -> bool:
    """Whether a person of this band is certainly younger. An unknown age never is; an estimated band is enough."""
    limit = (_entry("age_bands", age_band) or {}).get("certainly_under")
    return limit is not None and limit <= years


@dataclass(frozen=True)
class Question:
    """One question of one version, and the ages of that version."""

    entry: Entry
    ages: Entry = field(default_factory=dict)

    @property
    def key(self) -> str:
        return str(self.entry["key"])

    @property
    def type(self) -> str:
        return str(self.entry["type"])

    @property
    def text(self) -> str:
        return in_language(self.entry)

    @property
    def short(self) -> str:
        return in_language(self.entry["short"])

    @cached_property
    def options(self) -> dict[str, Entry]:
        """The codes that an answer may have; none for free text."""
        fixed = {"bool3": BOOL3, "say": SAID, "age": self.ages}
        return fixed.get(self.type) or self.entry.get("options") or {}

    @property
    def choices(self) -> list[tuple[str, str]]:
        return [(code, in_language(entry)) for code, entry in self.options.items()]

    def is_asked(self, answers: Mapping[str, Value]) -> bool:
        """Whether it is asked, by what was answered (`when`): always, unless it depends on an answer. What is answered
        stays, whatever it depended on."""
        wanted = self.entry.get("when") or {}
        return bool(answers.get(self.key)) or all(answers.get(key) == value for key, value in wanted.items())

    def clean(self, value: Any) -> Value:
        """The value as it is stored. Raises BadAnswer."""
        if self.type == "text":
            if not isinstance(value, str):
                raise BadAnswer(gettext("%(question)s: the answer must be text.") % {"question": self.key})
            return value.strip()
        given = value if self.type == "multi" and isinstance(value, list) else [value]
        wrong = [one for one in given if not isinstance(one, str) or one not in self.options]
        if wrong:
            raise BadAnswer(
                gettext("%(question)s: “%(answer)s” is not one of %(options)s.")
                % {"question": self.key, "answer": wrong[0], "options": ", ".join(self.options)}
            )
        return list(dict.fromkeys(given)) if self.type == "multi" else str(value)

    def say(self, value: Value) -> str:
        """An answer in words."""
        given = value if isinstance(value, list) else [value]
        return ", ".join(in_language(self.options[one]) if one in self.options else one for one in given)

    def points(self, rule: str, value: Value) -> list[str]:
        """What an answer raises or suggests: for bool3 on yes, otherwise by option."""
        says = self.entry.get(rule)
        if not says or not value:
            return []
        if isinstance(says, str):
            return [says] if value == "yes" else []
        given = value if isinstance(value, list) else [value]
        return [says[one] for one in given if one in says]


@dataclass(frozen=True)
class Caller:
    """One caller type."""

    entry: Entry

    @property
    def code(self) -> str:
        return str(self.entry["code"])

    @property
    def name(self) -> str:
        return in_language(self.entry)

    @property
    def key(self) -> str:
        return str(self.entry["key"])

    @property
    def main(self) -> bool:
        return bool(self.entry.get("main"))

    @property
    def need(self) -> str:
        return str(self.entry.get("need", ""))

    @property
    def questions(self) -> str:
        return str(self.entry.get("questions", ""))

    @property
    def always_a_case(self) -> bool:
        return self.entry["case"] == "always"


@dataclass(frozen=True)
class Reason:
    """Why: an answer (question and value), or the caller type where question is None."""

    code: str
    question: Question | None = None
    value: Value = ""
    caller: Caller | None = None

    def __str__(self) -> str:
        if self.question is None:
            return self.caller.name.lower() if self.caller else ""
        return f"{self.question.short}: {self.question.say(self.value).lower()}"


@dataclass
class Assessment:
    """What the answers say. `urgency` is the least that may be left unexplained."""

    urgency: str = "NORMAL"
    raised_by: list[Reason] = field(default_factory=list)
    needs: dict[str, list[Reason]] = field(default_factory=dict)
    case_always: bool = False

    @property
    def acute(self) -> list[Reason]:
        """Why it is acute; none where it is not."""
        return [reason for reason in self.raised_by if reason.code == ACUTE]

    @property
    def needs_a_case(self) -> bool:
        """Whether a case is opened without the worker asking for it."""
        return self.case_always or bool(self.needs) or self.urgency != "NORMAL"


class Guide:
    """One version of the question sets, ready to be asked and read."""

    def __init__(self, document: Entry) -> None:
        self.lists: Entry = document["lists"]
        ages = self.lists["age_bands"]
        self.sets = {name: [Question(entry, ages) for entry in entries] for name, entries in document["sets"].items()}
        self.questions = {question.key: question for entries in self.sets.values() for question in entries}
        self.callers = {entry["code"]: Caller(entry) for entry in document["callers"]}

    def list_of(self, name: str) -> Entry:
        """A list as it was in this version; one that is younger, as it stands today."""
        found: Entry = self.lists.get(name) or read_files()["lists"][name]
        return found

    def name_of(self, name: str, code: str) -> str:
        """A code in the words of this version, or in those that it has elsewhere."""
        entry = self.list_of(name).get(code)
        return in_language(entry) if entry else name_of(name, code)

    def choices(self, name: str) -> list[tuple[str, str]]:
        """The list of this version as the choices of a form field."""
        return [(code, in_language(entry)) for code, entry in self.list_of(name).items()]

    def asked_of(self, caller_type: str, answers: Mapping[str, Value] | None = None) -> list[Question]:
        """The questions of a caller type, besides the opening, the acute and the closing ones. One that depends on an
        answer is asked where that answer is given."""
        caller = self.callers.get(caller_type)
        questions = self.sets.get(caller.questions, []) if caller else []
        return [question for question in questions if question.is_asked(answers or {})]

    def clean(self, key: str, value: Any) -> Value:
        """One answer as it is stored. Raises BadAnswer for a question that this version does not have."""
        if key not in self.questions:
            raise BadAnswer(gettext("%(question)s: there is no such question.") % {"question": key})
        return self.questions[key].clean(value)

    def assess(self, caller_type: str, answers: Mapping[str, Value]) -> Assessment:
        """Read the answers. All count, whatever caller type they were given under: what was said stays said."""
        found = Assessment()
        caller = self.callers.get(caller_type)
        if caller:
            found.case_always = caller.always_a_case
            if caller.need:
                found.needs[caller.need] = [Reason(caller.need, caller=caller)]
        for question, value in self._given(answers):
            for urgency in question.points("raises", value):
                found.urgency = more_urgent(found.urgency, urgency)
                found.raised_by.append(Reason(urgency, question, value))
            for need in question.points("suggests", value):
                found.needs.setdefault(need, []).append(Reason(need, question, value))
        found.raised_by.sort(key=lambda reason: rank(reason.code))
        order = list(self.list_of("needs"))
        found.needs = dict(
            sorted(found.needs.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else -1)
        )
        return found

    def _given(self, answers: Mapping[str, Value]) -> Iterable[tuple[Question, Value]]:
        return ((question, answers[key]) for key, question in self.questions.items() if answers.get(key))


@lru_cache(maxsize=32)
def guide_of(version: int) -> Guide:
    """The guide of a stored version."""
    from intake.models import QuestionSet

    return Guide(json.loads(QuestionSet.objects.get(version=version).content))


@lru_cache
def guide_today() -> Guide:
    """The guide of the files as they stand, for lists and names."""
    return Guide(read_files())


def caller_name(code: str) -> str:
    """A caller type in words; one that is gone has the words that it last had."""
    caller = guide_today().callers.get(code)
    if caller is None and code:
        caller = next(filter(None, (guide.callers.get(code) for guide in _guides())), None)
    return caller.name if caller else gettext("Not yet known")


def _guides() -> Iterator[Guide]:
    """The stored versions, the latest first."""
    from intake.models import QuestionSet

    for version in QuestionSet.objects.order_by("-version").values_list("version", flat=True):
        yield guide_of(version)
