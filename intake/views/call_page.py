"""What the page of a call shows: which question is in turn, what was answered, what is acute and what is decided."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.forms import BoundField
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.absences import leaders
from helpline.people.models import User
from intake import triage
from intake.actions.steps import first_step_of
from intake.actions.tracks import ANONYMOUS
from intake.acute import lines_of
from intake.again import Again, again_of
from intake.forms.calls import APART, CallForm, parse_when
from intake.forms.measures import ShownLine, with_fields
from intake.labels import NOTE_KINDS, STEP_KINDS
from intake.protection import FICTITIOUS, forbids_address
from intake.safe import FIELDS
from intake.triage import Question, Value
from intake.whose import locked_out

NAMING = "named"  # the question of the opening that says what giving a name means
IN_SIGHT = 2  # questions that stand below the one in turn; the rest are folded
ROW = 22  # characters of an answer that still fits beside another


@dataclass(frozen=True)
class Line:
    """One question on the page."""

    question: Question
    field: BoundField
    remark: BoundField
    given: Value
    words: str
    at: dt.datetime | None
    state: str = ""
    next: str = ""

    @property
    def ids(self) -> str:
        """What the ids of its buttons begin with."""
        return f"a-{self.question.key}"

    @cached_property
    def text(self) -> str:
        return self.question.text.replace("{line_name}", settings.LINE_NAME)

    @property
    def answer(self) -> str:
        return self.question.say(self.given).lower()

    @cached_property
    def said(self) -> str:
        """The answer in words, and what was said besides."""
        return ", ".join(part for part in (self.question.say(self.given), self.words) if part)

    @property
    def is_answered(self) -> bool:
        return bool(self.given or self.words)

    @property
    def is_long(self) -> bool:
        """Whether the answer needs a row of its own."""
        return self.question.type == "text" or len(self.said) > ROW

    @property
    def is_wrong(self) -> bool:
        return bool(self.field.errors or self.remark.errors)

    @property
    def has_remark(self) -> bool:
        """Free text needs no second field for words, unless there are some."""
        return self.question.type not in ("text", "say") or bool(self.words)


class CallPage:
    """A call, its form and the questions as they stand now. `turn` is the question that the worker has skipped to."""

    def __init__(self, form: CallForm, turn: str = "") -> None:
        self.form = form
        self.call = form.call
        self.guide = self.call.guide
        self.turn = turn
        self._at = {row.question: row.answered_at for row in self.call.answer_rows}

    def _line(self, question: Question, state: str = "", following: str = "") -> Line:
        key = question.key
        return Line(
            question,
            self.form[f"a.{key}"],
            self.form[f"r.{key}"],
            self.call.answered.get(key, ""),
            self.call.remarks.get(key, ""),
            self._at.get(key),
            state,
            following,
        )

    @cached_property
    def acute(self) -> list[Line]:
        """The acute questions: yes first, then the unanswered, of which one is in turn, then the answered."""
        lines = [self._line(question) for question in self.guide.sets["acute"]]
        waiting = [line.question.key for line in lines if not line.given]

        def state(line: Line) -> str:
            if not line.given:
                return "current" if line.question.key == waiting[0] else "open"
            return "yes" if line.given == "yes" else "given"

        found = [self._line(line.question, state(line)) for line in lines]
        return sorted(found, key=lambda line: ["yes", "current", "open", "given"].index(line.state))

    @property
    def acute_answered(self) -> int:
        return sum(bool(line.given) for line in self.acute)

    @property
    def acute_yes(self) -> int:
        return sum(line.state == "yes" for line in self.acute)

    @cached_property
    def questions(self) -> list[Line]:
        """The questions to this caller, and those that were answered before the caller type changed. Answered first."""
        asked = self.guide.asked_of(self.call.caller_type, self.call.answered)
        apart = [key for name in ("opening", "acute", "closing") for key in (q.key for q in self.guide.sets[name])]
        shown = [q for q in self.guide.questions.values() if q in asked or (q.key in self._at and q.key not in apart)]
        answered = [line for line in map(self._line, shown) if line.is_answered]
        waiting = self._from_turn([q for q in asked if not self._line(q).is_answered], asked)
        after = [*waiting[1:], *waiting[:1]] if len(waiting) > 1 else []
        lines = []
        for place, question in enumerate(waiting):
            in_sight = place <= IN_SIGHT or len(waiting) <= IN_SIGHT + 2 or self._line(question).is_wrong
            state = "current" if place == 0 else "open" if in_sight else "later"
            lines.append(self._line(question, state, after[place].key if after else ""))
        given = sorted(answered, key=lambda line: not line.is_long)
        return [*(self._line(line.question, "long" if line.is_long else "short") for line in given), *lines]

    def _from_turn(self, waiting: list[Question], asked: list[Question]) -> list[Question]:
        """The unanswered questions, from the one that the worker has skipped to, and around."""
        keys = [question.key for question in asked]
        start = keys.index(self.turn) if self.turn in keys else 0
        later = [question for question in waiting if keys.index(question.key) >= start]
        return [*later, *(question for question in waiting if question not in later)]

    @property
    def asked(self) -> int:
        return len(self.guide.asked_of(self.call.caller_type, self.call.answered))

    @property
    def asked_answered(self) -> int:
        return self.asked - sum(line.state in ("current", "open", "later") for line in self.questions)

    @property
    def in_sight(self) -> list[Line]:
        return [line for line in self.questions if line.state != "later"]

    @property
    def folded(self) -> list[Line]:
        return [line for line in self.questions if line.state == "later"]

    @cached_property
    def opening(self) -> list[Line]:
        beside_name = {line.question.key for line in self.naming}
        return [self._line(question) for question in self.guide.sets["opening"] if question.key not in beside_name]

    @cached_property
    def closing(self) -> list[Line]:
        return [self._line(question) for question in self.guide.sets["closing"]]

    @property
    def opening_said(self) -> int:
        return sum(bool(line.given) for line in self.opening)

    @property
    def closing_said(self) -> int:
        return sum(bool(line.given) for line in self.closing)

    @property
    def is_beginning(self) -> bool:
        """Whether the opening is still to be read: nothing else has been answered."""
        others = [*self.acute, *self.questions]
        return self.opening_said < len(self.opening) and not any(line.is_answered for line in others)

    @cached_property
    def assessment(self) -> triage.Assessment:
        return self.call.assessment

    @cached_property
    def danger(self) -> list[Line]:
        """The answers that are acute."""
        return [self._line(reason.question) for reason in self.assessment.acute if reason.question]

    @cached_property
    def acute_lines(self) -> list[ShownLine]:
        """What must be done at once, each line with its fields."""
        return with_fields(lines_of(self.call), self.form)

    @property
    def acute_left(self) -> int:
        """How many of them are neither done nor explained."""
        return sum(shown.line.is_open for shown in self.acute_lines)

    @property
    def called_at(self) -> dt.datetime | None:
        """When whoever gives a reference was called."""
        return next((shown.line.done_at for shown in self.acute_lines if shown.line.asks_reference), None)

    @property
    def asks_number(self) -> bool:
        """Whether a number is needed: we may call or text, or one is noted already."""
        agreed = self.call.safe.values
        return "yes" in (agreed.get("may_call"), agreed.get("sms")) or bool(
            self.call.phone or self.form.errors.get("phone")
        )

    @property
    def safe(self) -> list[tuple[str, BoundField]]:
        """The fields of safe contact, by key."""
        return [(key, self.form[f"s.{key}"]) for key in FIELDS]

    @cached_property
    def managers(self) -> list[User]:
        """Whom to tell when it is acute."""
        return leaders(self.call.unit_id, clock.today(), but=locked_out(self.call.case_id))

    @cached_property
    def again(self) -> Again | None:
        """The case that the call goes on in."""
        return again_of(self.call)

    @property
    def again_fields(self) -> list[BoundField]:
        """What the caller says to be known again."""
        return [self.form["again_number"], self.form["again_phrase"]]

    @property
    def urgency(self) -> str:
        """The urgency that stands now: what was confirmed, or the least."""
        return self.call.urgency or self.call.urgency_at_least

    @property
    def urgency_name(self) -> str:
        return self.guide.name_of("urgencies", self.urgency)

    @property
    def lacks_reason(self) -> bool:
        """Whether a lower urgency than the answers call for was chosen, and not yet explained."""
        lower = triage.rank(self.urgency) > triage.rank(self.call.urgency_at_least)
        return lower and not self.call.urgency_reason

    @property
    def least_name(self) -> str:
        return self.guide.name_of("urgencies", self.call.urgency_at_least)

    @property
    def track_name(self) -> str:
        return self.guide.name_of("tracks", self.call.track)

    @property
    def reasons(self) -> list[tuple[triage.Reason, str]]:
        """Why, and what each answer gives at the least."""
        return [(reason, self.guide.name_of("urgencies", reason.code)) for reason in self.assessment.raised_by]

    @property
    def needs(self) -> list[tuple[str, str]]:
        """Each need in words, and which answers point to it."""
        return [
            (self.guide.name_of("needs", need), ", ".join(dict.fromkeys(map(str, reasons))))
            for need, reasons in self.assessment.needs.items()
        ]

    @property
    def due(self) -> dt.datetime:
        """When the next step is due: the time that was chosen, or the latest that the urgency allows."""
        chosen = self.form.initial["due"]
        return parse_when(chosen) if chosen else first_step_of(self.call, self.urgency)

    @property
    def first_step(self) -> str:
        return str(STEP_KINDS["after_call" if self.again else "first_step"])

    @cached_property
    def notes(self) -> list[tuple[str, BoundField, dt.datetime | None]]:
        """The three notes: kind, field, and when it was last changed."""
        at = {note.kind: note.at for note in self.call.note_rows if note.text}
        return [(kind, self.form[f"n.{kind}"], at.get(kind)) for kind in NOTE_KINDS]

    @property
    def notes_written(self) -> int:
        return sum(at is not None for _kind, _field, at in self.notes)

    @property
    def callers(self) -> list[triage.Caller]:
        return list(self.guide.callers.values())

    @property
    def other_chosen(self) -> str:
        """The name of the caller type where it is none of the main ones."""
        caller = self.guide.callers.get(self.call.caller_type)
        return caller.name if caller and not caller.main else ""

    @cached_property
    def takes_identity(self) -> bool:
        """Whether the track has fields for who the caller is."""
        return self.call.takes_identity

    @cached_property
    def naming(self) -> list[Line]:
        """What is said before a name is asked for, where the track asks for one: it stands beside the name then."""
        found = [question for question in self.guide.sets["opening"] if question.key == NAMING]
        return [self._line(question) for question in found] if self.takes_identity else []

    @property
    def shows_name(self) -> bool:
        """Whether the field for a name is there: naming is explained, or a name that was written has not been saved."""
        told = self.takes_identity and (self.call.naming_told or bool(self.call.caller_name))
        return told or bool(self.form.errors.get("caller_name"))

    @property
    def shows_number(self) -> bool:
        """Whether the field for a personal number is there: beside that for a name, never of a fictitious identity."""
        may = self.takes_identity and self.shows_name and self.call.protection != FICTITIOUS
        return may or bool(self.form.errors.get("personal_number"))

    @property
    def name_is_anonymous(self) -> bool:
        """Whether a name is written for somebody who stands as anonymous."""
        return bool(self.call.caller_name) and self.call.identity == ANONYMOUS

    @property
    def forbids_address(self) -> bool:
        return forbids_address(self.call)

    @property
    def case_comes(self) -> bool:
        """Whether finishing opens a case, or goes on in one."""
        return self.assessment.needs_a_case or self.call.wants_case or self.call.case_id is not None

    @property
    def wrong(self) -> list[str]:
        """The names of the fields that could not be saved."""
        return [name for name in self.form.errors if name in self.form.fields and name not in APART]

    @property
    def elapsed(self) -> str:
        """The time that has passed, in words: a clock's figures would read as a time of day."""
        hours, minutes = divmod(self.call.minutes, 60)
        text = _("{h} h {m} min") if hours else _("{m} min")
        return text.replace("{h}", str(hours)).replace("{m}", str(minutes))

    @property
    def seconds(self) -> int:
        return int((clock.now() - self.call.received_at).total_seconds())
