"""How a person can be reached safely, changed later in the case."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpline.people.access import needs
from intake import actions
from intake.forms.safe import SafeForm
from intake.gate import case_for, person
from intake.views.cases import posted, status_of


@needs("work_case")
@require_http_methods(["GET", "POST"])
def case_safe(request: HttpRequest, code: str) -> HttpResponse:
    """What is agreed before every contact: changed, and what stood there kept in the timeline."""
    case = case_for(request, code)
    form = SafeForm(posted(request), initial={f"s.{key}": value for key, value in case.safe.values.items()})
    if form.is_valid():
        actions.change_safe_contact(by=person(request), case=case, safe=form.changes)
        messages.success(request, _("It is written down. What stood there before is kept in the events."))
        return redirect("intake:case", case.slug)
    return render(request, "intake/case_safe.html", {"case": case, "form": form}, status=status_of(form))
