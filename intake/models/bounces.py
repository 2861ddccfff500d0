"""The ledger of bounces: each time the promise was not kept, with its cause. Codes alone, never changed."""

import uuid
from collections.abc import Iterable
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Coalesce

from helpline.people import clock
from helpline.people.ids import uuid7
from helpline.people.models import Unit, User, never_changed_in
from intake.models.calls import Call
from intake.models.cases import Case, in_locked
from intake.models.sums import marks_days

# The day that is summed is that on which the person came: of a case, also that of the call that came to it.
CAME_AS_CASE = """(SELECT c.opened_at FROM intake_case c WHERE c.id = coalesce(
    {row}.case_id, (SELECT k.case_id FROM intake_call k WHERE k.id = {row}.call_id)))"""
# Whose it is, by the case, or by the call where it was written of no case; said by the database, whoever writes the row.
UNIT_OF = """
    NEW.unit_id = coalesce((SELECT c.unit_id FROM intake_case c WHERE c.id = NEW.case_id),
                           (SELECT k.unit_id FROM intake_call k WHERE k.id = NEW.call_id));
    RETURN NEW;
"""


class BounceQuerySet(models.QuerySet["Bounce"]):
    """Which bounces."""

    def counted(self) -> Self:
        """Those that figures count: practice is none of them."""
        return self.exclude(case__is_practice=True).exclude(call__is_practice=True)

    def of(self, case: Case) -> Self:
        """Those of one case: its own, and those of the calls that came to it."""
        # Each by its own index: an "or" between this table and the calls would read all that is of no case.
        own, of_calls = (
            Bounce.objects.filter(**of).values("pk") for of in ({"case": case}, {"case": None, "call__case": case})
        )
        return self.filter(pk__in=own.union(of_calls))

    def visible_to(self, user: User) -> Self:
        """Those of one's own unit, by the case, or by the call where no case came of it."""
        if not user.is_in_use or user.unit_id is None:
            return self.none()
        found = self.filter(unit=user.unit_id)
        return found.exclude(case__in=in_locked(user)).exclude(call__case__in=in_locked(user))

    def per_case(self, cases: "Iterable[Case] | models.QuerySet[Case]") -> dict[uuid.UUID, int]:
        """Case -> how many, of these cases; one query, however many they are. A case without any is not in it."""
        ids = [case.pk for case in cases]
        found = self.annotate(whose=Coalesce("case_id", "call__case_id")).filter(whose__in=ids)
        return dict(found.order_by().values("whose").annotate(count=Count("pk")).values_list("whose", "count"))


class Bounce(models.Model):
    """One bounce: somebody was passed on, made to wait, or had to tell it again. `source` makes one event one bounce."""

    append_only = True
    disposable = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="bounces")
    call = models.ForeignKey(Call, models.PROTECT, null=True, related_name="bounces")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", db_index=False)  # by the trigger of_unit
    cause = models.CharField(max_length=24)  # labels.BOUNCES
    source = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    about = models.CharField(max_length=40, blank=True)  # the row that it is about: a step, a referral
    codes = models.JSONField(default=dict)  # for its line: agency, need, step; whose hands it was in, and came to

    objects = BounceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["case", "at"], name="bounces_of_case"),
            models.Index(fields=["at", "cause"], name="bounces_in_order"),
            models.Index(fields=["unit", "at"], name="bounces_of_unit"),
        ]
        constraints = [
            models.CheckConstraint(name="bounce_of_somebody", condition=Q(case__isnull=False) | Q(call__isnull=False))
        ]
        triggers = [
            # But for its unit, which follows that of its case or call (migration 0015).
            pgtrigger.Protect(
                name="no_update",
                operation=pgtrigger.UpdateOf(
                    "id", "case_id", "call_id", "cause", "source", "at", "by_id", "about", "codes"
                ),
            ),
            pgtrigger.Trigger(
                name="of_unit",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("unit_id"),
                func=UNIT_OF,
            ),
            *never_changed_in(
                case="coalesce(OLD.case_id, (SELECT c.case_id FROM intake_call c WHERE c.id = OLD.call_id))",
                call="OLD.call_id",
            )[1:],
            marks_days("marks_day_of_case", CAME_AS_CASE),
            marks_days("marks_day_of_call", "(SELECT c.received_at FROM intake_call c WHERE c.id = {row}.call_id)"),
        ]

    class Privacy:
        plain = {"id", "case", "call", "unit", "cause", "source", "at", "by", "about", "codes"}
