"""The page "over time" of the overview: what somebody asks of the unit's sums, and the answer as a picture and a table."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from helpline.over_time import months_back
from helpline.over_time_forms import OverTimeForm
from helpline.over_time_page import BY, SHOWN, Asked, answer
from helpline.people import clock
from helpline.people.access import needs
from helpline.silence import silent_now
from helpline.sums import are_counted
from intake.gate import person


@needs("see_caseload")
@require_GET
def over_time(request: HttpRequest) -> HttpResponse:
    """The unit over time."""
    user, form = person(request), OverTimeForm({**_chosen(Asked("calls", "", "month", *_year())), **request.GET.dict()})
    context: dict[str, Any] = {"form": form, "is_counted": are_counted()}
    if form.is_valid():
        asked = form.cleaned_data["asked"]
        told = answer(user, asked)
        context |= {"is_cut": form.cleaned_data["is_cut"]} | (silent_now(user, asked.by) if _waits(asked) else {})
        rows = [(*row, share) for row, share in zip(told.rows, told.shares, strict=True)] if told.shares else None
        context |= {"asked": asked, "told": told, "with_bars": rows, "title": SHOWN[asked.show], "by": BY[asked.by]}
    return render(request, "helpline/over_time.html", context, status=200 if form.is_valid() else 422)


def _waits(asked: Asked) -> bool:
    """Whether it is of answers, and goes on to today."""
    return asked.show == "answered" and asked.is_unfinished


def _year() -> tuple[dt.date, dt.date]:
    """The last twelve months, this one included."""
    return months_back(clock.today(), 11), clock.today()


def _chosen(asked: Asked) -> dict[str, str]:
    return {
        **{"show": asked.show, "by": asked.by, "step": asked.step},
        **{"first": asked.first.isoformat(), "last": asked.last.isoformat()},
    }
