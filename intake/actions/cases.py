"""Cases: opened from a call, opened by a colleague with a reason, reassigned, closed."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Role, User, in_use
from helpline.people.notices import notify
from helpline.people.sealed import DataKey, write_new
from intake import triage
from intake.actions.acute import tell_measures
from intake.actions.bounces import changed_hands
from intake.actions.steps import first_step_of, plan_first, set_next_due
from intake.actions.timeline import lock, record, together
from intake.acute import left_in
from intake.codes import new_code
from intake.models import Call, Case, CaseOpening, Person
from intake.whose import is_locked_out, leaders_of, locked_out, may_hold

COPIED = [
    *("caller_type", "track", "identity", "protection", "municipality", "milieu", "age_band", "language"),
    *("interpreter", "urgency", "safe_contact", "actualisation", "passphrase", "is_practice"),
]
# What upper floors do when a case is closed, in the same transaction.
CLOSED: list[Callable[[Case], None]] = []
DRAWS = 5  # of a number, until one is free
NUMBER_KEPT = dt.timedelta(days=14)  # a number to call back, at the longest


def open_case(*, by: User, call: Call, what: str = "", due_at: dt.datetime | None = None) -> Case:
    """Open the case of a call whose urgency is confirmed: the one who took the call owns it, and a step is planned."""
    with transaction.atomic(), together():
        taker = User.objects.select_for_update().get(pk=call.taken_by_id)  # nobody is switched off while a case comes
        owner = taker if taker.is_in_use and taker.unit_id == call.unit_id else by
        case = Case(key=DataKey.new(), unit=call.unit, owner=owner, opened_by=by, opened_at=clock.now())
        for name in COPIED:
            setattr(case, name, getattr(call, name))
        case.needs = list(call.assessment.needs)
        case.is_consultation = call.is_consultation
        due_at = due_at or first_step_of(call, call.urgency)
        case.next_due_at = due_at
        _store_under_free_number(case)
        until = clock.now() + NUMBER_KEPT if call.phone else None
        who = {"name": call.caller_name, "personal_number": call.personal_number}
        caller = Person(case=case, part="caller", **who, phone=call.phone, phone_until=until)
        write_new([caller, Person(case=case, part="concern", age_band=call.age_band)])
        tell_case(by, case, call)
        record("case.opened", by=by, case=case, row=case.pk, urgency=case.urgency, track=case.track)
        plan_first(by=by, case=case, what=what, due_at=due_at)
        if (
            "AKUT" in (case.urgency, call.urgency_at_least) and not case.is_practice
        ):  # also where a person lowered what the answers called for
            tell_managers(case, but={by.pk}, cause=case.pk)
    return case


def _store_under_free_number(case: Case) -> None:
    """Store a new case. A number that another case has is drawn again: at a million cases one in a hundred meets one."""
    for left in reversed(range(DRAWS)):
        try:
            with transaction.atomic():
                case.save(force_insert=True)
            return
        except IntegrityError:
            if not left or not Case.objects.filter(code=case.code).exists():
                raise
            case.code = new_code()


def tell_managers(case: Case, *, but: set[int], cause: object) -> None:
    """An acute case is known to the unit's managers within the hour; also to who stands in where all are away. One cause
    makes one notice."""
    but = but | locked_out(case.pk)
    managers = User.objects.filter(in_use(), unit=case.unit_id, role=Role.MANAGER)
    told = {one.pk: one for one in [*managers, *leaders_of(case, clock.today())] if one.pk not in but}
    for person in told.values():
        notify(user=person, kind="case.acute", source=f"case.acute:{cause}:{person.pk}", case=case.pk)


def tell_case(by: User, case: Case, call: Call) -> None:
    """A call, its urgency and its notes in the timeline of its case."""
    if call.entered_late:
        took_place = timezone.localtime(call.received_at).strftime("%Y-%m-%d %H.%M")
        record("call.entered_late", by=by, case=case, row=call.pk, when=took_place)
    kind = "call.consulted" if call.is_consultation else "call.completed"
    codes: dict[str, Any] = {"minutes": call.minutes, "urgency": call.urgency, "caller": call.caller_type}
    record(kind, by=by, case=case, call=call, row=call.pk, **codes)
    record("urgency.confirmed", by=by, case=case, text=call.urgency_reason, row=call.pk, urgency=call.urgency)
    record(
        "actualisation.decided",
        by=by,
        case=case,
        text=call.actualisation_reason,
        row=call.pk,
        answer=call.actualisation,
    )
    for note in (note for note in call.note_rows if note.text and not note.about):
        record("note.signed", by=by, case=case, note=note, row=note.pk, note_kind=note.kind)
    tell_measures(by, case, call)


def open_with_reason(*, by: User, case: Case, reason: str, words: str = "") -> CaseOpening:
    """Open a case of the unit that is not one's own. The reason is logged and stands in the timeline; it holds some hours.
    Raises Refused; a case with protected personal data is open to named staff alone."""
    if case.is_protected:
        raise Refused(_("The data are protected: only the owner and named colleagues open it."))
    if reason not in triage.codes("opening_reasons"):
        raise Refused(_("Choose why you open this case."))
    if reason == "other" and not words.strip():
        raise Refused(_("Say why you open this case."))
    with transaction.atomic():
        opening = CaseOpening.objects.create(
            case=case,
            user=by,
            reason=reason,
            words=words.strip(),
            at=clock.now(),
            until=clock.now() + dt.timedelta(hours=CaseOpening.HOURS),
        )
        record("case.opened_by_other", by=by, case=case, text=words.strip(), row=opening.pk, reason=reason)
    return opening


def reassign_case(*, by: User, case: Case, to: User, handover: str = "", mails: bool = True) -> None:
    """Give a case to another worker of the unit, with its open steps. `handover` is what the new owner must know; without
    it the person has been bounced. Nobody gives a protected case to themselves, since its owner reads it. The new owner is
    told; by mail too, unless another mail of the same moment says it (`mails`). Raises Refused or TooLate: of two that give
    it away at once, the second is told who has it now."""
    with transaction.atomic():
        had = case.owner_id  # as whoever gives it away has seen it
        case = lock(case)
        if case.is_open and case.owner_id != had:
            raise TooLate(_("%(name)s has the case already.") % {"name": case.owner})
        to = User.objects.select_for_update().get(pk=to.pk)  # nobody is switched off while a case comes to them
        if to.unit_id != case.unit_id or not to.is_in_use:
            raise Refused(_("Only a colleague of the same unit can take the case."))
        if is_locked_out(to, case.pk):
            raise Refused(_("%(name)s is locked out of this one. Choose another colleague.") % {"name": to})
        if to.pk == by.pk and not may_hold(case, by):
            raise Refused(
                _("The data are protected: nobody takes the case themselves. Give it to a colleague."), at="to"
            )
        if not Case.objects.filter(pk=case.pk, owner=case.owner, closed_at__isnull=True).update(owner=to):
            raise TooLate(_("The case is closed."))
        case.steps.planned().update(owner=to)
        event = record("case.reassigned", by=by, case=case, text=handover.strip(), row=to.pk, to=str(to))
        if not handover.strip():
            changed_hands(by=by, case=case, event=event, before=case.owner, to=to)
        notify(user=to, kind="case.assigned", source=f"case.assigned:{event.pk}", case=case.pk, mails=mails)


def close_case(*, by: User, case: Case, reason: str) -> None:
    """Close a case. Refused while a step waits: ours is done or cancelled first, a handover's ends with the handover."""
    if reason not in triage.codes("closing_reasons"):
        raise Refused(_("Choose why the case is closed."))
    with transaction.atomic():
        case = lock(case)
        waiting = list(case.steps.planned().select_related("case__key").in_order())
        if waiting:
            raise Refused(_("The case cannot be closed while a step waits: %(step)s.") % {"step": waiting[0].title})
        _check_acute(case)
        set_next_due(case)
        closed = Case.objects.filter(pk=case.pk, closed_at__isnull=True).update(
            closed_at=clock.now(), closed_by=by, closing_reason=reason
        )
        if not closed:
            raise TooLate(_("The case is already closed."))
        record("case.closed", by=by, case=case, row=case.pk, reason=reason)
        for also in CLOSED:
            also(case)


def _check_acute(case: Case) -> None:
    """Nothing acute is left to do: each line is done, or somebody has said why not. Raises Refused."""
    left = ", ".join(line.label for line in left_in(case))
    if left:
        text = _(
            "The case cannot be closed while something acute is left: %(lines)s. Tick or explain it in the red list."
        )
        raise Refused(text % {"lines": left})
