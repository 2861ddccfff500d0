"""A file of HSDS 3.x as entries: what each service says of what we keep, and every place that cannot be read."""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from referrals.hsds.node import Broken, Node, parse
from referrals.hsds.table import TABLE

MOST = 5_000  # services of one file


@dataclass
class Entry:
    """One service: where it stands, its id, and what it says. What it does not say is not here."""

    place: str
    id: uuid.UUID | None
    says: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.says.get("name", ""))


def entries_of(data: bytes) -> tuple[list[Entry], list[str]]:
    """The entries of a file, and what is wrong with it: each as a sentence that begins with its place."""
    try:
        services = _services(parse(data))
    except Broken as broken:
        return [], [str(broken)]
    faults: list[str] = []
    entries = [_entry(service, faults) for service in services]
    return entries, faults or _twice(entries)


def _services(root: Node) -> list[Node]:
    """A page of services, or a plain list of them. Raises Broken."""
    rows = root if isinstance(root.value, list) else root.get("contents")
    if not isinstance(rows.value, list):
        rows.broken("must be a list of services")
    if len(rows.value) > MOST:
        rows.broken(f"holds more than {MOST} services")
    return list(rows.items())


def _entry(service: Node, faults: list[str]) -> Entry:
    entry = Entry(service.place, None)
    if not isinstance(service.value, dict):
        faults.append(f"{service.place}: must be an object")
        return entry
    for row in TABLE:
        try:
            said = row.read(service)
        except Broken as broken:
            faults.append(str(broken))
            continue
        if row.ours == "external_id":
            entry.id = said
        elif said is not None:
            entry.says[row.ours] = said
    if not entry.name and not any(fault.startswith(f"{service.place}.name") for fault in faults):
        faults.append(f"{service.place}.name: is missing")
    return entry


def _twice(entries: list[Entry]) -> list[str]:
    """Two services of one id or of one name: it would be left to chance which of them holds."""
    ids = Counter(entry.id for entry in entries if entry.id)
    names = Counter(entry.name.casefold() for entry in entries)
    return [
        *(f"{entry.place}.id: stands twice in the file" for entry in entries if entry.id and ids[entry.id] > 1),
        *(f"{entry.place}.name: stands twice in the file" for entry in entries if names[entry.name.casefold()] > 1),
    ]
