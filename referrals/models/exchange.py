"""What is said about a referral beside its moves: messages, what had to be asked again, a comment, the caller's own answer."""

from django.db import models
from django.db.models import Q

from helpline.people import clock
from helpline.people.ids import uuid7
from helpline.people.models import User, never_changed_in
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake.models.sums import marks_days
from referrals.models.referrals import CASE_OF_REFERRAL, Referral


class Message(SealedModel):
    """A line between owner and agency about one referral, and nothing else. Never changed."""

    append_only = True
    disposable = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    referral = models.ForeignKey(Referral, models.PROTECT, related_name="messages")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    from_agency = models.BooleanField()
    text = SealedTextField()

    class Meta:
        indexes = [models.Index(fields=["referral", "at"], name="messages_in_order")]
        triggers = never_changed_in(case=CASE_OF_REFERRAL)

    class Privacy:
        personal = {"text"}
        plain = {"id", "referral", "at", "by", "from_agency"}

    def seal_key(self) -> DataKey:
        return self.referral.case.key


class AskedAgain(SealedModel):
    """That the agency had to ask the person again for what the card should have told it."""

    append_only = True
    disposable = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    referral = models.ForeignKey(Referral, models.PROTECT, related_name="asked_again")
    what = models.JSONField(default=list)  # fields of the card (labels.CARD), or "other"
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = SealedTextField()

    class Meta:
        constraints = [models.UniqueConstraint(name="asked_again_once", fields=["referral"])]
        triggers = never_changed_in(case=CASE_OF_REFERRAL)

    class Privacy:
        personal = {"text"}
        plain = {"id", "referral", "what", "at", "by"}

    def seal_key(self) -> DataKey:
        return self.referral.case.key


class QualityComment(SealedModel):
    """What an agency says of the quality of our referral. We must answer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    referral = models.ForeignKey(Referral, models.PROTECT, related_name="comments")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = SealedTextField()
    answer = SealedTextField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_comment_a_referral", fields=["referral"]),
            models.CheckConstraint(
                name="comment_answered_whole",
                condition=Q(answered_at__isnull=True, answered_by__isnull=True)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
            ),
        ]

    class Privacy:
        personal = {"text", "answer"}
        plain = {"id", "referral", "at", "by", "answered_at", "answered_by"}

    def seal_key(self) -> DataKey:
        return self.referral.case.key


class CallerAnswer(SealedModel):
    """What the caller said when we asked whether the handover helped. Never changed."""

    append_only = True
    disposable = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    referral = models.ForeignKey(Referral, models.PROTECT, related_name="caller_answers")
    mark = models.CharField(max_length=8)  # ASKED (deadlines): week, month, quarter
    answer = models.CharField(max_length=16)  # labels.CALLER_ANSWERS
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    text = SealedTextField()

    class Meta:
        indexes = [
            models.Index(fields=["referral", "at"], name="caller_answers_in_order"),
            models.Index(fields=["at"], name="caller_answers_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="one_caller_answer_a_mark", fields=["referral", "mark"], condition=~Q(answer="not_reached")
            )
        ]
        triggers = [*never_changed_in(case=CASE_OF_REFERRAL), marks_days("marks_day", "{row}.at")]

    class Privacy:
        personal = {"text"}
        plain = {"id", "referral", "mark", "answer", "at", "by"}

    def seal_key(self) -> DataKey:
        return self.referral.case.key
