"""The timeline of a case."""

import datetime as dt

from django.db import models
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.models import User, never_changed_in
from helpline.people.sealed import DataKey, SealedModel, SealedTextField
from helpline.people.templatetags.people import say_day, say_time
from intake import triage
from intake.labels import AMENDMENTS, CASE_NOTES, CLOCKS, EMERGENCIES, EVENTS, PARTS, SAID, STEP_KINDS, VERDICTS, WHYS
from intake.models.calls import Call, Note
from intake.models.cases import Case

# code -> the list of questions/lists.yaml that has its words
IN_WORDS = {"urgency": "urgencies", "identity": "identities", "protection": "protections"}
# code -> the table that has its words
OF_TABLE = {"part": PARTS, "said": SAID, "verdict": VERDICTS}


class Event(SealedModel):
    """One line of a case's timeline: everything that happened, failed attempts included. Never changed."""

    append_only = True
    disposable = True

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
        triggers = never_changed_in(case="OLD.case_id")

    class Privacy:
        personal = {"text"}
        plain = {"id", "case", "at", "by", "kind", "codes", "call", "note"}

    def seal_key(self) -> DataKey:
        return self.case.key

    @property
    def title(self) -> str:
        """What happened, in words: of a note its kind, of a step what it was."""
        if "note_kind" in self.codes:
            return str(CASE_NOTES[self.codes["note_kind"]])
        if "amendment" in self.codes:
            return str(AMENDMENTS[self.codes["amendment"]])
        words = {**self.codes}
        for code, codes in IN_WORDS.items():
            if code in words:
                words[code] = triage.name_of(codes, words[code])
        if "measure" in words:
            words["measure"] = triage.name_of("acute_lines", words["measure"])
        if "done_at" in words:
            words["done_at"] = say_time(dt.datetime.fromisoformat(words["done_at"]))
        if "answer" in words:
            words["answer"] = triage.in_language(triage.BOOL3[words["answer"]])
        words["until"] = say_day(dt.date.fromisoformat(words["until"])) if "until" in words else _("a certain day")
        for code, table in OF_TABLE.items():
            if code in words:
                words[code] = table[words[code]]
        return str(EVENTS[self.kind]) % words

    @property
    def about(self) -> str:
        """Of a step, what it was; of a closing, an opening or a handover that came back, the reason."""
        if "step" in self.codes:
            own_words = self.codes["step"] == "own" and self.text
            return "" if own_words else str(STEP_KINDS[self.codes["step"]]) % self.codes
        if "clock" in self.codes:
            return str(CLOCKS[self.codes["clock"]])
        if "age" in self.codes:
            return triage.name_of("age_bands", self.codes["age"])
        if "need" in self.codes:
            return triage.name_of("needs", self.codes["need"])
        if self.kind == "opening.made":
            return str(EMERGENCIES[self.codes["reason"]])
        lists = {"case.closed": "closing_reasons", "case.opened_by_other": "opening_reasons"}
        if self.kind in lists:
            return triage.name_of(lists[self.kind], self.codes["reason"])
        return self._why

    @property
    def _why(self) -> str:
        """Of a handover that came back: why, and whom they suggest instead."""
        if "agency" not in self.codes:
            return ""
        found = [str(WHYS[self.codes["reason"]])] if self.codes.get("reason") in WHYS else []
        if "suggested" in self.codes:
            found.append(_("They suggest %(agency)s.") % {"agency": self.codes["suggested"]})
        return ". ".join(found)
