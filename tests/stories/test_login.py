"""Logging in, in a real browser: the second factor, the municipality's own log-in, throttling, and how a log-in ends."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from oidc_provider_mock import run_server_in_thread
from playwright.sync_api import Browser, BrowserContext, Page
from requests.adapters import HTTPAdapter

from helpline.people import clock, invitations
from helpline.people.actions import add_user
from helpline.people.models import LogEntry, Role, User
from helpline.people.session_store import SessionStore
from helpline.people.sessions import ACTIVE, BEGAN
from tests.people.factors import WORDS, code_for
from tests.stories.barriers import no_barrier
from tests.stories.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def provider() -> Iterator[SimpleNamespace]:
    """An OpenID Connect provider that others wrote, on this machine."""
    with run_server_in_thread() as server:
        yield SimpleNamespace(issuer=f"http://localhost:{server.server_port}")


@pytest.fixture
def house(cast, tmp_path, request) -> Iterator[Server]:
    """The web server as in production: the second factor is required, and a municipality's log-in is configured."""
    hasher = Argon2PasswordHasher()
    User.objects.update(language="sv", password=hasher.encode("pw", hasher.salt()))
    more = {"REQUIRE_SECOND_FACTOR": "1"}
    if "provider" in request.fixturenames:
        issuer = request.getfixturevalue("provider").issuer
        more |= {"OIDC_NAME": "Skövde kommun", "OIDC_ISSUER": issuer}
        more |= {"OIDC_CLIENT_ID": "helpline", "OIDC_CLIENT_SECRET": "secret"}
    server = Server(tmp_path, **more)
    server.url = server.url.replace("127.0.0.1", "localhost")  # passkeys belong to a name
    server.start()
    yield server
    server.kill()
    server.log.close()


@pytest.fixture
def screen(browser: Browser, browser_context_args, house):
    """A browser of somebody's own. No page of theirs may have complained of what the content policy forbids."""
    faults: list[str] = []
    opened: list[BrowserContext] = []

    def one() -> Page:
        context = browser.new_context(**browser_context_args, base_url=house.url)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield one
    for context in opened:
        context.close()
    assert faults == []


def send(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def log_in(page: Page, name: str, password: str = "pw") -> None:
    page.goto("/login/")
    page.fill("[name=login]", name)
    page.fill("main [name=password]", password)
    send(page, "Logga in")


def log_out(page: Page) -> None:
    page.goto("/logout/")
    page.locator("main").get_by_role("button", name="Logga ut").click()
    page.wait_for_url("**/login/")


def set_up_app(page: Page) -> tuple[str, list[str]]:
    """On the page to which everybody without a second factor is sent. Returns the key and the recovery codes."""
    page.wait_for_url("**/security/")
    no_barrier(page)
    page.click("main a[href='/security/app/']")
    assert page.locator("img.qr").evaluate("image => image.complete && image.naturalWidth > 0")
    no_barrier(page)
    key = page.inner_text(".secret")
    page.fill("[name=code]", code_for(key))
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/security/codes/")
    no_barrier(page)
    return key, page.locator(".recovery-codes code").all_inner_texts()


def path(page: Page) -> str:
    return urlsplit(page.url).path


def give(page: Page, code: str) -> None:
    page.wait_for_url("**/login/code/")
    page.fill("[name=code]", code)
    send(page, "Logga in")


def test_a_password_and_an_app_and_a_recovery_code(screen, cast):
    page = screen()
    page.goto("/keeper/grounds/")
    no_barrier(page)
    log_in(page, "hanna")
    page.goto("/keeper/grounds/")
    key, codes = set_up_app(page)
    page.goto("/keeper/grounds/")
    assert path(page) == "/keeper/grounds/"
    log_out(page)
    page.go_back()
    assert path(page) == "/login/" and "hanna" not in page.content()  # Back shows nothing

    page.goto("/keeper/grounds/")
    page.fill("[name=login]", "hanna")
    page.fill("main [name=password]", "pw")
    send(page, "Logga in")
    used = code_for(key)
    give(page, used if used != code_for(key, 1) else "000000")  # the one of the set-up, or wrong by now
    page.wait_for_selector(".error-summary")
    no_barrier(page)
    give(page, code_for(key, 1))
    page.wait_for_url("**/keeper/grounds/")  # where one was going
    log_out(page)
    for code, lets_in in ((codes[0], True), (codes[0], False), (codes[1], True)):
        if path(page) != "/login/code/":
            log_in(page, "hanna")
        give(page, code)
        if lets_in:
            page.wait_for_url("**/keeper/users/")
            log_out(page)
        else:
            page.wait_for_selector(".error-summary")


def test_a_passkey_alone(screen, house, cast):
    page = screen()
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    cdp.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    log_in(page, "cecilia")
    page.wait_for_url("**/security/")
    page.click("main a[href='/security/passkey/']")
    no_barrier(page)
    send(page, "Lägg till nyckeln")
    page.wait_for_url("**/security/codes/")
    page.goto("/overview/")
    assert path(page) == "/overview/"
    log_out(page)
    page.goto("/cases/")
    send(page, "Logga in med nyckel")  # no name, no password
    page.wait_for_url("**/cases/")
    assert LogEntry.objects.filter(event="user.logged_in").latest("id").codes == {"how": ["webauthn"]}
    log_out(page)
    log_in(page, "cecilia")  # and after the password it is the second step
    page.wait_for_url("**/login/code/")
    no_barrier(page)
    send(page, "Använd en nyckel")
    page.wait_for_url("**/overview/")


def sign_on(page: Page, subject: str) -> None:
    """At the provider: it asks who one is, and lets one in."""
    page.wait_for_selector("[name=sub]")
    page.fill("[name=sub]", subject)
    page.get_by_role("button", name="Authorize").click()


def test_the_municipalitys_own_log_in(screen, house, provider, cast):
    page = screen()
    facts = {"role": Role.KEEPER, "unit": None, "first_name": "Nina", "last_name": "Berg", "email": "nina@example.com"}
    nina = add_user(by=cast.keeper, username="nina", facts=facts)
    through = "Logga in via Skövde kommun"
    page.goto("/login/")
    send(page, through)
    sign_on(page, "nina@example.com")  # her address: it connects nobody
    page.wait_for_url("**/sign-on/back/**")
    assert "öppnar inget konto här" in page.inner_text("main")
    no_barrier(page)
    token = invitations.invite(by=cast.keeper, user=nina)
    page.goto(f"/invitation/{token}/")
    no_barrier(page)
    send(page, through)
    sign_on(page, "nina-17")
    page.wait_for_url("**/keeper/users/")  # with no further step: the municipality has asked for its own
    log_out(page)
    other = screen()
    other.goto("/keeper/grounds/")
    send(other, through)
    sign_on(other, "nina-17")
    other.wait_for_url("**/keeper/grounds/")
    assert other.goto(f"/invitation/{token}/").status == 404


class From(HTTPAdapter):
    """Requests that come from another address of this machine."""

    def init_poolmanager(self, *args, **rest):
        super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **rest)


def test_a_stranger_shuts_nobody_out(screen, house, cast):
    stranger = requests.Session()
    stranger.mount("http://", From())
    login = house.url.replace("localhost", "127.0.0.1") + "/login/"
    for password in [*["wrong"] * 12, "pw"]:
        key = re.search(r'csrfmiddlewaretoken" value="([^"]+)', stranger.get(login).text)[1]
        said = stranger.post(login, {"csrfmiddlewaretoken": key, "login": "anna", "password": password})
    assert "För många" in said.text and said.url == login  # also the right one, from there
    assert set(LogEntry.objects.filter(event="user.login_failed").values_list("source", "row")) == {
        ("127.0.0.2", str(cast.caseworker.pk))
    }
    page = screen()
    log_in(page, "anna")
    page.wait_for_url("**/security/")


def pass_time(user: User, **seconds: int) -> None:
    """So much time passes for whoever is logged in as this person."""
    for row in Session.objects.all():
        data = row.get_decoded()
        if data.get("_auth_user_id") == str(user.pk):
            row.session_data = SessionStore().encode({**data, **{key: data[key] - by for key, by in seconds.items()}})
            row.save()


def test_how_a_log_in_ends_and_that_a_new_one_is_shown(screen, house, cast, settings):
    token = invitations.invite(by=None, user=cast.manager)
    first = screen()
    first.goto(f"/invitation/{token}/")
    first.fill("[name=password]", WORDS)
    first.fill("[name=again]", WORDS)
    send(first, "Välj det här lösenordet")
    key, codes = set_up_app(first)
    first.goto("/overview/")
    second = screen()
    log_in(second, "cecilia", WORDS)
    give(second, codes[0])
    second.wait_for_url("**/overview/")
    first.goto("/overview/")
    assert "Du loggade in på ett annat ställe" in first.inner_text("main")
    no_barrier(first)
    send(first, "Det var jag")
    assert "Du loggade in på ett annat ställe" not in first.inner_text("main")
    first.goto("/security/")
    send(first, first.locator("#places li button").first.inner_text().strip())
    second.goto("/overview/")
    assert path(second) == "/login/"

    pass_time(cast.manager, **{ACTIVE: settings.IDLE_MINUTES * 60})
    first.goto("/overview/")
    assert path(first) == "/login/"
    ended = LogEntry.objects.filter(event="session.ended")
    assert ended.latest("id").why == "idle"
    log_in(first, "cecilia", WORDS)
    give(first, codes[1])
    first.wait_for_url("**/overview/")
    pass_time(cast.manager, **{BEGAN: settings.SESSION_COOKIE_AGE})
    first.goto("/overview/")
    assert path(first) == "/login/" and ended.latest("id").why == "day"

    log_in(first, "cecilia", WORDS)
    give(first, codes[2])
    first.wait_for_url("**/overview/")
    keeper = screen()
    log_in(keeper, "hanna")
    set_up_app(keeper)
    keeper.goto(f"/keeper/users/{cast.manager.pk}/")
    no_barrier(keeper)
    send(keeper, "Logga ut överallt")
    first.goto("/overview/")
    assert path(first) == "/login/"
    assert clock.today() and LogEntry.objects.filter(event="session.closed", user=cast.keeper).exists()
