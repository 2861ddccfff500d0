"""A world in which every URL has something to show."""

import datetime as dt
from operator import attrgetter
from types import SimpleNamespace

import pytest
from django.db import connection
from django.urls import URLPattern, get_resolver, reverse

from helpline.caseload import FIGURES
from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.models import Notice
from intake import actions as intake
from intake.models import Case
from referrals import actions
from referrals.models import Referral
from tests.house.streets import MORE_PAGES, STREETS


@pytest.fixture
def world(cast, make_call, make_case):
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
    made = {name: _referral(cast, case) for name in ("draft", "sent", "asked", "accepted", "declined")}
    for name in ("sent", "asked", "accepted", "declined"):
        made[name] = actions.send(by=cast.caseworker, referral=made[name])
    actions.ask_question(by=cast.partner, referral=made["asked"], text="How old is he?")
    actions.accept(by=cast.partner, referral=made["accepted"], handled_by="Frida")
    actions.decline(by=cast.partner, referral=made["declined"], reason="no_capacity", text="Full.")
    shift = intake.give_shift(by=cast.caseworker, to=cast.colleague, steps=[step.pk])
    next_week = clock.today() + dt.timedelta(days=7)
    absence = save_absence(
        by=cast.colleague, user=cast.colleague, deputy=cast.caseworker, first_day=next_week, last_day=next_week
    )
    link = intake.link_cases(by=cast.manager, one=str(case), other=str(make_case(track="A")), reason="Same family.")
    connection.check_constraints()
    notice = Notice.objects.filter(user=cast.caseworker).first()
    return SimpleNamespace(
        call=call, done=case.calls.get(), case=Case.objects.get(pk=case.pk), step=step, notice=notice,
        shift=shift, absence=absence, figure=next(iter(FIGURES)),
        report=report, clock=report.clocks.get(kind="immediate_protection_assessment"), note=note, amendment="correction",
        finished=finished, finished_note=finished.signed_notes[0],
        colleague=cast.colleague, agency=cast.agency, person=case.people.get(part="concern"), link=link,
        acute=acute, acute_call=acute.calls.get(), **made,
    )  # fmt: skip


def _referral(cast, case) -> Referral:
    draft = actions.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    words = {"ask": "Meet the family.", "happened": "He has met people.", "ground": "DUTY", "ground_reason": "Worry."}
    return actions.save_draft(by=cast.caseworker, referral=draft, words=words)


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
