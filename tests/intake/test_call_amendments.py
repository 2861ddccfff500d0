"""What is written beside an answer or a fact of a finished call: it stays, and the words stand with it (SoL 14:6)."""

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, InternalError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from intake import actions, told
from intake.casetext import text_of
from intake.labels import AMENDMENTS
from intake.models import LockedOut, Note, SecrecyDecision

pytestmark = pytest.mark.django_db
KINDS = list(AMENDMENTS)
WORDS = "I never said that."


@pytest.fixture
def call(make_call, cast):
    """A completed call without a case and without a note."""
    made = make_call(caller_type="other", urgency="NORMAL", milieu="RIGHT", answers={"weapon": "no"})
    return actions.complete_call(by=cast.caseworker, call=made)


@pytest.fixture
def case(make_case):
    return make_case(answers={"weapon": "no"})


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


def url(call) -> str:
    return reverse("intake:call-amend", args=[call.pk])


def beside(call, **sent) -> dict[str, str]:
    return {"about": "fact.milieu", "amendment": "objection", "text": WORDS, **sent}


def page_of(client, call) -> str:
    return client.get(reverse("intake:call", args=[call.pk]), follow=True).content.decode()


def test_such_a_call_has_no_note_to_hang_under(call):
    assert call.signed_notes == [] and call.case is None


@pytest.mark.parametrize("amendment", KINDS)
@pytest.mark.parametrize("about", ["fact.milieu", "weapon", "fact.call"])
def test_it_stands_beside_what_it_is_about(call, anna, cast, amendment, about):
    link = url(call)
    assert link in page_of(anna, call)
    assert anna.get(link).status_code == 200
    answer = anna.post(link, beside(call, about=about, amendment=amendment))
    assert answer.headers["Location"] == reverse("intake:call", args=[call.pk])
    connection.check_constraints()
    made = Note.objects.select_related("call__key").get(call=call, about=about)
    assert (made.amendment, made.text, made.by) == (amendment, WORDS, cast.caseworker) and made.signed_at is not None
    label = told.label_of(call, about)
    page = page_of(anna, call)
    own = page[page.index(f"<dt>{label}</dt>") :]
    own = own[: own.index("</dd>")]
    assert WORDS in own and str(AMENDMENTS[amendment]) in own and "Anna" in own
    assert ("<blockquote" in own) == (amendment == "objection")
    row = LogEntry.objects.get(event="note.amended", call=call.pk)
    assert row.codes == {"amendment": amendment, "about": about} and row.user == cast.caseworker
    assert not any(WORDS in str(one.codes) for one in LogEntry.objects.all())


def test_what_stands_there_stays(call, anna):
    before = [(one.key, one.answer, one.words) for one in told.standing_in(call)]
    anna.post(url(call), beside(call))
    call = type(call).objects.get(pk=call.pk)
    assert [(one.key, one.answer, one.words) for one in told.standing_in(call)] == before
    assert call.signed_notes == []  # none of the call's own


def test_everything_that_stands_can_be_objected_to(call, cast):
    for one in told.standing_in(call):
        actions.amend_call(by=cast.caseworker, call=call, about=one.key, amendment="objection", text=f"No: {one.key}")
    connection.check_constraints()
    call = type(call).objects.get(pk=call.pk)
    assert all([note.text for note in one.beside] == [f"No: {one.key}"] for one in call.standing)
    assert {one.key for one in call.standing} >= set(told.FACTS) - {"fact.caller_name"}


def test_an_objection_knows_whose_it_is_and_nothing_else_does(call, anna):
    assert anna.post(url(call), beside(call, amendment="objection", said_by="concern")).status_code == 302
    assert anna.post(url(call), beside(call, amendment="addition", said_by="concern")).status_code == 302
    assert dict(Note.objects.filter(call=call).values_list("amendment", "said_by")) == {
        "objection": "concern",
        "addition": "",
    }


def test_twice_does_it_once(call, anna):
    for _twice in range(2):
        assert anna.post(url(call), beside(call)).status_code == 302
    assert Note.objects.filter(call=call).count() == 1
    assert LogEntry.objects.filter(event="note.amended", call=call.pk).count() == 1
    assert anna.post(url(call), beside(call, text="And more.")).status_code == 302
    assert [note.text for note in type(call).objects.get(pk=call.pk).beside["fact.milieu"]] == [WORDS, "And more."]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"about": ""}, "about"),
        ({"about": "fact.caller_name"}, "about"),  # there is none in it
        ({"about": "no.such"}, "about"),
        ({"amendment": "removal"}, "amendment"),
        ({"amendment": "objection", "said_by": "neighbour"}, "said_by"),
        ({"text": "  "}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"text": "x" * 30_000}, "text"),
    ],
)
def test_half_of_it_is_refused_at_its_field_and_given_back(call, anna, sent, field):
    answer = anna.post(url(call), beside(call, **sent))
    assert answer.status_code == 422 and list(answer.context["form"].errors) == [field]
    assert not Note.objects.filter(call=call).exists()
    if field != "text":
        assert WORDS in answer.content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("partner", 403),
        ("keeper", 403),
        ("reviewer", 403),
        ("coordinator", 403),
        ("colleague", 404),
        ("manager", 404),
        ("stranger", 404),
        ("other_manager", 404),
    ],
)
def test_who_took_it_alone(call, cast, client_of, who, status):
    client = client_of(getattr(cast, who))
    absent = reverse("intake:call-amend", args=["00000000-0000-4000-8000-000000000000"])
    for answer in (client.get(url(call)), client.post(url(call), beside(call))):
        assert answer.status_code == status
    if status == 404:
        assert client.get(url(call)).content == client.get(absent).content
        assert LogEntry.objects.filter(event="call.refused", row=str(call.pk)).exists()
    assert not Note.objects.filter(call=call).exists()


def test_the_manager_who_decided_that_the_person_gets_to_know(call, cast, client_of):
    boss = client_of(cast.manager)
    made = SecrecyDecision.objects.create(
        call=call, call_part="caller", outcome="refused", decided_by=cast.manager, law="OSL 26:1", registry_number="1"
    )
    assert boss.get(url(call)).status_code == 404
    SecrecyDecision.objects.filter(pk=made.pk).update(outcome="all")
    assert boss.get(url(call)).status_code == 200
    assert boss.post(url(call), beside(call)).status_code == 302
    assert Note.objects.get(call=call).by == cast.manager
    assert LogEntry.objects.filter(event="call.used", call=call.pk, why="extract", user=cast.manager).exists()
    assert client_of(cast.other_manager).get(url(call)).status_code == 404
    SecrecyDecision.objects.filter(pk=made.pk).update(decided_at=clock.now() - 2 * SecrecyDecision.HOLDS)
    assert boss.get(url(call)).status_code == 404


def test_while_it_goes_on_one_changes_it(make_call, cast, anna):
    call = make_call(answers={"weapon": "no"})
    assert anna.get(url(call)).status_code == 404
    with pytest.raises(Refused, match="still going on"):
        actions.amend_call(by=cast.caseworker, call=call, about="weapon", amendment="correction", text="x")


def test_where_the_words_are_erased_nothing_is_written(call, cast, anna):
    call.key.destroy()
    assert anna.get(url(call)).status_code == 404 and url(call) not in page_of(anna, call)
    with pytest.raises(Refused, match="erased"):
        actions.amend_call(by=cast.caseworker, call=call, about="weapon", amendment="correction", text="x")


def test_its_words_are_forgotten_with_the_call(call, cast):
    made = actions.amend_call(by=cast.caseworker, call=call, about="weapon", amendment="correction", text=WORDS)
    call.key.destroy()
    assert Note.objects.select_related("call__key").get(pk=made.pk).text == ""


def test_the_database_holds_it_together(call, case, cast):
    """Of a call, signed, with its kind; never changed, and not taken away."""
    facts = {"by": cast.caseworker, "text": "x"}
    now = clock.now()
    for wrong in (
        {"call": call, "about": "weapon"},
        {"call": call, "about": "weapon", "amendment": "correction"},
        {"case": case, "about": "weapon", "amendment": "correction", "signed_at": now},
        {"call": call, "amendment": "correction", "signed_at": now},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Note.objects.create(**facts, **wrong)
    made = actions.amend_call(by=cast.caseworker, call=call, about="weapon", amendment="correction", text=WORDS)
    for change in (lambda row: row.update(about="fact.call"), lambda row: row.delete()):
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            change(Note.objects.filter(pk=made.pk))


# -- of a call that has a case ---


def test_in_a_case_it_stands_in_its_timeline_and_beside_the_answer(case, cast, anna):
    call = case.calls.get()
    page = anna.get(reverse("intake:case", args=[case.slug])).content.decode()
    assert url(call) in page
    for about in ("weapon", "fact.milieu"):
        assert anna.post(url(call), beside(call, about=about)).status_code == 302
    connection.check_constraints()
    assert case.events.filter(kind="note.amended").count() == 2
    page = anna.get(reverse("intake:case", args=[case.slug])).content.decode()
    assert page.count(WORDS) == 4  # twice as an event, and beside each
    assert "Beside: Milieu" in page
    assert text_of(case).count(WORDS) == 2
    assert not Note.objects.filter(about="").exists()


def test_of_a_colleagues_case_a_reason_is_asked_for(case, cast, client_of):
    call = case.calls.get()
    answer = client_of(cast.colleague).get(url(call))
    assert answer.status_code == 302 and "/reason/" in answer.headers["Location"]
    assert client_of(cast.stranger).get(url(call)).status_code == 404
    LockedOut.objects.create(case=case, user=cast.colleague, by=cast.manager, reason="Kin.")
    assert client_of(cast.colleague).get(url(call)).status_code == 404


def test_who_is_locked_out_of_the_case_finds_not_even_the_own_call(case, cast, client_of):
    call = case.calls.get()
    case = actions.reassign_case(by=cast.manager, case=case, to=cast.colleague, handover="All.") or case
    LockedOut.objects.create(case=case, user=cast.caseworker, by=cast.manager, reason="Kin.")
    assert client_of(cast.caseworker).get(url(call)).status_code == 404


def test_queries_of_the_case_do_not_grow_with_what_stands_beside(case, cast, anna):
    call = case.calls.get()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            anna.get(reverse("intake:case", args=[case.slug]))
        return len(queries)

    def write(number: int) -> None:
        for about in ("weapon", "fact.milieu"):
            actions.amend_call(by=cast.caseworker, call=call, about=about, amendment="addition", text=f"{number}")

    write(0), count()
    few = count()
    for number in range(1, 4):
        write(number)
    assert count() == few
