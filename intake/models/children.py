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
    # A mandated reporter who asks is told whether an inquiry is opened (SoL 19:6).
    feedback_asked_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True)  # opened, not_opened or under_way (SoL 20:2)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="report_decided_whole",
                condition=Q(outcome="", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(outcome="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
            )
        ]

    class Privacy:
        plain = {
            *("id", "case", "received_at", "child_age_band", "registered_by", "feedback_asked_at", "outcome"),
            *("decided_at", "decided_by"),
        }


class ChildClock(models.Model):
    """One statutory time that runs for a child: the day to aim at, and the last day by law."""

    report = models.ForeignKey(ConcernReport, models.PROTECT, related_name="clocks")
    kind = models.CharField(max_length=40)
    aim = models.DateField()
    last_day = models.DateField()
    started_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    extended_at = models.DateTimeField(null=True)  # for special reasons; the reason stands in the timeline
    extended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_clock_a_kind", fields=["report", "kind"]),
            models.CheckConstraint(name="aim_before_last_day", condition=Q(aim__lte=F("last_day"))),
        ]

    class Privacy:
        plain = {
            *("id", "report", "kind", "aim", "last_day", "started_at", "done_at", "done_by", "extended_at"),
            "extended_by",
        }

    @property
    def days_left(self) -> int:
        """Whole days to the last day by law; negative when it has passed."""
        return (self.last_day - clock.today()) // dt.timedelta(days=1)
