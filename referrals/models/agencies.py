"""Partner agencies: what they meet, whom they serve, when they answer, who works there."""

import datetime as dt
from collections.abc import Collection
from typing import Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import OuterRef, Q
from django.utils.translation import gettext

from helpline.people import clock
from helpline.people.models import Municipality, User, in_use
from intake import triage
from referrals import hours
from referrals.grounds import Ground, grounds, possible, verdicts
from referrals.partners import HANDOVER, PartnerType, partner_types, receiver_names

POLICE = ("police", "security_service")  # of receivers
VERIFY_AFTER = dt.timedelta(days=365)


class AgencyQuerySet(models.QuerySet["PartnerAgency"]):
    """Which agencies."""

    def active(self) -> Self:
        """Those that can be chosen today."""
        return self.filter(is_active=True)

    def meeting(self, needs: Collection[str]) -> Self:
        """Those that meet one of these needs, as `meets` says of one."""
        types = [code for code, kind in partner_types().items() if not set(needs).isdisjoint(kind.meets)]
        return self.filter(Q(needs__has_any_keys=list(needs)) | Q(needs=[], type__in=types))

    def with_codes(self) -> Self:
        """With the codes of the municipalities that each serves, by the same statement."""
        serves = PartnerAgency.municipalities.through.objects.filter(partneragency=OuterRef("pk"))
        return self.annotate(asked_codes=ArraySubquery(serves.values("municipality")))

    def nameable(self) -> Self:
        """Those that may be suggested instead: handed over to, and of a name that may be read; where a confidential one is
        may not be known, nor that it is."""
        types = [code for code, kind in partner_types().items() if kind.channel == HANDOVER]
        return self.active().filter(is_confidential=False, type__in=types)

    def no_police(self) -> Self:
        """Those that are no police to the secrecy rules: as is_police says of one."""
        types = [code for code, kind in partner_types().items() if kind.receives in POLICE]
        return self.exclude(receiver_kind__in=POLICE).exclude(receiver_kind="", type__in=types)

    def to_verify(self) -> Self:
        """Those in use whose facts nobody has checked for a year, or ever; what was never checked first, then the oldest."""
        old = Q(verified_on__isnull=True) | Q(verified_on__lte=clock.today() - VERIFY_AFTER)
        return self.active().filter(old).order_by(models.F("verified_on").asc(nulls_first=True), "name")


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
    # Beside its type's own: what it says of itself. Empty means as its type.
    external_id = models.UUIDField(unique=True, db_default=RandomUUID(), editable=False)  # HSDS service.id
    description = models.TextField(blank=True)
    needs = models.JSONField(default=list, blank=True)
    minimum_age = models.PositiveSmallIntegerField(null=True, blank=True)
    maximum_age = models.PositiveSmallIntegerField(null=True, blank=True)
    languages = models.JSONField(default=list, blank=True)
    sdk_address = models.CharField(max_length=120, blank=True)  # function address for secure messages
    is_confidential = models.BooleanField(default=False)  # where it is may not be known: never exported
    deputy_mailbox = models.EmailField(blank=True)
    # How many more it can take until the end of the week that begins on this Monday; none: it has not said.
    room = models.PositiveSmallIntegerField(null=True, blank=True)
    room_week = models.DateField(null=True, blank=True)

    objects = AgencyQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "partner agencies"

    class Privacy:
        plain = {
            *("id", "name", "type", "receiver_kind", "municipalities", "nationwide", "phone", "mailbox", "always_open"),
            *("is_active", "verified_on", "external_id", "description", "needs", "minimum_age", "maximum_age"),
            *("languages", "sdk_address", "is_confidential", "deputy_mailbox", "room", "room_week"),
        }

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> PartnerType:
        return partner_types()[self.type]

    @property
    def gets_mail(self) -> bool:
        """Whether the system itself tells anybody there: by a mailbox, or by an account that is in use."""
        return bool(self.mailbox) or self.members.filter(in_use("user__")).exists()

    @property
    def has_accounts(self) -> bool:
        """Whether anybody there can log in, read and confirm."""
        return self.is_active and self.members.filter(in_use("user__")).exists()

    @property
    def is_reached(self) -> bool:
        """Whether anybody there gets a handover: by what the system sends, or by a secure message that one of us sends to
        its function address."""
        return bool(self.sdk_address) or self.gets_mail

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
        asked: list[str] | None = vars(self).get("asked_codes")  # with the row (with_codes)
        return {place.code for place in self.municipalities.all()} if asked is None else set(asked)

    @property
    def is_police(self) -> bool:
        """Whether it is police to the secrecy rules: it has no list and no search, only what is sent to it."""
        return self.receiver in POLICE

    @property
    def meets(self) -> list[str]:
        """The needs that it meets: its own, or its type's."""
        return list(self.needs) or self.kind.meets

    @property
    def needs_checking(self) -> bool:
        """Whether nobody has checked its facts for a year, or ever."""
        return self.verified_on is None or self.verified_on <= clock.today() - VERIFY_AFTER

    @property
    def language_names(self) -> list[str]:
        """The languages that are spoken there; empty where it has not said."""
        return [triage.name_of("languages", code) for code in self.languages]

    @property
    def ages(self) -> str:
        """Whom it takes by age, as people say it; "" for any."""
        low, high = self.minimum_age, self.maximum_age
        if low is not None and high is not None:
            return gettext("%(low)s to %(high)s years") % {"low": low, "high": high}
        if low is not None:
            return gettext("from %(low)s years") % {"low": low}
        return gettext("up to %(high)s years") % {"high": high} if high is not None else ""

    @property
    def room_left(self) -> int | None:
        """How many more it can take now, as it has said itself for this week, or at its end for the coming one as well;
        None where it has said nothing that holds today."""
        monday = clock.today() - dt.timedelta(days=clock.today().weekday())
        return self.room if self.room_week and self.room_week >= monday else None

    def is_open(self, moment: dt.datetime) -> bool:
        """Whether it answers now, by its own hours."""
        return hours.is_open(self, moment) and self.away_on(clock.local_date(moment)) is None

    def away_on(self, day: dt.date) -> "AgencyAbsence | None":
        """Why it is closed that day, where it has said so."""
        return next((one for one in self.absences.all() if one.first_day <= day <= one.last_day), None)

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


class AgencyAbsence(models.Model):
    """Days on which an agency is closed beside its hours: its deputy hears in its place."""

    agency = models.ForeignKey(PartnerAgency, models.CASCADE, related_name="absences")
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        ordering = ["first_day"]
        constraints = [
            models.CheckConstraint(name="agency_absence_in_order", condition=Q(first_day__lte=models.F("last_day")))
        ]

    class Privacy:
        plain = {"id", "agency", "first_day", "last_day"}


class AgencyMember(models.Model):
    """A person of a partner agency: sees what was handed to it, and nothing else."""

    user = models.OneToOneField(User, models.CASCADE, related_name="membership")
    agency = models.ForeignKey(PartnerAgency, models.PROTECT, related_name="members")
    is_manager = models.BooleanField(default=False)  # adds and removes its people
    is_deputy = models.BooleanField(default=False)  # hears where the others are silent

    class Privacy:
        plain = {"id", "user", "agency", "is_manager", "is_deputy"}


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
