"""An extract of everything about one person: behind a decision on secrecy, with others and reporters masked."""

import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.urls import reverse
from pypdf import PdfReader

from helpline.extract.content import Line, _shown
from helpline.extract.masks import Masks
from helpline.people import clock
from helpline.people.models import LogEntry
from intake import actions, triage
from intake.models import Case, LockedOut, NamedAccess, SecrecyDecision
from referrals import actions as handovers

pytestmark = pytest.mark.django_db
REASON = triage.codes("opening_reasons")[0]
CALLER, SON, BROTHER = "Ingegerd Malmkvist", "Sixten Malmkvist", "Folke Zetterlund"
HIS_NUMBER = "200504123456"
OTHER, REPORTER = "[uppgift om annan]", "[uppgiftslämnare]"
ALL = {
    "asked_by": "self", "identity_checked": "id_card", "outcome": "all", "registry_number": "SN 2026-77", "law": "", "reason": "",
}  # fmt: skip


@pytest.fixture
def case(make_case, cast) -> Case:
    """A mother called about her son; his brother is in the household."""
    made = make_case(
        track="C", caller_name=CALLER, phone="070-123 45 67", notes={"told": "Sixten has a knife, says Ingegerd."},
        answers={"r_event": "Folkes phone is 073-555 66 77.", "r_own": "She sleeps badly.", "weapon": "no"},
    )  # fmt: skip
    by = cast.caseworker
    son = made.people.get(part="concern")
    facts = {"name": SON, "personal_number": "20050412-3456", "relation": "child"}
    actions.change_person(by=by, person=son, facts=facts)
    brother = {"part": "household", "name": BROTHER, "relation": "sibling"}
    actions.add_person(by=by, case=made, facts=brother)
    actions.add_note(by=by, case=made, kind="assessment", text="Zetterlund (900101-1239) is afraid of SIXTEN.")
    note = actions.add_note(by=by, case=made, kind="seen", text="The neighbour in flat four saw him.")
    actions.amend_note(by=by, note=note, amendment="objection", text="I was never there.")
    actions.log_contact(by=by, case=made, outcome="no_answer", text="Her voicemail was full.")
    draft = handovers.draft_referral(by=by, case=made, agency=cast.agency, need="child_protection")
    words = {"ask": "Meet Sixten.", "happened": "He met people.", "wants": "Rest for herself.", "ground": "DUTY"}
    handovers.send(
        by=by, referral=handovers.save_draft(by=by, referral=draft, words={**words, "ground_reason": "Worry."})
    )
    actions.open_with_reason(by=cast.manager, case=made, reason=REASON)
    return made


@pytest.fixture
def son(case):
    return case.people.get(part="concern")


@pytest.fixture
def mother(case):
    return case.people.get(part="caller")


@pytest.fixture
def boss(client_of, cast):
    return client_of(cast.manager)


def url_of(person) -> str:
    return reverse("extract", args=[person.case.slug, person.pk])


def decide(client, person, **facts) -> SecrecyDecision:
    answer = client.post(url_of(person), {**ALL, **facts})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    connection.check_constraints()
    return SecrecyDecision.objects.latest("decided_at")


def look(client, decision, **sent):
    url = reverse("extract-read", args=[decision.pk])
    return client.post(url, sent) if sent else client.get(url)


def make(client, decision, form="text", **sent):
    seen = look(client, decision, **(sent or {"words": ""})).context["extract"].digest
    data = {"seen": seen, "read": "on", "form": form, **sent}
    return client.post(reverse("extract-make", args=[decision.pk]), data)


def text_of(client, person, **facts) -> str:
    answer = make(client, decide(client, person, **facts))
    assert answer.status_code == 200, answer.content.decode()[-2000:]
    return answer.context["text"]


# -- what it holds ---


def test_the_son_reads_everything_about_himself_and_not_who_called(boss, son):
    text = text_of(boss, son)
    for words in (
        SON,
        "20050412-3456",
        "has a knife",
        "He met people.",
        "I was never there.",
        "SIXTEN",
        "Meet Sixten.",
    ):
        assert words in text, words
    for words in (
        "Ingegerd",
        "070-123",
        "Folke",
        "Zetterlund",
        "900101",
        "She sleeps badly",
        "voicemail",
        "Rest for herself",
    ):
        assert words not in text, words
    assert REPORTER in text and OTHER in text
    assert text.startswith("Sekretess enligt 26 kap. 1 § OSL") and str(clock.today()) in text.splitlines()[1]
    for words in ("SN 2026-77", "Socialtjänst barn och unga, Falköping", "Enhetschef"):
        assert words in text, words
    assert "Relation" not in text or re.search(r"Relation: (?!\[)", text) is None


def test_the_mother_reads_what_she_told_and_no_name_of_another(boss, mother):
    text = text_of(boss, mother)
    for words in (CALLER, "She sleeps badly.", "Her voicemail was full.", "Rest for herself."):
        assert words in text, words
    for words in ("Sixten", "Folke", "Zetterlund", "20050412", "900101"):
        assert words not in text, words
    assert REPORTER not in text and "has a knife, says Ingegerd." in text


def test_who_has_read_it_stands_there_by_role_and_day(boss, cast, client_of, son, case):
    for _twice in range(2):
        client_of(cast.caseworker).get(reverse("intake:case", args=[case.slug]))
    text = text_of(boss, son)
    readers = text.partition("VEM SOM HAR LÄST")[2].partition("\n\n")[0]
    assert readers.count(str(clock.today())) == 2 and "2 gånger" in readers and "Handläggare" in readers
    assert not any(name in readers for name in ("Anna", "Cecilia"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tom said", "# said"),
        ("TOMS bil", "# bil"),
        ("Tomas Ahill", "Tomas Ahill"),
        ("tom hill and Hill", "# and Hill"),
        ("A\u030aberg", "#"),
        ("ring 070 - 123 45 67!", "ring #!"),
        ("+46 70 123 45 67", "#"),
        ("0046701234567", "#"),
        ("19850412-1234", "#"),
        ("850412 1234", "#"),
        ("8504121234.", "#."),
        ("198112189876", "198112189876"),
        ("8112189876", "8112189876"),
        ("900101-1239", "[about somebody else]"),
        ("070123456789", "070123456789"),
    ],
)
def test_each_way_of_writing_somebody_else_is_masked(text, expected):
    found = Masks(["Mary Hill"], ["198112189876"])
    found.add_person("#", name="Tom Hill", phone="070-123 45 67", number="198504121234")
    found.add_person("#", name="Åberg")
    assert found.on(text) == expected


# -- the decision ---


def test_a_decision_is_recorded(boss, cast, son, case):
    made = decide(boss, son, outcome="part", held_back=["notes"], law="OSL 26:5", reason="She could be harmed.")
    assert (made.person_id, made.case_id, made.decided_by) == (son.pk, case.pk, cast.manager)
    assert (made.asked_by, made.identity_checked, made.law, made.held_back) == (
        "self",
        "id_card",
        "OSL 26:5",
        ["notes"],
    )
    assert made.reason == "She could be harmed." and made.made_at is None
    assert LogEntry.objects.get(event="extract.decided", case=case.pk).codes["outcome"] == "part"
    decide(boss, son, outcome="part", held_back=["notes"], law="OSL 26:5", reason="She could be harmed.")
    assert SecrecyDecision.objects.count() == 1  # sent twice
    assert case.events.filter(kind="extract.decided").count() == 1


def test_what_is_held_back_is_not_in_it_and_it_says_so(boss, son):
    text = text_of(boss, son, outcome="part", held_back=["notes", "handovers"], law="OSL 26:5", reason="Harm.")
    assert "afraid of" not in text and "He met people." not in text and "OSL 26:5" in text
    assert "has a knife" not in text and "I was never there." not in text  # of the call, and beside a note
    assert "Vapen eller sprängämnen: Nej" in text  # of the call, and no note


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"outcome": "part", "law": "OSL 26:1", "reason": "x"}, "held_back"),
        ({"outcome": "part", "held_back": ["notes"], "reason": "x"}, "law"),
        ({"outcome": "refused", "law": "OSL 26:1"}, "reason"),
        ({"registry_number": ""}, "registry_number"),
        ({"registry_number": "SN 19811218-9876"}, "registry_number"),
        ({"asked_by": "anybody"}, "asked_by"),
        ({"identity_checked": ""}, "identity_checked"),
        ({"held_back": ["all of it"]}, "held_back"),
        ({"reason": "x\0y"}, "reason"),
        ({"registry_number": "x" * 1_000_000}, "registry_number"),
    ],
)
def test_half_a_decision_is_refused_at_its_field(boss, son, facts, field):
    answer = boss.post(url_of(son), {**ALL, **facts})
    assert answer.status_code == 422 and field in answer.context["form"].errors
    assert not SecrecyDecision.objects.exists()


def test_where_nothing_is_given_out_none_is_made(boss, son, case):
    made = decide(boss, son, outcome="refused", law="OSL 26:1", reason="Harm to her.")
    assert look(boss, made).status_code == 302
    answer = boss.post(reverse("extract-make", args=[made.pk]), {"seen": "", "read": "on", "form": "pdf"}, follow=True)
    assert "nothing is given out" in answer.content.decode() and answer.headers["Content-Type"].startswith("text/html")
    made.refresh_from_db()
    assert made.made_at is None and not case.events.filter(kind="extract.made").exists()
    assert not LogEntry.objects.filter(event__in=["extract.made", "extract.read"]).exists()


def test_a_decision_is_good_for_a_month(boss, son):
    made = decide(boss, son)
    SecrecyDecision.objects.update(decided_at=clock.now() - dt.timedelta(days=31))
    answer = boss.get(reverse("extract-read", args=[made.pk]), follow=True)
    assert "older than a month" in answer.content.decode() and "knife" not in answer.content.decode()


# -- looking through, and making ---


def test_it_is_made_as_it_was_looked_through_and_leaves_its_rows(boss, son, case):
    made = decide(boss, son)
    for form, content in (("pdf", "application/pdf"), ("text", "text/html")):
        answer = make(boss, made, form)
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(content)
        assert "no-store" in answer.headers["Cache-Control"]
        if form == "pdf":
            assert (
                str(made.pk) in answer.headers["Content-Disposition"]
                and "Sixten" not in answer.headers["Content-Disposition"]
            )
            reader = PdfReader(io.BytesIO(answer.content))
            said = " ".join(page.extract_text() for page in reader.pages)
            assert "Sekretess" in said and "has a knife" in said and "Ingegerd" not in said
            assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] and reader.trailer["/Root"]["/Lang"] == "sv-SE"
    connection.check_constraints()
    made.refresh_from_db()
    assert made.made_at is not None
    rows = LogEntry.objects.filter(event="extract.made", case=case.pk)
    assert [row.codes["form"] for row in rows.order_by("id")] == ["pdf", "text"]
    assert case.events.filter(kind="extract.made").count() == 2
    assert LogEntry.objects.filter(event="extract.read", case=case.pk, why="extract").exists()
    for row in LogEntry.objects.all():
        assert not any(word in f"{row.codes} {row.row}" for word in ("Sixten", "Ingegerd", "knife"))


def test_it_must_be_looked_through_first(boss, son):
    made = decide(boss, son)
    seen = look(boss, made).context["extract"].digest
    url = reverse("extract-make", args=[made.pk])
    answer = boss.post(url, {"seen": seen, "form": "pdf"})
    assert answer.status_code == 422 and "Look through all of it first" in answer.content.decode()
    answer = boss.post(url, {"seen": seen, "read": "on", "form": "pdf", "words": "neighbour"})
    assert answer.status_code == 422 and "not what you have looked through" in answer.content.decode()
    assert not LogEntry.objects.filter(event="extract.made").exists()


def test_what_was_written_meanwhile_is_looked_through_too(boss, cast, son, case):
    made = decide(boss, son)
    seen = look(boss, made).context["extract"].digest
    actions.add_note(by=cast.caseworker, case=case, kind="seen", text="Written meanwhile.")
    url = reverse("extract-make", args=[made.pk])
    assert boss.post(url, {"seen": seen, "read": "on", "form": "text"}).status_code == 422
    assert not LogEntry.objects.filter(event="extract.made").exists()


def test_lines_are_ticked_and_words_are_masked(boss, son):
    made = decide(boss, son)
    page = look(boss, made).context["extract"]
    lines = [line for part in page.parts for line in part.lines]
    line = next(line for line in lines if "neighbour" in line.shown)
    text = make(boss, made, lines=line.key, words="knife\n\n ").context["text"]
    assert "neighbour" not in text and "knife" not in text and "has a [uppgift om annan]" in text
    answer = look(boss, made, lines=line.key, words="knife")
    assert f'value="{line.key}" id="l{line.key}" checked' in answer.content.decode()


@pytest.mark.parametrize("kind", ["\0", "\u202e", "x" * 200_000, "(", "\\1 [", ".*"])
def test_hostile_words_to_mask(boss, son, kind):
    answer = look(boss, decide(boss, son), words=kind)
    assert answer.status_code == (422 if kind[0] in "\0\u202ex" else 200)
    page = look(boss, SecrecyDecision.objects.get(), lines="<b>")
    assert page.status_code in (200, 422) and "<b>" not in page.content.decode()


# -- the same person elsewhere ---


@pytest.fixture
def elsewhere(make_case, cast) -> Case:
    """The son called himself, a colleague took it."""
    made = make_case(
        by=cast.colleague, track="C", caller_name=SON, personal_number=HIS_NUMBER, notes={"told": "I want out."}
    )
    return made


def values(client, person) -> list[str]:
    form = client.get(url_of(person)).context["form"]
    return [value for value, _label in form.fields["same"].choices] if "same" in form.fields else []


def test_the_same_person_elsewhere_is_ticked_and_comes_along(boss, son, case, elsewhere, make_case, cast):
    namesake = make_case(track="B", caller_name="sixten MALMKVIST", notes={"told": "Another man."})
    assert len(values(boss, son)) == 2
    page = boss.get(url_of(son)).content.decode()
    assert elsewhere.number in page and "the same personal number" in page and "the same name" in page
    his = elsewhere.people.get(part="caller")
    text = text_of(boss, son, same=[f"person:{his.pk}"])
    assert (
        "I want out." in text
        and elsewhere.number in text
        and "Another man." not in text
        and namesake.number not in text
    )
    assert "Ingegerd" not in text
    for one in (case, elsewhere):
        assert one.events.filter(kind="extract.made").count() == 1
        assert LogEntry.objects.filter(event="extract.read", case=one.pk).exists()


def test_a_call_without_a_case_comes_along(boss, son, make_call, cast):
    call = make_call(
        track="B",
        caller_name=SON,
        urgency="NORMAL",
        urgency_reason="-",
        caller_type="other",
        notes={"told": "Just asking."},
    )
    actions.complete_call(by=cast.caseworker, call=call)
    assert values(boss, son) == [f"call:{call.pk}"]
    assert "Just asking." in text_of(boss, son, same=[f"call:{call.pk}"])
    assert LogEntry.objects.filter(event="extract.made", call=call.pk).exists()


def test_what_the_manager_may_not_know_of_is_not_offered_and_not_taken(boss, son, elsewhere, cast, make_case):
    foreign = make_case(by=cast.stranger, track="C", caller_name=SON, personal_number=HIS_NUMBER)
    assert len(values(boss, son)) == 1
    LockedOut.objects.create(case=elsewhere, user=cast.manager, by=cast.manager, reason="Kin.")
    assert values(boss, son) == []
    for one in (elsewhere, foreign):
        answer = boss.post(url_of(son), {**ALL, "same": [f"person:{one.people.get(part='caller').pk}"]})
        held = SecrecyDecision.objects.filter(covers__people__contains=f"person:{one.people.get(part='caller').pk}")
        assert answer.status_code in (302, 422) and not held.exists()
    LockedOut.objects.update(ended_at=clock.now(), ended_by=cast.manager)
    actions.change_protection(by=cast.colleague, case=elsewhere, level="secrecy_marking", why="Threat.")
    assert values(boss, son) == []


def test_who_was_locked_out_meanwhile_gets_nothing(boss, son, elsewhere, cast):
    made = decide(boss, son, same=[f"person:{elsewhere.people.get(part='caller').pk}"])
    assert "I want out." in look(boss, made).content.decode()
    LockedOut.objects.create(case=elsewhere, user=cast.manager, by=cast.manager, reason="Kin.")
    answer = boss.get(reverse("extract-read", args=[made.pk]), follow=True)
    assert "I want out." not in answer.content.decode() and "Decide anew" in answer.content.decode()


def test_of_protected_data_no_file_is_made(boss, son, case, cast):
    actions.change_protection(by=cast.caseworker, case=case, level="secrecy_marking", why="Threat.")
    NamedAccess.objects.create(case=case, user=cast.manager, by=cast.manager)
    made = decide(boss, son)
    page = look(boss, made)
    assert (
        page.status_code == 200
        and "no file is made" in page.content.decode()
        and "Make a PDF" not in page.content.decode()
    )
    answer = make(boss, made, "pdf")
    assert answer.status_code == 422 and not LogEntry.objects.filter(event="extract.made").exists()


# -- who may ---


@pytest.mark.parametrize(
    ("who", "status"), [("caseworker", 403), ("partner", 403), ("keeper", 403), ("other_manager", 404)]
)
def test_the_manager_of_the_unit_alone(client_of, boss, cast, son, who, status):
    made = decide(boss, son)
    client = client_of(getattr(cast, who))
    for url in (url_of(son), reverse("extract-read", args=[made.pk])):
        assert client.get(url).status_code == status and client.post(url, ALL).status_code == status
    assert client.post(reverse("extract-make", args=[made.pk])).status_code == status
    assert boss.get(reverse("extract-make", args=[made.pk])).status_code == 405


def test_the_manager_gives_a_reason_first_and_finds_it_with_the_person(client_of, cast, make_case):
    fresh = make_case(track="C", caller_name="Nils Ek")
    answer = client_of(cast.manager).get(url_of(fresh.people.get(part="caller")))
    assert answer.status_code == 302 and "/reason/" in answer.headers["Location"]
    actions.open_with_reason(by=cast.manager, case=fresh, reason=REASON)
    people = reverse("intake:people", args=[fresh.slug])
    link = url_of(fresh.people.get(part="caller"))
    assert link in client_of(cast.manager).get(people).content.decode()
    assert link not in client_of(cast.caseworker).get(people).content.decode()


def test_the_hint_warns_of_others_alone():
    """Neither of the person's own name, in whole, in part or as a genitive, nor of their own number, nor of our own word."""
    found = Masks(["Maria Ek"], ["198112189876"])
    text = "I går ringde Maria Ek. Sedan Marias vän Fatima Berg, 19811218-9876. Hon fick Insats."
    hints = _shown(Line("", text), found, set()).hints
    assert hints == ["Fatima Berg"]
