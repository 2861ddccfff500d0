"""Pages by key: the next page begins behind the last row of this one, however many rows there are."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_datetime

SIZE = 25
Row = TypeVar("Row", bound=Model)


@dataclass
class Page(Generic[Row]):
    """The rows of one page, and the key of the next; empty where there is none."""

    rows: list[Row]
    next_key: str


def page_of(
    rows: "QuerySet[Row]", time: str, after: str, *, newest_first: bool = False, size: int = SIZE
) -> "Page[Row]":
    """One page of rows in the order of a time and their id. `after` is the key of the page before; a bad one is the
    first page. Fetches one row more instead of counting."""
    sign, beyond = ("-", "lt") if newest_first else ("", "gt")
    rows = rows.order_by(f"{sign}{time}", f"{sign}id")
    key = _parse(after)
    if key:
        moment, pk = key
        rows = rows.filter(Q(**{f"{time}__{beyond}": moment}) | Q(**{time: moment, f"id__{beyond}": pk}))
    found = list(rows[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], f"{getattr(last, time).isoformat()},{last.pk}" if last else "")


def _parse(after: str) -> tuple[dt.datetime, uuid.UUID] | None:
    moment, _, pk = after.partition(",")
    try:
        when = parse_datetime(moment)
        return (when.astimezone(dt.UTC), uuid.UUID(pk)) if when and when.tzinfo else None
    except (ValueError, OverflowError):  # the first and the last day there is, with an offset
        return None
