"""A row of the log as it is shown: who, when, from where, what, whose and why, in words and numbers; never content."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpline.log_events import LOG_WHYS, said
from helpline.people.models import DisposalItem, LogEntry, Role, User
from intake.codes import normalise, spoken
from intake.models import Case

OF_AN_ACCOUNT = {"user.login_failed", "user.login_throttled"}  # their row is the account that was tried


@dataclass(frozen=True)
class Shown:
    """One row, for a reader who may know the numbers in it."""

    entry: LogEntry
    what: str
    who: str
    role: str
    whose: str
    why: str
    source: str


def shown(entries: Iterable[LogEntry], reader: User) -> list[Shown]:
    """The rows for this reader; the number of a case that they may not know is left out. Three queries at most, for all."""
    rows = list(entries)
    numbers = _numbers({row.case for row in rows if row.case}, reader)
    accounts = _accounts(rows)
    return [_shown(row, numbers, accounts) for row in rows]


def _accounts(rows: list[LogEntry]) -> dict[str, str]:
    """Whose account was tried, by its row: the name of the account, never what was typed. No query where none was."""
    tried = {row.row for row in rows if row.event in OF_AN_ACCOUNT and row.row.isdigit()}
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=tried)} if tried else {}


def _numbers(cases: set[uuid.UUID], reader: User) -> dict[uuid.UUID, str]:
    """The number of each case, also of those that are forgotten: the record of the disposal has it."""
    knows_all = reader.role == Role.REVIEWER
    there = Case.objects.all() if knows_all else Case.objects.visible_to(reader)
    found = {pk: spoken(code) for pk, code in there.filter(pk__in=cases).values_list("pk", "code")}
    if knows_all and cases - set(found):
        gone = DisposalItem.objects.filter(case__in=cases - set(found)).exclude(number="")
        found |= {pk: number for pk, number in gone.values_list("case", "number") if pk}
    return found


def _shown(row: LogEntry, numbers: dict[uuid.UUID, str], accounts: dict[str, str]) -> Shown:
    return Shown(
        entry=row,
        what=said(row.event),
        who=str(row.user) if row.user else _("Nobody logged in, or the system"),
        role=str(Role(row.role).label) if row.role in Role.values else "",
        whose=_whose(row, numbers, accounts),
        why=_why(row),
        source=str(row.source or ""),
    )


def _whose(row: LogEntry, numbers: dict[uuid.UUID, str], accounts: dict[str, str]) -> str:
    if row.event in OF_AN_ACCOUNT:
        account = accounts.get(row.row)
        return _("the account of %(who)s") % {"who": account} if account else _("no account of ours")
    if row.case:
        return numbers.get(row.case, _("another case"))
    if row.codes.get("cases"):
        return ngettext("One case", "%(count)s cases", len(row.codes["cases"])) % {"count": len(row.codes["cases"])}
    if row.call:
        return _("a call without a case")
    return ""


def _why(row: LogEntry) -> str:
    """The right, in words; of a refusal or a reason its own code is a code for whoever knows it, so it is left out."""
    return str(LOG_WHYS.get(row.why, ""))


def case_by_number(typed: str) -> uuid.UUID | None:
    """The case with exactly this number, there or forgotten."""
    code = normalise(typed)
    if not code:
        return None
    pk = Case.objects.filter(code=code).values_list("pk", flat=True).first()
    gone = DisposalItem.objects.filter(case__isnull=False, number__in=[code, spoken(code)])
    return pk or gone.values_list("case", flat=True).first()
