"""Handing over a shift: who needs somebody today, from one worker to another, until the other has said yes."""

from django.db import models
from django.db.models import Q

from helpline.people import clock
from helpline.people.models import Unit, User
from intake.models.steps import FollowUp


class ShiftHandover(models.Model):
    """Steps that one worker leaves to another. They stay the giver's until the receiver acknowledges."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    given_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    given_to = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    acknowledged_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    steps = models.ManyToManyField(FollowUp, related_name="+")

    class Meta:
        indexes = [
            models.Index(
                fields=["given_to", "at"],
                name="shifts_to_take",
                condition=Q(acknowledged_at__isnull=True, withdrawn_at__isnull=True),
            ),
            models.Index(
                fields=["given_by", "at"],
                name="shifts_given",
                condition=Q(acknowledged_at__isnull=True, withdrawn_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="shift_to_another", condition=~Q(given_by=models.F("given_to"))),
            models.CheckConstraint(
                name="shift_ends_one_way", condition=Q(acknowledged_at__isnull=True) | Q(withdrawn_at__isnull=True)
            ),
        ]

    class Privacy:
        plain = {"id", "unit", "given_by", "given_to", "at", "acknowledged_at", "withdrawn_at", "steps"}
