"""Search: one field. What was typed is sent in the body, so that it stands in no address, no log and no history."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.people.pace import HOUR, too_many
from intake import actions
from intake.actions.search import Found, refuse_search, tell_of_many
from intake.forms.search import SearchForm
from intake.gate import person
from intake.search import CASE_NUMBER
from intake.views.cases import posted, status_of

AN_HOUR = 30  # searches; then one a minute
SLOWED_A_MINUTE = 1


@needs("search_person")
@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """What is found; a whole case number leads straight to the case."""
    form, found = SearchForm(posted(request)), None
    if form.is_valid():
        try:
            _refuse_too_many(person(request))
            found = actions.search(by=person(request), text=form.cleaned_data["term"])
        except Refused as refused:
            form.add_error("term", str(refused))
    elif form.is_bound:
        refuse_search(by=person(request), text=str(form.data.get("term", "")), fault=_fault(form))
    if found and found.kind == CASE_NUMBER and found.cases:
        return redirect("intake:case", found.cases[0].slug)
    return render(request, "intake/search.html", _context(request, form, found), status=status_of(form))


def _fault(form: SearchForm) -> str:
    """What was wrong, as the code of the field."""
    return str(next(iter(form.errors.as_data()["term"])).code or "invalid")


def _refuse_too_many(user: User) -> None:
    """Whoever goes through name after name is slowed down, and who leads hears of it: a call needs a search or two. Raises
    Refused."""
    if not too_many(user, what="search", most=AN_HOUR, within=HOUR):
        return
    tell_of_many(by=user)
    if too_many(user, what="search-slow", most=SLOWED_A_MINUTE):
        log("search.refused", by=user, kind="too_many")
        raise Refused(_("You have searched more than 30 times in an hour. Wait a minute between the searches."))


def _context(request: HttpRequest, form: SearchForm, found: Found | None) -> dict[str, object]:
    return {"form": form, "found": found, "me": person(request)}
