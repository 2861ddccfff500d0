"""What we count: one table of figures. The same queryset gives the number and the rows behind it."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count as CountRows
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from helpline import promise
from helpline.log_review import waiting_reviews
from helpline.people import clock
from helpline.people.counts import Count, Listed, asked_once, by_day, first_of, said_count
from helpline.people.models import User
from helpline.people.templatetags.people import say_day, say_time
from helpline.people.workdays import local
from intake import triage
from intake.models import Call, Case, ChildClock, FollowUp, HeavyCall
from referrals.labels import BRINGS_BACK
from referrals.models import CallerAnswer, Referral
from referrals.models.referrals import ReferralQuerySet
from referrals.states import TAKEN_ON

Rows = QuerySet[Any]
Asked = Mapping[str, Any]  # name -> an expression of the one statement that all tiles share


@dataclass(frozen=True)
class Figure:
    """One number of the overview: what it is called, which rows it counts, in the order of which time. `more` is what its
    line of context asks for besides, and `says` that line; without it `hint` is."""

    key: str
    label: Any
    hint: Any
    asks: Callable[[User], Rows]
    shows: str  # a key of PRACTICE: which template lists the rows
    order: str  # the time that the rows are listed by
    should_be_none: bool = False
    newest_first: bool = False
    is_few: bool = False  # the time of each is asked, and how many they are is read from those
    by_time: bool = False  # what it asks is another question each moment, and not only each day
    more: Callable[[User, Rows], Asked] = lambda user, rows: {}
    says: Callable[[Mapping[str, Any]], str] | None = None

    def rows(self, user: User) -> Rows:
        """The rows that it counts: of practice none, whatever it asks for."""
        practice = PRACTICE[self.shows]
        return self.asks(user).filter(**{practice: False}) if practice else self.asks(user)

    def asked_of(self, user: User) -> Asked:
        """Its part of the statement of all tiles."""
        rows = self.rows(user)
        if self.is_few:
            return {f"{self.key}_times": Listed(rows.order_by(self.order), self.order)}
        return {self.key: Count(rows), **self.more(user, rows)}


# What is listed -> where it says whether it is practice; "" where the rows themselves leave it out, or are none of cases.
PRACTICE = {
    "case": "is_practice",
    "call": "is_practice",
    "step": "case__is_practice",
    "referral": "case__is_practice",
    "clock": "report__case__is_practice",
    "answer": "referral__case__is_practice",
    "bounce": "",
    "review": "",
}


# -- which rows --------------------------------------------------------------------------------------------------------


def open_cases(user: User) -> Rows:
    """The unit's open cases, without practice."""
    return Case.objects.visible_to(user).counted().open()


def overdue_steps(user: User) -> Rows:
    """The steps past their time. By the cases whose next one is: the index of what is open leads to them."""
    late = FollowUp.objects.visible_to(user).overdue()
    return late.filter(case__closed_at__isnull=True, case__next_due_at__lt=clock.now())


def handovers(user: User) -> ReferralQuerySet:
    """Those of open cases: an agency has none of another. By the cases: the index of what is open leads to them."""
    return Referral.objects.filter(case__in=Case.objects.visible_to(user).open())


def silent(user: User) -> Rows:
    """Those that an agency has not answered in its time."""
    return handovers(user).waiting().filter(answer_due_at__lt=clock.now())


def running_clocks(user: User) -> Rows:
    """The law's times for children that run in the unit's cases: open ones, since a clock is a step that waits."""
    return ChildClock.objects.filter(done_at__isnull=True, report__case__in=Case.objects.visible_to(user).open())


def no_at_follow_up(user: User) -> Rows:
    """What callers have answered this month that brought a handover back: no help, or nobody called."""
    month = local(clock.today().replace(day=1), dt.time())
    said_no = CallerAnswer.objects.filter(answer__in=sorted(BRINGS_BACK), at__gte=month)
    return said_no.filter(referral__case__in=Case.objects.visible_to(user))


# -- their lines of context --------------------------------------------------------------------------------------------


def _when(moment: dt.datetime) -> str:
    return f"{say_day(clock.local_date(moment))} {say_time(moment)}"


def _oldest(key: str, order: str) -> Callable[[User, Rows], Asked]:
    return lambda user, rows: {f"{key}_first": first_of(rows.order_by(order), order)}


def _overdue(found: Mapping[str, Any]) -> str:
    first = found["overdue_first"]
    return gettext("the oldest since %(time)s") % {"time": _when(first)} if first else gettext("promised and not done")


def _silent(found: Mapping[str, Any]) -> str:
    first = found["silent_first"]
    return gettext("the oldest since %(time)s") % {"time": _when(first)} if first else gettext("past their answer time")


def _waiting(found: Mapping[str, Any]) -> str:
    coming = found["waiting_next"]
    return gettext("the next answer is due %(time)s") % {"time": _when(coming)} if coming else gettext("no answer yet")


def _clocks(found: Mapping[str, Any]) -> str:
    days, now = found["clocks_times"] or [], clock.today()
    past, today = sum(day < now for day in days), days.count(now)
    if past:
        return ngettext("%(count)s past its last day", "%(count)s past their last day", past) % {"count": past}
    if today:
        return ngettext("%(count)s ends today", "%(count)s end today", today) % {"count": today}
    words = gettext("the next ends %(day)s") if days else gettext("times of the law for a child")
    return words % {"day": say_day(days[0])} if days else words


def _said_no(found: Mapping[str, Any]) -> str:
    owner = (found["no_with"] or "").strip()
    return gettext("the latest is open with %(name)s") % {"name": owner} if owner else gettext("said this month")


def _reviews(found: Mapping[str, Any]) -> str:
    days = found["log-reviews_times"]
    return gettext("by %(day)s") % {"day": say_day(days[0])} if days else gettext("none waits for you")


def _of_no(user: User, rows: Rows) -> Asked:
    name = Concat("referral__case__owner__first_name", Value(" "), "referral__case__owner__last_name")
    is_open = rows.filter(referral__case__closed_at__isnull=True).order_by("-at", "-pk")
    return {"no_with": first_of(is_open.annotate(with_whom=name), "with_whom")}


def _of_waiting(user: User, rows: Rows) -> Asked:
    coming = rows.filter(answer_due_at__gte=clock.now()).order_by("answer_due_at")
    return {"waiting_next": first_of(coming, "answer_due_at")}


FIGURES: dict[str, Figure] = {
    figure.key: figure
    for figure in [
        Figure(
            *("no-step", _("Open without a next step"), _("must always be none")),
            lambda user: open_cases(user).filter(next_due_at__isnull=True),
            *("case", "opened_at"),
            should_be_none=True,
        ),
        Figure(
            *("overdue", _("Steps past their time"), _("promised and not done"), overdue_steps, "step", "due_at"),
            should_be_none=True,
            more=_oldest("overdue", "due_at"),
            by_time=True,
            says=_overdue,
        ),
        Figure(
            *("silent", _("Silent handovers"), _("past their answer time"), silent, "referral", "answer_due_at"),
            should_be_none=True,
            more=_oldest("silent", "answer_due_at"),
            by_time=True,
            says=_silent,
        ),
        Figure(
            *("waiting", _("Handovers that wait for an answer"), _("sent, and not yet answered")),
            lambda user: handovers(user).waiting(),
            *("referral", "sent_at"),
            more=_of_waiting,
            by_time=True,
            says=_waiting,
        ),
        Figure(
            *("clocks", _("Child clocks"), _("times of the law for a child"), running_clocks, "clock", "last_day"),
            is_few=True,
            says=_clocks,
        ),
        Figure(
            *("said-no", _("Said no at follow-up"), _("said this month"), no_at_follow_up, "answer", "at"),
            newest_first=True,
            more=_of_no,
            says=_said_no,
        ),
        Figure(
            *("log-reviews", _("Log review"), _("to be marked and signed"), waiting_reviews, "review", "due_on"),
            is_few=True,
            says=_reviews,
        ),
        # -- below the grid
        Figure("open", _("Open cases"), _("all have an owner"), open_cases, "case", "next_due_at"),
        Figure(
            *("questions", _("Questions from agencies"), _("ours to answer")),
            lambda user: handovers(user).filter(state="question"),
            *("referral", "sent_at"),
        ),
        Figure(
            *("with-agency", _("Handovers in progress"), _("accepted, contact not yet confirmed")),
            lambda user: handovers(user).filter(state__in=TAKEN_ON - {"contact_made"}),
            *("referral", "sent_at"),
        ),
        Figure(
            *("unfinished", _("Calls not finished"), _("hung up, or going on")),
            lambda user: Call.objects.visible_to(user).unfinished(),
            *("call", "received_at"),
        ),
        # -- of the promise
        Figure(
            *("bounced", _("Callers who were bounced this year"), _("the latest bounce of each")),
            *(promise.bounced_callers, "bounce", "at"),
            newest_first=True,
        ),
        Figure(
            *("bounces", _("Bounces of this year’s callers"), _("each time the promise was not kept")),
            *(promise.bounces_of_year, "bounce", "at"),
            newest_first=True,
        ),
    ]
}
TILES = ["no-step", "overdue", "silent", "waiting", "clocks", "said-no", "log-reviews"]  # and the heavy calls
BESIDE = ["open", "questions", "with-agency", "unfinished"]  # a line below them

# What the open cases are told apart by; each part of the table links to exactly its rows.
PROTECTED = "protected"
PARTS = {"owner": "owner_id", "urgency": "urgency", "caller": "caller_type"}


def narrowed(rows: Rows, parts: Mapping[str, str]) -> Rows:
    """The rows of one cell. A part that there cannot be leaves none."""
    for name, column in PARTS.items():
        if name == "caller" and parts.get(name) == PROTECTED:
            rows = rows.exclude(protection="none")
        elif parts.get(name):
            if name == "caller":  # whose data are protected is counted apart: a list tells nobody who called
                rows = rows.filter(protection="none")
            if not re.fullmatch(r"[0-9]{1,9}" if name == "owner" else r"\w+", parts[name], re.ASCII):
                return rows.none()
            rows = rows.filter(**{column: parts[name]})
    return rows


def link(key: str, **parts: object) -> str:
    """The address of the rows behind a number."""
    query = urlencode({name: value for name, value in parts.items() if value})
    return _rows_of(key) + (f"?{query}" if query else "")


@cache
def _rows_of(key: str) -> str:
    return reverse("caseload-rows", args=[key])


# -- what changes within half a minute ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tile:
    """One number as the page shows it. Without an address there are no rows that anybody may see."""

    label: Any
    number: int
    says: str
    url: str = ""
    key: str = ""
    should_be_none: bool = False

    @property
    def count(self) -> str:
        return said_count(self.number)

    @property
    def alarm(self) -> bool:
        return self.should_be_none and self.number > 0


def now_of(user: User, besides: Asked | None = None) -> dict[str, Any]:
    """The promise and the tiles: all that _tiles.html needs, in two statements. `besides` is what its caller wants from the
    first; the values stand under `found`."""
    found = asked_once(user, {**(besides or {}), **_asked_by_day(user), **_asked(user, by_time=True)})
    found |= {key: len(found[f"{key}_times"] or []) for key, figure in FIGURES.items() if figure.is_few}
    return {
        "now": clock.now(),
        "promise": promise.promise_of(user, found),
        "tiles": [*(_tile(FIGURES[key], found) for key in TILES), _heavy(found["heavy"])],
        "beside": [_tile(FIGURES[key], found) for key in BESIDE],
        "found": found,
    }


def _asked(user: User, *, by_time: bool) -> dict[str, Any]:
    figures = [figure for figure in FIGURES.values() if figure.by_time == by_time]
    return {name: one for figure in figures for name, one in figure.asked_of(user).items()}


@by_day
def _asked_by_day(user: User) -> dict[str, Any]:
    return {"heavy": Count(heavy_calls(user)), **promise.asked_of(user), **_asked(user, by_time=False)}


def _tile(figure: Figure, found: Mapping[str, Any]) -> Tile:
    says = figure.says(found) if figure.says else figure.hint
    return Tile(figure.label, found[figure.key], says, link(figure.key), figure.key, figure.should_be_none)


def _heavy(count: int) -> Tile:
    label = gettext("Heavy calls in %(month)s") % {"month": date_format(clock.today(), "F").lower()}
    return Tile(label, count, gettext("offer a talk; it is not told by whom"), key="heavy")


def heavy_calls(user: User) -> QuerySet[HeavyCall]:
    """The calls of the unit that somebody ticked as heavy this month: for a number alone, since rows would be names."""
    return HeavyCall.objects.filter(unit=user.unit_id, month=clock.today().replace(day=1))


# -- open cases by caller: beside their rows ---------------------------------------------------------------------------


@dataclass
class Cell:
    """One number of a table, and where its rows are."""

    count: int
    url: str


def caller_or_protected(code: str) -> str:
    """A caller type in words; of those whose data are protected only that."""
    return gettext("Protected data") if code == PROTECTED else triage.caller_name(code)


def open_by_caller(user: User) -> list[tuple[str, Cell]]:
    """Open cases by caller type, the most first; one grouped query."""
    grouped = open_cases(user).order_by().values_list("caller_type", "protection").annotate(count=CountRows("*"))
    counts: dict[str, int] = {}
    for caller, protection, count in grouped:
        code = caller if protection == "none" else PROTECTED
        counts[code] = counts.get(code, 0) + count
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(caller_or_protected(code), Cell(count, link("open", caller=code))) for code, count in most_first]
