"""Break-glass: a case that is open to named staff alone, or belongs to another unit, opened in an emergency; and the review
that each such opening must have, by somebody else."""

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Role, User, in_use
from helpline.people.notices import notify
from helpline.people.workdays import add_working_days, is_at_work, local
from intake.actions.timeline import lock, record
from intake.codes import normalise
from intake.labels import EMERGENCIES
from intake.models import Case, CaseOpening
from intake.models.cases import LockedOut, in_locked
from intake.whose import locked_out

WRONG, WITHIN = 5, dt.timedelta(minutes=15)  # so many wrong numbers, and then a wait
WRONG_IN_A_DAY = 20
REVIEWED_WITHIN = 2  # working days
A_DAY = dt.timedelta(days=1)
REVIEWER_AFTER = 3  # working days: then the log reviewer hears of it too, and may do it


# -- opened ------------------------------------------------------------------------------------------------------------


def open_in_emergency(*, by: User, number: str, reason: str, words: str) -> CaseOpening:
    """Open a case by its exact number, for two hours. A number that is wrong, absent, or of a case that this person is
    locked out of is told alike. Raises Refused, `at` the field. A reason is asked for before the number is looked up."""
    if reason not in EMERGENCIES:
        raise Refused(_("Choose why you open this case."), at="reason")
    if not words.strip():
        raise Refused(_("Say why you open this case."), at="words")
    if _must_wait(by):
        log("opening.refused", by=by, row="too_many", why="emergency")
        raise Refused(_("There have been too many wrong numbers. Wait 15 minutes, or ask a unit manager."), at="number")
    found = _find(by, number)
    if found is None:
        log("opening.refused", by=by, row=normalise(number) or "unknown", why="emergency")
        raise Refused(_("There is nothing with that number. Look at each word and both figures again."), at="number")
    return _open(by, found, reason, words.strip())


def _find(by: User, number: str) -> Case | None:
    """The case with this number: of any unit, not practice, and not without words."""
    code = normalise(number)
    cases = Case.objects.filter(is_practice=False, key__wrapped__isnull=False).exclude(pk__in=in_locked(by))
    return cases.select_related("key", "owner", "unit").filter(code=code).first() if code else None


def _must_wait(by: User) -> bool:
    """Whether this person gave too many wrong numbers: numbers are not to be guessed."""
    now = clock.now()
    wrong = LogEntry.objects.filter(user=by, event="opening.refused").exclude(row="too_many")
    lately = wrong.filter(at__gt=now - WITHIN).count()
    return lately >= WRONG or wrong.filter(at__gt=now - dt.timedelta(days=1)).count() >= WRONG_IN_A_DAY


def _open(by: User, found: Case, reason: str, words: str) -> CaseOpening:
    """One opening that holds, with its line and its row; pressed twice it is one. Who must review it is told."""
    with transaction.atomic():
        case = lock(found)
        if case.is_forgotten or LockedOut.objects.in_force().filter(case=case, user=by).exists():
            raise TooLate(
                _("There is nothing with that number. Look at each word and both figures again."), at="number"
            )
        same = CaseOpening.objects.filter(case=case, user=by, is_emergency=True, until__gt=clock.now()).first()
        if same is not None:
            return same
        until = clock.now() + dt.timedelta(hours=CaseOpening.EMERGENCY_HOURS)
        codes = {"reason": reason, "is_emergency": True, "at": clock.now(), "until": until}
        opening = CaseOpening.objects.create(case=case, user=by, words=words, **codes)
        record("opening.made", by=by, case=case, text=words, row=opening.pk, right="emergency", reason=reason)
        for person in reviewers_of(opening):
            notify(user=person, kind="opening.made", source=f"opening:{opening.pk}:{person.pk}", case=case.pk)
    return opening


# -- reviewed ----------------------------------------------------------------------------------------------------------


def to_review(user: User) -> QuerySet[CaseOpening]:
    """The openings that wait for this person's review, the oldest first: a manager's, those of the unit's cases, never one's
    own and never of a case that one is locked out of; the log reviewer's, those that no manager can review, and those
    that none has reviewed in time."""
    waiting = CaseOpening.objects.filter(is_emergency=True, reviewed_at__isnull=True).exclude(user=user)
    waiting = waiting.select_related("case__key", "case__unit", "case__owner", "user__unit").order_by("at", "pk")
    if user.role == Role.MANAGER:
        return waiting.filter(case__in=Case.objects.visible_to(user))
    if user.role != Role.REVIEWER or not user.is_in_use:
        return waiting.none()
    return waiting.filter(Q(at__lt=_before_days(REVIEWER_AFTER)) | ~Exists(_managers()))


def review_opening(*, by: User, opening: CaseOpening, verdict: str, words: str = "") -> None:
    """Say whether an opening was justified. Never one's own. The manager says why; the log reviewer sees codes alone and
    writes none. Raises Refused, or TooLate where somebody was first."""
    if verdict not in CaseOpening.Verdict.values:
        raise Refused(_("Choose what you found."), at="verdict")
    if by.pk == opening.user_id or not to_review(by).filter(pk=opening.pk).exists():
        raise _not_theirs(by, opening)
    is_manager = by.role == Role.MANAGER
    if is_manager and not words.strip():
        raise Refused(_("Say what you found."), at="words")
    with transaction.atomic():
        case = lock(opening.case)
        held = CaseOpening.objects.select_for_update(of=("self",)).get(pk=opening.pk)
        if held.reviewed_at is not None:
            raise TooLate(_("Somebody has already reviewed this opening."))
        held.case = case
        held.verdict, held.reviewed_at, held.reviewed_by = verdict, clock.now(), by
        held.review_words = words.strip() if is_manager and not case.is_forgotten else ""
        held.save(update_fields=["verdict", "reviewed_at", "reviewed_by", "review_words"])
        record("opening.reviewed", by=by, case=case, row=held.pk, verdict=verdict)


def _not_theirs(by: User, opening: CaseOpening) -> Refused:
    now = CaseOpening.objects.get(pk=opening.pk)
    if now.reviewed_at is not None and by.pk != now.user_id:
        return TooLate(_("Somebody has already reviewed this opening."))
    return Refused(_("Nobody reviews an opening of their own."))


def _managers() -> QuerySet[User]:
    """Who can review an opening (OuterRef): the managers of the case's unit, but who opened it and who is locked out."""
    out = LockedOut.objects.in_force().filter(case=OuterRef(OuterRef("case"))).values("user")
    return _at_work(Role.MANAGER).filter(unit=OuterRef("case__unit")).exclude(pk=OuterRef("user")).exclude(pk__in=out)


def reviewers_of(opening: CaseOpening) -> list[User]:
    """Who must review an opening: the managers of the case's unit; where there is no other, the log reviewers."""
    but = {opening.user_id, *locked_out(opening.case_id)}
    managers = _at_work(Role.MANAGER).filter(unit=opening.case.unit_id).exclude(pk__in=but)
    return list(managers.order_by("pk")) or log_reviewers(but)


def log_reviewers(but: set[int]) -> list[User]:
    """Those who review logs, over all units."""
    return list(_at_work(Role.REVIEWER).exclude(pk__in=but).order_by("pk"))


def _at_work(role: Role) -> QuerySet[User]:
    """Those of a role who can log in."""
    return User.objects.filter(in_use(), role=role)


# -- late --------------------------------------------------------------------------------------------------------------


def remind_reviews() -> int:
    """Each working day, tell who must review an opening that is late: the managers, and a day later the log reviewers too.
    Returns how many notices. Harmless when run twice or at once."""
    today = clock.today()
    if not is_at_work(clock.now()):
        return 0
    late = CaseOpening.objects.filter(
        is_emergency=True, reviewed_at__isnull=True, at__lt=_before_days(REVIEWED_WITHIN)
    ).select_related("case")
    return sum(_remind(opening, today) for opening in late.order_by("at", "pk"))


def _remind(opening: CaseOpening, today: dt.date) -> int:
    told = {person.pk: person for person in reviewers_of(opening)}
    if opening.at < _before_days(REVIEWER_AFTER):
        told |= {person.pk: person for person in log_reviewers({opening.user_id})}
    source = f"opening.late:{opening.pk}:{today:%y%m%d}"
    return sum(
        notify(user=person, kind="opening.late", source=f"{source}:{person.pk}", case=opening.case_id)
        for person in told.values()
    )


def is_late(opening: CaseOpening) -> bool:
    """Whether the working days for its review have passed."""
    return opening.at < _before_days(REVIEWED_WITHIN)


def _before_days(days: int) -> dt.datetime:
    """The moment before which so many whole working days have passed since."""
    day = clock.today()
    while add_working_days(day - A_DAY, days) >= clock.today():
        day -= A_DAY
    return local(day, dt.time())
