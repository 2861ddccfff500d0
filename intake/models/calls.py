"""Calls: the questions as they were asked, the answers, and the notes."""

import datetime as dt
import json
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Count, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext

from helpline.people import clock
from helpline.people.models import Municipality, Unit, User, only_by_disposal
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake import triage
from intake.labels import AMENDMENTS, CASE_NOTES
from intake.models.cases import Case, in_locked, takes_identity
from intake.models.sums import marks_days
from intake.safe import SafeContact
from intake.told import FACTS, Told, answers_of, facts_of, label_of, standing_in

# What the sums by day tell apart.
SUMMED_OF_CALL = (
    "unit_id case_id received_at completed_at is_practice caller_type milieu age_band municipality_id urgency channel"
    " lasted_minutes"
)
ROWS = {"answer_rows", "note_rows", "measure_rows"}  # of a call, read once
CONSULTED = ("p_advised", "p_they_do", "p_not_report")  # what a consultation leaves, as it is read aloud at its end


class QuestionSet(models.Model):
    """One version of the question sets, as it was asked. A new version is a new row."""

    version = models.PositiveIntegerField(primary_key=True)
    digest = models.CharField(max_length=64)
    content = models.TextField()  # JSON as one text: its order is the order on the screen, which jsonb would lose
    loaded_at = models.DateTimeField(default=clock.now)

    class Privacy:
        plain = {"version", "digest", "content", "loaded_at"}


class CallQuerySet(models.QuerySet["Call"]):
    """Which calls."""

    def visible_to(self, user: User) -> Self:
        """The calls of one's own unit; none of a case that this person is locked out of."""
        if not user.is_in_use or user.unit_id is None:
            return self.none()
        return self.filter(unit=user.unit_id).exclude(case__in=in_locked(user))

    def counted(self) -> Self:
        """Those that figures count: practice is none of them."""
        return self.filter(is_practice=False)

    def going_on(self, user: User, within: dt.timedelta) -> Self:
        """One's own, unfinished, and begun or saved within this time."""
        since = clock.now() - within
        lately = Q(saved_at__gte=since) | Q(received_at__gte=since)
        return self.visible_to(user).unfinished().filter(lately, taken_by=user)

    def unfinished(self) -> Self:
        """Going on, or hung up and not yet written to the end."""
        return self.filter(completed_at__isnull=True, voided_at__isnull=True)

    def finished(self) -> Self:
        """Completed, or taken away."""
        return self.exclude(completed_at__isnull=True, voided_at__isnull=True)

    def acute(self) -> Self:
        """With an answer that is acute. Practice is not."""
        return self.counted().filter(urgency_at_least=triage.ACUTE, voided_at__isnull=True)

    def acute_left(self) -> Self:
        """Acute, and `left` things that must be done at once are neither done nor explained."""
        kinds = triage.codes("acute_lines")
        kept = Count("measures", filter=Q(measures__kind__in=kinds))
        return self.acute().annotate(left=len(kinds) - kept).filter(left__gt=0)


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
    personal_number = SealedTextField()  # of who called, until there is a case: twelve digits
    phone = SealedTextField()
    safe_contact = SealedTextField()
    # The next step as it is decided while the call goes on; completing makes a step of it.
    step_what = SealedTextField()
    step_due_at = models.DateTimeField(null=True)
    wants_case = models.BooleanField(default=False)
    # Whether something came to the board's knowledge that may lead to action: an active yes or no, with its reason.
    actualisation = models.CharField(max_length=3, blank=True)
    actualisation_reason = SealedTextField()
    passphrase = SealedTextField()  # a hash; completing gives it to the case
    is_practice = models.BooleanField(default=False)  # stays out of every figure
    start_token = models.UUIDField(
        null=True, unique=True
    )  # the page that it was opened from: pressed twice, opened once
    entered_late = models.BooleanField(default=False)  # taken on paper, entered afterwards
    lasted_minutes = models.PositiveSmallIntegerField(null=True)  # where it was entered afterwards

    objects = CallQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["unit", "received_at"],
                name="unfinished",
                condition=Q(completed_at__isnull=True, voided_at__isnull=True),
            ),
            models.Index(  # the call that every page leads its worker back into
                fields=["taken_by"],
                name="own_unfinished",
                condition=Q(completed_at__isnull=True, voided_at__isnull=True),
            ),
            models.Index(fields=["unit", "-received_at", "id"], name="calls_by_time"),
            models.Index(
                fields=["received_at"], name="calls_of_day", condition=Q(completed_at__isnull=False)
            ),  # sums.py
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
                condition=~Q(track="A") | Q(completed_at__isnull=True) | Q(caller_name=b""),
            ),
            models.CheckConstraint(  # nor one of a call that has a case: there it stands with the person
                name="number_of_person_in_its_place",
                condition=Q(personal_number=b"")
                | Q(completed_at__isnull=True, voided_at__isnull=True)
                | (Q(case__isnull=True) & ~Q(track="A")),
            ),
            models.CheckConstraint(  # a number to call back is kept with the case, where it is erased in time
                name="finished_call_has_no_number",
                condition=Q(completed_at__isnull=True, voided_at__isnull=True) | Q(phone=b""),
            ),
        ]
        triggers = [
            only_by_disposal(case="OLD.case_id", call="OLD.id"),
            marks_days(
                "marks_day", "CASE WHEN {row}.completed_at IS NOT NULL THEN {row}.received_at END", SUMMED_OF_CALL
            ),
            # A bounce of a call is one of its case: who was bounced is told on the day on which the case began.
            marks_days(
                "marks_day_of_case", "(SELECT c.opened_at FROM intake_case c WHERE c.id = {row}.case_id)", "case_id"
            ),
        ]

    class Privacy:
        personal = {
            *(
                "urgency_reason",
                "caller_name",
                "personal_number",
                "phone",
                "safe_contact",
                "step_what",
                "actualisation_reason",
                "passphrase",
            )
        }
        plain = {
            *("id", "key", "unit", "taken_by", "case", "question_set", "received_at", "completed_at", "voided_at"),
            *("saved_at", "channel", "caller_type", "track", "identity", "protection", "municipality", "milieu"),
            *("age_band", "language", "interpreter", "urgency_at_least", "urgency", "step_due_at", "wants_case"),
            *("actualisation", "is_practice", "start_token", "entered_late", "lasted_minutes"),
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
        return self._opened_here(list(self.answers.all()))

    @cached_property
    def note_rows(self) -> list["Note"]:
        """All its notes, in the order in which they were begun."""
        return self._opened_here(sorted(self.notes.all(), key=lambda note: note.pk))

    @cached_property
    def measure_rows(self) -> list["AcuteMeasure"]:
        return self._opened_here(list(self.measures.all()))

    def _opened_here(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.call = self  # whose key opens it is here already
        return rows

    def knows(self, read: "Call") -> None:
        """Take over the rows of this call that were read before it was held. Right where `saved_at` is the same: whoever
        writes one of them in an unfinished call stamps it."""
        for name in ROWS & read.__dict__.keys():
            self.__dict__[name] = self._opened_here(read.__dict__[name])

    @property
    def assessment(self) -> triage.Assessment:
        """What the answers say now."""
        return self.guide.assess(self.caller_type, self.answered)

    @property
    def told(self) -> "list[Told]":
        """What was answered, as it is read afterwards; acute yes first."""
        return answers_of(self)

    @property
    def standing(self) -> "list[Told]":
        """All that stands in it besides its notes."""
        return standing_in(self)

    @property
    def amended(self) -> "list[Told]":
        """Of that, beside what something was written afterwards."""
        return [one for one in self.standing if one.beside]

    @property
    def facts_amended(self) -> "list[Told]":
        """Its facts beside which something was written afterwards."""
        if not FACTS.keys() & self.beside.keys():
            return []
        return [one for one in facts_of(self) if one.beside]

    @cached_property
    def beside(self) -> dict[str, list["Note"]]:
        """Answer or fact -> what was added, corrected or objected to it afterwards, oldest first."""
        found: dict[str, list[Note]] = {}
        for row in sorted(self.note_rows, key=lambda note: (note.at, note.pk)):
            if row.about:
                found.setdefault(row.about, []).append(row)
        return found

    @property
    def safe(self) -> SafeContact:
        """How the caller can be reached safely."""
        return SafeContact.read(self.safe_contact)

    @property
    def is_finished(self) -> bool:
        return self.completed_at is not None or self.voided_at is not None

    @property
    def is_consultation(self) -> bool:
        """Whether a professional asks for advice without saying whom it is about: a kind of call of its own."""
        return self.caller_type == "professional" and self.answered.get("p_mode") == "deidentified"

    @property
    def consultation(self) -> list[tuple[str, str]]:
        """What is read aloud when a consultation ends: (label, words). What was advised, what they do themselves, and
        that it takes the place of no report (SoL 19:1)."""
        if not self.is_consultation:
            return []
        asked = [self.guide.questions[key] for key in CONSULTED if key in self.guide.questions]
        return [
            (one.short, one.text if one.type == "say" else one.say(self.answered.get(one.key, ""))) for one in asked
        ]

    @property
    def signed_notes(self) -> list["Note"]:
        """Its notes as they were signed, each with what hangs under it."""
        notes = self.notes.filter(amends__isnull=True, about="", signed_at__isnull=False).exclude(text=b"")
        return list(notes.select_related("by").prefetch_related("amendments__by").order_by("at", "id"))

    @property
    def type_name(self) -> str:
        if self.is_consultation:
            return gettext("Consultation without identity")
        caller = self.guide.callers.get(self.caller_type)
        return caller.name if caller else triage.caller_name(self.caller_type)

    @property
    def takes_identity(self) -> bool:
        """Whether its track has fields for who the caller is."""
        return takes_identity(self.track, self.unit)

    @property
    def naming_told(self) -> bool:
        """Whether it was said what giving a name means: before that no name is asked for."""
        return bool(self.answered.get("named"))

    @property
    def is_protected(self) -> bool:
        """Whether every list shows no more of it than urgency, time and who took it."""
        return self.protection != "none"

    @property
    def in_list(self) -> str:
        """What a list says of it: who called, or that the data are protected."""
        protected = self.is_protected or (self.case is not None and self.case.is_protected)
        return gettext("Protected data") if protected else self.type_name

    @property
    def is_forgotten(self) -> bool:
        """Whether its words are erased."""
        return self.key.is_destroyed

    @property
    def minutes(self) -> int:
        """How long it took, in whole minutes; so far where it is not completed."""
        if self.lasted_minutes is not None:
            return self.lasted_minutes
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
    amends = models.ForeignKey("self", models.PROTECT, null=True, related_name="amendments")
    amendment = models.CharField(max_length=12, blank=True)  # addition, correction or objection (labels.AMENDMENTS)
    about = models.CharField(max_length=40, blank=True)  # of a call: the answer or fact that it stands beside (told.py)
    said_by = models.CharField(
        max_length=7, blank=True
    )  # an objection beside it: whose (labels.PARTS); "": the caller's

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="note_of_a_call_or_a_case",
                condition=Q(call__isnull=False, case__isnull=True) | Q(call__isnull=True, case__isnull=False),
            ),
            models.UniqueConstraint(
                name="one_note_a_kind_in_a_call", fields=["call", "kind"], condition=Q(amends__isnull=True, about="")
            ),
            models.CheckConstraint(
                name="amendment_of_a_note_or_a_call",
                condition=Q(amends__isnull=True, about="", amendment="")
                | (Q(amends__isnull=False, about="") & ~Q(amendment=""))
                | (
                    Q(amends__isnull=True, call__isnull=False, signed_at__isnull=False)
                    & ~Q(about="")
                    & ~Q(amendment="")
                ),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="signed_is_signed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__signed_at__isnull=False),
            ),
            only_by_disposal(
                case="coalesce(OLD.case_id, (SELECT c.case_id FROM intake_call c WHERE c.id = OLD.call_id))",
                call="OLD.call_id",
                condition=pgtrigger.Q(old__signed_at__isnull=False),
            ),
        ]

    class Privacy:
        personal = {"text"}
        plain = {"id", "call", "case", "kind", "by", "at", "signed_at", "amends", "amendment", "about", "said_by"}

    def seal_key(self) -> DataKey:
        owner = self.call or self.case
        assert owner is not None  # the constraint says so
        return owner.key

    @property
    def kind_name(self) -> str:
        return self.amendment_name if self.about else str(CASE_NOTES[self.kind])

    @property
    def amendment_name(self) -> str:
        """What it is to the note that it hangs under, or to what it stands beside."""
        return str(AMENDMENTS[self.amendment])

    @property
    def about_name(self) -> str:
        """What it stands beside, in words."""
        return label_of(self.call, self.about) if self.call and self.about else ""

    @property
    def hanging(self) -> list["Note"]:
        """What hangs under it, oldest first."""
        rows = sorted(self.amendments.all(), key=lambda note: (note.at, note.pk))
        for row in rows:
            row.call, row.case = self.call, self.case  # whose key opens it is here already
        return rows


class AcuteMeasure(SealedModel):
    """One line of what must be done when an answer is acute: done at a time, or explained why not. A line without a row
    is still to do."""

    call = models.ForeignKey(Call, models.PROTECT, related_name="measures")
    kind = models.CharField(max_length=20)  # questions/lists.yaml acute_lines
    done_at = models.DateTimeField(null=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    reference = SealedTextField()  # of SOS Alarm
    why_not = SealedTextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_measure_a_kind", fields=["call", "kind"]),
            models.CheckConstraint(
                name="measure_done_or_explained", condition=Q(done_at__isnull=False) | ~Q(why_not=b"")
            ),
        ]

    class Privacy:
        personal = {"reference", "why_not"}
        plain = {"id", "call", "kind", "done_at", "by", "at"}

    def seal_key(self) -> DataKey:
        return self.call.key


class Claim(models.Model):
    """A caller gave a case number, and perhaps a passphrase: right or wrong. Wrong ones are counted against guessing."""

    call = models.ForeignKey(Call, models.PROTECT, related_name="claims")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="claims")  # null: there is no such case
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    is_right = models.BooleanField()
    # A keyed hash of the number that was said, so that one that does not exist is counted like one that does.
    mark = models.CharField(max_length=64, default="")

    class Meta:
        indexes = [
            models.Index(fields=["case", "-at"], name="wrong_claims", condition=Q(is_right=False)),
            models.Index(fields=["mark", "-at"], name="wrong_numbers", condition=Q(is_right=False)),
        ]

    class Privacy:
        plain = {"id", "call", "case", "by", "at", "is_right", "mark"}


class HeavyCall(models.Model):
    """That somebody of a unit had a heavy call in a month: counted, and tied to no name. `mark` is a keyed hash of the
    call, so that the same tick counts once and points to nobody."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    month = models.DateField()  # its first day
    mark = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes = [models.Index(fields=["unit", "month"], name="heavy_calls")]

    class Privacy:
        plain = {"id", "unit", "month", "mark"}
