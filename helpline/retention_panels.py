"""What the rules of retention show on a case's page: when it is deleted, or why it is kept."""

from typing import Any

from django.http import HttpRequest

from helpline.people.access import may
from helpline.retention_rows import standing_of
from intake.gate import may_do, person
from intake.models import Case


def retention_of_case(request: HttpRequest, case: Case) -> tuple[str, dict[str, Any]]:
    """Beforehand: the day, the law, or what keeps it; for a manager the way to keep it."""
    may_keep = may(person(request), "propose_disposal") and may_do(request, case, "disposals:case-keep")
    values = {"case": case, "standing": standing_of(case), "may_keep": may_keep}
    return "disposals/_retention.html", values


def retention_on_close(request: HttpRequest, case: Case) -> tuple[str, dict[str, Any]]:
    """The same, in one line, where a case is closed."""
    return "disposals/_retention_line.html", {"standing": standing_of(case)}
