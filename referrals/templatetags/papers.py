"""What stands on the page of a handover about giving it out by other ways."""

from typing import Any

from django import template

from referrals.actions.papers import WAYS, in_the_way
from referrals.models import Referral
from referrals.states import OPEN

register = template.Library()


@register.inclusion_tag("referrals/_papers.html", takes_context=True)
def papers(context: dict[str, Any], referral: Referral) -> dict[str, Any]:
    """The two buttons, or why there are none; nothing once it is no longer with the agency."""
    made = referral.disclosures.filter(way__in=WAYS).order_by("-decided_at", "-pk").first()
    return {
        "referral": referral,
        "is_open": referral.state in OPEN,
        "missing": in_the_way(referral, context["request"].user),
        "made": made,
        "is_ours_to_send": not made and not referral.agency.gets_mail,
        "csrf_token": context.get("csrf_token"),
    }
