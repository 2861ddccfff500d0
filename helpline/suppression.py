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


def units_of(rows: Iterable[Cells]) -> set[str]:
    """The units that have any of them."""
    return {unit for cells in rows for cell in cells.values() for unit, count in cell.items() if count}


def is_few_for_a_unit(cell: Units) -> bool:
    """Whether who knows the number of one unit would learn that one to four belong to the others."""
    total = total_of(cell)
    return any(0 < total - count < LEAST for count in cell.values() if count)


def told_cells(cells: Cells) -> Told:
    """What is told of one table whose total is told. Not told: what is under five; what leaves one to four to the other units
    for who knows one of them; and then the smallest others, until each of the few can be anything from 0 to 4. Where there
    are not enough others, no cell is told."""
    counts = {value: total_of(cell) for value, cell in cells.items()}
    few = {value for value, count in counts.items() if count < LEAST}
    hidden = {value for value, cell in cells.items() if value not in few and is_few_for_a_unit(cell)}
    rest = sorted((value for value in counts if value not in few | hidden), key=lambda value: counts[value])
    for_units = bool(hidden)
    while (few or hidden) and not _is_safe(counts, few, hidden, for_units):
        if not rest:
            return dict.fromkeys(counts)
        hidden.add(rest.pop(0))
    return {value: None if value in few | hidden else count for value, count in counts.items()}


def _is_safe(counts: Row, few: set[str], hidden: set[str], for_units: bool) -> bool:
    """Whether each of the few can be 0 and can be 4, for who knows the total and how it is decided what is told: that what is
    hidden is five or more, and no more than the smallest that is told. A value that has none may be known to have none, so
    it covers no other. Two at the least, where none is few or where something is hidden from who knows a unit."""
    some = [value for value in few if counts[value]]
    if not some and (for_units or not few) and len(hidden) < 2:
        return False
    if not few:
        return True
    left = sum(counts[value] for value in few | hidden)
    told = [count for value, count in counts.items() if value not in few | hidden]
    most = (min(told) if told else left) * len(hidden) + MOST_FEW * max(len(some) - 1, 0)
    return bool(hidden) and LEAST * len(hidden) + MOST_FEW <= left <= most


def told_sum(parts: Sequence[int]) -> int | None:
    """What is told of the sum of some periods, each of which is told itself unless it is under five: the sum, unless one of
    those could be counted back from it."""
    few = [part for part in parts if part < LEAST]
    hides = not few or MOST_FEW <= sum(few) <= MOST_FEW * (len(few) - 1)
    return sum(parts) if hides and sum(parts) >= LEAST else None


def told_year(quarters: Sequence[Cells], told: Sequence[Told]) -> Told:
    """What is told of the sums of the quarters of a year, whose cells were told as in `told` and whose totals are told: a sum
    only where, with all that was told before, each cell under five, of a quarter or of the year, can be anything from 0 to 4,
    also for who knows where there is none, and none can be counted back by who knows the numbers of a unit."""
    rows: list[Row] = [{value: total_of(cell) for value, cell in cells.items()} for cells in quarters]
    sums = {value: sum(row.get(value, 0) for row in rows) for row in rows for value in row}
    by_unit = {value: _added(cells.get(value, {}) for cells in quarters) for value in sums}
    shown = {v for v, count in sums.items() if count >= LEAST and not is_few_for_a_unit(by_unit[v])}
    untold = [{value for value in cells if cells[value] is None} for cells in told]
    # Where there is none may be known: there nothing can be moved from or to.
    some = [{value for value in cells if row[value]} for cells, row in zip(untold, rows, strict=True)]
    seen_by: list[tuple[list[Row], list[set[str]], int]] = [(rows, untold, MOST_FEW)]
    seen_by.append(([_only(row, row) for row in rows], some, MOST_FEW))
    for unit in sorted(units_of(quarters)):
        theirs = _without(quarters, unit)
        seen_by.append(([_only(*both) for both in zip(theirs, rows, strict=True)], some, 1))
    while shown:
        found: set[str] = set()
        for seen, hidden, reach in seen_by:
            found |= Board(seen, hidden, shown).exposed(reach)
        if not found:
            break
        guilty = found & shown
        shown -= guilty or {min(shown, key=lambda value: (sums[value], value))}
    return {value: count if value in shown else None for value, count in sums.items()}


def _added(cells: Iterable[Units]) -> dict[str, int]:
    found: dict[str, int] = {}
    for cell in cells:
        for unit, count in cell.items():
            found[unit] = found.get(unit, 0) + count
    return found


def _only(row: Row, whole: Row) -> Row:
    """The cells of which the line has any."""
    return {value: count for value, count in row.items() if whole[value]}


def _without(quarters: Sequence[Cells], unit: str) -> list[Row]:
    """The tables as who knows one unit's numbers sees them: what is left to the others."""
    return [{v: total_of(cell) - cell.get(unit, 0) for v, cell in cells.items()} for cells in quarters]


class Board:
    """Tables of the same values over several periods, some cells told, the total of each table told, and the sum over the
    periods of some values told. How far a cell that is not told can move is a flow: one more here is one fewer in the same
    table and in the same sum, and so on, until it closes. Cells are whole numbers from 0."""

    FREE = "*"  # all values whose sums are not told: nothing holds them together

    def __init__(self, rows: Sequence[Row], untold: Sequence[set[str]], shown: set[str]) -> None:
        self.rows, self.untold, self.shown = rows, untold, shown

    def exposed(self, reach: int) -> set[str]:
        """The values of cells of one to four, or none, that are not told and yet cannot be anything from 0 to 4 (reach 4), or
        that have but one possible number (reach 1: for who knows a part; what is nobody there is nobody's secret)."""
        found = set()
        for place, row in enumerate(self.rows):
            for value in self.untold[place]:
                if self._is_guarded(row[value], reach) and not self._moves(place, value, reach):
                    found.add(value)
        for value in {value for row in self.rows for value in row} - self.shown:
            if self._is_guarded(self._sum(value), reach) and not self._sum_moves(value, reach):
                found.add(value)
        return found

    @staticmethod
    def _is_guarded(count: int, reach: int) -> bool:
        return count < LEAST and (reach > 1 or count > 0)

    def _sum(self, value: str) -> int:
        return sum(row.get(value, 0) for row in self.rows)

    def _moves(self, place: int, value: str, reach: int) -> bool:
        count = self.rows[place][value]
        node = value if value in self.shown else self.FREE
        paths = self._paths(without=(place, value))
        return _can_move(paths, node, f"#{place}", count, reach)

    def _sum_moves(self, value: str, reach: int) -> bool:
        """Whether the sum of a value that is not told can: against those of the others that are not told."""
        return _can_move(self._paths(apart=value), self.FREE, value, self._sum(value), reach)

    def _paths(self, without: tuple[int, str] | None = None, apart: str = "") -> dict[tuple[str, str], int]:
        """(from, to) -> how many can be moved: out of a value, what stands in its cell; into it, any number."""
        found: dict[tuple[str, str], int] = {}
        for place, row in enumerate(self.rows):
            for value in self.untold[place]:
                if (place, value) != without:
                    node = value if value in self.shown or value == apart else self.FREE
                    found[node, f"#{place}"] = found.get((node, f"#{place}"), 0) + row[value]
                    found[f"#{place}", node] = 1_000_000
        return found


def _can_move(paths: dict[tuple[str, str], int], start: str, end: str, count: int, reach: int) -> bool:
    """Whether a cell of `count` between two places can be anything from 0 to 4 (reach 4), or another number than it is."""
    more, less = flow(paths, start, end), flow(paths, end, start)
    return count + more >= reach and less >= count if reach > 1 else more + less > 0


def flow(paths: Mapping[tuple[str, str], int], start: str, end: str, most: int = MOST_FEW) -> int:
    """How many can be moved from one place to another along these paths, up to `most`."""
    left = dict(paths)
    for moved in range(most):
        way = _way(left, start, end)
        if way is None:
            return moved
        for step in way:
            left[step] -= 1
            left[step[1], step[0]] = left.get((step[1], step[0]), 0) + 1
    return most


def _way(left: Mapping[tuple[str, str], int], start: str, end: str) -> list[tuple[str, str]] | None:
    """The steps of one way that is still open; None where there is none."""
    came: dict[str, str] = {start: start}
    queue = [start]
    while queue:
        here = queue.pop(0)
        for (source, target), count in left.items():
            if source == here and count > 0 and target not in came:
                came[target] = here
                queue.append(target)
    if end not in came or start == end:
        return None
    steps, here = [], end
    while here != start:
        steps.append((came[here], here))
        here = came[here]
    return steps[::-1]
