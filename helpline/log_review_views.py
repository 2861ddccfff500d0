"""The monthly log review: which there are, one of them with its rows by rule, and its signature."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline import log_review as actions
from helpline.log_rules import RULES, SAMPLE, Rule
from helpline.log_shown import shown
from helpline.people import clock
from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import LogReview, LogReviewRow, Role, User
from intake.gate import person

MOST = 60  # reviews, and rows to be investigated, on the list
BY_CHANCE = Rule(
    gettext_lazy("By chance"), gettext_lazy("Drawn at random among all openings."), lambda _material: iter(())
)


@require_GET
@needs("review_log")
def review_list(request: HttpRequest) -> HttpResponse:
    """What is left to review, what is to be investigated, and what was signed."""
    user = person(request)
    counted = actions.reviews_of(user).annotate(
        all_rows=Count("rows"), marked=Count("rows", filter=~Q(rows__verdict=""))
    )
    reviews = list(counted.order_by("-month", "unit__name", "pk")[:MOST])
    found = LogReviewRow.objects.filter(
        verdict=LogReviewRow.Verdict.INVESTIGATE, pk__in=actions.rows_for(user).values("pk")
    )
    to_investigate = list(found.select_related("entry__user", "review__unit").order_by("-pk")[:MOST])
    if to_investigate:
        log("log.reviewed", by=user, row="investigate", rows=[row.entry_id for row in to_investigate])
    context = {
        "open": [review for review in reviews if review.signed_at is None],
        "signed": [review for review in reviews if review.signed_at is not None],
        "to_investigate": _with_facts(to_investigate, user),
        "today": clock.today(),
    }
    return render(request, "helpline/log_reviews.html", context)


@require_http_methods(["GET", "POST"])
@needs("review_log")
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """One review: its rows by rule, to be ticked and marked."""
    user, found = person(request), _review_for(request, pk)
    error = ""
    if request.method == "POST":
        try:
            count = actions.mark_rows(
                by=user, review=found, rows=_ticked(request, found), verdict=request.POST.get("verdict", "")
            )
        except Refused as refused:
            error = str(refused)
        else:
            said = ngettext("One row is marked.", "%(count)s rows are marked.", count) % {"count": count}
            messages.success(request, said)
            return redirect("log:review", found.pk)
    log("log.reviewed", by=user, row=found.pk)
    return render(request, "helpline/log_review.html", _context(request, found, error), status=422 if error else 200)


@require_POST
@needs("review_log")
def review_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign it: nothing of it changes afterwards."""
    found = _review_for(request, pk)
    try:
        actions.sign_review(by=person(request), review=found)
        messages.success(request, _("The review is signed."))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("log:review", found.pk)


def _review_for(request: HttpRequest, pk: int) -> LogReview:
    """A review that this person sees. Raises Http404."""
    found = actions.reviews_of(person(request)).filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise Http404
    return found


def _ticked(request: HttpRequest, review: LogReview) -> set[int]:
    """The rows that were ticked, and all that are left of the rules that were."""
    rows = {int(row) for row in request.POST.getlist("row") if row.isascii() and row.isdigit() and len(row) < 18}
    rules = set(request.POST.getlist("rule"))
    left = actions.rows_for(person(request)).filter(review=review, verdict="") if rules else []
    return rows | {row.pk for row in left if _first_rule(row) in rules}


def _first_rule(row: LogReviewRow) -> str:
    return next((key for key in RULES if key in row.rules), SAMPLE)


def _context(request: HttpRequest, review: LogReview, error: str) -> dict[str, Any]:
    user = person(request)
    rows = list(review.rows.select_related("entry__user", "marked_by").order_by("entry_id"))
    mine = set(actions.rows_for(user).filter(review=review).values_list("pk", flat=True))
    groups = []
    sees_all = user.role == Role.REVIEWER or user.unit_id == review.unit_id
    facts = _with_facts(rows if sees_all else [row for row in rows if row.pk in mine], user, mine)
    for key, rule in [*RULES.items(), (SAMPLE, BY_CHANCE)]:
        here = [one for one in facts if _first_rule(one["row"]) == key]
        if here:
            left = sum(one["is_mine"] and not one["row"].verdict for one in here)
            groups.append({"key": key, "rule": rule, "rows": here, "left": left})
    marked = sum(bool(row.verdict) for row in rows)
    return {
        "review": review,
        "groups": groups,
        "count": len(rows),
        "marked": marked,
        "mine_left": sum(group["left"] for group in groups),
        "may_sign": review.signed_at is None and marked == len(rows) and actions.may_sign(user, review),
        "is_late": review.signed_at is None and review.due_on < clock.today(),
        "ticked": set(request.POST.getlist("row")),
        "error": error,
    }


def _with_facts(rows: Iterable[LogReviewRow], user: User, mine: set[int] | None = None) -> list[dict[str, Any]]:
    """Each row with what the log says of it, and which further rules it was drawn by."""
    rows = list(rows)
    facts = shown([row.entry for row in rows], user)
    return [
        {
            "row": row,
            "said": said,
            "is_mine": mine is None or row.pk in mine,
            "is_own": row.subject_id == user.pk,
            "also": [RULES[key].label for key in row.rules if key in RULES and key != _first_rule(row)],
        }
        for row, said in zip(rows, facts, strict=True)
    ]
