"""The call page with script: words save themselves, are never overwritten, and survive a lost network and session."""

import re

import pytest
from playwright.sync_api import Page, expect

from intake import actions
from intake.models import Call
from tests.conftest import NO_ACTUALISATION
from tests.stories.barriers import no_barrier

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "Brodern talar om kriget varje kväll"


@pytest.fixture(autouse=True)
def without_upper_floors(settings):
    settings.PANELS = ""


@pytest.fixture
def call(page: Page, live_server, log_in, cast):
    log_in(page, "anna")
    made = actions.start_call(by=cast.caseworker)
    page.goto(f"{live_server.url}/calls/{made.pk}/")
    return made


def kept(call, kind="seen"):
    note = Call.objects.get(pk=call.pk).notes.filter(kind=kind).first()
    return note.text if note else ""


def mark(page: Page):
    return page.locator("#saved")


def turns(page: Page) -> list[str]:
    return page.eval_on_selector_all("#guide-list > .current", "all => all.map(one => one.id)")


def test_words_save_themselves(page, call, faults):
    page.locator("[name='n.seen']").fill(WORDS)
    expect(page.locator("#note-at-seen")).to_have_text(re.compile(r"\d\d:\d\d"), timeout=4000)
    assert kept(call) == WORDS
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert "Brodern" not in stored
    assert faults == []


def test_with_the_network_gone_the_words_stay_and_are_saved_when_it_is_back(page, call):
    page.context.set_offline(True)
    page.locator("[name='n.seen']").fill(WORDS)
    expect(mark(page)).to_have_text("Not saved, trying again", timeout=4000)
    expect(mark(page)).to_have_class(re.compile("unsaved"))
    assert kept(call) == ""
    assert page.locator("[name='n.seen']").input_value() == WORDS
    page.context.set_offline(False)
    expect(mark(page)).to_have_text(re.compile(r"Saved \d\d:"), timeout=6000)
    expect(mark(page)).not_to_have_class(re.compile("unsaved"))
    assert kept(call) == WORDS


def test_after_a_lost_session_the_words_are_saved_once_logged_in_again(page, call, live_server, context):
    page.context.clear_cookies()
    page.locator("[name='n.seen']").fill(WORDS)
    expect(mark(page)).to_contain_text("Log in again", timeout=4000)
    other = context.new_page()
    other.goto(f"{live_server.url}/")
    other.fill("[name=login]", "anna")
    other.fill("[name=password]", "pw")
    other.locator("main button.btn-primary[type=submit]").click()
    other.wait_for_url(lambda url: "/login/" not in url)
    expect(mark(page)).to_have_text(re.compile(r"Saved \d\d:"), timeout=15000)
    assert kept(call) == WORDS


def test_leaving_with_unsaved_words_warns(page, call, live_server):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.context.set_offline(True)
    page.locator("[name='n.seen']").press_sequentially("ord")
    page.context.set_offline(False)
    page.goto(f"{live_server.url}/my-day/")
    assert asked == ["beforeunload"]


def test_leaving_with_all_saved_does_not(page, call, live_server):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("[name='n.seen']").press_sequentially("ord")
    expect(page.locator("#note-at-seen")).to_have_text(re.compile(r"\d"), timeout=4000)
    page.goto(f"{live_server.url}/my-day/")
    assert asked == []


def test_an_answer_that_comes_late_overwrites_no_newer_words(page, call):
    held = []
    page.route("**/save/", lambda route: route.continue_() if held else held.append(route))
    page.locator("#track-B").check()  # the answer has the notes without the hint of track A
    page.wait_for_timeout(300)
    note, told = page.locator("[name='n.seen']"), page.locator("[name='n.told']")
    note.fill("ett")
    told.fill("två")
    held[0].continue_()
    expect(page.locator("[name='a.named']")).to_have_count(1)
    assert (note.input_value(), told.input_value()) == ("ett", "två")
    expect(page.locator("#note-at-told")).to_have_text(re.compile(r"\d"), timeout=5000)
    assert (kept(call), kept(call, "told")) == ("ett", "två")
    assert (note.input_value(), told.input_value()) == ("ett", "två")
    told.blur()
    expect(page.locator("#note-part-told .form-text")).to_have_count(0)
    assert told.input_value() == "två"


def test_what_is_answered_shrinks_once_the_cursor_has_left(page, call):
    page.keyboard.press("1")
    expect(page.locator("#q-r_event")).to_have_class(re.compile("current"))
    page.keyboard.press("j")
    page.keyboard.type(WORDS)
    expect(page.locator("#q-r_seen")).to_have_class(re.compile("current"), timeout=4000)
    expect(page.locator("#q-r_event textarea").first).to_be_focused()
    assert turns(page) == ["q-r_event", "q-r_seen"]
    page.locator("#q-r_seen textarea").focus()
    expect(page.locator("#q-r_event")).to_have_class(re.compile("long"))
    assert turns(page) == ["q-r_seen"]


def test_skipping_and_the_keys(page, call):
    page.keyboard.press("1")
    page.locator("a.skip").click()
    expect(page.locator("[name='a.r_seen']")).to_be_focused()
    assert turns(page) == ["q-r_seen"]
    page.keyboard.type("1 3 j a t ?")  # words, not keys
    assert page.locator("[name='a.r_seen']").input_value() == "1 3 j a t ?"
    page.locator("#guide-head").click()
    page.keyboard.press("a")
    expect(page.locator("[name='a.danger_now'][value=yes]")).to_be_focused()
    page.keyboard.press("t")
    expect(page.locator("[name='n.seen']")).to_be_focused()
    no_barrier(page)


def test_an_acute_yes_opens_112_at_once_and_moves_nothing_under_the_hand(page, call, faults):
    page.keyboard.press("1")
    expect(page.locator("#q-r_event")).to_be_visible()
    for key in ("plan_attack", "weapon", "travel"):
        page.locator(f"#a-{key}-yes").click()
        expect(page.locator(f"#a-{key}-yes")).to_be_checked()
    expect(page.locator("#acute")).to_contain_text("112")
    expect(page.locator("#acute")).to_contain_text("Travel to a conflict zone")
    assert page.locator("#acute-list legend").first.inner_text() == "Danger right now"
    page.locator("[name='n.seen']").focus()
    expect(page.locator("#acute-list legend").first).to_have_text("Plan to harm, attack")
    expect(page.locator("#urgency-says")).to_contain_text("Acute")
    no_barrier(page)
    assert faults == []


def test_names_come_and_go_with_the_track(page, call):
    page.locator("#track-B").check()
    page.locator("[name='a.named']").check()  # it is said what giving a name means
    page.locator("[name=caller_name]").fill("Eva")
    page.locator("[name=caller_name]").blur()
    expect(page.locator("#identity-says")).to_contain_text("anonymous")  # it is saved
    page.locator("#track-A").check()
    expect(page.locator("[name=caller_name]")).to_have_count(0)
    page.locator("#track-B").check()
    expect(page.locator("[name=caller_name]")).to_have_value("Eva")  # a slip of the track erased nothing


def test_finishing_in_an_older_window_takes_nothing_from_the_newer(page, call, live_server):
    actions.save_call(by=call.taken_by, call=call, facts={"caller_type": "relative", **NO_ACTUALISATION})
    page.reload()
    newer = page.context.new_page()
    newer.goto(f"{live_server.url}/calls/{call.pk}/")
    newer.locator("[name='n.seen']").fill(WORDS)
    expect(newer.locator("#note-at-seen")).to_have_text(re.compile(r"\d\d:\d\d"), timeout=4000)
    page.locator(".callbar").get_by_role("button", name="Finish").click()  # it has never heard of the words
    page.wait_for_url(re.compile("/after/"))
    page.locator("main a[href^='/cases/']").click()
    expect(page.locator("main")).to_contain_text(WORDS)


def test_words_that_are_written_while_a_save_runs_outlive_the_window(page, call, live_server):
    page.route("**/save/", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.keyboard.press("1")  # this begins a save
    page.locator("[name='n.seen']").type(WORDS)
    page.unroute_all(behavior="ignoreErrors")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{live_server.url}/livez")
    for _ in range(40):
        if kept(call) == WORDS:
            return
        page.wait_for_timeout(100)
    assert kept(call) == WORDS


def test_a_wrong_value_is_told_and_stays_to_be_mended(page, call):
    page.locator("#step-choice summary").click()
    page.evaluate("document.querySelector('[name=due]').type = 'text'")
    page.locator("[name=due]").fill("32 december")
    page.locator("[name='n.seen']").fill(WORDS)
    expect(page.locator(".error-summary")).to_contain_text("At the latest", timeout=4000)
    expect(page.locator("#note-at-seen")).to_have_text(re.compile(r"\d"), timeout=4000)
    assert kept(call) == WORDS


def test_what_is_wrong_is_told_at_the_field_while_the_cursor_is_in_it(page, call):
    words = page.locator("[name='n.seen']")
    words.fill("Brodern \u202e talar")
    expect(page.locator("[data-at='n.seen'] .invalid-feedback")).to_be_visible(timeout=4000)
    expect(words).to_have_attribute("aria-describedby", "id_n.seen_error")
    assert page.evaluate("document.activeElement.name") == "n.seen"
    words.fill(WORDS)
    expect(page.locator("[data-at='n.seen'] .invalid-feedback")).to_have_count(0, timeout=4000)
    assert words.get_attribute("aria-invalid") is None and kept(call) == WORDS


def test_what_is_not_saved_is_marked_at_its_field(page, call):
    page.context.set_offline(True)
    page.locator("[name='n.seen']").fill(WORDS)
    expect(page.locator("[name='n.seen']")).to_have_class(re.compile("not-saved"), timeout=4000)
    page.context.set_offline(False)
    expect(page.locator(".not-saved")).to_have_count(0, timeout=8000)
    assert kept(call) == WORDS


def test_the_next_question_follows_on_the_one_that_was_left(page, call):
    page.keyboard.press("1")
    expect(page.locator("#guide-list > .current")).to_have_count(1, timeout=4000)
    seen = []
    for _ in range(4):
        page.keyboard.press("j")
        page.wait_for_timeout(600)
        seen.append(page.evaluate("document.activeElement.closest('#guide-list > [id]')?.id"))
        page.keyboard.press("Escape")
    assert None not in seen and len(set(seen)) == 4


def test_unsaved_is_said_in_the_title_too(page, call):
    title = page.title()
    page.context.set_offline(True)
    page.locator("[name='n.seen']").fill(WORDS)
    expect(page.locator("#save-news")).to_have_text("Not saved, trying again", timeout=4000)
    assert page.title() == f"Not saved: {title}"
    page.context.set_offline(False)
    expect(mark(page)).to_have_text(re.compile(r"Saved \d\d:"), timeout=6000)
    assert page.title() == title


def test_who_types_without_a_pause_is_saved_all_the_same(page, call):
    page.locator("[name='n.seen']").press_sequentially("ord " * 20, delay=60)  # nearly five seconds
    assert len(kept(call)) > 40  # up to the last two seconds


def test_finishing_with_the_network_gone_leaves_the_page_where_it_is(page, call):
    page.keyboard.press("1")
    expect(page.locator("#q-r_event")).to_be_visible()
    page.context.set_offline(True)
    page.locator("[name='n.seen']").fill(WORDS)
    page.locator("#finish-call").click()
    expect(mark(page)).to_have_text("Not saved, trying again", timeout=4000)
    assert page.locator("[name='n.seen']").input_value() == WORDS
    page.context.set_offline(False)
    expect(mark(page)).to_have_text(re.compile(r"Saved \d\d:"), timeout=6000)
    assert kept(call) == WORDS
    assert Call.objects.get(pk=call.pk).completed_at is None  # nothing that was pressed then happens now


# ---------- Two windows ----------


@pytest.fixture
def two(page, call, live_server):
    """Two windows of one call: the second has written where the first is about to."""
    other = page.context.new_page()
    other.goto(f"{live_server.url}/calls/{call.pk}/")
    other.locator("[name='n.seen']").fill("Hers")
    expect(other.locator("#note-at-seen")).to_have_text(re.compile(r"\d"), timeout=4000)
    page.bring_to_front()
    page.locator("[name='n.seen']").fill("Mine")
    expect(page.locator(".conflict")).to_be_visible(timeout=4000)
    return page, other


def test_where_two_windows_wrote_both_texts_stand(two, call):
    page, other = two
    expect(mark(page)).to_contain_text("see the fault")
    expect(page.locator(".conflict")).to_contain_text("Hers")
    assert page.locator("[name='n.seen']").input_value() == "Mine"
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "save" in request.url else None)
    page.wait_for_timeout(4000)
    assert (kept(call), sent) == ("Hers", [])  # it is not tried again by itself
    page.locator("[name='n.told']").fill("besides")  # everything else is saved
    expect(page.locator("#note-at-told")).to_have_text(re.compile(r"\d"), timeout=4000)
    assert (kept(call), kept(call, "told")) == ("Hers", "besides")
    assert page.locator("[name='n.seen']").input_value() == "Mine"
    no_barrier(page)


@pytest.mark.parametrize(
    "button, stored",
    [("Keep mine", "Mine"), ("Take the other", "Hers"), ("Keep both, one after the other", "Hers\n\nMine")],
)
def test_one_press_settles_it(two, call, button, stored):
    page, _other = two
    page.get_by_role("button", name=button).click()
    expect(page.locator(".conflict")).to_have_count(0)
    expect(page.locator("[name='n.seen']")).to_have_value(stored)
    expect(page.locator("[name='n.seen']")).to_be_focused()
    expect(mark(page)).to_have_text(re.compile(r"Saved \d\d:"))
    assert kept(call) == stored
    page.keyboard.press("End")
    page.keyboard.type(" more")
    expect(mark(page)).to_have_text(re.compile(r"Saved \d\d:"))
    page.wait_for_timeout(2500)
    assert "more" in kept(call)
    expect(page.locator(".conflict")).to_have_count(0)


def test_a_window_shows_what_another_has_written_where_nothing_is_written_here(page, call, live_server):
    other = page.context.new_page()
    other.goto(f"{live_server.url}/calls/{call.pk}/")
    other.locator("[name='n.seen']").fill("Hers")
    other.select_option("[name=milieu]", "LEFT")
    expect(other.locator("#note-at-seen")).to_have_text(re.compile(r"\d"), timeout=4000)
    other.wait_for_timeout(1500)
    page.bring_to_front()
    page.locator("[name='n.told']").fill("besides")
    expect(page.locator("[name='n.seen']")).to_have_value("Hers", timeout=4000)
    expect(page.locator("[name=milieu]")).to_have_value("LEFT")
    page.locator("[name='n.seen']").fill("Hers, and mine")
    page.wait_for_timeout(2500)
    assert kept(call) == "Hers, and mine"
    expect(page.locator(".conflict")).to_have_count(0)


def test_ones_own_words_are_no_conflict_when_the_answer_was_lost(page, call):
    """The save arrives, its answer does not; more is written before the next try."""
    lost = []

    def lose(route):
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/save/", lose)
    note = page.locator("[name='n.seen']")
    note.fill("Brodern")
    expect(mark(page)).to_have_text("Not saved, trying again", timeout=4000)
    assert (kept(call), lost) == ("Brodern", [200])
    note.press("End")
    note.press_sequentially(" talar")
    expect(mark(page)).to_have_text(re.compile(r"Saved \d\d:"), timeout=6000)
    assert kept(call) == "Brodern talar"
    expect(page.locator(".conflict")).to_have_count(0)


def test_another_window_that_goes_back_to_older_words_is_heard(page, call):
    for words in ("one", "two"):
        page.locator("[name='n.seen']").fill(words)
        page.wait_for_timeout(2500)
        assert kept(call) == words
    actions.save_call(by=call.taken_by, call=call, notes={"seen": "one"})
    page.locator("[name='n.seen']").fill("three")
    expect(page.locator(".conflict")).to_contain_text("one", timeout=4000)
    assert kept(call) == "one"


# ---------- What is docked covers nothing that one works in ----------


def test_the_question_in_turn_stands_above_the_docked_notes(page, call):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.keyboard.press("1")
    page.locator("#a-weapon-yes").click()
    expect(page.locator("#acute")).to_contain_text("112")
    page.keyboard.press("j")
    expect(page.locator("[name='a.r_event']")).to_be_focused()
    question, dock = page.locator(".question.current").bounding_box(), page.locator("#notes").bounding_box()
    assert question["y"] >= page.locator(".callbar").bounding_box()["height"]
    assert question["y"] + question["height"] <= dock["y"] + 1
    page.set_viewport_size({"width": 1280, "height": 690})
    assert page.locator("#notes").evaluate("notes => getComputedStyle(notes).position") == "static"


def test_a_call_finished_elsewhere_is_told_and_the_words_stay(page, call, cast):
    actions.save_call(by=cast.caseworker, call=call, facts={"caller_type": "other", "urgency": "NORMAL"})
    actions.complete_call(by=cast.caseworker, call=call)
    page.locator("[name='n.seen']").fill(WORDS)
    expect(mark(page)).to_contain_text("finished in another window", timeout=4000)
    assert page.locator("[name='n.seen']").input_value() == WORDS
