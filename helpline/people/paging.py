"""Pages by key: the next page begins behind the last row of this one, however many rows there are."""

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import models
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
    key = _parse(rows, time, after)
    if key:
        moment, pk = key
        rows = rows.filter(Q(**{f"{time}__{beyond}": moment}) | Q(**{time: moment, f"id__{beyond}": pk}))
    found = list(rows[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], f"{getattr(last, time).isoformat()},{last.pk}" if last else "")


def _parse(rows: "QuerySet[Row]", time: str, after: str) -> tuple[dt.datetime | dt.date, uuid.UUID | int] | None:
    moment, _, pk = after.partition(",")
    of_row = {field.name: field for field in rows.model._meta.fields}
    is_day = type(of_row.get(time)) is models.DateField  # what is computed for a list is a moment
    is_number = isinstance(rows.model._meta.pk, models.IntegerField)
    try:
        when = dt.date.fromisoformat(moment) if is_day else _moment(moment)
        key = _number(pk) if is_number else uuid.UUID(pk)
    except (ValueError, OverflowError):  # the first and the last day there is, with an offset
        return None
    return (when, key) if when else None


def _moment(text: str) -> dt.datetime | None:
    when = parse_datetime(text)
    return when.astimezone(dt.UTC) if when and when.tzinfo else None


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise ValueError(text)
    return int(text)
