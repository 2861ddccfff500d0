"""Calls and cases, and what stands around them: answers, notes, people, steps, reminders, child clocks, the timeline."""

from intake.models.calls import Answer, Call, Note, QuestionSet
from intake.models.cases import Case, CaseOpening, Person
from intake.models.children import ChildClock, ConcernReport
from intake.models.steps import FollowUp, Reminder
from intake.models.timeline import Event

__all__ = [
    "Answer",
    "Call",
    "Case",
    "CaseOpening",
    "ChildClock",
    "ConcernReport",
    "Event",
    "FollowUp",
    "Note",
    "Person",
    "QuestionSet",
    "Reminder",
]
