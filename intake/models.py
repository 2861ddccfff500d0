"""Calls and cases, and what stands around them: answers, notes, people, steps, reminders, child clocks, the timeline."""

import datetime as dt
import json
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property

from helpline.people import clock
from helpline.people.models import NEVER_CHANGED, Municipality, Unit, User
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake import triage
from intake.codes import new_code, slug, spoken
from intake.labels import EVENTS, NOTE_KINDS, STEP_KINDS

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


class QuestionSet(models.Model):
    """One version of the question sets, as it was asked. A new version is a new row."""

    version = models.PositiveIntegerField(primary_key=True)
    digest = models.CharField(max_length=64)
    content = models.TextField()  # JSON as one text: its order is the order on the screen, which jsonb would lose
    loaded_at = models.DateTimeField(default=clock.now)

    class Privacy:
        plain = {"version", "digest", "content", "loaded_at"}


class CaseQuerySet(models.QuerySet["Case"]):
    """Which cases."""

    def visible_to(self, user: User) -> Self:
        """Own cases and those of the unit; those that are not own are opened with a reason (access to the row is not
        yet access to its words: see views.gate)."""
        if not user.is_active or user.unit_id is None:
            return self.none()
        return self.filter(unit=user.unit_id)

    def open(self) -> Self:
        """Not closed."""
        return self.filter(closed_at__isnull=True)

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

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "next_due_at", "id"], name="own_open", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["unit", "next_due_at", "id"], name="unit_open", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["unit", "-closed_at", "id"], name="closed", condition=Q(closed_at__isnull=False)),
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
        triggers = [in_hands("in_hands", "NEW.id", pgtrigger.Insert | pgtrigger.Update)]

    class Privacy:
        personal = {"safe_contact"}
        # Coded facts are the statistics that the law allows; who they are about stands in sealed fields alone.
        plain = {
            *("id", "code", "key", "unit", "owner", "caller_type", "track", "identity", "protection", "municipality"),
            *("milieu", "age_band", "language", "interpreter", "needs", "urgency", "opened_at", "opened_by"),
            *("next_due_at", "closed_at", "closed_by", "closing_reason"),
        }

    def __str__(self) -> str:
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
        return triage.caller_name(self.caller_type)

    @property
    def urgency_name(self) -> str:
        return triage.name_of("urgencies", self.urgency)

    @property
    def track_name(self) -> str:
        return triage.name_of("tracks", self.track)

    @property
    def age_name(self) -> str:
        return triage.name_of("age_bands", self.age_band)

    @property
    def need_names(self) -> list[str]:
        return [triage.name_of("needs", need) for need in self.needs]

    @property
    def closing_name(self) -> str:
        return triage.name_of("closing_reasons", self.closing_reason)

    @cached_property
    def open_steps(self) -> list["FollowUp"]:
        """What waits, first due first."""
        return list(self.steps.planned().select_related("owner", "case__key").in_order())

    @property
    def status(self) -> str:
        """new, active, waiting or closed: a fact about the rows, never stored."""
        if not self.is_open:
            return "closed"
        if self.open_steps and all(step.others_turn for step in self.open_steps):
            return "waiting"
        return "new" if self.open_steps and self.open_steps[0].kind == "first_step" else "active"


class CallQuerySet(models.QuerySet["Call"]):
    """Which calls."""

    def visible_to(self, user: User) -> Self:
        """The calls of one's own unit."""
        if not user.is_active or user.unit_id is None:
            return self.none()
        return self.filter(unit=user.unit_id)

    def unfinished(self) -> Self:
        """Going on, or hung up and not yet written to the end."""
        return self.filter(completed_at__isnull=True, voided_at__isnull=True)


class Call(SealedModel):
    """One call. Opened with one key; nothing is required until it is completed."""

    key = models.OneToOneField(DataKey, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="calls")
    taken_by = models.ForeignKey(User, models.PROTECT, related_name="calls")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="calls")
    question_set = models.ForeignKey(QuestionSet, models.PROTECT, related_name="+")
    received_at = models.DateTimeField(default=clock.now)
    completed_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    saved_at = models.DateTimeField(default=clock.now)
    channel = models.CharField(max_length=12, default="phone")
    caller_type = models.CharField(max_length=20, blank=True)
    track = models.CharField(max_length=1, default="A")
    identity = models.CharField(max_length=12, default="anonymous")
    protection = models.CharField(max_length=24, default="none")
    municipality = models.ForeignKey(Municipality, models.PROTECT, null=True, related_name="+")
    milieu = models.CharField(max_length=12, default="UNKNOWN")
    age_band = models.CharField(max_length=8, default="unknown")
    language = models.CharField(max_length=8, default="sv")
    interpreter = models.BooleanField(default=False)
    urgency_at_least = models.CharField(max_length=12, default="NORMAL")
    urgency = models.CharField(max_length=12, blank=True)  # empty until a person has confirmed it
    urgency_reason = SealedTextField()
    caller_name = SealedTextField()
    phone = SealedTextField()
    safe_contact = SealedTextField()
    # The next step as it is decided while the call goes on; completing makes a step of it.
    step_what = SealedTextField()
    step_due_at = models.DateTimeField(null=True)
    wants_case = models.BooleanField(default=False)

    objects = CallQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["unit", "received_at"],
                name="unfinished",
                condition=Q(completed_at__isnull=True, voided_at__isnull=True),
            ),
            models.Index(fields=["unit", "-received_at", "id"], name="calls_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                name="completed_call_has_type_and_urgency",
                condition=Q(completed_at__isnull=True) | (~Q(caller_type="") & ~Q(urgency="")),
            ),
            models.CheckConstraint(
                name="call_ends_one_way", condition=Q(completed_at__isnull=True) | Q(voided_at__isnull=True)
            ),
            models.CheckConstraint(
                name="advice_has_no_identity",
                condition=~Q(track="A") | Q(completed_at__isnull=True) | Q(caller_name=b"", phone=b""),
            ),
        ]

    class Privacy:
        personal = {"urgency_reason", "caller_name", "phone", "safe_contact", "step_what"}
        plain = {
            *("id", "key", "unit", "taken_by", "case", "question_set", "received_at", "completed_at", "voided_at"),
            *("saved_at", "channel", "caller_type", "track", "identity", "protection", "municipality", "milieu"),
            *("age_band", "language", "interpreter", "urgency_at_least", "urgency", "step_due_at", "wants_case"),
        }

    def seal_key(self) -> DataKey:
        return self.key

    @property
    def guide(self) -> triage.Guide:
        """The questions as they stood when the call began."""
        return triage.guide_of(self.question_set_id)

    @cached_property
    def answered(self) -> dict[str, triage.Value]:
        """Question key -> answer."""
        return {answer.question: answer.given for answer in self.answer_rows}

    @cached_property
    def remarks(self) -> dict[str, str]:
        """Question key -> what was said besides the answer."""
        return {answer.question: answer.remark for answer in self.answer_rows if answer.remark}

    @cached_property
    def answer_rows(self) -> list["Answer"]:
        rows = list(self.answers.all())
        for row in rows:
            row.call = self  # whose key opens it is here already
        return rows

    @property
    def assessment(self) -> triage.Assessment:
        """What the answers say now."""
        return self.guide.assess(self.caller_type, self.answered)

    @property
    def told(self) -> list[tuple[str, str, str, bool]]:
        """What was answered, as it is read afterwards: (question, answer, own words, is it an acute yes); acute yes first."""
        acute = {question.key for question in self.guide.sets["acute"]}
        rows = {row.question: row for row in self.answer_rows}
        found = []
        for key, question in self.guide.questions.items():
            if key in rows and question.type != "say":
                row = rows[key]
                is_yes = key in acute and row.given == "yes"
                found.append((question.short, question.say(row.given) if row.given else "", row.remark, is_yes))
        return sorted(found, key=lambda line: not line[3])

    @property
    def is_finished(self) -> bool:
        return self.completed_at is not None or self.voided_at is not None

    @property
    def type_name(self) -> str:
        return triage.caller_name(self.caller_type)

    @property
    def minutes(self) -> int:
        """How long it took, in whole minutes; so far where it is not completed."""
        return int(((self.completed_at or clock.now()) - self.received_at).total_seconds() // 60)


class Answer(SealedModel):
    """What was answered to one question, and what was said besides."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="answers")
    question = models.CharField(max_length=40)
    value = SealedTextField()
    remark = SealedTextField()
    answered_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_answer_a_question", fields=["call", "question"])]

    class Privacy:
        personal = {"value", "remark"}
        plain = {"id", "call", "question", "answered_at"}

    def seal_key(self) -> DataKey:
        return self.call.key

    @property
    def given(self) -> triage.Value:
        """The answer as its question has it: a code, a list of codes, or words."""
        value: triage.Value = json.loads(self.value) if self.value else ""
        return value


class Note(SealedModel):
    """Words of a call or a case: seen or heard, told or assumed, the worker's own assessment; never mixed, and never
    changed once signed (SoL 14:6: a correction is a note of its own)."""

    call = models.ForeignKey(Call, models.PROTECT, null=True, related_name="notes")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="notes")
    kind = models.CharField(max_length=12)
    text = SealedTextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    signed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="note_of_a_call_or_a_case",
                condition=Q(call__isnull=False, case__isnull=True) | Q(call__isnull=True, case__isnull=False),
            ),
            models.UniqueConstraint(name="one_note_a_kind_in_a_call", fields=["call", "kind"]),
        ]
        triggers = [
            pgtrigger.Protect(
                name="signed_is_signed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__signed_at__isnull=False),
            )
        ]

    class Privacy:
        personal = {"text"}
        plain = {"id", "call", "case", "kind", "by", "at", "signed_at"}

    def seal_key(self) -> DataKey:
        owner = self.call or self.case
        assert owner is not None  # the constraint says so
        return owner.key

    @property
    def kind_name(self) -> str:
        return str(NOTE_KINDS[self.kind])


class Person(SealedModel):
    """Somebody in a case: who called, and whom the worry is about, are different people."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="people")
    part = models.CharField(max_length=12)
    name = SealedTextField()
    phone = SealedTextField()
    age_band = models.CharField(max_length=8, default="unknown")

    class Privacy:
        personal = {"name", "phone"}
        plain = {"id", "case", "part", "age_band"}

    def seal_key(self) -> DataKey:
        return self.case.key


class CaseOpening(SealedModel):
    """A reason that somebody gave for opening a case of the unit that is not their own. Holds for some hours."""

    HOURS = 12

    case = models.ForeignKey(Case, models.PROTECT, related_name="openings")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20)
    words = SealedTextField()
    at = models.DateTimeField(default=clock.now)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["case", "user", "-until"], name="opening_now")]

    class Privacy:
        personal = {"words"}
        plain = {"id", "case", "user", "reason", "at", "until"}

    def seal_key(self) -> DataKey:
        return self.case.key


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    """Which steps."""

    def planned(self) -> Self:
        """Still to do."""
        return self.filter(state=FollowUp.State.PLANNED)

    def overdue(self) -> Self:
        """Still to do, and past their time."""
        return self.planned().filter(due_at__lt=clock.now())

    def in_order(self) -> Self:
        """First due first."""
        return self.order_by("due_at", "id")


class FollowUp(SealedModel):
    """A step that somebody has promised: what, who, when. A step that another floor planned carries `kept_by`, and only
    that floor ends it."""

    class State(models.TextChoices):
        PLANNED = "planned"
        DONE = "done"
        CANCELLED = "cancelled"
        MOVED = "moved"  # another row has taken its place

    case = models.ForeignKey(Case, models.PROTECT, related_name="steps")
    owner = models.ForeignKey(User, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=24)
    what = SealedTextField()
    codes = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    kept_by = models.CharField(max_length=20, blank=True)
    others_turn = models.BooleanField(default=False)  # somebody else acts; its owner sees to it that they do
    about = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    planned_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    outcome = SealedTextField()

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "due_at", "id"], name="own_steps", condition=Q(state="planned")),
            models.Index(fields=["case", "due_at", "id"], name="case_steps", condition=Q(state="planned")),
            models.Index(fields=["about"], name="kept_steps", condition=Q(state="planned") & ~Q(kept_by="")),
        ]
        constraints = [
            models.CheckConstraint(
                name="step_ended_whole",
                condition=Q(state="planned", ended_at__isnull=True) | (~Q(state="planned") & Q(ended_at__isnull=False)),
            )
        ]
        triggers = [
            in_hands("in_hands_ins", "NEW.case_id", pgtrigger.Insert | pgtrigger.Update),
            in_hands("in_hands_del", "OLD.case_id", pgtrigger.Update | pgtrigger.Delete),
        ]

    class Privacy:
        personal = {"what", "outcome"}
        plain = {
            *("id", "case", "owner", "kind", "codes", "due_at", "kept_by", "others_turn", "about", "state"),
            *("planned_at", "ended_at", "ended_by"),
        }

    def seal_key(self) -> DataKey:
        return self.case.key

    @property
    def title(self) -> str:
        """What is to be done, in words: the worker's own where there are any."""
        return self.what or str(STEP_KINDS[self.kind]) % self.codes

    @property
    def label(self) -> str:
        """What is to be done without the worker's own words: for lists that others see."""
        return str(STEP_KINDS[self.kind]) % self.codes

    @property
    def is_late(self) -> bool:
        """Planned, and past its time."""
        return self.state == self.State.PLANNED and self.due_at < clock.now()


class Reminder(models.Model):
    """One rung of reminding about one step. The row is the truth; Celery only looks for due ones."""

    class State(models.TextChoices):
        SCHEDULED = "scheduled"
        FIRED = "fired"
        CANCELLED = "cancelled"

    class Rung(models.TextChoices):
        DUE = "due"  # the step's owner, when it is due
        LATE = "late"  # the unit's managers, the next working morning

    step = models.ForeignKey(FollowUp, models.CASCADE, related_name="reminders")
    rung = models.CharField(max_length=4, choices=Rung.choices)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.SCHEDULED)
    fired_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="reminders_due", condition=Q(state="scheduled"))]
        constraints = [models.UniqueConstraint(name="one_reminder_a_rung", fields=["step", "rung"])]

    class Privacy:
        plain = {"id", "step", "rung", "due_at", "state", "fired_at"}


class ConcernReport(models.Model):
    """A report of concern for a child (SoL 19:1). It starts the child clocks. The child's age is its own, not the call's."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="concern_reports")
    received_at = models.DateTimeField(default=clock.now)
    child_age_band = models.CharField(max_length=8)
    registered_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Privacy:
        plain = {"id", "case", "received_at", "child_age_band", "registered_by"}


class ChildClock(models.Model):
    """One statutory time that runs for a child: the day to aim at, and the last day by law."""

    report = models.ForeignKey(ConcernReport, models.PROTECT, related_name="clocks")
    kind = models.CharField(max_length=40)
    aim = models.DateField()
    last_day = models.DateField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_clock_a_kind", fields=["report", "kind"]),
            models.CheckConstraint(name="aim_before_last_day", condition=Q(aim__lte=F("last_day"))),
        ]

    class Privacy:
        plain = {"id", "report", "kind", "aim", "last_day", "done_at"}

    @property
    def days_left(self) -> int:
        """Whole days to the last day by law; negative when it has passed."""
        return (self.last_day - clock.today()) // dt.timedelta(days=1)


class Event(SealedModel):
    """One line of a case's timeline: everything that happened, failed attempts included. Never changed."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="events")
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=40)
    text = SealedTextField()
    codes = models.JSONField(default=dict)
    call = models.ForeignKey(Call, models.PROTECT, null=True, related_name="+")
    note = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["case", "-at", "-id"], name="timeline")]
        triggers = NEVER_CHANGED

    class Privacy:
        personal = {"text"}
        plain = {"id", "case", "at", "by", "kind", "codes", "call", "note"}

    def seal_key(self) -> DataKey:
        return self.case.key

    @property
    def title(self) -> str:
        """What happened, in words: of a note its kind, of a step what it was."""
        if "note_kind" in self.codes:
            return str(NOTE_KINDS[self.codes["note_kind"]])
        words = {**self.codes}
        if "urgency" in words:
            words["urgency"] = triage.name_of("urgencies", words["urgency"])
        return str(EVENTS[self.kind]) % words

    @property
    def about(self) -> str:
        """Of a step, what it was; of a closing or an opening, the reason."""
        if "step" in self.codes:
            own_words = self.codes["step"] == "own" and self.text
            return "" if own_words else str(STEP_KINDS[self.codes["step"]]) % self.codes
        if "need" in self.codes:
            return triage.name_of("needs", self.codes["need"])
        lists = {"case.closed": "closing_reasons", "case.opened_by_other": "opening_reasons"}
        if self.kind in lists:
            return triage.name_of(lists[self.kind], self.codes["reason"])
        return ""
