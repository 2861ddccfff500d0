"""Calling again: a caller gives a number, and perhaps a passphrase, and the call joins the case. Guessing is slow."""

import datetime as dt

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import Unit, User
from intake.actions.calls import hold_call
from intake.actions.cases import open_with_reason
from intake.actions.continuity import ON_LINE, leave_case, plain_phrase
from intake.actions.timeline import lock
from intake.codes import normalise
from intake.models import Call, Case, Claim
from intake.models.cases import in_locked

WRONG_IN_A_CALL, WRONG_IN_A_DAY = 5, 10
WAIT = dt.timedelta(minutes=15)


def claim_case(*, by: User, call: Call, number: str, phrase: str = "") -> Case:
    """The case whose number the caller says, and whose passphrase where it has one: the call goes on in it, and whoever
    answers may read it. A wrong number, a wrong passphrase and a case of another unit are told alike and take as long.
    Raises Refused or TooLate."""
    with transaction.atomic():
        call = hold_call(call)
        case, is_right = _look(by, call, number, phrase)
        if is_right and case is not None and case.pk == call.case_id:
            return case
        Unit.objects.select_for_update(no_key=True).get(
            pk=call.unit_id
        )  # tries at once are counted one after the other
        mark = _mark(call, number)
        if _must_wait(call, mark, is_owner=case is not None and case.owner_id == by.pk):
            log("claim.throttled", by=by, call=call.pk, row=call.pk)
            refused = _("There have been too many wrong tries. Wait 15 minutes, and go on with the call meanwhile.")
        elif call.case_id is not None:
            if not is_right:
                _count(by, call, case, mark)
            refused = _("This call goes on in a case already. Take that back first.")
        elif case is not None and is_right and _join(by, call, case, mark):
            return case
        else:
            _count(by, call, case, mark)
            refused = _(
                "That is not a number and a passphrase that belong together. Ask for both again, word for word."
            )
    raise Refused(refused, at="again_number")


def unclaim_case(*, by: User, call: Call) -> None:
    """Take back a claim while the call goes on. None is no fault. Raises TooLate."""
    with transaction.atomic():
        leave_case(by=by, call=hold_call(call))


def _look(by: User, call: Call, number: str, phrase: str) -> tuple[Case | None, bool]:
    """The case with this number, if there is one to go on in, and whether what was said is right. Takes the same time
    whatever the answer is. To who is locked out of it there is none."""
    cases = Case.objects.filter(unit=call.unit_id, is_practice=call.is_practice, key__wrapped__isnull=False)
    cases = cases.exclude(pk__in=in_locked(by)).exclude(pk__in=in_locked(call.taken_by))
    case = cases.select_related("key", "owner").filter(code=normalise(number)).first()
    said = plain_phrase(phrase)
    if case is None or not case.passphrase:
        make_password(said)
        return case, case is not None
    return case, check_password(said, case.passphrase)


def _mark(call: Call, number: str) -> str:
    """What a number that was said is counted by, whether or not there is such a case."""
    code = normalise(number)
    return salted_hmac("intake.claim", f"{call.unit_id}:{code}", algorithm="sha256").hexdigest() if code else ""


def _must_wait(call: Call, mark: str, *, is_owner: bool) -> bool:
    """Whether there were too many wrong tries, and the last of them is recent. A case's own worker is kept out by no
    other call's tries."""
    if _too_many(call.claims.filter(is_right=False), WRONG_IN_A_CALL):
        return True
    lately = Claim.objects.filter(call__unit=call.unit_id, is_right=False, at__gt=clock.now() - dt.timedelta(days=1))
    return bool(mark) and not is_owner and _too_many(lately.filter(mark=mark), WRONG_IN_A_DAY)


def _too_many(wrong: QuerySet[Claim], most: int) -> bool:
    times = list(wrong.order_by("-at").values_list("at", flat=True)[:most])
    return len(times) == most and times[0] > clock.now() - WAIT


def _count(by: User, call: Call, case: Case | None, mark: str) -> None:
    claim = Claim.objects.create(call=call, case=case, by=by, at=clock.now(), is_right=False, mark=mark)
    log("claim.wrong", by=by, call=call.pk, case=case.pk if case else None, row=claim.pk)


def _join(by: User, call: Call, case: Case, mark: str) -> bool:
    """Held first: the words of a case that are erased meanwhile leave nothing to go on in. False then."""
    try:
        case = lock(case)
    except Case.DoesNotExist:  # it was disposed of meanwhile
        return False
    if case.is_forgotten:
        return False
    claim = Claim.objects.create(call=call, case=case, by=by, at=clock.now(), is_right=True, mark=mark)
    call.case = case
    call.save(update_fields=["case"])
    log("case.claimed", by=by, case=case.pk, call=call.pk, row=claim.pk)
    if case.owner_id != by.pk and not case.is_protected:  # protected: the call goes on in it, and its owner is told
        open_with_reason(by=by, case=case, reason=ON_LINE)
    return True
