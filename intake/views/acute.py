"""What must be done at once, after the call: ticked or explained on the page of its case."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from helpline.people.access import needs
from helpline.people.errors import Refused
from intake import actions
from intake.forms.measures import MeasuresForm
from intake.gate import case_for, person
from intake.views.cases import case_page


@needs("work_case")
@require_POST
def acute_write(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """Tick a line of a finished call, write its reference, or say why it cannot be done."""
    case = case_for(request, code)
    call = get_object_or_404(case.calls.acute().filter(completed_at__isnull=False), pk=pk)
    form = MeasuresForm(request.POST, call=call)
    if form.is_valid():
        try:
            actions.write_measures(by=person(request), call=call, **form.given)
        except Refused as error:
            form.add_error(error.at or None, str(error))
        else:
            return redirect("intake:case", case.slug)
    return case_page(request, case, status=422, measures_form=form)
