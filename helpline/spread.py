"""The open cases of a colleague who is away, or has left, spread over those who are there: proposed by room, decided by the
manager, handed over in words."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.people import clock
from helpline.people.absences import away, on_duty
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Role, User
from helpline.people.notices import notify
from helpline.people.workdays import at_work
from helpline.workload import Worker, weight_of, workers_of
from intake.actions import reassign_case
from intake.models import Case
from intake.models.cases import LockedOut, NamedAccess, in_locked
from intake.whose import is_named, leaders_of

AT_ONCE = 100  # cases of one page
LEFT = "spread.left"
NOTICES = {LEFT: gettext_lazy("A colleague’s cases are spread, and this one stayed behind: see who is to have it")}


@dataclass
class Proposal:
    """One case: who may have it, and who is proposed; nobody where nobody may."""

    case: Case
    may: list[Worker]
    to: Worker | None


@dataclass(frozen=True)
class Proposals:
    """What one page proposes, and whether there are more cases than it shows."""

    rows: list[Proposal]
    is_cut: bool


@dataclass(frozen=True)
class Gift:
    """One case to be handed over, to whom, and in which words."""

    case: Case
    to: User
    handover: str


@dataclass
class Result:
    """What became of each: to whom how many went, and why the others did not."""

    given: dict[str, int] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)  # case -> a whole sentence


def cases_of(worker: User, by: User) -> QuerySet[Case]:
    """The open cases of a colleague that this manager may hand over; practice too, since it is in somebody's hands."""
    cases = Case.objects.visible_to(by).open().of(worker).select_related("owner", "key", "unit")
    return cases.in_order()


def propose(worker: User, by: User, also: Collection[str] = ()) -> Proposals:
    """Who gets what: the heaviest first, each to whom has most room of those who may have it. `also`: the numbers of cases
    that are there whatever their place, because the page that was sent had them. Three statements, four where one of these
    has another place now."""
    takers = [one for one in workers_of(by) if one.takes and one.who.pk != worker.pk]
    rows = cases_of(worker, by)
    first = list(rows[: AT_ONCE + 1])
    cases, is_cut = first[:AT_ONCE], len(first) > AT_ONCE
    if is_cut and (missing := set(also) - {case.code for case in cases}):
        cases += rows.filter(code__in=missing)
    barred = _pairs(LockedOut.objects.in_force().filter(case__in=cases))
    named = _pairs(NamedAccess.objects.in_force().filter(case__in=cases))
    room = {one.who.pk: settings.CASELOAD_FULL - one.weight for one in takers}
    found: dict[object, Proposal] = {}
    for case in sorted(cases, key=lambda one: -weight_of(one.urgency)):
        may = [
            one
            for one in takers
            if (case.pk, one.who.pk) not in barred and (not case.is_protected or (case.pk, one.who.pk) in named)
        ]
        # Who leads the unit only where nobody else may have it.
        workers = [one for one in may if one.who.role == Role.CASEWORKER]
        to = max(workers or may, key=lambda one: room[one.who.pk], default=None)
        if to is not None:
            room[to.who.pk] -= weight_of(case.urgency)
        found[case.pk] = Proposal(case, may, to)
    return Proposals([found[case.pk] for case in cases], is_cut)


def _pairs(rows: "QuerySet[LockedOut] | QuerySet[NamedAccess]") -> set[tuple[object, int]]:
    return set(rows.values_list("case", "user"))


def give(*, by: User, worker: User, gifts: Iterable[Gift]) -> Result:
    """Hand each case over, each in a transaction of its own, so that one that cannot be given keeps no other. What
    has left the worker's hands meanwhile is not given again. A colleague who gets several hears of each, and gets
    one mail. Raises Refused where nobody has said what the new owner must know."""
    gifts = list(gifts)
    if any(not gift.handover.strip() for gift in gifts):
        raise Refused(_("Say what the new owner must know: without it the person has to begin anew."), at="handover")
    mailed: set[int] = set()
    result = Result()
    for gift in gifts:
        try:
            if gift.case.owner_id != worker.pk:
                raise TooLate(_("%(name)s has it already.") % {"name": gift.case.owner})
            if gift.case.is_protected and not is_named(gift.case, gift.to):
                raise Refused(_("The data are protected: only who is named for it can have it."))
            mails = gift.to.pk not in mailed
            reassign_case(by=by, case=gift.case, to=gift.to, handover=gift.handover, mails=mails)
        except Refused as error:
            result.left[gift.case.slug] = str(error)
        else:
            mailed.add(gift.to.pk)
            result.given[str(gift.to)] = result.given.get(str(gift.to), 0) + 1
    return result


def counted_in_words(given: Mapping[str, int]) -> str:
    """Anna 2, Bert 1."""
    return ", ".join(f"{name} {count}" for name, count in given.items())


def tell_of_left(worker: User, by: User) -> int:
    """Tell the other leaders of each open case of this worker that whoever spreads the rest is locked out of, so that it
    stays in nobody's hands: once for each time that the worker is away; of who is there nobody need hear. Nothing is said of
    it to who spreads. Returns how many notices. Harmless when run twice or at once."""
    if on_duty(worker, clock.today()):
        return 0
    left = Case.objects.filter(unit=by.unit_id, owner=worker, pk__in=in_locked(by)).open().select_related("unit")
    told, today = 0, clock.today()
    absence = away(worker, today)
    since = absence.first_day if absence else worker.access_until or ""
    for case in left.order_by("pk"):
        for one in leaders_of(case, today):
            if one.pk not in (worker.pk, by.pk):
                source = f"{LEFT}:{case.pk}:{worker.pk}:{since}:{one.pk}"
                told += notify(user=one, kind=LEFT, source=source, case=case.pk, mail_at=at_work(clock.now()))
    return told
