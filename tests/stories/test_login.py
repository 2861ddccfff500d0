"""Logging in, in a real browser: the second factor, the municipality's own log-in, throttling, and how a log-in ends."""

import re
import time
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect
from requests.adapters import HTTPAdapter

from helpline.people import clock, invitations
from helpline.people.actions import add_user
from helpline.people.models import LogEntry, Role, User
from helpline.people.session_store import SessionStore
from helpline.people.sessions import ACTIVE, BEGAN
from intake.models import Call
from tests.people.factors import WORDS, code_for
from tests.stories.barriers import no_barrier
from tests.stories.server import Server

pytestmark = [
    *(pytest.mark.browser, pytest.mark.django_db(transaction=True)),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib"),
    pytest.mark.filterwarnings("ignore::authlib.deprecate.AuthlibDeprecationWarning"),
]
with warnings.catch_warnings():  # the mock is built with what its library will give up; that is no concern of ours
    warnings.simplefilter("ignore")
    from oidc_provider_mock import run_server_in_thread
    from oidc_provider_mock._storage import AuthorizationCode


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


def path(page: Page) -> str:
    return urlsplit(page.url).path


def arrive(page: Page, where: str) -> None:
    """Not on the way there: the log-in has the place where one is going in its query."""
    page.wait_for_url(lambda url: urlsplit(url).path == where)


def log_in(page: Page, name: str, password: str = "pw") -> None:
    page.goto("/login/")
    page.fill("[name=login]", name)
    page.fill("main [name=password]", password)
    send(page, "Logga in")


def log_out(page: Page) -> None:
    page.goto("/logout/")
    page.locator("main").get_by_role("button", name="Logga ut").click()
    arrive(page, "/login/")


def set_up_app(page: Page) -> tuple[str, str, list[str]]:
    """On the page to which everybody without a second factor is sent. Returns the key, the code that was used with it and the
    recovery codes."""
    arrive(page, "/security/")
    no_barrier(page)
    page.click("main a[href='/security/app/']")
    assert page.locator("img.qr").evaluate("image => image.complete && image.naturalWidth > 0")
    no_barrier(page)
    key = page.inner_text(".secret")
    used = code_for(key)
    page.fill("[name=code]", used)
    page.locator("main button.btn-primary[type=submit]").click()
    arrive(page, "/security/codes/")
    no_barrier(page)
    return key, used, page.locator(".recovery-codes code").all_inner_texts()


def give(page: Page, code: str) -> None:
    arrive(page, "/login/code/")
    page.fill("[name=code]", code)
    send(page, "Logga in")


def test_a_password_and_an_app_and_a_recovery_code(screen, cast):
    page = screen()
    page.goto("/keeper/grounds/")
    no_barrier(page)
    log_in(page, "hanna")
    page.goto("/keeper/grounds/")
    key, used, codes = set_up_app(page)
    page.goto("/keeper/grounds/")
    assert path(page) == "/keeper/grounds/"
    log_out(page)
    page.go_back()
    assert path(page) == "/login/" and "hanna" not in page.content()  # Back shows nothing

    page.goto("/keeper/grounds/")
    page.fill("[name=login]", "hanna")
    page.fill("main [name=password]", "pw")
    send(page, "Logga in")
    give(page, used)  # the one of the set-up: it was good once
    page.wait_for_selector(".error-summary")
    no_barrier(page)
    give(page, code_for(key, 1))
    arrive(page, "/keeper/grounds/")  # where one was going
    log_out(page)
    for code, lets_in in ((codes[0], True), (codes[0], False), (codes[1], True)):
        if path(page) != "/login/code/":
            log_in(page, "hanna")
        give(page, code)
        if lets_in:
            arrive(page, "/keeper/users/")
            log_out(page)
        else:
            page.wait_for_selector(".error-summary")


def holder_of_keys(page: Page) -> tuple[CDPSession, str]:
    """A machine that keeps passkeys, and shows a finger whenever it is asked."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    return cdp, cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def test_a_passkey_alone(screen, house, cast):
    page = screen()
    holder_of_keys(page)
    log_in(page, "cecilia")
    arrive(page, "/security/")
    page.click("main a[href='/security/passkey/']")
    no_barrier(page)
    send(page, "Lägg till nyckeln")
    arrive(page, "/security/codes/")
    page.goto("/overview/")
    assert path(page) == "/overview/"
    log_out(page)
    page.goto("/cases/")
    send(page, "Logga in med nyckel")  # no name, no password
    arrive(page, "/cases/")
    assert LogEntry.objects.filter(event="user.logged_in").latest("id").codes == {"how": ["webauthn"]}
    log_out(page)
    log_in(page, "cecilia")  # and after the password it is the second step
    arrive(page, "/login/code/")
    no_barrier(page)
    send(page, "Använd en nyckel")
    arrive(page, "/overview/")


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
    arrive(page, "/sign-on/back/")
    assert "öppnar inget konto här" in page.inner_text("main")
    no_barrier(page)
    token = invitations.invite(by=cast.keeper, user=nina)
    page.goto(f"/invitation/{token}/")
    no_barrier(page)
    send(page, through)
    sign_on(page, "nina-17")
    arrive(page, "/keeper/users/")  # with no further step: the municipality has asked for its own
    log_out(page)
    other = screen()
    other.goto("/keeper/grounds/")
    send(other, through)
    sign_on(other, "nina-17")
    arrive(other, "/keeper/grounds/")
    assert other.goto(f"/invitation/{token}/").status == 404


def test_who_comes_in_by_it_alone_shows_there_again_who_they_are(screen, house, provider, cast, monkeypatch):
    facts = {"role": Role.KEEPER, "unit": None, "first_name": "Nina", "last_name": "Berg", "email": "nina@example.com"}
    nina = add_user(by=cast.keeper, username="nina", facts=facts)
    page = screen()
    page.goto(f"/invitation/{invitations.invite(by=cast.keeper, user=nina)}/")
    send(page, "Logga in via Skövde kommun")
    sign_on(page, "nina-17")  # the word of the request comes back in the answer, or nobody would be in
    arrive(page, "/keeper/users/")
    page.goto("/security/")
    arrive(page, "/security/again/sign-on/")
    no_barrier(page)
    send(page, "Logga in via Skövde kommun")
    page.wait_for_selector("[name=sub]")
    assert "prompt=login" in page.url and "max_age=0" in page.url
    monkeypatch.setattr(AuthorizationCode, "get_auth_time", lambda self: int(time.time()) - 3600)
    sign_on(page, "nina-17")  # it took whoever was in there already
    arrive(page, "/sign-on/back/")
    no_barrier(page)
    page.goto("/security/")
    arrive(page, "/security/again/sign-on/")
    monkeypatch.undo()
    before = {one["value"] for one in page.context.cookies() if one["name"] == "sid"}
    send(page, "Logga in via Skövde kommun")
    sign_on(page, "nina-17")
    arrive(page, "/security/")
    assert before and before.isdisjoint(one["value"] for one in page.context.cookies() if one["name"] == "sid")


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
    arrive(page, "/security/")


def test_in_the_middle_of_a_call_both_steps_are_given_in_place(screen, house, cast):
    page = screen()
    log_in(page, "anna")
    key, _used, codes = set_up_app(page)
    page.goto("/my-day/")
    page.keyboard.press("n")
    page.wait_for_url("**/calls/*/")
    page.keyboard.press("1")
    call = Call.objects.get()
    Session.objects.all().delete()
    words = "Han har rakat huvudet och talar om kriget"
    page.locator("[name='n.seen']").fill(words)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=15000)
    expect(page.locator("#log-in-code")).to_be_hidden()
    page.locator("#log-in-password").fill("pw")
    page.keyboard.press("Enter")
    expect(page.locator("#log-in-code")).to_be_focused(timeout=15000)
    expect(page.locator("#log-in-password")).to_be_hidden()
    no_barrier(page)
    page.locator("#log-in-code").fill("000000")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Koden är fel")
    expect(page.locator("#log-in-code")).to_have_value("")
    assert not call.notes.exists() and page.locator("[name='n.seen']").input_value() == words
    page.locator("#log-in-code").fill(codes[0])
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden(timeout=15000)
    in_the_end(page, call, words, cast.caseworker)
    assert LogEntry.objects.filter(event="user.logged_in").latest("id").codes == {"how": ["password", "recovery_codes"]}


def test_in_the_middle_of_a_call_who_has_a_passkey_alone_logs_in_in_a_new_window(screen, house, cast):
    page = screen()
    cdp, holder = holder_of_keys(page)
    log_in(page, "anna")
    arrive(page, "/security/")
    page.click("main a[href='/security/passkey/']")
    send(page, "Lägg till nyckeln")
    arrive(page, "/security/codes/")
    Authenticator.objects.filter(type="recovery_codes").delete()  # the paper is lost
    page.goto("/my-day/")
    page.keyboard.press("n")
    page.wait_for_url("**/calls/*/")
    page.keyboard.press("1")
    call = Call.objects.get()
    Session.objects.all().delete()
    page.locator("[name='n.seen']").fill("Han har rakat huvudet")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=15000)
    page.locator("#log-in-password").fill("pw")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("nytt fönster", timeout=15000)
    with page.context.expect_page() as opened:
        dialog.get_by_role("link").click()
    window = opened.value
    to, there = holder_of_keys(window)
    for key in cdp.send("WebAuthn.getCredentials", {"authenticatorId": holder})["credentials"]:
        to.send("WebAuthn.addCredential", {"authenticatorId": there, "credential": key})
    window.get_by_role("button", name="nyckel").first.click()
    window.wait_for_function("document.body.dataset.who")
    window.close()
    assert page.locator("[name='n.seen']").input_value() == "Han har rakat huvudet"
    page.locator("#log-in-password").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden(timeout=15000)
    in_the_end(page, call, "Han har rakat huvudet", cast.caseworker)


def in_the_end(page: Page, call: Call, words: str, by: User) -> None:
    """It is saved within seconds, in this person's name."""
    for _tick in range(40):
        if call.notes.exists():
            break
        page.wait_for_timeout(250)
    assert [(note.text, note.by) for note in call.notes.all()] == [(words, by)]


def pass_time(user: User, **seconds: int) -> None:
    """So much time passes for whoever is logged in as this person."""
    for row in Session.objects.all():
        data = row.get_decoded()
        if data.get("_auth_user_id") == str(user.pk):
            row.session_data = SessionStore().encode({**data, **{key: data[key] - by for key, by in seconds.items()}})
            row.save()


def test_how_a_log_in_ends_and_that_a_new_one_is_shown(screen, house, cast, settings):
    token = invitations.begin_again_by_command(cast.manager)
    first = screen()
    first.goto(f"/invitation/{token}/")
    first.fill("[name=password]", WORDS)
    first.fill("[name=again]", WORDS)
    send(first, "Välj det här lösenordet")
    _key, _used, codes = set_up_app(first)
    first.goto("/overview/")
    second = screen()
    log_in(second, "cecilia", WORDS)
    give(second, codes[0])
    arrive(second, "/overview/")
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
    arrive(first, "/overview/")
    pass_time(cast.manager, **{BEGAN: settings.SESSION_COOKIE_AGE})
    first.goto("/overview/")
    assert path(first) == "/login/" and ended.latest("id").why == "day"

    log_in(first, "cecilia", WORDS)
    give(first, codes[2])
    arrive(first, "/overview/")
    keeper = screen()
    log_in(keeper, "hanna")
    set_up_app(keeper)
    keeper.goto(f"/keeper/users/{cast.manager.pk}/")
    no_barrier(keeper)
    send(keeper, "Logga ut överallt")
    first.goto("/overview/")
    assert path(first) == "/login/"
    assert clock.today() and LogEntry.objects.filter(event="session.closed", user=cast.keeper).exists()
