"""What one client tried, and what the server confirmed: its own file, a line at a time, written before the next act."""

import itertools
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TRIED, CONFIRMED, REFUSED = "tried", "confirmed", "refused"


class Diary:
    """One client's file."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._file = path.open("a", encoding="utf-8")
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def tries(self, do: str, **facts: Any) -> "Act":
        """An act is about to be sent."""
        act = Act(f"{self.name}-{next(self._numbers)}", do, TRIED, facts)
        self._write(act)
        return act

    def confirmed(self, act: "Act", **facts: Any) -> None:
        """The server said that it is done."""
        act.stage = CONFIRMED
        act.facts |= facts
        self._write(act)

    def refused(self, act: "Act", why: object, tries: int = 1) -> None:
        """The server said no, or that somebody was first; `tries`: how often it was sent."""
        act.stage = REFUSED
        act.facts |= {"why": str(why), "tries": tries}
        self._write(act)

    def _write(self, act: "Act") -> None:
        with self._lock:
            self._file.write(json.dumps([act.id, act.do, act.stage, act.facts], ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()


@dataclass
class Act:
    """Something that a client did, and how far it came: tried, confirmed, refused. What was not confirmed may be there or
    not: its answer may have been lost, and a form that is refused keeps what is right in it."""

    id: str
    do: str
    stage: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_confirmed(self) -> bool:
        """Whether the client was told that it is done."""
        return self.stage == CONFIRMED


def read(folder: Path) -> list[Act]:
    """The acts of all files, each as far as it came, in the order in which each client did them."""
    acts: dict[str, Act] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            act = Act(*json.loads(line))
            acts[act.id] = act
    return list(acts.values())
