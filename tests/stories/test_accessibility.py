"""What axe cannot see: 320 px, sizes of targets, focus under a bar, what is spoken, the system's own colours."""

import re

import pytest
from playwright.sync_api import Page, expect

from intake import actions
from intake.models import Call
from tests.stories.barriers import no_barrier

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
READERS = {"caseworker": "anna", "manager": "cecilia", "partner": "frida", "keeper": "hanna"}
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SPACED = """*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}
            p{margin-bottom:2em!important}"""
SPACE = "css => { const s = new CSSStyleSheet(); s.replaceSync(css); document.adoptedStyleSheets = [s]; }"
# WCAG 2.5.8: 24 px with its label, or in a sentence, or with a free circle of 24 px around its middle.
SMALL = """() => {
  const all = Array.from(document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary"))
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.offsetWidth && !one.matches(".skip-link"));
  const fixed = (one) => Boolean(one.closest(".bottombar, .call-places, .topbar, .call-top, .to-answer"));
  const box = (one) => [one, ...(one.labels || [])].map((part) => part.getBoundingClientRect()).filter((r) => r.width)
    .reduce((a, b) => ({ left: Math.min(a.left, b.left), right: Math.max(a.right, b.right),
                         top: Math.min(a.top, b.top), bottom: Math.max(a.bottom, b.bottom) }));
  const sentence = (one) => getComputedStyle(one).display === "inline" && Array.from(one.parentElement.childNodes)
    .some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim().length > 2);
  const crowded = (one, b) => all.some((other) => {
    if (other === one || other.contains(one) || one.contains(other) || fixed(other) !== fixed(one)) return false;
    const o = box(other), x = (b.left + b.right) / 2, y = (b.top + b.bottom) / 2;
    return Math.hypot(Math.max(o.left - x, 0, x - o.right), Math.max(o.top - y, 0, y - o.bottom)) < 12;
  });
  return all.filter((one) => { const b = box(one);
    return (b.right - b.left < 24 || b.bottom - b.top < 24) && !sentence(one) && crowded(one, b); })
    .map((one) => one.outerHTML.slice(0, 120));
}"""
# How much of what has the focus is seen, of nine points: what lies under a bar is not.
SEEN = """() => {
  const one = document.activeElement, r = one.getBoundingClientRect();
  let seen = 0;
  for (const x of [.2, .5, .8]) for (const y of [.1, .5, .9]) {
    const top = document.elementFromPoint(r.left + r.width * x, r.top + r.height * y);
    const label = one.closest("label");
    if (top && (one.contains(top) || top.contains(one) || (label && label.contains(top)))) seen += 1;
  }
  const drawn = [one, one.nextElementSibling, one.closest("label")].filter(Boolean).map((part) => getComputedStyle(part));
  return { name: one.name || one.id || one.textContent.trim(), body: one === document.body, seen,
           outlined: drawn.some((style) => style.outlineStyle !== "none" && style.outlineWidth === "3px") };
}"""


@pytest.fixture(autouse=True)
def without_upper_floors(request, settings):
    if "world" not in request.fixturenames:
        settings.PANELS = ""


@pytest.mark.parametrize("who", READERS)
def test_320_px_wide_nothing_is_scrolled_sideways_and_every_target_can_be_hit(
    who, page: Page, log_in, live_server, pages
):
    log_in(page, READERS[who])
    page.set_viewport_size({"width": 320, "height": 640})  # 1280 px at 400 %
    faults, seen = [], 0
    for name, _client, address in pages(who):
        if name in ("health", "livez", "caseload-now"):  # no pages: what machines ask, and a part of one
            continue
        page.goto(f"{live_server.url}{address}")
        seen += 1
        faults += [f"{name}: {wide} px too wide"] if (wide := page.evaluate(TOO_WIDE)) > 0 else []
        faults += [f"{name}: small target {one}" for one in page.evaluate(SMALL)]
    assert seen >= 3
    assert faults == []


@pytest.fixture
def acute(page: Page, live_server, log_in, cast) -> Call:
    """An acute call in the browser."""
    made = actions.start_call(by=cast.caseworker)
    actions.save_call(
        by=cast.caseworker,
        call=made,
        facts={"caller_type": "relative"},
        answers={"plan_attack": "yes", "weapon": "yes"},
    )
    log_in(page, "anna")
    page.goto(f"{live_server.url}/calls/{made.pk}/")
    expect(page.locator("#acute-list legend").first).to_be_visible()
    return made


@pytest.mark.parametrize("width, height, key", [(1280, 800, "Tab"), (390, 844, "Shift+Tab")])
def test_no_bar_covers_what_has_the_focus(page: Page, acute, width, height, key):
    page.set_viewport_size({"width": width, "height": height})
    hidden, stops = [], set()
    for _ in range(90):
        page.keyboard.press(key)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        at = page.evaluate(SEEN)
        if at["body"]:
            break
        stops.add(at["name"])
        if not at["seen"] or not at["outlined"]:
            hidden.append(at)
    assert len(stops) > 30
    assert hidden == []


def test_what_happens_to_the_words_is_spoken(page: Page, acute, live_server):
    news = page.locator("#save-news")
    expect(news).to_have_attribute("role", "status")
    page.evaluate(
        """() => { window.spoken = []; new MutationObserver(() => window.spoken.push(document.getElementById("save-news")
                   .textContent)).observe(document.getElementById("save-news"), { childList: true }); }"""
    )
    page.context.set_offline(True)
    page.locator("[name='n.seen']").fill("Hers")
    expect(news).to_have_text("Not saved, trying again", timeout=4000)
    page.context.set_offline(False)
    expect(news).to_have_text("Saved", timeout=6000)
    other = page.context.new_page()
    other.goto(f"{live_server.url}/calls/{acute.pk}/")
    other.locator("[name='n.told']").fill("Hers")
    expect(other.locator("#note-at-told")).to_have_text(re.compile(r"\d"), timeout=4000)
    page.locator("[name='n.told']").fill("Mine")
    expect(news).to_have_text("Something is not saved: see the fault", timeout=4000)
    expect(page.locator(".conflict")).to_have_attribute("aria-labelledby", re.compile("_other$"))
    spoken = page.evaluate("window.spoken")
    assert [text for text in spoken if text] == [
        "Not saved, trying again", "Saved", "Something is not saved: see the fault"
    ]  # fmt: skip
    no_barrier(page)


def test_wider_letters_widen_no_page(page: Page, acute, live_server):
    page.set_viewport_size({"width": 1280, "height": 800})
    for address in (f"/calls/{acute.pk}/", "/my-day/", "/cases/"):
        page.goto(f"{live_server.url}{address}")
        page.evaluate(SPACE, SPACED)
        assert page.evaluate(TOO_WIDE) <= 0, address


def test_in_the_systems_own_colours_a_choice_and_the_focus_are_seen(page: Page, acute):
    page.emulate_media(forced_colors="active")
    yes = page.locator("#a-weapon-yes + span")
    no = page.locator("#a-weapon-yes").locator("xpath=ancestor::fieldset").locator("label:nth-child(2) > span")
    colour = "one => getComputedStyle(one).backgroundColor"
    assert yes.evaluate(colour) != no.evaluate(colour)
    assert page.locator("[name=interpreter]").evaluate("one => getComputedStyle(one).appearance") == "auto"
    page.locator("[name=interpreter]").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(SEEN)["outlined"]
