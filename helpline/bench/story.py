"""One case from the call to its end, with all that stands around it, as the acts of the application would have left it."""

from typing import Any

from helpline.bench.facts import A_DAY, A_WORKERS_REFERRALS, NEEDS, REASONS, Facts, code_of
from helpline.bench.handed import hand_over
from helpline.bench.rows import NULL, day, moment
from helpline.bench.sealing import Key, Place
from helpline.bench.writing import Writing
from intake import triage
from intake.models import Answer, Call, FollowUp, Note, Person

VALUE, REMARK, TEXT, WHAT = (
    Place(Answer, "value"),
    Place(Answer, "remark"),
    Place(Note, "text"),
    Place(FollowUp, "what"),
)
NAME, REASON = Place(Person, "name"), Place(Call, "actualisation_reason")
ACUTE = ["called_112", "told_manager", "told_caller"]
AN_HOUR = 3_600.0
LAST_LISTED = 25  # cases of one list, as the log names them


class Story:
    """Cases of one chunk. `listed` remembers the last ones, for rows of the log that name what a list showed."""

    def __init__(self, write: Writing) -> None:
        self.write = write
        self.listed: list[str] = []
        self.questions = {
            caller: [one.key for one in triage.guide_of(write.at.version).asked_of(caller) if one.type == "bool3"][:2]
            for caller in write.at.callers
        }

    def add(self, facts: Facts) -> None:
        """Write one case."""
        write, dice = self.write, self.write.dice
        pk, (key_id, key) = write.id(facts.opened), write.key(facts.opened)
        for number in range(2 if dice.random() < 0.1 else 1):
            self._call(facts, pk, key, facts.opened + number * 3 * A_DAY)
        self._people(facts, pk, key)
        due = self._steps(facts, pk, key)
        write.cases.add(
            *(pk, code_of(facts.number), key_id, write.at.units[facts.unit], facts.owner, facts.caller, facts.track),
            *("named" if facts.track == "C" else "anonymous", facts.protection, facts.municipality, facts.milieu),
            *(facts.age, f'["{dice.choice(NEEDS)}"]', facts.urgency, moment(facts.opened), facts.owner),
            *((moment(due), NULL, NULL, "") if facts.open else (NULL, moment(facts.closed), facts.owner, REASONS[0])),
            *("no", r"\\x"),
        )
        self._around(facts, pk, key)

    def _call(self, facts: Facts, case: str, key: Key, at: float) -> None:
        write, by = self.write, facts.owner
        pk, (key_id, own) = write.id(at), write.key(at)
        done = at + 2_400
        least = facts.urgency if facts.urgency == "AKUT" else "NORMAL"
        write.calls.add(
            *(pk, key_id, write.at.units[facts.unit], by, case, write.at.version, moment(at), moment(done)),
            *(moment(done), facts.caller, facts.track, facts.municipality, facts.milieu, facts.age, least),
            *(facts.urgency, "no", own.seal(REASON, pk, "Rådgivning."), facts.protection),
        )
        write.logged("call.started", by, at, call=pk)
        for question in self.questions[facts.caller]:
            answer = write.id(at)
            value, remark = own.seal(VALUE, answer, '"no"'), own.seal(REMARK, answer, write.words(1))
            write.answers.add(answer, pk, question, value, remark, moment(at + 300))
        said: dict[str, Any] = {"minutes": 40, "urgency": facts.urgency, "caller": facts.caller}
        write.told("call.completed", case, key, done, by, pk, row=pk, **said)
        note = write.id(at)
        write.notes.add(note, pk, NULL, "told", own.seal(TEXT, note, write.words(5)), by, moment(done), moment(done))
        write.told("note.signed", case, key, done, by, row=note, note=note, note_kind="told")
        for kind in ACUTE if least == "AKUT" else []:
            write.measures.add(write.id(at), pk, kind, moment(at + 900), by, moment(at + 900))

    def _people(self, facts: Facts, case: str, key: Key) -> None:
        write = self.write
        caller = write.id(facts.opened)
        name = key.seal(NAME, caller, "Kim Mätning") if facts.track == "C" else r"\\x"
        write.people.add(caller, case, "caller", "unknown", name)
        write.people.add(write.id(facts.opened), case, "concern", facts.age, r"\\x")
        write.told(
            "case.opened", case, key, facts.opened, facts.owner, row=case, urgency=facts.urgency, track=facts.track
        )

    def _steps(self, facts: Facts, case: str, key: Key) -> float:
        """A step that is done; of an open case one that waits, and perhaps an agency that is to answer. When the first
        of them is due."""
        dice, end = self.write.dice, self.write.now if facts.open else facts.closed
        ended = facts.opened + (end - facts.opened) / 3
        self._step(facts, case, key, "first_step", facts.opened, ended, done=True)
        handed = dice.random() < (A_WORKERS_REFERRALS if facts.open else 0.3)
        due = self.write.now + (dice.random() * 23 - 2) * A_DAY
        dues = [hand_over(self.write, facts, case, key, facts.opened + AN_HOUR, due)] if handed else []
        if facts.open:
            own = max(due, self.write.now + dice.random() * 20 * A_DAY) if handed else due
            self._step(facts, case, key, "own", ended, own, done=False)
            return min([own, *dues])
        self.write.told("case.closed", case, key, facts.closed, facts.owner, row=case, reason=REASONS[0])
        return due

    def _step(self, facts: Facts, case: str, key: Key, kind: str, planned: float, due: float, *, done: bool) -> None:
        write, pk, by = self.write, self.write.id(planned), facts.owner
        what = "" if kind == "first_step" else "Ringa upp och höra hur det gick."
        state = ("done", moment(planned), moment(due), by) if done else ("planned", moment(planned), NULL, NULL)
        write.steps.add(
            *(pk, case, by, kind, key.seal(WHAT, pk, what), "{}", moment(due), "", "f", ""),
            *state,
        )
        for rung, at in (("due", due), ("late", due + A_DAY)):
            fired = not done and at <= write.now
            rest = "scheduled" if not done and at > write.now else "fired" if fired else "cancelled"
            write.reminders.add(pk, rung, moment(at), rest, moment(at) if fired else NULL)
        write.told("step.planned", case, key, planned, by, text=what, row=pk, step=kind)
        if done:
            write.told("step.done", case, key, due, by, row=pk, step=kind)

    def _around(self, facts: Facts, case: str, key: Key) -> None:
        """Readings; now and then a colleague, a note of the case, a bounce, a report of concern."""
        write, dice, by = self.write, self.write.dice, facts.owner
        read = facts.opened + A_DAY
        write.logged("case.read", by, read, case=case, row=code_of(facts.number), why="own")
        if dice.random() < 0.5:
            note = write.id(read)
            write.notes.add(note, NULL, case, "seen", key.seal(TEXT, note, write.words(4)), by, *2 * [moment(read)])
            write.told("note.signed", case, key, read, by, row=note, note=note, note_kind="seen")
        if dice.random() < 0.1:
            opening, other = write.id(read), dice.choice(write.at.workers[facts.unit])
            write.openings.add(opening, case, other, "owner_away", moment(read), moment(read + 12 * AN_HOUR))
            write.told("case.opened_by_other", case, key, read, other, row=opening, reason="owner_away")
        if dice.random() < 0.03:
            unit = write.at.units[facts.unit]
            write.bounces.add(write.id(read), case, NULL, unit, "changed_hands", f"bench:{case}", moment(read), by)
        if dice.random() < 0.02:
            self._concern(facts, case, key)
        self.listed = [*self.listed, case][-LAST_LISTED:]
        if dice.random() < 0.05:
            write.logged("cases.listed", by, read, cases=sorted(self.listed))

    def _concern(self, facts: Facts, case: str, key: Key) -> None:
        """A report on a child: of an open case its clock runs, of a closed one it was decided."""
        write, by, pk = self.write, facts.owner, 1 + facts.number
        aim, last = day(facts.opened + 14 * A_DAY), day(facts.opened + 15 * A_DAY)
        decided = [NULL, NULL] if facts.open else [moment(facts.opened + A_DAY), by]
        outcome = "" if facts.open else "not_opened"
        write.reports.add(pk, case, moment(facts.opened), "12-14", by, outcome, *decided)
        write.clocks.add(pk, "preliminary_assessment", aim, last, moment(facts.opened), *decided)
        write.told("concern.registered", case, key, facts.opened, by, row=str(pk), age="12-14")
