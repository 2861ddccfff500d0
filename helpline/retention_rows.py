"""What the rules of retention say of rows: of one case or call, and of all that are due in a unit."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    DateTimeField,
    Exists,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy

from helpline.people import clock
from helpline.people.models import DisposalItem, Unit, User
from helpline.retention import RULES, Standing, child_born, standing
from intake.actions.board import months_of_words
from intake.actions.erasure import entry_facts, months_for
from intake.models import Call, Case, Event, FollowUp, Note, Person

INQUIRIES = {"opened", "under_way"}
HELD, RELEASED = "retention.held", "retention.released"
SOONEST = min(12 * rule.years + rule.months for rule in RULES.values() if not rule.by_itself)  # months
MOST = 200  # rows of one list
# Why who approves exempts a row. What the machine leaves out by itself is disposals.BY_ITSELF.
LEFT_OUT = {
    "asked": gettext_lazy("The person has asked that it is kept"),
    "needed": gettext_lazy("It is needed in another matter"),
    "unsure": gettext_lazy("It must be looked into first"),
}


@dataclass(frozen=True)
class Found:
    """A case, or a call without one, with what the rules say of it."""

    row: Case | Call
    standing: Standing

    @property
    def number(self) -> str:
        """The number of a case; a call has none."""
        return self.row.number if isinstance(self.row, Case) else ""


def standing_of(row: Case | Call) -> Standing:
    """What the rules say of a case, or of a call without one, today."""
    if isinstance(row, Case):
        return _of_case(
            with_facts(row) if "held_for" in vars(row) else cases_with_facts(Case.objects.filter(pk=row.pk)).get()
        )
    return _of_call(_calls_with_facts(Call.objects.filter(pk=row.pk)).get())


def reached(unit: Unit, user: User | None = None) -> list[Found]:
    """The ended cases and calls of a unit whose day has come, soonest first: those that go, and those that are kept for good.
    `user`: only what this one may see. A handful of queries, however many they are."""
    before = clock.now() - dt.timedelta(days=28 * SOONEST)
    cases, calls = Case.objects.filter(unit=unit), Call.objects.filter(unit=unit, case__isnull=True)
    if user is not None:
        cases, calls = cases.visible_to(user), calls.visible_to(user)
    closed = cases_with_facts(cases.filter(closed_at__lt=before)).filter(last_entry__lt=before)
    ended = _calls_with_facts(calls.finished()).filter(last_entry__lt=before)
    months = months_of_words(unit.municipality_id)
    found = [Found(case, _of_case(case, months)) for case in closed]
    found += [Found(call, _of_call(call, months)) for call in ended]
    came = [one for one in found if one.standing.is_reached]
    return sorted(came, key=lambda one: (one.standing.due_on or dt.date.max, str(one.row.pk)))


def _latest(rows: QuerySet[Any], value: str, **kind: Any) -> Subquery:
    return Subquery(rows.order_by("-at", "-pk").values(value)[:1], **kind)


def facts() -> dict[str, Any]:
    """What the rules ask about a case besides its entries (erasure.entry_facts), as expressions of its row."""
    said = Event.objects.filter(case=OuterRef("pk"), kind__in=[HELD, RELEASED])
    going_on = Call.objects.unfinished().filter(case=OuterRef("pk"))
    return {
        "is_called": Exists(going_on),
        "has_step": Exists(FollowUp.objects.planned().filter(case=OuterRef("pk"))),
        "is_named": Exists(_named_elsewhere(call__case=OuterRef("pk")).exclude(case=OuterRef("pk"))),
        "held_by": _latest(said, "kind"),
        "held_for": _latest(said, "codes__reason"),
    }


BESIDE = ("concern_reports", Prefetch("people", Person.everybody.order_by("pk"), to_attr="everybody"))


def cases_with_facts(cases: QuerySet[Case]) -> QuerySet[Any]:
    """Cases with all that the rules ask about them. `last_entry` is empty where it is not closed."""
    found = cases.annotate(**entry_facts(), **facts())
    return found.select_related("key", "unit").prefetch_related(*BESIDE)


def with_facts(case: Case) -> Case:
    """A case whose row was asked for the facts: what stands beside is read where it is not here yet."""
    prefetch_related_objects([case], *BESIDE)
    return case


def _named_elsewhere(**call: Any) -> QuerySet[Event]:
    """Lines of a timeline that name a call."""
    return Event.objects.filter(Q(**call))


def _calls_with_facts(calls: QuerySet[Call]) -> QuerySet[Any]:
    """Calls with all that the rules ask about them. `last_entry` is empty where it is not ended."""
    end = Coalesce("completed_at", "voided_at")
    notes = Note.objects.filter(call=OuterRef("pk"))
    written = _latest(notes, "at", output_field=DateTimeField())
    return calls.annotate(
        last_entry=Greatest(end, Coalesce(written, end)),
        has_words=Exists(notes.exclude(text=b"")),
        is_named=Exists(_named_elsewhere(call=OuterRef("pk"))),
    ).select_related("key", "unit")


def _of_case(case: Any, months: int | None = None) -> Standing:
    """`case` with facts. Reports of inquiries are counted as the law stood that is in force today."""
    # Whoever it is about: also who was taken off the list. A finished call of a case holds no number (a database constraint).
    numbers = [person.personal_number for person in case.everybody]
    inquiries = [report for report in case.concern_reports.all() if report.outcome in INQUIRIES]
    concern = [person.personal_number for person in case.everybody if person.part == "concern"]
    is_open = case.closed_at is None
    return standing(
        _rule_of(case, has_inquiry=bool(inquiries)),
        last_entry=None if is_open else clock.local_date(case.last_entry),
        municipality=case.unit.municipality_id,
        children=[
            child_born(report.child_age_band, clock.local_date(report.received_at), concern) for report in inquiries
        ],
        numbers=numbers,
        held=case.held_for or "" if case.held_by == HELD else "",
        kept="open" if is_open or case.is_called or case.has_step else "named" if case.is_named else "",
        months_of_words=months_for(case) if months is None else months,
    )


def _rule_of(case: Any, *, has_inquiry: bool) -> str:
    if case.is_practice:
        return "practice"
    if has_inquiry:
        return "child_inquiry"
    if any(report.outcome == "not_opened" for report in case.concern_reports.all()):
        return "not_opened"
    return "five_years" if case.track != "A" or case.is_documented else "advice"


def _of_call(call: Any, months: int | None = None) -> Standing:
    """`call` with facts."""
    key = "five_years" if call.track != "A" else "advice"
    if call.is_practice:
        key = "practice"
    elif call.voided_at is not None and not call.has_words:
        key = "voided"
    return standing(
        key,
        last_entry=clock.local_date(call.last_entry) if call.is_finished else None,
        municipality=call.unit.municipality_id,
        numbers=[call.personal_number],
        kept="open" if not call.is_finished or call.case_id else "named" if call.is_named else "",
        months_of_words=months_of_words(call.unit.municipality_id) if months is None else months,
    )


def exempted(ids: set[uuid.UUID]) -> dict[uuid.UUID, DisposalItem]:
    """Case or call -> the row of a list from which it was exempted by who approved that list, with its reason. It holds until
    a later list is approved in which the exemption is taken back."""
    approved = DisposalItem.objects.filter(disposal__approved_at__isnull=False, disposal__refused_at__isnull=True)
    items = approved.filter(Q(case__in=ids) | Q(call__in=ids)).select_related("disposal__approved_by")
    last = {item.case or item.call: item for item in items.order_by("disposal__approved_at", "pk")}
    return {pk: item for pk, item in last.items() if pk and item.left_out_why in LEFT_OUT}


def in_a_list(ids: set[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these cases and calls that stand in a list which is proposed or being carried out."""
    items = DisposalItem.objects.filter(
        done_at__isnull=True,
        left_out_at__isnull=True,
        disposal__refused_at__isnull=True,
        disposal__done_at__isnull=True,
    )
    rows = items.filter(Q(case__in=ids) | Q(call__in=ids)).values_list("case", "call")
    return {pk for pair in rows for pk in pair if pk}
