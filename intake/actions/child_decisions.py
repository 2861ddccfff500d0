"""What is decided on a report of concern. Only staff with the training that SoL 25:1 asks for may."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake import clocks
from intake.actions.child_clocks import leave_a_step, start_clock, stop_clock
from intake.actions.timeline import lock, record
from intake.labels import OUTCOMES
from intake.models import Case, ConcernReport


class NotQualified(Refused):
    """The person is not marked as qualified."""


def assess_protection(*, by: User, report: ConcernReport, needed: bool, words: str) -> None:
    """The immediate protection assessment is made (SoL 20:1). Raises NotQualified, Refused or TooLate."""
    _check(by, report, "immediate_protection_assessment", words)
    with transaction.atomic():
        _hold(report)
        answer = "yes" if needed else "no"
        _write("child.protection_assessed", by, report, words, answer=answer)
        stop_clock(by=by, report=report, kind="immediate_protection_assessment")
        leave_a_step(by=by, report=report)


def decide_inquiry(*, by: User, report: ConcernReport, outcome: str, words: str) -> None:
    """Decide whether an inquiry is opened (SoL 20:2): it starts the time of the inquiry, and that of the answer to a
    reporter who asked for one. Raises NotQualified, Refused or TooLate."""
    _check(by, report, "preliminary_assessment", words)
    if outcome not in OUTCOMES:
        raise Refused(_("Choose what is decided."), at="outcome")
    with transaction.atomic():
        case, now = _hold(report), clock.now()
        undecided = ConcernReport.objects.filter(pk=report.pk, outcome="")
        if not undecided.update(outcome=outcome, decided_at=now, decided_by=by):
            raise TooLate(_("Somebody has already decided this."))
        report.refresh_from_db()
        report.case = case
        _write(f"child.inquiry_{outcome}", by, report, words)
        stop_clock(by=by, report=report, kind="preliminary_assessment")
        if outcome == "opened":
            start_clock(by=by, report=report, kind="inquiry", started_at=now)
        if report.feedback_asked_at:
            start_clock(by=by, report=report, kind="feedback", started_at=now, at_once=outcome == "under_way")
        leave_a_step(by=by, report=report)


def finish_inquiry(*, by: User, report: ConcernReport, words: str) -> None:
    """The inquiry is finished (SoL 20:3). Raises NotQualified, Refused or TooLate."""
    _check(by, report, "inquiry", words)
    with transaction.atomic():
        _hold(report)
        _write("child.inquiry_finished", by, report, words)
        stop_clock(by=by, report=report, kind="inquiry")
        leave_a_step(by=by, report=report)


def give_feedback(*, by: User, report: ConcernReport, words: str = "") -> None:
    """The reporter has been told (SoL 19:6). To tell is no decision: any of the staff may. Raises Refused or TooLate."""
    with transaction.atomic():
        _hold(report)
        _write("child.feedback_given", by, report, words)
        stop_clock(by=by, report=report, kind="feedback")
        leave_a_step(by=by, report=report)


def check_qualified(*, by: User, report: ConcernReport, kind: str) -> None:
    """Whether this person may end this clock. A refusal is a row in the log. Raises NotQualified."""
    if clocks.CLOCKS[kind].qualified and not by.is_qualified:
        log("child.refused", by=by, case=report.case_id, row=report.pk, clock=kind)
        raise NotQualified(_("Only staff who are marked as qualified (SoL 25:1) may decide this."))


def _check(by: User, report: ConcernReport, kind: str, words: str) -> None:
    """Who, and with which words. Raises NotQualified or Refused."""
    check_qualified(by=by, report=report, kind=kind)
    if not words.strip():
        raise Refused(_("Write what it rests on."), at="words")


def _hold(report: ConcernReport) -> Case:
    report.case = lock(report.case)
    return report.case


def _write(kind: str, by: User, report: ConcernReport, words: str, **codes: Any) -> None:
    record(kind, by=by, case=report.case, text=words.strip(), row=report.pk, report=report.pk, **codes)
