"""The years before the year of the demo: what a line that has gone on for long knows of them, as sums without a name."""

import datetime as dt
from collections.abc import Iterator

from helpline.forgetting import quarter
from helpline.people.models import Municipality, Unit
from intake.models import PastCase

YEARS = 6
OF_A_QUARTER = 24  # cases of a unit: two a week
# Few values of each, so that most cells of a quarter may be told; the shares differ from one table to the next.
CALLERS = ["relative"] * 9 + ["professional"] * 8 + ["leaver"] * 7
TRACKS = "B" * 9 + "A" * 8 + "C" * 7
MILIEUS = ["RIGHT"] * 9 + ["ISLAMIST"] * 8 + ["UNKNOWN"] * 7
AGES = ["15-17"] * 9 + ["26+"] * 8 + ["unknown"] * 7
URGENCIES = ["NORMAL"] * 9 + ["SKYNDSAM"] * 8 + ["BRADSKANDE"] * 7
PLACES = [0] * 10 + [1] * 8 + [2] * 6  # the unit's own municipality, and two beside it
REASONS = ["needs_met"] * 9 + ["handed_over"] * 8 + ["declined"] * 7


def write(units: list[Unit], until: dt.datetime) -> int:
    """Invent the anonymous rows that remain of the cases of the quarters before this one. Returns how many."""
    near = _near(units)
    rows = [
        _row(unit, day, number, near[unit.pk])
        for day in _quarters(until)
        for unit in units
        for number in range(OF_A_QUARTER)
    ]
    return len(PastCase.objects.bulk_create(rows))


def _near(units: list[Unit]) -> dict[int, list[str]]:
    """Unit -> the municipalities that call it: its own, and two that are no other's."""
    own = {unit.municipality_id for unit in units} | {Municipality.ELSEWHERE}
    rest = iter(Municipality.objects.exclude(pk__in=own).order_by("name").values_list("pk", flat=True))
    return {unit.pk: [unit.municipality_id, next(rest), next(rest)] for unit in units}


def _quarters(until: dt.datetime) -> Iterator[dt.date]:
    """The first days of the quarters of these years, to that in which the year of the demo begins."""
    last = quarter(until)
    for year in range(last.year - YEARS + 1, last.year + 1):
        yield from (day for month in (1, 4, 7, 10) if (day := dt.date(year, month, 1)) <= last)


def _row(unit: Unit, day: dt.date, number: int, near: list[str]) -> PastCase:
    return PastCase(
        unit=unit,
        municipality_id=near[PLACES[number * 17 % OF_A_QUARTER]],
        opened_quarter=day,
        closed_quarter=day,
        caller_type=CALLERS[number],
        track=TRACKS[number],
        milieu=MILIEUS[(number * 5) % OF_A_QUARTER],
        age_band=AGES[(number * 11) % OF_A_QUARTER],
        urgency=URGENCIES[(number * 7) % OF_A_QUARTER],
        closing_reason=REASONS[(number * 13) % OF_A_QUARTER],
        calls=1,
        handovers=number % 2,
        days_to_contact=2 + number % 5 if number % 2 else None,
    )
