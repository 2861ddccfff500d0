"""What a file would change in the directory, and changing it: all of it or nothing. Nothing is deleted, nothing that the file
does not name is touched, and what it leaves empty empties nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from helpline.people.errors import Refused
from helpline.people.models import Municipality, User
from referrals.actions.directory import save_agency
from referrals.hsds.read import Entry, entries_of
from referrals.hsds.table import DAYS
from referrals.models import PartnerAgency

WAY = "import"


@dataclass
class Change:
    """One agency: which of its fields would be other than before. None of before: it is new."""

    entry: Entry
    agency: PartnerAgency | None
    fields: dict[str, tuple[Any, Any]]  # our field -> before, after

    @property
    def name(self) -> str:
        return self.agency.name if self.agency else self.entry.name


@dataclass
class Plan:
    """What the file would change. With a fault nothing is changed."""

    changes: list[Change] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    confidential: list[str] = field(default_factory=list)  # named in the file, and left alone
    unnamed: list[str] = field(default_factory=list)  # ours, of which the file says nothing
    faults: list[str] = field(default_factory=list)


def import_directory(*, by: User | None, data: bytes, apply: bool = False) -> Plan:
    """Read a file and say what it would change; with `apply`, and where nothing is wrong, change it in one transaction with
    a row in the log for each agency. The changes are tried in any case, so that what an action refuses is told too."""
    with transaction.atomic():
        plan = _plan(data)
        taken: dict[str, Any] = {name.casefold(): pk for pk, name in PartnerAgency.objects.values_list("pk", "name")}
        for change in plan.changes:
            _try(by, change, taken, plan.faults)
        if plan.faults or not apply:
            transaction.set_rollback(True)
    return plan


def _plan(data: bytes) -> Plan:
    entries, faults = entries_of(data)
    plan = Plan(faults=faults)
    if faults:
        return plan
    ours = list(PartnerAgency.objects.select_for_update().order_by("name"))
    by_id = {agency.external_id: agency for agency in ours}
    by_name = {agency.name.casefold(): agency for agency in ours}
    met: dict[int, Entry] = {}
    for entry in entries:
        agency = (by_id.get(entry.id) if entry.id else None) or by_name.get(entry.name.casefold())
        if agency is None:
            plan.changes.append(Change(entry, None, {key: (None, value) for key, value in entry.says.items()}))
            continue
        if agency.pk in met:
            plan.faults.append(f"{entry.place}: is the same agency as {met[agency.pk].place}")
        met[agency.pk] = entry
        _compare(entry, agency, plan)
    plan.unnamed = [agency.name for agency in ours if agency.pk not in met and not agency.is_confidential]
    return plan


def _compare(entry: Entry, agency: PartnerAgency, plan: Plan) -> None:
    if agency.is_confidential:
        plan.confidential.append(agency.name)
        return
    before = _now(agency)
    changed = {key: (before[key], value) for key, value in entry.says.items() if before[key] != value}
    _, said = changed.get("verified_on", (None, None))
    if said and agency.verified_on and said < agency.verified_on:
        del changed["verified_on"]  # what we checked later than the file stays so
    if changed:
        plan.changes.append(Change(entry, agency, changed))
    else:
        plan.same.append(agency.name)


def _now(agency: PartnerAgency) -> Mapping[str, Any]:
    """Our fields as an entry would say them."""
    hours: dict[int, list[Any]] = {}
    for row in agency.hours.order_by("weekday", "opens"):
        hours.setdefault(row.weekday, []).append((row.opens, row.closes))
    return {**vars(agency), "hours": hours, "municipalities": sorted(agency.municipality_codes)}


def _try(by: User | None, change: Change, taken: dict[str, Any], faults: list[str]) -> None:
    """Carry out one change; what an action refuses is a fault at its place. `taken`: names, and whose they are."""
    entry, agency = change.entry, change.agency
    after = {**(_now(agency) if agency else {}), **entry.says}
    facts = {key: after_of for key, (_, after_of) in change.fields.items() if key not in {"hours", "municipalities"}}
    whose = agency.pk if agency else entry.place
    if "name" in facts and taken.setdefault(facts["name"].casefold(), whose) != whose:
        faults.append(f"{entry.place}.name: another agency has this name")
        return
    if agency is None:
        if "type" not in facts:
            faults.append(f"{entry.place}.attributes: a new agency needs a term of stodlinjen:partner_type")
            return
        facts |= {"external_id": entry.id} if entry.id else {}
    try:
        with transaction.atomic():
            save_agency(
                by=by,
                agency=agency,
                facts=facts,
                municipalities=list(Municipality.objects.filter(pk__in=after.get("municipalities", []))),
                hours=after.get("hours", {}),
                way=WAY,
            )
    except Refused as refused:
        faults.append(f"{entry.place} ({refused.at or 'the whole'}): {refused}")


def words_of(plan: Plan) -> list[str]:
    """The plan, line by line, for a person who decides."""
    lines: list[str] = []
    for change in plan.changes:
        lines.append(f"{'changed' if change.agency else 'new'}: {change.name}")
        lines += [f"    {key}: {_said(old)} -> {_said(new)}" for key, (old, new) in sorted(change.fields.items())]
    lines += [f"left alone, since it is confidential: {name}" for name in plan.confidential]
    if plan.unnamed:
        lines.append(f"left alone, since the file does not name them: {len(plan.unnamed)}")
        lines += [f"    {name}" for name in plan.unnamed]
    new = sum(change.agency is None for change in plan.changes)
    lines.append(f"{len(plan.changes) - new} changed, {new} new, {len(plan.same)} as they are")
    return lines


def _said(value: Any) -> str:
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{DAYS[day]} {_shifts(shifts)}" for day, shifts in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).replace("\n", " / ")


def _shifts(shifts: list[Any]) -> str:
    return ", ".join(f"{opens:%H.%M}-{closes:%H.%M}" for opens, closes in shifts)
