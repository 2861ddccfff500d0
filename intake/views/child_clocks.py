"""What the pages of a case and of a report show of its clocks."""

from django.db.models import Prefetch, prefetch_related_objects

from helpline.people.models import User, in_use
from intake.models import Case, ChildClock, ConcernReport
from intake.there import there_may_be
from intake.whose import locked_out


def qualified(case: Case) -> list[User]:
    """Who of the unit may decide (SoL 25:1)."""
    staff = User.objects.filter(in_use(), unit=case.unit_id, is_qualified=True)
    return list(staff.exclude(pk__in=locked_out(case.pk)).order_by("first_name", "last_name"))


def clocks_of(case: Case) -> list[ConcernReport]:
    """For the page of a case: its reports, each with its clocks as `clock_rows`; none is asked for where there is none."""
    if not there_may_be(case, "reports"):
        prefetch_related_objects([case], Prefetch("concern_reports", ConcernReport.objects.none()))
        return []
    clocks = Prefetch("clocks", ChildClock.objects.select_related("done_by"))
    prefetch_related_objects([case], Prefetch("concern_reports", ConcernReport.objects.prefetch_related(clocks)))
    reports = sorted(case.concern_reports.all(), key=lambda one: (one.received_at, one.pk), reverse=True)
    for report in reports:
        rows = sorted(report.clocks.all(), key=lambda one: (not one.runs, one.aim, one.pk))
        report.clock_rows = rows  # type: ignore[attr-defined]  # read by the page alone
    return reports
