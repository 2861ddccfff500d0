"""The only doors to a call and to a case: what a person may not see is not there (404), and each reading is logged."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.absences import stand_ins
from helpline.people.access import may
from helpline.people.audit import log
from helpline.people.models import LogEntry, User
from intake.codes import normalise
from intake.emergency_acts import goes_too_far, may_change
from intake.models import Call, Case, CaseOpening, SecrecyDecision
from intake.models.cases import CaseQuerySet, in_locked
from intake.search import ended_calls_of
from intake.whose import is_named, locked_out

Asking = Callable[[CaseQuerySet, User], CaseQuerySet]
Told = tuple[str, dict[str, Any]]  # an event of the log with its codes, where a reading has one of its own
COMPLETED = ("call.completed", "call.consulted")  # of the log: who finished a call


class ReasonNeeded(Exception):
    """The case is the unit's and not one's own: a reason is given first (middleware ReasonMiddleware asks for it)."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.slug)
        self.case = case


def person(request: HttpRequest) -> User:
    """Who asks; the views behind `needs` have always somebody."""
    assert isinstance(request.user, User)
    return request.user


def case_for(
    request: HttpRequest,
    code: str,
    *,
    of: str = "case",
    row: object = "",
    call: uuid.UUID | None = None,
    told: Told = ("", {}),
    asking: Asking = lambda cases, user: cases,
) -> Case:
    """An own case, or one that this person has a right to (`right_to`). Raises Http404, ReasonNeeded, or PermissionDenied for
    what an emergency gives no right to. Logs the reading with that right: one row, `of` what is read through the case, or as
    it is `told`. `asking`: what else is asked of its row in the same statement."""
    user = person(request)
    found = Case.objects.within_reach_of(user).select_related("key", "owner", "unit", "municipality")
    case = asking(found.filter(code=_stored(code)), user).first()
    if case is None:
        refused = _refused(user, code)
        if request.method == "POST" and (lapsed := _lapsed(code, user)):
            raise ReasonNeeded(lapsed)  # what was written while it was open is given back
        raise refused
    why = _rights(request)[case.pk] = right_to(case, user)
    if not why:
        raise ReasonNeeded(case)
    if goes_too_far(request, case, user, why):
        log("case.refused", by=user, case=case.pk, row=row or case.code, why=why)
        raise PermissionDenied(
            _("You opened this one in an emergency. The rest is for the unit that has it: call its worker.")
        )
    event, codes = told
    event = event or (f"{of}.read" if request.method == "GET" else f"{of}.used")
    log(event, by=user, case=case.pk, call=call, row=row, why=why, **codes)
    return case


def may_do(request: HttpRequest, case: Case, name: str) -> bool:
    """Whether what lies behind this URL name would be done for this person in this case, as the gate would answer it: what
    would not is not offered. The right is asked for once in a request."""
    user, rights = person(request), _rights(request)
    if case.pk not in rights:
        rights[case.pk] = right_to(case, user)
    return may_change(name, case, user, rights[case.pk])


def _rights(request: HttpRequest) -> dict[uuid.UUID, str]:
    """Case -> the right under which this request comes to it, as far as it was asked."""
    rights: dict[uuid.UUID, str] = request.__dict__.setdefault("rights_to_cases", {})
    return rights


def _lapsed(code: str, user: User) -> Case | None:
    """A case of another unit that was open to this person in an emergency, and is no longer."""
    openings = CaseOpening.objects.filter(user=user, is_emergency=True).exclude(case__in=in_locked(user))
    return (
        Case.objects.filter(pk__in=openings.values("case"), code=_stored(code)).select_related("owner", "key").first()
    )


def case_of_unit(request: HttpRequest, code: str) -> Case:
    """A case of the unit, without its words: for giving the reason, and for a manager who assigns. Raises Http404."""
    found = Case.objects.visible_to(person(request)).select_related("owner", "key", "unit")
    case = found.filter(code=_stored(code)).first()
    if case is None:
        raise _refused(person(request), code)
    return case


def _refused(user: User, code: str) -> Http404:
    """Looks for the case whether or not there is one: both answers take as long, and the log knows whose it was."""
    there = Case.objects.filter(code=_stored(code)).values_list("pk", flat=True).first()
    log("case.refused", by=user, case=there, row=normalise(code) or "unknown")
    return Http404()


def _stored(code: str) -> str:
    """A number of an address as it is stored; one of words that are no longer in use stands as itself."""
    return normalise(code) or code.replace("\0", "")


def log_listed(user: User, cases: Iterable[Case]) -> None:
    """One row for a list that shows words of cases: whose list, and which cases."""
    shown = sorted({str(case.pk) for case in cases})
    if shown:
        log("cases.listed", by=user, cases=shown)


def may_open(case: Case, user: User) -> bool:
    """Whether this person opens it without being asked why."""
    return bool(right_to(case, user))


def right_to(case: Case, user: User) -> str:
    """Under which right this person opens a case that is within reach, as a code for the log; "" where there is none. A case
    with protected personal data is opened by its owner, by who is named for it, and in an emergency: a step in hand or a
    reason is no right to it."""
    if case.owner_id == user.pk:
        return "own"
    if case.is_protected:
        if is_named(case, user):
            return "named"
        return "emergency" if opened(case, user, is_emergency=True) else ""
    if case.unit_id == user.unit_id and has_step(case, user):
        return "step"
    rights = CaseOpening.objects.filter(case=case, user=user, until__gt=clock.now()).order_by("is_emergency")
    emergency = rights.values_list("is_emergency", flat=True).first()
    return "" if emergency is None else "emergency" if emergency else "reason"


def emergency_until(request: HttpRequest, case: Case) -> dt.datetime | None:
    """Until when the case is open to this person in an emergency; None where it is under another right."""
    user, rights = person(request), _rights(request)
    if rights.get(case.pk) != "emergency":
        return None
    openings = CaseOpening.objects.filter(case=case, user=user, is_emergency=True, until__gt=clock.now())
    return openings.order_by("-until").values_list("until", flat=True).first()


def has_step(case: Case, user: User) -> bool:
    """Whether a planned step of this case is this person's: taken over at a change of shift, or as a deputy."""
    return case.steps.planned().filter(owner=user).exists()


def opened(case: Case, user: User, **which: bool) -> bool:
    """Whether this person has given a reason for this case that still holds."""
    return CaseOpening.objects.filter(case=case, user=user, until__gt=clock.now(), **which).exists()


def finished_call_for(request: HttpRequest, pk: Any, *, tell: Callable[[Call], Told]) -> Call:
    """A completed call, to tell the caller what happens now: whoever took or completed it, for as long as a reason
    holds; of a call that has a case, whoever may read the case. Raises Http404 or ReasonNeeded. Logs the reading, one row,
    as `tell` says of the call."""
    user = person(request)
    related = ("key", "unit", "municipality", "taken_by", "case__key", "case__owner", "case__unit")
    reached = Q(pk__in=Call.objects.visible_to(user).values("pk")) | Q(case__in=Case.objects.within_reach_of(user))
    found = Call.objects.select_related(*related).filter(reached, pk=pk, completed_at__isnull=False).first()
    own = found is not None and took_or_completed(user, found)
    if found is None or (found.case is None and not own):
        log("call.refused", by=user, row=pk)
        raise Http404
    fresh = found.completed_at and found.completed_at > clock.now() - dt.timedelta(hours=CaseOpening.HOURS)
    if found.case is not None and not (own and fresh):
        case_for(request, found.case.slug, call=found.pk, told=tell(found))
    else:
        event, codes = tell(found)
        log(event, by=user, call=found.pk, case=found.case_id, why="own", **codes)
    return found


def took_or_completed(user: User, call: Call) -> bool:
    """Whether this one took it, or finished it for a colleague: the log knows."""
    completed = LogEntry.objects.filter(user=user, event__in=COMPLETED, call=call.pk)
    return call.taken_by_id == user.pk or completed.exists()


def own_call_unlogged(request: HttpRequest, pk: Any) -> Call:
    """A finished call that one took oneself, for saying that it was heavy. The one door without a row in the log: nothing
    of the call is read there, and a row would tell by name who found it heavy. Raises Http404."""
    user = person(request)
    found = Call.objects.visible_to(user).finished().select_related("unit").filter(pk=pk, taken_by=user).first()
    if found is None:
        raise Http404
    return found


def call_for(request: HttpRequest, pk: Any, *, to_save: bool = False) -> Call:
    """A call that one took oneself, or an unfinished one of the unit, so that none is left when its taker is away; where its
    data are protected, by who stands in then and nobody else. A finished one is read in its case. `to_save`: also one that
    was finished meanwhile, so that words which come too late are given back. Raises Http404."""
    user = person(request)
    call = (
        Call.objects.visible_to(user)
        .select_related("key", "unit", "municipality", "taken_by", "case")
        .filter(pk=pk)
        .filter(Q() if to_save else Q(taken_by=user) | Q(completed_at__isnull=True, voided_at__isnull=True))
        .first()
    )
    if call is None or not _may_go_on(call, user):
        log("call.refused", by=user, row=pk)
        raise Http404
    own = call.taken_by_id == user.pk
    why = "late" if call.is_finished and not own else "own" if own else "unit"
    event = "call.read" if request.method == "GET" else "call.used"
    log(event, by=user, call=call.pk, case=call.case_id, why=why)
    return call


def call_for_rights(request: HttpRequest, pk: Any) -> Call:
    """A finished call without a case, for what the person of it has a right to (`needs` lets in who may give an extract):
    the unit's, a protected one its taker's. Raises Http404. Logs the reading."""
    user = person(request)
    related = ("key", "unit", "municipality", "taken_by")
    call = ended_calls_of(user).select_related(*related).filter(pk=pk).first()
    if call is None:
        log("call.refused", by=user, row=pk)
        raise Http404
    log("call.read" if request.method == "GET" else "call.used", by=user, call=call.pk, why="extract")
    return call


def call_to_amend(request: HttpRequest, pk: Any) -> Call:
    """A finished call beside whose answers something is written: of who took it; of one that has a case, whoever may open
    that; without one also who decided lately that its person is given an extract. Raises Http404 or ReasonNeeded."""
    user = person(request)
    call = Call.objects.finished().select_related("case", "key").filter(pk=pk).first()
    if call is not None and call.case is not None:
        case = case_for(request, call.case.slug, call=call.pk, row=call.pk)
        call.case = case
        return call
    if call is not None and call.taken_by_id != user.pk and _has_decided(user, call):
        return call_for_rights(request, pk)
    found = call_for(request, pk)
    if not found.is_finished:
        raise Http404
    return found


def _has_decided(user: User, call: Call) -> bool:
    """Whether this manager decided lately that the person of a call gets to know what stands there."""
    lately = SecrecyDecision.objects.filter(
        call=call, decided_by=user, decided_at__gt=clock.now() - SecrecyDecision.HOLDS
    )
    return may(user, "give_extract") and lately.exclude(outcome=SecrecyDecision.Outcome.REFUSED).exists()


def _may_go_on(call: Call, user: User) -> bool:
    """Whether this person comes to a call of the unit. One with protected personal data is its taker's; while that one is
    away it is of who stands in, and of who has a right to the case that it goes on in."""
    is_protected = call.is_protected or (call.case is not None and call.case.is_protected)
    if call.taken_by_id == user.pk or not is_protected:
        return True
    if call.case is not None and right_to(call.case, user):
        return True
    return user in stand_ins(call.taken_by, clock.today(), but=locked_out(call.case_id))
