"""Who works here, what was seen and done, and what waits for whom."""

import uuid
from typing import TYPE_CHECKING, Any

import pgtrigger
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.ids import uuid7
from helpline.people.sealed import DataKey, IndexKey

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

__all__ = [
    "Absence",
    "CalendarAddress",
    "DataKey",
    "Disposal",
    "DisposalItem",
    "Heartbeat",
    "IndexKey",
    "Invitation",
    "LogEntry",
    "LogLink",
    "LogReview",
    "LogReviewRow",
    "Municipality",
    "Notice",
    "Role",
    "Unit",
    "User",
]

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


# A row of a case is removed by an approved disposal alone, while that is carried out: the row of the disposal says whose it
# is, that another than the proposer approved it, and that it is this very transaction.
BY_DISPOSAL = """
    IF NOT EXISTS (
        SELECT 1 FROM people_disposalitem i JOIN people_disposal d ON d.id = i.disposal_id
        WHERE i.doing = txid_current() AND d.approved_at IS NOT NULL AND d.refused_at IS NULL
          AND i.left_out_at IS NULL AND (i."case" = {case} OR i.call = {call})
    ) THEN
        RAISE EXCEPTION 'rows of % are removed by an approved disposal alone', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
"""
NOTHING = "NULL::uuid"


def only_by_disposal(*, case: str = NOTHING, call: str = NOTHING, **rest: Any) -> pgtrigger.Trigger:
    """The trigger that lets a row go with its case or call alone: SQL for whose it is, of the OLD row."""
    return pgtrigger.Trigger(
        name="only_by_disposal",
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func=BY_DISPOSAL.format(case=case, call=call),
        **rest,
    )


def never_changed_in(*, case: str = NOTHING, call: str = NOTHING) -> list[pgtrigger.Trigger]:
    """NEVER_CHANGED for what belongs to a case or a call: it goes with it, by an approved disposal."""
    no_update, _no_delete, no_truncate = NEVER_CHANGED
    return [no_update, only_by_disposal(case=case, call=call), no_truncate]


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
    COORDINATOR = "coordinator", _("Coordinator")
    REVIEWER = "reviewer", _("Data protection and log review")


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
    access_until = models.DateField(null=True, blank=True)  # the last day of a time-boxed account

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="staff_have_a_unit",
                condition=models.Q(role__in=["caseworker", "manager"], unit__isnull=False)
                | models.Q(role__in=["partner", "keeper", "coordinator", "reviewer"], unit__isnull=True),
            ),
        ]

    class Privacy:
        # Who works here is public record (offentlighetsprincipen): not sealed.
        plain = {
            *("id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email"),
            *("is_staff", "is_active", "date_joined", "role", "unit", "phone", "language", "is_demo"),
            *("is_qualified", "uses_keys", "access_until"),
        }

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def is_over(self) -> bool:
        """Whether the last day of a time-boxed account has passed."""
        return self.access_until is not None and self.access_until < clock.today()

    @property
    def is_in_use(self) -> bool:
        """Whether this account can log in today: the same as `in_use` asks of rows."""
        return self.is_active and not self.is_over

    @property
    def role_name(self) -> "str | _StrPromise":
        """The role in words."""
        return Role(self.role).label


def in_use(user: str = "") -> models.Q:
    """Whose account can log in today: switched on, and its last day not passed. Who may be given something or told of it is
    asked so, and never by `is_active` alone. `user` is the way there: `user__` of a membership."""
    lasts = models.Q(**{f"{user}access_until": None}) | models.Q(**{f"{user}access_until__gte": clock.today()})
    return lasts & models.Q(**{f"{user}is_active": True})


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
    why = models.CharField(max_length=20, blank=True)  # under which right it was opened: own, step, reason, named ...
    source = models.GenericIPAddressField(null=True)  # from where a colleague did it; never a caller's address
    codes = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["case", "id"], name="log_by_case", condition=models.Q(case__isnull=False)),
            models.Index(fields=["user", "id"], name="log_by_user"),
            models.Index(fields=["at"], name="log_by_time"),
            # Which lists and searches showed a case: asked by the case's number.
            GinIndex(
                fields=["codes"],
                name="log_by_listed",
                opclasses=["jsonb_path_ops"],
                condition=models.Q(codes__has_key="cases"),
            ),
        ]
        triggers = NEVER_CHANGED

    class Privacy:
        plain = {"id", "at", "user", "role", "event", "case", "call", "row", "why", "source", "codes"}


class LogLink(models.Model):
    """The chain of the log: each row's hash over the hash before it and what the row says. Written by the database
    alone when a transaction commits (migration 0006_chain): no path of the application leaves it out or writes its own."""

    read_only = True  # grants.py: the application's role reads, no more

    entry = models.BigIntegerField(primary_key=True)  # no foreign key: a row that was removed is missed here
    place = models.BigIntegerField(null=True, unique=True)  # 1, 2, 3 ... in the order of the commits
    hash = models.BinaryField(null=True)  # SHA-256, 32 bytes

    class Privacy:
        plain = {"entry", "place", "hash"}


# A review is signed when nothing of it is left to mark; then neither it nor its rows change.
SIGNED_STAYS = """
    IF TG_OP = 'DELETE' OR OLD.signed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a review that is signed is never changed, and none is removed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.signed_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM public.people_logreviewrow r WHERE r.review_id = NEW.id AND r.verdict = ''
    ) THEN
        RAISE EXCEPTION 'review %: rows are left to mark', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
# The row of the log that it is about, and who did it, stay what they were when it was drawn.
MARKED_UNTIL_SIGNED = """
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND
        (NEW.review_id, NEW.entry_id, NEW.subject_id, NEW.rules) IS DISTINCT FROM
        (OLD.review_id, OLD.entry_id, OLD.subject_id, OLD.rules)
    ) THEN
        RAISE EXCEPTION 'what is reviewed stays what was drawn' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.subject_id IS DISTINCT FROM (SELECT e.user_id FROM public.people_logentry e WHERE e.id = NEW.entry_id) THEN
        RAISE EXCEPTION 'row % is of somebody else', NEW.entry_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM 1 FROM public.people_logreview v WHERE v.id = NEW.review_id AND v.signed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a review that is signed is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class LogReview(models.Model):
    """The review of one month's log, of one unit, or of those who have none (SoLPuL 10 §: systematic and recurring). It is
    signed when each of its rows is marked; then nothing of it changes."""

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    month = models.DateField()  # its first day
    drawn_at = models.DateTimeField(default=clock.now)
    due_on = models.DateField()
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_review_a_month", fields=["unit", "month"], nulls_distinct=False),
            models.CheckConstraint(
                name="review_signed_whole",
                condition=models.Q(signed_at__isnull=True, signed_by__isnull=True)
                | models.Q(signed_at__isnull=False, signed_by__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="signed_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=SIGNED_STAYS,
            )
        ]

    class Privacy:
        plain = {"id", "unit", "month", "drawn_at", "due_on", "signed_at", "signed_by"}


class LogReviewRow(models.Model):
    """One row of the log that is to be looked at: why it was drawn, and what somebody else than its own person found."""

    class Verdict(models.TextChoices):
        JUSTIFIED = "justified", _("Justified")
        INVESTIGATE = "investigate", _("To be investigated")

    review = models.ForeignKey(LogReview, models.PROTECT, related_name="rows")
    entry = models.ForeignKey(LogEntry, models.PROTECT, related_name="+")
    subject = models.ForeignKey(User, models.PROTECT, related_name="+")  # who did it, and so never reviews it
    rules = models.JSONField(default=list)  # the rules that drew it (helpline/log_rules.py), "sample" among them
    verdict = models.CharField(max_length=12, choices=Verdict.choices, blank=True)
    marked_at = models.DateTimeField(null=True)
    marked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="reviewed_once_a_review", fields=["review", "entry"]),
            models.CheckConstraint(name="nobody_reviews_their_own", condition=~models.Q(marked_by=models.F("subject"))),
            models.CheckConstraint(
                name="row_marked_whole",
                condition=models.Q(verdict="", marked_at__isnull=True, marked_by__isnull=True)
                | (~models.Q(verdict="") & models.Q(marked_at__isnull=False, marked_by__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["-id"], name="to_investigate", condition=models.Q(verdict="investigate")),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="marked_until_signed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=MARKED_UNTIL_SIGNED,
            )
        ]

    class Privacy:
        plain = {"id", "review", "entry", "subject", "rules", "verdict", "marked_at", "marked_by"}


class Invitation(models.Model):
    """The way in to a new account, or to one whose second factor was reset: a link that is good once, for some days.
    Only a hash of it is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Privacy:
        plain = {"id", "user", "digest", "made_at", "made_by", "until", "used_at"}


class CalendarAddress(models.Model):
    """The secret address at which a calendar program reads when this person has something to do, and not a word of what.
    Only a hash of it is kept."""

    user = models.OneToOneField(User, models.CASCADE, related_name="calendar_address")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=clock.now)
    read_on = models.DateField(null=True)  # the last day on which it was read

    class Privacy:
        plain = {"id", "user", "digest", "made_at", "read_on"}


class Disposal(models.Model):
    """A list of what the law says is to be forgotten: proposed by one, approved by another, then carried out. The record
    that remains (gallringsprotokoll) has numbers, never names."""

    proposed_at = models.DateTimeField(default=clock.now)
    proposed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # null: a rule without a choice
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    refused_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="another_approves", condition=~models.Q(approved_by=models.F("proposed_by"))),
            models.CheckConstraint(
                name="disposal_approved_whole",
                condition=models.Q(approved_at__isnull=True, approved_by__isnull=True)
                | models.Q(approved_at__isnull=False, approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="done_was_approved",
                condition=models.Q(done_at__isnull=True) | models.Q(approved_at__isnull=False, refused_at__isnull=True),
            ),
        ]
        triggers = NEVER_CHANGED[1:]  # the record remains

    class Privacy:
        plain = {
            *("id", "proposed_at", "proposed_by", "unit", "approved_at", "approved_by", "refused_at", "done_at"),
        }


class DisposalItem(models.Model):
    """One case, or one call without a case, of a disposal: its number, the rule, and the day from which the rule holds."""

    disposal = models.ForeignKey(Disposal, models.PROTECT, related_name="items")
    # No foreign keys: the row outlives what it tells of.
    case = models.UUIDField(null=True)
    call = models.UUIDField(null=True)
    number = models.CharField(max_length=40, blank=True)  # of a case, as it is said aloud
    rule = models.CharField(max_length=24)  # a key of retention.RULES
    due_on = models.DateField()
    left_out_at = models.DateTimeField(null=True)  # who approves exempts it: until that is taken back
    left_out_why = models.CharField(
        max_length=12, blank=True
    )  # retention_rows.LEFT_OUT, or disposals.BY_ITSELF when it is carried out
    done_at = models.DateTimeField(null=True)
    doing = models.BigIntegerField(null=True)  # the transaction that carries it out: the triggers look here

    class Meta:
        indexes = [
            models.Index(fields=["case"], name="disposal_of_case", condition=models.Q(case__isnull=False)),
            models.Index(fields=["call"], name="disposal_of_call", condition=models.Q(call__isnull=False)),
            models.Index(fields=["doing"], name="disposal_now", condition=models.Q(doing__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(name="once_a_disposal", fields=["disposal", "case", "call"], nulls_distinct=False),
            models.CheckConstraint(
                name="item_is_a_case_or_a_call",
                condition=models.Q(case__isnull=False, call__isnull=True)
                | models.Q(case__isnull=True, call__isnull=False),
            ),
            models.CheckConstraint(
                name="left_out_has_a_reason",
                condition=models.Q(left_out_at__isnull=True, left_out_why="")
                | (models.Q(left_out_at__isnull=False, done_at__isnull=True) & ~models.Q(left_out_why="")),
            ),
        ]
        triggers = NEVER_CHANGED[1:]

    class Privacy:
        plain = {
            *("id", "disposal", "case", "call", "number", "rule", "due_on", "left_out_at", "left_out_why", "done_at"),
            "doing",
        }


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
