"""The timeline of a case."""

from django.db import models

from helpline.people import clock
from helpline.people.models import NEVER_CHANGED, User
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from intake import triage
from intake.labels import EVENTS, NOTE_KINDS, STEP_KINDS
from intake.models.calls import Call, Note
from intake.models.cases import Case


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
        if "answer" in words:
            words["answer"] = triage.in_language(triage.BOOL3[words["answer"]])
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
