"""What one client of the bench works with: whose cases, which open call, which calls to complete."""

import datetime as dt
import random
import uuid
from dataclasses import dataclass, field

from psycopg2.extensions import cursor as Cursor

from helpline.bench.clients import Client
from helpline.bench.people import Places

CASES = 10  # of a worker, that are opened in turn; as many others of theirs get notes
CLIENTS = 8
MADE = [  # what was made in the measured unit since a moment: to whom it goes
    """UPDATE intake_followup SET owner_id = %(user)s WHERE case_id IN
              (SELECT id FROM intake_case WHERE unit_id = %(left)s AND opened_at >= %(since)s)""",
    # Its number too, so that none is that of a case that comes.
    """UPDATE intake_case SET unit_id = %(unit)s, owner_id = %(user)s, code = left('bench-bench-' || id, 40)
       WHERE unit_id = %(left)s AND opened_at >= %(since)s""",
    "UPDATE intake_call SET unit_id = %(unit)s, taken_by_id = %(user)s"
    " WHERE unit_id = %(left)s AND received_at >= %(since)s",
]


@dataclass
class Desk:
    """One client. `texts` are counted, so that no two are the same."""

    client: Client
    user: int
    unit: int
    agency: int
    cases: list[tuple[uuid.UUID, str, str]] = field(default_factory=list)  # identity, stored number, as in an address
    noted: list[tuple[uuid.UUID, str, str]] = field(default_factory=list)  # others, so that those stay as they were
    call: str = ""
    floor_call: str = ""
    to_complete: list[str] = field(default_factory=list)
    written: str = ""
    texts: int = 0
    turn: int = 0
    dice: random.Random = field(default_factory=random.Random)

    def next_case(self) -> tuple[uuid.UUID, str, str]:
        """The next of the worker's cases."""
        self.turn += 1
        return self.cases[self.turn % len(self.cases)]

    def next_noted(self) -> tuple[uuid.UUID, str, str]:
        """The next of the cases that get notes."""
        self.turn += 1
        return self.noted[self.turn % len(self.noted)]

    def new_text(self) -> str:
        """Words that were not written before, of the length of a note."""
        self.texts += 1
        letters = "".join(chr(97 + int(digit)) for digit in str(self.texts))
        return "Hon berättar lugnt och vill att vi ringer igen på eftermiddagen, när hon är ensam. " * 3 + letters


def workers(port: int, at: Places) -> list[Desk]:
    """The workers of the measured unit, each with own cases and an open call."""
    return _workers(port, at, at.workers[0][:CLIENTS])


def stranger(port: int, at: Places) -> Desk:
    """A colleague who measures nothing: what the bare SQL writes, whose words nobody can open, is theirs."""
    return _workers(port, at, at.workers[0][CLIENTS:])[0]


def _workers(port: int, at: Places, users: list[int]) -> list[Desk]:
    from intake.models import Case

    desks = []
    for user in users:
        desk = _desk(port, at, user)
        own = Case.objects.filter(owner=user, closed_at=None, protection="none", is_practice=False)
        some = [(one.pk, one.code, one.slug) for one in own.order_by("id")[: 2 * CASES]]
        desk.cases, desk.noted = some[:CASES], some[CASES:] or some
        desk.written = desk.new_text()
        desk.call, desk.floor_call = _call(user, desk.written), _call(user, desk.written)
        desks.append(desk)
    return desks


def give_calls(desks: list[Desk], each: int, first: int) -> None:
    """Calls to complete: so many for each, and for the first one, who also asks alone, `first`."""
    for desk in desks:
        count = first if desk is desks[0] else each
        desk.to_complete = [_call(desk.user, desk.new_text()) for _number in range(count)]


def managers(port: int, at: Places) -> list[Desk]:
    """The manager of the measured unit, at as many browsers."""
    return [_desk(port, at, at.managers[0]) for _number in range(CLIENTS)]


def partners(port: int, at: Places) -> list[Desk]:
    """Who answers at the measured agency, at as many browsers."""
    return [_desk(port, at, at.partner) for _number in range(CLIENTS)]


def _desk(port: int, at: Places, user: int) -> Desk:
    dice = random.Random(user)
    return Desk(Client(port, user), user, at.units[0], at.agencies[0], dice=dice)


def _call(user: int, text: str) -> str:
    """An open call with a note and some answers, as the acts of the application make it."""
    from helpline.people.models import User
    from intake import actions

    by = User.objects.select_related("unit").get(pk=user)
    call = actions.start_call(by=by)
    facts = {"caller_type": "relative", "milieu": "RIGHT", "age_band": "26+"}
    actions.save_call(by=by, call=call, facts=facts, notes={"told": text})
    return str(call.pk)


def tidy(desks: list[Desk]) -> None:
    """Take away the calls that were opened and not completed, but for those that the desks work with: what is measured next
    finds a day like any other."""
    from helpline.people import clock
    from intake.models import Call

    kept = [pk for desk in desks for pk in (desk.call, desk.floor_call) if pk]
    left = Call.objects.filter(taken_by__in={desk.user for desk in desks}, completed_at=None, voided_at=None)
    left.exclude(pk__in=kept).update(voided_at=clock.now())


def leave(desks: list[Desk]) -> None:
    """Nothing of the measured is left open."""
    for desk in desks:
        desk.client.close()
        desk.call = desk.floor_call = ""
    tidy(desks)


def hand_on(cursor: Cursor, at: Places, since: dt.datetime) -> None:
    """What was made in the measured unit since then is another's: the next size finds what this one found. With triggers off."""
    there = {"user": at.workers[1][0], "unit": at.units[1], "left": at.units[0], "since": since}
    for made in MADE:
        cursor.execute(made, there)
