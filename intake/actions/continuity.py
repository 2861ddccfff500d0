"""A call that goes on in an earlier case: what it adds there, and what the caller says to be known again."""

import unicodedata
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.access import may
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from helpline.people.notices import notify
from intake import triage
from intake.actions.bounces import called_again, changed_hands
from intake.actions.cases import NUMBER_KEPT, tell_case, tell_managers
from intake.actions.contact import forget_number
from intake.actions.steps import first_step_of, plan_step
from intake.actions.timeline import lock, record
from intake.actions.tracks import follow_call
from intake.models import Call, Case, CaseOpening, Person
from intake.whose import is_locked_out

ON_LINE = "caller_on_line"  # why whoever answers may read the case
# What the case may not know yet -> the value that says so; what is known stays as it is.
UNKNOWN: dict[str, Any] = {"municipality_id": None, "milieu": "UNKNOWN", "age_band": "unknown"}
ADDED = ("urgency", "needs", "interpreter", "actualisation", "safe_contact")


def continue_case(*, by: User, call: Call, what: str = "", due_at: Any = None) -> Case:
    """A completed call goes on in the case that it has joined: same owner, at least as urgent, a step for the owner. A
    closed case is opened again. Raises Refused where practice would mix with what is real."""
    with transaction.atomic():
        assert call.case is not None  # the caller of this asked
        case = lock(call.case)  # before any worker, as everybody does: so no two wait for each other
        answered = _who_answered(by, call, case)
        if case.is_practice != call.is_practice:
            raise Refused(
                _("Practice and real calls are kept apart. Take the number that was given away from this call.")
            )
        if not case.is_open:
            _reopen(by, case, answered)
        is_known = _is_known(case, call)
        _add_facts(by, case, call)
        _add_passphrase(by, case, call, but={answered.pk, by.pk})
        _add_people(by, case, call, is_known=is_known)
        called_again(by=by, case=case, call=call)
        tell_case(by, case, call)
        record("case.called_again", by=by, case=case, call=call, row=call.pk, to=str(case.owner))
        due_at = due_at or first_step_of(call, call.urgency)
        plan_step(by=by, case=case, kind="after_call", what=what, due_at=due_at)
        _tell(case, call, but={answered.pk, by.pk})
    return case


def _who_answered(by: User, call: Call, case: Case) -> User:
    """The one who took the call, else the one who completes it. Held, with the owner of what is opened again, so that
    nobody is switched off while a case comes; one after the other, so that no two wait for each other."""
    comes_to = {call.taken_by_id, *([case.owner_id] if case.owner_id and not case.is_open else [])}
    held = User.objects.select_for_update().filter(pk__in=comes_to).order_by("pk")
    taker = {user.pk: user for user in held}[call.taken_by_id]
    works = taker.unit_id == call.unit_id and may(taker, "work_case") and not is_locked_out(taker, case.pk)
    return taker if works else by


def reopen_case(*, by: User, case: Case) -> Case:
    """Open a closed case again, with the owner that it had, or whoever opens it where that one can work no longer. Whoever
    calls this plans its next step in the same transaction."""
    with transaction.atomic():
        case = lock(case)
        list(User.objects.select_for_update().filter(pk__in=[by.pk, case.owner_id or by.pk]).order_by("pk"))
        if not case.is_open:
            _reopen(by, case, by)
    return case


def _reopen(by: User, case: Case, answered: User) -> None:
    """The same owner again, unless that one can work no longer."""
    before = User.objects.filter(pk=case.owner_id or 0).first()  # held already
    owner = before
    if owner is None or owner.unit_id != case.unit_id or not may(owner, "work_case"):
        owner = answered
    if is_locked_out(owner, case.pk):
        owner = answered
    case.owner, case.closed_at, case.closed_by, case.closing_reason = owner, None, None, ""
    case.save(update_fields=["owner", "closed_at", "closed_by", "closing_reason"])
    event = record("case.reopened", by=by, case=case, row=case.pk, to=str(owner))
    if owner != before:
        changed_hands(by=by, case=case, event=event, before=before, to=owner)


def _add_facts(by: User, case: Case, call: Call) -> None:
    """What the call knows beyond the case. Nothing is lowered, and nothing that is known is changed."""
    follow_call(by=by, case=case, call=call)
    if triage.rank(call.urgency) < triage.rank(case.urgency):
        case.urgency = call.urgency
        record("urgency.raised", by=by, case=case, row=call.pk, urgency=call.urgency)
    needs = {*case.needs, *call.assessment.needs}
    case.needs = [need for need in triage.codes("needs") if need in needs]
    for name, unknown in UNKNOWN.items():
        if getattr(case, name) == unknown:
            setattr(case, name, getattr(call, name))
    case.interpreter = case.interpreter or call.interpreter
    if call.actualisation == "yes" or not case.actualisation:
        case.actualisation = call.actualisation
    safe = case.safe.with_later(call.safe)
    if safe != case.safe:
        record("safe.changed", by=by, case=case, text=case.safe.text, row=call.pk)  # as it was before
        case.safe_contact = safe.write()
    case.save(update_fields=[*ADDED, *UNKNOWN])


def _add_passphrase(by: User, case: Case, call: Call, but: set[int]) -> None:
    """What the caller will say from now on; the owner, who could be asked for the one before, is told."""
    if not call.passphrase:
        return
    case.passphrase = call.passphrase
    case.save(update_fields=["passphrase"])
    record("passphrase.set", by=by, case=case, call=call, row=call.pk)
    if case.owner is not None and case.owner.pk not in but:
        notify(user=case.owner, kind="passphrase.set", source=f"passphrase.set:{call.pk}", case=case.pk)


def _is_known(case: Case, call: Call) -> bool:
    """Whether the caller proved to be the one who called before: the passphrase, and the same kind of caller. To be asked
    before the call changes the passphrase."""
    claim = call.claims.filter(case=case, is_right=True).order_by("-at", "-pk").first()
    if claim is None or not case.passphrase or call.caller_type != case.caller_type:
        return False
    return not case.events.filter(
        kind="passphrase.set", at__gte=claim.at
    ).exists()  # set after it: it was not asked for


def _add_people(by: User, case: Case, call: Call, *, is_known: bool) -> None:
    """The caller's name and number; where it may be somebody else who calls with the case's number, that is another
    caller."""
    if call.phone or call.caller_name:
        callers = list(case.people.filter(part="caller").order_by("pk"))
        found = [one for one in callers if _is_same(one, call, is_known=is_known)]
        caller = max(found, key=lambda one: (_has_name(one, call), _has_number(one, call)), default=None)
        caller = caller or Person(case=case, part="caller")
        caller.case = case
        caller.name = call.caller_name or caller.name
        caller.personal_number = call.personal_number or caller.personal_number
        if call.phone:
            if caller.phone and _digits(caller.phone) != _digits(call.phone):
                forget_number(by=by, case=case, person=caller)
            caller.phone, caller.phone_until = call.phone, clock.now() + NUMBER_KEPT
        caller.save()
    case.people.filter(part="concern", age_band="unknown").update(age_band=case.age_band)


def _is_same(one: Person, call: Call, *, is_known: bool) -> bool:
    """Whether a caller of the case is who calls now: by name; by passphrase; by number; or nothing tells them apart, and
    neither name nor number is that of another."""
    if one.name and call.caller_name:
        return _has_name(one, call)
    if is_known or _has_number(one, call):
        return True
    return not one.name and not one.has_number


def _has_name(one: Person, call: Call) -> bool:
    return bool(one.name) and one.name.casefold() == call.caller_name.casefold()


def _has_number(one: Person, call: Call) -> bool:
    return one.has_number and _digits(one.phone) == _digits(call.phone)


def _digits(phone: str) -> str:
    return "".join(letter for letter in phone if letter.isdigit())


def _tell(case: Case, call: Call, but: set[int]) -> None:
    """The owner hears that somebody else answered; the managers hear of what is acute."""
    if case.owner is not None and case.owner.pk not in but:
        notify(user=case.owner, kind="case.called_again", source=f"case.called_again:{call.pk}", case=case.pk)
    if triage.ACUTE in (call.urgency, call.urgency_at_least) and not case.is_practice:
        tell_managers(case, but=but, cause=call.pk)


def leave_case(*, by: User, call: Call) -> None:
    """Take back that an unfinished call goes on in a case: it was somebody else. Whoever read it for that reads no more."""
    case, call.case = call.case, None
    if case is None:
        return
    call.save(update_fields=["case"])
    claim = call.claims.filter(case=case, is_right=True).order_by("-at", "-pk").first()
    openings = CaseOpening.objects.filter(case=case, reason=ON_LINE, until__gt=clock.now())
    if claim and openings.filter(user=claim.by, at__gte=claim.at).update(until=clock.now()):
        # no word of the call in that timeline: it was somebody else's
        record("case.unclaimed", by=by, case=lock(case), but_call=call, row=call.pk)
    else:
        log("case.unclaimed", by=by, case=case.pk, call=call.pk, row=call.pk)


# -- the passphrase ----------------------------------------------------------------------------------------------------


def plain_phrase(phrase: str) -> str:
    """A passphrase as it is compared: what cannot be heard (capitals, spaces, marks) does not count; å, ä and ö do."""
    text = unicodedata.normalize("NFC", phrase).casefold()
    return "".join(letter for letter in text if letter.isalnum())


def hash_phrase(phrase: str) -> str:
    """What is kept of a passphrase. Raises Refused where nothing of it can be heard."""
    if not plain_phrase(phrase):
        raise Refused(_("The passphrase needs letters or figures."), at="passphrase")
    return make_password(plain_phrase(phrase))


def set_passphrase(*, by: User, case: Case, phrase: str) -> None:
    """Another passphrase, as the caller wants it; empty takes it away. The owner alone. Raises Refused."""
    with transaction.atomic():
        case = lock(case)
        if case.owner_id != by.pk:
            raise Refused(_("Only the owner changes the passphrase."), at="passphrase")
        removes = not phrase.strip()
        if removes and not case.passphrase:
            return
        case.passphrase = "" if removes else hash_phrase(phrase)
        case.save(update_fields=["passphrase"])
        record("passphrase.removed" if removes else "passphrase.set", by=by, case=case, row=case.pk)
