"""The keeper's pages of partner agencies: the directory, one agency, what is to be checked, the file for others."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline.keeper import in_order
from helpline.keeper_agency_form import AgencyForm
from helpline.people import clock
from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Municipality
from intake.gate import person
from intake.views.cases import posted
from referrals.actions.directory import save_agency, verify_agency
from referrals.hsds.write import as_json
from referrals.models import AgencyQuerySet, PartnerAgency
from referrals.partners import partner_types

TO_CHECK = "check"


@require_GET
@needs("keep_agencies")
def agency_list(request: HttpRequest) -> HttpResponse:
    """The directory: what each is, whom it serves, when it was last checked; and those that are to be checked."""
    words, kind = request.GET.get("q", "").replace("\0", "").strip(), request.GET.get("type", "")
    where, show = request.GET.get("municipality", ""), request.GET.get("show", "")
    served = Municipality.objects.exclude(code=Municipality.ELSEWHERE)
    found = _agencies(words, kind, where if where in served.values_list("pk", flat=True) else "", show)
    rows = list(found) if show == TO_CHECK else in_order(found)  # what was never checked first, then the oldest
    context = {"agencies": rows, "words": words, "type": kind, "municipality": where, "show": show}
    lists = {"types": partner_types().values(), "municipalities": in_order(served)}
    old = PartnerAgency.objects.to_verify().count()
    return render(request, "keeper/agencies.html", {**context, **lists, "to_check": old})


def _agencies(words: str, kind: str, where: str, show: str) -> AgencyQuerySet:
    found = PartnerAgency.objects.to_verify() if show == TO_CHECK else PartnerAgency.objects.all()
    found = found.prefetch_related("municipalities")
    if words:
        found = found.filter(name__icontains=words)
    if kind in partner_types():
        found = found.filter(type=kind)
    if where:
        serves = PartnerAgency.municipalities.through.objects.filter(municipality=where)
        found = found.filter(Q(nationwide=True) | Q(pk__in=serves.values("partneragency")))
    return found


@require_http_methods(["GET", "POST"])
@needs("keep_agencies")
def agency_add(request: HttpRequest) -> HttpResponse:
    """A new partner agency."""
    return _agency_page(request, None)


@require_http_methods(["GET", "POST"])
@needs("keep_agencies")
def agency_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One partner agency."""
    return _agency_page(request, get_object_or_404(PartnerAgency.objects.prefetch_related("hours"), pk=pk))


@require_POST
@needs("keep_agencies")
def agency_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """All that stands about it is true today."""
    agency = get_object_or_404(PartnerAgency, pk=pk)
    verify_agency(by=person(request), agency=agency)
    messages.success(request, _("Checked today: %(agency)s.") % {"agency": agency})
    return redirect(f"{reverse('keeper:agency-list')}?show={TO_CHECK}")


@require_POST
@needs("keep_agencies")
def agency_export(request: HttpRequest) -> HttpResponse:
    """The directory as a file for others (HSDS 3.x). A confidential entry is never in it."""
    log("directory.exported", by=person(request))
    headers = {"Content-Disposition": f'attachment; filename="directory-{clock.today()}.json"'}
    return HttpResponse(as_json(), content_type="application/json", headers=headers)


def _agency_page(request: HttpRequest, agency: PartnerAgency | None) -> HttpResponse:
    form = AgencyForm(posted(request), instance=agency)
    if request.method == "POST" and form.is_valid() and _save(request, agency, form):
        messages.success(request, _("Saved."))
        return redirect("keeper:agency-list")
    context = {"agency": agency, "form": form}
    return render(request, "keeper/agency.html", context, status=422 if form.errors else 200)


def _save(request: HttpRequest, agency: PartnerAgency | None, form: AgencyForm) -> bool:
    facts = form.facts
    if form.cleaned_data["checked_today"]:
        facts["verified_on"] = clock.today()
    try:
        save_agency(
            by=person(request),
            agency=agency,
            facts=facts,
            municipalities=list(form.cleaned_data["municipalities"]),
            hours=form.hours,
        )
    except Refused as refused:
        form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        return False
    return True
