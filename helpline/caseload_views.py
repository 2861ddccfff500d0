"""The unit manager's overview, and the rows behind each of its numbers."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from helpline.caseload import (
    FIGURES,
    PARTS,
    caller_or_protected,
    calls_by_month,
    caseload_of,
    heavy_this_month,
    link,
    narrowed,
)
from helpline.people import clock
from helpline.people.access import needs
from helpline.people.models import User
from helpline.people.paging import page_of
from helpline.watch import watch_of
from intake import triage
from intake.actions.emergency import to_review
from intake.gate import person
from referrals.models import Referral

# What each kind of row needs to be listed with a constant number of queries.
WITH = {
    "case": ("owner", "key", "municipality"),
    "step": ("owner", "case__owner"),
    "referral": ("agency", "case__owner"),
    "call": ("taken_by", "case"),
}


@needs("see_caseload")
@require_GET
def caseload(request: HttpRequest) -> HttpResponse:
    """The overview: what must not be, what waits, who has how much."""
    user = person(request)
    load = caseload_of(user)
    context = {
        "today": clock.today(),
        "now": clock.now(),
        "load": load,
        "watch": watch_of(user),
        "urgencies": triage.choices("urgencies"),
        "tiles": [_tile(key, user, load.total) for key in FIGURES],
        "waiting": _waiting(user),
        "bars": calls_by_month(user),
        "heavy": heavy_this_month(user),
        "to_review": to_review(user).count(),
    }
    return render(request, "helpline/caseload.html", context)


def _tile(key: str, user: User, open_total: int) -> dict[str, Any]:
    figure = FIGURES[key]
    count = open_total if key == "open" else figure.rows(user).count()
    return {"figure": figure, "count": count, "url": link(key), "alarm": figure.should_be_none and count > 0}


def _waiting(user: User) -> list[Referral]:
    """The handovers that wait, the longest first."""
    rows = FIGURES["waiting"].rows(user).select_related(*WITH["referral"])
    return list(rows.order_by("answer_due_at", "id")[:6])


@needs("see_caseload")
@require_GET
def caseload_rows(request: HttpRequest, key: str) -> HttpResponse:
    """The rows that one number counts, and no other."""
    figure = FIGURES.get(key)
    if figure is None:
        raise Http404
    user = person(request)
    parts = {name: request.GET.get(name, "") for name in PARTS} if figure.shows == "case" else {}
    rows = narrowed(figure.rows(user), parts)
    page = page_of(rows.select_related(*WITH[figure.shows]), figure.order, request.GET.get("after", ""))
    context = {
        "figure": figure,
        "count": rows.count(),
        "page": page,
        "row_template": f"helpline/_row_{figure.shows}.html",
        "parts": _said(parts, user),
        "here": link(key, **parts),
    }
    return render(request, "helpline/caseload_rows.html", context)


def _said(parts: dict[str, str], user: User) -> list[str]:
    """The parts in words, for the heading."""
    found = []
    if parts.get("owner"):
        found += [str(one) for one in User.objects.filter(unit=user.unit_id) if str(one.pk) == parts["owner"]]
    if parts.get("urgency"):
        found.append(triage.name_of("urgencies", parts["urgency"]))
    if parts.get("caller"):
        found.append(caller_or_protected(parts["caller"]))
    return found
