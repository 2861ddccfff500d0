"""Consents, and the record of what was disclosed to whom on which ground."""

from django.db import models

from helpline.people import clock
from helpline.people.models import User, never_changed_in
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake.models import Case
from referrals.models.agencies import PartnerAgency


class Consent(models.Model):
    """Who said yes to what, to whom, how, until when (OSL 10:1, 12:2, 12:3)."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="consents")
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="+")
    given_by = models.CharField(max_length=12)  # self | guardian
    form = models.CharField(max_length=8)  # spoken | written
    given_at = models.DateTimeField(default=clock.now)
    valid_until = models.DateField()
    taken_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    scope = models.JSONField(default=list)  # what it covers: codes of SHARED (labels)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_to = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="consent_withdrawn_whole",
                condition=models.Q(withdrawn_at__isnull=False) | models.Q(withdrawn_to__isnull=True),
            )
        ]

    class Privacy:
        plain = {
            *("id", "case", "agency", "given_by", "form", "given_at", "valid_until", "taken_by", "scope"),
            *("withdrawn_at", "withdrawn_to"),
        }

    @property
    def holds(self) -> bool:
        """Whether it is still valid today."""
        return self.withdrawn_at is None and self.valid_until >= clock.today()


class Disclosure(SealedModel):
    """What left the house, once: to whom, by which way, which parts, on which ground, who decided, what was held back.
    Never changed. Of police every one is such a record (OSL 10:18 a-c, 10:21-23)."""

    append_only = True
    disposable = True

    class Way(models.TextChoices):
        PORTAL = "portal"
        LINK = "link"
        PDF = "pdf"
        TEXT = "text"
        ANSWER = "answer"  # our answer to a question
        MESSAGE = "message"
        PHONE = "phone"  # told by one of us, where they have it by no other way

    case = models.ForeignKey(Case, models.PROTECT, related_name="disclosures")
    referral = models.ForeignKey("referrals.Referral", models.PROTECT, related_name="disclosures")
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="+")
    way = models.CharField(max_length=8, choices=Way.choices)
    shared = models.JSONField(default=list)  # codes of SHARED (labels)
    withheld = models.JSONField(
        default=list
    )  # codes of SHARED that the case or the draft holds and that were not shared
    ground = models.CharField(max_length=24)
    law = models.CharField(max_length=60, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=clock.now)
    words = SealedTextField()  # what was held back and why, in the decider's words

    class Meta:
        indexes = [models.Index(fields=["case", "-decided_at"], name="disclosures_of_case")]
        triggers = never_changed_in(case="OLD.case_id")

    class Privacy:
        personal = {"words"}
        plain = {
            *("id", "case", "referral", "agency", "way", "shared", "withheld", "ground", "law", "decided_by"),
            *("decided_at",),
        }

    def seal_key(self) -> DataKey:
        return self.case.key
