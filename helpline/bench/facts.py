"""The coded facts of one case of the bench: where in six years it lies, whose it is, and what is known of it."""

import random
from dataclasses import dataclass

from helpline.bench.people import Places
from intake import codes

A_DAY = 86_400.0
YEARS = 6 * 365 * A_DAY
MEASURED = 500  # open cases of the unit that is measured, at every size alike: its fair share of a million
A_WORKERS_REFERRALS = 0.25  # of open cases: with an agency now
STRIDE = 7_919 * 6_007  # walks through all numbers without coming to one twice
URGENCIES = [("NORMAL", 0.62), ("SKYNDSAM", 0.24), ("BRADSKANDE", 0.11), ("AKUT", 0.03)]
TRACKS = [("A", 0.5), ("B", 0.2), ("C", 0.3)]
MILIEUS = ["RIGHT", "LEFT", "ISLAMIST", "MIXED", "FIXATION", "OTHER", "UNKNOWN", "NOT_VE"]
AGES = ["0-11", "12-14", "15-17", "18-19", "20", "21-25", "26+", "unknown"]
NEEDS = ["family_support", "exit_support", "mental_health", "crime_prevention", "housing"]
REASONS = ["needs_met", "handed_over", "declined", "no_contact", "outside"]


def is_open(number: int) -> bool:
    """About one in fifty; of the first twenty thousand one in forty, so that the measured unit has its share from the first."""
    return number % 40 == 0 if number < 40 * MEASURED else number % 50 == 0


def unit_of(number: int, units: int) -> int:
    """The measured unit holds the first of the open cases and one in so many of the closed; the others the rest."""
    if not is_open(number):
        return (number // 7) % units
    if number < 40 * MEASURED:
        return 0
    return 1 + (number // 50) % (units - 1)


def code_of(number: int) -> str:
    """A case number as new_code makes one, another for each."""
    place = number * STRIDE % codes.COMBINATIONS
    words = codes.words()
    first, rest = divmod(place, (len(words) - 1) * len(codes.NUMBERS))
    second, last = divmod(rest, len(codes.NUMBERS))
    second += second >= first
    return f"{words[first]}-{words[second]}-{codes.NUMBERS[last]}"


@dataclass(frozen=True)
class Facts:
    """What a case is."""

    number: int
    open: bool
    unit: int  # its place in Places
    owner: int
    manager: int
    opened: float  # seconds since 1970
    closed: float
    caller: str
    track: str
    urgency: str
    municipality: str
    milieu: str
    age: str
    protection: str


def facts_of(number: int, share: float, now: float, at: Places, dice: random.Random) -> Facts:
    """Case `number`; `share` says where in the six years it lies, for a closed one."""
    unit, is_still_open = unit_of(number, len(at.units)), is_open(number)
    opened = now - (2 + dice.random() * 80) * A_DAY if is_still_open else now - YEARS * (1 - share) - 60 * A_DAY
    return Facts(
        number=number,
        open=is_still_open,
        unit=unit,
        owner=at.workers[unit][(number // 40 if is_still_open else number // 3) % len(at.workers[unit])],
        manager=at.managers[unit],
        opened=opened,
        closed=opened + (5 + dice.random() * 50) * A_DAY,
        caller=dice.choice(at.callers),
        track=_one_of(TRACKS, dice),
        urgency=_one_of(URGENCIES, dice),
        municipality=dice.choice(at.municipalities),
        milieu=dice.choice(MILIEUS),
        age=dice.choice(AGES),
        protection="secrecy_marking" if dice.random() < 0.01 else "none",
    )


def _one_of(chances: list[tuple[str, float]], dice: random.Random) -> str:
    point = dice.random()
    for code, chance in chances:
        point -= chance
        if point < 0:
            return code
    return chances[0][0]
