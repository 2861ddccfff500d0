"""What a page says beforehand and afterwards about words that are erased."""

from typing import Any

from django import template

from intake.actions.erasure import is_kept, months_for, words_go_on
from intake.models import Call, Case

register = template.Library()


@register.inclusion_tag("intake/_words_go.html")
def words_of(row: Call | Case) -> dict[str, Any]:
    """When the words of a call or a case go, or when they went."""
    if row.is_forgotten:
        return {"erased_at": row.key.destroyed_at}
    goes_on = words_go_on(row)
    waits = row.track == "A" and goes_on is None and not is_kept(row)
    return {"goes_on": goes_on, "months": months_for(row) if waits else 0}
