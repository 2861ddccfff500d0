"""Partner types: what each meets, whom it serves and how it may be reached. The table stands in partner_types.yaml."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from intake.triage import in_language

HANDOVER, SIGNPOST, DEIDENTIFIED = "handover", "signpost", "deidentified"


@dataclass(frozen=True)
class PartnerType:
    """One row of the table."""

    entry: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.entry["code"])

    @property
    def name(self) -> str:
        return in_language(self.entry)

    @property
    def receives(self) -> str:
        return str(self.entry["receives"])

    @property
    def channel(self) -> str:
        return str(self.entry["channel"])

    @property
    def meets(self) -> list[str]:
        return list(self.entry["meets"])

    @property
    def per_municipality(self) -> bool:
        return bool(self.entry.get("per_municipality"))

    @property
    def is_local(self) -> bool:
        return bool(self.entry.get("local"))

    def takes(self, age_band: str) -> bool:
        """Whether it takes a person of this age."""
        return "ages" not in self.entry or age_band in self.entry["ages"]


@lru_cache
def _file() -> dict[str, Any]:
    text = (Path(__file__).parent / "partner_types.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


@lru_cache
def partner_types() -> dict[str, PartnerType]:
    """Code -> type, in the order of the table."""
    return {entry["code"]: PartnerType(entry) for entry in _file()["types"]}


def receiver_names() -> dict[str, str]:
    """Receiver kind -> its name in the language of the page."""
    return {code: in_language(entry) for code, entry in _file()["receivers"].items()}
