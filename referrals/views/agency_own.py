"""An agency's own page: what it can take, when it is there, who stands in, how soon it answers, what we know of it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from helpline.people import clock
from helpline.people.access import needs
from helpline.people.errors import Refused
from helpline.people.models import in_use
from helpline.people.wall import as_granted, by_us
from intake.gate import person
from intake.triage import name_of
from referrals.actions import agency_own as actions
from referrals.actions.directory import verify_agency
from referrals.figures import answer_time
from referrals.forms.agency_own import AwayForm, DeputyForm, OwnHoursForm, RoomForm
from referrals.gate import agency_of, own_agency, own_member
from referrals.hours_said import hours_said
from referrals.models import AgencyMember

SAVED = gettext_lazy("Saved.")


@require_GET
@needs("keep_own_agency")
def agency(request: HttpRequest) -> HttpResponse:
    """The whole page. Who is tied to no agency is told so."""
    if agency_of(person(request)) is None:
        return render(request, "portal/no_agency.html")
    return _show(request, own_member(request))


@require_POST
@needs("keep_own_agency")
def agency_room(request: HttpRequest) -> HttpResponse:
    """How many more it can take this week."""
    member = own_member(request)
    form = RoomForm(request.POST)
    said = gettext_lazy("Saved. It holds until Sunday.")
    return _keep(request, member, "room", form, actions.say_room, said)


@require_POST
@needs("keep_own_agency")
def agency_away(request: HttpRequest) -> HttpResponse:
    """Days on which nobody there answers."""
    member = own_member(request)
    said = gettext_lazy("Written down. Who stands in hears in your place on those days.")
    return _keep(request, member, "away", AwayForm(request.POST), actions.add_away, said)


@require_POST
@needs("keep_own_agency")
def agency_back(request: HttpRequest, pk: int) -> HttpResponse:
    """They are there after all."""
    absence = get_object_or_404(own_agency(request).absences, pk=pk)
    by_us(actions.remove_away, by=person(request), absence=absence)
    messages.success(request, _("Taken away."))
    return redirect("portal:agency")


@require_POST
@needs("keep_own_agency")
def agency_hours(request: HttpRequest) -> HttpResponse:
    """When it answers."""
    member = own_member(request, manages=True)
    form = OwnHoursForm(request.POST, agency=member.agency)

    def keep(**values: Any) -> None:
        actions.keep_hours(
            by=values["by"], agency=values["agency"], always_open=values["always_open"], hours=form.hours
        )

    return _keep(request, member, "hours", form, keep, SAVED)


@require_POST
@needs("keep_own_agency")
def agency_deputy(request: HttpRequest) -> HttpResponse:
    """Who hears where the others are silent."""
    member = own_member(request, manages=True)
    form = DeputyForm(request.POST, agency=member.agency)
    return _keep(request, member, "deputy", form, actions.keep_deputies, SAVED)


@require_POST
@needs("keep_own_agency")
def agency_true(request: HttpRequest) -> HttpResponse:
    """All that stands about it is true today."""
    by_us(verify_agency, by=person(request), agency=own_agency(request))
    messages.success(request, _("Thank you. Written down that it is true today."))
    return redirect("portal:agency")


def _keep(
    request: HttpRequest,
    member: AgencyMember,
    part: str,
    form: forms.Form,
    do: Callable[..., Any],
    said: str | Promise,
) -> HttpResponse:
    if form.is_valid():
        try:
            by_us(do, by=person(request), agency=member.agency, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        else:
            messages.success(request, str(said))
            return redirect("portal:agency")
    return _show(request, member, {part: form})


def _show(request: HttpRequest, member: AgencyMember, refused: dict[str, forms.Form] | None = None) -> HttpResponse:
    """The page; a form that was refused stands in its place as it was sent."""
    ours, sent = member.agency, refused or {}
    values = {
        "agency": ours,
        "member": member,
        "room": sent.get("room") or RoomForm(initial={"room": ours.room_left}),
        "until": actions.room_until(ours.room_week) if ours.room_left is not None else None,
        "asked_until": actions.room_until(),
        "away": sent.get("away") or AwayForm(),
        "absences": ours.absences.filter(last_day__gte=clock.today()),
        "hours": sent.get("hours") or OwnHoursForm(agency=ours),
        "hours_said": hours_said(ours),
        "deputy": sent.get("deputy") or DeputyForm(agency=ours),
        "deputies": [one.user for one in as_granted(ours.members.filter(in_use("user__"), is_deputy=True), "user")],
        "answers": answer_time(ours),
        "meets": [name_of("needs", code) for code in ours.meets],
        "refused": next(iter(sent.values()), None),
        "tried": next(iter(sent), ""),
    }
    return render(request, "portal/agency.html", values, status=422 if sent else 200)
