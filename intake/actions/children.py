"""A report of concern for a child or a young person: registered, and the reporter who wants to know what comes of it."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake import clocks, triage
from intake.actions.child_clocks import start_clock
from intake.actions.timeline import lock, record
from intake.models import Case, ConcernReport

OLDEST = dt.timedelta(days=366)


def register_concern(
    *,
    by: User,
    case: Case,
    child_age_band: str,
    received_at: dt.datetime | None = None,
    under_way: bool = False,
    feedback_asked: bool = False,
    seen: int | None = None,
) -> ConcernReport:
    """Register a report of concern and start its clocks. The age is the child's own. Raises Refused.

    `under_way`: there is already an inquiry on the child, so none has to be decided on (SoL 20:2). `seen`: how many reports
    the case had when the page was shown, so that a form that is sent twice registers once.
    """
    if child_age_band not in triage.codes("age_bands"):
        raise Refused(_("Choose about how old the child is."), at="age_band")
    received_at = received_at or clock.now()
    _check_received(received_at)
    with transaction.atomic():
        case = lock(case)
        if not case.is_open:
            raise Refused(_("The case is closed."))
        if seen is not None and case.concern_reports.count() != seen:
            raise TooLate(_("A report was registered here meanwhile. If this is one more, register it again."))
        young = clocks.starts_clocks(child_age_band)
        report = ConcernReport(case=case, received_at=received_at, child_age_band=child_age_band, registered_by=by)
        if young and under_way:
            report.outcome, report.decided_at, report.decided_by = "under_way", clock.now(), by
        if young and feedback_asked:
            report.feedback_asked_at = clock.now()
        report.save(force_insert=True)
        event = "concern.registered" if young else "concern.registered_adult"
        record(event, by=by, case=case, row=report.pk, report=report.pk, age=child_age_band)
        if young:
            _no_longer_advice(by, case)
            _start(by, report)
    return report


def _no_longer_advice(by: User, case: Case) -> None:
    """A report whose clocks run may lead to action: it is documented on track C (SoL 14:2), and no refusal loses it. Who
    the person is stays as it was."""
    if case.track != "A":
        return
    was, case.track = case.track, "C"
    case.save(update_fields=["track"])
    why = _("A report of concern was registered, and it is documented on track C.")
    record("track.changed", by=by, case=case, text=why, row=case.pk, track="C", was=was, identity=case.identity)


def _start(by: User, report: ConcernReport) -> None:
    """The clocks that run from the arrival; of a report on whom an inquiry is under way, only what is done at once."""
    for kind, rule in clocks.CLOCKS.items():
        if rule.runs_from == "arrival" and not (kind == "preliminary_assessment" and report.outcome):
            start_clock(by=by, report=report, kind=kind, started_at=report.received_at)
    if report.outcome:
        record("child.inquiry_under_way", by=by, case=report.case, row=report.pk, report=report.pk)
        if report.feedback_asked_at:
            start_clock(by=by, report=report, kind="feedback", started_at=clock.now(), at_once=True)


def ask_feedback(*, by: User, report: ConcernReport) -> None:
    """The reporter wants to know whether an inquiry is opened (SoL 19:6): within a week of the decision; at once where it
    is made already. Raises Refused or TooLate."""
    with transaction.atomic():
        report.case = lock(report.case)
        if not report.case.is_open:
            raise Refused(_("The case is closed. Tell the reporter now, and write it as a note."))
        if not report.starts_clocks:
            raise Refused(_("The report concerns an adult: the law gives the reporter no answer."))
        asked = ConcernReport.objects.filter(pk=report.pk, feedback_asked_at__isnull=True)
        if not asked.update(feedback_asked_at=clock.now()):
            raise TooLate(_("It is already written down that the reporter wants to know."))
        record("child.feedback_asked", by=by, case=report.case, row=report.pk, report=report.pk)
        if ConcernReport.objects.exclude(outcome="").filter(pk=report.pk).exists():
            start_clock(by=by, report=report, kind="feedback", started_at=clock.now(), at_once=True)


def _check_received(moment: dt.datetime) -> None:
    if moment > clock.now():
        raise Refused(_("Choose a time that has been."), at="received_at")
    if moment < clock.now() - OLDEST:
        raise Refused(_("Choose a time within the last year."), at="received_at")
