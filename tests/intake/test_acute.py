"""What must be done at once: the list of a call with an acute answer, until each line is done or explained."""

import datetime as dt
import re
import threading
import time

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry
from intake import actions, triage
from intake.actions import calls
from intake.acute import left_for, left_in, lines_of
from intake.models import AcuteMeasure, Call, Case

pytestmark = pytest.mark.django_db
KINDS = ["called_112", "told_manager", "told_caller"]
WORDS = "Chefen Karin svarar inte"


@pytest.fixture(autouse=True)
def without_upper_floors(settings):
    """This floor works with referrals taken out."""
    settings.PANELS = ""


@pytest.fixture
def call(make_call):
    return make_call(answers={"weapon": "yes"}, urgency="AKUT")


@pytest.fixture
def case(call, cast):
    """A case whose call is finished, with everything left to do."""
    done = actions.complete_call(by=cast.caseworker, call=call)
    return Case.objects.select_related("key", "owner", "unit").get(pk=done.case_id)


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


def write(call, by, **rest):
    actions.write_measures(by=by, call=call, **rest)
    connection.check_constraints()


def row(call, kind):
    return call.measures.select_related("call__key").get(kind=kind)


def page(client, call):
    return client.get(reverse("intake:call", args=[call.pk])).content.decode()


def save(client, call, **data):
    data = {name.replace("__", "."): value for name, value in data.items()}
    return client.post(reverse("intake:call-save", args=[call.pk]), data)


def on_case(client, case, **data):
    data = {name.replace("__", "."): value for name, value in data.items()}
    return client.post(reverse("intake:acute-write", args=[case.slug, case.calls.get().pk]), data)


def told(case):
    return [(event.kind, event.codes.get("measure"), event.text) for event in case.events.order_by("pk")]


# ---------- The table ----------


def test_the_table_has_three_lines_in_both_languages():
    table = triage.read_files()["lists"]["acute_lines"]
    assert list(table) == KINDS
    assert all(entry["sv"] and entry["en"] for entry in table.values())
    assert table["called_112"]["reference"] and table["told_manager"]["managers"]


@pytest.mark.parametrize("key", ["danger_now", "plan_attack", "weapon", "farewell", "travel", "suicide"])
def test_each_acute_yes_opens_every_line(make_call, key):
    assert [line.kind for line in lines_of(make_call(answers={key: "yes"}))] == KINDS
    assert lines_of(make_call(answers={key: "unknown"})) == []


def test_a_yes_that_is_not_acute_opens_none(make_call):
    assert lines_of(make_call(answers={"threatened": "yes", "child_harm": "yes"})) == []


# ---------- The action ----------


def test_a_tick_is_stamped_by_the_server(cast, call, at):
    with at("2026-11-23 14:07"):
        write(call, cast.caseworker, done=["called_112"])
        assert row(call, "called_112").done_at == clock.now()
    entry = LogEntry.objects.get(event="measure.done")
    assert (entry.user, entry.call, entry.codes) == (cast.caseworker, call.pk, {"measure": "called_112"})


def test_ticked_twice_is_stamped_once(cast, call, at):
    with at("2026-11-23 14:07"):
        write(call, cast.caseworker, done=["called_112"])
        first = clock.now()
    with at("2026-11-23 14:20"):
        write(call, cast.colleague, done=["called_112"])
    assert (row(call, "called_112").done_at, row(call, "called_112").by) == (first, cast.caseworker)
    assert AcuteMeasure.objects.count() == LogEntry.objects.filter(event="measure.done").count() == 1


def test_a_reference_is_written_after_the_tick_and_sealed(cast, call):
    write(call, cast.caseworker, done=["called_112"])
    write(call, cast.caseworker, references={"called_112": " SOS 4711 "})
    assert row(call, "called_112").reference == "SOS 4711"
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM intake_acutemeasure t")
        assert "4711" not in str(cursor.fetchall())
    assert "4711" not in str(list(LogEntry.objects.values_list("codes", "row")))


def test_a_reference_alone_does_not_say_that_it_is_done(cast, call):
    with pytest.raises(Refused) as refused:
        write(call, cast.caseworker, references={"called_112": "SOS 4711"})
    assert refused.value.at == "ref.called_112"
    assert not AcuteMeasure.objects.exists()


def test_a_line_is_explained_and_can_be_done_later(cast, call):
    write(call, cast.caseworker, reasons={"told_manager": WORDS})
    assert [line.state for line in lines_of(call)] == ["open", "explained", "open"]
    write(call, cast.caseworker, done=["told_manager"])
    later = row(call, "told_manager")
    assert later.done_at is not None
    assert later.why_not == WORDS
    connection.check_constraints()


def test_an_explanation_that_is_emptied_during_the_call_opens_the_line(cast, call):
    write(call, cast.caseworker, reasons={"told_manager": WORDS})
    write(call, cast.caseworker, reasons={"told_manager": "  "})
    assert lines_of(call)[1].is_open
    assert list(
        LogEntry.objects.filter(event__startswith="measure").order_by("pk").values_list("event", flat=True)
    ) == [
        "measure.explained",
        "measure.reopened",
    ]


def test_a_stamp_stays_and_is_corrected_in_words(cast, call):
    write(call, cast.caseworker, done=["called_112"])
    stamped = row(call, "called_112").done_at
    write(call, cast.caseworker, reasons={"called_112": "Fel rad, ringde inte"})
    write(call, cast.caseworker, reasons={"called_112": ""})
    assert (row(call, "called_112").done_at, row(call, "called_112").why_not) == (stamped, "")
    assert lines_of(call)[0].state == "done"


@pytest.mark.parametrize("rest", [{"done": ["phoned_home"]}, {"reasons": {"phoned_home": "x"}}])
def test_a_line_that_does_not_exist_is_refused_whole(cast, call, rest):
    with pytest.raises(Refused):
        write(
            call,
            cast.caseworker,
            **{"reasons": {"told_manager": WORDS, **rest.get("reasons", {})}, "done": rest.get("done", [])},
        )
    assert not AcuteMeasure.objects.exists()


def test_of_a_call_that_is_taken_away_nothing_is_ticked(cast, call):
    actions.save_call(by=cast.caseworker, call=call, answers={"weapon": "no"})
    actions.void_call(by=cast.caseworker, call=call, why="Av misstag")
    with pytest.raises(TooLate):
        write(call, cast.caseworker, done=["called_112"])


def test_when_the_answer_changes_only_what_is_recorded_stays(cast, call):
    write(call, cast.caseworker, done=["called_112"])
    call = actions.save_call(by=cast.caseworker, call=call, answers={"weapon": "no"})
    assert [(line.kind, line.state) for line in lines_of(call)] == [("called_112", "done")]
    call = actions.save_call(by=cast.caseworker, call=call, answers={"weapon": "yes"})
    assert [line.state for line in lines_of(call)] == ["done", "open", "open"]


def test_the_manager_is_told_within_the_hour_of_the_first_acute_answer(cast, make_call, at):
    with at("2026-11-23 14:05"):
        call = make_call(answers={"weapon": "yes"})
        since = clock.now()
    with at("2026-11-23 14:30"):
        call = actions.save_call(by=cast.caseworker, call=call, answers={"farewell": "yes"})
    assert [line.due_at for line in lines_of(call)] == [None, since + dt.timedelta(hours=1), None]


# ---------- The call page ----------


def test_the_panel_opens_with_112_and_what_to_do(anna, make_call, cast):
    cast.manager.phone = "0500-49 80 12"
    cast.manager.save()
    text = page(anna, make_call(answers={"weapon": "yes"}))
    assert 'href="tel:112"' in text
    assert "If it cannot be judged when something may happen: call 112." in text
    assert "Cecilia" in text and 'href="tel:0500-498012"' in text
    assert text.count('name="acute"') == 3
    assert "3 things left." in text


def test_without_an_acute_answer_there_is_no_list_and_no_red_line(anna, make_call):
    text = page(anna, make_call(answers={"weapon": "no"}))
    assert "tel:112" not in text and 'name="acute"' not in text and 'class="acute-line"' not in text


def test_a_button_ticks_a_line_without_script(anna, call):
    answer = save(anna, call, acute="called_112")
    assert answer.status_code == 303
    done = row(call, "called_112")
    text = page(anna, call)
    assert f"{clock.now():%Y}" and "2 things left." in text
    assert re.search(r'id="said-called_112"[^>]*>Called 112</span> <span class="muted">\d\d:\d\d<', text)
    assert 'name="ref.called_112"' in text
    assert done.by_id == call.taken_by_id


def test_reference_and_explanation_save_themselves_as_all_fields(anna, call):
    save(anna, call, acute="called_112", why__told_manager=WORDS)
    save(anna, call, ref__called_112="SOS 4711")
    assert (row(call, "called_112").reference, row(call, "told_manager").why_not) == ("SOS 4711", WORDS)
    text = page(anna, call)
    assert 'value="SOS 4711"' in text and WORDS in text
    assert "1 thing left." in text
    assert LogEntry.objects.filter(event="call.saved").latest("pk").codes == {"parts": ["called_112"]}


def test_when_each_line_is_ticked_or_explained_the_red_line_goes(anna, call):
    save(anna, call, acute="called_112", why__told_manager=WORDS)
    save(anna, call, acute="told_caller")
    text = page(anna, call)
    assert 'class="acute-line"' not in text
    assert 'id="acute"' in text and "tel:112" in text


def test_a_line_that_is_unknown_is_a_fault_and_the_rest_is_kept(anna, call):
    answer = save(anna, call, acute="phoned_home", n__seen="En kniv")
    assert answer.status_code == 422
    assert call.notes.get(kind="seen").text == "En kniv"
    assert not AcuteMeasure.objects.exists()


def test_a_tick_that_comes_after_the_end_is_refused_and_the_list_waits_in_the_case(anna, call, case):
    assert save(anna, call, acute="called_112").status_code == 303
    assert save(anna, call, why__told_manager=WORDS).status_code == 409
    assert not AcuteMeasure.objects.exists()
    assert len(left_in(case)) == 3


def test_practice_shows_the_list_and_says_not_to_call(anna, call, cast):
    actions.save_call(by=cast.caseworker, call=call, facts={"is_practice": True})
    text = page(anna, call)
    assert "Practice: do not call" in text and "tel:112" not in text
    assert text.count('name="acute"') == 3


def test_the_eight_questions_stand_on_the_page_whatever_was_answered(anna, make_call):
    eight = triage.guide_today().sets["acute"]
    for answers in ({}, {"weapon": "yes"}, {question.key: "no" for question in eight}):
        text = page(anna, make_call(answers=answers))
        assert all(f'name="a.{question.key}"' in text for question in eight)
        assert 'href="#acute-questions"' in text
    assert len(eight) == 8


# ---------- It outlives the call ----------


def test_completing_tells_the_case_what_was_done_with_time_and_reference(cast, call, at):
    with at("2026-11-23 14:07"):
        write(call, cast.caseworker, done=["called_112"], reasons={"told_manager": WORDS})
        write(call, cast.caseworker, references={"called_112": "SOS 4711"})
    done = actions.complete_call(by=cast.caseworker, call=call)
    events = {event.kind: event for event in done.case.events.filter(kind__startswith="measure")}
    assert events["measure.done"].title == "Called 112, 14:07"
    assert events["measure.done"].text == "Reference: SOS 4711"
    assert (events["measure.explained"].title, events["measure.explained"].text) == (
        "Not done: Told the unit manager",
        WORDS,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM intake_event t")
        assert "4711" not in str(cursor.fetchall())
    connection.check_constraints()


def test_the_case_shows_what_is_left_in_red(anna, case):
    text = anna.get(reverse("intake:case", args=[case.slug])).content.decode()
    assert "3 things are still to do at once" in text and 'class="acute-panel"' in text
    assert text.count('name="acute"') == 3


def test_a_line_is_ticked_in_the_case_and_told_in_its_timeline(anna, case, cast):
    answer = on_case(anna, case, acute="told_caller")
    assert (answer.status_code, answer.url) == (302, reverse("intake:case", args=[case.slug]))
    assert ("measure.done", "told_caller", "") in told(case)
    on_case(anna, case, acute="told_caller")
    assert [kind for kind, *_rest in told(case)].count("measure.done") == 1
    entry = LogEntry.objects.get(event="measure.done")
    assert (entry.case, entry.user, entry.codes["measure"]) == (case.pk, cast.caseworker, "told_caller")
    connection.check_constraints()


def test_after_the_call_words_are_added_and_none_is_lost(anna, case):
    on_case(anna, case, acute="called_112", why__told_manager=WORDS)
    on_case(anna, case, ref__called_112="SOS 1", why__told_manager="Talade med jouren")
    on_case(anna, case, ref__called_112="SOS 2", why__called_112="Ringde 14.20", why__told_manager="Talade med jouren")
    rows = {one.kind: one for one in case.calls.get().measures.all()}
    assert rows["told_manager"].why_not == f"{WORDS}\nTalade med jouren"
    assert rows["called_112"].reference == "SOS 1, SOS 2"
    texts = [text for kind, _measure, text in told(case) if kind.startswith("measure")]
    assert texts == ["", WORDS, "SOS 1", "Talade med jouren", "SOS 2", "Ringde 14.20"]


def test_when_nothing_is_left_the_red_goes_and_the_reference_can_still_be_written(anna, case):
    on_case(anna, case, acute=KINDS)
    text = anna.get(reverse("intake:case", args=[case.slug])).content.decode()
    assert "still to do at once" not in text and 'class="acute-panel settled"' in text
    on_case(anna, case, ref__called_112="SOS 1")
    assert 'class="acute-panel' not in anna.get(reverse("intake:case", args=[case.slug])).content.decode()


def test_a_refused_form_of_the_case_comes_back_filled_in(anna, case):
    answer = on_case(anna, case, ref__called_112="SOS 1")
    assert answer.status_code == 422
    assert "Tick the line before you write its reference." in answer.content.decode()
    long = on_case(anna, case, why__told_manager="x" * 2_001)
    assert long.status_code == 422 and "x" * 2_001 in long.content.decode()
    assert not AcuteMeasure.objects.exists()


def test_a_case_is_not_closed_while_a_line_is_open(cast, case):
    step = case.steps.planned().get()
    with pytest.raises(Refused, match="Called 112, Told the unit manager, Told the caller"):
        actions.finish_step(by=cast.caseworker, step=step, close="needs_met")
    case.refresh_from_db()
    assert case.is_open
    write(case.calls.get(), cast.caseworker, done=KINDS[:2], reasons={"told_caller": "Lade på"})
    actions.finish_step(by=cast.caseworker, step=case.steps.planned().get(), close="needs_met")
    case.refresh_from_db()
    assert not case.is_open
    connection.check_constraints()


def test_a_lowered_urgency_does_not_take_the_list_away(cast, make_call):
    call = make_call(answers={"weapon": "yes"}, urgency="NORMAL", urgency_reason="Leksaksvapen")
    done = actions.complete_call(by=cast.caseworker, call=call)
    assert len(left_in(done.case)) == 3


def test_practice_leaves_nothing_to_do(cast, make_call):
    call = make_call(answers={"weapon": "yes"}, urgency="AKUT", is_practice=True)
    done = actions.complete_call(by=cast.caseworker, call=call)
    assert left_in(done.case) == []
    assert left_for(cast.caseworker, []) == []


def test_my_day_shows_it_first(anna, case, make_call):
    make_call(answers={"suicide": "yes"})
    case.steps.update(due_at=clock.now())  # due today, however late it is
    Case.objects.filter(pk=case.pk).update(next_due_at=case.steps.first().due_at)
    text = anna.get(reverse("intake:my-day")).content.decode()
    assert "Something acute is left to do." in text
    assert text.count("3 things are still to do at once") == 2
    assert text.count("Not done: Called 112, Told the unit manager, Told the caller what happens now") == 2
    assert text.index("still to do at once") < text.index("Begin here")
    assert "Finish writing" not in text  # it stands once, and first
    on_case(anna, case, acute=KINDS)
    assert anna.get(reverse("intake:my-day")).content.decode().count("to do at once") == 1


def test_my_day_of_others_does_not(client_of, cast, case):
    for who in (cast.colleague, cast.stranger):
        assert "to do at once" not in client_of(who).get(reverse("intake:my-day")).content.decode()


def test_who_has_a_step_of_the_case_sees_it(cast, case):
    assert left_for(cast.colleague, []) == []
    actions.plan_step(by=cast.caseworker, case=case, what="Ring", due_at=clock.now(), owner=cast.colleague)
    assert [call.case for call in left_for(cast.colleague, [])] == [case]


# ---------- Who may ----------


@pytest.mark.parametrize("who, status", [("partner", 403), ("keeper", 403), ("stranger", 404), ("colleague", 403)])
def test_others_do_not_tick(client_of, cast, case, who, status):
    answer = on_case(client_of(getattr(cast, who)), case, acute="called_112")
    assert answer.status_code == status
    asks = reverse("intake:case-reason", args=[case.slug]) in answer.content.decode()
    assert asks == (who == "colleague")
    assert not AcuteMeasure.objects.exists()


def test_a_colleague_with_a_reason_ticks(client_of, cast, case):
    actions.open_with_reason(by=cast.colleague, case=case, reason="owner_away")
    assert on_case(client_of(cast.colleague), case, acute="called_112").status_code == 302
    assert row(case.calls.get(), "called_112").by == cast.colleague


def test_by_get_nothing_is_ticked(anna, case):
    assert anna.get(reverse("intake:acute-write", args=[case.slug, case.calls.get().pk])).status_code == 405


def test_a_call_of_another_case_is_not_found(anna, case, make_case):
    other = make_case(answers={"weapon": "yes"})
    answer = anna.post(reverse("intake:acute-write", args=[case.slug, other.calls.get().pk]), {"acute": "called_112"})
    assert answer.status_code == 404
    assert not AcuteMeasure.objects.exists()


def test_the_page_does_not_ask_more_of_the_database_when_more_is_left(anna, make_case, django_assert_max_num_queries):
    case = make_case(answers={"weapon": "yes", "suicide": "yes", "farewell": "yes"})
    assert Call.objects.acute_left().get().left == 3
    with django_assert_max_num_queries(40):
        anna.get(reverse("intake:case", args=[case.slug]))


@pytest.mark.django_db(transaction=True)
def test_what_is_ticked_while_the_call_is_being_completed_stands_in_the_timeline(call, cast, monkeypatch):
    """It waits for the call's row, and finds the case that it has by then."""
    held = threading.Event()

    def slowly(by, call) -> None:
        held.set()
        time.sleep(0.7)  # so that the other waits for the row

    monkeypatch.setattr(calls, "CAME_TO_CASE", [slowly])

    def tick() -> None:
        held.wait(timeout=10)
        actions.write_measures(by=cast.colleague, call=call, done=["told_manager"])
        connection.close()

    thread = threading.Thread(target=tick)
    thread.start()
    done = actions.complete_call(by=cast.caseworker, call=call)
    thread.join(timeout=20)
    assert done.case is not None
    told = done.case.events.get(kind="measure.done")
    assert told.codes["measure"] == "told_manager" and told.by == cast.colleague
