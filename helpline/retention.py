"""What goes when, and what remains: one table of rules, and how their days are counted. Days are Swedish days.

The law on social services (SoL, 2025:400) 16 kap., socialtjänstförordningen (2025:468) 13 kap.; months and years end on the
same day, or on the last of the month (lag 1930:173 1 §). Where no law speaks the board decides (arkivlagen 1990:782 10 §).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people import clock
from intake.actions.board import MONTHS
from intake.actions.erasure import months_later

# Born on these days of any month: kept for research (SoL 16:4, socialtjänstförordningen 13:1); and so is all of what belongs
# to the authorities of these counties and of this municipality, by how their code begins.
RESEARCH_DAYS = (5, 15, 25)
RESEARCH_PLACES = {"05": "Östergötland", "09": "Gotland", "22": "Västernorrland", "1480": "Göteborg"}
RESEARCH_LAW = "SoL 16:4"
LATER = 60  # a coordination number: the day plus 60
# For what a manager keeps a case, whatever the rules say: code -> (words, law).
KEPT_FOR: dict[str, tuple[Promise, str]] = {
    "placement": (gettext_lazy("A placement or another measure that is never deleted"), "SoL 16:2"),
    "court": (gettext_lazy("A court or another authority needs it"), ""),
    "archive": (gettext_lazy("The archive has asked for it"), "Arkivlagen 10 §"),
}


@dataclass(frozen=True)
class Rule:
    """One rule. Its time runs from the last entry: what is ours alone (a look, a text made) is none."""

    key: str
    law: str | Promise
    covers: Promise
    remains: Promise
    valid_from: dt.date
    years: int = 0
    months: int = 0
    age: int = 0  # not before the child has this age
    board: str = ""  # the kind of the board's decision that has its months
    research: bool = False  # whether SoL 16:4 exempts from it
    by_itself: bool = False  # without a list: every night (intake.actions.erase_words)
    counts: bool = True  # whether an anonymous PastCase remains

    def due_on(self, last_entry: dt.date, born: dt.date | None = None) -> dt.date:
        """The first day on which it goes; `born`: the child of the inquiry, where the rule asks for an age."""
        day = months_later(last_entry, 12 * self.years + self.months)
        return max(day, birthday(born, self.age)) if self.age and born else day


BOARD_DECIDES = gettext_lazy("the board’s own decision")
ANONYMOUS = gettext_lazy("Coded facts without number or day, for the statistics.")
NOTHING = gettext_lazy("Nothing.")
SOL_2001 = dt.date(2002, 1, 1)  # the law before (2001:453) had the same five years in 12:1
RULES: dict[str, Rule] = {
    rule.key: rule
    for rule in (
        Rule(
            "advice_words",
            BOARD_DECIDES,
            covers=gettext_lazy("The words of advice (track A): a finished call, a closed case with its calls"),
            remains=gettext_lazy("The coded facts, until the rule below."),
            valid_from=SOL_2001,
            board=MONTHS,
            by_itself=True,
        ),
        Rule(
            "advice",
            BOARD_DECIDES,
            covers=gettext_lazy("What is coded of advice (track A), when its words are gone"),
            remains=ANONYMOUS,
            valid_from=SOL_2001,
            years=5,
        ),
        Rule(
            "five_years",
            "SoL 16:1",
            covers=gettext_lazy("What is documented of support and of cases (tracks B and C)"),
            remains=ANONYMOUS,
            valid_from=SOL_2001,
            years=5,
            research=True,
        ),
        Rule(
            "not_opened",
            "SoL 16:2 a",
            covers=gettext_lazy("A report of concern that led to no inquiry (SoL 20:2)"),
            remains=ANONYMOUS,
            valid_from=dt.date(2026, 1, 15),
            years=5,
            research=True,
        ),
        Rule(
            "child_inquiry",
            "SoL 16:2 a",
            covers=gettext_lazy("A child inquiry that was opened or already under way"),
            remains=ANONYMOUS,
            valid_from=dt.date(2026, 1, 15),
            years=5,
            age=30,
            research=True,
        ),
        Rule(
            "practice",
            BOARD_DECIDES,
            covers=gettext_lazy("Practice"),
            remains=NOTHING,
            valid_from=SOL_2001,
            months=3,
            counts=False,
        ),
        Rule(
            "voided",
            BOARD_DECIDES,
            covers=gettext_lazy("A call that was voided and has no words: a wrong number"),
            remains=NOTHING,
            valid_from=SOL_2001,
            months=3,
            counts=False,
        ),
    )
}


@dataclass(frozen=True)
class Standing:
    """What the rules say of one case, or of one call without a case, today."""

    rule: Rule
    last_entry: dt.date | None = None  # None: it is not ended
    due_on: dt.date | None = None  # of what is not ended: the day of the child's age, where there is one
    kept: str = ""  # open, named, research, place or held; empty: nothing keeps it
    why: str = ""  # the day of birth, the place, or what it is held for

    @property
    def last_day(self) -> dt.date | None:
        """It is done by the end of the calendar year after the duty arose (SoL 16:1)."""
        return dt.date(self.due_on.year + 1, 12, 31) if self.due_on else None

    @property
    def is_reached(self) -> bool:
        """Whether its day has come, whatever keeps it."""
        return self.last_entry is not None and self.due_on is not None and self.due_on <= clock.today()

    @property
    def is_due(self) -> bool:
        """Whether it goes now."""
        return self.is_reached and not self.kept

    @property
    def is_late(self) -> bool:
        """Whether it should have been gone."""
        return self.is_due and self.last_day is not None and self.last_day < clock.today()

    @property
    def goes_to_archive(self) -> bool:
        """Whether it is kept for good: for research, or by a manager's act."""
        return self.kept in {"research", "place", "held"}

    @property
    def words(self) -> str:
        """What is said of it beforehand."""
        if self.kept == "research":
            return _("Kept: born on the %(day)sth (%(law)s).") % {"day": self.why, "law": RESEARCH_LAW}
        if self.kept == "place":
            return _("Kept: all of %(place)s is (%(law)s).") % {"place": self.why, "law": RESEARCH_LAW}
        if self.kept == "held":
            words, law = KEPT_FOR[self.why]
            return _("Kept: %(why)s.") % {"why": f"{str(words).lower()} ({law})" if law else str(words).lower()}
        return self._days

    @property
    def words_without_birth(self) -> str:
        """The same of a protected person, for who is not named for it: nothing that tells a day of birth."""
        if self.kept == "research":
            return _("Kept for research (%(law)s).") % {"law": RESEARCH_LAW}
        if self.rule.age and not self.kept:
            words = {"age": self.rule.age, "law": self.rule.law}
            return _("Child inquiry: deleted when the child is %(age)s, at the earliest (%(law)s).") % words
        return self.words

    @property
    def _days(self) -> str:
        said = {"law": self.rule.law, "day": self.due_on.isoformat() if self.due_on else "", "years": self.rule.years}
        if self.last_entry is None and self.due_on is not None:
            return _("Child inquiry: deleted at the earliest %(day)s (%(law)s).") % said
        if self.last_entry is None and self.rule.years:
            return _("Deleted five years after the last entry (%(law)s).") % said
        if self.last_entry is None:
            return _("Deleted three months after the last entry (%(law)s).") % said
        if self.rule.age:
            return _("Child inquiry: deleted at the earliest %(day)s (%(law)s).") % said
        return _("Deleted at the earliest %(day)s (%(law)s).") % said


def in_force(key: str, day: dt.date) -> Rule:
    """The rule of this key; before it was in force the five years of what is documented."""
    rule = RULES[key]
    return rule if rule.valid_from <= day else RULES["five_years"]


def birthday(born: dt.date, age: int) -> dt.date:
    """The day on which somebody is of this age; who was born on 29 February is so on 1 March in other years: never early."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return dt.date(born.year + age, 3, 1)


def born_on(number: str) -> dt.date | None:
    """The day of birth in a personal or coordination number of twelve digits; None where it has none."""
    digits = "".join(letter for letter in number if letter.isascii() and letter.isdigit())
    if len(digits) != 12:
        return None
    day = int(digits[6:8])
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), day - LATER if day > LATER else day)
    except ValueError:
        return None


def youngest(age_band: str) -> int:
    """The youngest age of a band (questions/lists.yaml), in years: "15-17" is 15, "26+" is 26, unknown is 0."""
    first = age_band.partition("-")[0].rstrip("+")
    return int(first) if first.isdigit() else 0


def born_at_the_latest(age_band: str, seen: dt.date) -> dt.date:
    """The latest day on which somebody was born who was of this band on that day."""
    return months_later(seen, -12 * youngest(age_band))


def child_born(age_band: str, seen: dt.date, numbers: Iterable[str]) -> dt.date:
    """The day of birth to count by for the child of a report: of those in the case who were under 18 then the youngest; what
    the band allows where one of them has no number, or none was a child. Never too early."""
    known = [born_on(number) for number in numbers]
    children = [born for born in known if born and birthday(born, 18) > seen]
    if children and None not in known:
        return max(children)
    return max([*children, born_at_the_latest(age_band, seen)])


def research_day(numbers: Iterable[str]) -> int | None:
    """The day of the month for which SoL 16:4 keeps what is about these people; None where it does not."""
    days = [born.day for number in numbers if (born := born_on(number))]
    return next((day for day in days if day in RESEARCH_DAYS), None)


def research_place(municipality: str) -> str:
    """The place whose every file is kept (SoL 16:4), of a municipality's code; empty where it is not."""
    return next((name for code, name in RESEARCH_PLACES.items() if municipality.startswith(code)), "")


def standing(
    key: str,
    *,
    last_entry: dt.date | None,
    municipality: str = "",
    children: Iterable[dt.date] = (),
    numbers: Iterable[str] = (),
    held: str = "",
    kept: str = "",
    months_of_words: int = 0,
) -> Standing:
    """What a rule says of the facts of one case or call. `children`: the days of birth to count by, of each inquiry; `kept`:
    open or named, where it cannot go now."""
    rule = in_force(key, clock.today())
    born = max(children, default=None) if rule.age else None
    due = rule.due_on(last_entry, born) if last_entry else birthday(born, rule.age) if born else None
    if due and last_entry and key == "advice":
        due = max(due, months_later(last_entry, months_of_words))  # never before its words
    found: dict[str, Any] = {"rule": rule, "last_entry": last_entry, "due_on": due}
    if held:
        return Standing(**found, kept="held", why=held)
    if rule.research and (day := research_day(numbers)):
        return Standing(**found, kept="research", why=str(day))
    if rule.research and (place := research_place(municipality)):
        return Standing(**found, kept="place", why=place)
    return Standing(**found, kept=kept)
