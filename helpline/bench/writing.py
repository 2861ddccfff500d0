"""All that one chunk of cases writes, and the few ways in which a row comes to be."""

import json
import random
from typing import Any

from helpline.bench.people import Places
from helpline.bench.rows import NULL, Rows, moment
from helpline.bench.sealing import Key, Master, Place, new_id
from helpline.people.models import LogEntry
from helpline.people.sealed import DataKey
from intake.models import (
    AcuteMeasure,
    Answer,
    Bounce,
    Call,
    Case,
    CaseOpening,
    ChildClock,
    ConcernReport,
    Event,
    FollowUp,
    Note,
    Person,
    Reminder,
)
from referrals.models import Referral, SilenceRung, StateChange

SENTENCES = [
    "Hon är orolig för sin bror, säger hon, och vet inte vem hon kan tala med om det.",
    "Han vill bort därifrån men vågar inte säga det till någon av de andra.",
    "Mår dåligt, sover inte; de ringer varje natt, och hon svarar inte längre.",
    "Vi möts där ingen känner henne, på en tid som hon väljer själv.",
    "Rösten bröts. Väntade, och hon talade vidare efter en stund.",
    "Får inte nämnas för familjen under några förhållanden.",
    "Har slutat gå till skolan sedan i höstas och är borta flera dagar i taget.",
]

EVENT_TEXT = Place(Event, "text")


class Writing:
    """The rows of one chunk, by table, in the order in which COPY takes them: what is referred to comes first."""

    def __init__(self, at: Places, now: float, dice: random.Random) -> None:
        self.at, self.now, self.dice, self.master = at, now, dice, Master()
        self.keys = Rows(DataKey, "id", "master", "wrapped")
        self.cases = Rows(
            Case,
            *("id", "code", "key_id", "unit_id", "owner_id", "caller_type", "track", "identity", "protection"),
            *("municipality_id", "milieu", "age_band", "needs", "urgency", "opened_at", "opened_by_id"),
            *("next_due_at", "closed_at", "closed_by_id", "closing_reason", "actualisation", "safe_contact"),
        )
        self.calls = Rows(
            Call,
            *("id", "key_id", "unit_id", "taken_by_id", "case_id", "question_set_id", "received_at", "completed_at"),
            *("saved_at", "caller_type", "track", "municipality_id", "milieu", "age_band", "urgency_at_least"),
            *("urgency", "actualisation", "actualisation_reason", "protection"),
        )
        self.answers = Rows(Answer, "id", "call_id", "question", "value", "remark", "answered_at")
        self.notes = Rows(Note, "id", "call_id", "case_id", "kind", "text", "by_id", "at", "signed_at")
        self.people = Rows(Person, "id", "case_id", "part", "age_band", "name")
        self.measures = Rows(AcuteMeasure, "id", "call_id", "kind", "done_at", "by_id", "at")
        self.steps = Rows(
            FollowUp,
            *("id", "case_id", "owner_id", "kind", "what", "codes", "due_at", "kept_by", "others_turn", "about"),
            *("state", "planned_at", "ended_at", "ended_by_id"),
        )
        self.reminders = Rows(Reminder, "step_id", "rung", "due_at", "state", "fired_at")
        self.openings = Rows(CaseOpening, "id", "case_id", "user_id", "reason", "at", "until")
        self.reports = Rows(
            ConcernReport,
            *("id", "case_id", "received_at", "child_age_band", "registered_by_id", "outcome", "decided_at"),
            "decided_by_id",
        )
        self.clocks = Rows(ChildClock, "report_id", "kind", "aim", "last_day", "started_at", "done_at", "done_by_id")
        self.referrals = Rows(
            Referral,
            *("id", "case_id", "unit_id", "agency_id", "need", "state", "urgency", "age_band", "ground", "ask"),
            *("happened", "wants", "created_at", "created_by_id", "sent_at", "answer_due_at", "contact_due_at"),
            "ended_at",
        )
        self.changes = Rows(StateChange, "id", "referral_id", "at", "by_id", "move", "source", "target")
        self.rungs = Rows(SilenceRung, "referral_id", "rung", "due_at", "state", "fired_at")
        self.bounces = Rows(Bounce, "id", "case_id", "call_id", "unit_id", "cause", "source", "at", "by_id")
        self.events = Rows(Event, "id", "case_id", "at", "by_id", "kind", "text", "codes", "call_id", "note_id")
        self.log = Rows(LogEntry, "at", "user_id", "role", "event", "case", "call", "row", "why", "source", "codes")

    def tables(self) -> list[Rows]:
        """Every table, in the order in which they are loaded."""
        return [one for one in vars(self).values() if isinstance(one, Rows)]

    def key(self, at: float) -> tuple[str, Key]:
        """A new data key of its own for a call or a case."""
        pk = new_id(at, self.dice)
        key, wrapped = self.master.new_key(pk)
        self.keys.add(pk, self.master.name, wrapped)
        return pk, key

    def id(self, at: float) -> str:
        """A new identity."""
        return new_id(at, self.dice)

    def words(self, sentences: int = 3) -> str:
        """Some sentences."""
        return " ".join(self.dice.choices(SENTENCES, k=sentences))

    def told(
        self, kind: str, case: str, key: Key, at: float, by: int | None, call: str = NULL, *, text: str = "",
        row: str = "", note: str = NULL, why: str = "", role: str = "caseworker", said: dict[str, Any] | None = None,
        **codes: Any,
    ) -> None:  # fmt: skip
        """A line of the timeline and its row of the log, as record() writes them; `said` is for the timeline alone."""
        pk, by_text = self.id(at), NULL if by is None else str(by)
        shown = json.dumps({**codes, **(said or {})})
        sealed = key.seal(EVENT_TEXT, pk, text)
        self.events.add(pk, case, moment(at), by_text, kind, sealed, shown, call, note)
        self.logged(kind, by, at, case=case, call=call, row=row, why=why, role=role, **codes)

    def logged(
        self, event: str, by: int | None, at: float, *, case: str = NULL, call: str = NULL, row: str = "",
        why: str = "", role: str = "caseworker", **codes: Any,
    ) -> None:  # fmt: skip
        """A row of the log."""
        known = by is not None
        source = f"10.1.{by % 250}.7" if by is not None else NULL
        user, role = (str(by), role) if known else (NULL, "")
        self.log.add(moment(at), user, role, event, case, call, row, why, source, json.dumps(codes))
