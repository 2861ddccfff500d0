"""Referrals to play with: a draft that lacks nothing, and one in each state."""

import datetime as dt
from collections.abc import Callable

import pytest

from helpline.people import clock
from helpline.people.models import Role, User
from referrals import actions
from referrals.actions.go import go, hold
from referrals.models import AgencyMember, Referral, StateChange
from referrals.states import MOVES

CARD = {
    "ask": "Meet the family this week.",
    "about": "A pupil of fifteen to seventeen.",
    "happened": "The son has met people who frighten her.",
    "wants": "Somebody who talks with him.",
    "fears": "That he learns she called.",
    "tried": "The school, once.",
    "dont_ask": "Who the father is.",
    "safe_contact": "Only by text after nine.",
}


def past_the_application(referral: Referral, *moves: str, **fields) -> None:
    """Moves of the table written by hand, as psql or an older version would: without steps, ladders, notices, log."""
    for name in moves:
        state = Referral.objects.values_list("state", flat=True).get(pk=referral.pk)
        Referral.objects.filter(pk=referral.pk).update(state=MOVES[name].target, **fields)
        StateChange.objects.create(referral=referral, move=name, source=state, target=MOVES[name].target)


def climb_all(referral: Referral) -> None:
    """Nobody answers: every rung is climbed, each at its time."""
    while left := referral.rungs.filter(state="scheduled").order_by("due_at", "pk").first():
        with clock.at(max(left.due_at, clock.now())):
            actions.sweep()


@pytest.fixture
def make_draft(make_case, cast) -> Callable[..., Referral]:
    """A draft to cast.agency that lacks nothing: a guardian's consent, the text approved."""

    def make(by=None, agency=None, case=None, need="child_protection", ground="CONSENT_GUARDIAN", **words) -> Referral:
        by = by or cast.caseworker
        case = case or make_case(by=by)
        draft = actions.draft_referral(by=by, case=case, agency=agency or cast.agency, need=need)
        consent = {"form": "spoken", "valid_until": clock.today() + dt.timedelta(days=30)}
        return actions.save_draft(
            by=by,
            referral=draft,
            words={**CARD, "ground": ground, **words},
            approved=True,
            consent=consent if ground.startswith("CONSENT") else None,
        )

    return make


@pytest.fixture
def make_referral(make_draft, cast) -> Callable[..., Referral]:
    """A referral in this state, reached by its own moves."""

    def make(state: str = "sent", **rest) -> Referral:
        by, partner = rest.get("by") or cast.caseworker, cast.partner
        agency = rest.get("agency")
        if agency is not None and agency != cast.agency:
            partner = cast.other_partner
        draft = make_draft(**rest)
        if state == "draft":
            return draft
        sent = actions.send(by=by, referral=draft)
        ways = {
            "sent": [],
            "opened": [lambda: actions.open_referral(by=partner, referral=sent)],
            "question": [lambda: actions.ask_question(by=partner, referral=sent, text="How old is he?")],
            "accepted": [lambda: actions.accept(by=partner, referral=sent, handled_by="Frida")],
            "declined": [lambda: actions.decline(by=partner, referral=sent, reason="no_capacity", text="Full.")],
            "expired": [lambda: go("expire", hold(sent), by=None, how={"who": "system"}, ended_at=clock.now())],
            "withdrawn": [lambda: actions.withdraw(by=by, referral=sent, reason="changed_mind")],
        }
        ways["contact_made"] = [*ways["accepted"], lambda: actions.contact_made(by=partner, referral=sent)]
        ways["completed"] = [*ways["contact_made"], lambda: actions.complete(by=partner, referral=sent)]
        soon = clock.now() + dt.timedelta(hours=1)
        ways["contact_booked"] = [*ways["accepted"], lambda: actions.book(by=partner, referral=sent, at=soon)]
        ways["on_hold"] = [
            *ways["accepted"],
            lambda: actions.put_on_hold(by=partner, referral=sent, until=clock.today() + dt.timedelta(days=7)),
        ]
        ways["returned"] = [
            *ways["accepted"],
            lambda: actions.return_referral(by=partner, referral=sent, reason="no_capacity"),
        ]
        ways["failed"] = [*ways["accepted"], lambda: actions.fail(by=partner, referral=sent, reason="withdrew")]
        for step in ways[state]:
            step()
        return Referral.objects.select_related("case__key", "case__unit", "case__owner", "agency", "consent").get(
            pk=sent.pk
        )

    return make


@pytest.fixture
def make_colleague(cast) -> Callable[..., AgencyMember]:
    """Somebody more who works at an agency."""

    def make(name: str, agency=None, **part) -> AgencyMember:
        user = User.objects.create(
            username=name, role=Role.PARTNER, email=f"{name}@example.com", first_name=name.title(), language="en"
        )
        return AgencyMember.objects.create(user=user, agency=agency or cast.agency, **part)

    return make
