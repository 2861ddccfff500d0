"""Forms filled in as their pages offer it, so that one odd value is refused, or taken, for its own sake."""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import quote

from django import forms
from django.http import QueryDict

from helpline.people import clock


def rotated(names: list[str], values: list[str], turn: int) -> dict[str, str]:
    """Each name with another value; after as many turns as there are values each has met each."""
    step = max(len(values) // max(len(names), 1), 1)
    return {name: values[(turn + at * step) % len(values)] for at, name in enumerate(names)}


def takes(field: forms.Field, value: str) -> bool:
    """Whether this field, asked alone, has nothing against a value as it comes over the wire."""
    text = QueryDict(f"x={value}")["x"]
    many = isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField)
    try:
        field.clean([text] if many else text)
    except forms.ValidationError:
        return False
    return True


def shown(value: object) -> str | None:
    """What a page has filled in already, as a browser would send it."""
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    value = getattr(value, "pk", value)
    if isinstance(value, dt.datetime):
        value = clock.local_time(value).replace(tzinfo=None)
    if isinstance(value, dt.date | dt.time):
        value = value.isoformat()[:16]
    return "on" if value is True else None if value in (None, "", False) else str(value)


def likely() -> list[str]:
    """What some field or other takes."""
    today, soon = clock.today(), clock.today() + dt.timedelta(days=2)
    return [
        "He is calm now.",
        "0701234567",
        "someone@example.com",
        f"{soon}T10:00",
        str(soon),
        str(today),
        "10:00",
        "2",
        "on",
    ]


def valid(field: forms.Field) -> str | None:
    """A value that this field takes: what the page shows, the first real choice, or what such fields take; None: nothing."""
    offered = [str(value) for value, _said in getattr(field, "choices", ()) if not isinstance(_said, list | tuple)]
    for one in [shown(getattr(field, "shown", None)), *[text for text in offered if text][:3], *likely()]:
        if one and takes(field, quote(one, safe="")):
            return quote(one, safe="")
    return None


class Filled:
    """One form: its fields by their names in the request, and what is valid in each."""

    def __init__(self, fields: dict[str, forms.Field]) -> None:
        self.fields = fields
        self.valid = {name: value for name, field in fields.items() if (value := valid(field)) is not None}
        self.least = {
            name: value for name, value in self.valid.items() if fields[name].required or shown_in(fields[name])
        }

    def body(self, odd: dict[str, str], turn: int = 0) -> str:
        """Odd values in some fields and valid ones in the others: in all of them, and in each second turn in those alone
        that must be filled in or that are already."""
        values = {**(self.least if turn % 2 else self.valid), **odd}
        return "&".join(f"{quote(name)}={value}" for name, value in values.items())

    def turns(self, values: list[str]) -> Iterator[tuple[int, dict[str, str], dict[str, str]]]:
        """For each turn: what fields take, and what they refuse; after all turns each field has met each value."""
        for turn in range(len(values)) if self.fields else ():
            odd = rotated(list(self.fields), values, turn)
            taken = {name: value for name, value in odd.items() if takes(self.fields[name], value)}
            yield turn, taken, {name: value for name, value in odd.items() if name not in taken}


def shown_in(field: forms.Field) -> bool:
    return shown(getattr(field, "shown", None)) is not None
