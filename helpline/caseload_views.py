"""The unit manager's overview, and the rows behind each of its numbers."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.db.models import Exists, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from helpline import context, promise, watch
from helpline.caseload import FIGURES, PARTS, Figure, caller_or_protected, link, narrowed, now_of, open_by_caller
from helpline.fresh import fresh_part
from helpline.over_time import charts_of
from helpline.people import clock
from helpline.people.access import needs
from helpline.people.counts import count_of, said_count
from helpline.people.errors import Refused
from helpline.people.models import Role, User
from helpline.people.paging import page_of
from helpline.silence import silent_by_agency
from helpline.week import week_of, whose_week
from helpline.workload import legend, workers_of
from intake import actions, triage
from intake.forms.cases import StepForm, next_working_day_at
from intake.gate import case_of_unit, person
from intake.labels import BOUNCES
from intake.ledger import in_words
from intake.models.cases import locked_cases
from intake.views.cases import posted, status_of, way_back
from referrals.labels import CALLER_ANSWERS

# What each kind of row needs to be listed with a constant number of queries.
WITH = {
    "case": ("owner", "key", "municipality"),
    "step": ("owner", "case__owner"),
    "referral": ("agency", "case__owner"),
    "call": ("taken_by", "case"),
    "clock": ("report__case__owner",),
    "answer": ("referral__agency", "referral__case__owner", "by"),
    "review": ("unit",),
    "bounce": (),
}
REVIEWS = "log:review-list"  # the place that a tile counts too
# Rows that are told in words of their own.
DRESSED: dict[str, Callable[[Iterable[Any], User], list[Any]]] = {
    "bounce": promise.said,
    "answer": lambda rows, user: [(row, CALLER_ANSWERS[row.answer]) for row in rows],
}


@needs("see_caseload")
@require_GET
def caseload(request: HttpRequest) -> HttpResponse:
    """The overview: the promise, what must not be, what waits, who has how much, and how it has been over time."""
    user = person(request)
    of_frame = {name: one for name, one in context.asked_of(user).items() if name != REVIEWS}
    now = now_of(user, of_frame | watch.asked_of(user) | {"is_locked_out": Exists(locked_cases(user))})
    context.frame_known(request, {**now["found"], REVIEWS: now["found"]["log-reviews"]})
    silent, more_silent = silent_by_agency(user)
    shown = {
        **now,
        **fresh_part(request, now),
        "today": clock.today(),
        "to_review": now["found"]["intake:review-list"],
        "watch": watch.watch_from(now["found"]),
        "workers": [one for one in workers_of(user) if one.total or one.who.role == Role.CASEWORKER],
        "urgencies": triage.choices("urgencies"),
        "legend": legend(),
        "silent": silent,
        "more_silent": more_silent,
        "over_time": charts_of(user, is_locked_out=now["found"]["is_locked_out"]),
    }
    return render(request, "helpline/caseload.html", shown)


@needs("see_caseload")
@require_GET
def promise_counted(request: HttpRequest) -> HttpResponse:
    """How the promise is counted, in words."""
    causes = [in_words(words, {}) for words in BOUNCES.values()]
    return render(request, "helpline/promise.html", {"causes": causes})


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
    owner = _owner(parts, user)
    page = page_of(
        _with(figure, rows, user), figure.order, request.GET.get("after", ""), newest_first=figure.newest_first
    )
    shown = {
        "figure": figure,
        "count": said_count(count_of(rows)),
        "page": page,
        "rows": DRESSED[figure.shows](page.rows, user) if figure.shows in DRESSED else page.rows,
        "row_template": f"helpline/_row_{figure.shows}.html",
        "parts": _said(parts, owner),
        "here": link(key, **parts),
        "owner": owner,
        "callers": open_by_caller(user) if key == "open" and not any(parts.values()) else [],
    }
    return render(request, "helpline/caseload_rows.html", shown)


def _with(figure: Figure, rows: QuerySet[Any], user: User) -> QuerySet[Any]:
    return promise.lines_of(rows, user) if figure.shows == "bounce" else rows.select_related(*WITH[figure.shows])


def _owner(parts: dict[str, str], user: User) -> User | None:
    """Whose rows these are, where they are one colleague's."""
    if not parts.get("owner"):
        return None
    return next((one for one in whose_week(user) if str(one.pk) == parts["owner"]), None)


def _said(parts: dict[str, str], owner: User | None) -> list[str]:
    """The parts in words, for the heading."""
    found = [str(owner)] if owner else []
    if parts.get("urgency"):
        found.append(triage.name_of("urgencies", parts["urgency"]))
    if parts.get("caller"):
        found.append(caller_or_protected(parts["caller"]))
    return found


@needs("see_caseload")
@require_GET
def worker_week(request: HttpRequest, pk: int) -> HttpResponse:
    """A colleague's week: their steps by day, without a word of them."""
    user = person(request)
    who = get_object_or_404(whose_week(user), pk=pk)
    worker = next((one for one in workers_of(user) if one.who.pk == who.pk), None)
    return render(request, "helpline/worker_week.html", {"who": who, "worker": worker, "week": week_of(who, user)})


@needs("plan_in_unit")
@require_http_methods(["GET", "POST"])
def case_step(request: HttpRequest, code: str) -> HttpResponse:
    """Plan a step in a case of the unit, for its owner, who is told. The manager need not read it for that."""
    case, back = case_of_unit(request, code), way_back(request, reverse("caseload"))
    form = StepForm(posted(request), initial={"due_at": next_working_day_at(16)})
    if form.is_valid():
        try:
            actions.plan_for_owner(by=person(request), case=case, **form.cleaned_data)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The step is planned, and is %(owner)s’s.") % {"owner": case.owner})
            return HttpResponseRedirect(back)
    context = {"case": case, "form": form, "back": back}
    return render(request, "helpline/case_step.html", context, status=status_of(form))
