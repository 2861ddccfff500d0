"""De-identified statistics: over all units, never crossed, nothing under five, and nothing that can be counted back."""

import datetime as dt
from collections import defaultdict
from itertools import product

import pytest
from django.urls import reverse

from helpline.people import clock
from helpline.people.models import LogEntry
from helpline.statistics import FEW, HIDDEN, guarded, year_of
from intake import actions
from intake.models import Call, PastCase


def calls(make_call, by, count, **facts):
    for _one in range(count):
        actions.complete_call(by=by, call=make_call(by=by, urgency="NORMAL", **facts))


@pytest.mark.parametrize(("cells", "most"), [(2, 30), (3, 22), (4, 16)])
def test_no_cell_under_five_can_be_counted_back(cells, most):
    """Whoever knows what is told, the total, and how it is decided what is told, is left with two possibilities at least."""
    worlds = defaultdict(list)
    for counts in product(range(most), repeat=cells):
        told, total = guarded(dict(enumerate(counts)))
        worlds[tuple(told.values()), total].append(counts)
    for (told, total), possible in worlds.items():
        if total != FEW and total >= most:  # some of the worlds are larger than those that were tried
            continue
        for place, one in enumerate(told):
            assert not (isinstance(one, int) and one < 5)
            if one == FEW or any(counts[place] < 5 for counts in possible):
                assert len({counts[place] for counts in possible}) > 1, (told, total)


def test_what_is_told_is_true():
    told, total = guarded({"a": 9, "b": 20, "c": 3})
    assert told["c"] == FEW and told["a"] == HIDDEN and told["b"] == 20 and total == 32
    assert guarded({"a": 5, "b": 6}) == ({"a": 5, "b": 6}, 11)
    assert guarded({"a": 1, "b": 2}) == ({"a": FEW, "b": FEW}, FEW)


def told_of(group):
    return {cell.label: cell.told for cell in group.cells}


def test_it_counts_all_units_without_practice(make_call, cast):
    calls(make_call, cast.caseworker, 6, caller_type="relative", municipality_id="1499")
    calls(make_call, cast.stranger, 7, caller_type="relative", municipality_id="1499")
    calls(make_call, cast.caseworker, 6, caller_type="other", municipality_id="1496")
    Call.objects.filter(pk__in=Call.objects.filter(caller_type="other").values("pk")[:1]).update(is_practice=True)
    make_call()  # not finished
    year = year_of(clock.today().year)
    assert year.callers.total.told == year.places.total.told == year.months.total.told == 18


def test_what_is_forgotten_counts(make_call, cast):
    quarter = dt.date(clock.today().year, 1, 1)
    same = {"unit": cast.unit, "opened_quarter": quarter, "track": "A", "milieu": "UNKNOWN", "age_band": "unknown"}
    PastCase.objects.create(caller_type="relative", urgency="NORMAL", calls=7, **same)
    PastCase.objects.create(caller_type="relative", urgency="NORMAL", is_call=True, **same)
    year = year_of(clock.today().year)
    assert year.callers.total.told == 8 and year.months.total.told == 8
    assert any("quarter 1" in label for label in told_of(year.months))


def test_the_coordinator_sees_this_and_nothing_else(make_call, make_case, cast, client_of):
    case = make_case(track="B", caller_name="Kanariefågel Kvist")
    calls(make_call, cast.caseworker, 3, caller_type="other")
    theirs = client_of(cast.coordinator)
    assert theirs.get(reverse("home")).url == reverse("statistics")
    page = theirs.get(reverse("statistics"))
    text = page.content.decode()
    assert page.status_code == 200 and "fewer than five" in text
    for word in ("Kanariefågel", str(case), case.slug, str(cast.unit)):
        assert word not in text
    for name in ("intake:my-day", "intake:case-list", "referrals:list", "caseload", "portal:inbox", "keeper:user-list"):
        assert theirs.get(reverse(name)).status_code == 403, name
    assert LogEntry.objects.filter(event="statistics.read", user=cast.coordinator).count() == 1


@pytest.mark.parametrize("who", ["caseworker", "partner", "keeper", "reviewer"])
def test_who_does_not(who, cast, client_of):
    assert client_of(getattr(cast, who)).get(reverse("statistics")).status_code == 403


@pytest.mark.parametrize("year", ["1", "abc", "99999999999999", "2026'", ""])
def test_a_year_that_there_is_not_is_this_one(year, cast, client_of):
    page = client_of(cast.coordinator).get(reverse("statistics"), {"year": year})
    assert page.status_code == 200 and str(clock.today().year) in page.content.decode()
    assert client_of(cast.coordinator).post(reverse("statistics")).status_code == 405
