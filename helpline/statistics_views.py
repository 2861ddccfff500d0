"""The page of the coordinator: de-identified numbers of a year, and nothing else of anybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from helpline.people.access import needs
from helpline.people.audit import log
from helpline.statistics import LEAST, bars, year_of, years
from intake.gate import person


@needs("see_statistics")
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """The calls of a year: by month, by caller type and by municipality, each told apart from the others."""
    known = years()
    asked = request.GET.get("year", "")
    year = next((one for one in known if str(one) == asked), known[0])
    told = year_of(year)
    log("statistics.read", by=person(request), year=year)
    context = {"told": told, "years": known, "bars": bars(told.months), "least": LEAST}
    return render(request, "helpline/statistics.html", context)
