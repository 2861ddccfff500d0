"""Cases: opened, read, opened by a colleague, reassigned, closed; notes and contacts."""

import datetime as dt

import pytest
from django.db import connection
from django.db.utils import IntegrityError, InternalError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice
from intake import actions
from intake.actions.timeline import PRESSED_TWICE
from intake.codes import spoken
from intake.models import Case, Event, Note


def url(name: str, case: Case) -> str:
    return reverse(f"intake:{name}", args=[case.slug])


def test_a_serious_call_opens_a_case_with_owner_and_step(make_case, cast):
    case = make_case(notes={"seen": "He said it aloud"}, answers={"r_violence": "yes"}, milieu="RIGHT", track="B")
    connection.check_constraints()
    assert case.owner == cast.caseworker and case.unit == cast.unit
    assert case.status == "new" and case.urgency == "SKYNDSAM" and case.needs == ["family_support"]
    kinds = list(case.events.order_by("at", "id").values_list("kind", flat=True))
    assert kinds == [
        *("call.completed", "urgency.confirmed", "actualisation.decided", "note.signed", "case.opened", "step.planned")
    ]
    assert set(case.people.values_list("part", flat=True)) == {"caller", "concern"}


def test_a_number_that_is_taken_is_drawn_again(make_case, cast, monkeypatch):
    taken = make_case().code
    monkeypatch.setattr(Case._meta.get_field("code"), "_get_default", lambda: taken)
    monkeypatch.setattr("intake.actions.cases.new_code", iter([taken, "tegel-måne-58"]).__next__)
    assert make_case().code == "tegel-måne-58" and Case.objects.count() == 2
    connection.check_constraints()
    monkeypatch.setattr("intake.actions.cases.new_code", lambda: taken)
    with pytest.raises(IntegrityError):
        make_case()
    assert Case.objects.count() == 2


def test_page_shows_what_is_next_and_logs_the_reading(client_of, make_case, cast):
    case = make_case(notes={"seen": "He said it aloud"})
    before = LogEntry.objects.filter(event="case.read", case=case.pk).count()
    answer = client_of(cast.caseworker).get(url("case", case))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert spoken(case.code) in page and "He said it aloud" in page and "Take the first step" in page
    assert LogEntry.objects.filter(event="case.read", case=case.pk, user=cast.caseworker).count() == before + 1
    assert answer.headers["Cache-Control"] == "no-store"


def test_who_may_not_see_a_case(client_of, make_case, cast):
    case = make_case(notes={"seen": "He said it aloud"})
    for name, user in cast.everybody().items():
        answer = client_of(user).get(url("case", case))
        wanted = {"caseworker": 200, "colleague": 302, "manager": 302, "stranger": 404, "other_manager": 404}
        assert answer.status_code == wanted.get(name, 403), name
        if name != "caseworker":
            assert "aloud" not in answer.content.decode()


def test_missing_and_forbidden_look_the_same(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.stranger)
    forbidden = client.get(url("case", case))
    missing = client.get("/cases/sten-lampa-42/")
    assert forbidden.status_code == missing.status_code == 404
    assert forbidden.content == missing.content


def test_a_colleague_opens_with_a_reason_that_is_logged(client_of, make_case, cast):
    case = make_case(notes={"seen": "He said it aloud"})
    client = client_of(cast.colleague)
    answer = client.get(url("case", case), follow=True)
    assert "Why do you open it?" in answer.content.decode()
    assert client.post(url("case-reason", case), {}).status_code == 422
    refused = client.post(url("case-reason", case), {"reason": "other", "words": ""})
    assert refused.status_code == 422 and "Say why" in refused.content.decode()
    assert client.post(url("case-reason", case), {"reason": "caller_on_line"}).status_code == 302
    assert "He said it aloud" in client.get(url("case", case)).content.decode()
    row = LogEntry.objects.get(event="case.opened_by_other", case=case.pk)
    assert row.user == cast.colleague and row.codes["reason"] == "caller_on_line"
    with clock.at(clock.now().replace(year=clock.now().year + 1)):
        assert client.get(url("case", case)).status_code == 302  # it holds for some hours only


def test_a_reason_goes_back_only_to_our_own_pages(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.colleague)
    answer = client.post(url("case-reason", case) + "?next=https://evil.example/", {"reason": "supervision"})
    assert answer.headers["Location"] == url("case", case)


def test_notes_are_signed_and_never_changed(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.caseworker)
    assert client.post(url("note-add", case), {"kind": "told", "text": "Moved to an aunt"}).status_code == 302
    note = Note.objects.get(case=case)
    assert note.text == "Moved to an aunt" and note.signed_at and note.by == cast.caseworker
    assert "Moved to an aunt" in client.get(url("case", case)).content.decode()
    with pytest.raises(InternalError, match="[Cc]annot update"), connection.cursor() as cursor:
        cursor.execute("UPDATE intake_note SET kind = 'seen' WHERE id = %s", [note.pk])


def test_an_empty_note_and_an_unknown_kind_are_refused_with_the_words_kept(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.caseworker)
    assert client.post(url("note-add", case), {"kind": "told", "text": "  "}).status_code == 422
    answer = client.post(url("note-add", case), {"kind": "gossip", "text": "Moved to an aunt"})
    assert answer.status_code == 422 and "Moved to an aunt" in answer.content.decode()
    assert not Note.objects.filter(case=case).exists()


def test_a_failed_attempt_is_an_event(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.caseworker)
    data = {"outcome": "no_answer", "text": "No answer at ten", "read": "on"}
    assert client.post(url("contact-log", case), data).status_code == 302
    assert Event.objects.filter(case=case, kind="contact.no_answer").get().text == "No answer at ten"
    page = client.get(url("case", case) + "?show=contacts").content.decode()
    assert "No answer at ten" in page and "Case opened" not in page


def test_closing_is_refused_while_a_step_waits(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.caseworker)
    answer = client.post(url("case-close", case), {"reason": "needs_met"})
    assert answer.status_code == 422 and "Take the first step" in answer.content.decode()
    assert Case.objects.get(pk=case.pk).is_open
    actions.finish_step(by=cast.caseworker, step=case.steps.get(), close="handed_over")
    with pytest.raises(Refused):
        actions.close_case(by=cast.caseworker, case=case, reason="needs_met")
    assert Case.objects.get(pk=case.pk).closing_reason == "handed_over"


def test_reassigned_with_its_steps_and_the_new_owner_is_told(client_of, make_case, cast):
    case = make_case()
    client = client_of(cast.manager)
    assert client.get(url("case-reassign", case)).status_code == 200
    assert client.post(url("case-reassign", case), {"to": cast.stranger.pk}).status_code == 422
    assert client.post(url("case-reassign", case), {"to": cast.colleague.pk}).status_code == 302
    connection.check_constraints()
    case = Case.objects.get(pk=case.pk)
    assert case.owner == cast.colleague
    assert set(case.steps.planned().values_list("owner", flat=True)) == {cast.colleague.pk}
    assert Notice.objects.get(kind="case.assigned").user == cast.colleague
    assert cast.colleague.first_name not in str(LogEntry.objects.get(event="case.reassigned").codes)
    assert client_of(cast.caseworker).post(url("case-reassign", case), {"to": cast.manager.pk}).status_code == 403
    assert client_of(cast.other_manager).post(url("case-reassign", case), {"to": cast.manager.pk}).status_code == 404


@pytest.mark.parametrize("name", ["note-add", "contact-log", "step-plan"])
def test_get_changes_nothing(client_of, make_case, cast, name):
    assert client_of(cast.caseworker).get(url(name, make_case())).status_code == 405


@pytest.mark.parametrize(
    "name", ["note-add", "contact-log", "step-plan", "case-close", "concern-register", "case-reason"]
)
def test_who_may_not_change_a_case(client_of, make_case, cast, name):
    case = make_case()
    for who, status in [("partner", 403), ("keeper", 403), ("stranger", 404), ("other_manager", 404)]:
        assert client_of(getattr(cast, who)).post(url(name, case)).status_code == status, who


def test_the_list_has_own_cases_first_due_first(client_of, make_case, cast):
    one, two = make_case(urgency="NORMAL"), make_case(urgency="AKUT")
    hers = make_case(by=cast.colleague)
    foreign = make_case(by=cast.stranger)
    page = client_of(cast.caseworker).get(reverse("intake:case-list")).content.decode()
    assert page.index(spoken(two.code)) < page.index(spoken(one.code))
    assert spoken(hers.code) not in page
    page = client_of(cast.caseworker).get(reverse("intake:case-list") + "?which=unit").content.decode()
    assert spoken(hers.code) in page and spoken(foreign.code) not in page


def test_a_colleagues_words_are_not_in_the_units_list(client_of, make_case, cast):
    case = make_case(by=cast.colleague)
    actions.finish_step(
        by=cast.colleague, step=case.steps.get(), next_what="Ring Fatima", next_due=clock.now() + dt.timedelta(days=30)
    )
    page = client_of(cast.caseworker).get(reverse("intake:case-list") + "?which=unit").content.decode()
    assert spoken(case.code) in page and "Fatima" not in page


@pytest.mark.parametrize("which", ["mine", "unit", "closed"])
def test_queries_do_not_grow_with_the_rows(client_of, make_case, cast, which):
    client = client_of(cast.caseworker)

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(reverse("intake:case-list"), {"which": which}).status_code == 200
        return len(queries)

    def more(number: int) -> None:
        for _ in range(number):
            case = make_case()
            if which == "closed":
                actions.finish_step(by=cast.caseworker, step=case.steps.get(), close="needs_met")

    more(2)
    count()
    few = count()
    more(6)
    assert count() == few


def test_case_page_queries_do_not_grow_with_its_events(client_of, make_case, cast):
    case = make_case(notes={"seen": "a first one"})
    client = client_of(cast.caseworker)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(url("case", case))
        return len(queries)

    count()
    few = count()
    for number in range(8):
        actions.add_note(by=cast.caseworker, case=case, kind="seen", text=f"note {number}")
        actions.log_contact(by=cast.caseworker, case=case, outcome="no_answer", text="no")
    assert count() == few


def test_a_note_that_is_pressed_twice_is_written_once(client_of, make_case, cast):
    case, client, sent = make_case(), client_of(cast.caseworker), {"kind": "told", "text": "She called again."}
    for _press in range(2):
        assert client.post(url("note-add", case), sent).status_code == 302
    assert [note.text for note in case.notes.all()] == ["She called again."]
    assert LogEntry.objects.filter(event="note.signed", case=case.pk).count() == 1
    client.post(url("note-add", case), {**sent, "kind": "seen"})
    client.post(url("note-add", case), {**sent, "text": "She called once more."})
    colleague = client_of(cast.colleague)
    colleague.post(url("case-reason", case), {"reason": "caller_on_line"})
    colleague.post(url("note-add", case), sent)  # the same words of another person are another note
    client.post(url("note-add", case), sent)  # after others of one's own too
    assert case.notes.count() == 4
    with clock.at(clock.now() + PRESSED_TWICE + dt.timedelta(minutes=1)):  # who writes it once more means it
        client.post(url("note-add", case), sent)
    assert case.notes.count() == 5


def test_paging_by_key_shows_each_case_once(client_of, make_case, cast):
    made = {spoken(make_case().code) for _ in range(27)}
    client = client_of(cast.caseworker)
    answer = client.get(reverse("intake:case-list"))
    first = {str(case) for case in answer.context["page"].rows}
    rest = client.get(reverse("intake:case-list"), {"after": answer.context["page"].next_key})
    second = {str(case) for case in rest.context["page"].rows}
    assert len(first) == 25 and first | second == made and not first & second
    assert client.get(reverse("intake:case-list"), {"after": "rubbish,\x00"}).status_code == 200


def test_what_was_answered_is_read_in_the_timeline_acute_yes_first(client_of, make_call, cast):
    call = make_call(
        urgency="AKUT", answers={"r_event": "The school rang", "weapon": "yes", "r_known": ["school", "bup"]}
    )
    call = actions.save_call(by=cast.caseworker, call=call, remarks={"weapon": "A rifle in the barn"})
    case = actions.complete_call(by=cast.caseworker, call=call).case
    page = client_of(cast.caseworker).get(url("case", case)).content.decode()
    for words in ("The school rang", "A rifle in the barn", "School, Child psychiatry"):
        assert words in page
    assert page.index("A rifle in the barn") < page.index("The school rang")


def test_a_call_without_answers_can_be_corrected_too(client_of, make_case, cast):
    case = make_case()
    call = case.calls.get()
    client, amend = client_of(cast.caseworker), reverse("intake:call-amend", args=[call.pk])
    page = client.get(url("case", case)).content.decode()
    assert not call.told and amend in page and "What was answered" not in page
    actions.amend_call(by=cast.caseworker, call=call, about="fact.milieu", amendment="objection", text="I am in none.")
    page = client.get(url("case", case)).content.decode()
    assert page.count("I am in none.") == 2 and "What was answered" in page  # as an event, and beside it


def test_case_page_queries_do_not_grow_with_its_calls(client_of, make_case, make_call, cast):
    case = make_case(answers={"r_own": "yes"})
    client, done = client_of(cast.caseworker), case.events.get(kind="call.completed")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url("case", case)).status_code == 200
        return len(queries)

    def more(many: int) -> None:
        for _ in range(many):
            call = make_call(urgency="NORMAL", urgency_reason="x", answers={"r_own": "yes"})
            type(call).objects.filter(pk=call.pk).update(case=case, completed_at=clock.now())
            amend = {"about": "fact.municipality", "amendment": "addition", "text": "Moved."}
            actions.amend_call(by=cast.caseworker, call=type(call).objects.get(pk=call.pk), **amend)
            Event.objects.create(case=case, kind=done.kind, call=call, by=cast.caseworker, codes=done.codes)

    more(1), count()
    few = count()
    more(3)
    assert count() == few
