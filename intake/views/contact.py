"""Reaching the person: how, in the way of everything else; then the number, for its owner alone; then what came of it."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpline.people import clock
from helpline.people.access import needs
from helpline.people.errors import Refused
from intake import actions
from intake.actions.contact import with_number
from intake.forms.contact import NumberForm, ReadForm, ResultForm
from intake.gate import case_for, person
from intake.hours import is_outside, must_be_read
from intake.models import Case, Person

PREPARED = "contact_prepared"  # of the session: case -> the mark of what was read, and until when
HOLDS = dt.timedelta(hours=2)  # a talk takes its time


@require_GET
@needs("work_case")
def contact(request: HttpRequest, code: str) -> HttpResponse:
    """How the person can be reached; the rest once that is read."""
    return _page(request, case_for(request, code))


@require_POST
@needs("work_case")
def contact_prepare(request: HttpRequest, code: str) -> HttpResponse:
    """It is read: the number and the form for the result come into reach."""
    case = case_for(request, code)
    form = ReadForm(request.POST)
    if not form.is_valid():
        return _page(request, case, status=422, read_form=form)
    _prepare(request, case)
    return redirect("intake:contact", case.slug)


@require_POST
@needs("work_case")
def number_show(request: HttpRequest, code: str) -> HttpResponse:
    """The number, to the owner, on this one page."""
    case = case_for(request, code)
    if not _is_prepared(request, case):
        return redirect("intake:contact", case.slug)
    try:
        numbers = actions.show_numbers(by=person(request), case=case)
    except Refused as refused:
        messages.error(request, str(refused))
        return _page(request, case, status=403)
    return _page(request, case, numbers=numbers)


@require_POST
@needs("work_case")
def number_set(request: HttpRequest, code: str) -> HttpResponse:
    """A new number to call back on."""
    case = case_for(request, code)
    form = NumberForm(request.POST)
    if form.is_valid():
        try:
            actions.set_number(by=person(request), case=case, phone=form.cleaned_data["phone"])
        except Refused as refused:
            form.add_error("phone", str(refused))
        else:
            messages.success(request, _("The number is written down. It is erased when the call back is done."))
            return redirect("intake:contact", case.slug)
    return _page(request, case, status=422, number_form=form)


@require_POST
@needs("work_case")
def contact_log(request: HttpRequest, code: str) -> HttpResponse:
    """Write what came of it. The next contact is prepared anew."""
    case = case_for(request, code)
    prepared = _is_prepared(request, case)
    form = ResultForm(request.POST, case=case, prepared=prepared)
    if form.is_valid():
        if form.cleaned_data.pop("read", False):
            _prepare(request, case)
        try:
            actions.log_contact(by=person(request), case=case, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            _forget(request, case)
            messages.success(request, _("What came of the contact is written down."))
            return redirect("intake:case", case.slug)
    return _page(request, case, status=422, result_form=form)


def _page(
    request: HttpRequest, case: Case, status: int = 200, numbers: list[Person] | None = None, **forms_given: forms.Form
) -> HttpResponse:
    safe, prepared = case.safe, _is_prepared(request, case)
    context: dict[str, Any] = {
        "case": case,
        "safe": safe,
        "now": clock.now(),
        "is_outside": is_outside(safe.values.get("hours", ""), clock.now()),
        "must_read_hours": must_be_read(safe.values.get("hours", "")),
        "prepared": prepared,
        "owns": case.owner_id == person(request).pk,
        "has_number": bool(with_number(case)),
        "numbers": numbers or [],
        "read_form": forms_given.get("read_form") or ReadForm(),
        "result_form": forms_given.get("result_form") or (ResultForm(case=case, prepared=True) if prepared else None),
        "number_form": forms_given.get("number_form") or NumberForm(),
        "refused_form": next(iter(forms_given.values()), None),
    }
    return render(request, "intake/contact.html", context, status=status)


def _mark(case: Case) -> str:
    """What was read: when it changes it is read anew."""
    return salted_hmac("intake.contact", f"{case.pk}:{case.safe_contact}", algorithm="sha256").hexdigest()


def _prepare(request: HttpRequest, case: Case) -> None:
    actions.prepare_contact(by=person(request), case=case)
    until = (clock.now() + HOLDS).isoformat()
    request.session[PREPARED] = {**request.session.get(PREPARED, {}), str(case.pk): [_mark(case), until]}


def _is_prepared(request: HttpRequest, case: Case) -> bool:
    mark, until = request.session.get(PREPARED, {}).get(str(case.pk), ["", ""])
    if not mark or not constant_time_compare(mark, _mark(case)):
        return False
    return dt.datetime.fromisoformat(until) > clock.now()


def _forget(request: HttpRequest, case: Case) -> None:
    held = request.session.get(PREPARED, {})
    request.session[PREPARED] = {key: value for key, value in held.items() if key != str(case.pk)}
