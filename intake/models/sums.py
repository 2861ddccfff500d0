"""Sums kept by day, and the marks that say which day's sums are to be counted anew."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from helpline.people import clock
from helpline.people.models import NEVER_CHANGED, Unit


class DayMark(models.Model):
    """That something of a day has changed, so that its sums are counted anew: written by triggers, in the transaction of
    the change, and taken away in the transaction of the counting. One row each time, so that none is lost between the two."""

    day = models.DateField()
    at = models.DateTimeField(default=clock.now, db_default=models.functions.Now())

    class Privacy:
        plain = {"id", "day", "at"}


class DaySumQuerySet(models.QuerySet["DaySum"]):
    """Which sums."""

    def of(self, what: str, part: str = "") -> Self:
        """Of one thing that is counted, told apart in one way; in no way where it is empty."""
        return self.filter(what=what, part=part)


class DaySum(models.Model):
    """How many of something a unit had on a day: in all, and told apart in one way at a time, never crossed. Names nobody;
    what it counts, and of what, is said by sums.MEASURES."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    what = models.CharField(max_length=12)
    part = models.CharField(max_length=12, blank=True)
    day = models.DateField()
    value = models.CharField(max_length=24, blank=True)
    hours = models.PositiveSmallIntegerField(default=0)  # of what takes its time, begun hours: a row for each
    count = models.PositiveIntegerField()
    minutes = models.PositiveBigIntegerField(default=0)  # how long they were, together

    objects = DaySumQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["day"], name="sums_of_day")]
        constraints = [
            models.UniqueConstraint(name="one_sum", fields=["unit", "what", "part", "day", "value", "hours"]),
            models.CheckConstraint(name="sum_of_some", condition=Q(count__gt=0)),
        ]

    class Privacy:
        plain = {"id", "unit", "what", "part", "day", "value", "hours", "count", "minutes"}


class ToldPeriod(models.Model):
    """What was told outside of an ended quarter or year of the whole line, and what it was told from: frozen when it is first
    told, so that nobody learns from two tellings what neither says. Names nobody; `counts` stay inside."""

    append_only = True  # grants.py: the application's role adds and reads, no more

    period = models.CharField(max_length=7, unique=True)  # 2026-Q3, 2026
    counts = models.JSONField()  # statistics.Counts: with what is under five, by unit
    told = models.JSONField()  # the same, as it is told
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = NEVER_CHANGED

    class Privacy:
        plain = {"id", "period", "counts", "told", "at"}


def marks_days(name: str, moment: str, columns: str = "") -> pgtrigger.Trigger:
    """The trigger that marks the day of a row, as it was and as it is, when it comes, goes, or changes in one of these
    columns. `moment` is SQL over {row}."""
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns.split()) or "true"
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=f"""
            IF TG_OP <> 'UPDATE' OR {changed} THEN
                IF TG_OP <> 'INSERT' THEN PERFORM helpline_mark_day({moment.format(row="OLD")}); END IF;
                IF TG_OP <> 'DELETE' THEN PERFORM helpline_mark_day({moment.format(row="NEW")}); END IF;
            END IF;
            RETURN NULL;
        """,
    )
