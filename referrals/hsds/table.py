"""Which field of ours is which of HSDS 3.x: a row a field, with how it is written and how it is read.

A service of HSDS is an agency of ours. What HSDS has no field for stands among its attributes, with terms of taxonomies of
our own. Never written and never read: whether an entry is confidential, its people, its absences and its room this week.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from helpline.people.models import Municipality
from intake import triage
from referrals.hsds.node import Node
from referrals.models import PartnerAgency
from referrals.partners import partner_types, receiver_names

OURS = "stodlinjen"  # our taxonomies: stodlinjen:partner_type and so on
MUNICIPALITY = "SCB kommunkod"
COUNTRY = "ISO 3166-1"
SWEDEN = "SE"
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:stodlinjen:hsds")  # ids that are the same whenever it is written
DEPUTY = "deputy"
STATUS = {True: "active", False: "inactive"}
CLOSED = {"inactive", "defunct", "temporarily closed"}
SWEDISH_OFFSETS = ("+01:00", "+02:00")

Shift = tuple[dt.time, dt.time]
DAY_AND_NIGHT = (dt.time(), dt.time(23, 59, 59))


@dataclass(frozen=True)
class Field:
    """One row: our field, its place in a service of HSDS, and the two ways. `read` gives None where the file says nothing."""

    ours: str
    place: str
    write: Callable[[PartnerAgency], dict[str, Any]]
    read: Callable[[Node], Any]


# -- writing -----------------------------------------------------------------------------------------------------------


def _id(agency: PartnerAgency, *parts: object) -> str:
    return str(uuid.uuid5(agency.external_id, ":".join(map(str, parts))))


def _term(taxonomy: str, code: str, name: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(NAMES, f"{taxonomy}:{code}")),
        "code": code,
        "name": name,
        "description": name,
        "taxonomy": taxonomy,
        "language": "sv",
    }


def attribute(agency: PartnerAgency, link_type: str, code: str, name: str, value: str | None = None) -> dict[str, Any]:
    """An attribute of a service with a term of ours."""
    term = _term(f"{OURS}:{link_type}", code, name)
    return {
        "id": _id(agency, link_type, code),
        "link_id": str(agency.external_id),
        "link_type": link_type,
        "link_entity": "service",
        "taxonomy_term_id": term["id"],
        "taxonomy_term": term,
        "value": value,
    }


def _plain(key: str, field: str) -> Callable[[PartnerAgency], dict[str, Any]]:
    return lambda agency: {key: getattr(agency, field) or None}


def _write_needs(agency: PartnerAgency) -> dict[str, Any]:
    """Its own needs; those of its type under another name, which is not read back."""
    kind = "need" if agency.needs else "need_of_type"
    names = [(code, triage.name_of("needs", code)) for code in agency.meets]
    return {"attributes": [attribute(agency, kind, code, name) for code, name in names]}


def _write_hours(agency: PartnerAgency) -> dict[str, Any]:
    """A schedule for each pair of times, with its days. The times are those of Swedish clocks, summer and winter."""
    if agency.always_open:
        return {"schedules": [_schedule(agency, DAY_AND_NIGHT, list(range(7)))]}
    days: dict[Shift, list[int]] = {}
    for row in sorted(agency.hours.all(), key=lambda row: (row.weekday, row.opens)):
        days.setdefault((row.opens, row.closes), []).append(row.weekday)
    return {"schedules": [_schedule(agency, shift, weekdays) for shift, weekdays in days.items()]}


def _schedule(agency: PartnerAgency, shift: Shift, weekdays: list[int]) -> dict[str, Any]:
    opens, closes = (time.isoformat("seconds" if time.second else "minutes") for time in shift)
    return {
        "id": _id(agency, "schedule", opens, closes),
        "freq": "WEEKLY",
        "interval": 1,
        "byday": ",".join(DAYS[day] for day in weekdays),
        "opens_at": opens,
        "closes_at": closes,
        "description": "Dygnet runt" if shift == DAY_AND_NIGHT else "Svensk tid (Europe/Stockholm), inte helgdagar",
    }


def _area(agency: PartnerAgency, taxonomy: str, code: str, name: str) -> dict[str, Any]:
    term = _term(taxonomy, code, name)
    of = {"id": _id(agency, "area_term", code), "link_entity": "service_area", "taxonomy_term_id": term["id"]}
    area = _id(agency, "area", code)
    return {"id": area, "name": name, "attributes": [{**of, "link_id": area, "taxonomy_term": term}]}


def _write_municipalities(agency: PartnerAgency) -> dict[str, Any]:
    served = sorted(agency.municipalities.all(), key=lambda one: one.code)
    return {"service_areas": [_area(agency, MUNICIPALITY, one.code, one.name) for one in served]}


def _write_languages(agency: PartnerAgency) -> dict[str, Any]:
    named = [(code, triage.name_of("languages", code)) for code in agency.languages]
    return {"languages": [{"id": _id(agency, "language", code), "name": name, "code": code} for code, name in named]}


def _write_phone(agency: PartnerAgency) -> dict[str, Any]:
    phone = {"id": _id(agency, "phone"), "number": agency.phone, "type": "voice"}
    return {"phones": [phone] if agency.phone else []}


def _write_deputy(agency: PartnerAgency) -> dict[str, Any]:
    contact = {"id": _id(agency, DEPUTY), "title": DEPUTY, "email": agency.deputy_mailbox}
    return {"contacts": [contact] if agency.deputy_mailbox else []}


def _write_receiver(agency: PartnerAgency) -> dict[str, Any]:
    kind = agency.receiver_kind
    return {"attributes": [attribute(agency, "receiver_kind", kind, receiver_names()[kind])] if kind else []}


def _write_sdk(agency: PartnerAgency) -> dict[str, Any]:
    address = agency.sdk_address
    found = [attribute(agency, "function_address", "sdk", "Funktionsadress (SDK)", address)] if address else []
    return {"attributes": found}


def _write_always(agency: PartnerAgency) -> dict[str, Any]:
    return {"attributes": [attribute(agency, "opening", "always", "Dygnet runt")] if agency.always_open else []}


# -- reading -----------------------------------------------------------------------------------------------------------


def _text(key: str, limit: int) -> Callable[[Node], str | None]:
    return lambda service: service.get(key).text(limit) or None


def _number(key: str) -> Callable[[Node], int | None]:
    return lambda service: service.get(key).whole_number()


def _read_id(service: Node) -> uuid.UUID | None:
    at = service.get("id")
    text = at.text(60)
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        at.broken("must be a UUID")


def _read_status(service: Node) -> bool | None:
    at = service.get("status")
    text = at.text(40)
    if text and text != "active" and text not in CLOSED:
        at.broken("must be active, inactive, defunct or temporarily closed")
    return text == "active" if text else None


def _read_date(service: Node) -> dt.date | None:
    at = service.get("assured_date")
    text = at.text(40)
    try:
        return dt.date.fromisoformat(text[:10]) if text else None
    except ValueError:
        at.broken("must be a date (2026-11-22)")


def _read_phone(service: Node) -> str | None:
    """The first number that is for speaking."""
    for phone in service.get("phones").items():
        if phone.get("type").text(20) in {"", "voice", "cell"} and phone.get("number").text(60):
            return phone.get("number").text(40)
    return None


def _read_languages(service: Node) -> list[str] | None:
    found = []
    for language in service.get("languages").items():
        at = language.get("code")
        code = at.text(10)
        if code not in languages():
            at.broken(f"must be one of {', '.join(languages())}")
        found.append(code)
    return list(dict.fromkeys(found)) or None


def languages() -> list[str]:
    """The languages that an agency can say it speaks: those of the list but for “another”, which tells nobody anything."""
    return [code for code in triage.codes("languages") if code != "other"]


def _email(owner: Node) -> str | None:
    at = owner.get("email")
    text = at.text(254)
    try:
        validate_email(text or "nobody@example.com")
    except ValidationError:
        at.broken("must be an e-mail address")
    return text or None


def _read_deputy(service: Node) -> str | None:
    for contact in service.get("contacts").items():
        if contact.get("title").text(200) == DEPUTY:
            return _email(contact)
    return None


def _terms(owner: Node) -> Iterator[tuple[str, str, Node]]:
    """Taxonomy, code and place of each attribute that has a term of its own."""
    for at in owner.get("attributes").items():
        term = at.get("taxonomy_term")
        if term.says():
            yield term.get("taxonomy").text(200), term.get("code").text(200), at


def _codes(link_type: str, known: Callable[[], Any]) -> Callable[[Node], list[str] | None]:
    def read(service: Node) -> list[str] | None:
        found = []
        for taxonomy, code, at in _terms(service):
            if taxonomy == f"{OURS}:{link_type}":
                if code not in known():
                    at.get("taxonomy_term").get("code").broken(f"must be one of {', '.join(known())}")
                found.append(code)
        return list(dict.fromkeys(found)) or None

    return read


def _one(link_type: str, known: Callable[[], Any]) -> Callable[[Node], str | None]:
    read = _codes(link_type, known)

    def read_one(service: Node) -> str | None:
        found = read(service) or []
        if len(found) > 1:
            service.get("attributes").broken(f"has more than one {link_type}")
        return found[0] if found else None

    return read_one


def _read_sdk(service: Node) -> str | None:
    for taxonomy, _code, at in _terms(service):
        if taxonomy == f"{OURS}:function_address":
            return at.get("value").text(120) or None
    return None


def _areas(service: Node, taxonomy: str) -> list[tuple[str, Node]]:
    rows = [row for area in service.get("service_areas").items() for row in _terms(area)]
    return [(code, at.get("taxonomy_term").get("code")) for named, code, at in rows if named == taxonomy]


def _read_nationwide(service: Node) -> bool | None:
    """Sweden or not, where any area is said that we know."""
    whole = any(code == SWEDEN for code, _at in _areas(service, COUNTRY))
    return whole if whole or _areas(service, MUNICIPALITY) else None


def _read_municipalities(service: Node) -> list[str] | None:
    known = set(Municipality.objects.exclude(code=Municipality.ELSEWHERE).values_list("code", flat=True))
    found = _areas(service, MUNICIPALITY)
    for code, at in found:
        if code not in known:
            at.broken("is no municipality of the directory")
    return sorted({code for code, _at in found}) or None


def _read_hours(service: Node) -> dict[int, list[Shift]] | None:
    """Weekday -> shifts, in order. Day and night is told by a term of ours, and leaves the hours as they are."""
    if _is_always(service):
        return None
    week: dict[int, list[Shift]] = {}
    for schedule in service.get("schedules").items():
        shift = _shift(schedule)
        for day in _weekdays(schedule):
            week.setdefault(day, []).append(shift)
    for day, shifts in week.items():
        shifts.sort()
        if any(later[0] < earlier[1] for earlier, later in zip(shifts, shifts[1:], strict=False)):
            service.get("schedules").broken(f"the times of {DAYS[day]} overlap")
    return {day: week[day] for day in sorted(week)} or None


def _is_always(service: Node) -> bool:
    return _codes("opening", lambda: ["always"])(service) is not None


def _read_always(service: Node) -> bool | None:
    """Day and night by our term; not so where hours are said without it."""
    return True if _is_always(service) else False if service.get("schedules").says() else None


def _weekdays(schedule: Node) -> list[int]:
    for key in ("valid_from", "valid_to", "until", "count", "byweekno", "bymonthday", "byyearday"):
        if schedule.get(key).says():
            schedule.get(key).broken("only hours that are the same every week can be kept")
    if schedule.get("freq").text(20) not in {"", "WEEKLY"} or schedule.get("interval").whole_number() not in {None, 1}:
        schedule.get("freq").broken("only hours that are the same every week can be kept")
    at = schedule.get("byday")
    found = [day.strip() for day in at.text(60).split(",")]
    if any(day not in DAYS for day in found):
        at.broken("must be days as MO,TU,WE,TH,FR,SA,SU")
    return [DAYS.index(day) for day in dict.fromkeys(found)]


def _shift(schedule: Node) -> Shift:
    opens, closes = (_time(schedule.get(key)) for key in ("opens_at", "closes_at"))
    if opens >= closes:
        schedule.get("closes_at").broken("must be later than opens_at; a night is written as two days")
    return opens, closes


def _time(at: Node) -> dt.time:
    text = at.text(20)
    for offset in SWEDISH_OFFSETS:
        text = text.removesuffix(offset)
    if text in {"24:00", "24:00:00"}:
        return dt.time(23, 59, 59)
    try:
        time = dt.time.fromisoformat(text)
    except ValueError:
        at.broken("must be a time of day (08:00)")
    if time.tzinfo is not None:
        at.broken("must be a time of Swedish clocks")
    return time.replace(microsecond=0)


# -- the table ---------------------------------------------------------------------------------------------------------

TABLE: list[Field] = [
    Field("external_id", "id", lambda agency: {"id": str(agency.external_id)}, _read_id),
    Field("name", "name", _plain("name", "name"), _text("name", 120)),
    Field("description", "description", _plain("description", "description"), _text("description", 4_000)),
    Field("is_active", "status", lambda agency: {"status": STATUS[agency.is_active]}, _read_status),
    Field("mailbox", "email", _plain("email", "mailbox"), _email),
    Field(
        *("minimum_age", "minimum_age"),
        lambda agency: {"minimum_age": agency.minimum_age},
        _number("minimum_age"),
    ),
    Field(
        *("maximum_age", "maximum_age"),
        lambda agency: {"maximum_age": agency.maximum_age},
        _number("maximum_age"),
    ),
    Field(
        *("verified_on", "assured_date"),
        lambda agency: {"assured_date": agency.verified_on.isoformat() if agency.verified_on else None},
        _read_date,
    ),
    Field("phone", "phones[].number", _write_phone, _read_phone),
    Field("hours", "schedules[]: freq, byday, opens_at, closes_at", _write_hours, _read_hours),
    Field(
        *("nationwide", f"service_areas[] with the term {SWEDEN} of {COUNTRY}"),
        lambda agency: {"service_areas": [_area(agency, COUNTRY, SWEDEN, "Sverige")] if agency.nationwide else []},
        _read_nationwide,
    ),
    Field(
        *("municipalities", f"service_areas[] with a term of {MUNICIPALITY}"),
        *(_write_municipalities, _read_municipalities),
    ),
    Field("languages", "languages[].code", _write_languages, _read_languages),
    Field("deputy_mailbox", f"contacts[].email with the title {DEPUTY}", _write_deputy, _read_deputy),
    Field(
        *("type", f"attributes[] with a term of {OURS}:partner_type"),
        lambda agency: {"attributes": [attribute(agency, "partner_type", agency.type, agency.kind.name)]},
        _one("partner_type", partner_types),
    ),
    Field(
        *("receiver_kind", f"attributes[] with a term of {OURS}:receiver_kind", _write_receiver),
        _one("receiver_kind", receiver_names),
    ),
    Field(
        *("needs", f"attributes[] with terms of {OURS}:need", _write_needs),
        _codes("need", lambda: triage.codes("needs")),
    ),
    Field(
        *("always_open", f"attributes[] with the term always of {OURS}:opening"),
        *(_write_always, _read_always),
    ),
    Field("sdk_address", f"attributes[].value of {OURS}:function_address", _write_sdk, _read_sdk),
]
