"""The promise: one number, nobody is bounced. How many of the year's callers never were, and each time that one was.

A caller is a case, or a completed call without one, of the year in which it came; practice is none. Sums by day tell how
many there were, and what remains of the forgotten (PastCase) is counted with them. A case that its reader is locked out of
is in no number and in no row."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count as CountRows
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.counts import MOST, Count, Listed, first_of, said_count
from helpline.people.models import User
from helpline.people.workdays import local
from helpline.sums import BOUNCED, KEPT, NO_PAST_CALL, still_counted
from intake.labels import BOUNCED_WHY, BOUNCES
from intake.ledger import in_words
from intake.models import Bounce, Case, DaySum, NamedAccess, PastCase
from intake.models.cases import in_locked

SHOWN = 5  # bounces on the first tile; the rest are behind a link
WRITTEN_WITHIN = dt.timedelta(days=31)  # from a call's bounce to its case: it is written to the end long before
PART, CALLERS = "promise", ("case", "call")


def span_of(year: int) -> tuple[dt.datetime, dt.datetime]:
    """A year in Sweden: its first moment, and that of the next."""
    return local(dt.date(year, 1, 1), dt.time()), local(dt.date(year + 1, 1, 1), dt.time())


# A call without a case whose caller counts: a finished one, and no wrong number.
ALONE = Q(case=None, call__case=None, call__completed_at__isnull=False) & ~Q(call__caller_type="misdial")
OF_CALLER = Q(case__isnull=False) | Q(call__case__isnull=False) | ALONE


# -- which bounces -----------------------------------------------------------------------------------------------------


def bounces_of_year(user: User) -> QuerySet[Bounce]:
    """Every bounce of those who came this year, as far as this person may know of them."""
    begin, end = span_of(clock.today().year)
    # Whoever was bounced in the call that ended after midnight came with the case: the index is walked from before.
    bounces = Bounce.objects.visible_to(user).counted().filter(at__gte=begin - WRITTEN_WITHIN)
    as_case = Q(case__opened_at__gte=begin, case__opened_at__lt=end)
    later_case = Q(case=None, call__case__opened_at__gte=begin, call__case__opened_at__lt=end)
    alone = ALONE & Q(call__received_at__gte=begin, call__received_at__lt=end)
    return bounces.filter(as_case | later_case | alone)


def bounced_callers(user: User) -> QuerySet[Bounce]:
    """One row for each of this year's callers who was bounced: the latest bounce of each."""
    caller = Coalesce("case_id", "call__case_id", "call_id")
    nth = Window(RowNumber(), partition_by=[caller], order_by=[F("at").desc(), F("pk").desc()])
    latest = bounces_of_year(user).annotate(nth=nth).filter(nth=1)
    return Bounce.objects.filter(pk__in=latest.order_by().values("pk"))


@dataclass(frozen=True)
class Line:
    """One bounce as a list says it: the cause, where, and whose, as far as this person may know."""

    bounce: Bounce
    cause: str
    where: str
    case: Case | None
    may_open: bool

    @property
    def at(self) -> dt.datetime:
        return self.bounce.at


def lines_of(rows: QuerySet[Bounce], user: User) -> QuerySet[Bounce]:
    """The rows with all that a line of them needs."""
    named = NamedAccess.objects.in_force().filter(
        case=Coalesce(OuterRef("case_id"), OuterRef("call__case_id")), user=user
    )
    return rows.select_related("case", "call__case").annotate(is_named=Exists(named))


def said(rows: Iterable[Bounce], user: User) -> list[Line]:
    """Each as a line; of what is protected no agency."""
    return [_line(row, user) for row in rows]


def _line(row: Bounce, user: User) -> Line:
    case = row.case or (row.call.case if row.call else None)
    is_protected = (case or row.call).is_protected  # type: ignore[union-attr]  # the constraint bounce_of_somebody
    may_open = case is not None and (not is_protected or case.owner_id == user.pk or row.is_named)  # type: ignore[attr-defined]
    codes = {} if is_protected else row.codes
    words = str(BOUNCED_WHY.get(row.codes.get("why", ""), BOUNCES[row.cause]))
    return Line(
        row, in_words(words, codes), _("Protected data") if is_protected else _where(row, words), case, may_open
    )


def _where(row: Bounce, words: str) -> str:
    """With which agency, where the cause does not say it."""
    return str(row.codes.get("agency", "")) if "%(agency)s" not in words else ""


# -- the numbers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Promise:
    """What the first tile says."""

    callers: int  # of this year
    bounced: int
    forgotten: int  # of the bounced, those of whom no row remains
    bounces: str
    more: bool  # there are more bounces than lines
    lines: list[Line]
    callers_before: int  # of the year before
    kept_before: int
    days: int | None  # since the last bounce; None where there was none this year or the last
    is_counted: bool = True  # False: the sums are not to be shown yet

    @property
    def kept(self) -> int:
        return max(self.callers - self.bounced - self.forgotten, 0)

    @property
    def percent(self) -> int:
        """Of the callers; a hundred only where it is all of them."""
        if not self.callers:
            return 100
        return 100 if self.kept == self.callers else min(round(100 * self.kept / self.callers), 99)


def asked_of(user: User) -> dict[str, Any]:
    """What the promise asks of the statement that all numbers share."""
    year = clock.today().year
    last = Bounce.objects.visible_to(user).counted().filter(OF_CALLER, at__gte=span_of(year - 1)[0]).order_by("-at")
    return {
        "last_bounce": first_of(last, "at"),
        "newest_bounces": Listed(bounces_of_year(user).order_by("-at", "-pk"), "pk", SHOWN),
        "still_counted": still_counted(),
        **_asked_of_year(user, year, "this"),
        **_asked_of_year(user, year - 1, "last"),
    }


def _asked_of_year(user: User, year: int, name: str) -> dict[str, Any]:
    days = (dt.date(year, 1, 1), dt.date(year, 12, 31))
    sums = DaySum.objects.filter(unit=user.unit_id, what__in=CALLERS, part=PART, day__range=days)
    past = PastCase.objects.filter(unit=user.unit_id, opened_quarter__range=days).exclude(NO_PAST_CALL)
    begin, end = span_of(year)
    locked = Case.objects.counted().filter(pk__in=in_locked(user), unit=user.unit_id)
    locked = locked.filter(opened_at__gte=begin, opened_at__lt=end)
    bounced = locked.filter(
        Exists(Bounce.objects.filter(Q(case=OuterRef("pk")) | Q(case=None, call__case=OuterRef("pk"))))
    )
    return {
        f"kept_{name}": _sum(sums.filter(value=KEPT)),
        f"bounced_{name}": _sum(sums.filter(value=BOUNCED)),
        f"past_kept_{name}": _many(past.filter(bounces=0)),
        f"past_bounced_{name}": _many(past.filter(bounces__gt=0)),
        f"locked_{name}": Count(locked),
        f"locked_bounced_{name}": Count(bounced),
    }


def _sum(sums: QuerySet[DaySum]) -> Coalesce:
    one = sums.order_by().annotate(one=Value(1)).values("one").annotate(n=Sum("count")).values("n")
    return Coalesce(Subquery(one), 0)


def _many(past: QuerySet[PastCase]) -> Coalesce:
    one = past.order_by().annotate(one=Value(1)).values("one").annotate(n=CountRows("*")).values("n")
    return Coalesce(Subquery(one), 0)


def promise_of(user: User, found: Mapping[str, Any]) -> Promise:
    """The promise, from what was found; the newest bounces with it. One statement more, and none where there is none."""
    of_sums = found["bounced_this"] - found["locked_bounced_this"]
    bounced = found["bounced"] if found["bounced"] <= MOST else max(of_sums, MOST)
    now = found["kept_this"] + found["bounced_this"] - found["locked_this"]
    before = found["kept_last"] + found["bounced_last"] + found["past_kept_last"] + found["past_bounced_last"]
    kept_before = found["kept_last"] + found["past_kept_last"] - found["locked_last"] + found["locked_bounced_last"]
    newest = Bounce.objects.visible_to(user).filter(pk__in=found["newest_bounces"] or [])
    rows = lines_of(newest, user).order_by("-at", "-pk") if found["bounces"] else []
    last = found["last_bounce"]
    return Promise(
        callers=max(now, bounced) + found["past_kept_this"] + found["past_bounced_this"],
        bounced=bounced,
        forgotten=found["past_bounced_this"],
        bounces=said_count(found["bounces"]),
        more=found["bounces"] > SHOWN,
        lines=said(rows, user),
        callers_before=before - found["locked_last"],
        kept_before=kept_before,
        days=(clock.today() - clock.local_date(last)).days if last else None,
        is_counted=not found["still_counted"],
    )
