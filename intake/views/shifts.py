"""The change of shift: who needs somebody now, handed to a colleague who says yes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake import actions
from intake.actions.shifts import last_day, steps_of, steps_to_give, waiting_shifts, with_left
from intake.acute import AcuteLine, left_among
from intake.forms.shifts import ShiftForm
from intake.gate import log_listed, person
from intake.models import Call, Case, FollowUp, ShiftHandover
from intake.views.cases import posted, status_of


@dataclass
class Line:
    """One person who needs somebody: what was promised, what is still acute, and how to reach them."""

    case: Case
    steps: list[FollowUp] = field(default_factory=list)
    acute: list[AcuteLine] = field(default_factory=list)


@needs("give_shift")
@require_http_methods(["GET", "POST"])
def shift(request: HttpRequest) -> HttpResponse:
    """Who needs somebody until the end of the next working day; handed to a colleague."""
    user = person(request)
    form = ShiftForm(posted(request), giver=user)
    if form.is_valid():
        try:
            given = actions.give_shift(
                by=user, to=form.cleaned_data["to"], steps=[step.pk for step in form.cleaned_data["steps"]]
            )
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            text = _("%(name)s is told. Everything is yours until %(name)s has taken over.")
            messages.success(request, text % {"name": given.given_to})
            return redirect("intake:shift")
    lines = lines_of(user, steps_to_give(user))
    context = {
        "form": form,
        "lines": lines,
        "calls": calls_of(user, user),
        "last_day": last_day(),
        "given": waiting(given_by=user),
        "to_take": waiting(given_to=user),
    }
    return render(request, "intake/shift.html", context, status=status_of(form))


@needs("give_shift")
@require_http_methods(["GET", "POST"])
def shift_take(request: HttpRequest, pk: int) -> HttpResponse:
    """The same list, for the one who is asked to take over; and the yes."""
    user = person(request)
    found = _shift(request, pk, given_to=user)
    if request.method == "POST":
        try:
            taken = actions.take_shift(by=user, shift=found)
        except TooLate as late:
            messages.error(request, str(late))
        else:
            messages.success(request, _say_taken(taken))
        return redirect("intake:my-day")
    if found.acknowledged_at or found.withdrawn_at:
        return render(request, "intake/shift_take.html", {"shift": found, "is_over": True})
    lines = lines_of(user, steps_of(found).visible_to(user))
    context = {"shift": found, "lines": lines, "calls": calls_of(found.given_by, user)}
    return render(request, "intake/shift_take.html", context)


@needs("give_shift")
@require_POST
def shift_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what is not yet taken over."""
    found = _shift(request, pk, given_by=person(request))
    try:
        actions.withdraw_shift(by=person(request), shift=found)
    except TooLate as late:
        messages.error(request, str(late))
    else:
        messages.success(request, _("The handover is taken back. Everything is still yours."))
    return redirect("intake:shift")


def lines_of(reader: User, steps: Any) -> list[Line]:
    """The list, one line a person, first due first. The reading is logged, case by case."""
    rows = steps.select_related("case__key", "case__municipality", "owner").in_order()
    found: dict[Any, Line] = {}
    for step in rows:
        found.setdefault(step.case_id, Line(step.case)).steps.append(step)
    acute = left_among([line.case for line in found.values()])
    for pk, line in found.items():
        line.acute = acute.get(pk, [])
    log_listed(reader, [line.case for line in found.values()])
    return list(found.values())


def calls_of(user: User, reader: User) -> Iterable[Call]:
    """What this person has not written to the end; anybody of the unit can finish it."""
    return Call.objects.visible_to(reader).unfinished().filter(taken_by=user).order_by("received_at")


def waiting(**who: User) -> list[tuple[ShiftHandover, int]]:
    """What this one gives, or is given, and nobody has said yes to: each with how many steps are left."""
    rows = with_left(waiting_shifts().filter(**who)).select_related("given_by", "given_to").order_by("at", "pk")
    return [(one, one.left) for one in rows]


def waiting_both(user: User) -> tuple[list[tuple[ShiftHandover, int]], list[tuple[ShiftHandover, int]]]:
    """What this one is given, and what this one gives, by one statement."""
    rows = with_left(waiting_shifts().filter(Q(given_to=user) | Q(given_by=user)))
    both = [(one, one.left) for one in rows.select_related("given_by", "given_to").order_by("at", "pk")]
    return [pair for pair in both if pair[0].given_to_id == user.pk], [
        pair for pair in both if pair[0].given_by_id == user.pk
    ]


def _shift(request: HttpRequest, pk: int, **who: User) -> ShiftHandover:
    """A handover that this person gives or is given. Raises Http404."""
    mine = ShiftHandover.objects.filter(Q(**who), unit=person(request).unit_id)
    found = mine.select_related("given_by", "given_to").filter(pk=pk).first()
    if found is None:
        log("shift.refused", by=person(request), row=pk)
        raise Http404
    return found


def _say_taken(taken: int) -> str:
    if not taken:
        return _("Everything was done already. There was nothing left to take over.")
    return ngettext("%(count)s step is now yours.", "%(count)s steps are now yours.", taken) % {"count": taken}
