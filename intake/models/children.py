"""Reports of concern for a child, and the clocks of the law that they start."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from helpline.people import clock
from helpline.people.models import User
from intake import clocks, triage
from intake.labels import CLOCKS
from intake.models.cases import Case
from intake.models.sums import marks_days

# What staff without the qualification of SoL 25:1 may not end, whoever writes it.
DECIDED = [kind for kind, rule in clocks.CLOCKS.items() if rule.qualified]
QUALIFIED = """
    IF (TG_OP = 'INSERT' OR OLD.done_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM people_user u WHERE u.id = NEW.done_by_id AND u.is_qualified) THEN
        RAISE EXCEPTION 'child clock %: only qualified staff decide', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


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
        indexes = [models.Index(fields=["received_at"], name="reports_by_time")]
        triggers = [marks_days("marks_day", "{row}.received_at", "case_id received_at")]
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

    @property
    def age_name(self) -> str:
        return triage.name_of("age_bands", self.child_age_band)

    @property
    def starts_clocks(self) -> bool:
        """Whether it concerns a child or a young person, or somebody whose age nobody knows."""
        return clocks.starts_clocks(self.child_age_band)

    @property
    def law(self) -> list[tuple[str, str]]:
        """What the law asks for at that age: (text, paragraphs)."""
        return clocks.law_for(self.child_age_band)


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
        indexes = [models.Index(fields=["last_day"], name="clocks_running", condition=Q(done_at__isnull=True))]
        constraints = [
            models.UniqueConstraint(name="one_clock_a_kind", fields=["report", "kind"]),
            models.CheckConstraint(name="aim_before_last_day", condition=Q(aim__lte=F("last_day"))),
            models.CheckConstraint(
                name="clock_done_whole",
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="decided_by_qualified",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__done_at__isnull=False, new__kind__in=DECIDED),
                func=QUALIFIED,
            )
        ]

    class Privacy:
        plain = {
            *("id", "report", "kind", "aim", "last_day", "started_at", "done_at", "done_by", "extended_at"),
            "extended_by",
        }

    @property
    def rule(self) -> clocks.Clock:
        """Its row of the table."""
        return clocks.CLOCKS[self.kind]

    @property
    def name(self) -> str:
        return str(CLOCKS[self.kind])

    @property
    def at_once(self) -> bool:
        """Whether the law gave it no days when it started."""
        return self.aim == self.last_day == clock.local_date(self.started_at)

    @property
    def runs(self) -> bool:
        return self.done_at is None

    @property
    def days_left(self) -> int:
        """Whole days to the day to aim at; negative when it has passed."""
        return (self.aim - clock.today()) // clocks.A_DAY

    @property
    def days_late(self) -> int:
        """Whole days since the last day by law, for a clock that runs; 0 where that day has not passed."""
        return max((clock.today() - self.last_day) // clocks.A_DAY, 0) if self.runs else 0

    @property
    def is_past_aim(self) -> bool:
        """It runs, and the day to aim at has passed."""
        return self.runs and clock.today() > self.aim

    @property
    def is_a_day_late(self) -> bool:
        """What was to be done at once is not done, and more than a day has gone."""
        return self.runs and self.at_once and clock.now() > self.started_at + clocks.A_DAY

    @property
    def done_late(self) -> bool:
        """It was done, but after the last day by law."""
        return self.done_at is not None and clock.local_date(self.done_at) > self.last_day
