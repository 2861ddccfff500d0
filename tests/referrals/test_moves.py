"""Every move by every kind of person from every state: what MOVES does not allow is refused, and changes nothing."""

import datetime as dt
import re

import pytest
from django.db import connection, transaction

from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice, User
from intake.models import Event, FollowUp
from referrals.actions.go import go, hold
from referrals.models import Referral, SilenceRung, StateChange
from referrals.states import AGENCY, CAME_BACK, MOVES, OWNER, STATES, SYSTEM, Move
from tests.referrals.attempts import ROLES, NoDoor, Role, attempt

WHO = [OWNER, AGENCY, SYSTEM]

TAKEN = "accepted contact_booked on_hold contact_made"
# Written down a second time, by hand: move, from, to, by whom, whom it tells, the step that it leaves (its kind, whose turn, who
# keeps it, when it is due).
BY_HAND = f"""
send       draft                                sent            owner                agency        await_answer    theirs  referrals  answer_due
open       sent                                 opened          agency               nobody        as before
accept     sent opened question                 accepted        agency owner         owner         await_contact   theirs  referrals  contact_due
decline    sent opened question                 declined        agency owner         owner         choose_next     ours    anybody    next_working_day
ask        sent opened                          question        agency owner         owner         answer_question  ours    referrals  next_working_day
answer     question                             opened          owner                agency        await_answer    theirs  referrals  answer_due
book       accepted contact_booked              contact_booked  agency owner         agency owner  booked_contact  theirs  referrals  contact_at
book_warm  accepted contact_booked              contact_booked  agency owner         agency owner  three_way_call  ours    referrals  contact_at
miss       accepted contact_booked              accepted        agency owner system  agency owner  missed_contact  ours    referrals  back_soon
contact    accepted contact_booked on_hold      contact_made    agency owner         owner         confirm_contact  ours    asking     ask_week
hold       accepted contact_booked              on_hold         agency owner         agency owner  held_until      theirs  referrals  hold_until
resume     on_hold                              accepted        agency owner system  agency owner  await_contact   theirs  referrals  contact_due
complete   contact_made                         completed       agency owner system  owner         as before
return     {TAKEN}                              returned        agency owner         owner         choose_next     ours    anybody    next_working_day
fail       {TAKEN}                              failed          agency owner         agency owner  choose_next     ours    anybody    next_working_day
caller_no  contact_made completed               failed          owner                agency owner  choose_next     ours    anybody    next_working_day
expire     sent opened                          expired         system               agency owner  choose_next     ours    anybody    next_working_day
withdraw   sent opened question {TAKEN}         withdrawn       owner system         agency owner  choose_next     ours    anybody    next_working_day
confirm    withdrawn                            withdrawn       agency owner         owner         as before
"""  # noqa: E501


def test_the_table_is_what_we_mean():
    meant = [re.split(r"\s{2,}", row) for row in BY_HAND.strip().splitlines()]
    assert [_in_words(move) for move in MOVES.values()] == [
        (name, set(sources.split()), target, set(who.split()), set(tells.split()) - {"nobody"}, step)
        for name, sources, target, who, tells, *step in meant
    ]


def _in_words(move: Move) -> tuple:
    step = ["as before"]
    if move.step:
        turn = "theirs" if move.step.others_turn else "ours"
        step = [move.step.kind, turn, move.step.keeper or "anybody", move.step.due]
    return move.name, set(move.sources), move.target, set(move.who), set(move.tells), step


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
    rungs = list(SilenceRung.objects.order_by("pk").values_list("pk", "state"))
    readings = Event.objects.exclude(kind="case.opened_by_other").count()  # a colleague gave a reason: that stands
    return row, steps, rungs, StateChange.objects.count(), readings, Notice.objects.count()


@pytest.mark.parametrize("state", STATES)
def test_every_move_by_everybody_from_this_state(state, make_referral, cast):
    """The table itself, whatever the actions ask for beside it."""
    referral = make_referral(state)
    before, logged = everything(referral), LogEntry.objects.count()
    for move in MOVES.values():
        for who in WHO:
            allowed = state in move.sources and who in move.who
            point = transaction.savepoint()
            try:
                carry_out(move.name, who, referral, cast)
            except Refused as refused:
                assert not allowed, f"{who} may {move.name} from {state}"
                assert str(refused)
                assert everything(referral) == before and LogEntry.objects.count() == logged
            else:
                assert allowed, f"{who} may not {move.name} from {state}"
                left_behind(move, referral, who)
            connection.check_constraints()
            transaction.savepoint_rollback(point)


@pytest.mark.parametrize("state", STATES)
def test_every_action_by_every_role_through_its_door_from_this_state(state, make_referral, cast):
    """What is open to whom in earnest: the door, then the action that a page calls."""
    referral = make_referral(state)
    before, made = everything(referral), list(referral.changes.values_list("pk", flat=True))
    for move in MOVES.values():
        for role in ROLES:
            by_table = state in move.sources and role.who in move.who
            point = transaction.savepoint()
            try:
                attempt(move.name, role, person(role, referral, cast), Referral.objects.get(pk=referral.pk))
            except Refused as refused:
                assert str(refused)
                assert not (by_table and may_enter(role)), f"{role.name}: {move.name} from {state}: {refused}"
                if isinstance(refused, NoDoor):
                    assert not may_enter(role) or (role.who == AGENCY and role.user), role.name
            moved = StateChange.objects.filter(referral=referral, move=move.name).exclude(pk__in=made)
            assert moved.exists() == (by_table and may_enter(role)), f"{role.name}: {move.name} from {state}"
            if moved.exists():
                left_behind(move, referral, role.who)
                assert moved.get().way == role.how.get("way", "") or move.name in WAYLESS
            else:
                assert everything(referral) == before, f"{role.name}: {move.name} from {state}"
            connection.check_constraints()
            transaction.savepoint_rollback(point)


WAYLESS = {"send", "answer", "caller_no"}  # ours alone; nobody tells us by phone that we did


def person(role: Role, referral: Referral, cast) -> User | None:
    if role.user == "owner":
        return referral.case.owner
    return getattr(cast, role.user) if role.user else None


def may_enter(role: Role) -> bool:
    return role.user not in {"stranger", "other_partner"}


def left_behind(move: Move, referral: Referral, who: str) -> None:
    """A move that was made left its change, its event, its log row, its notices, and the case in somebody's hands."""
    now = Referral.objects.select_related("case", "agency").get(pk=referral.pk)
    change = now.changes.order_by("-at", "-id").first()
    assert (now.state, change.move, change.target) == (move.target, move.name, move.target)
    assert Event.objects.filter(case=now.case_id, kind=move.event).exists()
    assert LogEntry.objects.filter(case=now.case_id, event=move.event, row=str(now.pk)).exists()
    planned = FollowUp.objects.planned().filter(case=now.case_id)
    assert planned.exists() and now.case.owner is not None and now.case.next_due_at is not None
    if move.step:
        step = planned.get(kind=move.step.kind, about=str(now.pk))
        assert (step.kept_by, step.others_turn) == (move.step.keeper, move.step.others_turn)
        assert step.owner == now.case.owner
    if move.target in CAME_BACK:
        assert not planned.filter(about=str(now.pk)).exclude(kept_by="").exists()
        assert not now.rungs.filter(state="scheduled").exists()
    told = set(Notice.objects.filter(source__startswith=f"change:{change.pk}:").values_list("user", "address"))
    ours = {(now.case.owner_id, "")} if "owner" in move.tells and change.by_id != now.case.owner_id else set()
    theirs = {(None, now.agency.mailbox)} if "agency" in move.tells and who != AGENCY else set()
    assert ours | theirs <= told and (None, "") not in told
    assert theirs or not any(address for _user, address in told)


def test_every_state_can_be_reached_and_every_open_one_left():
    reached = {"draft"} | {move.target for move in MOVES.values()}
    assert reached == set(STATES)
    left = {source for move in MOVES.values() for source in move.sources}
    assert left == set(STATES) - {"declined", "expired", "returned", "failed"}


def test_what_comes_back_is_a_step_of_the_owner_for_the_next_working_day():
    back = {move.name for move in MOVES.values() if move.target in CAME_BACK and move.sources != {move.target}}
    assert back == {"decline", "expire", "withdraw", "return", "fail", "caller_no"}
    for name in back:
        step = MOVES[name].step
        assert (step.kind, step.kept, step.due) == ("choose_next", False, "next_working_day")


def test_only_a_change_that_is_no_change_of_state_leaves_the_step_as_it_was():
    """Every other move plans what comes, so that no state is without its step."""
    assert {move.name for move in MOVES.values() if move.step is None} == {"open", "complete", "confirm"}
