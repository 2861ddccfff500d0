"""What has come since a worker last looked: each notice in words, the answers of others apart from what the system says."""

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.models import Notice, User
from helpline.people.notices import KINDS
from intake.models import Case

# Notices that are about no case: where they lead.
PLACES = dict.fromkeys(("absence.changed", "access.ending", "access.ended"), "intake:absence-list")
ABOUT_COLLEAGUES = {"search.many"}  # notices that say whom they are about
MOST = 50  # rows; a worker with more than this has other trouble than paging
JUST_NOW = dt.timedelta(minutes=1)  # what was written by then may have been committed after a page was made


@dataclass(frozen=True)
class Told:
    """What somebody outside has answered: who and what, what follows of it, and what is done about it."""

    text: str
    second: str = ""
    verb: str = ""


@dataclass(frozen=True)
class News:
    """One line of what is new."""

    row: Notice
    text: str
    case: Case | None
    second: str = ""
    verb: str = ""
    is_answer: bool = False
    who: User | None = None


# (reader, notices) -> of those that are an answer, what was answered; one statement each, however many they are. Asked for
# cases alone that the reader has a right to. Upper floors add theirs.
ANSWERS: list[Callable[[User, Collection[Notice]], dict[uuid.UUID, Told]]] = []


def unseen(user: User) -> QuerySet[Notice]:
    """What is new to this person; nothing of a case that is not there for them. A change of shift has a place of its own."""
    # Looked up case by case: those of the unit are of all years.
    theirs = Exists(Case.objects.visible_to(user).filter(pk=OuterRef("case")))
    shown = Q(case__isnull=True, kind__in=PLACES) | Q(theirs)
    return user.notices.filter(shown, seen_at__isnull=True)


def news_of(user: User, at_hand: Mapping[uuid.UUID, Case]) -> list[News]:
    """What is new, newest first. Of a protected case no more than that it is acute. `at_hand`: cases of which this person has
    a step, read already. What was answered is told of these and of their own alone; of another, handed on or looked after
    without a step in it, no more than that something has come. Who asks writes to the log which cases were told of."""
    rows = list(unseen(user).order_by("-created_at")[:MOST])
    others = {row.case for row in rows if row.case} - set(at_hand)
    cases = {**at_hand, **(Case.objects.visible_to(user).in_bulk(others) if others else {})}
    theirs = {pk for pk, case in cases.items() if case.owner_id == user.pk or pk in at_hand}
    open_to_read = [row for row in rows if row.case in theirs and not cases[row.case].is_protected]
    answers = {pk: told for said in ANSWERS for pk, told in said(user, open_to_read).items()} if open_to_read else {}
    rows = [row for row in rows if row.case is None or row.case in cases]  # not of what is no longer there for this one
    people = _people_of(rows)
    return [_news(row, cases.get(row.case), answers.get(row.pk), people.get(row.about)) for row in rows]


def _people_of(rows: list[Notice]) -> dict[str, User]:
    """The colleagues whom notices are about."""
    about = [int(row.about) for row in rows if row.kind in ABOUT_COLLEAGUES]
    return {str(pk): user for pk, user in User.objects.in_bulk(about).items()} if about else {}


def _news(row: Notice, case: Case | None, told: Told | None, who: User | None) -> News:
    if told:
        return News(row, told.text, case, told.second, told.verb, is_answer=True)
    masked = case is not None and case.is_protected and row.kind != "case.acute"
    said = _("Protected data") if masked else str(KINDS[row.kind])
    return News(row, said, case, who=who if row.kind in ABOUT_COLLEAGUES else None)


def seen_until(shown: list[News]) -> str:
    """How far a page that is made now shows what is new, as `come_since` reads it. No statement."""
    since = clock.now() - JUST_NOW
    keys = ",".join(one.row.pk.hex for one in shown if one.row.created_at > since)
    return f"{since.isoformat()}~{keys}"


def come_since(user: User, seen: str) -> QuerySet[Notice]:
    """What is new to this person and not on a page with this mark; by the keys of what it shows, for that may have been
    opened meanwhile and is then no longer counted. Raises ValueError for a mark that is none."""
    since, _sign, shown = seen.partition("~")
    moment, keys = dt.datetime.fromisoformat(since), [uuid.UUID(hex=key) for key in shown.split(",") if key]
    if moment.tzinfo is None or len(keys) > MOST:
        raise ValueError(seen)
    return unseen(user).filter(created_at__gt=moment).exclude(pk__in=keys)
