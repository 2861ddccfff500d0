"""The statistics that may leave the house: of a quarter or a year of the whole line, as a page that prints and as files."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from helpline.people.access import needs
from helpline.people.audit import log
from helpline.statistics import SETTLES, Period, period_of, periods, settle
from helpline.statistics_out import FORMS
from helpline.statistics_shown import sheet
from helpline.suppression import LEAST
from intake.gate import person


@needs("see_statistics")
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """A quarter or a year: the latest where none, or one that is not told, is asked for. That it is another is said."""
    is_all_told = settle(waits=False)
    known = periods()
    asked, period = period_of(request.GET.get("period", "")), _asked(request.GET.get("period", ""), known)
    log("statistics.read", by=person(request), period=period.code if period else "")
    context = {
        "told": sheet(period) if period else None,
        "periods": known,
        "year": next((one for one in known if not one.quarter), None),
        "forms": FORMS,
        "least": LEAST,
        "settles": SETTLES.days,
        "untold": asked if asked not in known else None,
        "is_counting": not is_all_told,
    }
    return render(request, "helpline/statistics.html", context)


def _asked(code: str, known: list[Period]) -> Period | None:
    asked = period_of(code)
    return asked if asked in known else known[0] if known else None


@needs("see_statistics")
@require_GET
def statistics_file(request: HttpRequest, code: str, form: str) -> HttpResponse:
    """The same as a file. A period that is not told, or a kind of file that there is not, is not there."""
    settle(waits=False)
    period, kind = period_of(code), FORMS.get(form)
    if period is None or kind is None or period not in periods():
        raise Http404
    made = kind.make(sheet(period))
    log("statistics.exported", by=person(request), period=period.code, form=form)
    name = f"statistics-{period.code}.{form}"
    return HttpResponse(made, content_type=kind.type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
