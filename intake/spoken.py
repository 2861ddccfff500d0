"""What the caller is told when a call ends, in their own language, to be read aloud or printed. Every sentence stands in
questions/spoken.yaml; this file says which of them hold for a call."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import yaml
from babel.dates import format_datetime
from babel.units import format_unit
from django.utils import timezone

from helpline.people import clock
from helpline.people.models import User
from intake import triage
from intake.actions.board import months_of_words
from intake.actions.erasure import is_kept, words_go_on
from intake.gate import may_open
from intake.models import Call, FollowUp, Person

SWEDISH = "sv"
OTHER = "other"  # any kind of step that the table does not have
# step -> the agency that the caller has agreed to, for a step that an upper floor keeps; each floor adds its own at start.
# Whom else we have asked, and that we have, is not told.
AGREED: list[Callable[[FollowUp], str]] = []
# call -> (name, number) of the places that the caller was told of, to go there alone; each floor adds its own at start.
SIGNPOSTED: list[Callable[[Call], list[tuple[str, str]]]] = []


@lru_cache
def table() -> dict[str, Any]:
    """spoken.yaml: languages, formats, texts, steps, codes."""
    return dict(yaml.safe_load((triage.FOLDER / "spoken.yaml").read_text(encoding="utf-8")))


def languages() -> dict[str, str]:
    """The languages of the table, each by its own name."""
    return dict(table()["languages"])


def language_of(call: Call) -> str:
    """The caller's language where the table has it; else Swedish, for the interpreter."""
    return call.language if call.language in languages() else SWEDISH


@dataclass(frozen=True)
class Line:
    """One sentence, or some. `own`: the worker's own words of a step, in the language that they were written in."""

    text: str
    own: str = ""


@dataclass(frozen=True)
class Part:
    """A heading and what stands under it."""

    key: str
    heading: str
    lines: list[Line]


@dataclass(frozen=True)
class Spoken:
    """What is said about one call, in one language, by one worker. Printed, it leaves out what would tell a stranger what
    it was about: who called, the milieu, own words, other agencies, who we are."""

    call: Call
    language: str
    reader: User | None = None
    printed: bool = False

    @cached_property
    def opens(self) -> bool:
        """Whether who reads may open the case: nobody else is told a word of it, nor which agency it is about."""
        case = self.call.case
        return case is not None and self.reader is not None and may_open(case, self.reader)

    def say(self, key: str, **words: object) -> str:
        """A text of the table."""
        return str(table()["texts"][key][self.language]).format(**words)

    def code(self, name: str, code: str) -> str:
        """A code as it is said; one that the table does not have, as it stands on the screen."""
        entry = table()["codes"][name].get(code)
        if entry:
            return str(entry[self.language])
        return triage.caller_name(code) if name == "callers" else triage.name_of(name, code)

    def when(self, moment: dt.datetime) -> str:
        """A moment with its day of the week and its time, in Sweden."""
        return self._formatted("when", timezone.localtime(moment, timezone.get_default_timezone()))

    def day(self, day: dt.date) -> str:
        """A day with its weekday and year."""
        return self._formatted("day", dt.datetime.combine(day, dt.time(12)))

    def _formatted(self, name: str, local: dt.datetime) -> str:
        weekday = table()["weekdays"][self.language][local.weekday()]
        pattern = table()["formats"][name][self.language]
        return f"{weekday} {format_datetime(local.replace(tzinfo=None), pattern, locale=self.language)}"

    @property
    def title(self) -> str:
        return self.say("next")

    @property
    def parts(self) -> list[Part]:
        """What is said, in the order in which it is said."""
        found = {
            "next": self._next(),
            "number": self._number(),
            "written": self._written(),
            "readers": self._readers(),
            "erased": self._erased(),
            "acute": iter([Line(self.say("call_112"))]),
        }
        parts = [Part(key, self.say(key), list(lines)) for key, lines in found.items()]
        return [part for part in parts if part.lines]

    # -- what happens, who does it, by when --

    def _next(self) -> Iterator[Line]:
        if self.call.is_practice:
            yield Line(self.say("practice"))
        if getattr(self.call, "is_consultation", False):
            yield Line(self.say("consulted"))
        case = self.call.case
        if case is None:
            yield Line(self.say("nothing_agreed"))
        elif not case.is_open:
            yield Line(self.say("ended"))
        else:
            for step in self._told(case.open_steps):
                yield self._step(step)
        yield from self._places()

    def _places(self) -> Iterator[Line]:
        """Where the caller was told to go alone. Printed it stays away: it would tell a stranger what it was about."""
        if self.printed or not (self.call.case is None or self.opens):
            return
        for name, phone in (place for places in SIGNPOSTED for place in places(self.call)):
            key = "place_with_number" if phone else "place"
            yield Line(self.say(key, agency=name, phone=phone))

    def _told(self, steps: list[FollowUp]) -> list[FollowUp]:
        """Our own steps and those that the caller has agreed to; where there are none, the first of the rest: its day, and
        not what it is."""
        told = [step for step in steps if step.kind in table()["steps"] or self._agreed(step)]
        return told or steps[:1]

    def _agreed(self, step: FollowUp) -> str:
        return "" if self.printed or not self.opens else next(filter(None, (agreed(step) for agreed in AGREED)), "")

    def _step(self, step: FollowUp) -> Line:
        agency = self._agreed(step)
        kinds = table()["steps"]
        kind = "agreed" if agency else step.kind if step.kind in kinds else OTHER
        what = str(kinds[kind][self.language]).format(agency=agency)
        due = self.say("was_due" if step.is_late else "by_when", when=self.when(step.due_at))
        own = "" if self.printed or agency or kind == OTHER or not self.opens else step.what
        return Line(" ".join([what, self._who(step.owner), due]), own)

    def _who(self, owner: User) -> str:
        name = owner.first_name or str(owner)
        if self.printed:
            return self.say("by_name", name=name)
        if owner == self.reader:
            return self.say("by_me", name=name)
        return self.say("by_other", name=name, role=self.code("roles", owner.role))

    # -- the number --

    def _number(self) -> Iterator[Line]:
        case = self.call.case
        if case is not None:
            yield Line(self.say("number_is", number=case.number))
            if case.passphrase and not self.printed:
                yield Line(self.say("passphrase"))

    # -- what was written down --

    def _written(self) -> Iterator[Line]:
        if self.call.is_forgotten:
            return
        for kind in ("seen", "told", "assessment"):
            if self.call.notes.filter(kind=kind).exclude(text=b"").exists():
                yield Line(self.say(f"note_{kind}"))
        asked = [row for row in self.call.answer_rows if self._is_asked(row.question)]
        if asked:
            yield Line(self.say("answers", count=len(asked)))
        yield from self._facts()
        yield from self._contact()

    def _is_asked(self, key: str) -> bool:
        """Whether it is a question, and not something that we read aloud."""
        question = self.call.guide.questions.get(key)
        return question is not None and question.type != "say"

    def _facts(self) -> Iterator[Line]:
        call = self.call
        if not self.printed:
            yield Line(self.say("fact_caller", value=self.code("callers", call.caller_type)))
            yield Line(self.say("fact_urgency", value=self.code("urgencies", call.urgency)))
            if call.milieu != "UNKNOWN":
                yield Line(self.say("fact_milieu", value=self.code("milieus", call.milieu)))
            if call.measures.exists():
                yield Line(self.say("measures"))
            if call.protection != "none":
                yield Line(self.say("fact_protected"))
        if call.municipality and call.municipality_id != call.municipality.ELSEWHERE:
            yield Line(self.say("fact_municipality", value=call.municipality))
        if call.age_band != "unknown":
            yield Line(self.say("fact_age", value=self.code("age_bands", call.age_band)))
        if call.interpreter:
            yield Line(self.say("fact_interpreter"))

    def _contact(self) -> Iterator[Line]:
        case = self.call.case
        caller = case.people.select_related("case__key").filter(part="caller").first() if case else None
        if self.call.safe_contact or (case and case.safe_contact):
            yield Line(self.say("safe_contact"))
        if caller and caller.phone and caller.phone_until:
            yield Line(self.say("phone", day=self.day(clock.local_date(caller.phone_until))))
        yield Line(self.say(self._name_key(caller)))

    def _name_key(self, caller: Person | None) -> str:
        if not (self.call.caller_name or (caller and caller.name)):
            return "name_not_kept"
        return "name_chosen" if self.call.identity == "pseudonym" else "name_kept"

    # -- who may read it, and how long --

    def _readers(self) -> Iterator[Line]:
        yield Line(self.say(f"track_{self._track}"))
        yield Line(self.say("readers_us"))
        yield Line(self.say("readers_others"))

    @property
    def _track(self) -> str:
        return self.call.case.track if self.call.case else self.call.track

    def _erased(self) -> Iterator[Line]:
        """On track A the words go; SoL 14:4 lets advice be undocumented, and the board says when."""
        if self._track != "A":
            return
        row = self.call.case or self.call
        if is_kept(row):
            return
        day = words_go_on(row)
        if row.is_forgotten:
            yield Line(self.say("erased_already"))
        elif day:
            yield Line(self.say("erased_on", day=self.day(day)))
        else:
            months = months_of_words(self.call.unit.municipality_id)
            said = format_unit(months, "duration-month", length="long", locale=self.language)
            yield Line(self.say("erased_after", months=said))
