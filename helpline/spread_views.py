"""Spreading a colleague's open cases over those who are there."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpline.people.access import needs
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.spread import Result, counted_in_words, give, propose
from helpline.spread_forms import SpreadForm
from helpline.week import whose_week
from helpline.workload import Worker, workers_of
from intake.gate import person
from intake.views.cases import posted, status_of


@needs("reassign_case")
@require_http_methods(["GET", "POST"])
def spread(request: HttpRequest, pk: int) -> HttpResponse:
    """Who gets what: proposed by room, changed by the manager, handed over with one button."""
    user = person(request)
    who = get_object_or_404(whose_week(user), pk=pk)
    form = SpreadForm(posted(request), proposals=propose(who, user))
    if not form.proposals:
        messages.info(request, _("%(name)s has nothing to spread.") % {"name": who})
        return redirect("caseload")
    if form.is_valid():
        try:
            result = give(by=user, worker=who, gifts=form.gifts())
        except Refused as error:
            form.add_error(error.at or None, str(error))
        else:
            _tell(request, result)
            if not result.left:
                return redirect("caseload")
            form = _left(form, result)
    context = {"who": who, "form": form, "worker": _worker(who, user)}
    return render(request, "helpline/spread.html", context, status=status_of(form))


def _tell(request: HttpRequest, result: Result) -> None:
    if result.given:
        text = _("Handed over: %(names)s. Each new owner is told.") % {"names": counted_in_words(result.given)}
        messages.success(request, text)


def _left(form: SpreadForm, result: Result) -> SpreadForm:
    """The same form with what could not be given, each with why."""
    form.proposals = [one for one in form.proposals if one.case.slug in result.left]
    for slug, why in result.left.items():
        form.add_error(f"to-{slug}", why)
    return form


def _worker(who: User, user: User) -> Worker | None:
    return next((one for one in workers_of(user) if one.who.pk == who.pk), None)
