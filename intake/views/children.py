"""A report of concern: registered, its clocks and what the law asks for, and what is decided."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpline.people.access import may, needs
from helpline.people.errors import Refused
from helpline.people.models import User
from intake import actions, clocks, triage
from intake.actions.child_decisions import NotQualified, check_qualified
from intake.forms.children import (
    ConcernForm,
    ExtendForm,
    FeedbackForm,
    FinishedForm,
    InquiryForm,
    ProtectionForm,
    RefusingForm,
    offered,
)
from intake.gate import case_for, may_do, person
from intake.labels import EXTENSIONS
from intake.models import Case, ChildClock, ConcernReport
from intake.views.cases import posted, status_of
from intake.views.child_clocks import qualified


@dataclass(frozen=True)
class Decision:
    """What ends one clock: its form, its button, and the action that takes them."""

    form: type[RefusingForm]
    button: str | Promise
    act: Callable[[User, ConcernReport, dict[str, Any]], None]


DECISIONS: dict[str, Decision] = {
    "immediate_protection_assessment": Decision(
        ProtectionForm,
        gettext_lazy("Sign the protection assessment"),
        lambda by, report, given: actions.assess_protection(
            by=by, report=report, needed=given["needed"] == "yes", words=given["words"]
        ),
    ),
    "preliminary_assessment": Decision(
        InquiryForm,
        gettext_lazy("Sign the decision"),
        lambda by, report, given: actions.decide_inquiry(by=by, report=report, **given),
    ),
    "inquiry": Decision(
        FinishedForm,
        gettext_lazy("Sign that the inquiry is finished"),
        lambda by, report, given: actions.finish_inquiry(by=by, report=report, **given),
    ),
    "feedback": Decision(
        FeedbackForm,
        gettext_lazy("Write down that the reporter is told"),
        lambda by, report, given: actions.give_feedback(by=by, report=report, **given),
    ),
}


@dataclass
class ClockRow:
    """One clock on the page, with the form that ends it where this person may."""

    clock: ChildClock
    form: forms.Form | None
    button: str | Promise
    extend: forms.Form | None
    extension: str


@needs("work_case")
@require_http_methods(["GET", "POST"])
def concern_register(request: HttpRequest, code: str) -> HttpResponse:
    """Register a report of concern; the clocks of the law start where it is about a child or a young person."""
    case = case_for(request, code)
    form = ConcernForm(posted(request), initial=offered(case))
    if form.is_valid():
        try:
            report = actions.register_concern(by=person(request), case=case, **form.facts)
        except Refused as refused:
            form.refuse(refused)
            form.data = {**form.data.dict(), "seen": str(case.concern_reports.count())}  # type: ignore[attr-defined]
        else:
            messages.success(request, _registered(report))
            if report.case.track != case.track:
                messages.info(request, _("It is now on track C, since such a report is more than advice."))
            return redirect("intake:child", case.slug, report.pk)
    law = [(name, clocks.law_for(band)) for band, name in triage.choices("age_bands")]
    return render(request, "intake/concern.html", {"case": case, "form": form, "law": law}, status=status_of(form))


def _registered(report: ConcernReport) -> str:
    if report.starts_clocks:
        return _("The report is registered. The times of the law run.")
    return _("The report is registered. It concerns an adult, so no times run.")


@needs("work_case")
@require_GET
def child(request: HttpRequest, code: str, report: int) -> HttpResponse:
    """One report: what the law asks for at that age, its clocks, and what is decided."""
    case = case_for(request, code)
    return _page(request, _report(case, report))


@needs("decide_child")
@require_POST
def child_decide(request: HttpRequest, code: str, report: int, kind: str) -> HttpResponse:
    """Decide, and end a clock by it. Whoever is not qualified gets 403, and a row in the log."""
    found = _report(case_for(request, code), report)
    decision = _decision(kind)
    form = decision.form(request.POST, prefix=kind)
    try:
        check_qualified(by=person(request), report=found, kind=kind)
        if not form.is_valid():
            return _page(request, found, 422, {kind: form})
        decision.act(person(request), found, form.cleaned_data)
    except NotQualified as refused:
        form.refuse(refused)
        return _page(request, found, 403, {kind: form})
    except Refused as refused:
        form.refuse(refused)
        return _page(request, found, 422, {kind: form})
    messages.success(request, _("It is written down and signed."))
    return redirect("intake:child", code, report)


@needs("work_case")
@require_POST
def child_feedback(request: HttpRequest, code: str, report: int) -> HttpResponse:
    """The reporter wants to know whether an inquiry is opened."""
    found = _report(case_for(request, code), report)
    try:
        actions.ask_feedback(by=person(request), report=found)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("It is written down that the reporter wants to know."))
    return redirect("intake:child", code, report)


@needs("extend_child_clock")
@require_POST
def child_extend(request: HttpRequest, code: str, report: int, kind: str) -> HttpResponse:
    """The manager gives more time, with the reason."""
    found = _report(case_for(request, code), report)
    running = get_object_or_404(found.clocks, kind=kind)
    running.report = found
    form = ExtendForm(request.POST, prefix=f"extend-{kind}")
    if form.is_valid():
        try:
            actions.extend_clock(by=person(request), running=running, **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("More time is given. The reason stands in the events."))
            return redirect("intake:child", code, report)
    return _page(request, found, 422, {f"extend-{kind}": form})


def _report(case: Case, pk: int) -> ConcernReport:
    """A report of this case. Raises Http404."""
    report = get_object_or_404(case.concern_reports.select_related("registered_by", "decided_by"), pk=pk)
    report.case = case
    return report


def _decision(kind: str) -> Decision:
    if kind not in DECISIONS:
        raise Http404
    return DECISIONS[kind]


def _page(
    request: HttpRequest, report: ConcernReport, status: int = 200, given: dict[str, forms.Form] | None = None
) -> HttpResponse:
    """The page of a report; with a form that was refused, as it was written."""
    user, given = person(request), given or {}
    shown = list(report.clocks.select_related("done_by", "extended_by").order_by("started_at", "id"))
    may_write = may_do(request, report.case, "intake:child-decide")
    rows = [_row(one, report, user, given, may_write=may_write) for one in shown]
    running = {one.kind for one in shown if one.runs}
    events = report.case.events.filter(codes__report=report.pk).select_related("by", "case__key").order_by("-at", "-id")
    context = {
        "case": report.case,
        "report": report,
        "rows": sorted(rows, key=lambda row: (not row.clock.runs, row.clock.aim)),
        "events": events,
        "qualified": qualified(report.case),
        "me": user,
        "must_be_qualified": any(one.runs and one.rule.qualified for one in shown) and not user.is_qualified,
        "may_ask_feedback": report.starts_clocks
        and report.feedback_asked_at is None
        and report.case.is_open
        and may_do(request, report.case, "intake:child-feedback"),
        "refused": next(iter(given.values()), None),
        # Words that came too late, or from somebody who may not: the clock has no form, so they are shown for themselves.
        "left_over": [form for key, form in given.items() if key in DECISIONS and not _has_form(key, running, user)],
    }
    return render(request, "intake/child.html", context, status=status)


def _has_form(kind: str, running: set[str], user: User) -> bool:
    return kind in running and (user.is_qualified or not clocks.CLOCKS[kind].qualified)


def _row(
    one: ChildClock, report: ConcernReport, user: User, given: dict[str, forms.Form], *, may_write: bool
) -> ClockRow:
    decision = DECISIONS[one.kind]
    form = given.get(one.kind) or decision.form(prefix=one.kind)
    decides = may_write and one.runs and report.case.is_open and (user.is_qualified or not one.rule.qualified)
    extends = may_write and one.runs and one.rule.extension and may(user, "extend_child_clock")
    more = given.get(f"extend-{one.kind}") or ExtendForm(prefix=f"extend-{one.kind}")
    return ClockRow(
        one,
        form if decides else None,
        decision.button,
        more if extends else None,
        str(EXTENSIONS.get(one.rule.extension, "")),
    )
