"""Search: one field. What was typed is sent in the body, so that it stands in no address, no log and no history."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from helpline.people.access import needs
from helpline.people.errors import Refused
from intake import actions
from intake.actions.search import Found
from intake.forms.search import SearchForm
from intake.gate import person
from intake.search import CASE_NUMBER
from intake.views.cases import posted, status_of


@needs("search_person")
@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """What is found; a whole case number leads straight to the case."""
    form, found = SearchForm(posted(request)), None
    if form.is_valid():
        try:
            found = actions.search(by=person(request), text=form.cleaned_data["term"])
        except Refused as refused:
            form.add_error("term", str(refused))
    if found and found.kind == CASE_NUMBER and found.cases:
        return redirect("intake:case", found.cases[0].slug)
    return render(request, "intake/search.html", _context(request, form, found), status=status_of(form))


def _context(request: HttpRequest, form: SearchForm, found: Found | None) -> dict[str, object]:
    return {"form": form, "found": found, "me": person(request)}
