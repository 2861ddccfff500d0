"""The monthly review of the log: drawn, marked, signed, and reminded of when it is late (SoLPuL 10 §).

Of each unit, and of those who have none. Nobody marks what they did themselves: what a manager did is for the reviewer,
and what the only reviewer did is for the managers.
"""

import datetime as dt
import math
import random
from collections.abc import Collection

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from helpline.log_rules import RULES, SAMPLE, material_of
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, LogReview, LogReviewRow, Role, Unit, User, in_use
from helpline.people.notices import notify
from helpline.people.workdays import add_working_days, at_work, is_working_day, local
from intake.models.cases import LockedOut, in_locked

LEAST, SHARE, MOST = 10, 0.05, 60  # of the openings, by chance: at least so many, or this share; and no more than
DAYS_TO_SIGN = 10  # working days into the month
DAYS_TO_CLIMB = 5  # working days late, until the reviewer hears of it too
MOST_MONTHS = 12  # that are made up for where nobody has drawn any
_chance = random.SystemRandom()


# -- drawn -------------------------------------------------------------------------------------------------------------


def draw_reviews() -> int:
    """Draw last month's reviews from the first working day of a month on, and those of months that were missed. Returns how
    many. Harmless when run twice or at once."""
    this_month = clock.today().replace(day=1)
    if clock.today() < add_working_days(this_month, 0):
        return 0
    units: list[Unit | None] = [*Unit.objects.order_by("pk"), None]
    return sum(_draw(unit, month) for month in _months_before(this_month) for unit in units)


def _months_before(this_month: dt.date) -> list[dt.date]:
    last_drawn = LogReview.objects.order_by("-month").values_list("month", flat=True).first()
    months = [_month_before(this_month)]
    while last_drawn and months[0] > last_drawn and _month_before(months[0]) > last_drawn and len(months) < MOST_MONTHS:
        months.insert(0, _month_before(months[0]))
    return months


def _month_before(month: dt.date) -> dt.date:
    return (month - dt.timedelta(days=1)).replace(day=1)


def _draw(unit: Unit | None, month: dt.date) -> bool:
    after = (month + dt.timedelta(days=31)).replace(day=1)
    due = add_working_days(after - dt.timedelta(days=1), DAYS_TO_SIGN)
    with transaction.atomic():
        review, made = LogReview.objects.get_or_create(
            unit=unit, month=month, defaults={"due_on": due, "drawn_at": clock.now()}
        )
        if not made:
            return False
        span = (local(month, dt.time()), local(after, dt.time()))
        rows = LogEntry.objects.filter(at__gte=span[0], at__lt=span[1], user__unit=unit, user__isnull=False)
        caught = _caught(rows)
        LogReviewRow.objects.bulk_create(
            LogReviewRow(review=review, entry=row, subject_id=row.user_id or 0, rules=why) for row, why in caught
        )
        log("log.review_drawn", by=None, row=review.pk, rows=len(caught))
        _tell(review, "log.review_drawn")
    return True


def _caught(rows: QuerySet[LogEntry]) -> list[tuple[LogEntry, list[str]]]:
    """The rows that a rule catches, and some by chance, each with the rules that drew it."""
    found = material_of(rows)
    entries: dict[int, LogEntry] = {}
    why: dict[int, list[str]] = {}
    for key, rule in RULES.items():
        for row in rule.catches(found):
            entries[row.pk] = row
            why.setdefault(row.pk, []).append(key)
    count = min(MOST, max(LEAST, math.ceil(len(found.openings) * SHARE)), len(found.openings))
    for row in _chance.sample(found.openings, count):
        entries[row.pk] = row
        why.setdefault(row.pk, []).append(SAMPLE)
    return [(entries[pk], why[pk]) for pk in sorted(entries)]


# -- whose duty --------------------------------------------------------------------------------------------------------


def reviews_of(user: User) -> QuerySet[LogReview]:
    """The reviews that this person sees: of the own unit, and for the reviewer all; none without rows."""
    there = LogReview.objects.filter(Exists(LogReviewRow.objects.filter(review=OuterRef("pk")))).select_related("unit")
    if user.role == Role.REVIEWER:
        return there
    theirs = LogReviewRow.objects.filter(review=OuterRef("pk"), pk__in=rows_for(user).values("pk"))
    return (
        there.filter(Q(unit=user.unit_id, unit__isnull=False) | Exists(theirs))
        if user.role == Role.MANAGER
        else there.none()
    )


def rows_for(user: User) -> QuerySet[LogReviewRow]:
    """The rows that this person may mark; never those of their own."""
    rows = LogReviewRow.objects.exclude(subject=user)
    if user.role == Role.REVIEWER:
        return rows
    return rows.filter(_for_manager(user)) if user.role == Role.MANAGER else rows.none()


def _for_manager(user: User) -> Q:
    """What a manager may mark: of the own unit all but what managers did and what is of a case that one is locked out of;
    what the only reviewer did. Where there is no reviewer a manager marks, of any unit, what no other way leads to: what
    another manager did, what is of those without a unit, and of a case that a manager is locked out of."""
    own = Q(review__unit=user.unit_id) & ~Q(subject__role=Role.MANAGER)
    locked = LockedOut.objects.in_force().filter(user__role=Role.MANAGER).values("case")
    orphans = Q(subject__role=Role.MANAGER) | Q(review__unit__isnull=True) | Q(entry__case__in=locked)
    by_none = Q(~Exists(reviewers())) & orphans
    by_few = Q(subject__role=Role.REVIEWER) & ~Q(Exists(reviewers().exclude(pk=OuterRef("subject"))))
    return (own | by_none) & ~Q(entry__case__in=in_locked(user)) | by_few


def reviewers() -> QuerySet[User]:
    """Who reviews logs, and is there."""
    return User.objects.filter(in_use(), role=Role.REVIEWER)


def responsible(review: LogReview) -> list[User]:
    """Who is to do what is left of it: the unit's managers for what they may mark, else the reviewers, else any manager who
    may; and where only the signature is left, who signs. Nobody who can do nothing about it."""
    left = Q(review=review, verdict="")
    managers = list(User.objects.filter(in_use(), role=Role.MANAGER, unit=review.unit, unit__isnull=False))
    first = [user for user in managers if rows_for(user).filter(left).exists()]
    rest = LogReviewRow.objects.filter(left)
    for user in first:
        rest = rest.exclude(pk__in=rows_for(user).values("pk"))
    elsewhere = User.objects.filter(in_use(), role=Role.MANAGER).exclude(pk__in=[user.pk for user in first])
    if not rest.exists():
        return first or managers or list(reviewers()) or [user for user in elsewhere if may_sign(user, review)]
    left_over = rest.values("pk")
    others = [user for user in reviewers() if rows_for(user).filter(pk__in=left_over).exists()]
    others = others or [user for user in elsewhere if rows_for(user).filter(pk__in=left_over).exists()]
    return [*first, *others]


def waiting_for(user: User) -> int:
    """How many reviews wait for this person."""
    return waiting_reviews(user).count()


def waiting_reviews(user: User) -> QuerySet[LogReview]:
    """The reviews that wait for this person: something is left to mark, or the signature."""
    left = LogReviewRow.objects.filter(review=OuterRef("pk"), verdict="")
    mine = rows_for(user).filter(review=OuterRef("pk"), verdict="")
    unsigned = LogReview.objects.filter(
        Exists(LogReviewRow.objects.filter(review=OuterRef("pk"))), signed_at__isnull=True
    )
    return unsigned.filter(Exists(mine) | _signed_by(user) & ~Exists(left))


def may_sign(user: User, review: LogReview) -> bool:
    """A manager of the unit, or the reviewer; where there is neither, any manager."""
    return LogReview.objects.filter(_signed_by(user), pk=review.pk).exists()


def _signed_by(user: User) -> Q:
    if user.role != Role.MANAGER:
        return Q() if user.role == Role.REVIEWER else Q(pk__in=[])
    of_the_unit = User.objects.filter(in_use(), role=Role.MANAGER, unit=OuterRef("unit"))
    return Q(unit=user.unit_id) | Q(~Exists(reviewers())) & Q(~Exists(of_the_unit))


# -- marked and signed -------------------------------------------------------------------------------------------------


def mark_rows(*, by: User, review: LogReview, rows: Collection[int], verdict: str) -> int:
    """Mark rows as justified or to be investigated; until it is signed a mark can be changed. Returns how many were marked.
    Raises Refused, for what one did oneself too, or TooLate."""
    if verdict not in LogReviewRow.Verdict.values:
        raise Refused(_("Choose what you found."))
    with transaction.atomic():
        _hold(review)
        chosen = list(rows_for(by).filter(review=review, pk__in=rows))
        if len(chosen) != len(set(rows)):
            raise Refused(_("Some of these are not for you to mark: nobody reviews what they did themselves."))
        if not chosen:
            raise Refused(_("Tick the rows that you have looked at."))
        LogReviewRow.objects.filter(pk__in=[row.pk for row in chosen]).update(
            verdict=verdict, marked_at=clock.now(), marked_by=by
        )
        log("log.marked", by=by, row=review.pk, rows=[row.entry_id for row in chosen], verdict=verdict)
        if verdict == LogReviewRow.Verdict.INVESTIGATE:
            for row in chosen:
                _tell_reviewers(row, but=by)
    return len(chosen)


def sign_review(*, by: User, review: LogReview) -> None:
    """Sign a review of which every row is marked. Nothing of it changes afterwards. Raises Refused or TooLate."""
    with transaction.atomic():
        _hold(review)
        if not may_sign(by, review):
            raise Refused(_("The unit manager or the reviewer signs it."))
        if review.rows.filter(verdict="").exists():
            raise Refused(_("Rows are left to mark. It is signed when all of them are marked."))
        signed = LogReview.objects.filter(pk=review.pk, signed_at__isnull=True)
        if not signed.update(signed_at=clock.now(), signed_by=by):
            raise TooLate(_("It is signed already."))
        log("log.review_signed", by=by, row=review.pk)


def _hold(review: LogReview) -> None:
    held = LogReview.objects.select_for_update(no_key=True).get(pk=review.pk)
    if held.signed_at is not None:
        raise TooLate(_("It is signed already."))


# -- told --------------------------------------------------------------------------------------------------------------


def remind_late() -> int:
    """On a working day, tell who is responsible for a review that is late; after some days the reviewer too. Each of them
    once a day at most, however many are late. Returns how many were told."""
    today = clock.today()
    if not is_working_day(today):
        return 0
    told = 0
    there = LogReview.objects.filter(Exists(LogReviewRow.objects.filter(review=OuterRef("pk"))))
    for review in there.filter(signed_at__isnull=True, due_on__lt=today).order_by("due_on", "pk"):
        people = {user.pk: user for user in responsible(review)}
        if today > add_working_days(review.due_on, DAYS_TO_CLIMB):
            people |= {user.pk: user for user in reviewers()}
        for user in people.values():
            told += _notify(user, "log.review_late", f"log.review_late:{user.pk}:{today}", review)
    return told


def _tell(review: LogReview, kind: str) -> None:
    if review.rows.exists():
        for user in responsible(review):
            _notify(user, kind, f"{kind}:{review.pk}:{user.pk}", review)


def _tell_reviewers(row: LogReviewRow, *, but: User) -> None:
    for user in reviewers().exclude(pk__in=[but.pk, row.subject_id]):
        _notify(user, "log.investigate", f"log.investigate:{row.pk}:{user.pk}", row.review)


def _notify(user: User, kind: str, source: str, review: LogReview) -> bool:
    return notify(user=user, kind=kind, source=source, about=str(review.pk), mail_at=at_work(clock.now()))
