"""Spreading a colleague's open cases over those who are there."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpline.people.access import needs
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.spread import Proposals, Result, counted_in_words, give, propose, tell_of_left
from helpline.spread_forms import ONE_NOTE, SpreadForm
from helpline.spread_gone import Posted, gone_of, posted_of
from helpline.week import whose_week
from helpline.workload import Worker, workers_of
from intake.gate import person
from intake.views.cases import posted, status_of


@needs("reassign_case")
@require_http_methods(["GET", "POST"])
def spread(request: HttpRequest, pk: int) -> HttpResponse:
    """Who gets what: proposed by room, changed by the manager, handed over with one button. What was written for a case that
    has left the worker's hands meanwhile is given back."""
    user = person(request)
    who = get_object_or_404(whose_week(user), pk=pk)
    sent = posted_of(posted(request))
    proposals = propose(who, user, also=[one.code for one in sent if one.code])
    form, done = _form(request, proposals, sent)
    if not form.proposals and not _has_words(form, done):
        return _nothing(request, who, done)
    if form.is_valid():
        try:
            result = give(by=user, worker=who, gifts=form.gifts())
        except Refused as error:
            form.add_error(error.at or None, str(error))
        else:
            _tell(request, result)
            tell_of_left(who, user)
            if not result.left and not form.gone:
                return redirect("spread", who.pk) if proposals.is_cut else redirect("caseload")
            form = _left(form, result)
    _say_gone(form)
    context = {"who": who, "form": form, "worker": _worker(who, user), "is_cut": proposals.is_cut}
    return render(request, "helpline/spread.html", context, status=status_of(form))


def _form(request: HttpRequest, proposals: Proposals, sent: list[Posted]) -> tuple[SpreadForm, int]:
    """The form, with what was sent and is no longer here; and how many of these it has handed over already."""
    here = {one.case.code for one in proposals.rows}
    away = [one for one in sent if one.code not in here]
    user, common = person(request), request.POST.get(ONE_NOTE, "")
    colleagues = {str(one.who.pk): one.who for one in workers_of(user)} if away else {}
    gone, done = gone_of(away, common, by=user, chosen=colleagues)
    return SpreadForm(posted(request), proposals=proposals.rows, gone=gone), done


def _has_words(form: SpreadForm, done: int) -> bool:
    """Whether something was sent that is to be given back, though there is no case left to give it to."""
    return bool(form.gone) or bool(not done and form.is_bound and form.data.get(ONE_NOTE, "").strip())


def _nothing(request: HttpRequest, who: User, done: int) -> HttpResponse:
    """The same words of whoever has no case, and of whoever has none that this manager may know of."""
    tell_of_left(who, person(request))
    if not done:
        messages.info(request, _("There is nothing of %(name)s that you may hand over.") % {"name": who})
    return redirect("caseload")


def _say_gone(form: SpreadForm) -> None:
    """What is no longer here, above the form."""
    for one in form.gone:
        form.add_error(None, f"{one.posted.number}: {one.why}")


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
