"""Every move by every kind of person from every state: what MOVES does not allow is refused, and changes nothing."""

import datetime as dt
import re

import pytest
from django.db import connection

from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice
from intake.models import Event, FollowUp
from referrals.actions.go import go, hold
from referrals.models import Referral, StateChange
from referrals.states import AGENCY, MOVES, OWNER, STATES, SYSTEM, Move

WHO = [OWNER, AGENCY, SYSTEM]


# Written down a second time, by hand: move, from, to, by whom.
BY_HAND = """
send       draft                                                    sent            owner
open       sent                                                     opened          agency
accept     sent opened question                                     accepted        agency owner
decline    sent opened question                                     declined        agency owner
ask        sent opened                                              question        agency owner
answer     question                                                 opened          owner
book       accepted contact_booked                                  contact_booked  agency owner
book_warm  accepted contact_booked                                  contact_booked  agency owner
miss       accepted contact_booked                                  accepted        agency owner system
contact    accepted contact_booked on_hold                          contact_made    agency owner
hold       accepted contact_booked                                  on_hold         agency owner
resume     on_hold                                                  accepted        agency owner system
complete   contact_made                                             completed       agency owner system
return     accepted contact_booked on_hold contact_made             returned        agency owner
fail       accepted contact_booked on_hold contact_made             failed          agency owner
caller_no  contact_made completed                                   failed          owner
expire     sent opened                                              expired         system
withdraw   sent opened question accepted contact_booked on_hold contact_made  withdrawn  owner system
confirm    withdrawn                                                withdrawn       agency
"""


def test_the_table_is_what_we_mean():
    rows = [re.split(r"\s{2,}", row) for row in BY_HAND.strip().splitlines()]
    meant = {name: (set(sources.split()), target, set(who.split())) for name, sources, target, who in rows}
    assert {move.name: (set(move.sources), move.target, set(move.who)) for move in MOVES.values()} == meant


NOW = object()
FIELDS = {
    "send": {"sent_at": NOW, "answer_due_at": NOW},
    "accept": {"contact_due_at": NOW},
    "answer": {"answer_due_at": NOW},
    "book": {"contact_at": NOW, "contact_kind": "alone"},
    "book_warm": {"contact_at": NOW, "contact_kind": "warm"},
    "hold": {"hold_until": dt.date.today() + dt.timedelta(days=20)},
    "resume": {"contact_due_at": NOW},
}


def carry_out(name: str, who: str, referral: Referral, cast) -> Referral:
    by = {OWNER: cast.caseworker, AGENCY: cast.partner, SYSTEM: None}[who]
    when = referral.answer_due_at or referral.created_at
    fields = {name: when if value is NOW else value for name, value in FIELDS.get(name, {}).items()}
    return go(name, hold(referral), by=by, how={"who": who}, **fields)


def everything(referral: Referral) -> tuple:
    """What a refused move must leave as it was."""
    row = Referral.objects.filter(pk=referral.pk).values().get()
    steps = list(FollowUp.objects.order_by("pk").values_list("pk", "state", "due_at"))
    return (
        row,
        steps,
        StateChange.objects.count(),
        Event.objects.count(),
        LogEntry.objects.count(),
        Notice.objects.count(),
    )


@pytest.mark.parametrize("state", STATES)
def test_every_move_by_everybody_from_this_state(state, make_referral, cast):
    for move in MOVES.values():
        for who in WHO:
            referral = make_referral(state)
            allowed = state in move.sources and who in move.who
            before = everything(referral)
            try:
                carry_out(move.name, who, referral, cast)
            except Refused as refused:
                assert not allowed, f"{who} may {move.name} from {state}"
                assert str(refused)
                assert everything(referral) == before
            else:
                assert allowed, f"{who} may not {move.name} from {state}"
                left_behind(move, referral)
            connection.check_constraints()


def left_behind(move: Move, referral: Referral) -> None:
    """A move that was made left its change, its event, its log row, and the case in somebody's hands."""
    referral.refresh_from_db()
    change = referral.changes.order_by("-at", "-id").first()
    assert (referral.state, change.move, change.target) == (move.target, move.name, move.target)
    assert Event.objects.filter(case=referral.case_id, kind=move.event).exists()
    assert LogEntry.objects.filter(case=referral.case_id, event=move.event, row=str(referral.pk)).exists()
    planned = FollowUp.objects.planned().filter(case=referral.case_id)
    assert planned.exists()
    if move.step:
        assert planned.filter(kind=move.step.kind, about=str(referral.pk)).exists()


def test_every_state_can_be_reached_and_every_open_one_left():
    reached = {"draft"} | {move.target for move in MOVES.values()}
    assert reached == set(STATES)
    left = {source for move in MOVES.values() for source in move.sources}
    assert left == set(STATES) - {"declined", "expired", "returned", "failed"}


def test_what_comes_back_is_a_step_of_the_owner_for_the_next_working_day():
    for name in ("decline", "expire", "withdraw", "return", "fail", "caller_no"):
        step = MOVES[name].step
        assert (step.kind, step.kept, step.due) == ("choose_next", False, "next_working_day")
