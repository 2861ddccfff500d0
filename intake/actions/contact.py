"""Reaching the person: prepared by reading how, the number seen by the owner alone, written down, and erased in time."""

import logging
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused
from helpline.people.models import User
from intake.actions.cases import NUMBER_KEPT
from intake.actions.timeline import just_written, lock, record
from intake.models import Call, Case, Event, Person

OUTCOMES = ("reached", "no_answer", "message")
LONGEST_NUMBER = 40  # characters
BATCH = 50
logger = logging.getLogger(__name__)


def prepare_contact(*, by: User, case: Case) -> None:
    """Somebody has read how the person may be reached, before a contact."""
    with transaction.atomic():
        log("contact.prepared", by=by, case=case.pk, row=case.pk)


def show_numbers(*, by: User, case: Case) -> list[Person]:
    """Those whose number is known, for the owner alone; each look is logged. Raises Refused for others, logged too."""
    if case.owner_id != by.pk:
        log("number.refused", by=by, case=case.pk, row=case.pk)
        raise Refused(_("Only the owner sees the number."))
    with transaction.atomic():
        found = with_number(case)
        for person in found:
            log("number.shown", by=by, case=case.pk, row=person.pk)
    return found


def with_number(case: Case) -> list[Person]:
    """Those of a case who can be called back, in the order in which they came."""
    people = case.people.select_related("case__key").filter(phone_until__gt=clock.now()).order_by("pk")
    return [person for person in people if person.has_number]


def log_contact(
    *, by: User, case: Case, outcome: str, text: str = "", keep_number: bool = False, person: Person | None = None
) -> Event:
    """Write that we called, and what came of it: a failed attempt is an event too. Who was reached has been called back:
    the number (that of `person`, else all) is erased, unless another call on it is agreed. The same words pressed twice are
    one attempt; two without words are two. Raises Refused."""
    if outcome not in OUTCOMES:
        raise Refused(_("Say whether you reached the person."), at="outcome")
    with transaction.atomic():
        case = lock(case)
        if outcome == "message" and not may_leave_message(case):
            raise Refused(_("It is not agreed that we leave a message."), at="outcome")
        for before in just_written(by, case, f"contact.{outcome}"):
            if text.strip() and before.text == text.strip():
                return before
        event = record(f"contact.{outcome}", by=by, case=case, text=text.strip())
        if outcome == "reached":
            _called_back(by, case, person, keep=keep_number)
    return event


def may_leave_message(case: Case) -> bool:
    """Whether the person has said that we may."""
    return case.safe.values.get("voicemail") == "yes"


def set_number(*, by: User, case: Case, phone: str) -> Person:
    """Write the number to call the caller back on, for fourteen days. The owner alone. Raises Refused."""
    if not phone.strip() or not any(letter.isdigit() for letter in phone) or len(phone) > LONGEST_NUMBER:
        raise Refused(_("Write a phone number."), at="phone")
    with transaction.atomic():
        case = lock(case)
        if case.owner_id != by.pk:
            log("number.refused", by=by, case=case.pk, row=case.pk)
            raise Refused(_("Only the owner writes the number."), at="phone")
        caller = case.people.filter(part="caller").order_by("pk").first() or Person(case=case, part="caller")
        caller.case, caller.phone, caller.phone_until = case, phone.strip(), clock.now() + NUMBER_KEPT
        caller.save()
        record("number.written", by=by, case=case, row=caller.pk)
    return caller


def erase_numbers() -> int:
    """Erase every number whose time is up, of people in cases and of calls that nobody finished. Returns how many. Two at
    once never hold the same row; a crash is a rollback of one batch, and the next run goes on."""
    return _in_batches(_due_people(), _erase_of_person) + _in_batches(_due_calls(), _erase_of_call)


def _due_people() -> QuerySet[Any]:
    """The case is held too, so that no two wait for each other."""
    due = Person.everybody.filter(phone_until__lte=clock.now()).select_related("case__key")
    return due.select_for_update(skip_locked=True, of=("self", "case"))


def _due_calls() -> QuerySet[Any]:
    """By when the call came; one that was entered afterwards came long before, and counts from when it was last written."""
    limit = clock.now() - NUMBER_KEPT
    old = Q(entered_late=False, received_at__lte=limit) | Q(entered_late=True, saved_at__lte=limit)
    return Call.objects.unfinished().filter(old).exclude(phone=b"").select_for_update(skip_locked=True, of=("self",))


def _in_batches(due: QuerySet[Any], erase: Any) -> int:
    erased, failed = 0, set[object]()
    while True:
        with transaction.atomic():
            rows = list(due.exclude(pk__in=failed).order_by("pk")[:BATCH])
            for row in rows:
                try:
                    with transaction.atomic():
                        erase(row)
                    erased += 1
                except Exception as error:  # one row that cannot be erased keeps no other waiting
                    logger.error("a number could not be erased: %s", type(error).__name__)
                    failed.add(row.pk)
        if len(rows) < BATCH:
            return erased


def _erase_of_person(person: Person) -> None:
    forget_number(by=None, case=person.case, person=person)


def _erase_of_call(call: Call) -> None:
    Call.objects.filter(pk=call.pk).update(phone=b"")
    log("number.erased", by=None, call=call.pk, row=call.pk)


def _called_back(by: User, case: Case, person: Person | None, *, keep: bool) -> None:
    reached = [one for one in with_number(case) if person is None or one.pk == person.pk]
    for one in reached:
        if keep:
            Person.objects.filter(pk=one.pk).update(phone_until=clock.now() + NUMBER_KEPT)
            log("number.kept", by=by, case=case.pk, row=one.pk)
        else:
            forget_number(by=by, case=case, person=one)


def forget_number(*, by: User | None, case: Case, person: Person) -> None:
    """Erase a number, within the transaction of what made it needless."""
    Person.everybody.filter(pk=person.pk).update(phone=b"", phone_until=None)
    record("number.erased", by=by, case=case, row=person.pk)
