"""A world in which every URL has something to show."""

import datetime as dt
import uuid
from operator import attrgetter
from types import SimpleNamespace

import pytest
from django.db import connection
from django.urls import URLPattern, get_resolver, reverse

from helpline.caseload import FIGURES
from helpline.extract.actions import decide_extract
from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.models import Disposal, LogEntry, LogReview, Notice, User
from intake import actions as intake
from intake.models import Case
from referrals import actions
from referrals.actions.agency_own import add_away
from referrals.actions.comments import comment
from referrals.actions.looks import make_look, token_of
from referrals.actions.pre_questions import ask_first
from referrals.actions.pre_questions import token_of as pre_token_of
from referrals.models import AgencyMember, PartnerAgency, Referral
from tests.house.streets import MORE_PAGES, STREETS

HELD = ("warm", "missed", "resting", "contacted")


@pytest.fixture
def world(cast, make_call, make_case):
    """What the table of streets speaks of."""
    return made_world(cast, make_call, make_case)


def made_world(cast, make_call, make_case):
    """A call that goes on, a case with steps, a referral in each state that has a page; all in English."""
    call = make_call(answers={"weapon": "yes"}, notes={"seen": "He has a knife."}, urgency="AKUT")
    words = {"track": "B", "caller_name": "Mary Hill", "phone": "0701234567", "safe_contact": "Text after nine."}
    words |= {"language": "en"}
    case = make_case(answers={"weapon": "no"}, notes={"seen": "She is calm."}, **words)
    step = intake.plan_step(
        by=cast.caseworker, case=case, what="Call the school", due_at=clock.now() + dt.timedelta(days=1)
    )
    report = intake.register_concern(by=cast.caseworker, case=case, child_age_band="15-17")
    note = intake.add_note(by=cast.caseworker, case=case, kind="assessment", text="Calm.")
    intake.amend_note(by=cast.caseworker, note=note, amendment="objection", text="I am not calm.")
    finished = make_call(caller_type="other", urgency="NORMAL", notes={"told": "She heard it."})
    finished = intake.complete_call(by=cast.caseworker, call=finished)
    intake.log_contact(by=cast.caseworker, case=case, outcome="no_answer", text="No answer.")
    acute = make_case(answers={"weapon": "yes"}, urgency="AKUT")
    made = {
        name: actions.send(by=cast.caseworker, referral=_referral(cast, case))
        for name in ("sent", "asked", "accepted", "declined")
    }
    actions.ask_question(by=cast.partner, referral=made["asked"], text="How old is he?")
    actions.accept(by=cast.partner, referral=made["accepted"], handled_by="Frida")
    actions.decline(by=cast.partner, referral=made["declined"], reason="no_capacity", text="Full.")
    made["withdrawn"] = actions.send(by=cast.caseworker, referral=_referral(cast, case))
    actions.withdraw(by=cast.caseworker, referral=made["withdrawn"], reason="changed_mind")
    made |= _held(cast, case)
    made["commented"] = made["accepted"]
    comment(by=cast.partner, referral=made["commented"], text="We did not know his age.")
    consented = actions.send(by=cast.caseworker, referral=_consented(cast, case))
    made["draft"] = _referral(cast, case)  # the last: a draft that is begun is gone on with
    shift = intake.give_shift(by=cast.caseworker, to=cast.colleague, steps=[step.pk])
    next_week = clock.today() + dt.timedelta(days=7)
    absence = save_absence(
        by=cast.colleague, user=cast.colleague, deputy=cast.caseworker, first_day=next_week, last_day=next_week
    )
    link = intake.link_cases(by=cast.manager, one=str(case), other=str(make_case(track="A")), reason="Same family.")
    AgencyMember.objects.filter(user=cast.partner).update(is_manager=True)
    away = add_away(by=cast.partner, agency=cast.agency, first_day=next_week, last_day=next_week)
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(mailbox="box@example.com")
    look, _code = make_look(by=cast.caseworker, referral=made["sent"])
    asked = ask_first(by=cast.caseworker, case=case, need="family_support", age_band="15-17", agencies=[cast.agency])
    pre_answer = asked.answers.get()
    protected = make_case(protection="secrecy_marking", track="B")
    naming = intake.name_staff(by=cast.manager, case=protected, user=cast.colleague)
    opening = intake.open_in_emergency(by=cast.stranger, number=str(protected), reason="life", words="She is outside.")
    locked = intake.lock_out(by=cast.manager, case=protected, user=_spare(cast), reason="Her cousin.")
    asks = {"asked_by": "self", "identity_checked": "id_card", "outcome": "all", "registry_number": "SN 2026-77"}
    decision = decide_extract(
        by=cast.manager,
        whose=case.people.get(part="concern"),
        facts={**asks, "held_back": [], "law": "", "reason": ""},
    )
    disposal, disposed = _disposals(cast, case)
    log_review = _log_review(cast)
    connection.check_constraints()
    notice = Notice.objects.filter(user=cast.caseworker).first()
    return SimpleNamespace(
        no_token="no-such-invitation", no_number=0, day=clock.today().isoformat(),
        call=call, done=case.calls.get(), case=Case.objects.get(pk=case.pk), step=step, notice=notice,
        shift=shift, absence=absence, figure=next(iter(FIGURES)),
        report=report, clock=report.clocks.get(kind="immediate_protection_assessment"), note=note, amendment="correction",
        finished=finished, finished_note=finished.signed_notes[0],
        pre_answer=pre_answer, pre_token=pre_token_of(pre_answer), away=away, look_token=token_of(look), partner=cast.partner,
        colleague=cast.colleague, agency=cast.agency, person=case.people.get(part="concern"), link=link,
        place=PartnerAgency.objects.get(type="NGO_LINE"), need="family_support",
        protected=protected, naming=naming, opening=opening, locked=locked,
        decision=decision, disposal=disposal, disposed=disposed, log_review=log_review,
        acute=acute, acute_call=acute.calls.get(), consent=consented.consent, **made,
    )  # fmt: skip


def _spare(cast) -> User:
    """A colleague who is none of the cast."""
    return User.objects.create(
        username=f"karin{cast.unit.pk}", role="caseworker", unit=cast.unit, first_name="Karin", language="en"
    )


def _log_review(cast) -> LogReview:
    """Last month's, of the unit: one row to mark."""
    review = LogReview.objects.create(unit=cast.unit, month=clock.today().replace(day=1), due_on=clock.today())
    entry = LogEntry.objects.filter(user=cast.caseworker, event="case.opened").first()
    review.rows.create(entry=entry, subject=cast.caseworker, rules=["sample"])
    return review


def _disposals(cast, case) -> tuple[Disposal, Disposal]:
    """A list that waits for its approval, and one that is carried out."""
    rows = {"rule": "five_years", "due_on": clock.today()}
    disposal = Disposal.objects.create(proposed_by=cast.manager, unit=cast.unit)
    disposal.items.create(case=case.pk, number=case.number, **rows)
    now = clock.now()
    disposed = Disposal.objects.create(
        proposed_by=cast.manager, unit=cast.unit, approved_by=cast.reviewer, approved_at=now, done_at=now
    )
    disposed.items.create(case=uuid.uuid4(), number="tall-sol-11", done_at=now, **rows)
    return disposal, disposed


def _held(cast, case) -> dict[str, Referral]:
    """Handovers that are taken on: a three-way call is booked, a contact was missed, there was contact."""
    found = {name: actions.send(by=cast.caseworker, referral=_referral(cast, case)) for name in HELD}
    for referral in found.values():
        actions.accept(by=cast.partner, referral=referral)
    soon = clock.now() + dt.timedelta(minutes=30)
    actions.book(by=cast.partner, referral=found["warm"], at=soon, warm=True)
    actions.contact_missed(by=cast.partner, referral=found["missed"], text="Nobody answered.")
    actions.contact_made(by=cast.partner, referral=found["contacted"], text="Met him.")
    until = clock.today() + dt.timedelta(days=7)
    actions.put_on_hold(by=cast.partner, referral=found["resting"], until=until)
    return found


def _consented(cast, case) -> Referral:
    consent = {"form": "spoken", "valid_until": clock.today() + dt.timedelta(days=30)}
    words = {"ground": "CONSENT_GUARDIAN", "age_band": "15-17"}
    draft = _referral(cast, case)
    return actions.save_draft(by=cast.caseworker, referral=draft, words=words, approved=True, consent=consent)


def _referral(cast, case) -> Referral:
    draft = actions.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    words = {"ask": "Meet the family.", "happened": "He has met people.", "ground": "DUTY", "ground_reason": "Worry."}
    return actions.save_draft(by=cast.caseworker, referral=draft, words=words, leads=False)


def all_urls(patterns=None, space: str = "") -> dict[str, URLPattern]:
    """The resolver's own list: name -> pattern."""
    found: dict[str, URLPattern] = {}
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern.pattern} has no name"
            found[f"{space}{pattern.name}"] = pattern
        else:
            inner = f"{pattern.namespace}:" if pattern.namespace else space
            found |= all_urls(pattern.url_patterns, inner)
    return found


def address(name: str, street, world) -> str:
    """Where this URL is in this world."""
    parts = {
        key: value if not isinstance(value, str) else attrgetter(value)(world) for key, value in street.where.items()
    }
    return reverse(name, kwargs=parts)


@pytest.fixture
def pages(cast, client_of, address_of):
    """Every page that is shown to this one: (name, client, address)."""

    def of(who: str):
        theirs = client_of(cast.everybody()[who])
        for name, street in [*STREETS.items(), *MORE_PAGES]:
            if street.answer("GET", who) == 200:
                yield name, theirs, address_of(name, street)

    return of


@pytest.fixture
def urls():
    """Every URL of the resolver."""
    return all_urls()


@pytest.fixture
def address_of(world):
    """The address of a named street in the world of this test."""
    return lambda name, street: address(name, street, world)
