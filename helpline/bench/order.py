"""What is asked of a bench, by environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from helpline.local.console import Trouble

SIZES = (20_000, 200_000, 1_000_000)


@dataclass(frozen=True)
class Order:
    """How many cases, at how many of them it is measured, and for how long."""

    cases: int = SIZES[-1]
    requests: int = 100  # of each page, one after the other
    seconds: float = 3.0  # of each page, by eight at once
    whole: bool = True  # whether all that was loaded is verified

    @property
    def sizes(self) -> list[int]:
        """The sizes at which it is measured, smallest first; the last is what was asked for."""
        return [*(size for size in SIZES if size < self.cases), self.cases]


def read(environ: Mapping[str, str] = os.environ) -> Order:
    """BENCH_CASES (1000000), BENCH_REQUESTS (100), BENCH_SECONDS (3). Raises Trouble for what is no number."""
    return Order(
        cases=_number(environ, "BENCH_CASES", SIZES[-1], least=1_000),
        requests=_number(environ, "BENCH_REQUESTS", 100, least=5),
        seconds=float(_number(environ, "BENCH_SECONDS", 3, least=1)),
    )


def _number(environ: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise Trouble(f"{name} is {text!r}, and should be a whole number of at least {least}.")
    return int(text)
