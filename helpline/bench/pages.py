"""What is measured: ten pages and posts that a working day is made of, and two that a call begins and is found by; each with its
floor and with the bare SQL of the same work.

The pages are the ones that are opened most, by the four who wait for them: a worker (my day, the list, a case, a call), the
manager (overview, handovers), an agency (its inbox). The posts are those that a caller waits for on the line: opening a call,
each save while they talk, completing it with a case and its step; and a note, and the search for the number they were given.
"""

from collections.abc import Callable
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from helpline.bench import bare
from helpline.bench.clients import Ask
from helpline.bench.desk import Desk

WORKER, MANAGER, PARTNER = "worker", "manager", "partner"
SCRIPT = {"HX-Request": "true"}  # as the script of the call's page asks


@dataclass(frozen=True)
class Measured:
    """One page or post. `is_right` are the statuses of an answer that did the work."""

    name: str
    who: str
    ask: Callable[[Desk], Ask]
    floor: Callable[[Desk], Ask]
    sql: Callable[[Cursor, Desk], None]
    is_right: tuple[int, ...] = (200,)
    writes: bool = False
    uses_up: bool = False  # each request needs a call of its own


def _case(desk: Desk) -> Ask:
    return Ask(f"/cases/{desk.next_case()[2]}/")


def _start(desk: Desk) -> Ask:
    return Ask("/calls/start/", {})


def _save(desk: Desk) -> Ask:
    from intake.forms.windows import mark

    before, desk.written = desk.written, desk.new_text()
    sent = {"who": str(desk.user), "n.told": desk.written, "base.n.told": mark(before)}
    return Ask(f"/calls/{desk.call}/save/", sent, SCRIPT)


def _complete(desk: Desk) -> Ask:
    facts = {"caller_type": "relative", "urgency": "NORMAL", "confirm": "NORMAL", "open_case": "yes", "track": "A"}
    why = {"actualisation": "no", "actualisation_reason": "Rådgivning.", "what": "Ringa upp i morgon."}
    return Ask(f"/calls/{desk.to_complete.pop()}/complete/", {**facts, **why})


def _note(desk: Desk) -> Ask:
    return Ask(f"/cases/{desk.next_noted()[2]}/note/", {"kind": "seen", "text": desk.new_text()})


def _search(desk: Desk) -> Ask:
    return Ask("/search/", {"term": desk.next_case()[2]})


SEEN_OTHER = (302, 303)
PAGES = [
    Measured("my day", WORKER, lambda desk: Ask("/my-day/"), lambda desk: Ask("/floor/steps/"), bare.steps),
    Measured("case list", WORKER, lambda desk: Ask("/cases/"), lambda desk: Ask("/floor/cases/"), bare.cases),
    Measured("case", WORKER, _case, lambda desk: Ask(f"/floor/case/{desk.next_case()[0]}/"), bare.case),
    Measured(
        *("call", WORKER),
        lambda desk: Ask(f"/calls/{desk.call}/"),
        lambda desk: Ask(f"/floor/call/{desk.call}/"),
        bare.call,
    ),
    Measured("overview", MANAGER, lambda desk: Ask("/overview/"), lambda desk: Ask("/floor/overview/"), bare.overview),
    Measured(
        "handovers", MANAGER, lambda desk: Ask("/handovers/"), lambda desk: Ask("/floor/referrals/"), bare.referrals
    ),
    Measured("agency's inbox", PARTNER, lambda desk: Ask("/portal/"), lambda desk: Ask("/floor/inbox/"), bare.inbox),
    Measured("call opened", WORKER, _start, lambda desk: Ask("/floor/start/", {}), bare.start, SEEN_OTHER, writes=True),
    Measured(
        *("call saved", WORKER, _save),
        lambda desk: Ask(f"/floor/call/{desk.floor_call}/save/", {"text": desk.new_text()}),
        bare.save,
        writes=True,
    ),
    Measured(
        *("call completed", WORKER, _complete),
        lambda desk: Ask(f"/floor/call/{desk.floor_call}/complete/", {"what": "Ringa upp i morgon."}),
        bare.complete,
        SEEN_OTHER,
        writes=True,
        uses_up=True,
    ),
    Measured(
        *("note", WORKER, _note),
        lambda desk: Ask(f"/floor/case/{desk.next_noted()[0]}/note/", {"text": desk.new_text()}),
        bare.note,
        SEEN_OTHER,
        writes=True,
    ),
    Measured(
        *("search", WORKER, _search),
        lambda desk: Ask("/floor/search/", {"term": desk.next_case()[1]}),
        bare.search,
        SEEN_OTHER,
    ),
]
