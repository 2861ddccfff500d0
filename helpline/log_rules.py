"""RULES: which rows of a month's log are looked at by somebody, whatever chance draws besides (docs/decisions/0015)."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.models import LogEntry, User
from helpline.people.sealed import Forgotten
from helpline.people.workdays import is_working_day
from intake.models import Call, Case, LockedOut, Person, ShiftHandover

MANY = 10  # cases that are not one's own, in a day
MANY_SEARCHES = 30  # within an hour of the clock
SEARCHED = ("search.made", "search.refused")
NIGHT = (22, 6)  # hours in Sweden
INACTIVE = dt.timedelta(days=30)  # after a case was closed
ON_DUTY = dt.timedelta(hours=12)  # after one took a call, or took over a shift
LEAST_DIGITS = 7  # of a phone number that is compared
# What is called read or used is an opening (the first of the day); and so are these.
OPENED = ("opening.made", "after.shown", "after.printed")
OWN = {"own", "named", "step"}  # LogEntry.why


@dataclass
class Material:
    """What a month's log has of some people. An opening is the first of one person, case or call, right and day."""

    openings: list[LogEntry]
    all_searches: list[LogEntry]
    refused: list[LogEntry]
    users: dict[int, User]
    cases: dict[uuid.UUID, Case] = field(default_factory=dict)
    calls: dict[uuid.UUID, Call] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One rule: what whoever reviews reads above its rows, and which rows it catches."""

    label: Any
    hint: Any
    catches: Callable[[Material], Iterable[LogEntry]]


def material_of(rows: QuerySet[LogEntry]) -> Material:
    """Everything that the rules look at, with a number of queries that does not grow with the rows."""
    about = Q(case__isnull=False) | Q(call__isnull=False)
    used = Q(event__endswith=".read") | Q(event__endswith=".used") | Q(event__in=OPENED)
    read = rows.filter(used).filter(about)
    same = ("user_id", "case", "call", "why", "day")
    read = (
        read.annotate(day=TruncDate("at", tzinfo=timezone.get_default_timezone())).order_by(*same, "id").distinct(*same)
    )
    found = Material(
        openings=list(read),
        all_searches=list(rows.filter(event__in=SEARCHED).order_by("id")),
        refused=list(rows.filter(event__endswith=".refused", case__isnull=False)),
        users=User.objects.in_bulk(set(rows.order_by().values_list("user_id", flat=True).distinct())),
    )
    cases = {row.case for row in [*found.openings, *found.refused] if row.case}
    found.cases = Case.objects.select_related("key").in_bulk(cases)
    calls = {row.call for row in found.openings if row.call and not row.case}
    found.calls = Call.objects.select_related("key").in_bulk(calls)
    return found


def _own_name(found: Material) -> Iterator[LogEntry]:
    """A search for one's own name; a case or call in which somebody has one's own name, surname or phone number."""
    yield from (row for row in found.all_searches if row.codes.get("own") is True)
    listed: dict[uuid.UUID, list[Person | Call]] = defaultdict(list)
    for one in Person.everybody.filter(case__in=found.cases).select_related("case__key"):
        listed[one.case_id].append(one)
    for call in found.calls.values():
        listed[call.pk].append(call)
    told = {key: [_named(one) for one in ones] for key, ones in listed.items()}
    for row in found.openings:
        user = found.users[row.user_id or 0]
        if any(_is_like(user, name, phone) for name, phone in told.get(row.case or row.call or uuid.UUID(int=0), [])):
            yield row


def _named(one: "Person | Call") -> tuple[str, str]:
    """Name and phone number; nothing of what is forgotten."""
    try:
        return (one.caller_name if isinstance(one, Call) else one.name), one.phone
    except Forgotten:
        return "", ""


def _is_like(user: User, name: str, phone: str) -> bool:
    words, last = name.casefold().split(), user.last_name.casefold().strip()
    same_name = bool(words) and (
        " ".join(words) == " ".join(str(user).casefold().split()) or (last and words[-1] == last)
    )
    digits, own = _digits(phone), _digits(user.phone)
    return bool(same_name) or (len(own) >= LEAST_DIGITS and digits == own)


def _digits(phone: str) -> str:
    """The digits as they are dialled in Sweden."""
    digits = "".join(letter for letter in phone if letter.isdigit())
    return "0" + digits[2:] if digits.startswith("46") else digits


def _protected(found: Material) -> Iterator[LogEntry]:
    for row in found.openings:
        call = found.calls.get(row.call) if row.call else None
        about = found.cases.get(row.case) if row.case else call
        if about is not None and about.is_protected:
            yield row


def _many(found: Material) -> Iterator[LogEntry]:
    days: dict[tuple[int | None, dt.date], list[LogEntry]] = defaultdict(list)
    for row in found.openings:
        if row.case and not _is_own(row, found):
            days[row.user_id, clock.local_date(row.at)].append(row)
    for rows in days.values():
        if len({row.case for row in rows}) > MANY:
            yield from rows


def _is_own(row: LogEntry, found: Material) -> bool:
    case = found.cases.get(_key(row))
    return row.why in OWN or (case is not None and case.owner_id == row.user_id)


def _night(found: Material) -> Iterator[LogEntry]:
    """At night or on a day off, by somebody who had taken no call and taken over no shift in the hours before."""
    late = [row for row in found.openings if _is_night(clock.local_time(row.at))]
    if not late:
        return
    first, last = min(row.at for row in late) - ON_DUTY, max(row.at for row in late)
    began: dict[int, list[dt.datetime]] = defaultdict(list)
    calls = LogEntry.objects.filter(event="call.started", at__range=(first, last), user__in=found.users)
    shifts = ShiftHandover.objects.filter(acknowledged_at__range=(first, last), given_to__in=found.users)
    for user, at in [*calls.values_list("user", "at"), *shifts.values_list("given_to", "acknowledged_at")]:
        if at is not None:  # those that are asked for have one
            began[user].append(at)
    for row in late:
        if not any(row.at - ON_DUTY <= at <= row.at for at in began[row.user_id or 0]):
            yield row


def _is_night(local: dt.datetime) -> bool:
    return local.hour >= NIGHT[0] or local.hour < NIGHT[1] or not is_working_day(local.date())


def _inactive(found: Material) -> Iterator[LogEntry]:
    for row in found.openings:
        case = found.cases.get(_key(row))
        if case is not None and case.closed_at is not None and row.at > case.closed_at + INACTIVE:
            yield row


def _emergency(found: Material) -> Iterator[LogEntry]:
    return (row for row in found.openings if row.why == "emergency" or row.event == "opening.made")


def _many_searches(found: Material) -> Iterator[LogEntry]:
    """The first of each hour of the clock that has more than so many, those that were refused among them."""
    hours: dict[tuple[int | None, dt.datetime], list[LogEntry]] = defaultdict(list)
    for row in found.all_searches:
        hours[row.user_id, row.at.replace(minute=0, second=0, microsecond=0)].append(row)
    for rows in hours.values():
        if len(rows) > MANY_SEARCHES:
            yield rows[0]


def _locked_out(found: Material) -> Iterator[LogEntry]:
    locks: dict[tuple[Any, Any], list[tuple[dt.datetime, dt.datetime | None]]] = defaultdict(list)
    for lock in LockedOut.objects.filter(case__in={row.case for row in found.refused}):
        locks[lock.user_id, lock.case_id].append((lock.at, lock.ended_at))
    for row in found.refused:
        held = locks[row.user_id, row.case]
        if any(begun <= row.at and (ended is None or row.at < ended) for begun, ended in held):
            yield row


def _key(row: LogEntry) -> uuid.UUID:
    return row.case or uuid.UUID(int=0)


# In the order in which the page shows them; a row that several catch stands under the first.
RULES: dict[str, Rule] = {
    "own_name": Rule(
        _("Own name"),
        _(
            "Searched for their own name, or opened something in which somebody has their name, surname or phone number."
        ),
        _own_name,
    ),
    "locked_out": Rule(_("Locked out"), _("Tried to open a case that they are locked out of."), _locked_out),
    "emergency": Rule(_("Opened in an emergency"), _("Opened without having a right to it otherwise."), _emergency),
    "protected": Rule(
        _("Protected personal data"), _("Every opening of a protected case or call is reviewed."), _protected
    ),
    "inactive": Rule(_("No active case"), _("Opened more than 30 days after the case was closed."), _inactive),
    "many": Rule(_("Many openings"), _("Opened more than 10 cases in a day that were not their own."), _many),
    "searches": Rule(
        _("Many searches"),
        _("More than 30 searches within an hour. The first of them stands for all."),
        _many_searches,
    ),
    "night": Rule(
        _("At night or on a day off"),
        _("Between 22 and 06 or on a day off, without a call or a shift in the hours before."),
        _night,
    ),
}
SAMPLE = "sample"  # by chance; no rule
