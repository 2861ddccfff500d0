"""The people of an agency, kept by the one there who manages them. Of other agencies nothing is seen or touched."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from helpline.people.access import needs
from helpline.people.errors import Refused
from helpline.people.invitations import link_of
from helpline.people.wall import as_granted, by_us
from intake.gate import person
from referrals.actions import agency_own as actions
from referrals.forms.agency_own import NewPersonForm, PersonForm
from referrals.gate import own_member
from referrals.models import AgencyMember


@require_GET
@needs("keep_own_agency")
def people(request: HttpRequest) -> HttpResponse:
    """Who works here, and who of them can log in."""
    me = own_member(request, manages=True)
    members = as_granted(me.agency.members.all(), "user").order_by(
        "-user__is_active", "user__first_name", "user__last_name"
    )
    return render(request, "portal/people.html", {"agency": me.agency, "me": me, "members": members})


@require_http_methods(["GET", "POST"])
@needs("keep_own_agency")
def person_add(request: HttpRequest) -> HttpResponse:
    """A colleague's new account."""
    me = own_member(request, manages=True)
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _add(request, me, form):
        return _invited(request, me, form.cleaned_data["username"])
    values = {"agency": me.agency, "form": form}
    return render(request, "portal/person_add.html", values, status=422 if form.errors else 200)


def _add(request: HttpRequest, me: AgencyMember, form: NewPersonForm) -> bool:
    cleaned = form.cleaned_data
    try:
        by_us(
            actions.add_person,
            by=person(request),
            agency=me.agency,
            username=cleaned["username"],
            facts=form.facts,
            is_manager=cleaned["is_manager"],
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _invited(request: HttpRequest, me: AgencyMember, username: str) -> HttpResponse:
    """The link that lets a colleague in: shown this once, and kept nowhere."""
    member = as_granted(me.agency.members.all(), "user", "agency").get(user__username=username)
    link = link_of(by_us(actions.invite_person, by=person(request), member=member))
    values = {"agency": me.agency, "member": member, "link": link, "days": settings.INVITATION_DAYS}
    return render(request, "portal/invited.html", values)


@require_http_methods(["GET", "POST"])
@needs("keep_own_agency")
def person_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One colleague: what stands about them, and whether their account is open. Which of them is said by the button."""
    me = own_member(request, manages=True)
    member = get_object_or_404(as_granted(me.agency.members.all(), "user", "agency"), user_id=pk)
    part = request.POST.get("part", "")
    form = PersonForm(request.POST if part == "facts" else None, initial=PersonForm.initial_for(member))
    if part == "facts" and form.is_valid() and _change(request, member, form):
        return redirect("portal:people")
    if part == "active" and _switch(request, member):
        return redirect("portal:people")
    if part == "invite":
        try:
            return _invited(request, me, member.user.username)
        except Refused as refused:
            messages.error(request, str(refused))
    waits = member.user.is_active and not by_us(member.user.has_usable_password)  # no password is read behind the wall
    values: dict[str, Any] = {"agency": me.agency, "me": me, "member": member, "form": form, "waits_for_link": waits}
    return render(request, "portal/person.html", values, status=422 if form.errors else 200)


def _change(request: HttpRequest, member: AgencyMember, form: PersonForm) -> bool:
    try:
        by_us(
            actions.change_person,
            by=person(request),
            member=member,
            facts=form.facts,
            is_manager=form.cleaned_data["is_manager"],
        )
    except Refused as refused:
        form.add_error(refused.at if refused.at in form.fields else None, str(refused))
        return False
    messages.success(request, _("Saved."))
    return True


def _switch(request: HttpRequest, member: AgencyMember) -> bool:
    name = {"name": member.user}
    try:
        if request.POST.get("active") == "yes":
            by_us(actions.return_person, by=person(request), member=member)
            messages.success(request, _("%(name)s can log in again.") % name)
        else:
            by_us(actions.remove_person, by=person(request), member=member)
            messages.success(request, _("%(name)s can no longer log in.") % name)
    except Refused as refused:
        messages.error(request, str(refused))
        return False
    return True
