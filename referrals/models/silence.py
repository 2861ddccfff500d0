"""The ladder of an agency's silence: a row a rung, with its time, made when the handover is sent."""

from django.db import models
from django.db.models import Q

from referrals.models.referrals import Referral


class SilenceRung(models.Model):
    """One rung: when, and whether it was climbed. The row is the truth; Celery only looks for due ones. A round is a time in
    which we wait for an answer: it begins when the handover is sent, and anew when we have answered a question."""

    class State(models.TextChoices):
        SCHEDULED = "scheduled"
        FIRED = "fired"
        CANCELLED = "cancelled"  # an answer came first

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="rungs")
    round = models.PositiveSmallIntegerField(default=1)
    rung = models.CharField(max_length=8)  # RUNGS (deadlines)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.SCHEDULED)
    fired_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="rungs_due", condition=Q(state="scheduled"))]
        constraints = [
            models.UniqueConstraint(name="one_rung_once", fields=["referral", "round", "rung"]),
            models.CheckConstraint(
                name="rung_fired_whole",
                condition=Q(state="fired", fired_at__isnull=False) | (~Q(state="fired") & Q(fired_at__isnull=True)),
            ),
        ]

    class Privacy:
        plain = {"id", "referral", "round", "rung", "due_at", "state", "fired_at"}
