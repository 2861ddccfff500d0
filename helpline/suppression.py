"""What may be told of small numbers, so that nobody counts one under five back: from totals, from the quarters of a year, from
what a unit knows of itself. Pure arithmetic; docs/decisions/0022 says the rule."""

from collections.abc import Iterable, Mapping, Sequence

LEAST = 5  # fewer are not told
MOST_FEW = LEAST - 1

Units = Mapping[str, int]  # unit -> how many
Cells = Mapping[str, Units]  # value -> unit -> how many
Told = dict[str, int | None]  # value -> how many; None: not told
Row = Mapping[str, int]


def total_of(cell: Units) -> int:
    """How many of all units."""
    return sum(cell.values())


def is_few_for_a_unit(cell: Units, least: int = LEAST) -> bool:
    """Whether who knows the number of one unit would learn that one to four (or fewer than `least`) belong to the others."""
    total = total_of(cell)
    return any(0 < total - count < least for count in cell.values() if count)


def told_cells(cells: Cells) -> Told:
    """What is told of one table whose total is told. Not told: what is under five, and then the smallest others, until each of
    the few can be anything from 0 to 4. No cell is told where there are not enough others, nor where one to four of a cell
    belong to others than one unit: who knows that unit, and how it is decided what is told, would look for them among the
    cells that are left."""
    counts = {value: total_of(cell) for value, cell in cells.items()}
    few = {value for value, count in counts.items() if count < LEAST}
    many = {value: cell for value, cell in cells.items() if value not in few}
    if any(map(is_few_for_a_unit, many.values())):
        return dict.fromkeys(counts)
    rest = sorted(many, key=lambda value: counts[value])
    hidden: set[str] = set()
    while few and not _is_safe(cells, counts, few, hidden):
        if not rest:
            return dict.fromkeys(counts)
        hidden.add(rest.pop(0))
    return {value: None if value in few | hidden else count for value, count in counts.items()}


def _is_safe(cells: Cells, counts: Row, few: set[str], hidden: set[str]) -> bool:
    """Whether each of the few can be 0 and can be 4, for who knows the total and how it is decided what is told: that what is
    hidden is five or more, and no more than the smallest that is told. A value that has none may be known to have none, so
    it covers no other. The same for who knows a unit besides, where any of what is not told is of the others."""
    some = [value for value in few if counts[value]]
    left = sum(counts[value] for value in few | hidden)
    told = [count for value, count in counts.items() if value not in few | hidden]
    most = (min(told) if told else left) * len(hidden) + MOST_FEW * max(len(some) - 1, 0)
    least = LEAST * len(hidden) + MOST_FEW
    is_seen_through = is_few_for_a_unit(added(cells[value] for value in few | hidden), least)
    return bool(hidden) and least <= left <= most and not is_seen_through


def told_sum(parts: Sequence[int]) -> int | None:
    """What is told of the sum of some periods, each of which is told itself unless it is under five: the sum, unless one of
    those could be counted back from it."""
    few = [part for part in parts if part < LEAST]
    hides = not few or MOST_FEW <= sum(few) <= MOST_FEW * (len(few) - 1)
    return sum(parts) if hides and sum(parts) >= LEAST else None


def told_or_none(counts: Sequence[int | None]) -> int | None:
    """The sum of what was told; None where one was not."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def added(cells: Iterable[Units]) -> dict[str, int]:
    """Unit -> how many in all of them."""
    found: dict[str, int] = {}
    for cell in cells:
        for unit, count in cell.items():
            found[unit] = found.get(unit, 0) + count
    return found
