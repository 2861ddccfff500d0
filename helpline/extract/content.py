"""All that stands here about one person, line by line, each with whose it is."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpline.extract import masks, reporters
from helpline.extract.tables import (
    ABOUT_CALLER,
    BOTH,
    CALL_PARTS,
    CALLER,
    CONCERN,
    FACTS_OF_CALLER,
    FACTS_OF_CONCERN,
    FACTS_OF_PERSON,
    NOT_TOLD,
    OF_ANSWER,
    OF_CALLER,
    OTHERS,
    OWN,
    PARTS,
    READINGS,
    REPORTERS,
    STEPS_OF_HANDOVERS,
    of_event,
)
from helpline.people import clock
from helpline.people.models import LogEntry, Role
from intake import triage
from intake.acute import lines_of
from intake.models import Call, Case, ChildClock, Note, Person
from intake.personal_numbers import written
from intake.told import facts_of


@dataclass(frozen=True)
class Line:
    """One thing that is told: our label, what was written, and whose it is. `key` is the same as long as it says the same."""

    label: str
    words: str
    whose: str = OWN
    key: str = ""
    shown: str = ""
    hints: list[str] = field(default_factory=list)
    of: str = ""  # codes of PARTS that it belongs to besides its own: held back with any of them
    free: str | None = None  # what of the words somebody wrote, where the rest is ours

    @property
    def text(self) -> str:
        return ": ".join(part for part in (self.label, self.shown) if part)


@dataclass(frozen=True)
class Part:
    """One part of it, of one case or call."""

    code: str
    title: str
    lines: list[Line]


@dataclass
class Subject:
    """The person in one case: which rows they are, and so which parts they have."""

    case: Case
    people: list[Person]

    @property
    def parts(self) -> set[str]:
        return {person.part for person in self.people}

    @property
    def of_caller(self) -> str:
        """Whose it is, what tells of the caller."""
        return OWN if CALLER in self.parts else REPORTERS

    @property
    def of_concern(self) -> str:
        """Whose it is, what tells of the person of concern."""
        return OWN if CONCERN in self.parts else OTHERS

    @property
    def of_both(self) -> str:
        """Whose it is, what one told of the other."""
        return OWN if self.parts & {CALLER, CONCERN} else OTHERS

    @cached_property
    def agencies(self) -> set[str]:
        """The agencies whose names would tell who called."""
        return set() if self.of_caller == OWN else reporters.agencies_for_callers(self.case)


def at(moment: Any) -> str:
    """A time as a paper writes it, that holds when it is read later."""
    return f"{clock.local_time(moment):%Y-%m-%d %H.%M}" if moment else ""


def said(*parts: object) -> str:
    """What there is of several things, one sentence after the other, each as it was written."""
    texts = [str(part).strip() for part in parts if part]
    ended = [text if text.endswith((".", "!", "?", ":")) else f"{text}." for text in texts[:-1]]
    return " ".join([*ended, *texts[-1:]])


def of_case(subject: Subject) -> Iterator[Part]:
    """All of one case, in the order of PARTS; handovers are added by the floor that has them."""
    case = subject.case
    for code, lines in (
        ("person", _person(subject)),
        ("facts", _facts(subject)),
        ("calls", _calls(subject)),
        (
            "notes",
            _notes(list(case.notes.filter(amends__isnull=True).select_related("by", "case__key").order_by("at", "id"))),
        ),
        ("steps", _steps(subject)),
        ("events", _events(subject)),
        ("safe", [Line("", case.safe.text, subject.of_caller)] if not case.safe.is_empty else []),
        ("readers", _readers(case=case)),
    ):
        yield part(code, case.number, lines)


def of_call(call: Call, as_whom: str = CALLER) -> Iterator[Part]:
    """All of one call without a case, about who called, or whom it was about."""
    about = _("Call %(time)s") % {"time": at(call.received_at)}
    subject = Subject(Case(), [Person(part=one) for one in ([CALLER, CONCERN] if as_whom == BOTH else [as_whom])])
    who = [Line(_("Here as"), str(CALL_PARTS[as_whom]))]
    if as_whom != CONCERN:
        who += [Line(_("Name"), call.caller_name)] if call.caller_name else []
        who += [Line(_("Personal number"), written(call.personal_number))] if call.personal_number else []
    yield part("person", about, who)
    yield part("calls", about, _call(call, subject))
    yield part("safe", about, [Line("", call.safe.text, subject.of_caller)] if not call.safe.is_empty else [])
    yield part("readers", about, _readers(call=call))


def part(code: str, about: str, lines: Any) -> Part:
    """One part with its heading; each line has a key that follows from what it says."""
    found, seen = [], Counter[str]()
    for line in lines:
        text = f"{about}\n{code}\n{line.label}\n{line.words}"
        seen[text] += 1
        digest = hashlib.sha256(f"{text}\n{seen[text]}".encode()).hexdigest()[:16]
        found.append(replace(line, key=digest))
    return Part(code, f"{about}: {str(PARTS[code]).lower()}", found)


def _person(subject: Subject) -> Iterator[Line]:
    for one in subject.people:
        # What the person of concern is to somebody, as it is written here, they are to who called.
        related = subject.of_caller if one.part == CONCERN else OWN
        yield Line(_("Here as"), one.part_name, free="")
        for label, words, whose, of in (
            (_("Name"), one.name, OWN, ""),
            (_("Personal number"), written(one.personal_number) if one.personal_number else "", OWN, ""),
            (_("Phone number"), one.phone if one.has_number else "", OWN, ""),
            (_("To the person of concern"), one.relation_name, related, ""),
            (_("Age"), one.age_name, OWN, "facts"),
        ):
            if words:
                yield Line(label, words, whose, of=of)


def _facts(subject: Subject) -> Iterator[Line]:
    return (replace(line, free="") for line in _coded(subject))


def _coded(subject: Subject) -> Iterator[Line]:
    case, caller, concern = subject.case, subject.of_caller, subject.of_concern
    yield Line(_("Opened"), at(case.opened_at))
    if case.closed_at:
        yield Line(_("Closed"), said(at(case.closed_at), case.closing_name))
    yield Line(_("Unit"), str(case.unit))
    yield Line(_("Track"), f"{case.track}, {case.track_name}")
    yield Line(_("Who called"), case.caller_name, caller)
    yield Line(_("Identity"), case.identity_name, caller)
    yield Line(_("Language"), triage.name_of("languages", case.language), caller)
    yield Line(_("Protected personal data"), case.protection_name, subject.of_both)
    yield Line(_("Municipality"), str(case.municipality or _("unknown")), subject.of_both)
    yield Line(_("Milieu"), triage.name_of("milieus", case.milieu), concern)
    yield Line(_("Age of the person of concern"), case.age_name, concern, of="person")
    yield from _needs(subject)
    yield Line(_("Urgency"), case.urgency_name)
    clocks = ChildClock.objects.filter(report__case=case).select_related("report").order_by("started_at", "pk")
    for one in clocks:
        days = {"start": at(one.started_at), "last": one.last_day, "done": at(one.done_at) or "–"}
        whose = caller if one.kind in reporters.CLOCKS else concern
        yield Line(one.name, _("from %(start)s, last day by law %(last)s, done %(done)s") % days, whose)


def _needs(subject: Subject) -> Iterator[Line]:
    """The needs; for who did not call those alone that the answers of any caller would have pointed to."""
    needs = subject.case.needs
    if subject.of_caller != OWN:
        needs = reporters.needs_of_all(subject.case)
    words = ", ".join(triage.name_of("needs", need) for need in needs)
    if words or subject.of_caller == OWN:
        yield Line(_("Needs"), words, subject.of_both)


def _calls(subject: Subject) -> Iterator[Line]:
    calls = subject.case.calls.finished().select_related("key", "municipality").order_by("received_at", "pk")
    for call in calls:
        yield from _call(call, subject)


def _call(call: Call, subject: Subject) -> Iterator[Line]:
    told = _("%(time)s, %(minutes)s minutes") % {"time": at(call.received_at), "minutes": call.minutes}
    yield Line(_("Call"), told, free="")
    for fact in facts_of(call):
        whose = _whose_fact(fact.key, subject)
        if fact.key != "fact.call":  # it stands above
            of = f"facts {FACTS_OF_PERSON.get(fact.key, '')}"
            yield Line(fact.label, said(fact.answer, fact.words), whose, of=of, free=fact.words)
        yield from _beside(fact.beside, fact.label, whose, subject)
    yield from _answers(call, subject)
    for line in lines_of(call) if call.measures.exists() else []:
        words = said(at(line.done_at) or _("not done"), line.reference, line.why_not)
        yield Line(line.label, words, subject.of_both, free=line.why_not)
    for note in _notes(call.signed_notes):
        yield replace(note, of="notes")


def _answers(call: Call, subject: Subject) -> Iterator[Line]:
    """The answers, in the order of the questions. Who did not call reads, of the questions of one kind of caller, the words
    that are about them, under a label that says nothing: what was asked, and an answer that was chosen, tell who reported."""
    apart = {question.key for name in ("opening", "closing") for question in call.guide.sets[name]}
    hidden = reporters.own_questions(call.guide) if subject.of_caller != OWN else set()
    for key, question in call.guide.questions.items():
        if question.type == "say" or not (call.answered.get(key) or call.remarks.get(key) or call.beside.get(key)):
            continue
        of_caller = key in ABOUT_CALLER or key in apart
        answer = question.say(call.answered[key]) if call.answered.get(key) else ""
        whose = subject.of_caller if of_caller else subject.of_both
        label, of = question.short, OF_ANSWER.get(key, "")
        free = said(answer if question.type == "text" else "", call.remarks.get(key))
        if key in hidden:
            label = _("Told to us")
            yield Line("", answer, subject.of_caller, of=of)
        words = free if key in hidden else said(answer, call.remarks.get(key))
        if words or key not in hidden:
            yield Line(label, words, whose, of=of, free=free)
        yield from _beside(call.beside.get(key, []), label, whose, subject)


def _whose_fact(key: str, subject: Subject) -> str:
    if key in FACTS_OF_CALLER:
        return subject.of_caller
    return subject.of_concern if key in FACTS_OF_CONCERN else subject.of_both


def _beside(notes: list[Note], about: str, whose: str, subject: Subject) -> Iterator[Line]:
    """What was written afterwards beside a fact or an answer: it is whose that is; but whoever did not call themselves may
    not know what is, as a rule, the caller's own correction or objection (OSL 26:5). The person of concern reads their own
    objection, and nobody else does."""
    for one in notes:
        of_this = subject.of_concern if one.said_by == CONCERN else whose if subject.of_caller == OWN else REPORTERS
        yield Line(f"{about}: {one.amendment_name}, {at(one.at)}, {one.by}", one.text, of_this, of="notes")


def _notes(notes: list[Note]) -> Iterator[Line]:
    for note in notes:
        yield Line(f"{note.kind_name}, {at(note.signed_at or note.at)}, {note.by}", note.text)
        for one in note.hanging:
            yield Line(f"{one.amendment_name}, {at(one.at)}, {one.by}", one.text)


def _steps(subject: Subject) -> Iterator[Line]:
    rows = subject.case.steps.exclude(state="moved").select_related("case__key").order_by("due_at", "pk")
    for step in rows:
        ended = _("ended %(time)s") % {"time": at(step.ended_at)} if step.ended_at else _("not done yet")
        whose = subject.of_caller if reporters.step_tells(step, subject.agencies) else OWN
        label = _("Step, at the latest %(time)s") % {"time": at(step.due_at)}
        of = "handovers" if step.kind in STEPS_OF_HANDOVERS else ""
        free = said(step.what, step.outcome)
        yield Line(label, said(step.title, ended, step.outcome), whose, of=of, free=free)


def _events(subject: Subject) -> Iterator[Line]:
    events = subject.case.events.exclude(kind__in=NOT_TOLD).select_related("case__key").order_by("at", "id")
    for event in events:
        of_caller = event.kind in OF_CALLER or reporters.event_tells(event, subject.agencies)
        words = said(event.title, event.about, event.text)
        yield Line(
            at(event.at), words, subject.of_caller if of_caller else OWN, of=of_event(event.kind), free=event.text
        )


def _readers(**whose: Case | Call) -> Iterator[Line]:
    """Who has read it: the role and the day, and how often."""
    ids = {name: row.pk for name, row in whose.items()}
    rows = LogEntry.objects.filter(event__in=READINGS, user__isnull=False, **ids).order_by("id")
    counted = Counter((clock.local_date(when), role) for when, role in rows.values_list("at", "role"))
    for (day, role), times in counted.items():
        told = ngettext("%(role)s, %(times)s time", "%(role)s, %(times)s times", times)
        yield Line(str(day), told % {"role": Role(role).label, "times": times}, free="")


def left(parts: list[Part], held_back: Collection[str]) -> list[Part]:
    """The parts without what is held back: a part whole, and what belongs to it in the others."""
    held = set(held_back)
    kept = [one for one in parts if one.code not in held]
    return [replace(one, lines=[line for line in one.lines if not held & set(line.of.split())]) for one in kept]


def shown(parts: list[Part], found: masks.Masks, ticked: set[str]) -> list[Part]:
    """The parts as they are given: each line masked whole where it is another's or was ticked, else in its words. What is of
    who reported is one line of a part, however much there is, without our labels: they would tell who it was."""
    found_parts = []
    for one in parts:
        lines, behind = [], False
        for line in one.lines:
            if line.whose != REPORTERS:
                lines.append(_shown(line, found, ticked))
            elif not behind:
                lines.append(Line("", "", REPORTERS, line.key, masks.reporter()))
                behind = True
        found_parts += [replace(one, lines=lines)] if lines else []
    return found_parts


def _shown(line: Line, found: masks.Masks, ticked: set[str]) -> Line:
    if line.whose == OTHERS:
        return replace(line, shown=masks.other())
    if line.key in ticked:
        return replace(line, shown=masks.other())
    text = found.on(line.words)
    written_by_hand = text if line.free is None else found.on(line.free)
    hints = [one for one in masks.hints.found_in(written_by_hand) if not found.is_own(one)]
    return replace(line, shown=text, hints=hints)
