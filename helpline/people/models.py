"""Who works here, what was seen and done, and what waits for whom."""

import uuid
from typing import TYPE_CHECKING

import pgtrigger
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.ids import uuid7
from helpline.people.sealed import DataKey

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

__all__ = ["Absence", "DataKey", "Heartbeat", "LogEntry", "Municipality", "Notice", "Role", "Unit", "User"]

NEVER_CHANGED = [
    pgtrigger.Protect(name="no_update", operation=pgtrigger.Update),
    pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
    pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'rows of % are never removed', TG_TABLE_NAME;",
    ),
]


class Municipality(models.Model):
    """A Swedish municipality by its code; 9999 stands for any that is not served by name."""

    ELSEWHERE = "9999"

    code = models.CharField(max_length=4, primary_key=True)
    name = models.CharField(max_length=60)
    police_area = models.CharField(max_length=60, blank=True)
    finnish_area = models.BooleanField(default=False)  # lag (2009:724) 8 §: a right to use Finnish

    class Meta:
        ordering = ["name"]

    class Privacy:
        plain = {"code", "name", "police_area", "finnish_area"}

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """A unit of social services that answers the line. Its cases are seen by nobody outside it."""

    name = models.CharField(max_length=80, unique=True)
    municipality = models.ForeignKey(Municipality, models.PROTECT)
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["name"]

    class Privacy:
        plain = {"id", "name", "municipality", "phone"}

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a person is here; access.MAY says what each role may do."""

    CASEWORKER = "caseworker", _("Caseworker")
    MANAGER = "manager", _("Unit manager")
    PARTNER = "partner", _("Partner agency")
    KEEPER = "keeper", _("System keeper")


class User(AbstractUser):
    """A person who logs in. Staff have a unit; people of partner agencies and keepers have none."""

    role = models.CharField(max_length=20, choices=Role.choices)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="users")
    phone = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=5, default="sv")
    is_demo = models.BooleanField(default=False)
    is_qualified = models.BooleanField(
        default=False
    )  # SoL 25:1: may assess reports and decide on inquiries for children
    uses_keys = models.BooleanField(default=True)  # WCAG 2.1.4: single keys can be switched off

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="staff_have_a_unit",
                condition=models.Q(role__in=["caseworker", "manager"], unit__isnull=False)
                | models.Q(role__in=["partner", "keeper"], unit__isnull=True),
            ),
        ]

    class Privacy:
        # Who works here is public record (offentlighetsprincipen): not sealed.
        plain = {
            *("id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email"),
            *("is_staff", "is_active", "date_joined", "role", "unit", "phone", "language", "is_demo"),
            *("is_qualified", "uses_keys"),
        }

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def role_name(self) -> "str | _StrPromise":
        """The role in words."""
        return Role(self.role).label


class Absence(models.Model):
    """Days on which a person is away, first and last included, and who stands in. Without a deputy the managers do."""

    user = models.ForeignKey(User, models.CASCADE, related_name="absences")
    deputy = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["user", "last_day"], name="absences_of")]
        constraints = [
            models.CheckConstraint(
                name="absence_begins_first", condition=models.Q(first_day__lte=models.F("last_day"))
            ),
            models.CheckConstraint(name="deputy_is_another", condition=~models.Q(user=models.F("deputy"))),
        ]

    class Privacy:
        plain = {"id", "user", "deputy", "first_day", "last_day"}  # that somebody is away, never why


class LogEntry(models.Model):
    """One reading, change or refusal: who, as what, when, which row. Codes, never names. Never changed."""

    append_only = True  # grants.py: the application's role adds and reads, no more

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=clock.now)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_constraint=True)
    role = models.CharField(max_length=20, blank=True)
    event = models.CharField(max_length=40)
    # The case or call that it concerns; no foreign key, since the row outlives what it tells of.
    case = models.UUIDField(null=True)
    call = models.UUIDField(null=True)
    row = models.CharField(max_length=80, blank=True)
    codes = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["case", "id"], name="log_by_case", condition=models.Q(case__isnull=False)),
            models.Index(fields=["user", "id"], name="log_by_user"),
        ]
        triggers = NEVER_CHANGED

    class Privacy:
        plain = {"id", "at", "user", "role", "event", "case", "call", "row", "codes"}


class Notice(models.Model):
    """Something waits for a person, or for an agency's mailbox: a row on the first page and a mail that says nothing.

    `source` is unique, so that one cause makes one notice however often it is run. The mail is a small state machine:
    a row that was being sent when the sender died is `unknown`, not sent again by itself.
    """

    class Mail(models.TextChoices):
        NONE = "none"
        READY = "ready"
        SENDING = "sending"
        SENT = "sent"
        UNKNOWN = "unknown"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="notices")
    address = models.EmailField(blank=True)
    kind = models.CharField(max_length=40)
    case = models.UUIDField(null=True)
    about = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=160, unique=True)
    created_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=8, choices=Mail.choices, default=Mail.READY)
    message_id = models.UUIDField(default=uuid.uuid4, unique=True)
    lease_until = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-created_at"], name="unseen", condition=models.Q(seen_at__isnull=True)),
            models.Index(fields=["created_at"], name="mail_waiting", condition=models.Q(mail__in=["ready", "sending"])),
            models.Index(fields=["created_at"], name="mail_adrift", condition=models.Q(mail__in=["unknown", "failed"])),
        ]

    class Privacy:
        plain = {
            *("id", "user", "address", "kind", "case", "about", "source", "created_at", "seen_at", "mail"),
            *("message_id", "lease_until", "next_try_at", "attempts"),
        }


class Heartbeat(models.Model):
    """The last time that a process said it was alive. /health/ reads it."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    class Privacy:
        plain = {"name", "at"}
