"""An extract for somebody who is known from a call without a case alone: who called, or whom it was about."""

import io

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.urls import reverse
from pypdf import PdfReader

from helpline import forgetting
from helpline.extract import tables
from helpline.people import clock
from helpline.people.models import LogEntry
from intake import actions, told
from intake.models import Call, SecrecyDecision
from tests.roof.test_extract import ALL, OTHER, REPORTER, look, make

pytestmark = pytest.mark.django_db
NAME, NUMBER = "Ingegerd Malmkvist", "198112189876"
TOLD = "Ingegerd asked where one can turn. Her son is Sixten."


@pytest.fixture
def make_ended(make_call, cast):
    """A finished call that no case was needed for."""

    def made(by=None, **facts) -> Call:
        facts = {"track": "B", "urgency": "NORMAL", "urgency_reason": "Calm.", "caller_type": "other", **facts}
        by = by or cast.caseworker
        return actions.complete_call(by=by, call=make_call(by=by, **facts))

    return made


@pytest.fixture
def call(make_ended):
    """Ingegerd called, and gave her name and number."""
    return make_ended(
        caller_name=NAME, personal_number=NUMBER, milieu="RIGHT", notes={"told": TOLD}, answers={"weapon": "no"}
    )


@pytest.fixture
def boss(client_of, cast):
    return client_of(cast.manager)


def url_of(call) -> str:
    return reverse("extract-call", args=[call.pk])


def decide(client, call, **facts) -> SecrecyDecision:
    answer = client.post(url_of(call), {**ALL, "call_part": "caller", **facts})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    connection.check_constraints()
    return SecrecyDecision.objects.latest("decided_at")


def text_of(client, call, **facts) -> str:
    answer = make(client, decide(client, call, **facts))
    assert answer.status_code == 200, answer.content.decode()[-2000:]
    return answer.context["text"]


# -- found, and what it holds ---


@pytest.mark.parametrize("term", [NAME, "19811218-9876"])
def test_the_manager_finds_it_by_the_same_search(call, boss, cast, client_of, term):
    assert url_of(call) in boss.post("/search/", {"term": term}).content.decode()
    for who in (cast.caseworker, cast.colleague, cast.other_manager):
        assert url_of(call) not in client_of(who).post("/search/", {"term": term}).content.decode()


def test_it_is_on_the_page_of_an_own_call(make_ended, cast, boss, client_of):
    own = make_ended(by=cast.manager, track="A")
    assert url_of(own) in boss.get(reverse("intake:call", args=[own.pk]), follow=True).content.decode()
    other = make_ended(track="A")
    page = client_of(cast.caseworker).get(reverse("intake:call", args=[other.pk]), follow=True).content.decode()
    assert "extract" not in page


def test_who_called_reads_everything_about_themselves(call, boss, cast):
    actions.amend_call(by=cast.caseworker, call=call, about="fact.milieu", amendment="objection", text="I am in none.")
    text = text_of(boss, call)
    for words in (NAME, "19811218-9876", TOLD, "Calm.", "Advice alone.", "SN 2026-77"):
        assert words in text, words
    assert REPORTER not in text and OTHER in text and "I am in none." not in text  # the milieu is of her son
    own = text_of(boss, call, call_part="both", registry_number="SN 2026-79")
    assert "I am in none." in own and OTHER not in own
    assert text.startswith("Sekretess enligt 26 kap. 1 § OSL")


@pytest.mark.parametrize("about", ["fact.milieu", "fact.urgency", "weapon"])
def test_whom_a_call_was_about_does_not_read_what_its_caller_objected(make_ended, boss, cast, about):
    call = make_ended(caller_name=NAME, milieu="RIGHT", answers={"weapon": "no"})
    actions.amend_call(
        by=cast.caseworker, call=call, about=about, amendment="objection", text="I never said that of him."
    )
    text = text_of(boss, call, call_part="concern")
    assert "I never said that" not in text and REPORTER in text
    assert "I never said that" in text_of(boss, call, call_part="both", registry_number="SN 2026-79")


@pytest.mark.parametrize("about", ["fact.milieu", "fact.urgency", "weapon"])
def test_whom_a_call_was_about_reads_their_own_objection_and_who_called_does_not(make_ended, boss, cast, about):
    call = make_ended(caller_name=NAME, milieu="RIGHT", answers={"weapon": "no"})
    sent = {"about": about, "amendment": "objection", "text": "I am in nothing.", "said_by": "concern"}
    actions.amend_call(by=cast.caseworker, call=call, **sent)
    actions.amend_call(by=cast.caseworker, call=call, **{**sent, "text": "I only asked.", "said_by": "caller"})
    own = text_of(boss, call, call_part="concern")
    assert "I am in nothing." in own and "I only asked." not in own and REPORTER in own
    assert "I am in nothing." not in text_of(boss, call, registry_number="SN 2026-79")
    assert "I am in nothing." in text_of(boss, call, call_part="both", registry_number="SN 2026-80")


def test_all_that_stands_in_the_call_is_in_it(call, boss):
    text = text_of(boss, call, call_part="both")
    from django.utils import translation

    with translation.override("sv"):
        call = Call.objects.select_related("key", "municipality", "case").get(pk=call.pk)
        for one in told.standing_in(call):
            assert f"{one.label}: {one.answer}" in text or one.key == "fact.call", one.key
        assert len(told.standing_in(call)) > 12


def test_each_fact_has_whose_it_is():
    parts = [tables.FACTS_OF_CALLER, tables.FACTS_OF_CONCERN, tables.FACTS_OF_BOTH]
    assert sorted(key for one in parts for key in one) == sorted(told.FACTS)


def test_whom_it_was_about_reads_no_word_of_who_called(call, boss, cast):
    for about in ("fact.milieu", "fact.language"):
        words = f"Wrong, says Ingegerd of {about}."
        actions.amend_call(by=cast.caseworker, call=call, about=about, amendment="correction", text=words)
    made = decide(boss, call, call_part="concern")
    assert "Somebody else called" in look(boss, made).content.decode()
    text = make(boss, made).context["text"]
    for words in ("Ingegerd", "Malmkvist", "19811218", "of fact."):  # whatever it stands beside, she said it
        assert words not in text, words
    assert REPORTER in text and "asked where one can turn" in text


def test_that_somebody_reads_it_is_in_it_by_role_and_day(call, boss, cast, client_of):
    client_of(cast.caseworker).get(reverse("intake:call", args=[call.pk]))
    readers = text_of(boss, call).partition("VEM SOM HAR LÄST")[2].partition("\n\n")[0]
    assert str(clock.today()) in readers and "Handläggare" in readers and "Enhetschef" in readers
    assert not any(name in readers for name in ("Anna", "Cecilia"))


def test_how_long_it_is_kept_is_in_it(call, boss):
    assert "HUR LÄNGE DET SPARAS" in text_of(boss, call).upper()


@pytest.mark.parametrize("part", list(tables.CALL_PARTS))
def test_of_advice_whose_words_are_erased_it_says_so(make_ended, boss, part):
    call = make_ended(track="A", notes={"told": "He is in a milieu."})
    before = decide(boss, call, call_part=part)
    assert "He is in a milieu." in look(boss, before).content.decode()
    call.key.destroy()
    assert "are erased" in boss.get(url_of(call)).content.decode()
    page = look(boss, before).content.decode()
    assert "Orden raderades" in page and "He is in a milieu." not in page
    text = text_of(boss, call, call_part=part, registry_number="SN 2026-78")
    assert "Orden raderades" in text and "milieu." not in text and "Handläggare" not in text.partition("VEM SOM")[0]
    answer = boss.post(url_of(call), {**ALL, "call_part": part, "outcome": "refused", "law": "OSL 26:1", "reason": "x"})
    assert answer.status_code == 422 and "no reason can be written" in answer.content.decode()


def test_a_call_of_a_name_alone(make_ended, boss):
    assert "Nils Ek" in text_of(boss, make_ended(caller_name="Nils Ek"))


def test_the_same_person_elsewhere_comes_along(call, boss, make_case, make_ended, cast):
    case = make_case(track="C", caller_name=NAME, personal_number=NUMBER, notes={"told": "I want out."})
    again = make_ended(by=cast.colleague, caller_name=NAME, notes={"told": "It is I again."})
    caller = case.people.get(part="caller")
    values = [f"person:{caller.pk}", f"call:{again.pk}"]
    form = boss.get(url_of(call)).context["form"]
    assert sorted(value for value, _label in form.fields["same"].choices) == sorted(values)
    text = text_of(boss, call, same=values)
    for words in ("I want out.", "It is I again.", TOLD, case.number):
        assert words in text
    assert case.events.filter(kind="extract.made").count() == 1
    assert LogEntry.objects.filter(event="extract.made", call=again.pk).exists()
    answer = boss.post(url_of(call), {**ALL, "call_part": "concern", "same": values})
    assert answer.status_code == 422 and "same" in answer.context["form"].errors
    answer = boss.post(url_of(call), {**ALL, "call_part": "caller", "same": [f"call:{call.pk}"]})
    assert answer.status_code == 422


# -- the decision, and the rows ---


def test_a_decision_is_recorded_and_made_leaves_its_rows(call, boss, cast):
    made = decide(boss, call, outcome="part", held_back=["safe"], law="OSL 26:5", reason="Harm.")
    assert (made.call_id, made.case, made.person, made.part, made.decided_by) == (
        call.pk, None, None, "caller", cast.manager,
    )  # fmt: skip
    assert SecrecyDecision.objects.select_related("call__key").get().reason == "Harm."
    row = LogEntry.objects.get(event="extract.decided")
    assert (row.call, row.case) == (call.pk, None)
    assert row.codes == {"part": "caller", "outcome": "part", "law": "OSL 26:5"}
    decide(boss, call, outcome="part", held_back=["safe"], law="OSL 26:5", reason="Harm.")
    assert SecrecyDecision.objects.count() == 1  # sent twice
    for form in ("pdf", "text"):
        answer = make(boss, made, form)
        assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
        if form == "pdf":
            said = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
            assert NAME in said and "Sekretess" in said
    made.refresh_from_db()
    assert made.made_at is not None
    rows = LogEntry.objects.filter(event="extract.made", call=call.pk).order_by("id")
    assert [row.codes["form"] for row in rows] == ["pdf", "text"]
    assert LogEntry.objects.filter(event="extract.read", call=call.pk, why="extract").exists()
    for row in LogEntry.objects.all():
        assert not any(word in f"{row.codes} {row.row}" for word in ("Malmkvist", "Ingegerd", "Harm", "8112"))


def test_looking_at_the_decision_is_a_reading_and_shows_no_word(call, boss, cast):
    page = boss.get(url_of(call)).content.decode()
    assert not any(word in page for word in ("Ingegerd", "8112", "Sixten", "Calm."))
    row = LogEntry.objects.get(event="call.read", user=cast.manager)
    assert (row.call, row.why) == (call.pk, "extract")


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"call_part": ""}, "call_part"), ({"call_part": "household"}, "call_part"), ({"registry_number": ""}, "registry_number")],
)  # fmt: skip
def test_half_a_decision_is_refused_at_its_field(call, boss, facts, field):
    answer = boss.post(url_of(call), {**ALL, "call_part": "caller", **facts})
    assert answer.status_code == 422 and list(answer.context["form"].errors) == [field]
    assert not SecrecyDecision.objects.exists()


def test_refused_is_refused(call, boss):
    made = decide(boss, call, outcome="refused", law="OSL 26:1", reason="Harm.")
    answer = boss.post(reverse("extract-make", args=[made.pk]), {"seen": "", "read": "on", "form": "pdf"}, follow=True)
    assert "nothing is given out" in answer.content.decode()
    assert not LogEntry.objects.filter(event__in=["extract.made", "extract.read"]).exists()


def test_the_database_wants_a_person_or_a_call(call, make_case, cast):
    case = make_case(track="C", caller_name="Nils Ek")
    person = case.people.get(part="caller")
    for wrong in (
        {},
        {"case": case},
        {"call": call},
        {"case": case, "person": person, "call": call, "call_part": "caller"},
        {"case": case, "person": person, "call_part": "caller"},
        {"call": call, "call_part": "wife"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            SecrecyDecision.objects.create(outcome="all", decided_by=cast.manager, registry_number="1", **wrong)


def test_it_is_forgotten_with_the_call(call, boss):
    made = decide(boss, call)
    rows = next(rows for rows in forgetting.GOES if rows.model == "intake.SecrecyDecision")
    assert list(rows.of(call, [call.pk])) == [made]


# -- who may ---


@pytest.mark.parametrize(
    ("who", "status"),
    [("caseworker", 403), ("colleague", 403), ("partner", 403), ("keeper", 403), ("reviewer", 403), ("coordinator", 403),
     ("stranger", 403), ("other_manager", 404)],
)  # fmt: skip
def test_the_manager_of_the_unit_alone(call, client_of, cast, boss, who, status):
    made = decide(boss, call)
    client = client_of(getattr(cast, who))
    absent = reverse("extract-call", args=[made.pk])
    for url in (url_of(call), reverse("extract-read", args=[made.pk])):
        assert client.get(url).status_code == status and client.post(url, ALL).status_code == status
        assert status == 403 or client.get(url).content == client.get(absent).content
    assert client.post(reverse("extract-make", args=[made.pk])).status_code == status
    assert boss.get(reverse("extract-make", args=[made.pk])).status_code == 405
    if status == 404:
        assert LogEntry.objects.filter(event="call.refused", user=cast.other_manager, row=str(call.pk)).exists()


def test_a_call_that_goes_on_or_has_a_case_is_none_of_these(make_call, make_case, boss):
    for call in (make_call(track="B", caller_name=NAME), make_case(track="B", caller_name=NAME).calls.get()):
        assert boss.get(url_of(call)).status_code == 404


@pytest.mark.parametrize("level", ["secrecy_marking", "protected_registration"])
def test_of_protected_data_the_taker_alone_and_no_file(make_ended, boss, cast, level):
    other = make_ended(caller_name=NAME, protection=level)
    assert boss.get(url_of(other)).status_code == 404
    assert url_of(other) not in boss.post("/search/", {"term": NAME}).content.decode()
    own = make_ended(by=cast.manager, caller_name="Nils Ek", protection=level)
    assert "no file is made" in boss.get(url_of(own)).content.decode()
    made = decide(boss, own)
    page = look(boss, made).content.decode()
    assert "Nils Ek" in page and "Make a PDF" not in page
    assert make(boss, made, "pdf").status_code == 422
    assert not LogEntry.objects.filter(event="extract.made").exists()


def test_what_came_to_be_protected_meanwhile_is_no_longer_there(call, boss):
    made = decide(boss, call)
    Call.objects.filter(pk=call.pk).update(protection="secrecy_marking")
    assert look(boss, made).status_code == 404
    assert boss.post(reverse("extract-make", args=[made.pk]), {"seen": "x", "read": "on"}).status_code == 404


def test_from_what_is_given_out_one_comes_to_correct_it(call, boss, cast):
    made = decide(boss, call)
    link = reverse("intake:call-amend", args=[call.pk])
    assert link in look(boss, made).content.decode()
    sent = {"about": "fact.call", "amendment": "objection", "text": "It was not I."}
    assert boss.post(link, sent).status_code == 302
    assert "It was not I." in look(boss, made).content.decode()
