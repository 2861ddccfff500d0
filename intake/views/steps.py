"""Steps of a case: planned, done, moved."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused
from intake import actions
from intake.emergency_acts import CLOSE, CLOSES
from intake.forms.cases import DoneForm, MoveForm, StepForm, next_working_day_at
from intake.gate import case_for, may_do, may_open, person
from intake.models import Case, FollowUp
from intake.views.cases import case_page, posted, status_of


@needs("work_case")
@require_POST
def step_plan(request: HttpRequest, code: str) -> HttpResponse:
    """Promise a step."""
    case = case_for(request, code)
    form = StepForm(request.POST)
    if form.is_valid():
        try:
            actions.plan_once(by=person(request), case=case, **form.cleaned_data)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The step is planned."))
            return redirect("intake:case", case.slug)
    return case_page(request, case, status=422, step_form=form)


@needs("work_case")
@require_http_methods(["GET", "POST"])
def step_done(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """Do a step: what came of it, and what is next."""
    case = case_for(request, code)
    step = _step(case, pk)
    form = DoneForm(posted(request), initial={"next_due": next_working_day_at(16)})
    may_close = may_do(request, case, CLOSE)
    if not may_close:
        form.fields[CLOSES].widget = form.fields[CLOSES].hidden_widget()
    if form.is_valid():
        try:
            actions.finish_step(by=person(request), step=step, **form.cleaned_data)
        except Refused as error:
            form.add_error(error.at or None, str(error))
        else:
            messages.success(request, _("The case is closed.") if form.cleaned_data["close"] else _("Done."))
            if not may_open(case, person(request)):  # the last step that was in these hands, of a colleague's case
                return redirect("intake:my-day")
            return redirect("intake:case", case.slug)
    context = {"case": case, "step": step, "form": form, "is_last": len(case.open_steps) <= 1}
    context["may_close"] = may_close
    return render(request, "intake/step_done.html", context, status=status_of(form))


@needs("work_case")
@require_http_methods(["GET", "POST"])
def step_move(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """Move a step to another time."""
    case = case_for(request, code)
    step = _step(case, pk)
    form = MoveForm(posted(request), initial={"due_at": next_working_day_at(16)})
    if form.is_valid():
        try:
            actions.move_step(by=person(request), step=step, **form.cleaned_data)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The step is moved."))
            return redirect("intake:case", case.slug)
    return render(request, "intake/step_move.html", {"case": case, "step": step, "form": form}, status=status_of(form))


def _step(case: Case, pk: uuid.UUID) -> FollowUp:
    """A step of this case, whether it still waits or not: what was ended meanwhile is told, not hidden."""
    return get_object_or_404(case.steps.select_related("case__key", "owner"), pk=pk)
