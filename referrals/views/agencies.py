"""The directory of partner agencies, as staff read it."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from helpline.people import clock
from helpline.people.access import needs
from helpline.people.models import Municipality
from intake import triage
from referrals.forms.directory import DirectoryForm
from referrals.hours_said import hours_said
from referrals.models import AgencyQuerySet, PartnerAgency
from referrals.partners import DEIDENTIFIED, HANDOVER, SIGNPOST

WAYS: dict[str, str | Promise] = {
    HANDOVER: _("can be handed to"),
    SIGNPOST: _("the caller goes there alone"),
    DEIDENTIFIED: _("consulted without identity"),
}


@dataclass(frozen=True)
class Entry:
    """One agency of the directory."""

    agency: PartnerAgency
    is_open: bool
    meets: list[str]
    way: str
    hours: list[tuple[str, str]]


@require_GET
@needs("see_agencies")
def agency_list(request: HttpRequest) -> HttpResponse:
    """The directory: whom to call, what they meet, whether they answer now."""
    form = DirectoryForm(request.GET or None)
    chosen = form.cleaned_data if form.is_valid() else {}
    agencies = _chosen(chosen.get("type", ""), chosen.get("municipality"))
    need = chosen.get("need", "")
    entries = [_entry(agency) for agency in agencies if not need or need in agency.meets]
    return render(request, "referrals/agencies.html", {"form": form, "entries": entries})


def _chosen(kind: str, municipality: Municipality | None) -> AgencyQuerySet:
    """The active agencies of this kind that serve somebody there."""
    agencies = PartnerAgency.objects.active().prefetch_related("hours", "absences", "municipalities").order_by("name")
    if kind:
        agencies = agencies.filter(type=kind)
    if municipality:
        agencies = agencies.filter(Q(nationwide=True) | Q(municipalities=municipality))
    return agencies


def _entry(agency: PartnerAgency) -> Entry:
    meets = [triage.name_of("needs", need) for need in agency.meets]
    return Entry(agency, agency.is_open(clock.now()), meets, str(WAYS[agency.kind.channel]), hours_said(agency))
