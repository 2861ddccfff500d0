"""Rows of a table as the text that COPY reads: a fixed pattern for each table, into which a row's own values are put."""

import datetime as dt
import json
from typing import Any

from django.db import models

NULL = r"\N"
NOTHING = r"\\x"  # an empty bytea, as COPY writes its backslash


def moment(seconds: float) -> str:
    """Seconds since 1970 as COPY reads a moment."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(" ")


def day(seconds: float) -> str:
    """The day of a moment, in UTC."""
    return moment(seconds)[:10]


def binary(value: bytes) -> str:
    """Bytes as COPY reads them."""
    return NOTHING + value.hex()


class Rows:
    """Rows of one model that are collected. `given` are the values that each row brings (by attname); every other column has
    what the model says that it has by default. Raises ValueError where a column has neither."""

    def __init__(self, model: type[models.Model], *given: str) -> None:
        fields: dict[str, Any] = {field.attname: field for field in model._meta.concrete_fields}
        rest = [name for name, field in fields.items() if name not in given and not isinstance(field, models.AutoField)]
        self.model = model
        self.lines: list[str] = []
        columns = ", ".join(f'"{fields[name].column}"' for name in [*given, *rest])
        self.copy = f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN'
        constants = [_by_default(fields[name]).replace("%", "%%") for name in rest]
        self._pattern = "\t".join(["%s"] * len(given) + constants) + "\n"

    def add(self, *values: Any) -> None:
        """One row, its values in the order in which they were named."""
        self.lines.append(self._pattern % values)

    def taken(self) -> str:
        """The text of all rows, which are forgotten here."""
        text = "".join(self.lines)
        self.lines.clear()
        return text


def _by_default(field: "models.Field[Any, Any]") -> str:
    if isinstance(field, models.BinaryField):
        return NOTHING
    if field.has_default() and callable(field.default) and field.default not in (list, dict):
        raise ValueError(f"{field.model.__name__}.{field.name} is another for each row: it must be given")
    value = field.get_default()
    if value is None and not field.null:
        raise ValueError(f"{field.model.__name__}.{field.name} must be given")
    if isinstance(value, bool):
        return "t" if value else "f"
    return NULL if value is None else json.dumps(value) if isinstance(value, list | dict) else str(value)
