"""Words as an agency reads them, in a template."""

from django import template

from helpline.people.sealed import SealedModel
from referrals import shown

register = template.Library()


@register.filter
def words_shown(row: SealedModel, field: str) -> str:
    """One text of a row, without what the level of protection has come to forbid."""
    return shown.words_shown(row, field)
