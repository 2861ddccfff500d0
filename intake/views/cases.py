"""Cases: the list, one case, and what is done with it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F, FilteredRelation, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline.people import clock
from helpline.people.access import may, needs
from helpline.people.counts import frame_knows
from helpline.people.errors import Refused
from helpline.people.paging import page_of
from intake import actions
from intake.actions.links import linked_with, without_locked
from intake.forms.cases import (
    CloseForm,
    NoteForm,
    ReasonForm,
    ReassignForm,
    StepForm,
    next_working_day_at,
)
from intake.forms.contact import PassphraseForm
from intake.forms.measures import acute_lists
from intake.gate import case_for, case_of_unit, emergency_until, log_listed, may_do, may_open, person
from intake.labels import STATUSES
from intake.ledger import ledger
from intake.models import Case, FollowUp
from intake.models.cases import CaseQuerySet
from intake.standing_in import say_away
from intake.there import asked_for_page, found_for_frame, there_may_be
from intake.timeline_page import everybody_in, with_words
from intake.views.child_clocks import clocks_of
from intake.views.warnings import warned
from intake.whose import leaders_of

# Which lists there are: key -> which cases, in which order.
LISTS = ("mine", "unit", "closed")
# Which events of the timeline: key -> the kinds that are shown.
SHOWN = {
    "notes": ["note.signed"],
    "contacts": ["contact.reached", "contact.no_answer", "contact.message", "call.completed", "call.consulted"],
}


# What the page of a case reads of a line of its timeline: of who wrote it the name, and of the note that another one is
# about no words.
OF_AN_EVENT = (
    *("case", "at", "kind", "text", "codes", "call", "by__first_name", "by__last_name", "by__username"),
    *(f"note__{name}" for name in ("call", "case", "kind", "text", "by", "at", "signed_at", "amendment", "about")),
    *(f"note__amends__{name}" for name in ("kind", "signed_at", "amendment", "about")),
)


@needs("see_cases")
@require_GET
def case_list(request: HttpRequest) -> HttpResponse:
    """Own open cases by what is due; those of the unit; the closed ones."""
    user = person(request)
    which = request.GET.get("which") if request.GET.get("which") in LISTS else "mine"
    cases = Case.objects.visible_to(user).select_related("key", *(["owner"] if which != "mine" else []))
    after = request.GET.get("after", "")
    if which == "closed":
        page = page_of(cases.filter(closed_at__isnull=False), "closed_at", after, newest_first=True)
    else:
        page = page_of(
            _with_first_step(cases.open() if which == "unit" else cases.of(user).open()), "next_due_at", after
        )
    if which != "closed":
        log_listed(user, [case for case in page.rows if case.owner_id == user.pk])  # of the others no words are shown
    context = {"page": page, "which": which, "me": user, "may_link": may(user, "link_cases")}
    return render(request, "intake/case_list.html", context)


def _with_first_step(cases: CaseQuerySet) -> CaseQuerySet:
    """Cases with their first step as `first_step`, by the same statement."""
    first = FollowUp.objects.planned().filter(case=OuterRef("pk")).in_order().values("pk")[:1]
    joined = FilteredRelation("steps", condition=Q(steps__pk=F("first_pk")))
    found = cases.annotate(first_pk=Subquery(first), first_step=joined)
    return found.select_related("first_step")  # type: ignore[misc]  # the plugin does not know the join


@needs("see_cases")
@require_GET
def case(request: HttpRequest, code: str) -> HttpResponse:
    """One case: what is next first, then everything that happened."""
    case = case_for(request, code, asking=asked_for_page)
    frame_knows(request, found_for_frame(case))
    return case_page(request, case)


def case_page(request: HttpRequest, case: Case, status: int = 200, **forms_given: forms.Form) -> HttpResponse:
    """The page of a case; with a form that was refused, as it was written."""
    user = person(request)
    events = case.events.select_related("by", "note__amends").only(*OF_AN_EVENT)
    shown, refused = request.GET.get("show", ""), forms_given.get("measures_form")
    if shown in SHOWN:
        events = events.filter(kind__in=SHOWN[shown])
    if there_may_be(case, "locked"):
        events = without_locked(events, user)
    people = everybody_in(case)
    context: dict[str, Any] = {
        "case": case,
        "me": user,
        "status": STATUSES[case.status],
        "emergency_until": emergency_until(request, case),
        "step": case.open_steps[0] if case.open_steps else None,
        "steps": case.open_steps[1:],
        "events": with_words(case, page_of(events, "at", request.GET.get("before", ""), newest_first=True)),
        "shown": shown,
        "people": sorted((one for one in people if one.unlisted_at is None), key=lambda one: one.part),
        "reports": clocks_of(case),
        "away": say_away(case.owner) if case.is_open and there_may_be(case, "away") else "",
        "acute": (acute := acute_lists(case, refused) if there_may_be(case, "acute") or refused else []),
        "leaders": leaders_of(case, clock.today()) if acute else [],
        "may_reassign": may(user, "reassign_case") and may_do(request, case, "intake:case-reassign"),
        "may_name": may(user, "name_staff") and may_do(request, case, "intake:case-staff"),
        "may_link": may(user, "link_cases") and may_do(request, case, "intake:case-link"),
        "note_form": forms_given.get("note_form") or NoteForm(initial={"kind": "seen"}),
        "passphrase_form": forms_given.get("passphrase_form") or PassphraseForm(),
        "links": (links := linked_with(case, user) if there_may_be(case, "links") else []),
        "reachable": set(Case.objects.within_reach_of(user).filter(pk__in=[one.pk for one in links]) if links else ()),
        "bounces": ledger(case) if there_may_be(case, "bounces") else [],
        "step_form": forms_given.get("step_form") or StepForm(initial={"due_at": next_working_day_at(16)}),
        "open_form": next(iter(forms_given), ""),
    }
    return render(request, "intake/case.html", context, status=status)


@needs("see_cases")
@require_http_methods(["GET", "POST"])
def case_reason(request: HttpRequest, code: str) -> HttpResponse:
    """A case of the unit that is not one's own: say why, and it opens. The reason is logged."""
    case = case_of_unit(request, code)
    back = way_back(request, reverse("intake:case", args=[case.slug]))
    user = person(request)
    if case.owner_id == user.pk or (request.method == "GET" and may_open(case, user)):
        return HttpResponseRedirect(back)
    form = ReasonForm(posted(request))
    if form.is_valid():
        try:
            actions.open_with_reason(by=person(request), case=case, **form.cleaned_data)
        except Refused as error:
            form.add_error("words", str(error))
        else:
            return HttpResponseRedirect(back)
    context = {"case": case, "form": form, "may_name": may(user, "name_staff")}
    return render(request, "intake/case_reason.html", context, status=status_of(form))


@needs("work_case")
@require_POST
def note_add(request: HttpRequest, code: str) -> HttpResponse:
    """Write and sign a note."""
    case = case_for(request, code)
    form = NoteForm(request.POST)
    if not form.is_valid() or warned(form, case, "text", anyway="anyway" in request.POST):
        return case_page(request, case, status=422, note_form=form)
    actions.add_note(by=person(request), case=case, **form.cleaned_data)
    messages.success(request, _("The note is saved and signed."))
    return redirect("intake:case", case.slug)


@needs("close_case")
@require_http_methods(["GET", "POST"])
def case_close(request: HttpRequest, code: str) -> HttpResponse:
    """Close a case; refused while a step waits."""
    case = case_for(request, code)
    form = CloseForm(posted(request))
    if form.is_valid():
        try:
            actions.close_case(by=person(request), case=case, reason=form.cleaned_data["reason"])
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The case is closed."))
            return redirect("intake:case", case.slug)
    return render(request, "intake/case_close.html", {"case": case, "form": form}, status=status_of(form))


@needs("reassign_case")
@require_http_methods(["GET", "POST"])
def case_reassign(request: HttpRequest, code: str) -> HttpResponse:
    """Hand a case to a colleague of the unit. The manager need not read it for that."""
    case, back = case_of_unit(request, code), way_back(request, reverse("caseload"))
    form = ReassignForm(posted(request), case=case, by=person(request))
    if form.is_valid():
        try:
            actions.reassign_case(by=person(request), case=case, **form.cleaned_data)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, _("%(case)s is handed to %(to)s.") % {"case": case, "to": form.cleaned_data["to"]}
            )
            return HttpResponseRedirect(back)
    context = {"case": case, "form": form, "back": back}
    return render(request, "intake/case_reassign.html", context, status=status_of(form))


def way_back(request: HttpRequest, otherwise: str) -> str:
    """The list of ours that somebody came from (`next` of the address), or the page where none is named."""
    back = request.GET.get("next", "")
    ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if ours else otherwise


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, for a form; an empty form that was sent is bound all the same."""
    return request.POST if request.method == "POST" else None


def status_of(form: forms.Form) -> int:
    """422 for a form that was sent and refused."""
    return 422 if form.is_bound and form.errors else 200
