"""The files of calls to try the system on: read, with every key and code checked. docs/scenarios.md describes the format."""

import datetime as dt
from pathlib import Path
from typing import Any

import yaml
from django.utils.dateparse import parse_datetime

from helpline.people.models import Municipality
from intake import triage
from intake.labels import BOUNCES
from referrals.grounds import grounds
from referrals.labels import SIGNPOST_WHYS
from referrals.partners import partner_types

KEYS = {
    *("id", "title", "received_at", "caller_type", "identity", "language", "interpreter", "municipality", "milieu"),
    *("age_band", "track", "answers", "story", "expect", "safe_contact", "registers", "protection", "relation"),
    *("grounds_switched_on", "says", "passphrase", "closes", "child_age_band", "tells", "hands_on", "called_back"),
}


class Malformed(ValueError):
    """A file that is not a scenario. The text names the key."""


def read(path: Path, expectations: set[str]) -> dict[str, Any]:
    """The file, with every key and code checked. `expectations`: what can be expected. Raises Malformed."""
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
    _only(document["expect"], expectations, "expect: ")
    _check_codes(document)
    return document


def _check_codes(document: dict[str, Any]) -> None:
    allowed = {
        "caller_type": set(triage.guide_today().callers),
        "municipality": {"unknown", *Municipality.objects.values_list("code", flat=True)},
        "registers": {"concern_report"},
        "hands_on": {"with_words", "without_words"},
        "closes": set(triage.codes("closing_reasons")),
        **{
            key: set(triage.codes(name))
            for key, name in {
                "milieu": "milieus",
                "age_band": "age_bands",
                "child_age_band": "age_bands",
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
    _check_told(document.get("tells", []))
    _check_expected(document["expect"])


def _check_told(places: Any) -> None:
    if not isinstance(places, list) or not all(isinstance(place, dict) for place in places):
        raise Malformed("tells: must be a list of tables")
    for place in places:
        _only(place, {"type", "why"}, "tells: ")
        if place.get("type") not in partner_types():
            raise Malformed(f"tells: type: there is no “{place.get('type')}”")
        _only(dict.fromkeys(filter(None, [place.get("why")])), set(SIGNPOST_WHYS), "tells: why: ")


def _check_expected(expect: dict[str, Any]) -> None:
    kinds = set(partner_types())
    lists = {"offers", "offers_include", "signposts", "signposts_include", "deidentified_only"}
    known = {**dict.fromkeys(lists, kinds), "needs": set(triage.codes("needs")), "bounces": set(BOUNCES)}
    for key, codes in known.items():
        wanted = expect.get(key, [])
        if not isinstance(wanted, list):
            raise Malformed(f"expect: {key}: must be a list")
        _only(dict.fromkeys(wanted), codes, f"expect: {key}: ")
    if expect.get("urgency_at_least", "NORMAL") not in triage.codes("urgencies"):
        raise Malformed(f"expect: urgency_at_least: “{expect['urgency_at_least']}” is no urgency")
    if expect.get("bounce", "none") not in {"none", *BOUNCES}:
        raise Malformed(f"expect: bounce: “{expect['bounce']}” is no cause")
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


def moment_of(value: Any) -> dt.datetime:
    """The moment of a file, aware. Raises Malformed."""
    moment = value if isinstance(value, dt.datetime) else None
    if isinstance(value, str):
        try:
            moment = parse_datetime(value)
        except ValueError as error:
            raise Malformed(f"received_at: “{value}” is no time") from error
    if moment is None or moment.tzinfo is None:
        raise Malformed(f"received_at: “{value}” is not a time with its zone")
    return moment
