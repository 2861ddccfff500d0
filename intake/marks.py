"""The keyed index of exact search: which marks a person of a case, or who called without one, must have. It follows the words
on the one way that all words go (sealed.WRITTEN, sealed.FORGOTTEN), so that no act can forget it."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from helpline.people.sealed import DataKey, IndexKey, SealedModel
from intake.models import Call, Person, SearchMark

NAME, NUMBER = SearchMark.Kind.NAME, SearchMark.Kind.NUMBER
BATCH = 200
Mark = tuple[str, str]  # kind, keyed hash

PARTS_OF_NAME = re.compile(r"[\s,;]+")
HYPHENS = re.compile(r"[\u2010-\u2015\u2212]")
APOSTROPHES = re.compile(r"[\u2018\u2019\u02bc\u00b4`]")


def plain_name(name: str) -> str:
    """A whole name as it is compared: capitals, the order of its parts, a comma between them and whether an accent is a
    character of its own do not matter; all else does."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")  # what is not seen
    text = APOSTROPHES.sub("'", HYPHENS.sub("-", text))
    return " ".join(sorted(part.strip(".") for part in PARTS_OF_NAME.split(text) if part.strip(".")))


def marks_of(row: Person | Call) -> set[Mark]:
    """The marks of what stands in a row now; none of who is off the list, of a call that is not at an end or is in its case,
    and of what is forgotten."""
    if isinstance(row, Person):
        name, number = ("", "") if row.unlisted_at else (row.name, row.personal_number)
    else:
        ended = row.is_finished and row.case_id is None
        name, number = (row.caller_name, row.personal_number) if ended else ("", "")
    wanted = [(NAME, plain_name(name)), (NUMBER, number)]
    key = IndexKey.current() if any(text for _kind, text in wanted) else None
    return {(str(kind), key.mark(kind, text)) for kind, text in wanted if key and text}


def follow_words(row: SealedModel, is_new: bool) -> None:
    """Make the marks of a row that was written what its words say. A call has none before it is at an end."""
    if isinstance(row, Person) or (isinstance(row, Call) and row.is_finished):
        set_marks(row, is_new=is_new)


def forget_marks(key: DataKey) -> None:
    """The words under this key are gone: so are their marks."""
    SearchMark.objects.filter(Q(case__key=key.pk) | Q(call__key=key.pk)).delete()


def set_marks(row: Person | Call, *, is_new: bool = False) -> tuple[int, int]:
    """Add the marks that are missing and remove those that are wrong. Returns how many of each. A row that `is_new` has none
    yet."""
    wanted, theirs = marks_of(row), SearchMark.objects.none() if is_new else _theirs(row)
    there = {(mark.kind, mark.mark): mark.pk for mark in theirs}
    wrong = [pk for mark, pk in there.items() if mark not in wanted]
    if wrong:
        SearchMark.objects.filter(pk__in=wrong).delete()
    missing = [SearchMark(**_whose(row), kind=kind, mark=mark) for kind, mark in sorted(wanted - there.keys())]
    if missing:
        SearchMark.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing), len(wrong)


def _theirs(row: Person | Call) -> QuerySet[SearchMark]:
    return SearchMark.objects.filter(person=row) if isinstance(row, Person) else row.search_marks.all()


def _whose(row: Person | Call) -> dict[str, Any]:
    return {"case_id": row.case_id, "person": row} if isinstance(row, Person) else {"call": row}


def drift() -> tuple[int, int]:
    """How many marks are missing, and how many are there that should not be; nothing is changed."""
    missing, wrong = 0, _strays().count()
    for row in _rows():
        wanted, there = marks_of(row), set(_theirs(row).values_list("kind", "mark"))
        missing, wrong = missing + len(wanted - there), wrong + len(there - wanted)
    return missing, wrong


def rebuild() -> tuple[int, int]:
    """Make the index anew from the words, while others work. Returns how many marks were missing and how many wrong."""
    wrong, _by_model = _strays().delete()
    missing = 0
    for row in _rows():
        with transaction.atomic():
            held = _held(row)
            if held is not None:
                added, removed = set_marks(held)
                missing, wrong = missing + added, wrong + removed
    return missing, wrong


def _strays() -> QuerySet[SearchMark]:
    """Marks of no person in a case, and of no call."""
    return SearchMark.objects.filter(person__isnull=True, call__isnull=True)


def _rows() -> Iterator[Person | Call]:
    """Every row that may have marks."""
    yield from Person.everybody.select_related("case__key").order_by("pk").iterator(BATCH)
    named = ~Q(caller_name=b"") | ~Q(personal_number=b"") | Q(search_marks__isnull=False)
    yield from Call.objects.filter(named).select_related("key").order_by("pk").distinct().iterator(BATCH)


def _held(row: Person | Call) -> Person | Call | None:
    """The row as it is now, held until the transaction ends; None where it was disposed of meanwhile."""
    if isinstance(row, Person):
        people = Person.everybody.select_related("case__key").select_for_update(of=("self",))
        return people.filter(pk=row.pk).first()
    return Call.objects.select_related("key").select_for_update(of=("self",)).filter(pk=row.pk).first()
