"""Legal grounds: which may be chosen for this receiver, this age and this day. The law stands in grounds.yaml."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import get_language, gettext

from intake import triage


@dataclass(frozen=True)
class Ground:
    """One row of the law table."""

    code: str
    law: str
    receivers: str | tuple[str, ...]
    names: dict[str, str]
    conditions: dict[str, str]
    needs: str = ""
    under: int | None = None
    reason: bool = False
    default_on: bool = True
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @property
    def name(self) -> str:
        return self.names[(get_language() or "sv")[:2]]

    @property
    def condition(self) -> str:
        return self.conditions[(get_language() or "sv")[:2]]

    @property
    def is_consent(self) -> bool:
        return self.needs in {"consent", "guardian_consent"}

    def refusal(self, *, receiver: str, age_band: str, day: dt.date, on: Collection[str]) -> str:
        """Why it cannot be chosen, in words; empty where it can."""
        if self.receivers != "any" and receiver not in self.receivers:
            return gettext("not for this kind of receiver")
        if self.under is not None and not triage.certainly_under(age_band, self.under):
            return gettext("only for a person who is certainly under %(years)s") % {"years": self.under}
        if (self.valid_from and day < self.valid_from) or (self.valid_to and day > self.valid_to):
            return gettext("not in force on this day")
        if self.code not in on:
            return gettext("not switched on by the municipality")
        return ""


def _row(row: dict[str, Any]) -> Ground:
    receivers = row["receivers"]
    return Ground(
        code=row["code"],
        law=row["law"],
        receivers=receivers if isinstance(receivers, str) else tuple(receivers),
        names={"sv": row["sv"], "en": row["en"]},
        conditions={"sv": row["sv_if"], "en": row["en_if"]},
        **{key: row[key] for key in ("needs", "under", "reason", "default_on", "valid_from", "valid_to") if key in row},
    )


@lru_cache
def grounds() -> dict[str, Ground]:
    """The whole table, in its order: code -> ground."""
    text = (Path(__file__).parent / "grounds.yaml").read_text(encoding="utf-8")
    return {row["code"]: _row(row) for row in yaml.safe_load(text)}


def consent_grounds() -> list[str]:
    """The codes of those that hold as long as a consent does."""
    return [code for code, ground in grounds().items() if ground.is_consent]


def verdicts(
    *, receiver: str, channel: str, age_band: str, day: dt.date, on: Collection[str]
) -> list[tuple[Ground, str]]:
    """Every ground, with why it cannot be chosen (empty where it can). An agency that may only be consulted without
    identity leaves one; a place that the caller goes to alone gets no data, so it leaves none."""
    only = {"handover": None, "deidentified": {"no_identity"}, "signpost": set()}[channel]
    found = []
    for ground in grounds().values():
        why = ground.refusal(receiver=receiver, age_band=age_band, day=day, on=on)
        if not why and only is not None and ground.needs not in only:
            why = gettext("this agency is only consulted without identity")
        found.append((ground, why))
    return found


def possible(*, receiver: str, channel: str, age_band: str, day: dt.date, on: Collection[str]) -> list[Ground]:
    """The grounds that can be chosen."""
    found = verdicts(receiver=receiver, channel=channel, age_band=age_band, day=day, on=on)
    return [ground for ground, why in found if not why]
