"""The pages of what is deleted by law: what is due, the lists, one list with its rows, and the record that remains."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline import disposals
from helpline.disposal_forms import ApproveForm, KeepForm
from helpline.disposals import BY_ITSELF
from helpline.people.access import may, needs
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Disposal, Role, User
from helpline.retention import RULES
from helpline.retention_rows import LEFT_OUT, MOST, exempted, reached, standing_of
from intake.gate import case_of_unit, person
from intake.models import Call, Case
from intake.views.cases import posted

LISTS = 50  # lists of one page
WHY = {**LEFT_OUT, **BY_ITSELF}


def _disposal_for(request: HttpRequest, pk: int) -> Disposal:
    """The only door to a list: 404 for what this one may not see. Logs the reading."""
    found = disposals.visible_to(person(request)).select_related("unit", "proposed_by", "approved_by")
    disposal = found.filter(pk=pk).first()
    if disposal is None:
        log("disposal.hidden", by=person(request), row=pk)
        raise Http404
    log("disposal.read", by=person(request), row=disposal.pk)
    return disposal


@needs("approve_disposal")
@require_GET
def disposal_list(request: HttpRequest) -> HttpResponse:
    """What is due now, and every list, newest first; and the rules."""
    user = person(request)
    rows = disposals.visible_to(user).select_related("unit", "proposed_by", "approved_by")
    rows = rows.annotate(
        count=Count("items"),
        deleted=Count("items", filter=Q(items__done_at__isnull=False)),
        left=Count("items", filter=Q(items__left_out_at__isnull=False)),
    )
    lists = rows.order_by("-proposed_at", "-pk")[:LISTS]
    due = disposals.due_in(user.unit, user) if may(user, "propose_disposal") and user.unit else []
    exempt = exempted({one.row.pk for one in due})
    context = {
        "lists": lists,
        "due": len(due),
        "late": sum(one.standing.is_late for one in due if one.row.pk not in exempt),
        "may_propose": may(user, "propose_disposal"),
        "rules": RULES.values(),
        "me": user,
        "shows_unit": user.role == Role.REVIEWER,
    }
    return render(request, "disposals/list.html", context)


@needs("propose_disposal")
@require_http_methods(["GET", "POST"])
def disposal_propose(request: HttpRequest) -> HttpResponse:
    """What is due in the unit, by number, rule, last entry and day; and what is kept for good. Proposing deletes nothing."""
    user = person(request)
    if request.method == "POST":
        try:
            made = disposals.propose(by=user)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect("disposals:disposal-propose")
        messages.success(request, _("The list is proposed. Somebody else approves it."))
        return redirect("disposals:disposal", made.pk)
    assert user.unit is not None  # managers have one
    found = reached(user.unit, user)
    due = disposals.due_of(found)
    kept = [one for one in found if one.standing.goes_to_archive][:MOST]
    cases = sorted(str(one.row.pk) for one in [*due, *kept] if isinstance(one.row, Case))
    log("disposals.due_listed", by=user, rows=len(due), kept=len(kept), cases=cases)
    rows = [one.row for one in [*due, *kept]]
    masked = disposals.masked_for(user, *_split(rows))
    earlier = exempted({one.row.pk for one in due})
    context = {
        "due": [(one, earlier.get(one.row.pk)) for one in due],
        "kept": kept,
        "masked": masked,
        "reasons": LEFT_OUT,
    }
    return render(request, "disposals/propose.html", context)


def _split(rows: list[Case | Call]) -> tuple[list[UUID], list[UUID]]:
    """The ids of the cases, and of the calls."""
    cases = [row.pk for row in rows if isinstance(row, Case)]
    return cases, [row.pk for row in rows if not isinstance(row, Case)]


@needs("approve_disposal")
@require_GET
def disposal(request: HttpRequest, pk: int) -> HttpResponse:
    """One list: its rows, and where it stands; for who may, the way to approve it."""
    return _page(request, _disposal_for(request, pk))


@needs("approve_disposal")
@require_POST
def disposal_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve a list that somebody else proposed, without the rows that are left out."""
    row = _disposal_for(request, pk)
    items = list(row.items.all())
    form = ApproveForm(request.POST, items=items, earlier=disposals.exempted_in(items))
    if form.is_valid():
        try:
            disposals.approve(by=person(request), disposal=row, left_out=form.left_out, taken_back=form.taken_back)
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("The list is approved. The rows are deleted one at a time."))
        return redirect("disposals:disposal", row.pk)
    return _page(request, row, form, status=422)


@needs("approve_disposal")
@require_POST
def disposal_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Say no to a list, or take back one's own."""
    row = _disposal_for(request, pk)
    try:
        disposals.refuse(by=person(request), disposal=row)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Nothing of the list is deleted."))
    return redirect("disposals:disposal", row.pk)


@needs("approve_disposal")
@require_GET
def disposal_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The record that remains, for print: numbers, rules, counts, who and when; never a name of whom it was about. Raises
    Http404 until the list is done."""
    row = _disposal_for(request, pk)
    if row.done_at is None:
        raise Http404
    log("disposal.printed", by=person(request), row=row.pk)
    items = _rows(row, person(request))
    gone = Counter(item["rule"].key for item in items if item["item"].done_at)
    counts = [{"rule": rule, "count": gone[key]} for key, rule in RULES.items() if gone[key]]
    deleted = sum(gone.values())
    left = len(items) - deleted
    context = {"disposal": row, "rows": items, "counts": counts, "deleted": deleted, "left": left}
    return render(request, "disposals/record.html", context)


@needs("propose_disposal")
@require_http_methods(["GET", "POST"])
def case_keep(request: HttpRequest, code: str) -> HttpResponse:
    """Keep a case beyond the rules, or let the rules hold again. Not a word of it is shown."""
    case = case_of_unit(request, code)
    now = standing_of(case)
    form = KeepForm(posted(request))
    if request.method == "POST" and now.kept == "held":
        disposals.keep_no_longer(by=person(request), case=case)
        messages.success(request, _("The rules hold again."))
        return redirect("disposals:case-keep", case.slug)
    if form.is_valid():
        try:
            disposals.keep(by=person(request), case=case, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            messages.success(request, _("It is kept until a manager says otherwise."))
            return redirect("disposals:case-keep", case.slug)
    log("keep.read", by=person(request), case=case.pk, why="leads")
    context = {"case": case, "form": form, "standing": now}
    return render(request, "disposals/keep.html", context, status=422 if form.errors else 200)


def _page(request: HttpRequest, row: Disposal, form: ApproveForm | None = None, status: int = 200) -> HttpResponse:
    user = person(request)
    waits = row.approved_at is None and row.refused_at is None
    rows = _rows(row, user)
    items = [one["item"] for one in rows]
    earlier = disposals.exempted_in(items) if waits else {}
    for one in rows:
        one["earlier"] = earlier.get(one["item"].pk)
    may_approve = waits and disposals.may_approve(user, row)
    if may_approve:
        form = form or ApproveForm(items=items, earlier=earlier)
        for one in rows:
            one["field"] = form[f"item-{one['item'].pk}"]
    context = {
        "disposal": row,
        "rows": rows,
        "reasons": LEFT_OUT,
        "waits": waits,
        "may_approve": may_approve,
        "may_refuse": waits and (may_approve or user.pk == row.proposed_by_id),
        "form": form,
        "deleted": sum(one["item"].done_at is not None for one in rows),
        "left": sum(one["item"].left_out_at is not None for one in rows),
        "who": _who_approves(row) if waits and not may_approve else [],
    }
    return render(request, "disposals/disposal.html", context, status=status)


def _who_approves(row: Disposal) -> list[User]:
    return disposals.approvers(row)


def _rows(row: Disposal, reader: User) -> list[dict[str, Any]]:
    """The rows of a list in words: number, rule, and what became of it. Of what is protected no rule and no day, for whoever
    may not know of it; and of a child's no day, which is a birthday: it says nothing once the child's case is gone."""
    items = list(row.items.order_by("due_on", "pk"))
    masked = disposals.masked_for(
        reader, [one.case for one in items if one.case], [one.call for one in items if one.call]
    )
    return [
        {
            "item": item,
            "rule": RULES[item.rule],
            "why": WHY.get(item.left_out_why, ""),
            "is_masked": bool(masked & {item.case, item.call}),
            "shows_day": not (item.done_at and RULES[item.rule].age),
        }
        for item in items
    ]
