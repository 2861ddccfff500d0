"""The log as whoever reviews logs reads it: by person, by case number, by time. Asking is itself a row."""

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from helpline.log_forms import NOBODY, AskForm
from helpline.log_shown import shown
from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.models import LogEntry
from helpline.people.workdays import local
from intake.gate import person

SIZE = 50


@require_GET
@needs("read_log")
def log_list(request: HttpRequest) -> HttpResponse:
    """Who read and did what, and why they might: codes and numbers, never content."""
    user, form = person(request), AskForm(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    rows: list[LogEntry] = []
    if not form.errors:
        rows = _page(_asked(asked), request.GET.get("after", ""))
        log("log.read", by=user, case=asked.get("number") or None, **_codes(asked))
    context = {
        "form": form,
        "rows": shown(rows[:SIZE], user),
        "next_key": f"{rows[SIZE - 1].at.isoformat()},{rows[SIZE - 1].pk}" if len(rows) > SIZE else "",
        "query": "&".join(part for part in request.GET.urlencode().split("&") if not part.startswith("after=")),
        "asked": any(asked.values()),
    }
    return render(request, "helpline/log.html", context, status=422 if form.errors else 200)


def _asked(asked: dict[str, Any]) -> QuerySet[LogEntry]:
    rows = LogEntry.objects.select_related("user")
    if who := asked.get("who"):
        rows = rows.filter(user=None) if who == NOBODY else rows.filter(user=int(who))
    if case := asked.get("number"):
        listed = Q(codes__has_key="cases", codes__contains={"cases": [str(case)]})
        rows = rows.filter(Q(case=case) | listed)
    if first := asked.get("first"):
        rows = rows.filter(at__gte=local(first, dt.time()))
    if last := asked.get("last"):
        rows = rows.filter(at__lt=local(last, dt.time()) + dt.timedelta(days=1))
    return rows


def _page(rows: QuerySet[LogEntry], after: str) -> list[LogEntry]:
    """By time, newest first, behind the key of the page before; one more than is shown. A bad key is the first page."""
    moment, _comma, pk = after.partition(",")
    try:
        when = parse_datetime(moment)
    except ValueError:
        when = None
    if when and when.tzinfo and pk.isascii() and pk.isdigit() and len(pk) < 18:
        rows = rows.filter(Q(at__lt=when) | Q(at=when, pk__lt=int(pk)))
    return list(rows.order_by("-at", "-pk")[: SIZE + 1])


def _codes(asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, as codes."""
    codes = {"of": asked.get("who") or "", "first": str(asked.get("first") or ""), "last": str(asked.get("last") or "")}
    return {key: value for key, value in codes.items() if value}
