"""The calendar of absences: one's own, and for a manager those of the unit."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpline.people import clock
from helpline.people.absences import colleagues, remove_absence, save_absence
from helpline.people.access import may, needs
from helpline.people.endings import endings
from helpline.people.errors import Refused
from helpline.people.models import Absence, User
from intake.forms.shifts import AbsenceForm
from intake.gate import person
from intake.views.cases import posted, status_of


@needs("keep_absences")
@require_http_methods(["GET", "POST"])
def absence_list(request: HttpRequest) -> HttpResponse:
    """Who is away and who stands in, from today on; and a form for another absence."""
    return _page(request, None)


@needs("keep_absences")
@require_http_methods(["GET", "POST"])
def absence_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Other days, or another deputy."""
    return _page(request, get_object_or_404(kept_by(person(request)), pk=pk))


@needs("keep_absences")
@require_POST
def absence_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an absence out of the calendar."""
    remove_absence(by=person(request), absence=get_object_or_404(kept_by(person(request)), pk=pk))
    messages.success(request, _("The absence is taken away."))
    return redirect("intake:absence-list")


def kept_by(user: User) -> QuerySet[Absence]:
    """The absences that this person may change: one's own; for a manager those of the unit."""
    rows = Absence.objects.select_related("user", "deputy").order_by("first_day", "pk")
    return rows.filter(user__unit=user.unit_id) if may(user, "reassign_case") else rows.filter(user=user)


def _page(request: HttpRequest, absence: Absence | None) -> HttpResponse:
    user = person(request)
    form = AbsenceForm(posted(request), by=user, whose=_whose(user, absence), absence=absence)
    if form.is_valid():
        try:
            save_absence(by=user, absence=absence, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            messages.success(request, _("The absence is in the calendar."))
            return redirect("intake:absence-list")
    rows = kept_by(user).filter(last_day__gte=clock.today())
    context: dict[str, Any] = {
        "form": form,
        "absence": absence,
        "rows": rows,
        "me": user,
        "standing_in": _standing_in(user),
    }
    context["endings"] = list(endings(user.unit_id)) if may(user, "reassign_case") else []
    return render(request, "intake/absences.html", context, status=status_of(form))


def _whose(user: User, absence: Absence | None) -> list[User]:
    """Whose absence can be written."""
    if absence is not None:
        return [absence.user]
    return [user, *colleagues(user)] if may(user, "reassign_case") else [user]


def _standing_in(user: User) -> QuerySet[Absence]:
    """For whom this person stands in, from today on."""
    rows = Absence.objects.filter(deputy=user, last_day__gte=clock.today())
    return rows.select_related("user").order_by("first_day", "pk")
