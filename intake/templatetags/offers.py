"""What a page offers of what is done in a case: what the gate would refuse is not offered."""

from typing import Any

from django import template

from intake.gate import may_do as asked_of_the_gate
from intake.models import Case

register = template.Library()


@register.simple_tag(takes_context=True)
def may_do(context: dict[str, Any], case: Case, name: str) -> bool:
    """Whether what lies behind this URL name would be done for who reads the page."""
    return asked_of_the_gate(context["request"], case, name)
