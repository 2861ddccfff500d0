"""A page that renews itself, in a real browser: a tile changes without a reload, nothing that is read moves, and who is away is
logged out all the same."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, BrowserContext, Page, expect

from helpline.people.models import User
from helpline.people.session_store import SessionStore
from helpline.people.sessions import ACTIVE
from intake import actions
from tests.stories.barriers import no_barrier
from tests.stories.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WITHIN = 30_000  # milliseconds: what the promise is
MARK = "window.since = 'the first page'"


@pytest.fixture
def house(cast, tmp_path) -> Iterator[Server]:
    """The web server as it runs in earnest, on whose pages asks every second."""
    hasher = Argon2PasswordHasher()
    User.objects.update(language="sv", password=hasher.encode("pw", hasher.salt()))
    server = Server(tmp_path, FRESH_SECONDS="1")
    server.start()
    yield server
    server.kill()
    server.log.close()


@pytest.fixture
def screen(browser: Browser, browser_context_args, house) -> Iterator:
    """A page of who is logged in; it complains of nothing."""
    opened: list[BrowserContext] = []
    faults: list[str] = []

    def one(name: str, path: str) -> Page:
        context = browser.new_context(**browser_context_args, base_url=house.url)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto("/")
        page.fill("[name=login]", name)
        page.fill("[name=password]", "pw")
        page.locator("main button.btn-primary[type=submit]").click()
        page.wait_for_url(lambda url: "/login/" not in url)
        page.goto(path)
        page.evaluate(MARK)
        return page

    yield one
    for context in opened:
        context.close()
    assert [fault for fault in faults if " 403 " not in f"{fault} "] == []  # browser and htmx tell of a refusal


def is_the_first_page(page: Page) -> bool:
    return page.evaluate("window.since") == "the first page"


def idle(minutes: int) -> None:
    """So long nobody has touched a key: the stamp of every session is so much older."""
    for row in Session.objects.all():
        data = row.get_decoded()
        if ACTIVE in data:
            data[ACTIVE] -= minutes * 60
            row.session_data = SessionStore().encode(data)
            row.save(update_fields=["session_data"])


def test_a_tile_changes_without_a_reload_and_who_stands_on_it_stays(screen, cast, make_case):
    page = screen("cecilia", "/overview/")
    tile = page.locator("[data-figure=open]")
    expect(tile.locator("span").first).to_have_text("0")
    tile.focus()
    make_case()
    expect(tile.locator("span").first).to_have_text("1", timeout=WITHIN)
    assert is_the_first_page(page)
    expect(tile).to_be_focused()
    make_case()  # the new part asks too
    expect(tile.locator("span").first).to_have_text("2", timeout=WITHIN)
    expect(tile).to_be_focused()
    no_barrier(page)


def test_what_should_be_none_is_said_and_nothing_else(screen, cast, make_case, at):
    page = screen("cecilia", "/overview/")
    said = page.locator("#overview-said")
    make_case()
    expect(page.locator("[data-figure=open] span")).to_have_text("1", timeout=WITHIN)
    expect(said).to_have_text("")
    with at("2024-01-15 09:00"):  # a step that was due long ago
        make_case()
    expect(page.locator("[data-figure=overdue] .figure")).to_have_text("1", timeout=WITHIN)
    expect(said).not_to_have_text("", timeout=WITHIN)
    assert is_the_first_page(page)


def test_who_is_away_is_logged_out_though_the_page_asks(screen, cast, settings, make_case):
    make_case()
    page = screen("cecilia", "/overview/")
    expect(page.locator("main")).to_contain_text("Anna")  # who has how much
    with page.expect_response(lambda answer: "/overview/now/" in answer.url):
        pass
    idle(settings.IDLE_MINUTES)
    nothing_stays_behind(page)
    assert is_the_first_page(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    assert asked == []  # it asks no more
    page.locator("main a[href='/login/']").click()
    page.wait_for_url("**/login/")


def nothing_stays_behind(page: Page) -> None:
    """Soon one line stands in the page's main part with the way to the log-in, and nothing else."""
    expect(page.locator("main > *")).to_have_count(1, timeout=WITHIN)
    expect(page.locator("main")).to_contain_text("inloggning")
    expect(page.locator("main a")).to_have_count(1)
    expect(page.locator("main a")).to_have_attribute("href", "/login/")
    no_barrier(page)


@pytest.mark.parametrize("is_told", [False, True])
def test_of_a_day_nothing_stays_behind_either(screen, cast, settings, make_case, is_told):
    make_case()
    hers = make_case(by=cast.colleague)
    page = screen("anna", "/my-day/")
    expect(page.locator("main aside")).to_be_visible()
    if is_told:  # a page that has said so goes on asking whether its reader is still there
        actions.reassign_case(by=cast.manager, case=hers, to=cast.caseworker)
        expect(page.locator("main [data-fresh] a")).to_be_visible(timeout=WITHIN)
    idle(settings.IDLE_MINUTES)
    nothing_stays_behind(page)
    assert is_the_first_page(page)


def test_something_new_is_a_quiet_line_and_nothing_moves(screen, cast, make_case):
    case = make_case(by=cast.colleague)
    page = screen("anna", "/my-day/")
    place = page.locator("main a[href='/my-day/week/']")
    place.focus()
    before = page.locator("main h1").bounding_box()
    actions.reassign_case(by=cast.manager, case=case, to=cast.caseworker)
    line = page.locator("main [data-fresh] a")
    expect(line).to_be_visible(timeout=WITHIN)
    assert is_the_first_page(page) and str(case) not in page.locator("main").inner_text()
    expect(place).to_be_focused()
    assert page.locator("main h1").bounding_box() == before
    no_barrier(page)
    line.click()
    expect(page.locator("main")).to_contain_text(str(case))


def test_who_may_no_longer_read_it_is_shown_no_number(screen, cast, make_case):
    make_case()
    page = screen("cecilia", "/overview/")
    expect(page.locator("[data-figure=open] span")).to_have_text("1")
    User.objects.filter(pk=cast.manager.pk).update(role="caseworker")
    expect(page.locator("[data-figure=open]")).to_have_count(0, timeout=WITHIN)
