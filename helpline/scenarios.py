"""Calls to try the system on: a folder of YAML files, each a call as a worker would log it and what the system must say.

The files run in the order of their names in one transaction, through the actions that the pages call; then deferred
constraints are checked and everything is rolled back. docs/scenarios.md describes the format.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import Municipality, Role, Unit, User
from helpline.scenario_files import Malformed, moment_of, read
from intake import actions, hints, triage
from intake.actions.continuity import hash_phrase
from intake.models import Bounce, Call, Case, ChildClock, Note, QuestionSet
from intake.reference import load_municipalities, load_questions
from referrals.actions import switch_ground, tell_where
from referrals.models import GroundSetting, PartnerAgency
from referrals.partners import DEIDENTIFIED, HANDOVER, SIGNPOST, partner_types
from referrals.ranking import Offer, rank
from referrals.reference import load_agencies

HANDED_ON = "Vad som är sagt och lovat, och hur personen vill bli bemött."  # where one case is given with words
ADDRESS = "Storgatan 12, 541 30 Skövde"  # written down about the person, to see whether it is stored


@dataclass
class Result:
    """What became of one file."""

    name: str
    failures: list[str] = field(default_factory=list)


@dataclass
class Tried:
    """A call that was logged, and what the system made of it."""

    call: Call
    case: Case | None
    age_band: str
    municipality: str | None
    day: dt.date
    home: str
    earlier: "Earlier"

    def continues(self, wanted: str) -> str:
        """The name of the file whose case this call goes on in: the wanted one if it is that, else the first."""
        found = [name for name, (case, _) in self.earlier.items() if self.case and case.pk == self.case.pk]
        return wanted if wanted in found else next(iter(found), "none")

    def has_same_owner(self) -> bool:
        """Whether the case is still with the one who had it when its earlier call was over."""
        before = [owner for case, owner in self.earlier.values() if self.case and case.pk == self.case.pk]
        return self.case is not None and bool(before) and self.case.owner_id == before[-1]

    def bounce(self, wanted: str) -> str:
        """The cause under which this very call stands in the ledger: the wanted one if it is there, else the first."""
        found = list(Bounce.objects.filter(call=self.call).order_by("at", "pk").values_list("cause", flat=True))
        return wanted if wanted in found else next(iter(found), "none")

    def bounces(self) -> list[str]:
        """Every cause in the ledger of its case, or of the call where no case came of it."""
        found = Bounce.objects.of(self.case) if self.case else Bounce.objects.filter(call=self.call)
        return list(found.values_list("cause", flat=True))

    def stores_address(self) -> bool:
        """Whether an address can be read from what was logged, or from a note that is written now."""
        if self.case is None or self.case.owner is None:
            return False
        with transaction.atomic():
            actions.add_note(by=self.case.owner, case=self.case, kind="told", text=ADDRESS)
            notes = Note.objects.filter(case=self.case) | Note.objects.filter(call__case=self.case)
            texts = [note.text for note in notes.select_related("case__key", "call__key")]
            transaction.set_rollback(True)
        return any(hints.addresses_in(text) for text in texts)

    def offers(self, channel: str) -> list[Offer]:
        found = rank(needs=self.call.assessment.needs, municipality=self.municipality, age_band=self.age_band)
        return found.get(channel, [])

    def types(self, channel: str) -> set[str]:
        return {offer.agency.type for offer in self.offers(channel)}

    def grounds(self, wanted: dict[str, Any]) -> dict[str, set[str]]:
        return {kind: self._grounds(kind) for kind in wanted}

    def _grounds(self, kind: str) -> set[str]:
        agencies = PartnerAgency.objects.active().filter(type=kind).prefetch_related("municipalities")
        near = sorted(agencies, key=lambda agency: not agency.serves(self.municipality))
        if not near:
            raise Malformed(f"grounds: there is no agency of the type {kind}")
        on = GroundSetting.switched_on(self.home)
        return {ground.code for ground in near[0].grounds_for(self.age_band, self.day, on)}

    def deadlines(self) -> dict[str, str]:
        clocks = ChildClock.objects.filter(report__case=self.case) if self.case else []
        return {one.kind: one.last_day.isoformat() for one in clocks}


Earlier = dict[str, tuple[Case, int | None]]  # name of a file -> its case, and who had it then
Said = Callable[[Tried, Any], Any]
# expectation -> what the system says, in the shape of the expected value
EXPECTATIONS: dict[str, Said] = {
    "urgency_at_least": lambda tried, _: tried.call.urgency_at_least,
    "needs": lambda tried, _: set(tried.call.assessment.needs),
    "offers": lambda tried, _: tried.types(HANDOVER),
    "offers_include": lambda tried, wanted: tried.types(HANDOVER) & set(wanted),
    "signposts": lambda tried, _: tried.types(SIGNPOST),
    "signposts_include": lambda tried, wanted: tried.types(SIGNPOST) & set(wanted),
    "deidentified_only": lambda tried, _: tried.types(DEIDENTIFIED),
    "grounds": lambda tried, wanted: tried.grounds(wanted),
    "deadlines": lambda tried, _: tried.deadlines(),
    "case": lambda tried, _: "opened" if tried.case else "none",
    "continues": lambda tried, wanted: tried.continues(str(wanted)),
    "same_owner": lambda tried, _: tried.has_same_owner(),
    "bounce": lambda tried, wanted: tried.bounce(str(wanted)),
    "bounces": lambda tried, _: tried.bounces(),
    "masked_in_lists": lambda tried, _: bool(tried.case and tried.case.is_protected),
    "address_stored": lambda tried, _: tried.stores_address(),
}


@dataclass
class Crew:
    """Who takes the calls: one the first of each case, the other when somebody calls again."""

    worker: User
    other: User


def try_folder(folder: Path) -> Iterator[Result]:
    """Run every file, and roll everything back. The last result is that of the deferred constraints, if they fail."""
    with transaction.atomic():
        crew, earlier = _crew(), Earlier()
        for path in sorted(folder.glob("*.y*ml")):
            yield _try_file(path, crew, earlier)
        try:
            connection.check_constraints()
        except IntegrityError as error:
            yield Result("constraints", failures=[f"at the end: {type(error).__name__}"])
        transaction.set_rollback(True)


def _crew() -> Crew:
    """Reference data where it is missing, and somebody to take the calls."""
    if not Municipality.objects.exists():
        load_municipalities()
    if not QuestionSet.objects.exists():
        load_questions()
    missing = set(partner_types()) - set(PartnerAgency.objects.active().values_list("type", flat=True))
    if missing:
        load_agencies()
    GroundSetting.objects.all().delete()
    unit = Unit.objects.create(name="Scenarios", municipality=Municipality.objects.get(pk="1496"))
    names = ("scenarios", "scenarios-again")
    return Crew(*(User.objects.create(username=name, role=Role.CASEWORKER, unit=unit) for name in names))


def _try_file(path: Path, crew: Crew, earlier: Earlier) -> Result:
    result = Result(path.stem)
    try:
        with transaction.atomic():
            scenario = read(path, set(EXPECTATIONS))
            tried = _log(scenario, crew, earlier)
            for key, wanted in scenario["expect"].items():
                got = EXPECTATIONS[key](tried, wanted)
                if _plain(got) != _plain(wanted):
                    result.failures.append(f"{key}: expected {_say(wanted)}, got {_say(got)}")
            GroundSetting.objects.all().delete()  # what one file switched on is not on in the next
            if tried.case is not None:
                earlier[str(scenario.get("id", path.stem))] = (tried.case, tried.case.owner_id)
    except Malformed as error:
        result.failures.append(f"malformed: {error}")
    except (Refused, DataError, TypeError, ValueError) as error:
        result.failures.append(f"refused: {type(error).__name__}: {error}")
    return result


def _log(scenario: dict[str, Any], crew: Crew, earlier: Earlier) -> Tried:
    """Log the call by the actions that the pages call. Raises Malformed for what cannot be logged."""
    received_at = moment_of(scenario["received_at"])
    home = crew.worker.unit
    assert home is not None  # _crew gave them one
    for code in scenario.get("grounds_switched_on", []):
        switch_ground(by=None, municipality=home.municipality, code=code, on=True)
    try:
        with clock.at(received_at):
            actions.find_untouched_steps()  # as Celery has done meanwhile
            call = _call(scenario, crew, _said(scenario, earlier))
            case = _case_of(call)
            if case is not None:
                _afterwards(scenario, case, crew)
                case = _case_of(call)
    except triage.BadAnswer as error:
        raise Malformed(f"answers: {error}") from error
    day = clock.local_date(received_at)
    return Tried(call, case, call.age_band, call.municipality_id, day, home.municipality_id, earlier)


def _said(scenario: dict[str, Any], earlier: Earlier) -> Case | None:
    """The case whose number the caller says. Raises Malformed where that file has none."""
    name = str(scenario.get("says", scenario["expect"].get("continues", "none")))
    if "says" in scenario and name not in earlier:
        raise Malformed(f"says: no earlier file “{name}” has a case")
    return earlier[name][0] if name in earlier else None


def _call(scenario: dict[str, Any], crew: Crew, said: Case | None) -> Call:
    worker = crew.other if said else crew.worker
    call = actions.start_call(by=worker)
    if said is not None:
        _say_number(worker, call, said, str(scenario.get("passphrase", "")))
    municipality = str(scenario.get("municipality", "unknown"))
    facts: dict[str, Any] = {
        key: scenario[key] for key in ("caller_type", "track", "identity", "protection", "milieu") if key in scenario
    }
    facts |= {"municipality_id": None if municipality == "unknown" else municipality}
    facts |= {"language": str(scenario.get("language", "sv")), "interpreter": bool(scenario.get("interpreter"))}
    if said is None and "passphrase" in scenario:
        facts["passphrase"] = hash_phrase(str(scenario["passphrase"]))
    call = actions.save_call(
        by=worker,
        call=call,
        facts=facts,
        answers=scenario.get("answers", {}),
        safe=scenario.get("safe_contact") or {},
        notes={"told": "\n".join(filter(None, [str(scenario.get("relation", "")), scenario.get("story", "")]))},
    )
    for place in scenario.get("tells", []):
        _tell(worker, call, **place)
    return _complete(scenario, worker, call)


def _tell(worker: User, call: Call, type: str, why: str = "") -> None:
    """The worker says where the caller can go alone, for the first need that it meets. Raises Malformed."""
    agency = next(
        (one for one in PartnerAgency.objects.active().filter(type=type) if one.serves(call.municipality_id)), None
    )
    need = next((need for need in call.assessment.needs if agency and need in agency.meets), None)
    if agency is None or need is None:
        raise Malformed(f"tells: no {type} meets a need of this call")
    tell_where(by=worker, call=call, agency=agency, need=need, why=why)


def _case_of(call: Call) -> Case | None:
    found = Case.objects.select_related("key", "owner", "unit")
    return found.get(pk=call.case_id) if call.case_id else None


def _afterwards(scenario: dict[str, Any], case: Case, crew: Crew) -> None:
    """What is done in the case before the next file: given to the colleague, called back, closed."""
    if "hands_on" in scenario:
        to = crew.other if case.owner_id == crew.worker.pk else crew.worker
        words = HANDED_ON if scenario["hands_on"] == "with_words" else ""
        actions.reassign_case(by=crew.worker, case=case, to=to, handover=words)
    if "called_back" in scenario:
        assert case.owner is not None  # an open case has one
        with clock.at(moment_of(scenario["called_back"])):
            actions.log_contact(by=case.owner, case=case, outcome="reached")
    if "closes" in scenario:
        _close(case, scenario["closes"])


def _complete(scenario: dict[str, Any], worker: User, call: Call) -> Call:
    """Decide what the files leave to the worker, and finish the call."""
    # The age band of the file is what the worker set at last, whatever a question was answered with.
    last = {
        **{"urgency": call.urgency_at_least, "actualisation": "yes" if call.track == "C" else "no"},
        "actualisation_reason": f"Track {call.track}",
    }
    if "age_band" in scenario:
        last["age_band"] = str(scenario["age_band"])
    call = actions.save_call(by=worker, call=call, facts=last)
    registers = "registers" in scenario
    call = actions.complete_call(by=worker, call=call, open_a_case=registers)
    if registers and call.case:
        age = str(scenario.get("child_age_band", call.age_band))
        actions.register_concern(by=worker, case=call.case, child_age_band=age, received_at=clock.now())
    return call


def _say_number(worker: User, call: Call, said: Case, phrase: str) -> None:
    """The caller says the number of an earlier case, as it is said aloud. What is wrong joins no case."""
    with contextlib.suppress(Refused):
        actions.claim_case(by=worker, call=call, number=said.number, phrase=phrase)


def _close(case: Case, reason: str) -> None:
    """Do what waits, and close the case. Raises Refused for what cannot be ended by hand."""
    *others, last = case.open_steps
    for step in others:
        actions.finish_step(by=step.owner, step=step)
    actions.finish_step(by=last.owner, step=last, close=reason)


def _plain(value: Any) -> Any:
    """A value without the order of its lists, which carries no meaning."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | set):
        return sorted(str(one) for one in value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _say(value: Any) -> str:
    return str(_plain(value))
