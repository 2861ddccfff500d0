"""The acts of a demo case: each calls the action that a page would call."""

import datetime as dt
from collections.abc import Callable

from django.db.models import Q

from helpline.demo import texts
from helpline.demo.tales import Tale
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import Municipality, User
from helpline.people.workdays import add_working_days
from intake import actions as intake
from intake.models import Call, ConcernReport
from referrals import actions as referrals
from referrals import deadlines
from referrals.actions import pre_questions
from referrals.actions.asked_again import asked_again
from referrals.grounds import grounds
from referrals.models import PartnerAgency, PreAnswer, Referral
from referrals.partners import partner_types
from referrals.states import OWNER

# -- the case --------------------------------------------------------------------------------------------------------


def step(tale: Tale, kind: str = "") -> None:
    """Do the first of our own steps, or that of a kind."""
    tale.finish(next(one for one in tale.own_steps() if kind in {"", one.kind}))


def done(tale: Tale, reason: str) -> None:
    """Do what is left of our own, and close the case."""
    *others, last = tale.own_steps()
    for one in others:
        intake.finish_step(by=tale.worker, step=one, outcome=tale.outcome(one))
    outcome = texts.read("cases")["outcomes"].get(reason) or tale.story["helped"]
    intake.finish_step(by=tale.worker, step=last, outcome=outcome, close=reason)


def note(tale: Tale) -> None:
    """Read the case, and write the next note of the story."""
    log("case.read", by=tale.worker, case=tale.case.pk, why="own")
    for kind, text in next(tale.notes).items():
        intake.add_note(by=tale.worker, case=tale.case, kind=kind, text=text)


def reached(tale: Tale) -> None:
    """We called, and the person answered."""
    intake.log_contact(
        by=tale.worker, case=tale.case, outcome="reached", text=tale.dice.choice(texts.read("cases")["reached"])
    )


def missed(tale: Tale) -> None:
    """We called in vain: the step is moved."""
    said = texts.read("cases")
    intake.log_contact(by=tale.worker, case=tale.case, outcome="no_answer", text=tale.dice.choice(said["missed"]))
    due = clock.now() + dt.timedelta(days=2)
    intake.move_step(by=tale.worker, step=tale.own_steps()[0], due_at=due, why=said["moved"])


def concern(tale: Tale) -> None:
    """Register a report of concern for the child."""
    child = tale.plan.get("child", tale.story["facts"]["age_band"])
    wants = tale.story["answers"].get("p_feedback") == "yes"
    intake.register_concern(by=tale.worker, case=tale.case, child_age_band=child, feedback_asked=wants)


def assess(tale: Tale) -> None:
    """The immediate protection assessment is made."""
    words = texts.read("cases")["assessed"]
    intake.assess_protection(by=tale.qualified, report=_report(tale), needed=False, words=words)


def decide(tale: Tale, outcome: str) -> None:
    """It is decided whether an inquiry is opened; a reporter who wants to know is told."""
    words, report = texts.read("cases")["decided"][outcome], _report(tale)
    intake.decide_inquiry(by=tale.qualified, report=report, outcome=outcome, words=words)
    if report.clocks.filter(kind="feedback").exists():
        intake.give_feedback(by=tale.worker, report=report, words=texts.read("cases")["told"])


def _report(tale: Tale) -> ConcernReport:
    return tale.case.concern_reports.select_related("case__key").get()


def reassign(tale: Tale, to: str, words: str = "") -> None:
    """The manager gives the case to a colleague, who goes on with it; `words`: and is told what must be known."""
    handover = texts.read("cases")["handed_on"] if words else ""
    intake.reassign_case(by=tale.staff["manager"], case=tale.case, to=tale.staff[to], handover=handover)
    tale.worker = tale.staff[to]


def again(tale: Tale, who: str) -> None:
    """The caller calls again with the number, and somebody answers."""
    worker, said = tale.staff[who], texts.read("cases")["again"]
    call = intake.start_call(by=worker)
    intake.claim_case(by=worker, call=call, number=tale.case.number, phrase="")
    call = Call.objects.get(pk=call.pk)
    facts = {key: tale.story["facts"][key] for key in ("track", "identity") if key in tale.story["facts"]}
    facts |= {"caller_type": tale.story["caller"], "urgency": tale.case.urgency, "urgency_reason": said["why"]}
    facts |= {"actualisation": "no", "actualisation_reason": texts.read("cases")["actualisation"]["no"]}
    facts["received_at"] = clock.now() - dt.timedelta(minutes=9)
    call = intake.save_call(by=worker, call=call, facts=facts, notes={"told": said["told"]})
    intake.complete_call(by=worker, call=call)


def tell(tale: Tale, kind: str, why: str, later: str = "") -> None:
    """The person is told where to go alone; `later`: and asked in a week."""
    agency = agency_for(kind, tale.case.municipality_id, tale.case.unit.municipality)
    need = next(need for need in tale.case.needs if need in agency.meets)
    referrals.tell_where(by=tale.worker, agency=agency, need=need, case=tale.case, why=why, asks_later=bool(later))


def peek(tale: Tale, who: str, reason: str = "") -> None:
    """A colleague opens the case with a reason; of a protected one they are named for it by the manager."""
    if tale.case.is_protected:
        manager = next(one for one in tale.staff.users.values() if one.role == "manager" and one.unit == tale.case.unit)
        intake.name_staff(by=manager, case=tale.case, user=tale.staff[who])
    else:
        intake.open_with_reason(by=tale.staff[who], case=tale.case, reason=reason)
    _read(tale, who, "reason" if reason else "named")


def emergency(tale: Tale, who: str, reason: str) -> None:
    """A colleague who is not named for it opens it in an emergency: that waits for the manager's review."""
    words = texts.read("cases")["in_emergency"]
    intake.open_in_emergency(by=tale.staff[who], number=tale.case.number, reason=reason, words=words)
    _read(tale, who, "emergency")


def _read(tale: Tale, who: str, why: str) -> None:
    """The row that the page of the case writes, for the review of the log."""
    log("case.read", by=tale.staff[who], case=tale.case.pk, why=why)


# -- its referrals -----------------------------------------------------------------------------------------------------


def draft(tale: Tale, kind: str = "") -> Referral:
    """Write a referral to the next agency of the story, or to that of a type."""
    to = next(one for one in (tale.story["to"] if kind else tale.agencies) if kind in {"", one["type"]})
    agency = agency_for(to["type"], to.get("at") or tale.case.municipality_id, tale.case.unit.municipality)
    made = referrals.draft_referral(by=tale.worker, case=tale.case, agency=agency, need=to["need"])
    card = {field: text for field, text in tale.story["card"].items() if text}
    ground = grounds()[to["ground"]]
    words = {
        **card,
        "ask": to["ask"],
        "about": to["about"],
        "ground": to["ground"],
        "age_band": to.get("age", made.age_band),
    }
    words["ground_reason"] = to.get("reason", "")
    words["kept_back"] = to.get("kept_back", texts.read("cases")["kept_back"]) if agency.is_police else ""
    words["safe_contact"] = "" if ground.needs == "no_identity" else texts.safe_of(tale.story).text
    if ground.needs != "no_identity" and not to.get("anonymous"):
        words |= {"name": tale.story.get("name", ""), "phone": tale.story.get("phone", "")}
    made = referrals.save_draft(by=tale.worker, referral=made, words=words)
    if ground.is_consent:
        consent = {"form": "spoken", "valid_until": clock.today() + dt.timedelta(days=90)}
        made = referrals.save_draft(by=tale.worker, referral=made, words={}, approved=True, consent=consent)
    return made


def refer(tale: Tale, kind: str = "") -> None:
    """Hand over: the draft is sent, and a step of ours without words is done by it."""
    tale.referrals.append(referrals.send(by=tale.worker, referral=draft(tale, kind)))
    for own in tale.own_steps():
        if own.kind in {"first_step", "choose_next"} and not own.what:
            intake.finish_step(by=tale.worker, step=own, outcome=texts.read("cases")["handed_over"])


def silent(tale: Tale) -> None:
    """Nobody answers; when every rung is climbed the handover is ours again (year.py looks for it, as Celery does)."""


def open_it(tale: Tale, kind: str = "") -> None:
    """The agency reads the handover."""
    referral, who = _at(tale, kind)
    referrals.open_referral(by=who, referral=referral)


def accept(tale: Tale, *words: str) -> None:
    """The agency takes it on; `+2`: with contact two working days from today at the latest."""
    kind = "".join(word for word in words if not word.startswith("+"))
    days = [int(word) for word in words if word.startswith("+")]
    referral, who = _at(tale, kind)
    latest = deadlines.latest_contact(referral.urgency, clock.now())
    contact_by = min(tale.calendar.moment(days[0], "16:00"), latest) if days else None
    referrals.accept(by=who, referral=referral, handled_by=str(who), contact_by=contact_by)


def decline(tale: Tale, reason: str) -> None:
    """The agency says no."""
    referral, who = _at(tale)
    referrals.decline(by=who, referral=referral, reason=reason, text=texts.read("cases")["declined"][reason])


def question(tale: Tale) -> None:
    """The agency asks before it answers."""
    referral, who = _at(tale)
    referrals.ask_question(by=who, referral=referral, text=tale.story["ask"])


def answer(tale: Tale) -> None:
    """We answer."""
    referrals.answer_question(by=tale.worker, referral=_at(tale)[0], text=tale.story["tell"])


def book(tale: Tale, day: str, time: str, kind: str = "") -> None:
    """The agency has a time with the caller, so many working days from today."""
    referral, who = _at(tale)
    referrals.book(by=who, referral=referral, at=tale.calendar.to_come(int(day), time), warm=kind == "warm")


def talk(tale: Tale) -> None:
    """The three-way call: both sides tick that we spoke together."""
    referral, who = _at(tale)
    referrals.tick_spoke(by=who, referral=referral)
    referrals.tick_spoke(by=tale.worker, referral=referral, who=OWNER)


def rest(tale: Tale, day: str) -> None:
    """The handover waits until a day, so many working days from today."""
    referral, who = _at(tale)
    until = tale.calendar.day(int(day))
    referrals.put_on_hold(by=who, referral=referral, until=until, text=texts.read("cases")["waits"])


def give_back(tale: Tale, reason: str) -> None:
    """An agency that had taken it on gives it back."""
    referral, who = _at(tale)
    referrals.return_referral(by=who, referral=referral, reason=reason, text=texts.read("cases")["declined"][reason])


def told_again(tale: Tale, *parts: str) -> None:
    """The agency had to ask again for what the card should have told it."""
    referral, who = _at(tale)
    asked_again(by=who, referral=referral, what=parts)


def asked(tale: Tale, answer: str = "helped", kind: str = "") -> None:
    """We ask the caller whether it helped. Who says no is called by the agency no more: it is ours again."""
    said = texts.read("cases")["caller_says"][answer]
    referrals.caller_says(by=tale.worker, referral=_at(tale, kind)[0], answer=answer, text=tale.dice.choice(said))


def ask_first(tale: Tale, *kinds: str) -> None:
    """Agencies are asked without a name whether they can."""
    agencies = [agency_for(kind, tale.case.municipality_id, tale.case.unit.municipality) for kind in kinds]
    need = next(need for need in tale.case.needs if need in agencies[0].meets)
    age = tale.case.age_band
    pre_questions.ask_first(by=tale.worker, case=tale.case, need=need, age_band=age, agencies=agencies)


def says(tale: Tale, said: str, kind: str) -> None:
    """An agency that was asked says whether it can: yes, the day after tomorrow."""
    agency = agency_for(kind, tale.case.municipality_id, tale.case.unit.municipality)
    answer = PreAnswer.objects.get(question__case=tale.case, agency=agency)
    can_from = add_working_days(clock.today(), 2) if said == "yes" else None
    pre_questions.answer_first(by=tale.staff.at(agency), answer=answer, said=said, can_from=can_from)


def confirm(tale: Tale) -> None:
    """The agency confirms that it has stopped."""
    referral, who = _at(tale)
    referrals.confirm_withdrawal(by=who, referral=referral)


def contact(tale: Tale, kind: str = "") -> None:
    """The agency has spoken with the caller."""
    referral, who = _at(tale, kind)
    referrals.contact_made(by=who, referral=referral, text=_said(tale, referral, "met"))


def complete(tale: Tale, kind: str = "") -> None:
    """The agency has done what it was asked."""
    referral, who = _at(tale, kind)
    referrals.complete(by=who, referral=referral, text=_said(tale, referral, "done"))


def take_back(tale: Tale) -> None:
    """We wait no longer."""
    referrals.withdraw(
        by=tale.worker, referral=_at(tale)[0], reason="no_answer", text=texts.read("cases")["taken_back"]
    )


def agency_for(kind: str, municipality: str | None, home: Municipality) -> PartnerAgency:
    """The agency of a type that serves a place; for a place that is not known, that of our own municipality."""
    known = municipality if municipality and municipality != Municipality.ELSEWHERE else home.pk
    serves = Q(nationwide=True) | Q(municipalities=known)
    return PartnerAgency.objects.active().filter(serves, type=kind).distinct().get()


def _said(tale: Tale, referral: Referral, what: str) -> str:
    """What this agency says, or any agency of the story."""
    own = next(to for to in tale.story["to"] if to["type"] == referral.agency.type)
    return str(own.get(what) or tale.story[what])


def _at(tale: Tale, kind: str = "") -> tuple[Referral, User]:
    """The last referral, or the last one to a type of agency, and who answers there."""
    assert not kind or kind in partner_types()
    referral = next(one for one in reversed(tale.referrals) if kind in {"", one.agency.type})
    return referral, tale.staff.at(referral.agency)


ACTS: dict[str, Callable[..., object]] = {
    "step": step,
    "done": done,
    "note": note,
    "reached": reached,
    "missed": missed,
    "concern": concern,
    "assess": assess,
    "decide": decide,
    "reassign": reassign,
    "again": again,
    "tell": tell,
    "peek": peek,
    "emergency": emergency,
    "draft": draft,
    "refer": refer,
    "silent": silent,
    "open": open_it,
    "accept": accept,
    "decline": decline,
    "question": question,
    "answer": answer,
    "contact": contact,
    "complete": complete,
    "take_back": take_back,
    "confirm": confirm,
    "book": book,
    "talk": talk,
    "rest": rest,
    "give_back": give_back,
    "told_again": told_again,
    "asked": asked,
    "ask_first": ask_first,
    "says": says,
}
