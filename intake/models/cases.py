"""Cases, the people in them, and who of the colleagues opened one; the trigger that keeps each in somebody's hands."""

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpline.people import clock
from helpline.people.models import Municipality, Unit, User, only_by_disposal
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake import personal_numbers, triage
from intake.codes import new_code, slug, spoken
from intake.labels import PARTS
from intake.models.sums import marks_days
from intake.safe import SafeContact

if TYPE_CHECKING:
    from intake.models.steps import FollowUp


# What the sums by day tell apart.
SUMMED = "unit_id opened_at is_practice caller_type milieu age_band municipality_id urgency"
# Whoever wrote it: an open case has an owner and an open step with a due time, and knows when the next one is due; a closed
# one has neither step nor due time. Spoken at commit. The lock makes two that end the last two steps wait for each other.
IN_HANDS = """
    PERFORM 1 FROM intake_case WHERE id = {case} FOR UPDATE;
    IF EXISTS (
        SELECT 1 FROM intake_case c WHERE c.id = {case} AND (
            (c.closed_at IS NULL AND c.owner_id IS NULL)
            OR (c.closed_at IS NULL AND c.next_due_at IS NULL)
            OR c.next_due_at IS DISTINCT FROM
               (SELECT min(f.due_at) FROM intake_followup f WHERE f.case_id = c.id AND f.state = 'planned')
            OR (c.closed_at IS NOT NULL AND c.next_due_at IS NOT NULL)
        )
    ) THEN
        RAISE EXCEPTION 'case %: an open case has an owner, an open step and a due time', {case}
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""


def in_hands(name: str, case: str, operation: Any) -> pgtrigger.Trigger:
    """The deferred trigger that keeps every open case in somebody's hands."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=operation,
        timing=pgtrigger.Deferred,
        func=IN_HANDS.format(case=case),
    )


# Nobody hands a case, or a step of it, to who is locked out of it, whoever writes: spoken at once.
LOCKED_OUT_NOW = "l.ended_at IS NULL AND (l.until IS NULL OR l.until >= (now() AT TIME ZONE 'Europe/Stockholm')::date)"
NOT_TO_THEM = """
    IF EXISTS (SELECT 1 FROM intake_lockedout l WHERE l.case_id = {case} AND l.user_id = NEW.owner_id AND {now}) THEN
        RAISE EXCEPTION 'case %: its new owner, or that of a step, is locked out of it', {case}
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
NOT_WHO_HAS_IT = """
    IF NEW.ended_at IS NULL AND (
        EXISTS (SELECT 1 FROM intake_case c
                WHERE c.id = NEW.case_id AND c.closed_at IS NULL AND c.owner_id = NEW.user_id)
        OR EXISTS (SELECT 1 FROM intake_followup f
                   WHERE f.case_id = NEW.case_id AND f.state = 'planned' AND f.owner_id = NEW.user_id)
    ) THEN
        RAISE EXCEPTION 'case %: who has it, or a step of it, is not locked out', NEW.case_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


def not_to_locked_out(case: str, condition: pgtrigger.Condition) -> pgtrigger.Trigger:
    """The trigger that keeps a case and its steps out of the hands of who is locked out of it."""
    return pgtrigger.Trigger(
        name="not_to_locked_out",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=condition,
        func=NOT_TO_THEM.format(case=case, now=LOCKED_OUT_NOW),
    )


def takes_identity(track: str, unit: Unit) -> bool:
    """Whether a call or a case of this unit has fields for who somebody is."""
    if track == "B":
        return not BoardDecision.objects.in_force("support_without_identity", unit.municipality_id, clock.today())
    return track == "C"


class CaseQuerySet(models.QuerySet["Case"]):
    """Which cases."""

    def visible_to(self, user: User) -> Self:
        """Own cases and those of the unit; those that are not own are opened with a reason (access to the row is not
        yet access to its words: see intake/gate.py). One that this person is locked out of is not there."""
        if not user.is_in_use or user.unit_id is None:
            return self.none()
        return self.filter(unit=user.unit_id).exclude(pk__in=in_locked(user))

    def within_reach_of(self, user: User) -> Self:
        """Those that are visible, and what this person has opened in an emergency that still holds: for the gates alone,
        never for a list or a figure."""
        if not user.is_in_use or user.unit_id is None:
            return self.none()
        opened = CaseOpening.objects.filter(user=user, is_emergency=True, until__gt=clock.now()).values("case")
        return self.filter(Q(unit=user.unit_id) | Q(pk__in=opened)).exclude(pk__in=in_locked(user))

    def open(self) -> Self:
        """Not closed."""
        return self.filter(closed_at__isnull=True)

    def counted(self) -> Self:
        """Those that figures count: practice is none of them."""
        return self.filter(is_practice=False)

    def of(self, user: User) -> Self:
        """Own cases."""
        return self.filter(owner=user)

    def in_order(self) -> Self:
        """By what is due first; the order of every worklist and of its index."""
        return self.order_by("next_due_at", "id")


class Case(SealedModel):
    """Our handle on somebody who needs help. The number is what the caller can say aloud."""

    code = models.CharField(max_length=40, unique=True, default=new_code)
    key = models.OneToOneField(DataKey, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="cases")
    owner = models.ForeignKey(User, models.PROTECT, null=True, related_name="cases")
    caller_type = models.CharField(max_length=20)
    track = models.CharField(max_length=1, default="A")
    identity = models.CharField(max_length=12, default="anonymous")
    protection = models.CharField(max_length=24, default="none")
    municipality = models.ForeignKey(Municipality, models.PROTECT, null=True, related_name="+")
    milieu = models.CharField(max_length=12, default="UNKNOWN")
    age_band = models.CharField(max_length=8, default="unknown")
    language = models.CharField(max_length=8, default="sv")
    interpreter = models.BooleanField(default=False)
    needs = models.JSONField(default=list)
    urgency = models.CharField(max_length=12)
    safe_contact = SealedTextField()
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    next_due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    closing_reason = models.CharField(max_length=20, blank=True)
    actualisation = models.CharField(max_length=3, blank=True)
    passphrase = SealedTextField()  # a hash of what the caller chose to say when calling again
    is_practice = models.BooleanField(default=False)  # stays out of every figure, and goes to no agency
    is_consultation = models.BooleanField(default=False)  # begun by a professional who said no name

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "next_due_at", "id"], name="own_open", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["unit", "next_due_at", "id"], name="unit_open", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["unit", "-closed_at", "id"], name="closed", condition=Q(closed_at__isnull=False)),
            models.Index(fields=["unit", "opened_at", "id"], name="cases_by_time"),
            models.Index(fields=["opened_at"], name="cases_of_day"),  # of all units: sums.py
            models.Index(fields=["closed_at"], name="closed_of_day", condition=Q(closed_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="case_closed_whole",
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, closing_reason="")
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(closing_reason="")),
            ),
            models.CheckConstraint(
                name="open_case_has_owner", condition=Q(owner__isnull=False) | Q(closed_at__isnull=False)
            ),
        ]
        triggers = [
            in_hands("in_hands", "NEW.id", pgtrigger.Insert | pgtrigger.Update),
            not_to_locked_out("NEW.id", pgtrigger.Q(new__closed_at__isnull=True)),
            only_by_disposal(case="OLD.id"),
            marks_days("marks_day", "{row}.opened_at", SUMMED),
            marks_days("marks_day_closed", "{row}.closed_at", "unit_id closed_at closing_reason is_practice"),
        ]

    class Privacy:
        personal = {"safe_contact", "passphrase"}
        # Coded facts are the statistics that the law allows; who they are about stands in sealed fields alone.
        plain = {
            *("id", "code", "key", "unit", "owner", "caller_type", "track", "identity", "protection", "municipality"),
            *("milieu", "age_band", "language", "interpreter", "needs", "urgency", "opened_at", "opened_by"),
            *("next_due_at", "closed_at", "closed_by", "closing_reason", "actualisation", "is_practice"),
            "is_consultation",
        }

    def __str__(self) -> str:
        """The number; practice says so wherever it is named, so that no list can forget it."""
        return gettext("%(number)s (practice)") % {"number": self.number} if self.is_practice else self.number

    @property
    def number(self) -> str:
        """The number as it is said aloud."""
        return spoken(self.code)

    def seal_key(self) -> DataKey:
        return self.key

    @property
    def slug(self) -> str:
        """The number as it stands in an address."""
        return slug(self.code)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def caller_name(self) -> str:
        if self.is_consultation and self.track == "A":
            return gettext("Consultation without identity")
        return triage.caller_name(self.caller_type)

    @property
    def urgency_name(self) -> str:
        return triage.name_of("urgencies", self.urgency)

    @property
    def track_name(self) -> str:
        return triage.name_of("tracks", self.track)

    @property
    def identity_name(self) -> str:
        return triage.name_of("identities", self.identity)

    @property
    def protection_name(self) -> str:
        return triage.name_of("protections", self.protection)

    @property
    def noun(self) -> str:
        """What it is called: only on track C is it a case of the board ("ärende")."""
        return triage.name_of("nouns", self.track)

    @property
    def takes_identity(self) -> bool:
        """Whether who the person is may be documented: never on track A (SoL 14:4), on B unless the board has decided
        otherwise (SoL 14:5)."""
        return takes_identity(self.track, self.unit)

    @property
    def is_protected(self) -> bool:
        """Whether every list shows no more of it than number, urgency, time and owner."""
        return self.protection != "none"

    @property
    def in_list(self) -> str:
        """What a list says of it beside its number: what it is and who called, or that its data are protected."""
        return gettext("Protected data") if self.is_protected else f"{self.noun} · {self.caller_name}".lower()

    @property
    def is_forgotten(self) -> bool:
        """Whether its words are erased."""
        return self.key.is_destroyed

    @property
    def age_name(self) -> str:
        return triage.name_of("age_bands", self.age_band)

    @property
    def need_names(self) -> list[str]:
        return [triage.name_of("needs", need) for need in self.needs]

    @property
    def closing_name(self) -> str:
        return triage.name_of("closing_reasons", self.closing_reason)

    @property
    def safe(self) -> SafeContact:
        """How the person can be reached safely."""
        return SafeContact.read(self.safe_contact)

    @cached_property
    def open_steps(self) -> list["FollowUp"]:
        """What waits, first due first."""
        return list(self.steps.planned().select_related("owner").in_order())  # each knows this row as its case

    @property
    def status(self) -> str:
        """new, active, waiting or closed: a fact about the rows, never stored."""
        if not self.is_open:
            return "closed"
        if self.open_steps and all(step.others_turn for step in self.open_steps):
            return "waiting"
        return "new" if self.open_steps and self.open_steps[0].kind == "first_step" else "active"


class ListedManager(models.Manager["Person"]):
    """The people that a case lists; of those who were taken off the list the row remains, and nobody reads it."""

    def get_queryset(self) -> models.QuerySet["Person"]:
        return super().get_queryset().filter(unlisted_at__isnull=True)


class Person(SealedModel):
    """Somebody in a case: who called, and whom the worry is about, are different people."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="people")
    part = models.CharField(max_length=12)
    relation = models.CharField(max_length=20, blank=True)
    name = SealedTextField()
    personal_number = SealedTextField()  # twelve digits; or a coordination number (the day plus 60)
    phone = SealedTextField()  # to call back, seen by the case's owner alone
    phone_until = models.DateTimeField(null=True)  # erased then at the latest
    age_band = models.CharField(max_length=8, default="unknown")
    unlisted_at = models.DateTimeField(null=True)

    objects = ListedManager()
    everybody = models.Manager()

    class Meta:
        indexes = [
            models.Index(fields=["phone_until"], name="numbers_to_erase", condition=Q(phone_until__isnull=False))
        ]
        constraints = [
            models.CheckConstraint(name="number_has_an_end", condition=Q(phone=b"") | Q(phone_until__isnull=False))
        ]

    class Privacy:
        personal = {"name", "personal_number", "phone"}
        plain = {"id", "case", "part", "relation", "phone_until", "age_band", "unlisted_at"}

    def seal_key(self) -> DataKey:
        return self.case.key

    @property
    def part_name(self) -> str:
        return str(PARTS[self.part])

    @property
    def relation_name(self) -> str:
        return triage.name_of("relations", self.relation) if self.relation else ""

    @property
    def age_name(self) -> str:
        return triage.name_of("age_bands", self.age_band)

    @property
    def masked_number(self) -> str:
        """The personal number as a list shows it, without its last four digits; "" where there is none."""
        return personal_numbers.masked(self.personal_number)

    @property
    def has_number(self) -> bool:
        """Whether there is a number to call back, which nobody need see to know it."""
        return bool(self.phone) and self.phone_until is not None and self.phone_until > clock.now()


class CaseOpening(SealedModel):
    """A reason that somebody gave for opening a case that is not their own: one of the unit; or, in an emergency, one that
    is open to named staff alone or belongs to another unit, and then the manager reviews it. Holds for some hours."""

    HOURS = 12
    EMERGENCY_HOURS = 2

    class Verdict(models.TextChoices):
        JUSTIFIED = "justified", _("Justified")
        INVESTIGATE = "investigate", _("To be investigated")

    case = models.ForeignKey(Case, models.PROTECT, related_name="openings")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20)
    words = SealedTextField()
    at = models.DateTimeField(default=clock.now)
    until = models.DateTimeField()
    is_emergency = models.BooleanField(default=False)
    verdict = models.CharField(max_length=12, choices=Verdict.choices, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    review_words = SealedTextField()

    class Meta:
        indexes = [
            models.Index(fields=["case", "user", "-until"], name="opening_now"),
            models.Index(fields=["at"], name="to_review", condition=Q(is_emergency=True, reviewed_at__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(
                name="opening_reviewed_whole",
                condition=Q(verdict="", reviewed_at__isnull=True, reviewed_by__isnull=True)
                | (~Q(verdict="") & Q(reviewed_at__isnull=False, reviewed_by__isnull=False)),
            ),
            models.CheckConstraint(name="nobody_reviews_own_opening", condition=~Q(reviewed_by=models.F("user"))),
        ]

    class Privacy:
        personal = {"words", "review_words"}
        plain = {
            *("id", "case", "user", "reason", "at", "until", "is_emergency", "verdict", "reviewed_at", "reviewed_by"),
        }

    def seal_key(self) -> DataKey:
        return self.case.key


class InForceQuerySet(models.QuerySet[Any]):
    """Rows that hold until a last day, or until somebody ends them."""

    def in_force(self) -> Self:
        """Not ended, and their last day has not passed."""
        return self.filter(Q(until__isnull=True) | Q(until__gte=clock.today()), ended_at__isnull=True)


class NamedAccess(SealedModel):
    """A colleague whom the manager has named for a case with protected personal data: besides its owner only they open it."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="named")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    until = models.DateField(null=True)  # the last day
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = InForceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="named_once", fields=["case", "user"], condition=Q(ended_at__isnull=True)),
            models.CheckConstraint(
                name="naming_ended_whole",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    class Privacy:
        plain = {"id", "case", "user", "at", "by", "until", "ended_at", "ended_by"}

    def seal_key(self) -> DataKey:
        return self.case.key


class LockedOut(SealedModel):
    """A colleague for whom this case is not there (conflict of interest): neither in a list nor counted, nor in an
    emergency."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="locked_out")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = SealedTextField()
    until = models.DateField(null=True)  # the last day
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = InForceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "case"], name="locked_out_of", condition=Q(ended_at__isnull=True))]
        constraints = [
            models.UniqueConstraint(name="locked_once", fields=["case", "user"], condition=Q(ended_at__isnull=True)),
            models.CheckConstraint(
                name="lock_ended_whole",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="not_who_has_it",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=NOT_WHO_HAS_IT,
            )
        ]

    class Privacy:
        personal = {"reason"}
        plain = {"id", "case", "user", "at", "by", "until", "ended_at", "ended_by"}

    def seal_key(self) -> DataKey:
        return self.case.key


def locked_cases(user: User) -> models.QuerySet[Any]:
    """The cases that this person is locked out of, for a query."""
    return LockedOut.objects.in_force().filter(user=user).values("case")


def in_locked(user: User) -> RawSQL:
    """The same for a lookup (`case__in`), written out: what is asked of it in every list is built once a day for each person.
    The database answers it anew each time."""
    return _written(user.pk, clock.today())


@lru_cache(maxsize=1024)
def _written(user: int, _today: dt.date) -> RawSQL:
    return RawSQL(*locked_cases(User(pk=user)).query.sql_with_params())  # noqa: S611  # Django's own words


class CaseLink(SealedModel):
    """Two cases that a manager has tied together with a reason. Until then nothing tells one of the other."""

    one = models.ForeignKey(Case, models.PROTECT, related_name="+")
    other = models.ForeignKey(Case, models.PROTECT, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    reason = SealedTextField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="linked_once", fields=["one", "other"], condition=Q(ended_at__isnull=True)),
            models.CheckConstraint(name="link_in_order", condition=Q(one__lt=models.F("other"))),
            models.CheckConstraint(
                name="link_ended_whole",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    class Privacy:
        personal = {"reason"}
        plain = {"id", "one", "other", "by", "at", "ended_at", "ended_by"}

    def seal_key(self) -> DataKey:
        return self.one.key


class BoardDecisionQuerySet(models.QuerySet["BoardDecision"]):
    """Which decisions."""

    def in_force(self, kind: str, municipality: str, day: dt.date) -> int | None:
        """The value that holds in a municipality on a day; None where the board has decided nothing."""
        return self.begun(kind, municipality, day).values_list("value", flat=True).first()

    def begun(self, kind: str, municipality: Any, day: dt.date) -> Self:
        """What has begun by that day, the one that holds first. `municipality`: its code, or where a statement finds it."""
        begun = self.filter(kind=kind, municipality=municipality, valid_from__lte=day)
        return begun.order_by("-valid_from", "-entered_at", "-pk")


class BoardDecision(models.Model):
    """What the board has decided for its line: a value from a day on, with its registry number. Rows are added, never
    changed: the latest that has begun holds."""

    KINDS = ("advice_words_months", "support_without_identity")

    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    value = models.PositiveSmallIntegerField()  # months; or 1 for yes and 0 for no
    valid_from = models.DateField()
    registry_number = models.CharField(max_length=40)
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(default=clock.now)

    objects = BoardDecisionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["municipality", "kind", "-valid_from"], name="decision_in_force")]

    class Privacy:
        plain = {"id", "municipality", "kind", "value", "valid_from", "registry_number", "entered_by", "entered_at"}
