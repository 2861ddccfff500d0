"""What is forgotten by law: proposed by one, approved by another, carried out one case at a time, and asked again each time."""

import logging
import uuid
from collections.abc import Collection, Iterable, Mapping

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpline.forgetting import past_of, remove
from helpline.people import clock
from helpline.people.access import may
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Disposal, DisposalItem, Notice, Role, Unit, User, in_use
from helpline.people.notices import notify
from helpline.retention import KEPT_FOR, RULES
from helpline.retention_rows import HELD, LEFT_OUT, MOST, RELEASED, Found, exempted, in_a_list, reached, standing_of
from intake.actions.timeline import lock, record
from intake.models import Call, Case
from intake.models.cases import in_locked
from intake.search import calls_known_to, known_to

# Why a row was left out by itself, when it was to be carried out.
BY_ITSELF = {
    "open": gettext_lazy("It was opened again, or something is going on"),
    "entry": gettext_lazy("Something was written since: the time begins anew"),
    "named": gettext_lazy("The timeline of another names the call"),
    "research": gettext_lazy("It is kept for research (SoL 16:4)"),
    "place": gettext_lazy("It is kept for research (SoL 16:4)"),
    "held": gettext_lazy("A manager keeps it"),
    "gone": gettext_lazy("It was gone already"),
}
DUE, PROPOSED, DONE = "disposal.due", "disposal.proposed", "disposal.done"
NOTICES = {
    DUE: gettext_lazy("There is something to delete by law"),
    PROPOSED: gettext_lazy("A list of what is to be deleted waits for your approval"),
    DONE: gettext_lazy("What you proposed is deleted"),
}
logger = logging.getLogger(__name__)


# -- propose and approve -----------------------------------------------------------------------------------------------


def due_in(unit: Unit, user: User | None = None) -> list[Found]:
    """What is due in a unit and stands in no list yet; the first of them, where they are very many."""
    return due_of(reached(unit, user))


def due_of(rows: list[Found]) -> list[Found]:
    """Those of these whose day has come that nothing keeps and that stand in no list yet."""
    found = [one for one in rows if one.standing.is_due]
    listed = in_a_list({one.row.pk for one in found})
    return [one for one in found if one.row.pk not in listed][:MOST]


def propose(*, by: User) -> Disposal:
    """Make a list of what is due in one's own unit. Nothing is deleted. Raises Refused where nothing is due."""
    with transaction.atomic():
        unit = Unit.objects.select_for_update().get(pk=by.unit_id or 0)  # two at once make one list after the other
        found = due_in(unit, by)
        if not found:
            raise Refused(_("Nothing is due that is not in a list already."))
        made = Disposal.objects.create(proposed_by=by, unit=unit, proposed_at=clock.now())
        DisposalItem.objects.bulk_create([_item(made, one) for one in found])
        log("disposal.proposed", by=by, row=made.pk, items=len(found))
        for other in approvers(made):
            notify(user=other, kind=PROPOSED, source=f"{PROPOSED}:{made.pk}:{other.pk}", about=str(made.pk))
    return made


def _item(disposal: Disposal, found: Found) -> DisposalItem:
    is_case = isinstance(found.row, Case)
    whose = {"case": found.row.pk} if is_case else {"call": found.row.pk}
    rule, due_on = found.standing.rule.key, found.standing.due_on or clock.today()  # what is due has a day
    return DisposalItem(disposal=disposal, number=found.number, rule=rule, due_on=due_on, **whose)


def approvers(disposal: Disposal) -> list[User]:
    """Who may approve it: the unit's other managers; where there is none, those who review logs."""
    active = User.objects.filter(in_use()).exclude(pk=disposal.proposed_by_id or 0)
    managers = [one for one in active.filter(role=Role.MANAGER, unit=disposal.unit_id) if may_approve(one, disposal)]
    return managers or [one for one in active.filter(role=Role.REVIEWER) if may_approve(one, disposal)]


def visible_to(user: User) -> QuerySet[Disposal]:
    """The lists that this person may see: a manager those of the unit, who reviews logs all; none with a case that this one is
    locked out of."""
    lists = Disposal.objects.all() if user.role == Role.REVIEWER else Disposal.objects.filter(unit=user.unit_id or 0)
    hers = DisposalItem.objects.filter(disposal=OuterRef("pk"), case__in=in_locked(user))
    return lists.exclude(Exists(hers)) if may(user, "approve_disposal") else lists.none()


def masked_for(user: User, cases: Iterable[uuid.UUID], calls: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these with protected data that are not this person's to know of: a list has their number, and neither rule nor
    day, which may tell when somebody was born. Counted they are as the others."""
    of_cases = (
        Case.objects.filter(pk__in=list(cases)).exclude(protection="none").exclude(pk__in=known_to(user).values("pk"))
    )
    of_calls = Call.objects.filter(pk__in=list(calls)).exclude(protection="none")
    of_calls = of_calls.exclude(pk__in=calls_known_to(user).values("pk"))
    return {*of_cases.values_list("pk", flat=True), *of_calls.values_list("pk", flat=True)}


def waiting_lists(user: User) -> QuerySet[Disposal]:
    """The lists that wait for the approval of this person."""
    waits = visible_to(user).filter(approved_at__isnull=True, refused_at__isnull=True)
    return waits.exclude(proposed_by=user)


def may_approve(user: User, disposal: Disposal) -> bool:
    """Whether this person is another than who proposed it, and may."""
    return user.pk != disposal.proposed_by_id and visible_to(user).filter(pk=disposal.pk).exists()


def approve(
    *, by: User, disposal: Disposal, left_out: Mapping[int, str], taken_back: Collection[int] = frozenset()
) -> None:
    """Say yes to a list that somebody else proposed; `left_out`: item -> why it is not deleted. What was exempted in an
    earlier list stays so, for the same reason, unless its item is among `taken_back`. It is carried out afterwards. Raises
    Refused, or TooLate where it is decided already."""
    if not may_approve(by, disposal):
        raise Refused(_("Somebody else than who proposed the list approves it."))
    if not set(left_out.values()) <= LEFT_OUT.keys():
        raise Refused(_("Choose why a row is left out."))
    with transaction.atomic():
        earlier = exempted_in(disposal.items.all())
        decided = Disposal.objects.filter(pk=disposal.pk, approved_at__isnull=True, refused_at__isnull=True)
        if not decided.update(approved_at=clock.now(), approved_by=by):
            raise TooLate(_("This list is decided already."))
        kept = {pk: item.left_out_why for pk, item in earlier.items() if pk not in taken_back}
        kept.update(left_out)
        for item in disposal.items.filter(pk__in=kept):
            DisposalItem.objects.filter(pk=item.pk).update(left_out_at=clock.now(), left_out_why=kept[item.pk])
        for item in disposal.items.filter(pk__in=earlier.keys() - kept.keys()):
            log("disposal.exemption_ended", by=by, case=item.case, call=item.call, row=disposal.pk)
        log("disposal.approved", by=by, row=disposal.pk, left_out=len(kept))


def exempted_in(items: Iterable[DisposalItem]) -> dict[int, DisposalItem]:
    """Item -> the row of an earlier list from which the same case or call was exempted, where that still holds: of the items
    of a list that is not yet approved."""
    whose = {item.pk: item.case or item.call for item in items}
    earlier = exempted({pk for pk in whose.values() if pk})
    return {pk: earlier[about] for pk, about in whose.items() if about in earlier}


def refuse(*, by: User, disposal: Disposal) -> None:
    """Say no to a whole list, or take it back where it is one's own: nothing is deleted, and it can be proposed anew. Raises
    TooLate where it is decided already."""
    with transaction.atomic():
        waits = Disposal.objects.filter(pk=disposal.pk, approved_at__isnull=True, refused_at__isnull=True)
        if not waits.update(refused_at=clock.now()):
            raise TooLate(_("This list is decided already."))
        log("disposal.refused", by=by, row=disposal.pk, own=by.pk == disposal.proposed_by_id)


# -- carry out ---------------------------------------------------------------------------------------------------------


def carry_out() -> int:
    """Delete what is approved, one case or call a transaction. Returns how many. Two at once never take the same; what was
    killed in the middle goes on the next time; one that cannot be deleted keeps no other waiting."""
    done, failed = 0, set[int]()
    while True:
        with transaction.atomic():
            waits = _approved().exclude(pk__in=failed).order_by("pk")
            item = waits.select_for_update(skip_locked=True, of=("self",)).select_related("disposal").first()
            if item is None:
                break
            try:
                with transaction.atomic():
                    done += _carry_out(item)
            except Exception as error:
                logger.error("an item of a disposal failed: %s", type(error).__name__)
                failed.add(item.pk)
    _finish()
    return done


def _approved() -> QuerySet[DisposalItem]:
    return DisposalItem.objects.filter(
        disposal__approved_at__isnull=False,
        disposal__refused_at__isnull=True,
        done_at__isnull=True,
        left_out_at__isnull=True,
    )


def _carry_out(item: DisposalItem) -> bool:
    """Ask the rule again, now that the row is held, and delete. False where it is left out."""
    target = _held(item)
    why = _why_not(target)
    if target is None or why:
        DisposalItem.objects.filter(pk=item.pk).update(left_out_at=clock.now(), left_out_why=why)
        log("disposal.left_out", by=None, case=item.case, call=item.call, row=item.disposal_id, reason=why)
        return False
    _remove(item, target)
    return True


def _held(item: DisposalItem) -> Case | Call | None:
    """The case or the call of an item, held so that nobody writes in it meanwhile."""
    try:
        if item.case:
            return lock(Case(pk=item.case))
        return Call.objects.select_for_update(of=("self", "key")).select_related("key", "unit").get(pk__in=[item.call])
    except (Case.DoesNotExist, Call.DoesNotExist):
        return None


def _why_not(target: Case | Call | None) -> str:
    """Why it is not deleted now; empty where nothing is against it."""
    if target is None:
        return "gone"
    now = standing_of(target)
    return now.kept or ("" if now.is_due else "entry")


def _remove(item: DisposalItem, target: Case | Call) -> None:
    """Delete a held case or call within the transaction that its item names: there the triggers let it go."""
    if RULES[item.rule].counts and (past := past_of(target)):
        past.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_disposalitem SET doing = txid_current() WHERE id = %s", [item.pk])
    remove(target)
    DisposalItem.objects.filter(pk=item.pk).update(doing=None, done_at=clock.now())
    log(
        "case.disposed" if item.case else "call.disposed", by=None, case=item.case, call=item.call, row=item.disposal_id
    )


def _finish() -> None:
    """A list of which nothing waits any more is done, and its proposer is told."""
    waits = DisposalItem.objects.filter(disposal=OuterRef("pk"), done_at__isnull=True, left_out_at__isnull=True)
    approved = Disposal.objects.filter(approved_at__isnull=False, refused_at__isnull=True, done_at__isnull=True)
    for one in approved.exclude(Exists(waits)).select_related("proposed_by"):
        with transaction.atomic():
            if Disposal.objects.filter(pk=one.pk, done_at__isnull=True).update(done_at=clock.now()):
                log("disposal.done", by=None, row=one.pk, items=one.items.filter(done_at__isnull=False).count())
                if one.proposed_by:
                    notify(user=one.proposed_by, kind=DONE, source=f"{DONE}:{one.pk}", about=str(one.pk))


def dispose_again(cases: Iterable[uuid.UUID], calls: Iterable[uuid.UUID]) -> int:
    """Delete again what was disposed of before and has come back with a backup. Needs no new approval: the item of its old,
    approved list must be there, carried out (restore the rows of people_disposal and people_disposalitem first), or the
    database refuses. What is not there (any more) is passed over, so it is harmless when run twice. The rule is not asked
    again: it was when it was deleted. Returns how many were deleted."""
    old = DisposalItem.objects.filter(Q(case__in=list(cases)) | Q(call__in=list(calls)), done_at__isnull=False)
    done = 0
    for item in old.filter(disposal__approved_at__isnull=False).order_by("pk"):
        with transaction.atomic():
            target = _held(item)
            if target is not None:
                was = item.done_at
                _remove(item, target)
                DisposalItem.objects.filter(pk=item.pk).update(done_at=was)
                done += 1
    return done


# -- what a manager keeps, and who is reminded -------------------------------------------------------------------------


def keep(*, by: User, case: Case, reason: str, words: str) -> None:
    """Keep a case beyond the rules, with a reason. Twice does it once. Raises Refused."""
    if reason not in KEPT_FOR:
        raise Refused(_("Choose why it is kept."), at="reason")
    if not words.strip():
        raise Refused(_("Say which decision or request it is."), at="words")
    with transaction.atomic():
        case = lock(case)
        if standing_of(case).why != reason:
            record(HELD, by=by, case=case, text=words.strip(), row=case.pk, reason=reason)


def keep_no_longer(*, by: User, case: Case) -> None:
    """The rules hold again. Twice does it once."""
    with transaction.atomic():
        case = lock(case)
        if standing_of(case).kept == "held":
            record(RELEASED, by=by, case=case, row=case.pk)


def remind_managers() -> int:
    """Once a month, and as long as something is due that is not exempted: the managers of a unit hear of it. Returns how
    many notices."""
    made = 0
    told = set(Notice.objects.filter(kind=DUE).values_list("source", flat=True))
    for unit in Unit.objects.all():
        managers = User.objects.filter(in_use(), role=Role.MANAGER, unit=unit)
        sources = {f"{DUE}:{unit.pk}:{clock.today():%Y-%m}:{one.pk}": one for one in managers}
        if sources.keys() - told and _goes(due_in(unit)):
            made += sum(notify(user=one, kind=DUE, source=source) for source, one in sources.items())
    return made


def _goes(found: list[Found]) -> bool:
    """Whether any of these is not exempted."""
    return bool({one.row.pk for one in found} - exempted({one.row.pk for one in found}).keys())
