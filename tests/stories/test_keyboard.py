"""By keyboard alone: a misdial in two keystrokes, a whole call with no mouse, and keys that stay out of the way."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from helpline.people.models import User
from intake.models import Call, Case

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "1 a j t b f n ? han har rakat huvudet"


@pytest.fixture(autouse=True)
def without_upper_floors(settings):
    settings.PANELS = ""


@pytest.fixture
def opened(page: Page, log_in, cast) -> Page:
    """A call that was opened by one key."""
    log_in(page, "anna")
    page.wait_for_url(re.compile("/my-day/"))
    page.keyboard.press("n")
    page.wait_for_url(re.compile(r"/calls/[0-9a-f-]+/"))
    return page


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.name || document.activeElement.id")


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Tab until this field or button has the cursor."""
    for _ in range(most):
        if focused(page) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached in {most} steps")


def test_a_misdial_is_logged_in_two_keystrokes(opened):
    begun = time.monotonic()
    opened.keyboard.press("7")
    opened.keyboard.press("Enter")
    expect(opened.locator("main")).to_contain_text("No case was needed")
    print(f"misdial: {time.monotonic() - begun:.1f} s")
    call = Call.objects.get()
    assert (call.caller_type, call.completed_at is not None, call.case) == ("misdial", True, None)


def test_where_something_is_written_the_key_of_a_misdial_only_chooses(opened):
    opened.keyboard.press("t")
    opened.keyboard.type("words")
    opened.keyboard.press("Tab")
    expect(opened.locator("#note-at-seen")).to_have_text(re.compile(r"\d"), timeout=8000)
    expect(opened.locator("#quick-call")).to_have_count(0)
    opened.locator("#guide-head").click()
    opened.keyboard.press("7")
    opened.keyboard.press("Enter")
    opened.wait_for_timeout(1500)
    assert Call.objects.get().completed_at is None


def test_a_whole_call_with_no_mouse(opened):
    page, begun = opened, time.monotonic()
    page.keyboard.press("1")
    expect(page.locator("#q-r_event")).to_be_visible()
    page.keyboard.press("a")
    assert focused(page) == "a.danger_now"
    page.keyboard.press("ArrowRight")  # no
    page.keyboard.press("j")
    assert focused(page) == "a.r_event"
    page.keyboard.type("Han kom hem med ett nytt emblem")
    page.keyboard.press("Escape")  # out of the field: the keys act outside of it
    page.keyboard.press("t")
    assert focused(page) == "n.seen"
    page.keyboard.type(WORDS)
    assert page.locator("[name='n.seen']").input_value() == WORDS
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")  # confirm the urgency
    expect(page.locator("#urgency-says")).to_contain_text("confirmed")
    tab_to(page, "actualisation")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    tab_to(page, "actualisation_reason")
    page.keyboard.type("Advice alone so far")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    assert focused(page) == "finish-call"
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/calls/" not in url or "/after/" in url)
    print(f"a whole call by keyboard: {time.monotonic() - begun:.1f} s")
    case = Case.objects.get()
    assert case.calls.get().notes.get().text == WORDS
    assert case.calls.get().actualisation == "no"


@pytest.mark.parametrize("held", ["radio", "checkbox", "button"])
@pytest.mark.parametrize(
    "key, lands", [("a", "a.danger_now"), ("t", "n.seen"), ("f", "finish-call"), ("j", "a.r_event")]
)
def test_a_radio_a_box_or_a_button_traps_no_key(opened, held, key, lands):
    opened.keyboard.press("1")
    expect(opened.locator("#q-r_event")).to_be_visible()
    holder = {"radio": "#track-A", "checkbox": "[name=interpreter]", "button": "#finish-call"}[held]
    opened.locator(holder).focus()
    opened.keyboard.press(key)
    assert focused(opened) == lands
    opened.locator(holder).focus()
    opened.keyboard.press("2")
    expect(opened.locator("[data-key-of='2']")).to_be_checked()


def test_keys_are_letters_in_a_field_and_a_list(opened):
    note = opened.locator("[name='n.told']")
    note.focus()
    opened.keyboard.type(WORDS)
    assert note.input_value() == WORDS and focused(opened) == "n.told"
    opened.locator("[name=milieu]").focus()
    for key in "7ajtbf":
        opened.keyboard.press(key)
    assert focused(opened) == "milieu"
    expect(opened.locator("[data-key-of='7']")).not_to_be_checked()


def test_the_panel_shows_every_key_and_switches_them_off(opened, live_server):
    opened.keyboard.press("?")
    panel = opened.locator("#keys .menu-panel")
    expect(panel).to_be_visible()
    shown = panel.locator("kbd").all_inner_texts()
    assert {"1", "9", "A", "J", "T", "B", "F", "?"} <= set(shown)
    switch = panel.get_by_role("switch", name="Use single keys")
    expect(switch).to_be_checked()
    tab_to(opened, "uses_keys")
    with opened.expect_response("**/account/keys/"):
        opened.keyboard.press("Space")
    expect(switch).not_to_be_checked()
    assert User.objects.get(username="anna").uses_keys is False
    opened.keyboard.press("a")
    opened.keyboard.press("2")
    assert focused(opened) == "uses_keys"
    opened.goto(f"{live_server.url}/cases/")
    assert opened.locator("[aria-keyshortcuts]").count() == 0
    opened.keyboard.press("n")
    opened.wait_for_timeout(500)
    assert opened.url.endswith("/cases/") and Call.objects.count() == 1


def test_pressed_twice_one_call_is_opened(page: Page, log_in, cast, live_server):
    log_in(page, "anna")
    page.wait_for_url(re.compile("/my-day/"))
    page.evaluate(
        """() => { const form = document.querySelector("form.new-call");
                   const send = () => fetch(form.action, {method: "POST", body: new FormData(form)});
                   return Promise.all([send(), send(), send()]); }"""
    )
    assert Call.objects.count() == 1


def test_a_link_leads_back_to_the_call_on_every_width(opened, live_server):
    opened.goto(f"{live_server.url}/cases/")
    link = opened.get_by_role("link", name=re.compile("^Back to the call"))
    expect(link).to_contain_text(re.compile(r"\d\d[.:]\d\d"))
    opened.set_viewport_size({"width": 390, "height": 844})
    expect(link).to_be_visible()
    link.click()
    opened.wait_for_url(re.compile(r"/calls/[0-9a-f-]+/"))
