"""The only doors to a call and to a case: what a person may not see is not there (404), and each reading is logged."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import LogEntry, User
from intake.codes import normalise
from intake.models import Call, Case, CaseOpening


class ReasonNeeded(Exception):
    """The case is the unit's and not one's own: a reason is given first (middleware ReasonMiddleware asks for it)."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.slug)
        self.case = case


def person(request: HttpRequest) -> User:
    """Who asks; the views behind `needs` have always somebody."""
    assert isinstance(request.user, User)
    return request.user


def case_for(request: HttpRequest, code: str) -> Case:
    """An own case, or one of the unit that was opened with a reason. Raises Http404 or ReasonNeeded. Logs the reading."""
    user = person(request)
    case = (
        Case.objects.visible_to(user)
        .select_related("key", "owner", "unit", "municipality")
        .filter(code=_stored(code))
        .first()
    )
    if case is None:
        log("case.refused", by=user, row=normalise(code) or "unknown")
        raise Http404
    if not may_open(case, user):
        raise ReasonNeeded(case)
    log("case.read" if request.method == "GET" else "case.used", by=user, case=case.pk)
    return case


def case_of_unit(request: HttpRequest, code: str) -> Case:
    """A case of the unit, without its words: for giving the reason, and for a manager who assigns. Raises Http404."""
    found = Case.objects.visible_to(person(request)).select_related("owner", "key", "unit")
    case = found.filter(code=_stored(code)).first()
    if case is None:
        log("case.refused", by=person(request), row=normalise(code) or "unknown")
        raise Http404
    return case


def _stored(code: str) -> str:
    """A number of an address as it is stored; one of words that are no longer in use stands as itself."""
    return normalise(code) or code.replace("\0", "")


def log_listed(user: User, cases: Iterable[Case]) -> None:
    """One row for a list that shows words of cases: whose list, and which cases."""
    shown = sorted({str(case.pk) for case in cases})
    if shown:
        log("cases.listed", by=user, cases=shown)


def may_open(case: Case, user: User) -> bool:
    """Whether this person opens it without being asked why: an own case, one with a step in hand, or a reason given."""
    return case.owner_id == user.pk or has_step(case, user) or opened(case, user)


def has_step(case: Case, user: User) -> bool:
    """Whether a planned step of this case is this person's: taken over at a change of shift, or as a deputy."""
    return case.steps.planned().filter(owner=user).exists()


def opened(case: Case, user: User) -> bool:
    """Whether this person has given a reason for this case that still holds."""
    return CaseOpening.objects.filter(case=case, user=user, until__gt=clock.now()).exists()


def finished_call_for(request: HttpRequest, pk: Any) -> Call:
    """A completed call, to tell the caller what happens now: whoever took or completed it, for as long as a reason
    holds; of a call that has a case, whoever may read the case. Raises Http404 or ReasonNeeded. Logs the reading."""
    user = person(request)
    related = ("key", "unit", "municipality", "taken_by", "case__key", "case__owner", "case__unit")
    found = Call.objects.visible_to(user).select_related(*related).filter(pk=pk, completed_at__isnull=False).first()
    own = found is not None and took_or_completed(user, found)
    if found is None or (found.case is None and not own):
        log("call.refused", by=user, row=pk)
        raise Http404
    fresh = found.completed_at and found.completed_at > clock.now() - dt.timedelta(hours=CaseOpening.HOURS)
    if found.case is not None and not (own and fresh):
        case_for(request, found.case.slug)
    log("call.read", by=user, call=found.pk, case=found.case_id)
    return found


def took_or_completed(user: User, call: Call) -> bool:
    """Whether this one took it, or finished it for a colleague: the log knows."""
    completed = LogEntry.objects.filter(user=user, event="call.completed", call=call.pk)
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
    """A call that one took oneself, or an unfinished one of the unit, so that none is left when its taker is away; a
    finished one is read in its case. `to_save`: also one that was finished meanwhile, so that words which come too late
    are given back. Raises Http404."""
    user = person(request)
    call = (
        Call.objects.visible_to(user)
        .select_related("key", "unit", "municipality", "taken_by", "case")
        .filter(pk=pk)
        .filter(Q() if to_save else Q(taken_by=user) | Q(completed_at__isnull=True, voided_at__isnull=True))
        .first()
    )
    if call is None:
        log("call.refused", by=user, row=pk)
        raise Http404
    log("call.read" if request.method == "GET" else "call.used", by=user, call=call.pk)
    return call
