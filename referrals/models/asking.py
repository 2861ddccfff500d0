"""What is asked without a name before anything is promised; a first look by a link; where somebody was sent alone."""

import datetime as dt
from typing import Any, Self

from django.db import models
from django.db.models import Q

from helpline.people import clock
from helpline.people.ids import uuid7
from helpline.people.models import User
from intake import triage
from intake.models import Call, Case
from intake.models.cases import in_locked
from referrals.models.agencies import PartnerAgency
from referrals.models.referrals import Referral


def never() -> Any:
    """A token that nobody has been given yet."""
    return uuid7().hex


class PreQuestion(models.Model):
    """Can you, and when? Asked without anything that tells who it is about: age band, need and police area, no words."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="pre_questions")
    need = models.CharField(max_length=24)
    age_band = models.CharField(max_length=8)
    police_area = models.CharField(max_length=60, blank=True)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    answer_by = models.DateTimeField()

    class Privacy:
        plain = {"id", "case", "need", "age_band", "police_area", "asked_by", "asked_at", "answer_by"}

    @property
    def need_name(self) -> str:
        return triage.name_of("needs", self.need)

    @property
    def age_name(self) -> str:
        return triage.name_of("age_bands", self.age_band)


class PreAnswer(models.Model):
    """One agency that was asked, and what it says. The link in its mail works until it is used or expires."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    question = models.ForeignKey(PreQuestion, models.PROTECT, related_name="answers")
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="pre_answers")
    nonce = models.CharField(max_length=32, default=never)  # part of the signed link; the link itself is stored nowhere
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=5, blank=True)  # yes | no | maybe
    can_from = models.DateField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # none: by the link

    class Meta:
        indexes = [
            models.Index(
                fields=["agency", "expires_at"],
                name="agency_questions",
                condition=Q(answer="", used_at__isnull=True),
            )
        ]
        constraints = [
            models.UniqueConstraint(name="agency_asked_once", fields=["question", "agency"]),
            models.CheckConstraint(
                name="pre_answer_whole",
                condition=Q(answer="", answered_at__isnull=True) | (~Q(answer="") & Q(answered_at__isnull=False)),
            ),
        ]

    class Privacy:
        plain = {
            *("id", "question", "agency", "nonce", "expires_at", "used_at", "answer", "can_from", "answered_at"),
            *("answered_by",),
        }

    @property
    def waits(self) -> bool:
        """Whether it can still be answered."""
        return not self.answer and self.expires_at > clock.now()

    @property
    def can_be_chosen(self) -> bool:
        """Whether it has said that it can, or perhaps, and still takes handovers."""
        return self.answer in {"yes", "maybe"} and self.agency.is_active


class FirstLook(models.Model):
    """A link to one referral for an agency without accounts: good once, for a short time, with a code that is told in
    another way. Opening the link uses nothing up: mail scanners open links."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    referral = models.ForeignKey(Referral, models.PROTECT, related_name="looks")
    nonce = models.CharField(max_length=32, default=never)
    code = models.CharField(max_length=128)  # hashed
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    wrong = models.PositiveSmallIntegerField(default=0)

    TRIES = 5
    LASTS = dt.timedelta(minutes=30)  # how long the browser that gave the code sees the card

    class Privacy:
        plain = {"id", "referral", "nonce", "code", "made_at", "made_by", "expires_at", "used_at", "wrong"}

    @property
    def is_closed(self) -> bool:
        """Whether it was closed by wrong codes."""
        return self.used_at is None and self.wrong >= self.TRIES

    @property
    def waits(self) -> bool:
        """Whether its link still takes a code."""
        return self.used_at is None and self.wrong < self.TRIES and self.expires_at > clock.now()

    @property
    def is_on(self) -> bool:
        """Whether the browser that gave the code still sees the card."""
        return self.used_at is not None and clock.now() < self.used_at + self.LASTS


class SignpostingQuerySet(models.QuerySet["Signposting"]):
    """Which of those who were told where to go."""

    def counted(self) -> Self:
        """Those that figures count: practice is none of them."""
        return self.exclude(case__is_practice=True).exclude(call__is_practice=True)

    def visible_to(self, user: User) -> Self:
        """Those of one's own unit."""
        if not user.is_in_use or user.unit_id is None:
            return self.none()
        found = self.filter(Q(case__unit=user.unit_id) | Q(case=None, call__unit=user.unit_id))
        return found.exclude(case__in=in_locked(user)).exclude(call__case__in=in_locked(user))


class Signposting(models.Model):
    """That somebody was told where to go alone: no data leaves. Counted, and perhaps asked about later."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, null=True, related_name="signpostings")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="signpostings")
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="+")
    need = models.CharField(max_length=24)
    wished = models.BooleanField(default=False)  # the caller wanted to go alone
    asks_later = models.BooleanField(default=False)
    given_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(default=clock.now)

    objects = SignpostingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="signposting_of_somebody", condition=Q(call__isnull=False) | Q(case__isnull=False)
            ),
            models.UniqueConstraint(
                name="signposted_once_in_a_call",
                fields=["call", "agency", "need"],
                condition=Q(call__isnull=False),
            ),
        ]

    class Privacy:
        plain = {
            *("id", "call", "case", "agency", "need", "wished", "asks_later", "given_by", "given_at"),
        }
