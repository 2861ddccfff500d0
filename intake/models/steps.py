"""Steps that are promised, and the reminders of them."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext

from helpline.people import clock
from helpline.people.models import User
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake.labels import AT_TIME, CALLING, NEEDS_WORDS, STEP_KINDS
from intake.models.cases import Case, in_hands, in_locked, not_to_locked_out


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    """Which steps."""

    def visible_to(self, user: User) -> Self:
        """The steps of the unit's cases; none of one that this person is locked out of."""
        if not user.is_in_use or user.unit_id is None:
            return self.none()
        return self.filter(case__unit=user.unit_id).exclude(case__in=in_locked(user))

    def planned(self) -> Self:
        """Still to do."""
        return self.filter(state=FollowUp.State.PLANNED)

    def overdue(self) -> Self:
        """Still to do, and past their time."""
        return self.planned().filter(due_at__lt=clock.now())

    def in_order(self) -> Self:
        """First due first."""
        return self.order_by("due_at", "id")


class FollowUp(SealedModel):
    """A step that somebody has promised: what, who, when. A step that another floor planned carries `kept_by`, and only
    that floor ends it."""

    class State(models.TextChoices):
        PLANNED = "planned"
        DONE = "done"
        CANCELLED = "cancelled"
        MOVED = "moved"  # another row has taken its place

    case = models.ForeignKey(Case, models.PROTECT, related_name="steps")
    owner = models.ForeignKey(User, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=24)
    what = SealedTextField()
    codes = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    kept_by = models.CharField(max_length=20, blank=True)
    others_turn = models.BooleanField(default=False)  # somebody else acts; its owner sees to it that they do
    about = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    planned_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    outcome = SealedTextField()

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "due_at", "id"], name="own_steps", condition=Q(state="planned")),
            models.Index(fields=["case", "due_at", "id"], name="case_steps", condition=Q(state="planned")),
            models.Index(fields=["about"], name="kept_steps", condition=Q(state="planned") & ~Q(kept_by="")),
        ]
        constraints = [
            models.CheckConstraint(
                name="step_ended_whole",
                condition=Q(state="planned", ended_at__isnull=True) | (~Q(state="planned") & Q(ended_at__isnull=False)),
            )
        ]
        triggers = [
            in_hands("in_hands_ins", "NEW.case_id", pgtrigger.Insert | pgtrigger.Update),
            in_hands("in_hands_del", "OLD.case_id", pgtrigger.Update | pgtrigger.Delete),
            not_to_locked_out("NEW.case_id", pgtrigger.Q(new__state="planned")),
        ]

    class Privacy:
        personal = {"what", "outcome"}
        plain = {
            *("id", "case", "owner", "kind", "codes", "due_at", "kept_by", "others_turn", "about", "state"),
            *("planned_at", "ended_at", "ended_by"),
        }

    def seal_key(self) -> DataKey:
        return self.case.key

    @property
    def title(self) -> str:
        """What is to be done, in words: the worker's own where there are any."""
        return self.what or str(STEP_KINDS[self.kind]) % self.codes

    @property
    def in_list(self) -> str:
        """What is to be done, as a list of one's own says it: of a protected case nothing."""
        return gettext("Protected data") if self.case.is_protected else self.title

    @property
    def label(self) -> str:
        """What is to be done without the worker's own words: for lists that others see."""
        return str(STEP_KINDS[self.kind]) % self.codes

    @property
    def is_calling(self) -> bool:
        """Whether it is done by reaching the person."""
        return self.kind in CALLING and not self.others_turn

    @property
    def is_exact(self) -> bool:
        """Whether it is done at its time, and not by then."""
        return self.kind in AT_TIME

    @property
    def needs_words(self) -> str:
        """What must be written where it is only ticked off; "" where nothing must."""
        return str(NEEDS_WORDS.get(self.kind, ""))

    @property
    def is_late(self) -> bool:
        """Planned, and past its time."""
        return self.state == self.State.PLANNED and self.due_at < clock.now()


class Reminder(models.Model):
    """One rung of reminding about one step. The row is the truth; Celery only looks for due ones."""

    class State(models.TextChoices):
        SCHEDULED = "scheduled"
        FIRED = "fired"
        CANCELLED = "cancelled"

    class Rung(models.TextChoices):
        DUE = "due"  # the step's owner, when it is due
        LATE = "late"  # the unit's managers, the next working morning

    step = models.ForeignKey(FollowUp, models.CASCADE, related_name="reminders")
    rung = models.CharField(max_length=4, choices=Rung.choices)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.SCHEDULED)
    fired_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="reminders_due", condition=Q(state="scheduled"))]
        constraints = [models.UniqueConstraint(name="one_reminder_a_rung", fields=["step", "rung"])]

    class Privacy:
        plain = {"id", "step", "rung", "due_at", "state", "fired_at"}
