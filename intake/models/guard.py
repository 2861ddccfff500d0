"""What the law asks about whole persons: the search index, decisions on secrecy, and what remains of what is forgotten."""

import datetime as dt

from django.db import models
from django.db.models import Q

from helpline.people import clock
from helpline.people.models import Municipality, Unit, User
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake.models.calls import Call
from intake.models.cases import Case, Person


class SearchMark(models.Model):
    """The keyed hash (IndexKey) of a name or a number of somebody in a case, or of who called without one: what an exact
    search finds. It goes when the words do."""

    class Kind(models.TextChoices):
        NAME = "name"
        NUMBER = "number"  # personal or coordination number

    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="search_marks")
    call = models.ForeignKey(Call, models.CASCADE, null=True, related_name="search_marks")
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="search_marks")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    mark = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["mark"], name="search_by_mark")]
        constraints = [
            models.CheckConstraint(
                name="mark_of_a_case_or_a_call", condition=Q(case__isnull=False) | Q(call__isnull=False)
            ),
            models.UniqueConstraint(
                name="marked_once", fields=["case", "call", "person", "kind", "mark"], nulls_distinct=False
            ),
        ]

    class Privacy:
        plain = {"id", "case", "call", "person", "kind", "mark"}


class SecrecyDecision(SealedModel):
    """The decision that stands before an extract of everything about one person (GDPR Art. 15; OSL 26 kap.): who asked,
    who decided, what is given out. Without one there is no extract. The person is one of a case, or is known from a call
    without a case: who called, or whom it was about."""

    class Outcome(models.TextChoices):
        ALL = "all"  # all of the person's own data
        PART = "part"  # parts are held back, with their reason
        REFUSED = "refused"

    class CallPart(models.TextChoices):
        CALLER = "caller"
        CONCERN = "concern"  # whom the call was about
        BOTH = "both"  # who called, about themselves

    HOLDS = dt.timedelta(days=30)  # it is about what stood there when it was made (GDPR Art. 12.3: one month)

    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="secrecy_decisions")
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="secrecy_decisions")
    call = models.ForeignKey(Call, models.PROTECT, null=True, related_name="secrecy_decisions")
    call_part = models.CharField(max_length=8, choices=CallPart.choices, blank=True)
    covers = models.JSONField(default=dict)  # which rows are the same person: {"people": [...], "calls": [...]}
    asked_by = models.CharField(max_length=16)  # self, guardian or representative
    identity_checked = models.CharField(max_length=16)  # how: id_card, e_id, known
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    held_back = models.JSONField(default=list)  # codes of the parts that are held back
    law = models.CharField(max_length=60)
    registry_number = models.CharField(max_length=40)
    reason = SealedTextField()
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=clock.now)
    made_at = models.DateTimeField(null=True)  # the extract was made

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decision_on_a_person_or_a_call",
                condition=Q(person__isnull=False, case__isnull=False, call__isnull=True, call_part="")
                | Q(
                    person__isnull=True,
                    case__isnull=True,
                    call__isnull=False,
                    call_part__in=["caller", "concern", "both"],
                ),
            ),
        ]

    class Privacy:
        personal = {"reason"}
        plain = {
            *(
                "id",
                "case",
                "person",
                "call",
                "call_part",
                "covers",
                "asked_by",
                "identity_checked",
                "outcome",
                "held_back",
                "law",
            ),
            *("registry_number", "decided_by", "decided_at", "made_at"),
        }

    def seal_key(self) -> DataKey:
        owner = self.case or self.call
        assert owner is not None  # the constraint says so
        return owner.key

    @property
    def part(self) -> str:
        """As whom the person stands there: the part in the case, or in the call."""
        return self.person.part if self.person else self.call_part


class PastCase(models.Model):
    """What remains of a case, or of a call without one, when it is forgotten: coded facts for the statistics, with neither
    number nor day, so that nothing leads back."""

    is_call = models.BooleanField(default=False)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    opened_quarter = models.DateField()  # its first day
    closed_quarter = models.DateField(null=True)
    caller_type = models.CharField(max_length=20)
    track = models.CharField(max_length=1)
    municipality = models.ForeignKey(Municipality, models.PROTECT, null=True, related_name="+")
    milieu = models.CharField(max_length=12)
    age_band = models.CharField(max_length=8)
    urgency = models.CharField(max_length=12)
    closing_reason = models.CharField(max_length=20, blank=True)
    calls = models.PositiveSmallIntegerField(default=0)
    handovers = models.PositiveSmallIntegerField(default=0)
    bounces = models.PositiveSmallIntegerField(default=0)
    days_to_contact = models.PositiveSmallIntegerField(null=True)  # from the first handover to the agency's contact

    class Meta:
        indexes = [
            models.Index(fields=["unit", "opened_quarter"], name="past_cases"),
            models.Index(fields=["opened_quarter"], name="past_by_quarter"),
        ]

    class Privacy:
        plain = {
            *("id", "is_call", "unit", "opened_quarter", "closed_quarter", "caller_type", "track", "municipality"),
            *("milieu", "age_band", "urgency", "closing_reason", "calls", "handovers", "bounces", "days_to_contact"),
        }
