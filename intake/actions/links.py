"""Cases that belong together: a manager says so, with a reason. Until then nothing tells one of the other."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import User
from intake.actions.timeline import lock, record
from intake.codes import normalise
from intake.models import Case, CaseLink, Event
from intake.models.cases import locked_cases

FIELDS = ("one", "other")


def link_cases(*, by: User, one: str, other: str, reason: str) -> CaseLink:
    """Tie two cases of the unit together, by their numbers. The one who does it reads neither. Raises Refused."""
    if not reason.strip():
        raise Refused(_("Say why they belong together."), at="reason")
    with transaction.atomic():
        pair = [_find(by, number, at) for number, at in zip((one, other), FIELDS, strict=True)]
        if pair[0].pk == pair[1].pk:
            raise Refused(_("That is the same number twice."), at="other")
        first, second = (lock(case) for case in sorted(pair, key=lambda case: case.pk))
        if CaseLink.objects.filter(one=first, other=second, ended_at__isnull=True).exists():
            raise TooLate(_("They are tied together already."), at="other")
        link = CaseLink.objects.create(one=first, other=second, by=by, at=clock.now(), reason=reason.strip())
        _tell("case.linked", by, link)
    return link


def unlink_cases(*, by: User, link: CaseLink) -> None:
    """End a link: neither tells of the other any more, but for what stands in their timelines. Raises TooLate."""
    with transaction.atomic():
        ended = CaseLink.objects.filter(pk=link.pk, ended_at__isnull=True).update(ended_at=clock.now(), ended_by=by)
        if not ended:
            raise TooLate(_("Somebody has ended this already."))
        _tell("case.unlinked", by, link)


def links_of(user: User, *, ended: bool = False) -> QuerySet[CaseLink]:
    """The links of this person's unit that are in force; `ended`: also those that are no longer. Newest first."""
    found = CaseLink.objects.filter(one__unit=user.unit_id, one__unit__isnull=False)
    locked = locked_cases(user)
    found = found.exclude(one__in=locked).exclude(other__in=locked)
    found = found if ended else found.filter(ended_at__isnull=True)
    return found.select_related("one__key", "other", "by").order_by("-at", "-pk")


def linked_with(case: Case, reader: User) -> list[Case]:
    """The cases that a manager has tied to this one: number and owner, nothing else of them; none that this reader is
    locked out of."""
    locked = set(locked_cases(reader).values_list("case", flat=True))
    links = CaseLink.objects.filter(Q(one=case) | Q(other=case), ended_at__isnull=True).order_by("at", "pk")
    found = [link.other if link.one_id == case.pk else link.one for link in links.select_related("one", "other")]
    return [other for other in found if other.pk not in locked]


def without_locked(events: QuerySet[Event], reader: User) -> QuerySet[Event]:
    """A timeline without the lines that name a case which this reader is locked out of."""
    numbers = [str(case) for case in Case.objects.filter(pk__in=locked_cases(reader))]
    return events.exclude(kind__in=["case.linked", "case.unlinked"], codes__to__in=numbers) if numbers else events


def _find(by: User, number: str, at: str) -> Case:
    code = normalise(number)
    case = Case.objects.visible_to(by).filter(code=code).first() if code else None
    if case is None:
        log("case.searched", by=by, row=code or "unknown", found=False)
        raise Refused(_("The unit has nothing with that number."), at=at)
    return case


def _tell(kind: str, by: User, link: CaseLink) -> None:
    for case, other in ((link.one, link.other), (link.other, link.one)):
        record(kind, by=by, case=case, row=link.pk, to=str(other))
