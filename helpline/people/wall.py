"""The second wall: a page of an agency reads as a database role of its own, to which PostgreSQL shows that agency's rows alone.

Here is how one steps behind it and out again; which rows and columns there are stands in tables that upper floors fill (WALL);
wall_sql.py raises it after each migration.
"""

import contextvars
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from psycopg2.extensions import TRANSACTION_STATUS_INERROR


@dataclass(frozen=True)
class Walled:
    """One table that is read behind the wall: the fields whose columns may be read (none named: all), and which rows, as
    the condition of a policy; "": any row, since none is of a case or an agency."""

    model: str
    rows: str
    fields: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        return str(apps.get_model(self.model)._meta.db_table)

    @property
    def columns(self) -> list[str]:
        """The columns that may be read."""
        found = {field.name: str(field.column) for field in apps.get_model(self.model)._meta.concrete_fields}
        return [found[name] for name in self.fields or found]


# What is read behind the wall, and the functions that its policies call: signature -> the rest of its definition. Each floor
# adds its own at start.
WALL: list[Walled] = []
FUNCTIONS: dict[str, str] = {}

T = TypeVar("T")
M = TypeVar("M", bound=models.Model)
Expression = tuple[str, list[Any]]  # SQL and its parameters
# Whether what is read now is read behind the wall.
_behind: contextvars.ContextVar[bool] = contextvars.ContextVar("behind", default=False)


@lru_cache
def stands() -> bool:
    """Whether there is a wall at all: outside demo mode always, and where its role is missing nothing is shown."""
    if not settings.DEMO:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(session_user, oid, 'SET'))",
            [settings.PORTAL_ROLE],
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def behind_the_wall(context: Mapping[str, Expression]) -> Iterator[None]:
    """Read as the role of the portal, in one transaction, standing where `context` says (setting -> value). A role that is
    set for a transaction is gone with it, also when it is rolled back: none is left to the connection's next request."""
    if not stands():
        yield
        return
    with transaction.atomic():
        stand(context, role=settings.PORTAL_ROLE)
        token = _behind.set(True)
        try:
            yield
        finally:
            _behind.reset(token)
        _become(str(settings.APP_ROLE))  # what is checked and called at the commit is ours


@contextmanager
def beyond_the_wall() -> Iterator[None]:
    """Act as the application's role: for what changes rows, never for reading what is shown. Elsewhere it does nothing."""
    if not _behind.get():
        yield
        return
    _become(str(settings.APP_ROLE))
    token = _behind.set(False)
    try:
        yield
    finally:
        _behind.reset(token)
        if not _is_broken():  # else nothing can be read any more, and rolling back sets the role
            _become(settings.PORTAL_ROLE)


def by_us(do: Callable[..., T], /, **values: Any) -> T:
    """Carry out an action that a page behind the wall asks for."""
    with beyond_the_wall():
        return do(**values)


def is_behind() -> bool:
    """Whether what is read now is read behind the wall."""
    return _behind.get()


def stand(context: Mapping[str, Expression], *, role: str = "") -> None:
    """Say where one stands behind the wall, until the transaction ends. One statement."""
    wanted = {**context, **({"role": ("%s", [role])} if role else {})}
    parts = [f"set_config('{name}', ({expression})::text, true)" for name, (expression, _values) in wanted.items()]
    with connection.cursor() as cursor:
        values = [value for _expression, values in wanted.values() for value in values]
        cursor.execute(f"SELECT {', '.join(parts)}", values)


def stand_also(**context: object) -> None:
    """Stand in one more place: before one first look, one question. Elsewhere than behind the wall it does nothing."""
    if _behind.get():
        stand({f"helpline.{name}": ("%s", [str(value)]) for name, value in context.items()})


def _become(role: str) -> None:
    stand({}, role=role)


def _is_broken() -> bool:
    raw = connection.connection
    return connection.needs_rollback or raw is None or raw.closed or _in_error(raw)


def _in_error(raw: Any) -> bool:
    return bool(raw.get_transaction_status() == TRANSACTION_STATUS_INERROR)


def as_granted(rows: models.QuerySet[M], *related: str) -> models.QuerySet[M]:
    """The rows with what may be read of them behind the wall, and with these related ones: the columns that are granted
    and no other."""
    names = list(_granted(rows.model))
    for path in related:
        model: Any = rows.model
        for step in path.split("__"):
            model = model._meta.get_field(step).related_model
        names += [f"{path}__{name}" for name in _granted(model)]
    return (rows.select_related(*related) if related else rows).only(*names)


def _granted(model: type[models.Model]) -> list[str]:
    named = {walled.model: walled.fields for walled in WALL}.get(model._meta.label, ())
    return list(named) or [field.name for field in model._meta.concrete_fields]
