"""What hangs under a signed note: an addition, a correction, the person's own objection. The note itself stays."""

import re
import uuid

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, InternalError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people.errors import Refused
from helpline.people.models import LogEntry
from intake import actions
from intake.labels import AMENDMENTS
from intake.models import Note

KINDS = list(AMENDMENTS)


@pytest.fixture
def case(make_case):
    return make_case(notes={"seen": "He has been in for four years."})


@pytest.fixture
def note(case):
    return Note.objects.select_related("call__key").get(call__case=case, kind="seen")


@pytest.fixture
def call(make_call, cast):
    """A completed call that no case was needed for."""
    made = make_call(caller_type="other", urgency="NORMAL", notes={"told": "She heard it."})
    return actions.complete_call(by=cast.caseworker, call=made)


def url(case, note, amendment="correction"):
    return reverse("intake:note-amend", args=[case.slug, note.pk, amendment])


@pytest.mark.parametrize("amendment", KINDS)
def test_it_hangs_under_its_note_dated_and_signed(case, note, cast, client_of, amendment):
    client = client_of(cast.caseworker)
    page = client.get(url(case, note, amendment)).content.decode()
    assert "He has been in for four years." in page
    answer = client.post(url(case, note, amendment), {"text": "It is three years."})
    assert answer.headers["Location"] == reverse("intake:case", args=[case.slug])
    connection.check_constraints()
    made = note.amendments.select_related("by").get()
    assert (made.amendment, made.kind, made.by) == (amendment, "seen", cast.caseworker)
    assert made.signed_at is not None and made.call_id == note.call_id
    note.refresh_from_db()
    assert note.text == "He has been in for four years."
    page = client.get(reverse("intake:case", args=[case.slug])).content.decode()
    under = page[page.index("He has been in for four years.") :]
    assert under.index(str(AMENDMENTS[amendment])) < under.index("It is three years.")
    assert page.count("It is three years.") == 2  # as an event of its own, and under its note
    assert page.count("<blockquote") == (amendment == "objection")
    row = LogEntry.objects.get(event="note.amended", case=case.pk)
    assert row.codes == {"amendment": amendment} and row.user == cast.caseworker


def test_a_note_of_the_case_itself(case, cast):
    note = actions.add_note(by=cast.caseworker, case=case, kind="assessment", text="Calm.")
    made = actions.amend_note(by=cast.caseworker, note=note, amendment="addition", text="Still calm.")
    connection.check_constraints()
    assert made.case_id == case.pk and made.call_id is None


def test_several_hang_in_order_of_time(case, note, cast):
    for text in ("one", "two", "three"):
        actions.amend_note(by=cast.caseworker, note=note, amendment="addition", text=text)
    assert [one.text for one in note.hanging] == ["one", "two", "three"]


def test_twice_does_it_once(case, note, cast, client_of):
    client = client_of(cast.caseworker)
    for _ in range(2):
        assert client.post(url(case, note), {"text": "It is three years."}).status_code == 302
    assert note.amendments.count() == 1
    assert case.events.filter(kind="note.amended").count() == 1


def test_a_note_of_a_call_without_a_case(call, cast, client_of):
    (note,) = call.signed_notes
    client = client_of(cast.caseworker)
    page = client.get(reverse("intake:call-after", args=[call.pk])).content.decode()
    assert "She heard it." in page
    street = reverse("intake:call-note-amend", args=[call.pk, note.pk, "objection"])
    assert client.get(street).status_code == 200
    answer = client.post(street, {"text": "I did not say that."}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("intake:call-after", args=[call.pk])
    page = client.get(reverse("intake:call-after", args=[call.pk])).content.decode()
    assert page.index("She heard it.") < page.index("I did not say that.")
    assert LogEntry.objects.get(event="note.amended").call == call.pk
    for who, status in [("colleague", 404), ("stranger", 404), ("partner", 403), ("keeper", 403)]:
        assert client_of(getattr(cast, who)).get(street).status_code == status, who


def test_what_hangs_is_not_hung_under(case, note, cast, client_of):
    made = actions.amend_note(by=cast.caseworker, note=note, amendment="addition", text="More.")
    with pytest.raises(Refused, match="added to no more"):
        actions.amend_note(by=cast.caseworker, note=made, amendment="correction", text="Less.")
    assert client_of(cast.caseworker).get(url(case, made)).status_code == 404


def test_what_is_not_signed_is_just_written_on(make_call, cast, client_of):
    call = make_call(notes={"seen": "Not yet signed."})
    note = call.notes.get()
    with pytest.raises(Refused, match="Only a signed note"):
        actions.amend_note(by=cast.caseworker, note=note, amendment="addition", text="x")
    street = reverse("intake:call-note-amend", args=[call.pk, note.pk, "addition"])
    assert client_of(cast.caseworker).get(street).status_code == 404


def test_nothing_hangs_under_words_that_are_erased(call, cast, client_of):
    (note,) = call.signed_notes
    call.key.destroy()
    with pytest.raises(Refused, match="erased"):
        actions.amend_note(by=cast.caseworker, note=Note.objects.get(pk=note.pk), amendment="addition", text="x")
    street = reverse("intake:call-note-amend", args=[call.pk, note.pk, "addition"])
    answer = client_of(cast.caseworker).post(street, {"text": "x"})
    assert answer.status_code == 422 and "are erased" in answer.content.decode()
    page = client_of(cast.caseworker).get(reverse("intake:call-after", args=[call.pk])).content.decode()
    assert street not in page


def test_it_is_never_changed_or_removed(case, note, cast):
    made = actions.amend_note(by=cast.caseworker, note=note, amendment="correction", text="It is three.")
    for one in (note, made):
        with pytest.raises((InternalError, IntegrityError)), transaction.atomic():
            Note.objects.filter(pk=one.pk).update(kind="told")
        with pytest.raises((InternalError, IntegrityError)), transaction.atomic():
            Note.objects.filter(pk=one.pk)._raw_delete("default")


@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "a\u202eb", "x" * 20_001])
def test_bad_words_are_said_at_their_place_and_kept(case, note, cast, client_of, text):
    answer = client_of(cast.caseworker).post(url(case, note), {"text": text})
    assert answer.status_code == 422 and "id_text" in answer.content.decode()
    assert note.amendments.count() == 0


def test_the_action_refuses_empty_words_and_unknown_kinds(note, cast):
    with pytest.raises(Refused, match="Write the words"):
        actions.amend_note(by=cast.caseworker, note=note, amendment="addition", text=" ")
    with pytest.raises(Refused, match="Choose what"):
        actions.amend_note(by=cast.caseworker, note=note, amendment="removal", text="x")


def test_who_may_not(case, note, cast, client_of):
    for who, status in [
        ("partner", 403),
        ("keeper", 403),
        ("stranger", 404),
        ("other_manager", 404),
        ("colleague", 403),
    ]:
        answer = client_of(getattr(cast, who)).post(url(case, note), {"text": "x"})
        assert answer.status_code == status, who  # the colleague gives a reason first, and gets the words back
    assert note.amendments.count() == 0


def test_a_note_of_another_case_is_not_there(case, note, make_case, cast, client_of):
    client = client_of(cast.caseworker)
    assert client.get(url(make_case(), note)).status_code == 404
    assert client.get(reverse("intake:note-amend", args=[case.slug, uuid.uuid4(), "addition"])).status_code == 404
    assert client.get(url(case, note, "removal")).status_code == 404


def test_queries_do_not_grow_with_what_hangs(case, note, cast, client_of):
    client = client_of(cast.caseworker)

    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("intake:case", args=[case.slug]))
        return len(queries)

    actions.amend_note(by=cast.caseworker, note=note, amendment="addition", text="first")
    own = actions.add_note(by=cast.caseworker, case=case, kind="seen", text="of the case")
    actions.amend_note(by=cast.caseworker, note=own, amendment="addition", text="first")
    count()
    few = count()
    for number in range(4):
        actions.amend_note(by=cast.caseworker, note=note, amendment="correction", text=f"more {number}")
        other = actions.add_note(by=cast.caseworker, case=case, kind="told", text=f"note {number}")
        actions.amend_note(by=cast.caseworker, note=other, amendment="objection", text=f"no {number}")
    assert count() == few


def test_the_case_is_held_before_the_key(case, note, cast):
    """As the erasure does: two that hold the same rows take them in the same order."""
    with CaptureQueriesContext(connection) as asked:
        actions.amend_note(by=cast.caseworker, note=note, amendment="addition", text="More.")
    held = [query["sql"] for query in asked if "FOR UPDATE" in query["sql"]]
    tables = [re.search(r'FROM "(\w+)"', sql)[1] for sql in held]
    assert tables[:3] == ["intake_case", "intake_note", "people_datakey"]


def test_an_objection_to_anything_stands_in_the_case_as_a_note_of_its_own(client_of, cast, make_case):
    """A fact, an answer or a step has no note to hang under (SoL 14:6)."""
    case = make_case()
    client = client_of(cast.caseworker)
    page = client.get(reverse("intake:case", args=[case.slug])).content.decode()
    assert 'value="objection"' in page
    data = {"kind": "objection", "text": "I belong to no milieu."}
    assert client.post(reverse("intake:note-add", args=[case.slug]), data).status_code == 302
    assert "The person’s own objection" in client.get(reverse("intake:case", args=[case.slug])).content.decode()
    call = actions.start_call(by=cast.caseworker)
    answer = client.post(reverse("intake:call-save", args=[call.pk]), {"n.objection": "No."})
    assert answer.status_code == 422  # in a call nobody objects yet
    from intake.casetext import text_of

    assert "I belong to no milieu." in text_of(case)
