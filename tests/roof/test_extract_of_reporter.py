"""An extract tells nobody which kind of caller reported, and what is held back is held back wherever it stands."""

import io
import re

import pytest
from pypdf import PdfReader

from helpline.extract import reporters, tables
from helpline.extract.content import Line, Part, left
from helpline.people.audit import log
from intake import actions, triage
from intake.models import Event, FollowUp
from referrals import actions as handovers
from tests.roof.test_extract import REASON, decide, look, make
from tests.roof.test_extract_of_call import decide as decide_of_call

pytestmark = pytest.mark.django_db
TYPES = [caller.code for caller in triage.guide_today().callers.values() if caller.code != "misdial"]
OWN_ANSWERS = {
    "relative": {
        "r_rel": "parent",
        "r_own": "Sleeps badly.",
        "r_violence": "yes",
        "r_change": "WORDS",
        "r_age": "15-17",
    },
    "leaver": {"l_stage": "decided", "l_ties": ["debt"], "l_basic": ["housing"], "l_role": "WORDS", "l_family": "yes"},
    "professional": {
        "p_role": "school",
        "p_others": ["sip"],
        "p_feedback": "yes",
        "p_fact": "WORDS",
        "p_trend": "rising",
    },
}


@pytest.fixture
def boss(client_of, cast):
    return client_of(cast.manager)


def case_of(make_case, cast, kind, **facts):
    answers = {**OWN_ANSWERS.get(kind, {}), "weapon": "no", "child_harm": "yes"}
    wanted = {
        "track": "C",
        "caller_type": kind,
        "urgency": "BRADSKANDE",
        "answers": answers,
    }
    made = make_case(caller_name="Ingegerd Malmkvist", notes={"told": "Sixten has a knife."}, **{**wanted, **facts})
    son = made.people.filter(part="concern").first()
    actions.change_person(by=cast.caseworker, person=son, facts={"name": "Sixten Malmkvist", "relation": "child"})
    actions.open_with_reason(by=cast.manager, case=made, reason=REASON)
    return made


def all_words(of) -> set[str]:
    """The words of a question, and of its choices where another has not the same."""
    return {of.short, *(words for _code, words in of.choices)}


def bare(text: str, number: str) -> str:
    """Without what differs from case to case."""
    text = re.sub(
        r"\d{4}-\d\d-\d\d( \d\d\.\d\d)?", "DAY", text.replace(number, "NUMBER").replace(number.upper(), "NUMBER")
    )
    return re.sub(r"Diarienummer: .*|\d+ minut\w*", "", text)


def test_the_person_of_concern_reads_the_same_whoever_called(boss, make_case, cast):
    """Each kind of caller, with the answers of their own form: the labels and the coded words are the same ones."""
    told = {}
    for kind in TYPES:
        made = case_of(make_case, cast, kind)
        text = make(boss, decide(boss, made.people.get(part="concern"))).context["text"]
        told[kind] = {line for line in bare(text, made.number).splitlines() if "WORDS" not in line}
    for kind, lines in told.items():
        assert lines - told["other"] == set() == told["other"] - lines, (kind, lines ^ told["other"])
    assert "[uppgiftslämnare]" in told["other"]


@pytest.mark.parametrize("kind", ["relative", "professional"])
def test_no_label_and_no_choice_of_the_own_form_of_who_called(boss, make_case, cast, kind):
    made = case_of(make_case, cast, kind)
    actions.amend_call(
        by=cast.caseworker, call=made.calls.get(), about="p_fact" if kind == "professional" else "r_change",
        amendment="objection", text="Not so, says Sixten.", said_by="concern",
    )  # fmt: skip
    decision = decide(boss, made.people.get(part="concern"))
    text = make(boss, decision).context["text"]
    pdf = PdfReader(io.BytesIO(make(boss, decision, "pdf").content))
    pages = [text, " ".join(page.extract_text() for page in pdf.pages), look(boss, decision).content.decode()]
    guide = made.calls.get().guide
    from django.utils import translation

    with translation.override("sv"):
        common = {
            "Sett och hört",
            "Skydd",
            "Behov",
            "Ålder",
            "Polis",
            "Annan",
            "Vet inte",
            "Ja",
            "Nej",
            "Kontakt",
            "Samtycke",
        }
        common |= {"Säker kontakt", "Ingen", "Boende", "Barn till personen", "Familj i fara"}
        labels = {question.short for key, question in guide.questions.items() if key in reporters.own_questions(guide)}
        names = {caller.name for caller in guide.callers.values()} - {"Annan"}
        needs = {triage.name_of("needs", caller.need) for caller in guide.callers.values() if caller.need}
    for page in pages:
        for word in (labels | names | needs | {"Förskola eller skola", "Förälder", "Barn till personen"}) - (
            common - {"Barn till personen"}
        ):
            assert f"{word}:" not in page and f": {word}" not in page, word
    assert "WORDS" in text and "Not so, says Sixten." in text and "Berättat för oss" in text


def test_who_called_reads_their_own_form_with_its_labels(boss, make_case, cast):
    made = case_of(make_case, cast, "professional")
    text = make(boss, decide(boss, made.people.get(part="caller"))).context["text"]
    for words in (
        "Råd till yrkesverksam",
        "Verksamhet: Förskola eller skola",
        "Vill ha återkoppling: Ja",
        "Yrkesverksam",
    ):
        assert words in text, words


def test_whom_a_call_without_a_case_was_about_does_not_read_it_either(boss, make_call, cast):
    facts = {"track": "B", "urgency": "NORMAL", "urgency_reason": "Calm.", "caller_type": "relative"}
    call = make_call(**facts, answers=OWN_ANSWERS["relative"])
    type(call).objects.filter(pk=call.pk).update(caller_type="other")
    call.answers.filter(question="r_violence").delete()
    call = actions.complete_call(by=cast.caseworker, call=type(call).objects.get(pk=call.pk))
    assert call.case_id is None
    text = make(boss, decide_of_call(boss, call, call_part="concern")).context["text"]
    assert "WORDS" in text and "Förändringar" not in text and "Relation" not in text and "Förälder" not in text


def test_the_agency_that_was_found_for_who_called_is_not_named(boss, make_case, cast):
    made = case_of(make_case, cast, "professional")
    draft = handovers.draft_referral(by=cast.caseworker, case=made, agency=cast.agency, need="professional_advice")
    assert draft.pk
    son = make(boss, decide(boss, made.people.get(part="concern"))).context["text"]
    own = make(boss, decide(boss, made.people.get(part="caller"))).context["text"]
    assert str(cast.agency) in own and "Råd till yrkesverksam" in own
    assert str(cast.agency) not in son and "yrkesverksam" not in son.lower()


def test_steps_and_events_that_follow_from_who_called():
    assert reporters.step_tells(FollowUp(kind="child.feedback"), set())
    assert reporters.event_tells(Event(kind="step.planned", codes={"step": "child.feedback"}), set())
    assert reporters.event_tells(Event(kind="referral.sent", codes={"agency": "A"}), {"A"})
    assert not reporters.event_tells(
        Event(kind="referral.sent", codes={"agency": "B", "need": "child_protection"}), {"A"}
    )
    assert {"child.feedback_asked", "child.feedback_given", "signpost.given"} <= tables.OF_CALLER


# -- held back: all that the word says ---

HELD = {  # a choice -> what goes with it, wherever it stands
    "person": ["Sixten Malmkvist", "Namn: "],
    "facts": ["Spår: ", "Kommun: ", "Brådska: ", "Skyddade personuppgifter: ", "as told"],
    "calls": ["Sixten has a knife.", "Vapen eller sprängämnen"],
    "notes": ["Sixten has a knife.", "Not so.", "Of the case.", "Berättat eller antaget"],
    "steps": ["Steg, senast"],
    "events": ["Ärende öppnat"],
    "safe": ["Only at night.", "Ring bara på lördag."],
    "handovers": ["He met people.", "Överlämning: "],
    "readers": ["Läst eller"],
    "kept": ["Läst eller"],
}


@pytest.fixture
def full(make_case, cast):
    made = case_of(make_case, cast, "relative")
    by = cast.caseworker
    actions.amend_call(
        by=by, call=made.calls.get(), about="weapon", amendment="objection", text="Not so.", said_by="concern"
    )
    actions.add_note(by=by, case=made, kind="assessment", text="Of the case.")
    draft = handovers.draft_referral(by=by, case=made, agency=cast.agency, need="child_protection")
    words = {"ask": "Meet Sixten.", "happened": "He met people.", "safe_contact": "Only at night."}
    words |= {"ground": "DUTY", "ground_reason": "Worry."}
    handovers.send(by=by, referral=handovers.save_draft(by=by, referral=draft, words=words))
    return made


@pytest.mark.parametrize("choice", ["person", "facts", "calls", "notes", "handovers", "safe"])
def test_what_is_held_back_goes_wherever_it_stands(boss, full, choice):
    who = full.people.get(part="caller" if choice == "safe" else "concern")
    before = make(boss, decide(boss, who)).context["text"]
    facts = {"outcome": "part", "law": "OSL 26:1", "reason": "Harm.", "registry_number": "SN 2026-78"}
    made = decide(boss, who, **facts, held_back=[choice])
    text = make(boss, made).context["text"]
    pdf = PdfReader(io.BytesIO(make(boss, made, "pdf").content))
    page = " ".join(one.extract_text() for one in pdf.pages)
    stood = [words for words in HELD[choice] if words in before]
    assert stood, choice
    body = text.partition("OSL 26:1")[2]
    for words in stood:
        assert words not in body and words not in page.partition("OSL 26:1")[2], words
    held = tables.in_words([choice])
    from django.utils import translation

    with translation.override("sv"):
        assert tables.in_words([choice]) in " ".join(text.split())
    assert held in boss.get(f"/cases/{full.slug}/people/{who.pk}/extract/").content.decode()


@pytest.mark.parametrize("choice", tables.PARTS)
def test_each_choice_takes_its_part_and_what_belongs_to_it(choice):
    parts = [Part(code, code, [Line("a", "a"), Line("b", "b", of=choice)]) for code in tables.PARTS]
    kept = left(parts, [choice])
    assert choice not in [part.code for part in kept] and len(kept) == len(parts) - 1
    assert all([line.label for line in part.lines] == ["a"] for part in kept)
    assert choice in tables.HELD_BACK


def test_each_event_is_held_back_with_what_it_is_about():
    expected = {
        "referral.sent": "handovers", "referral.disclosed": "handovers disclosures", "consent.withdrawn": "consents",
        "retention.held": "kept", "safe.changed": "safe", "contact.reached": "calls", "urgency.raised": "facts",
        "opening.made": "readers", "step.given_back": "steps", "case.opened": "",
    }  # fmt: skip
    assert {kind: tables.of_event(kind) for kind in expected} == expected


def test_one_reading_is_one_time_and_our_own_words_point_nobody_out(boss, cast, full):
    log("case.read", by=cast.colleague, case=full.pk, why="unit")
    made = decide(boss, full.people.get(part="concern"))
    page = look(boss, made).context["extract"]
    lines = [line for part in page.parts for line in part.lines]
    assert not [line.hints for line in lines if "Ärende" in line.hints]
    text = make(boss, made).context["text"]
    assert not re.search(r"\b1 gånger", text) and re.search(r"\b1 gång\b", text)
