"""An attack on what is told: who adds and subtracts all that was ever told of a year is left with every number from 0 to 4."""

from collections import defaultdict
from itertools import combinations, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline import suppression
from helpline.suppression import LEAST, told_cells, told_sum

MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def one_unit(row):
    return {value: {"1": count} for value, count in row.items()}


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
