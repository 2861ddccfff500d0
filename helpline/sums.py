"""Sums kept by day: what is counted, how it is told apart, and how the sums of a day are counted anew.

A change marks its day in its own transaction (intake.models.sums); `sum_up` counts the marked days anew and takes the marks
away in one other. So a kill between the two leaves a mark, and never a wrong sum."""

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Case as If
from django.db.models import (
    CharField,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Min,
    OuterRef,
    PositiveSmallIntegerField,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Ceil, Coalesce, Extract, Greatest, Least, Now, TruncDate, TruncMonth
from django.utils import timezone

from helpline.people import clock
from helpline.people.models import User
from intake import triage
from intake.models import Bounce, Call, Case, ConcernReport, DayMark, DaySum
from intake.models.cases import in_locked
from referrals.figures import ANSWERS
from referrals.models import CallerAnswer, Referral, StateChange

LOCK = 7262016  # one counts at a time: a second would count the same day
AT_ONCE = 31  # days of marks that one transaction takes on
SOON, MANY = dt.timedelta(minutes=1), 500  # what waits longer, or is more, makes the sums wrong enough to be seen
LONGEST = 32_767  # hours: what took longer is counted with it
KEPT, BOUNCED = "kept", "bounced"
IN_TIME, LATE, WAITING = "in_time", "late", "waiting"
ACCEPTED, DECLINED, OVERDUE, OTHERWISE = "accepted", "declined", "overdue", "otherwise"
Expression = Any

# How cases and calls are told apart, and what is told apart by its case: part -> field.
FACTS = {
    "caller": "caller_type",
    "milieu": "milieu",
    "age": "age_band",
    "place": "municipality_id",
    "urgency": "urgency",
}
OF_CASE = {part: f"case__{name}" for part, name in FACTS.items()}
NO_CALL = Q(caller_type="misdial", case__isnull=True)  # questions/callers.yaml
NO_PAST_CALL = Q(caller_type="misdial", is_call=True)


@dataclass(frozen=True)
class Measure:
    """One thing that is counted: which rows, on which day, whose, and by what they are told apart. A part whose value is
    empty counts nothing."""

    what: str
    rows: Callable[[], QuerySet[Any]]
    at: str
    unit: str
    parts: Mapping[str, Expression]
    hours: Expression = field(default_factory=lambda: Value(0))
    minutes: Expression = field(default_factory=lambda: Value(0))
    case: str = "case"  # the way to the case; pk where the row is one


def _hours(begin: str, end: str) -> Expression:
    """Begun hours between two times."""
    lasted = ExpressionWrapper(F(end) - F(begin), output_field=DurationField())
    return Least(Greatest(Ceil(Extract(lasted, "epoch") / 3600.0), 0), LONGEST, output_field=IntegerField())


def _minutes(begin: str, end: str) -> Expression:
    lasted = ExpressionWrapper(F(end) - F(begin), output_field=DurationField())
    return Greatest(Cast(Extract(lasted, "epoch") / 60.0 - 0.5, IntegerField()), 0)


def _promise(bounces: QuerySet[Bounce], only: Q | None = None) -> Expression:
    """Whether a caller was ever bounced; of what is no caller of its own, nothing."""
    told = [When(~only, then=Value(""))] if only is not None else []
    return If(*told, When(Exists(bounces), then=Value(BOUNCED)), default=Value(KEPT), output_field=CharField())


def counted_calls() -> QuerySet[Any]:
    """Completed ones. A wrong number or a silent call of which nothing came is no call that anybody counts."""
    return Call.objects.counted().filter(completed_at__isnull=False).exclude(NO_CALL)


def _handovers() -> QuerySet[Any]:
    answers = StateChange.objects.filter(referral=OuterRef("pk"), move__in=ANSWERS).order_by("at", "pk")
    sent = Referral.objects.filter(sent_at__isnull=False, case__is_practice=False)
    return sent.annotate(first_answer=Subquery(answers.values("at")[:1]))


def _closed() -> QuerySet[Any]:
    return Case.objects.counted().filter(closed_at__isnull=False)


def _reports() -> QuerySet[Any]:
    return ConcernReport.objects.filter(case__is_practice=False)


def _asked() -> QuerySet[Any]:
    """What callers said when they were asked whether a handover helped; also that they were not reached."""
    return CallerAnswer.objects.filter(referral__case__is_practice=False)


def _contacts() -> QuerySet[Any]:
    """The first contact that an agency had with the person of a case."""
    contacts = StateChange.objects.filter(target="contact_made")
    before = contacts.filter(referral__case=OuterRef("referral__case"))
    before = before.filter(Q(at__lt=OuterRef("at")) | Q(at=OuterRef("at"), pk__lt=OuterRef("pk")))
    return contacts.filter(~Exists(before), referral__case__is_practice=False)


_BOUNCES_OF_CASE = Bounce.objects.filter(Q(case=OuterRef("pk")) | Q(case=None, call__case=OuterRef("pk")))
_ANSWERED = If(
    When(first_answer__lte=F("answer_due_at"), then=Value(IN_TIME)),
    When(Q(first_answer__isnull=False) | Q(state="expired"), then=Value(LATE)),
    default=Value(WAITING),
    output_field=CharField(),
)


def _changed(move: str) -> Exists:
    return Exists(StateChange.objects.filter(referral=OuterRef("pk"), move=move))


# How a handover was met: taken on or declined, not answered in its time, or neither (it still waits, or we took it back).
_MET = If(
    When(_changed("accept"), then=Value(ACCEPTED)),
    When(_changed("decline"), then=Value(DECLINED)),
    When(state="expired", then=Value(OVERDUE)),
    default=Value(OTHERWISE),
    output_field=CharField(),
)
_OF_HANDOVER = {**OF_CASE, "urgency": "urgency", "agency": "agency_id"}


def _answered(how: str) -> Callable[[], QuerySet[Any]]:
    return lambda: _handovers().annotate(answered=_ANSWERED).filter(answered=how)


MEASURES = [
    Measure(
        "call",
        counted_calls,
        *("received_at", "unit_id"),
        # A call of a case is no caller of its own: the case is.
        {**FACTS, "promise": _promise(Bounce.objects.filter(call=OuterRef("pk")), Q(case__isnull=True))},
        minutes=Coalesce(F("lasted_minutes"), _minutes("received_at", "completed_at"), output_field=IntegerField()),
    ),
    Measure(
        "case",
        Case.objects.counted,
        *("opened_at", "unit_id"),
        {**FACTS, "promise": _promise(_BOUNCES_OF_CASE)},
        case="pk",
    ),
    Measure(
        "handover",
        _handovers,
        *("sent_at", "case__unit_id"),
        {**_OF_HANDOVER, "need": "need", "answered": _ANSWERED, "met": _MET},
    ),
    # For the share that was answered in time, told apart as handovers are: a sum of its own, so that nothing is crossed.
    Measure("in_time", _answered(IN_TIME), *("sent_at", "case__unit_id"), _OF_HANDOVER),
    Measure("late", _answered(LATE), *("sent_at", "case__unit_id"), _OF_HANDOVER),
    Measure(
        "contact",
        _contacts,
        *("at", "referral__case__unit_id"),
        {part: f"referral__{name}" for part, name in {**OF_CASE, "agency": "agency_id"}.items()},
        hours=_hours("referral__case__opened_at", "at"),
        case="referral__case",
    ),
    Measure("closed", _closed, *("closed_at", "unit_id"), {"reason": "closing_reason"}, case="pk"),
    Measure("report", _reports, *("received_at", "case__unit_id"), {}),
    Measure("asked", _asked, *("at", "referral__case__unit_id"), {"said": "answer"}, case="referral__case"),
]
COLUMNS = ["unit_id", "what", "part", "day", "value", "hours", "count", "minutes"]


def still_counted() -> Exists:
    """Whether so much is to be counted anew, or something for so long, that the sums are not to be shown: part of a
    statement. By the clock of the database, which wrote the marks."""
    long_ago = DayMark.objects.filter(at__lt=Now() - SOON)
    return Exists(DayMark.objects.filter(Exists(long_ago) | Exists(DayMark.objects.order_by("pk")[MANY:])))


def are_counted() -> bool:
    """Whether the sums hold what they should; what changed a moment ago may be missing."""
    return not DayMark.objects.filter(still_counted()).exists()


def sum_up() -> int:
    """Count anew the days that are marked, the oldest marks first; how many days. Harmless when run twice, or by two."""
    if not DayMark.objects.exists():  # nearly always: one small statement
        return 0
    with transaction.atomic():
        if not _is_only_one():
            return 0
        marks = list(DayMark.objects.order_by("pk").values_list("pk", "day")[:10_000])
        days = sorted(dict.fromkeys(day for _pk, day in marks))[:AT_ONCE]
        for day in days:
            recount(day, day)
        DayMark.objects.filter(pk__in=[pk for pk, day in marks if day in set(days)]).delete()
    return len(days)


def _is_only_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def recount(first: dt.date, last: dt.date) -> None:
    """Count the sums of these days anew, both included, in the database and from its rows alone."""
    begin, end = _bounds(first, last)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM intake_daysum WHERE day BETWEEN %s AND %s", [first, last])
        for measure in MEASURES:
            rows = measure.rows().filter(**{f"{measure.at}__gte": begin, f"{measure.at}__lt": end}).order_by()
            for part, value in {"": Value(""), **measure.parts}.items():
                sql, params = _sums(measure, rows, part, value).query.sql_with_params()
                cursor.execute(f"INSERT INTO intake_daysum ({', '.join(COLUMNS)}) {sql}", params)  # noqa: S608  the ORM's


def _sums(measure: Measure, rows: QuerySet[Any], part: str, value: Expression) -> QuerySet[Any]:
    """The rows grouped as they are kept, column by column."""
    told = F(value) if isinstance(value, str) else value
    rows = rows.annotate(
        sum_unit=F(measure.unit),
        sum_what=Value(measure.what),
        sum_part=Value(part),
        sum_day=TruncDate(measure.at, tzinfo=timezone.get_default_timezone()),
        sum_value=Coalesce(Cast(told, CharField()), Value("-")),
        sum_hours=Cast(measure.hours, PositiveSmallIntegerField()),
        sum_minutes=measure.minutes,
    )
    if part:
        rows = rows.exclude(sum_value="")
    kept = ["sum_unit", "sum_what", "sum_part", "sum_day", "sum_value", "sum_hours"]
    return rows.values(*kept).annotate(sum_count=Count("*"), sum_total=Sum("sum_minutes")).values_list(
        *kept, "sum_count", "sum_total"
    )  # fmt: skip


def kept_from(user: User, what: str, part: str, first: dt.date, last: dt.date) -> list[tuple[dt.date, str, int, int]]:
    """(day, value, hours, how many) that the sums of this person's unit hold and that are not told to this person: all of a
    case that they are locked out of; the facts of one with protected data. Counted from their rows, which are few."""
    measure = next(one for one in MEASURES if one.what == what)
    hidden = Q(**{f"{measure.case}__in": in_locked(user)})
    if part:
        kinds = [code for code in triage.codes("protections") if code != "none"]
        of_case = "" if measure.case == "pk" else f"{measure.case}__"
        hidden |= Q(**{f"{of_case}protection__in": kinds})
        if measure.what == "call":
            hidden |= Q(protection__in=kinds)
    begin, end = _bounds(first, last)
    rows = measure.rows().filter(hidden, **{f"{measure.at}__gte": begin, f"{measure.at}__lt": end})
    rows = rows.filter(**{measure.unit: user.unit_id}).order_by()
    told = _sums(measure, rows, part, {"": Value(""), **measure.parts}[part])
    return [(day, value, hours, count) for _unit, _what, _part, day, value, hours, count, _minutes in told]


def _bounds(first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """From the first moment of a day to the first after another."""
    zone = timezone.get_default_timezone()
    begin = timezone.make_aware(dt.datetime.combine(first, dt.time()), zone)
    return begin, timezone.make_aware(dt.datetime.combine(last + dt.timedelta(days=1), dt.time()), zone)


def recount_all() -> None:
    """Count every day anew, month by month: after a restore, or where somebody doubts a sum. Harmless while others work: a
    change that comes meanwhile leaves a mark of its own, and only the marks that were there before are taken away."""
    marks = list(DayMark.objects.values_list("pk", flat=True))
    _take_away_outside(dt.date(_first_year(), 1, 1), dt.date(clock.today().year, 12, 31))
    for year in range(_first_year(), clock.today().year + 1):
        for month in range(1, 13):
            first = dt.date(year, month, 1)
            with transaction.atomic():
                _wait_to_be_the_only_one()
                recount(first, dt.date(year, month, monthrange(year, month)[1]))
    for start in range(0, len(marks), 10_000):
        DayMark.objects.filter(pk__in=marks[start : start + 10_000]).delete()


def _wait_to_be_the_only_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _take_away_outside(first: dt.date, last: dt.date) -> None:
    """Sums of days on which nothing is: no month that is counted anew would find them."""
    with transaction.atomic():
        _wait_to_be_the_only_one()
        DaySum.objects.exclude(day__range=(first, last)).delete()


def _first_year() -> int:
    firsts = [measure.rows().aggregate(first=Min(measure.at))["first"] for measure in MEASURES]
    begun = [clock.local_date(first).year for first in firsts if first]
    return min([clock.today().year, *begun])


def months_of(
    what: str, part: str, first: dt.date, last: dt.date, unit: int | None = None
) -> dict[tuple[dt.date, str], int]:
    """(first day of a month, value) -> how many, between two days, both included; of all units where none is named."""
    rows = DaySum.objects.of(what, part).filter(day__range=(first, last))
    rows = rows.filter(unit=unit) if unit else rows
    told = rows.annotate(month=TruncMonth("day")).order_by().values_list("month", "value").annotate(n=Sum("count"))
    return {(month, value): count for month, value, count in told}
