"""Calls and cases, and what stands around them: answers, notes, people, steps, reminders, child clocks, the timeline."""

from intake.models.bounces import Bounce
from intake.models.calls import AcuteMeasure, Answer, Call, Claim, HeavyCall, Note, QuestionSet
from intake.models.cases import BoardDecision, Case, CaseLink, CaseOpening, LockedOut, NamedAccess, Person
from intake.models.children import ChildClock, ConcernReport
from intake.models.guard import PastCase, SearchMark, SecrecyDecision
from intake.models.shifts import ShiftHandover
from intake.models.steps import FollowUp, Reminder
from intake.models.sums import DayMark, DaySum, ToldPeriod
from intake.models.timeline import Event

__all__ = [
    "AcuteMeasure",
    "Answer",
    "BoardDecision",
    "Bounce",
    "Call",
    "Case",
    "CaseLink",
    "CaseOpening",
    "ChildClock",
    "Claim",
    "ConcernReport",
    "DayMark",
    "DaySum",
    "Event",
    "FollowUp",
    "HeavyCall",
    "LockedOut",
    "NamedAccess",
    "Note",
    "PastCase",
    "Person",
    "QuestionSet",
    "Reminder",
    "SearchMark",
    "SecrecyDecision",
    "ShiftHandover",
    "ToldPeriod",
]
