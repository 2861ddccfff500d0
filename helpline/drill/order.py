"""What is asked of a drill, by environment."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from helpline.drill.sabotage import GUARDS
from helpline.local.console import Trouble

KILLS = 60
IN_FLIGHT = 40
RECOVERY = 5.0  # seconds from the database's return to the first save that is confirmed
TARGETS = ("worker", "beat", "broker", "database", "web")


@dataclass(frozen=True)
class Order:
    """How long, from which seed, with which guard taken out, and the least that must have happened."""

    seconds: float = 240.0
    seed: int = 0
    sabotage: str = ""
    kills: int = KILLS
    in_flight: int = IN_FLIGHT
    recovery: float = RECOVERY

    @property
    def at_most(self) -> float:
        """Seconds after which the load ends, also where the kills are fewer than asked for."""
        return self.seconds * 1.5


def read(environ: Mapping[str, str] = os.environ) -> Order:
    """DRILL_SECONDS (240), DRILL_SEED (a new one), DRILL_SABOTAGE (none), and DRILL_KILLS and DRILL_IN_FLIGHT for a short
    try. Raises Trouble for what is no number, or for a guard that nobody knows."""
    sabotage = environ.get("DRILL_SABOTAGE", "")
    if sabotage and sabotage not in GUARDS:
        raise Trouble(f"DRILL_SABOTAGE is {sabotage!r}, and should be one of {', '.join(sorted(GUARDS))}.")
    kills = _number(environ, "DRILL_KILLS", KILLS)
    return Order(
        seconds=float(_number(environ, "DRILL_SECONDS", 240)),
        seed=_number(environ, "DRILL_SEED", secrets.randbelow(1_000_000)),
        sabotage=sabotage,
        kills=kills,
        in_flight=_number(environ, "DRILL_IN_FLIGHT", min(IN_FLIGHT, kills * IN_FLIGHT // KILLS)),
    )


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal():
        raise Trouble(f"{name} is {text!r}, and should be a whole number.")
    return int(text)
