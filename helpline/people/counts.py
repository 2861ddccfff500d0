"""Several numbers in one statement, and counts that stop where nobody reads on."""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Expression, IntegerField, Model, QuerySet, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.sql import Query
from django.http import HttpRequest

from helpline.people import clock
from helpline.people.models import User
from helpline.people.workdays import local

MOST = 1000  # what is more is said as "1000+"
# What the frame of a page asks of this person, and where it finds what a page has asked for it; the roof adds its own at
# start.
FRAME_ASKS: list[Callable[[User], dict[str, Any]]] = []
FRAME_KNOWS: list[Callable[[HttpRequest, Mapping[str, Any]], None]] = []

Written = Mapping[str, RawSQL | Value]  # name -> a question as SQL


class Apart(Subquery):
    """A query that refers to nothing of the statement around it, and so stays as it was asked: Django need not take it apart
    and make it anew for its place there. One that refers to it (OuterRef) is refused as it is written out (ValueError)."""

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Self:
        return self

    def relabeled_clone(self, change_map: Mapping[str, str]) -> Self:
        return self


class Count(Apart):
    """How many rows a queryset has, as part of another statement: counted to one more than MOST, and no further."""

    template = "cardinality(ARRAY(%(subquery)s))"
    empty_result_set_value = 0
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk")[: MOST + 1])


class Listed(Apart, ArraySubquery):
    """The values of a queryset's rows in its order, as part of another statement; no further than one more than MOST."""

    def __init__(self, rows: QuerySet[Any], value: str, most: int = MOST + 1) -> None:
        super().__init__(rows.values(value)[:most])


def first_of(rows: QuerySet[Any], value: str) -> Subquery:
    """A value of the first row of a queryset in its order, as part of another statement."""
    return Apart(rows.values(value)[:1])


def first_of_each(rows: QuerySet[Any], value: str) -> Subquery:
    """The same, of rows that refer to each row of that statement (OuterRef)."""
    return Subquery(rows.values(value)[:1])


def by_day(asks: Callable[[User], Mapping[str, Any]]) -> Callable[[User], Written]:
    """What `asks` asks, as the SQL that it comes to, written out once a day for each person: a page that is asked every half
    minute asks the same long statement. The database answers it anew each time. `asks` may look at the day and not at the
    time, and of the person at who it is, unit, role and whether the account is in use: of the rest it is given nothing."""

    @lru_cache(maxsize=128)
    def of_day(who: int, unit: int | None, role: str, is_in_use: bool, _day: dt.date) -> Written:
        return written(User, asks(User(pk=who, unit_id=unit, role=role, is_active=is_in_use)))

    return lambda user: of_day(user.pk, user.unit_id, user.role, user.is_in_use, clock.today())


def _is_of_day(value: object) -> bool:
    return not isinstance(value, dt.datetime) or value == local(clock.local_date(value), dt.time())


def written(model: type[Model], asked: Mapping[str, Any]) -> Written:
    """What is asked of each row of a model, as the SQL that it comes to, for a day. It may refer to the row, not to what it
    joins, and not to a time (ValueError): a time that is not that of a day's begin would be asked all day."""
    numbered = _numbered(asked)
    query = model._default_manager.annotate(**{plain: one for plain, (_, one) in numbered.items()}).query
    joined = {table for table, count in query.alias_refcount.items() if count}
    if joined - {model._meta.db_table}:
        raise ValueError("a join would not be there where this is asked")
    found = {name: _sql_of(query.annotations[plain], query) for plain, (name, _) in numbered.items()}
    if not all(_is_of_day(value) for one in found.values() if isinstance(one, RawSQL) for value in one.params):
        raise ValueError("a time that is not that of a day's begin would be asked all day")
    return found


def _sql_of(one: Any, query: Query) -> RawSQL | Value:
    """One question as SQL; where nothing can be found, as that."""
    try:
        sql, values = query.get_compiler(DEFAULT_DB_ALIAS).compile(one)
    except EmptyResultSet:
        return Value(one.empty_result_set_value, one.output_field)
    return RawSQL(sql, values, one.output_field)  # noqa: S611  Django's own words, with their values apart


def asked_once(user: User, asked: Mapping[str, Expression | Subquery]) -> dict[str, Any]:
    """All that is asked, in one statement: name -> value. The row that carries it is the one who asks."""
    numbered = _numbered(asked)
    rows = User.objects.filter(pk=user.pk).order_by().annotate(**{plain: one for plain, (_, one) in numbered.items()})
    found = rows.values(*numbered).get()
    return {name: found[plain] for plain, (name, _) in numbered.items()}


def _numbered(asked: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """By names that are no field of a person's row."""
    return {f"asked_{place}": pair for place, pair in enumerate(asked.items())}


def frame_asks(user: User) -> dict[str, Any]:
    """The frame's part of a statement that asks for more."""
    return {name: asked for asks in FRAME_ASKS for name, asked in asks(user).items()}


def frame_knows(request: HttpRequest, found: Mapping[str, Any]) -> None:
    """A page that has asked for the frame's part with its own leaves it for the frame: it is not asked for again."""
    for knows in FRAME_KNOWS:
        knows(request, found)


def count_of(rows: QuerySet[Any]) -> int:
    """How many, to one more than MOST."""
    return len(rows.order_by().values_list("pk", flat=True)[: MOST + 1])


def said_count(count: int) -> str:
    """The number as a page says it."""
    return str(count) if count <= MOST else f"{MOST}+"
