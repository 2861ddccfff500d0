"""Which colleagues a case is for, as its unit's manager says: named for it, or locked out of it. Nothing of it is read."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.errors import Refused
from intake import actions
from intake.forms.staff import LockForm, NamingForm
from intake.gate import case_of_unit, person
from intake.models import Case, LockedOut, NamedAccess


@needs("name_staff")
@require_GET
def case_staff(request: HttpRequest, code: str) -> HttpResponse:
    """Who opens it and who is locked out, and the forms for both."""
    return _show(request, case_of_unit(request, code))


@needs("name_staff")
@require_POST
def staff_name(request: HttpRequest, code: str) -> HttpResponse:
    """Name a colleague for a protected case."""
    case = case_of_unit(request, code)
    form = NamingForm(request.POST, case=case, by=person(request), auto_id="id_name_%s")
    if form.is_valid():
        try:
            actions.name_staff(by=person(request), case=case, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            messages.success(request, _("%(name)s opens it from now on.") % {"name": form.cleaned_data["user"]})
            return redirect("intake:case-staff", case.slug)
    return _show(request, case, naming=form)


@needs("name_staff")
@require_POST
def staff_lock(request: HttpRequest, code: str) -> HttpResponse:
    """Lock a colleague out of a case."""
    case = case_of_unit(request, code)
    form = LockForm(request.POST, case=case, by=person(request), auto_id="id_lock_%s")
    if form.is_valid():
        try:
            actions.lock_out(by=person(request), case=case, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            text = _("For %(name)s it is not there from now on.")
            messages.success(request, text % {"name": form.cleaned_data["user"]})
            return redirect("intake:case-staff", case.slug)
    return _show(request, case, locking=form)


@needs("name_staff")
@require_POST
def staff_name_end(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """A colleague is named no longer."""
    case = case_of_unit(request, code)
    found = get_object_or_404(case.named.select_related("case"), pk=pk)
    return _end(request, case, lambda: actions.end_naming(by=person(request), naming=found))


@needs("name_staff")
@require_POST
def staff_lock_end(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """A colleague is locked out no longer."""
    case = case_of_unit(request, code)
    found = get_object_or_404(case.locked_out.select_related("case"), pk=pk)
    return _end(request, case, lambda: actions.end_lock(by=person(request), locked=found))


def _end(request: HttpRequest, case: Case, act: Any) -> HttpResponse:
    try:
        act()
        messages.success(request, _("It has ended."))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("intake:case-staff", case.slug)


def _show(
    request: HttpRequest, case: Case, *, naming: forms.Form | None = None, locking: forms.Form | None = None
) -> HttpResponse:
    user = person(request)
    log("staff.read", by=user, case=case.pk, why="leads")
    tried = naming or locking
    context = {
        "case": case,
        "named": NamedAccess.objects.in_force().filter(case=case).select_related("user", "by").order_by("at", "pk"),
        "locked": LockedOut.objects.in_force()
        .filter(case=case)
        .select_related("user", "by", "case__key")
        .order_by("at"),
        "naming": naming or NamingForm(case=case, by=user, auto_id="id_name_%s"),
        "locking": locking or LockForm(case=case, by=user, auto_id="id_lock_%s"),
        "form": tried,
    }
    return render(request, "intake/case_staff.html", context, status=422 if tried else 200)
