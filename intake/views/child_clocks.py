"""What the pages of a case and of a report show of its clocks."""

from helpline.people.models import User, in_use
from intake.models import Case, ConcernReport
from intake.whose import locked_out


def qualified(case: Case) -> list[User]:
    """Who of the unit may decide (SoL 25:1)."""
    staff = User.objects.filter(in_use(), unit=case.unit_id, is_qualified=True)
    return list(staff.exclude(pk__in=locked_out(case.pk)).order_by("first_name", "last_name"))


def clocks_of(case: Case) -> list[ConcernReport]:
    """For the page of a case: its reports, each with its clocks as `clock_rows`, with two queries in all."""
    reports = case.concern_reports.prefetch_related("clocks__done_by").order_by("-received_at", "-id")
    for report in reports:
        rows = sorted(report.clocks.all(), key=lambda one: (not one.runs, one.aim, one.pk))
        report.clock_rows = rows  # type: ignore[attr-defined]  # read by the page alone
    return list(reports)
