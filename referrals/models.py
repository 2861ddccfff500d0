"""Partner agencies and their people; referrals, what was shared and on which ground, and every change of state."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from helpline.people import clock
from helpline.people.ids import uuid7
from helpline.people.models import NEVER_CHANGED, Municipality, User
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake import triage
from intake.models import Case
from referrals import states
from referrals.grounds import Ground, grounds, possible, verdicts
from referrals.labels import CARD, DECLINE_REASONS, STATES
from referrals.partners import PartnerType, partner_types, receiver_names


class AgencyQuerySet(models.QuerySet["PartnerAgency"]):
    """Which agencies."""

    def active(self) -> Self:
        """Those that can be chosen today."""
        return self.filter(is_active=True)


class PartnerAgency(models.Model):
    """A partner that a person is handed to, or shown the way to."""

    name = models.CharField(max_length=120, unique=True)
    type = models.CharField(max_length=20)
    # Empty: its type's own. A private clinic is civil_society, whatever its type.
    receiver_kind = models.CharField(max_length=20, blank=True)
    municipalities = models.ManyToManyField(Municipality, blank=True, related_name="agencies")
    nationwide = models.BooleanField(default=False)
    phone = models.CharField(max_length=40, blank=True)
    mailbox = models.EmailField(blank=True)
    always_open = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    verified_on = models.DateField(null=True, blank=True)

    objects = AgencyQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "partner agencies"

    class Privacy:
        plain = {
            *("id", "name", "type", "receiver_kind", "municipalities", "nationwide", "phone", "mailbox", "always_open"),
            *("is_active", "verified_on"),
        }

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> PartnerType:
        return partner_types()[self.type]

    @property
    def is_reached(self) -> bool:
        """Whether anybody there gets a message: by a mailbox, or by an account that is in use."""
        return bool(self.mailbox) or self.members.filter(user__is_active=True).exists()

    @property
    def receiver(self) -> str:
        """What it is to the secrecy rules."""
        return self.receiver_kind or self.kind.receives

    @property
    def receiver_name(self) -> str:
        return receiver_names()[self.receiver]

    def serves(self, municipality: str | None) -> bool:
        """Whether it serves somebody there. Where the municipality is not known, nobody is ruled out."""
        return self.nationwide or municipality is None or municipality in self.municipality_codes

    @property
    def municipality_codes(self) -> set[str]:
        return {municipality.code for municipality in self.municipalities.all()}

    def is_open(self, moment: dt.datetime) -> bool:
        """Whether it answers now, by its own hours."""
        local = timezone.localtime(moment, timezone.get_default_timezone())
        return self.always_open or any(
            hours.weekday == local.weekday() and hours.opens <= local.time() < hours.closes
            for hours in self.hours.all()
        )

    def grounds_for(self, age_band: str, day: dt.date, on: set[str]) -> list[Ground]:
        """The legal grounds that can be chosen for handing data about such a person to it."""
        return possible(receiver=self.receiver, channel=self.kind.channel, age_band=age_band, day=day, on=on)

    def verdicts_for(self, age_band: str, day: dt.date, on: set[str]) -> list[tuple[Ground, str]]:
        """Every ground, with why it cannot be chosen."""
        return verdicts(receiver=self.receiver, channel=self.kind.channel, age_band=age_band, day=day, on=on)


class OpeningHours(models.Model):
    """When an agency answers. Several rows a day make a split shift."""

    agency = models.ForeignKey(PartnerAgency, models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField()  # 0 is Monday
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(name="opens_before_closes", condition=Q(opens__lt=models.F("closes"))),
            models.CheckConstraint(name="weekday_of_a_week", condition=Q(weekday__lte=6)),
        ]

    class Privacy:
        plain = {"id", "agency", "weekday", "opens", "closes"}


class AgencyMember(models.Model):
    """A person of a partner agency: sees what was handed to it, and nothing else."""

    user = models.OneToOneField(User, models.CASCADE, related_name="membership")
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="members")

    class Privacy:
        plain = {"id", "user", "agency"}


class GroundSetting(models.Model):
    """A municipality's decision to switch a legal ground on or off."""

    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    code = models.CharField(max_length=24)
    on = models.BooleanField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_decision_a_ground", fields=["municipality", "code"])]

    class Privacy:
        plain = {"id", "municipality", "code", "on", "decided_by", "decided_at"}

    @classmethod
    def switched_on(cls, municipality: str) -> set[str]:
        """The grounds that are on in a municipality: the table's own choice, but for what it has decided itself."""
        decided = dict(cls.objects.filter(municipality=municipality).values_list("code", "on"))
        return {code for code, ground in grounds().items() if decided.get(code, ground.default_on)}


class Consent(models.Model):
    """Who said yes to what, to whom, how, until when (OSL 10:1, 12:2, 12:3)."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="consents")
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="+")
    given_by = models.CharField(max_length=12)  # self | guardian
    form = models.CharField(max_length=8)  # spoken | written
    given_at = models.DateTimeField(default=clock.now)
    valid_until = models.DateField()
    taken_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Privacy:
        plain = {"id", "case", "agency", "given_by", "form", "given_at", "valid_until", "taken_by", "withdrawn_at"}

    @property
    def holds(self) -> bool:
        """Whether it is still valid today."""
        return self.withdrawn_at is None and self.valid_until >= clock.today()


class ReferralQuerySet(models.QuerySet["Referral"]):
    """Which referrals."""

    def for_agency_of(self, user: User) -> Self:
        """What was handed to this person's agency and is still with it. Nothing before it is sent, after it ended, or after
        the case was closed."""
        member = AgencyMember.objects.filter(user=user, user__is_active=True, agency__is_active=True).first()
        if member is None:
            return self.none()
        open_cases = self.filter(case__closed_at__isnull=True)
        return open_cases.filter(agency=member.agency_id, state__in=states.SEEN_BY_AGENCY)

    def visible_to(self, user: User) -> Self:
        """The referrals of one's own unit's cases."""
        if not user.is_active or user.unit_id is None:
            return self.none()
        return self.filter(case__unit=user.unit_id)

    def waiting(self) -> Self:
        """Sent, and no answer yet."""
        return self.filter(state__in=states.UNANSWERED)

    def open(self) -> Self:
        """With an agency, and not ended."""
        return self.filter(state__in=states.OPEN)


class Referral(SealedModel):
    """A handover: one agency, one need, one ground, and the card that is all the agency sees. The case stays ours."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="referrals")
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="referrals")
    need = models.CharField(max_length=24)
    state = models.CharField(max_length=16, default="draft")
    urgency = models.CharField(max_length=12)
    # The age of the person whom this referral concerns: in a report the child, though the call was about an adult.
    age_band = models.CharField(max_length=8, default="unknown")
    ground = models.CharField(max_length=24, blank=True)
    ground_reason = SealedTextField()
    consent = models.ForeignKey(Consent, models.PROTECT, null=True, related_name="+")
    ask = SealedTextField()
    about = SealedTextField()
    happened = SealedTextField()
    wants = SealedTextField()
    fears = SealedTextField()
    tried = SealedTextField()
    dont_ask = SealedTextField()
    safe_contact = SealedTextField()
    name = SealedTextField()  # shown to the agency when it has accepted
    phone = SealedTextField()  # the same
    approved_at = models.DateTimeField(null=True)  # read back to the caller and approved
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True)
    answer_due_at = models.DateTimeField(null=True)
    contact_due_at = models.DateTimeField(null=True)
    handled_by = SealedTextField()
    ended_at = models.DateTimeField(null=True)

    objects = ReferralQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["agency", "answer_due_at", "id"],
                name="agency_inbox",
                condition=Q(state__in=["sent", "opened", "question", "accepted", "contact_made"]),
            ),
            models.Index(fields=["answer_due_at"], name="unanswered", condition=Q(state__in=["sent", "opened"])),
            models.Index(fields=["case", "created_at"], name="referrals_of_case"),
        ]
        constraints = [
            models.CheckConstraint(name="known_state", condition=Q(state__in=states.STATES)),
            models.CheckConstraint(
                name="sent_has_a_ground",
                condition=Q(state="draft") | (~Q(ground="") & Q(sent_at__isnull=False, answer_due_at__isnull=False)),
            ),
        ]

    class Privacy:
        personal = {
            *("ground_reason", "ask", "about", "happened", "wants", "fears", "tried", "dont_ask", "safe_contact"),
            *("name", "phone", "handled_by"),
        }
        plain = {
            *("id", "case", "agency", "need", "state", "urgency", "age_band", "ground", "consent", "approved_at"),
            *("created_at", "created_by", "sent_at", "answer_due_at", "contact_due_at", "ended_at"),
        }

    def seal_key(self) -> DataKey:
        return self.case.key

    @property
    def need_name(self) -> str:
        return triage.name_of("needs", self.need)

    @property
    def state_name(self) -> str:
        return str(STATES[self.state])

    @property
    def urgency_name(self) -> str:
        return triage.name_of("urgencies", self.urgency)

    @property
    def legal_ground(self) -> Ground | None:
        return grounds().get(self.ground)

    @property
    def card(self) -> list[tuple[str, str, str]]:
        """What the agency sees, and nothing else: (field, label, words), without what is empty."""
        return [(field, str(label), getattr(self, field)) for field, label in CARD.items() if getattr(self, field)]

    @property
    def shows_identity(self) -> bool:
        """Whether the agency sees the name and the number that are shared: only once it has accepted, and as long as a
        consent holds where that is the ground."""
        ground = self.legal_ground
        may = not (ground and ground.is_consent) or (self.consent is not None and self.consent.holds)
        return may and self.state in {"accepted", "contact_made"}

    @property
    def is_waiting(self) -> bool:
        return self.state in states.UNANSWERED

    @property
    def is_silent(self) -> bool:
        """Sent, and past its answer time."""
        return self.is_waiting and self.answer_due_at is not None and self.answer_due_at < clock.now()


class StateChange(SealedModel):
    """One change of a referral's state: who, when, from, to, why. Never changed."""

    append_only = True  # grants.py: the application's role adds and reads, no more

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    referral = models.ForeignKey(Referral, models.PROTECT, related_name="changes")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    move = models.CharField(max_length=16)
    source = models.CharField(max_length=16)
    target = models.CharField(max_length=16)
    reason = models.CharField(max_length=20, blank=True)
    text = SealedTextField()

    class Meta:
        indexes = [models.Index(fields=["referral", "at"], name="changes_in_order")]
        triggers = NEVER_CHANGED

    class Privacy:
        personal = {"text"}
        plain = {"id", "referral", "at", "by", "move", "source", "target", "reason"}

    def seal_key(self) -> DataKey:
        return self.referral.case.key

    @property
    def reason_name(self) -> str:
        return str(DECLINE_REASONS[self.reason]) if self.reason in DECLINE_REASONS else ""
