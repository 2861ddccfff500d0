"""The times that the law gives for a child or a young person, as one table, and how their days are counted.

The law on social services (SoL, 2025:400); how a last day moves: lag (1930:173) 2 §. Days are Swedish days.
"""

import calendar
import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from helpline.people import clock
from helpline.people.workdays import add_working_days, local, statutory_last_day
from intake import triage

KEPT_BY = "child"  # the keeper of the steps of this table: a decision ends them, nothing else does
OFFICE_CLOSES = dt.time(16)
A_WEEK = 7
A_DAY = dt.timedelta(days=1)
AN_HOUR = dt.timedelta(hours=1)


class Days(NamedTuple):
    """The day to aim at, and the last day by law."""

    aim: dt.date
    last_day: dt.date


@dataclass(frozen=True)
class Clock:
    """One time by law. Without days and months it is at once: the day that it starts, whatever day that is."""

    kind: str  # its words: labels.CLOCKS
    law: str
    step: str  # the kind of the step that it plans (labels.STEP_KINDS)
    runs_from: str  # arrival, opened (the decision to open an inquiry) or decided (the decision to open one or not)
    days: int = 0
    months: int = 0
    moves: bool = False  # whether its last day moves to the next working day
    extension: str = ""  # the reasons for which a manager may give more time (labels.EXTENSIONS); none: never
    qualified: bool = True  # SoL 25:1: who may assess, decide and inquire; telling a reporter is none of these

    @property
    def at_once(self) -> bool:
        return not self.days and not self.months


# A report on a child or a young person starts those that run from its arrival; a decision starts the others.
CLOCKS: dict[str, Clock] = {
    one.kind: one
    for one in (
        Clock("immediate_protection_assessment", "SoL 20:1", "child.protection", runs_from="arrival"),
        Clock(
            "preliminary_assessment",
            "SoL 20:2",
            "child.preliminary",
            runs_from="arrival",
            days=14,
            moves=True,
            extension="extraordinary",
        ),
        Clock("inquiry", "SoL 20:3", "child.inquiry", runs_from="opened", months=4, moves=True, extension="special"),
        Clock("feedback", "SoL 19:6", "child.feedback", runs_from="decided", days=A_WEEK, moves=True, qualified=False),
    )
}


def days_of(one: Clock, start: dt.date, *, at_once: bool = False) -> Days:
    """The aim and the last day of a clock that starts on a day. `at_once`: this time the law gives it no days."""
    if at_once or one.at_once:
        return Days(start, start)
    aim = _months_after(start, one.months) + dt.timedelta(days=one.days)
    return Days(aim, statutory_last_day(aim) if one.moves else aim)


def moved_to(one: Clock, day: dt.date) -> Days:
    """The aim and the last day of a clock that was given more time, to a day."""
    return Days(day, statutory_last_day(day) if one.moves else day)


def _months_after(day: dt.date, months: int) -> dt.date:
    """The day of the same number, or the last of a month that is too short for it: lag (1930:173) 1 §."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def due_at(days: Days, started_at: dt.datetime) -> dt.datetime:
    """When the step of a clock is due: as offices close on the day to aim at; at once: that same day, and where the
    offices have closed within the hour, but never on another day."""
    closing = local(days.aim, OFFICE_CLOSES)
    if days.aim > clock.local_date(started_at):
        return closing
    return min(max(closing, started_at + AN_HOUR), local(days.aim, dt.time(23, 59)))


def decide_next_due(moment: dt.datetime) -> dt.datetime:
    """When it is to be decided what comes after a clock's step was the last: the next working day."""
    return local(add_working_days(clock.local_date(moment), 1), OFFICE_CLOSES)


@lru_cache
def law_of_ages() -> dict[str, Any]:
    """What the law asks for by the age of the person of concern (children.yaml): age band -> {clocks, says}."""
    document = yaml.safe_load((Path(__file__).parent / "children.yaml").read_text(encoding="utf-8"))
    texts, bands = document["texts"], document["bands"]
    return {band: {**rest, "says": [texts[key] for key in rest["says"]]} for band, rest in bands.items()}


def starts_clocks(age_band: str) -> bool:
    """Whether a report on a person of this band starts the clocks: under 21, or of an age that nobody knows."""
    return bool(law_of_ages()[age_band]["clocks"])


def law_for(age_band: str) -> list[tuple[str, str]]:
    """What the law asks for a person of this band, in the language of the page: (text, paragraphs)."""
    return [(triage.in_language(one), str(one["law"])) for one in law_of_ages()[age_band]["says"]]
