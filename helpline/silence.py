"""The handovers that an agency has not answered in its time: by agency, the oldest first, and who acts next."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db.models import CharField, OuterRef, Value
from django.db.models import Count as CountRows
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.caseload import FIGURES
from helpline.people import clock
from helpline.people.counts import Written, first_of_each, written
from helpline.people.models import User
from helpline.people.templatetags.people import say_day, say_time
from intake.models import FollowUp
from referrals.models import Referral, SilenceRung

SHOWN = 6
# What a line says of a handover: its words stay where they are.
SAID = (
    *("answer_due_at", "agency__name", "case__code", "case__protection", "case__is_practice"),
    *("case__owner__first_name", "case__owner__last_name", "case__owner__username"),
)
# Who acts next, by the rung that comes; `step`: it is with one of us already.
NEXT: Mapping[str, Any] = {
    "step": gettext_lazy("%(who)s calls them by %(when)s"),
    "step_own": gettext_lazy("you call them by %(when)s"),
    "nudge": gettext_lazy("they are reminded %(when)s"),
    "deputy": gettext_lazy("their deputy is told %(when)s"),
    "owner": gettext_lazy("%(who)s calls them %(when)s"),
    "manager": gettext_lazy("the unit manager is told %(when)s"),
    "expire": gettext_lazy("it is taken back %(when)s"),
}


@dataclass(frozen=True)
class Silent:
    """One handover: since when, and what happens next."""

    referral: Referral
    then: str


@dataclass
class Agency:
    """Those of one agency; of protected cases it is not said which."""

    name: str
    rows: list[Silent] = field(default_factory=list)


def silent_by_agency(user: User) -> tuple[list[Agency], bool]:
    """The first few, grouped, the agency with the oldest first; and whether there are more. One statement."""
    rows = FIGURES["silent"].rows(user).select_related("agency", "case__owner").annotate(**_next())
    found = list(rows.only(*SAID).order_by("answer_due_at", "pk")[: SHOWN + 1])
    return grouped(found[:SHOWN], user), len(found) > SHOWN


def grouped(rows: Iterable[Any], user: User) -> list[Agency]:
    """By agency, in the order of the first of each."""
    groups: dict[object, Agency] = {}
    for row in rows:
        masked = row.case.is_protected
        group = groups.setdefault(
            "" if masked else row.agency_id, Agency(_("Protected data") if masked else str(row.agency))
        )
        group.rows.append(Silent(row, _then(row, user)))
    return list(groups.values())


def silent_now(user: User, by: str = "") -> dict[str, Any]:
    """How many wait past their time, for a page whose sums have only those that were answered or taken back; by agency, which
    ones. One statement."""
    rows = FIGURES["silent"].rows(user).order_by()
    found = rows.values_list("agency__name", "case__protection").annotate(n=CountRows("*"))
    names: Counter[str] = Counter()
    for name, protection, count in found:
        names[name if protection == "none" else _("Protected data")] += count
    told = ", ".join(f"{name} {count}" for name, count in sorted(names.items())) if by == "agency" else ""
    return {"silent": names.total(), "silent_where": told, "tells_silent": True}


@cache
def _next() -> Written:
    """The step with which one of us calls them, else the next rung: of each handover, and always the same question."""
    calling = FollowUp.objects.planned().filter(about=Cast(OuterRef("pk"), CharField()), kind="call_agency")
    calling = calling.exclude(kept_by="").order_by("due_at")
    coming = SilenceRung.objects.filter(referral=OuterRef("pk"), state=SilenceRung.State.SCHEDULED).order_by(
        "due_at", "pk"
    )
    asked = {
        "call_at": first_of_each(calling, "due_at"),
        "caller_pk": first_of_each(calling, "owner_id"),
        "caller_name": first_of_each(
            calling.annotate(who=Concat("owner__first_name", Value(" "), "owner__last_name")), "who"
        ),
        "rung": first_of_each(coming, "rung"),
        "rung_at": first_of_each(coming, "due_at"),
    }
    return written(Referral, asked)


def _then(row: Any, user: User) -> str:
    if row.call_at:
        words = NEXT["step_own" if row.caller_pk == user.pk else "step"]
        return str(words) % {"who": row.caller_name.strip(), "when": _when(row.call_at)}
    if row.rung:
        return str(NEXT[row.rung]) % {"who": row.case.owner, "when": _when(row.rung_at)}
    return _("nothing is planned: call them")


def _when(moment: dt.datetime) -> str:
    return f"{say_day(clock.local_date(moment))} {say_time(moment)}"
