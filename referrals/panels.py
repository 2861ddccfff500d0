"""What this floor shows on the pages of the floor below: each function returns a template and its context."""

from typing import Any

from django.http import HttpRequest

from intake.gate import person
from intake.models import Call, Case, FollowUp
from referrals.labels import STEP_KINDS
from referrals.models import Referral
from referrals.offers import groups, groups_of
from referrals.states import CAME_BACK
from referrals.turns import lines

Panel = tuple[str, dict[str, Any]]
NOTHING: Panel = ("referrals/panels/nothing.html", {})
SHOWN = 3  # agencies a need, before one asks for all


def who_can_help(request: HttpRequest, call: Call) -> Panel:
    """The needs that the answers point to, each with its best agencies and why."""
    found = groups(call.assessment.needs, municipality=call.municipality_id, age_band=call.age_band)
    return "referrals/panels/who_can_help.html", {"call": call, "groups": found, "shown": SHOWN}


def referrals_of_case(request: HttpRequest, case: Case) -> Panel:
    """What is handed over: to whom, where it stands, whose turn it is."""
    rows = case.referrals.select_related("agency", "case__owner").order_by("-created_at")
    return "referrals/panels/referrals.html", {"case": case, "lines": lines(rows, person(request))}


def actions_of_case(request: HttpRequest, case: Case) -> Panel:
    """The way to hand over."""
    return ("referrals/panels/actions.html", {"case": case}) if case.is_open else NOTHING


def promise_of_case(request: HttpRequest, case: Case) -> Panel:
    """How the promise stands: how many handovers there were, and how many came back to us."""
    states = list(case.referrals.exclude(state="draft").values_list("state", flat=True))
    back = sum(state in CAME_BACK for state in states)
    return "referrals/panels/promise.html", {"case": case, "sent": len(states), "back": back}


def what_to_do(request: HttpRequest, step: FollowUp) -> Panel:
    """What a step that a referral left asks for: answer, choose the next, or call and ask."""
    if step.kind not in STEP_KINDS:
        return NOTHING
    found = Referral.objects.visible_to(person(request)).select_related("agency", "case__key", "case__owner")
    referral = found.filter(pk=step.about).first()
    if referral is None:
        return NOTHING
    values = {"referral": referral, "step": step}
    if step.kind == "choose_next":
        return "referrals/panels/choose_next.html", {**values, "offers": _next_best(referral), "history": {}}
    return "referrals/panels/about_referral.html", values


def _next_best(referral: Referral) -> list[Any]:
    """The best agencies for the need, without those that this case was with before."""
    before = set(referral.case.referrals.values_list("agency", flat=True))
    group = next((one for one in groups_of(referral.case) if one.need == referral.need), None)
    return [offer for offer in group.handovers if offer.agency.pk not in before][:SHOWN] if group else []
