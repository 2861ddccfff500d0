"""Reports of concern for a child, and the clocks of the law that they start."""

import datetime as dt

from django.db import models
from django.db.models import F, Q

from helpline.people import clock
from helpline.people.models import User
from intake.models.cases import Case


class ConcernReport(models.Model):
    """A report of concern for a child (SoL 19:1). It starts the child clocks. The child's age is its own, not the call's."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="concern_reports")
    received_at = models.DateTimeField(default=clock.now)
    child_age_band = models.CharField(max_length=8)
    registered_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Privacy:
        plain = {"id", "case", "received_at", "child_age_band", "registered_by"}


class ChildClock(models.Model):
    """One statutory time that runs for a child: the day to aim at, and the last day by law."""

    report = models.ForeignKey(ConcernReport, models.PROTECT, related_name="clocks")
    kind = models.CharField(max_length=40)
    aim = models.DateField()
    last_day = models.DateField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_clock_a_kind", fields=["report", "kind"]),
            models.CheckConstraint(name="aim_before_last_day", condition=Q(aim__lte=F("last_day"))),
        ]

    class Privacy:
        plain = {"id", "report", "kind", "aim", "last_day", "done_at"}

    @property
    def days_left(self) -> int:
        """Whole days to the last day by law; negative when it has passed."""
        return (self.last_day - clock.today()) // dt.timedelta(days=1)
