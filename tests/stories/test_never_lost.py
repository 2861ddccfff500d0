"""The server, the network, the session, the database and the tab are killed in the middle of a call, each in turn: every
word that was typed up to two seconds before is in the database."""

import json
import re
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.db import connection
from playwright.sync_api import BrowserContext, Page, expect

from helpline.people.models import User
from intake.models import Call
from tests.conftest import APP_LOGIN
from tests.stories.barriers import no_barrier
from tests.stories.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SEEN = "Han har rakat huvudet och talar om kriget varje kväll"
TOLD = "Grannen såg ett gevär i ladan i går"
OWN = "Jag bedömer att det brådskar"
TWO = 2000  # ms: what may be lost


@pytest.fixture
def server(cast, tmp_path) -> Iterator[Server]:
    hasher = Argon2PasswordHasher()  # as in production, unlike the tests' own
    User.objects.filter(pk__in=[cast.caseworker.pk, cast.colleague.pk]).update(
        password=hasher.encode("pw", hasher.salt())
    )
    made = Server(tmp_path)
    made.start()
    yield made
    made.kill()
    made.log.close()


def log_in(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/")
    page.fill("[name=login]", "anna")
    page.fill("[name=password]", "pw")
    page.locator("main button.btn-primary[type=submit]").click()
    page.wait_for_url(re.compile("/(my-day|calls)/"))


@pytest.fixture
def call(page: Page, server) -> Call:
    """A call that goes on in the browser."""
    log_in(page, server)
    page.keyboard.press("n")
    page.wait_for_url("**/calls/*/")
    page.keyboard.press("1")
    expect(page.locator("#q-r_event")).to_be_visible()
    return Call.objects.get()


def write(page: Page, name: str, words: str) -> None:
    page.locator(f"[name='{name}']").click()
    page.keyboard.type(words, delay=5)


def kept(call: Call) -> dict[str, str]:
    return {note.kind: note.text for note in Call.objects.get(pk=call.pk).notes.all()}


def in_the_end(call: Call, words: dict[str, str], seconds: float = 20) -> None:
    """Every word is in the database, and no call was doubled."""
    begun = time.monotonic()
    while kept(call) != words and time.monotonic() - begun < seconds:
        time.sleep(0.2)
    assert kept(call) == words
    assert Call.objects.count() == 1


def nothing_in_the_browser(page: Page) -> None:
    found = page.evaluate(
        """async () => JSON.stringify({
            local: {...localStorage}, session: {...sessionStorage}, cookie: document.cookie,
            databases: await indexedDB.databases(), caches: await caches.keys(),
        })"""
    )
    held = json.loads(found)
    session = held.pop("session")
    assert held == {"local": {}, "cookie": "", "databases": [], "caches": []}
    assert set(session) <= {"htmx-current-path-for-history"}  # an address, and no word
    assert not any(word in found for word in f"{SEEN} {TOLD} {OWN}".split() if len(word) > 5)


def unsaved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_class("saved only-wide unsaved", timeout=5000)


def saved(page: Page) -> None:
    expect(page.locator("#saved")).not_to_have_class("saved only-wide unsaved", timeout=20000)


def test_the_server_is_killed_and_started_again(page, call, server):
    write(page, "n.seen", SEEN)
    page.wait_for_timeout(TWO)
    server.kill()
    assert kept(call) == {"seen": SEEN}  # what was typed two seconds before
    write(page, "n.told", TOLD)
    unsaved(page)
    nothing_in_the_browser(page)
    assert page.locator("[name='n.told']").input_value() == TOLD
    server.start()
    saved(page)
    in_the_end(call, {"seen": SEEN, "told": TOLD})
    write(page, "n.assessment", OWN)
    in_the_end(call, {"seen": SEEN, "told": TOLD, "assessment": OWN})


def test_the_server_is_killed_while_it_saves(page, call, server):
    page.route("**/save/", lambda route: (server.kill(), route.continue_()))
    write(page, "n.seen", SEEN)
    unsaved(page)
    page.unroute_all(behavior="ignoreErrors")
    server.start()
    saved(page)
    in_the_end(call, {"seen": SEEN})


def test_the_network_goes_and_comes_back(page, call):
    write(page, "n.seen", SEEN)
    page.wait_for_timeout(TWO)
    page.context.set_offline(True)
    assert kept(call) == {"seen": SEEN}
    write(page, "n.told", TOLD)
    unsaved(page)
    page.locator("#a-danger_now-no").check()
    nothing_in_the_browser(page)
    page.context.set_offline(False)
    saved(page)
    in_the_end(call, {"seen": SEEN, "told": TOLD})
    assert Call.objects.get(pk=call.pk).answered["danger_now"] == "no"


def end_session() -> None:
    Session.objects.all().delete()


def test_the_session_ends_and_one_logs_in_again_in_place(page, call, faults):
    write(page, "n.seen", SEEN)
    page.wait_for_timeout(TWO)
    end_session()
    assert kept(call) == {"seen": SEEN}
    write(page, "n.told", TOLD)
    dialog = page.get_by_role("dialog", name="Log in again")
    expect(dialog).to_be_visible(timeout=6000)
    unsaved(page)
    expect(page.locator("#save-news")).to_contain_text("Not saved")
    expect(page.locator("#log-in-password")).to_be_focused()
    no_barrier(page)
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("wrong")
    assert page.locator("#log-in-password").input_value() == ""
    assert kept(call) == {"seen": SEEN}
    page.keyboard.type("pw")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    saved(page)
    in_the_end(call, {"seen": SEEN, "told": TOLD})
    expect(page.locator("[name='n.told']")).to_be_focused()  # on with the call, where one was
    page.keyboard.type(" kväll")
    in_the_end(call, {"seen": SEEN, "told": f"{TOLD} kväll"})
    nothing_in_the_browser(page)
    assert [fault for fault in faults if "403" not in fault] == []  # the browser's own line about the refused save


def test_the_dialog_can_wait_and_the_words_stay(page, call):
    end_session()
    write(page, "n.seen", SEEN)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=6000)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.locator("[name='n.seen']").input_value() == SEEN
    write(page, "n.told", TOLD)
    page.wait_for_timeout(3000)
    expect(dialog).to_be_hidden()  # it does not come in the way again
    unsaved(page)
    page.get_by_role("button", name="Log in again").click()
    page.keyboard.type("pw")
    page.keyboard.press("Enter")
    saved(page)
    in_the_end(call, {"seen": SEEN, "told": TOLD})


def test_somebody_else_who_logs_in_saves_nothing_in_the_wrong_name(page, call):
    end_session()
    write(page, "n.seen", SEEN)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=6000)
    page.locator("#log-in-name").fill("bert")
    page.locator("#log-in-password").fill("pw")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Bert is logged in here now, and Anna wrote this")
    expect(page.locator("#log-in-name")).to_have_value("anna")
    page.wait_for_timeout(3000)
    assert kept(call) == {}
    assert page.locator("[name='n.seen']").input_value() == SEEN
    page.locator("#log-in-password").fill("pw")
    page.keyboard.press("Enter")
    saved(page)
    in_the_end(call, {"seen": SEEN})
    assert call.notes.get().by.username == "anna"


def test_the_dialog_takes_no_word_that_is_being_typed(page, call):
    end_session()
    page.locator("[name='n.seen']").click()
    page.keyboard.type(SEEN * 2, delay=50)  # longer than it takes to find out
    assert page.locator("[name='n.seen']").input_value() == SEEN * 2
    expect(page.get_by_role("dialog")).to_be_visible(timeout=6000)
    assert page.locator("#log-in-password").input_value() == ""


def test_the_tab_is_closed_and_opened_again(page, call, server):
    write(page, "n.seen", SEEN)
    page.wait_for_timeout(TWO)
    write(page, "n.told", TOLD)
    page.on("dialog", lambda dialog: dialog.accept())
    again = page.context.new_page()
    page.close(run_before_unload=True)
    again.wait_for_timeout(TWO)  # the question of the tab is heard, and answered
    assert page.is_closed()
    in_the_end(call, {"seen": SEEN, "told": TOLD})  # to the last letter: it went with the tab
    again.goto(f"{server.url}/")
    again.wait_for_url(f"**/calls/{call.pk}/")
    assert again.locator("[name='n.seen']").input_value() == SEEN
    assert again.locator("[name='n.told']").input_value() == TOLD


def test_who_loads_the_page_again_in_the_middle_of_a_word_finds_it_there_and_writes_on(page, call, server):
    write(page, "n.seen", SEEN)

    def yes(dialog) -> None:
        time.sleep(1)  # as long as somebody needs to read the browser's question
        dialog.accept()

    page.on("dialog", yes)
    page.reload()
    assert page.locator("[name='n.seen']").input_value() == SEEN
    page.locator("[name='n.seen']").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(TOLD, delay=5)
    in_the_end(call, {"seen": SEEN + TOLD})
    expect(page.locator(".not-saved")).to_have_count(0)


def test_the_browser_is_gone_without_a_word_and_one_is_brought_back(browser, browser_context_args, server, cast):
    context: BrowserContext = browser.new_context(**browser_context_args)
    page = context.new_page()
    log_in(page, server)
    page.keyboard.press("n")
    page.wait_for_url("**/calls/*/")
    call = Call.objects.get()
    write(page, "n.seen", SEEN)
    page.wait_for_timeout(TWO)
    context.set_offline(True)  # nothing goes out any more, not even at the end
    write(page, "n.told", TOLD)
    context.close()
    in_the_end(call, {"seen": SEEN})
    fresh = browser.new_context(**browser_context_args)
    again = fresh.new_page()
    log_in(again, server)
    again.wait_for_url(f"**/calls/{call.pk}/")  # after logging in, the same call
    assert again.locator("[name='n.seen']").input_value() == SEEN
    fresh.close()


def test_the_connections_of_the_database_are_cut(page, call):
    write(page, "n.seen", SEEN)
    page.wait_for_timeout(TWO)
    for words in ("", " och i dag"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s AND datname = %s",
                [APP_LOGIN["USER"], connection.settings_dict["NAME"]],
            )
            assert cursor.fetchone()[0] > 0
        page.locator("[name='n.told']").click()
        page.keyboard.press("End")
        page.keyboard.type(words or TOLD)
        page.wait_for_timeout(TWO + 500)
    saved(page)
    in_the_end(call, {"seen": SEEN, "told": f"{TOLD} och i dag"})
