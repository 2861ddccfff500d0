"""Several numbers in one statement, and counts that stop where nobody reads on."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Expression, IntegerField, QuerySet, Subquery

from helpline.people.models import User

MOST = 1000  # what is more is said as "1000+"


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


def count_of(rows: QuerySet[Any]) -> int:
    """How many, to one more than MOST."""
    return len(rows.order_by().values_list("pk", flat=True)[: MOST + 1])


def said_count(count: int) -> str:
    """The number as a page says it."""
    return str(count) if count <= MOST else f"{MOST}+"
