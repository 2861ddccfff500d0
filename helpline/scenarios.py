"""Calls to try the system on: a folder of YAML files, each a call as a worker would log it and what the system must say.

The files run in the order of their names in one transaction, through the actions that the pages call; then deferred
constraints are checked and everything is rolled back. docs/scenarios.md describes the format.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.db import DataError, IntegrityError, connection, transaction
from django.utils.dateparse import parse_datetime

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import Municipality, Role, Unit, User
from intake import actions, triage
from intake.models import Call, Case, ChildClock, QuestionSet
from intake.reference import load_municipalities, load_questions
from referrals.actions import switch_ground
from referrals.grounds import grounds
from referrals.models import GroundSetting, PartnerAgency
from referrals.partners import DEIDENTIFIED, HANDOVER, SIGNPOST, partner_types
from referrals.ranking import Offer, rank
from referrals.reference import load_agencies

KEYS = {
    *("id", "title", "received_at", "caller_type", "identity", "language", "interpreter", "municipality", "milieu"),
    *("age_band", "track", "answers", "story", "expect", "safe_contact", "registers", "protection", "relation"),
    *("grounds_switched_on",),
}
LATER = {"continues", "same_owner", "bounce", "masked_in_lists", "address_stored"}


class Malformed(ValueError):
    """A file that is not a scenario. The text names the key."""


@dataclass
class Result:
    """What became of one file."""

    name: str
    failures: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass
class Tried:
    """A call that was logged, and what the system made of it."""

    call: Call
    case: Case | None
    age_band: str
    municipality: str | None
    day: dt.date
    home: str

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
}


def try_folder(folder: Path) -> Iterator[Result]:
    """Run every file, and roll everything back. The last result is that of the deferred constraints, if they fail."""
    with transaction.atomic():
        worker = _worker()
        for path in sorted(folder.glob("*.y*ml")):
            yield _try_file(path, worker)
        try:
            connection.check_constraints()
        except IntegrityError as error:
            yield Result("constraints", failures=[f"at the end: {type(error).__name__}"])
        transaction.set_rollback(True)


def _worker() -> User:
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
    return User.objects.create(username="scenarios", role=Role.CASEWORKER, unit=unit)


def _try_file(path: Path, worker: User) -> Result:
    result = Result(path.stem)
    try:
        with transaction.atomic():
            scenario = _read(path)
            tried = _log(scenario, worker)
            for key, wanted in scenario["expect"].items():
                if key in LATER:
                    result.skipped.append(key)
                    continue
                got = EXPECTATIONS[key](tried, wanted)
                if _plain(got) != _plain(wanted):
                    result.failures.append(f"{key}: expected {_say(wanted)}, got {_say(got)}")
            GroundSetting.objects.all().delete()  # what one file switched on is not on in the next
    except Malformed as error:
        result.failures.append(f"malformed: {error}")
    except (Refused, DataError, TypeError, ValueError) as error:
        result.failures.append(f"refused: {type(error).__name__}: {error}")
    return result


def _read(path: Path) -> dict[str, Any]:
    """The file, with every key and code checked. Raises Malformed."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        raise Malformed(f"not YAML{f', line {place.line + 1}' if place else ''}") from error
    if not isinstance(document, dict):
        raise Malformed("the file is not a table of keys")
    _only(document, KEYS, "")
    for key in ("received_at", "caller_type", "expect"):
        if key not in document:
            raise Malformed(f"{key}: missing")
    for key, kind in {"answers": dict, "expect": dict, "grounds_switched_on": list, "story": str}.items():
        if not isinstance(document.get(key, kind()), kind):
            raise Malformed(f"{key}: must be a {'table' if kind is dict else 'list' if kind is list else 'text'}")
    _only(document["expect"], {*EXPECTATIONS, *LATER}, "expect: ")
    _check_codes(document)
    return document


def _check_codes(document: dict[str, Any]) -> None:
    allowed = {
        "caller_type": set(triage.guide_today().callers),
        "municipality": {"unknown", *Municipality.objects.values_list("code", flat=True)},
        "registers": {"concern_report"},
        **{
            key: set(triage.codes(name))
            for key, name in {
                "milieu": "milieus",
                "age_band": "age_bands",
                "track": "tracks",
                "identity": "identities",
                "protection": "protections",
            }.items()
        },
    }
    for key, codes in allowed.items():
        if key in document and str(document[key]) not in codes:
            raise Malformed(f"{key}: “{document[key]}” is not one of {', '.join(sorted(codes))}")
    for code in document.get("grounds_switched_on", []):
        if code not in grounds():
            raise Malformed(f"grounds_switched_on: there is no ground “{code}”")
    _check_expected(document["expect"])


def _check_expected(expect: dict[str, Any]) -> None:
    kinds = set(partner_types())
    lists = {"offers", "offers_include", "signposts", "signposts_include", "deidentified_only"}
    for key, codes in {**dict.fromkeys(lists, kinds), "needs": set(triage.codes("needs"))}.items():
        wanted = expect.get(key, [])
        if not isinstance(wanted, list):
            raise Malformed(f"expect: {key}: must be a list")
        _only(dict.fromkeys(wanted), codes, f"expect: {key}: ")
    if expect.get("urgency_at_least", "NORMAL") not in triage.codes("urgencies"):
        raise Malformed(f"expect: urgency_at_least: “{expect['urgency_at_least']}” is no urgency")
    for key in ("grounds", "deadlines"):
        if not isinstance(expect.get(key, {}), dict):
            raise Malformed(f"expect: {key}: must be a table")
    _only(expect.get("grounds", {}), kinds, "expect: grounds: ")
    for kind, codes in expect.get("grounds", {}).items():
        if not isinstance(codes, list):
            raise Malformed(f"expect: grounds: {kind}: must be a list")
        _only(dict.fromkeys(codes), set(grounds()), f"expect: grounds: {kind}: ")


def _only(table: dict[Any, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise Malformed(f"{where}there is no “{key}”")


def _log(scenario: dict[str, Any], worker: User) -> Tried:
    """Log the call by the actions that the pages call. Raises Malformed for what cannot be logged."""
    received_at = _moment(scenario["received_at"])
    for code in scenario.get("grounds_switched_on", []):
        switch_ground(by=None, municipality=worker.unit.municipality, code=code, on=True)  # type: ignore[union-attr]
    municipality = str(scenario.get("municipality", "unknown"))
    try:
        with clock.at(received_at):
            call = _call(scenario, worker, None if municipality == "unknown" else municipality)
    except triage.BadAnswer as error:
        raise Malformed(f"answers: {error}") from error
    home = worker.unit.municipality_id  # type: ignore[union-attr]
    return Tried(call, call.case, call.age_band, call.municipality_id, clock.local_date(received_at), home)


def _call(scenario: dict[str, Any], worker: User, municipality: str | None) -> Call:
    call = actions.start_call(by=worker)
    facts: dict[str, Any] = {
        key: scenario[key] for key in ("caller_type", "track", "identity", "protection", "milieu") if key in scenario
    }
    facts |= {"municipality_id": municipality, "language": str(scenario.get("language", "sv"))}
    facts["interpreter"] = bool(scenario.get("interpreter"))
    facts["safe_contact"] = "; ".join(f"{key}: {value}" for key, value in (scenario.get("safe_contact") or {}).items())
    call = actions.save_call(
        by=worker,
        call=call,
        facts=facts,
        answers=scenario.get("answers", {}),
        notes={"told": "\n".join(filter(None, [str(scenario.get("relation", "")), scenario.get("story", "")]))},
    )
    # The age band of the file is what the worker set at last, whatever a question was answered with.
    actualisation = "yes" if call.track == "C" else "no"
    last = {
        **{"urgency": call.urgency_at_least, "actualisation": actualisation},
        "actualisation_reason": f"Track {call.track}",
    }
    if "age_band" in scenario:
        last["age_band"] = str(scenario["age_band"])
    call = actions.save_call(by=worker, call=call, facts=last)
    registers = "registers" in scenario
    call = actions.complete_call(by=worker, call=call, open_a_case=registers)
    if registers and call.case:
        actions.register_concern(by=worker, case=call.case, child_age_band=call.age_band, received_at=clock.now())
    return call


def _moment(value: Any) -> dt.datetime:
    moment = value if isinstance(value, dt.datetime) else None
    if isinstance(value, str):
        try:
            moment = parse_datetime(value)
        except ValueError as error:
            raise Malformed(f"received_at: “{value}” is no time") from error
    if moment is None or moment.tzinfo is None:
        raise Malformed(f"received_at: “{value}” is not a time with its zone")
    return moment


def _plain(value: Any) -> Any:
    """A value without the order of its lists, which carries no meaning."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | set):
        return sorted(str(one) for one in value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _say(value: Any) -> str:
    return str(_plain(value))
