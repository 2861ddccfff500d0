"""De-identified statistics over all units of the line: how many calls, by month, by caller type and by municipality, never
crossed. No number leads back to anybody: what is under five is not told, nor can it be counted back."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.models import Municipality
from intake import triage
from intake.models import Call, PastCase

LEAST = 5  # fewer are not told
FEW, HIDDEN = "few", "hidden"


@dataclass(frozen=True)
class Cell:
    """One number as it is told: a count; `few`, fewer than five; `hidden`, so that another cannot be counted back."""

    label: str
    told: int | str

    @property
    def is_few(self) -> bool:
        return self.told == FEW

    @property
    def is_hidden(self) -> bool:
        return self.told == HIDDEN


@dataclass(frozen=True)
class Group:
    """Cells that make up a total, and that total as it is told."""

    cells: list[Cell]
    total: Cell


def guarded(counts: Mapping[str, int]) -> tuple[dict[str, int | str], int | str]:
    """What is told of these counts and of their total, so that nobody counts one under five back from it. Under five: `few`;
    then the smallest of the others are `hidden` too, until each of the few can be anything from 0 to 4. Where there are not
    enough others, no cell is told. The total is known from elsewhere, so it is told unless it is few itself."""
    total = sum(counts.values())
    if total < LEAST:
        return dict.fromkeys(counts, FEW), FEW
    few = {key for key, count in counts.items() if count < LEAST}
    rest = sorted((key for key in counts if key not in few), key=lambda key: counts[key])
    hidden: set[str] = set()
    while few and not _is_safe(counts, few, hidden):
        if not rest:
            return dict.fromkeys(counts, HIDDEN), total
        hidden.add(rest.pop(0))
    return {key: FEW if key in few else HIDDEN if key in hidden else count for key, count in counts.items()}, total


def _is_safe(counts: Mapping[str, int], few: set[str], hidden: set[str]) -> bool:
    """Whether each of the few can be 0 and can be 4, for who knows the total, that what is hidden is five or more, and that
    it is no more than the smallest that is told."""
    left = sum(counts[key] for key in few | hidden)
    told = [count for key, count in counts.items() if key not in few | hidden]
    most = (min(told) if told else left) * len(hidden) + (LEAST - 1) * (len(few) - 1)
    return bool(hidden) and LEAST * len(hidden) + LEAST - 1 <= left <= most


@dataclass(frozen=True)
class Year:
    """The calls of one year, told three times and never crossed."""

    year: int
    months: Group
    callers: Group
    places: Group


def year_of(year: int) -> Year:
    """The completed calls of a year over all units, practice left out; of what is forgotten what remains (PastCase)."""
    by_month, by_caller, by_place = _calls(year)
    past = _past(year)
    for first, caller, place, count in past:
        by_month[f"{first:%Y-%m}q"] += count
        by_caller[caller] += count
        by_place[place or Municipality.ELSEWHERE] += count
    return Year(year, _months(year, by_month), _callers(by_caller), _places(by_place))


def _calls(year: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
    begin, end = (
        timezone.make_aware(dt.datetime(one, 1, 1), timezone.get_default_timezone()) for one in (year, year + 1)
    )
    rows = (
        Call.objects.counted()
        .filter(completed_at__isnull=False, received_at__gte=begin, received_at__lt=end)
        .order_by()
    )
    months = rows.annotate(month=TruncMonth("received_at", tzinfo=timezone.get_default_timezone())).values_list("month")
    return (
        Counter({f"{month:%Y-%m}": count for month, count in months.annotate(count=Count("*"))}),
        Counter(dict(rows.values_list("caller_type").annotate(count=Count("*")))),
        Counter(
            {code or Municipality.ELSEWHERE: n for code, n in rows.values_list("municipality").annotate(n=Count("*"))}
        ),
    )


def _past(year: int) -> Iterable[tuple[dt.date, str, str, int]]:
    """Of what is forgotten: (first day of the quarter, caller type, municipality, calls)."""
    begun = PastCase.objects.filter(opened_quarter__year=year).order_by()
    rows = begun.values_list("opened_quarter", "caller_type", "municipality")
    counted = rows.annotate(calls_of=Sum("calls", filter=Q(is_call=False)), alone=Count("pk", filter=Q(is_call=True)))
    return [(first, caller, place, (of or 0) + alone) for first, caller, place, of, alone in counted]


def _months(year: int, counts: Counter[str]) -> Group:
    """The months that have begun; after each quarter what is known of it by the quarter alone."""
    today = clock.today()
    labels: dict[str, str] = {}
    for month in range(1, 13):
        first = dt.date(year, month, 1)
        if first <= today:
            labels[f"{first:%Y-%m}"] = date_format(first, "F").lower()
        quarter = f"{year}-{month - 2:02}q"
        if month % 3 == 0 and counts[quarter]:
            labels[quarter] = _("quarter %(number)s, month no longer known") % {"number": month // 3}
    return _group(labels, counts)


def _callers(counts: Counter[str]) -> Group:
    """The caller types of today; those of before, which are asked for no longer, as one."""
    labels = {code: caller.name for code, caller in triage.guide_today().callers.items()}
    older = Counter({code: count for code, count in counts.items() if code in labels})
    older[""] = counts.total() - older.total()
    return _group({**labels, "": _("Other or not known")}, older)


def _places(counts: Counter[str]) -> Group:
    return _group({place.pk: place.name for place in Municipality.objects.order_by("name")}, counts)


def _group(labels: Mapping[str, str], counts: Counter[str]) -> Group:
    told, total = guarded({key: counts[key] for key in labels})
    return Group([Cell(label, told[key]) for key, label in labels.items()], Cell(_("All"), total))


def years() -> list[int]:
    """The years that there is anything of, the newest first; this one always."""
    first = Call.objects.counted().filter(completed_at__isnull=False).order_by("received_at").values_list("received_at")
    past = PastCase.objects.order_by("opened_quarter").values_list("opened_quarter")
    begun = [clock.local_date(row[0]).year for row in first[:1]] + [row[0].year for row in past[:1]]
    this = clock.today().year
    return list(range(this, min([*begun, this]) - 1, -1))


def bars(group: Group) -> list[dict[str, Any]]:
    """The cells as bars of a picture 550 by 220; what is not told has no height."""
    counts = [cell.told if isinstance(cell.told, int) else 0 for cell in group.cells]
    most, wide = max([*counts, 1]), min(85, 500 // max(len(counts), 1))
    return [
        {
            "cell": cell,
            "short": cell.label[:3],
            "x": 40 + wide * place,
            "width": wide - 8,
            "middle": 40 + wide * place + (wide - 8) // 2,
            "height": (height := round(160 * count / most)),
            "y": 190 - height,
            "above": 183 - height,
        }
        for place, (cell, count) in enumerate(zip(group.cells, counts, strict=True))
    ]
