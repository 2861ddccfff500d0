"""Several numbers in one statement, and counts that stop where nobody reads on."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Expression, IntegerField, QuerySet, Subquery
from django.http import HttpRequest

from helpline.people.models import User

MOST = 1000  # what is more is said as "1000+"
# What the frame of a page asks of this person, and where it finds what a page has asked for it; the roof adds its own at
# start.
FRAME_ASKS: list[Callable[[User], dict[str, Any]]] = []
FRAME_KNOWS: list[Callable[[HttpRequest, Mapping[str, Any]], None]] = []


class Count(Subquery):
    """How many rows a queryset has, as part of another statement: counted to one more than MOST, and no further."""

    template = "cardinality(ARRAY(%(subquery)s))"
    empty_result_set_value = 0
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk")[: MOST + 1])


def first_of(rows: QuerySet[Any], value: str) -> Subquery:
    """A value of the first row of a queryset in its order, as part of another statement."""
    return Subquery(rows.values(value)[:1])


def asked_once(user: User, asked: Mapping[str, Expression | Subquery]) -> dict[str, Any]:
    """All that is asked, in one statement: name -> value. The row that carries it is the one who asks."""
    names = {f"asked_{place}": name for place, name in enumerate(asked)}
    rows = User.objects.filter(pk=user.pk).order_by().annotate(**{plain: asked[name] for plain, name in names.items()})
    found = rows.values(*names).get()
    return {name: found[plain] for plain, name in names.items()}


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
