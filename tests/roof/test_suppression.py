"""An attack on what is told: who adds and subtracts all that was ever told of a year is left with every number from 0 to 4."""

from collections import defaultdict
from itertools import combinations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline import suppression
from helpline.suppression import LEAST, told_cells, told_sum, told_year, total_of

MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def one_unit(row):
    return {value: {"1": count} for value, count in row.items()}


class Attacker:
    """All that was told as sums over whole numbers from 0: of each quarter its total and its told cells; of the year its told
    cells. Knows of no rule beside. Tries every way, value by value."""

    def __init__(self, quarters, told, year):
        self.values = list(quarters[0])
        self.left = tuple(
            sum(row.values()) - sum(n for n in cells.values() if n is not None)
            for row, cells in zip(quarters, told, strict=True)
        )
        self.untold = [{value for value in cells if cells[value] is None} for cells in told]
        self.told, self.year = told, year
        self.sums = {value: sum(row[value] for row in quarters) for value in self.values}

    def can(self, fixed=None, year_fixed=None):
        """Whether there is a world in which this cell, or this sum of the year, is that number."""
        dead = set()  # from where no way leads to the end

        def leads(depth, state):
            if depth == len(self.values):
                return not any(state)
            if (depth, state) in dead:
                return False
            ways = self._after(state, self.values[depth], fixed, year_fixed)
            if any(leads(depth + 1, after) for after in ways):
                return True
            dead.add((depth, state))
            return False

        return leads(0, self.left)

    def _after(self, state, value, fixed, year_fixed):
        free = [place for place, untold in enumerate(self.untold) if value in untold]
        known = sum(cells[value] or 0 for cells in self.told)
        total = self.year[value]
        if year_fixed and year_fixed[0] == value:
            total = year_fixed[1]
        for counts in product(*(range(state[place] + 1) for place in free)):
            if total is not None and known + sum(counts) != total:
                continue
            if fixed and fixed[1] == value and counts[free.index(fixed[0])] != fixed[2]:
                continue
            after = list(state)
            for place, count in zip(free, counts, strict=True):
                after[place] -= count
            yield tuple(after)


def attack(quarters, told, year):
    """The cells under five, of a quarter or of the year, that cannot be anything from 0 to 4."""
    attacker = Attacker(quarters, told, year)
    found = []
    for place, row in enumerate(quarters):
        found += [
            (place, value, number)
            for value, count in row.items()
            if count < LEAST
            for number in range(LEAST)
            if not attacker.can(fixed=(place, value, number))
        ]
    return found + [
        ("year", value, number)
        for value, count in attacker.sums.items()
        if count < LEAST
        for number in range(LEAST)
        if not attacker.can(year_fixed=(value, number))
    ]


def tables(quarters, cells, most):
    row = st.lists(st.integers(0, most), min_size=cells, max_size=cells).map(
        lambda n: dict(zip("abcdef", n, strict=False))
    )
    return st.lists(row.filter(lambda one: sum(one.values()) >= LEAST), min_size=quarters, max_size=quarters)


@settings(MANY, max_examples=25)
@given(st.one_of(tables(2, 3, 9), tables(2, 4, 7), tables(3, 3, 6), tables(4, 2, 8)))
def test_no_cell_is_counted_back_from_the_quarters_and_the_year(quarters):
    split = [one_unit(row) for row in quarters]
    told = [told_cells(row) for row in split]
    year = told_year(told)
    for cells, row in zip(told, quarters, strict=True):
        assert all(count is None or count == row[value] >= LEAST for value, count in cells.items())
    assert all(count is None or count >= LEAST for count in year.values())
    assert attack(quarters, told, year) == []


def test_the_attack_finds_what_is_told_too_freely():
    """Without the second suppression, and where each sum of the year is told."""
    quarters = [{"a": 12, "b": 8, "c": 3}, {"a": 9, "b": 9, "c": 9}]
    freely = [{"a": 12, "b": 8, "c": None}, dict(quarters[1])]
    assert (0, "c", 4) in attack(quarters, freely, {"a": 21, "b": 17, "c": 12})
    told = [told_cells(one_unit(row)) for row in quarters]
    assert told[0] == {"a": 12, "b": None, "c": None}
    assert (0, "c", 2) in attack(quarters, told, {"a": 21, "b": 17, "c": 12})
    assert attack(quarters, told, told_year(told)) == []


def rows_of(total):
    """Every row of three values that has this total."""
    for first in range(total + 1):
        for second in range(total - first + 1):
            yield {"a": first, "b": second, "c": total - first - second}


@pytest.mark.parametrize("totals", [(18, 16), (20, 15)])
def test_who_knows_the_rule_counts_nothing_back_from_the_year(totals):
    """Whoever knows what two quarters and their year told, the totals, and how it is decided what is told. Of 18 and 16, told
    as (-, 9, -) and (5, 5, 6): that no sum of the year was told left one world, when the truth decided it."""
    told = [[(row, told_cells(one_unit(row))) for row in rows_of(total)] for total in totals]
    worlds = defaultdict(list)
    for (first, one), (second, other) in product(*told):
        year = told_year([one, other])
        worlds[tuple(one.values()), tuple(other.values()), tuple(year.values())].append((first, second))
    assert any(count is not None for *_quarters, year in worlds for count in year)
    for seen, possible in worlds.items():
        for place, value in product(range(2), "abc"):
            numbers = {world[place][value] for world in possible}
            assert len(numbers) > 1 or not 0 < min(numbers) < LEAST, seen
        for value in "abc":
            numbers = {first[value] + second[value] for first, second in possible}
            assert len(numbers) > 1 or not 0 < min(numbers) < LEAST, seen


def test_a_sum_of_the_year_is_told_where_each_quarter_told_it():
    """A line that a quarter's table has not got had nothing in it."""
    told = [{"a": 9, "b": 6, "": None}, {"a": 7, "b": None}]
    assert told_year(told) == {"a": 16, "b": None, "": None}
    assert told_year([{"a": 9}, {"a": 7, "": 5}]) == {"a": 16, "": 5}


@pytest.mark.parametrize(("cells", "most"), [(2, 30), (3, 22), (4, 14)])
def test_who_knows_the_rule_counts_nothing_back_in_one_table(cells, most):
    """Whoever knows what is told, the total, and how it is decided what is told, is left with two possibilities at least."""
    worlds = defaultdict(list)
    for counts in product(range(most), repeat=cells):
        if sum(counts) >= LEAST:
            told = told_cells(one_unit(dict(enumerate(counts))))
            worlds[tuple(told.values()), sum(counts)].append(counts)
    for (told, total), possible in worlds.items():
        if total >= most:  # some of the worlds are larger than those that were tried
            continue
        for place, one in enumerate(told):
            assert one is None or one >= LEAST
            if one is None and any(counts[place] < LEAST for counts in possible):
                assert len({counts[place] for counts in possible}) > 1, (told, total)


@pytest.mark.parametrize(("cells", "most"), [(2, 30), (3, 24), (4, 15)])
def test_who_knows_where_there_is_none_counts_nothing_back(cells, most):
    """As the one before, and knows besides of some values that no row is or can be in them: the rest of most tables, a type
    that no agency has. Such a cell covers no other."""
    worlds = defaultdict(list)
    for counts in product(range(most), repeat=cells):
        if LEAST <= sum(counts) < most:
            told = told_cells(one_unit(dict(enumerate(counts))))
            worlds[tuple(told.values()), sum(counts)].append(counts)
    assert any(one is not None for told, _total in worlds for one in told)
    for (told, total), possible in worlds.items():
        for known in (known for many in range(cells) for known in combinations(range(cells), many)):
            seen = [counts for counts in possible if not any(counts[place] for place in known)]
            for place in set(range(cells)) - set(known):
                numbers = {counts[place] for counts in seen} if told[place] is None else set()
                assert len(numbers) != 1 or not 0 < min(numbers) < LEAST, (told, total, known)


def test_a_cell_that_is_empty_covers_no_other():
    """Handovers answered in time, late, not yet, and a rest in which no row can be: one of the 9 would be hidden with the 4,
    and of their 13 no more than the other 9 can be it."""
    assert told_cells(one_unit({"in": 9, "late": 9, "waiting": 4, "": 0})) == {
        "in": None,
        "late": None,
        "waiting": None,
        "": None,
    }


@pytest.mark.parametrize("count", range(1, LEAST))
def test_where_one_unit_is_known_an_empty_cell_covers_no_other(count):
    told = told_cells({"a": {"1": 6, "2": count}, "b": {"1": 9, "2": 9}, "c": {"1": 20, "2": 20}, "": {}})
    assert told["a"] is None and sum(told[value] is None for value in "abc") > 1


@MANY
@given(st.one_of(tables(2, 3, 9), tables(2, 4, 7), tables(3, 3, 6)))
def test_who_knows_where_there_is_none_counts_nothing_back_from_the_year(quarters):
    split = [one_unit(row) for row in quarters]
    told = [told_cells(row) for row in split]
    attacker = Attacker(quarters, told, told_year(told))
    attacker.untold = [
        {value for value in untold if row[value]} for untold, row in zip(attacker.untold, quarters, strict=True)
    ]
    for place, row in enumerate(quarters):
        for value, count in row.items():
            if 0 < count < LEAST:
                assert all(attacker.can(fixed=(place, value, number)) for number in range(LEAST)), (place, value)


@MANY
@given(st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_a_total_under_five_is_not_counted_back_from_the_year(parts):
    """A total is not told only where it is under five, and everybody knows it."""
    year = told_sum(parts)
    few = [part for part in parts if part < LEAST]
    if year is None:
        return
    assert year == sum(parts) >= LEAST
    worlds = [world for world in product(range(LEAST), repeat=len(few)) if sum(world) == sum(few)]
    for place in range(len(few)):
        assert {world[place] for world in worlds} == set(range(LEAST))


def of_units(quarters, cells):
    pair = st.tuples(st.integers(0, 7), st.integers(0, 7)).map(lambda n: {"1": n[0], "2": n[1]})
    row = st.lists(pair, min_size=cells, max_size=cells).map(lambda n: dict(zip("abc", n, strict=False)))
    whole = row.filter(lambda one: sum(map(total_of, one.values())) >= LEAST)
    return st.lists(whole, min_size=quarters, max_size=quarters)


@MANY
@given(of_units(2, 3))
def test_who_knows_one_unit_counts_nobody_of_the_other(quarters):
    """What one to four of another unit are stands nowhere, and cannot be counted back."""
    told = [told_cells(row) for row in quarters]
    year = told_year(told)
    for unit, other in (("1", "2"), ("2", "1")):
        if not any(cell[unit] for row in quarters for cell in row.values()):
            continue
        theirs = [{value: cell[other] for value, cell in row.items()} for row in quarters]
        ours = [{value: cell[unit] for value, cell in row.items()} for row in quarters]
        minus = [
            {value: None if told_one is None else told_one - row[value] for value, told_one in cells.items()}
            for cells, row in zip(told, ours, strict=True)
        ]
        of_year = {v: None if n is None else n - sum(row[v] for row in ours) for v, n in year.items()}
        attacker = Attacker(theirs, minus, of_year)
        for place, row in enumerate(theirs):
            for value, count in row.items():
                if 0 < count < LEAST and ours[place][value]:
                    assert minus[place][value] is None
                    other_numbers = set(range(sum(row.values()) + 1)) - {count}
                    assert any(attacker.can(fixed=(place, value, number)) for number in other_numbers)


# -- who knows one unit's rows, and how it is decided what is told -----------------------------------------------------


def shared_out(total, places):
    """Every way to share out so many."""
    if not places:
        return [()] if not total else []
    return [(n, *others) for n in range(total + 1) for others in shared_out(total - n, places - 1)]


def of_the_others(cells, ours, most, units=1):
    """(what the manager of a unit has, the total, what was told) -> what the others can have: each world, `most` in all."""
    worlds = defaultdict(list)
    theirs = [counts for total in range(most + 1) for counts in shared_out(total, cells * units)]
    for own, others in product(product(ours, repeat=cells), theirs):
        if sum(own) + sum(others) >= LEAST:
            split = [others[place::cells] for place in range(cells)]
            table = {
                place: {"own": own[place]} | {str(unit): n for unit, n in enumerate(split[place])}
                for place in range(cells)
            }
            told = tuple(told_cells(table).values())
            worlds[own, sum(others), told].append(tuple(map(sum, split)))
    return worlds


def found_by_a_manager(worlds):
    """Where one to four of the others can be only so many."""
    return [
        (seen, place)
        for seen, possible in worlds.items()
        for place in range(len(seen[0]))
        for numbers in [{world[place] for world in possible}]
        if len(numbers) == 1 and 0 < min(numbers) < LEAST
    ]


TABLES = [
    (2, range(25), 20, 1),
    (3, (0, 1, 3, 5, 6, 7, 9, 20), 13, 1),
    (4, (0, 2, 6, 9), 10, 1),
    (4, (6, 9, 20, 50), 4, 1),
    (2, (0, 3, 5, 8, 20), 11, 2),
]


@pytest.mark.parametrize(("cells", "ours", "most", "units"), TABLES)
def test_a_manager_who_knows_the_rule_finds_nobody_of_the_others(cells, ours, most, units):
    worlds = of_the_others(cells, ours, most, units)
    assert any(count is not None for _own, _total, told in worlds for count in told)
    assert found_by_a_manager(worlds) == []


def test_one_call_of_another_unit_is_in_no_cell_that_can_be_told_apart():
    """The cells that were hidden with it lay beside it, and not where it would have been hidden elsewhere."""
    own = {"a": 20, "b": 9, "c": 6, "d": 50}
    for place in own:
        table = {value: {"1": count, "2": int(value == place)} for value, count in own.items()}
        assert told_cells(table) == dict.fromkeys(own)


@pytest.mark.parametrize("least", [0, LEAST + 1])
def test_that_attack_needs_each_part_of_the_guard(least, monkeypatch):
    """Where few of the others are let through in a cell, or in what is hidden together, somebody is found."""
    few_for_a_unit = suppression.is_few_for_a_unit
    monkeypatch.setattr(
        suppression, "is_few_for_a_unit", lambda cell, most=LEAST: few_for_a_unit(cell, min(most, least))
    )
    assert found_by_a_manager(of_the_others(*TABLES[1]))
