"""Who of the colleagues a manager has named for a protected case, or locked out of a case; and what a higher level of
protection takes away."""

import datetime as dt

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.access import may
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Notice, User
from intake.actions.shifts import waiting_shifts
from intake.actions.timeline import lock, record
from intake.models import Call, Case, CaseOpening, FollowUp, LockedOut, NamedAccess
from intake.whose import is_locked_out, is_named

LONGEST = dt.timedelta(days=731)


def name_staff(*, by: User, case: Case, user: User, until: dt.date | None = None) -> NamedAccess:
    """Let a colleague of the unit open a case with protected personal data. Nobody names themselves. Raises Refused."""
    with transaction.atomic():
        case = lock(case)
        if not case.is_protected:
            raise Refused(_("The data of this one are not protected: colleagues open it with a reason."))
        if user.pk == by.pk:
            raise Refused(_("Nobody names themselves. In an emergency, open it as one."), at="user")
        user = _colleague(case, user)
        if is_locked_out(user, case.pk):
            raise Refused(
                _("%(name)s is locked out of this one. Choose another colleague.") % {"name": user}, at="user"
            )
        _check_last_day(until)
        NamedAccess.objects.filter(case=case, user=user, ended_at__isnull=True).update(
            ended_at=clock.now(), ended_by=by
        )
        made = NamedAccess.objects.create(case=case, user=user, at=clock.now(), by=by, until=until)
        log("staff.named", by=by, case=case.pk, row=made.pk, of=user.pk, until=until.isoformat() if until else "")
    return made


def end_naming(*, by: User, naming: NamedAccess) -> None:
    """The colleague opens it no longer; a step that they had goes back to the owner. Raises TooLate."""
    with transaction.atomic():
        case = lock(naming.case)
        ended = NamedAccess.objects.filter(pk=naming.pk, ended_at__isnull=True)
        if not ended.update(ended_at=clock.now(), ended_by=by):
            raise TooLate(_("Somebody has ended this already."))
        log("staff.naming_ended", by=by, case=case.pk, row=naming.pk, of=naming.user_id)
        keep_to_named(by=by, case=case)


def lock_out(*, by: User, case: Case, user: User, reason: str, until: dt.date | None = None) -> LockedOut:
    """For this colleague the case is not there from now on (conflict of interest). Refused while it, a step of it or a call
    in it is in their hands: nothing may be left in nobody's. Raises Refused, `at` the field."""
    if not reason.strip():
        raise Refused(_("Say why. It is read by the unit's managers alone."), at="reason")
    with transaction.atomic():
        case = lock(case)
        user = _colleague(case, user, works=False)
        if user.pk == by.pk:
            raise Refused(_("Another manager locks you out. Hand the case to a colleague until then."), at="user")
        _check_last_day(until)
        _refuse_while_in_hand(case, user)
        LockedOut.objects.filter(case=case, user=user, ended_at__isnull=True).update(ended_at=clock.now(), ended_by=by)
        made = LockedOut.objects.create(case=case, user=user, at=clock.now(), by=by, reason=reason.strip(), until=until)
        _take_away(by, case, user)
        log("staff.locked_out", by=by, case=case.pk, row=made.pk, of=user.pk, until=until.isoformat() if until else "")
    return made


def end_lock(*, by: User, locked: LockedOut) -> None:
    """The colleague may come to the case again, like the rest of the unit. Raises TooLate."""
    with transaction.atomic():
        case = lock(locked.case)
        if not LockedOut.objects.filter(pk=locked.pk, ended_at__isnull=True).update(ended_at=clock.now(), ended_by=by):
            raise TooLate(_("Somebody has ended this already."))
        log("staff.lock_ended", by=by, case=case.pk, row=locked.pk, of=locked.user_id)


def keep_to_named(*, by: User | None, case: Case) -> None:
    """A case that is protected is its owner's and of who is named: reasons that others gave hold no longer, and steps that
    others had go back to the owner. Emergencies go on, and are reviewed. Who calls this holds the case."""
    if not case.is_protected:
        return
    reasons = CaseOpening.objects.filter(case=case, is_emergency=False, until__gt=clock.now())
    reasons.exclude(user=case.owner).update(until=clock.now())
    for step in case.steps.planned().exclude(owner=case.owner_id or 0).select_related("owner", "case__key"):
        if case.owner is not None and not is_named(case, step.owner):
            FollowUp.objects.planned().filter(pk=step.pk).update(owner=case.owner)
            codes = {**step.codes, "step": step.kind, "to": str(case.owner), "giver": str(step.owner)}
            record("step.given_back", by=by, case=case, row=step.pk, **codes)


def keep_steps_to_named() -> int:
    """Steps of protected cases whose holder is named for them no longer, since the last day has passed, go back to the
    owners. Returns how many cases. Harmless when run twice or at once."""
    in_force = NamedAccess.objects.in_force().filter(case=OuterRef("case"), user=OuterRef("owner"))
    astray = FollowUp.objects.planned().exclude(case__protection="none").exclude(owner=F("case__owner"))
    cases = set(astray.filter(~Exists(in_force)).values_list("case", flat=True))
    for pk in cases:
        with transaction.atomic():
            keep_to_named(by=None, case=lock(Case(pk=pk)))
    return len(cases)


def _colleague(case: Case, user: User, *, works: bool = True) -> User:
    """Held, and of the case's unit. Raises Refused."""
    held = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if held.unit_id != case.unit_id or (works and not may(held, "work_case")):
        raise Refused(_("Choose a colleague of the same unit."), at="user")
    return held


def _check_last_day(until: dt.date | None) -> None:
    if until is not None and not clock.today() <= until <= clock.today() + LONGEST:
        raise Refused(_("Choose a day from today on, within two years."), at="until")


def _refuse_while_in_hand(case: Case, user: User) -> None:
    """Whoever has something of it in hand gives it away first. Raises Refused."""
    if case.is_open and case.owner_id == user.pk:
        text = _("%(name)s has this one. Hand it to a colleague first, then lock %(name)s out.")
        raise Refused(text % {"name": user}, at="user")
    if case.steps.planned().filter(owner=user).exists():
        text = _(
            "%(name)s has a step of this one. Hand the case to a colleague with its steps first, then lock %(name)s out."
        )
        raise Refused(text % {"name": user}, at="user")
    if Call.objects.unfinished().filter(case=case, taken_by=user).exists():
        text = _("%(name)s is in a call in this one. Wait until it is finished, so that no word is lost.")
        raise Refused(text % {"name": user}, at="user")


def _take_away(by: User, case: Case, user: User) -> None:
    """What they could come to it by: a naming, a reason, an emergency, a step of a shift, a notice that is not yet read."""
    now = clock.now()
    NamedAccess.objects.filter(case=case, user=user, ended_at__isnull=True).update(ended_at=now, ended_by=by)
    CaseOpening.objects.filter(case=case, user=user, until__gt=now).update(until=now)
    for shift in waiting_shifts().filter(given_to=user):
        shift.steps.remove(*shift.steps.filter(case=case))
    waiting = Notice.objects.filter(user=user, case=case.pk)
    waiting.filter(seen_at__isnull=True).update(seen_at=now)
    waiting.filter(mail=Notice.Mail.READY).update(mail=Notice.Mail.NONE)
