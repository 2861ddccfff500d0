"""The people in a case, and cases that belong together."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpline.people.access import needs
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.paging import page_of
from intake import actions
from intake.actions.links import links_of
from intake.forms.people import LinkForm, PersonForm
from intake.gate import case_for, person
from intake.models import Case, Person
from intake.personal_numbers import written
from intake.views.cases import posted, status_of


@needs("work_case")
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, code: str) -> HttpResponse:
    """Who is in the case, and one more."""
    case = case_for(request, code)
    form = PersonForm(posted(request), case=case, initial={"part": "household"})
    if form.is_valid():
        try:
            actions.add_person(by=person(request), case=case, facts=form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            messages.success(request, _("The person is on the list."))
            return redirect("intake:people", case.slug)
    listed = list(case.people.select_related("case__key").order_by("part", "pk"))
    context = {"case": case, "people": listed, "form": form}
    return render(request, "intake/people.html", context, status=status_of(form))


@needs("work_case")
@require_http_methods(["GET", "POST"])
def person_edit(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """Change what is known of one person."""
    case = case_for(request, code, of="person", row=pk)
    one = _listed(case, pk)
    known = {name: getattr(one, name) for name in ("part", "relation", "age_band", "name")}
    known["personal_number"] = written(one.personal_number) if one.personal_number else ""
    form = PersonForm(posted(request), case=case, initial=known)
    if form.is_valid():
        try:
            actions.change_person(by=person(request), person=one, facts=form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            messages.success(request, _("It is saved."))
            return redirect("intake:people", case.slug)
    context = {"case": case, "person": one, "form": form}
    return render(request, "intake/people.html", context, status=status_of(form))


@needs("work_case")
@require_POST
def person_remove(request: HttpRequest, code: str, pk: uuid.UUID) -> HttpResponse:
    """Take somebody off the list."""
    case = case_for(request, code)
    one = get_object_or_404(Person.everybody.select_related("case__key"), case=case, pk=pk)
    try:
        actions.remove_person(by=person(request), person=one)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The person is off the list."))
    return redirect("intake:people", case.slug)


def _listed(case: Case, pk: uuid.UUID) -> Person:
    found: Person = get_object_or_404(case.people.select_related("case__key"), pk=pk)
    return found


@needs("link_cases")
@require_http_methods(["GET", "POST"])
def case_link(request: HttpRequest) -> HttpResponse:
    """Tie two cases of the unit together by their numbers, without reading either; and those that are tied."""
    user = person(request)
    form = LinkForm(posted(request), initial={"one": request.GET.get("number", "")[:60]})
    if form.is_valid():
        try:
            actions.link_cases(by=user, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.at or None, str(refused))
        else:
            messages.success(request, _("They belong together now. Both pages say so."))
            return redirect("intake:case-link")
    page = page_of(links_of(user), "at", request.GET.get("after", ""), newest_first=True)
    if page.rows:
        log("links.listed", by=user, links=[str(link.pk) for link in page.rows])
    return render(request, "intake/case_link.html", {"form": form, "page": page}, status=status_of(form))


@needs("link_cases")
@require_POST
def case_unlink(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """End a link."""
    link = get_object_or_404(links_of(person(request), ended=True), pk=pk)
    try:
        actions.unlink_cases(by=person(request), link=link)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("They no longer belong together."))
    return redirect("intake:case-link")
