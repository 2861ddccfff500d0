"""What must be done at once when an answer is acute: the lines of one call, each done at a time, explained, or left."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from helpline.people.models import User
from intake import triage
from intake.models import AcuteMeasure, Call, Case, FollowUp
from intake.models.calls import CallQuerySet


@dataclass(frozen=True)
class AcuteLine:
    """One line of questions/lists.yaml acute_lines in one call. `since`: when the first acute answer was given."""

    kind: str
    entry: Mapping[str, Any]
    measure: AcuteMeasure | None = None
    since: dt.datetime | None = None

    @property
    def label(self) -> str:
        return triage.name_of("acute_lines", self.kind)

    @property
    def button(self) -> str:
        """The words of the button that stands for the box, where the line is the first thing to do."""
        return triage.in_language(self.entry["button"]) if "button" in self.entry else ""

    @property
    def asks_reference(self) -> bool:
        """Whether whoever is called gives a reference (SOS Alarm)."""
        return bool(self.entry.get("reference"))

    @property
    def names_managers(self) -> bool:
        return bool(self.entry.get("managers"))

    @property
    def due_at(self) -> dt.datetime | None:
        """When it must be done at the latest, where the table says so."""
        minutes = self.entry.get("within_minutes")
        return self.since + dt.timedelta(minutes=minutes) if minutes and self.since else None

    @property
    def done_at(self) -> dt.datetime | None:
        return self.measure.done_at if self.measure else None

    @property
    def why_not(self) -> str:
        return self.measure.why_not if self.measure else ""

    @property
    def reference(self) -> str:
        return self.measure.reference if self.measure else ""

    @property
    def lacks_reference(self) -> bool:
        return self.asks_reference and self.done_at is not None and not self.reference

    @property
    def is_open(self) -> bool:
        """Neither done nor explained."""
        return self.measure is None

    @property
    def state(self) -> str:
        """open, done or explained."""
        return "open" if self.measure is None else "done" if self.measure.done_at else "explained"


def lines_of(call: Call) -> list[AcuteLine]:
    """The lines of a call, in the order of the table: all while an answer is acute; else what was recorded and no more."""
    table: dict[str, Mapping[str, Any]] = triage.read_files()["lists"]["acute_lines"]
    measures = {measure.kind: measure for measure in call.measure_rows}
    kinds = [*table, *(kind for kind in measures if kind not in table)]
    acute = call.urgency_at_least == triage.ACUTE
    since = _since(call)
    return [
        AcuteLine(kind, table.get(kind, {}), measures.get(kind), since) for kind in kinds if acute or kind in measures
    ]


def _since(call: Call) -> dt.datetime | None:
    acute = {reason.question.key for reason in call.assessment.acute if reason.question}
    return min((row.answered_at for row in call.answer_rows if row.question in acute), default=None)


def left_in(case: Case) -> list[AcuteLine]:
    """What is left to do at once in a case, from its oldest call on."""
    return [line for call in _read(case.calls.acute_left()) for line in lines_of(call) if line.is_open]


def left_among(cases: Iterable[Case]) -> dict[uuid.UUID, list[AcuteLine]]:
    """What is left to do at once in each of these cases. The same queries, however many they are."""
    found: dict[uuid.UUID, list[AcuteLine]] = {}
    for call in _read(Call.objects.acute_left().filter(case__in=[case.pk for case in cases])):
        assert call.case_id is not None  # chosen above
        found.setdefault(call.case_id, []).extend(line for line in lines_of(call) if line.is_open)
    return found


def lists_of(case: Case) -> list[tuple[Call, list[AcuteLine]]]:
    """The lists of the finished calls of a case where something is left, or a reference is still to be written; oldest
    first."""
    calls = _read(case.calls.acute().filter(completed_at__isnull=False))
    lists = [(call, lines_of(call)) for call in calls]
    return [(call, lines) for call, lines in lists if any(line.is_open or line.lacks_reference for line in lines)]


def _read(calls: CallQuerySet) -> CallQuerySet:
    return calls.select_related("key").prefetch_related("measures", "answers").order_by("received_at", "pk")


def left_in_cases_of(user: User) -> CallQuerySet:
    """The finished calls of this person's cases, or of cases of which they have a step, where something is left to do."""
    return Call.objects.acute_left().filter(pk__in=_finished_for(user))


def _finished_for(user: User) -> QuerySet[Any]:
    """Each kind by its own index, brought together by key: what is open is little, the calls of all years are much."""
    steps = FollowUp.objects.planned().filter(owner=user).values("case")
    cases = Case.objects.open().visible_to(user)
    done = Call.objects.filter(completed_at__isnull=False)
    theirs = done.filter(case__in=cases.filter(owner=user)).values("pk")
    return theirs.union(done.filter(case__in=cases.filter(pk__in=steps)).values("pk"))


def left_for(user: User, in_hand: list[Call]) -> list[Call]:
    """What is left to do at once, for this person: in open cases of their own, or of which they have a step, and in the
    unfinished calls that they have in hand. Each call knows how much, `left`, and what: `to_do`."""
    here = Call.objects.filter(pk__in=[call.pk for call in in_hand]).values("pk")
    calls = Call.objects.acute_left().filter(pk__in=_finished_for(user).union(here))
    found = list(_read(calls).select_related("key", "case"))
    for call in found:
        call.to_do = [line.label for line in lines_of(call) if line.is_open]  # type: ignore[attr-defined]
    return found
