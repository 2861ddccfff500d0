"""A real browser, and a real worker and beat beside the server under test."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from playwright.sync_api import Browser, Page

from helpline.people.models import User
from tests.house.conftest import address_of, pages, world  # noqa: F401  # a world in which every page has something
from tests.referrals.conftest import make_draft, make_referral  # noqa: F401  # handovers to play with
from tests.stories.persons import DESK, Person
from tests.stories.server import ROOT, Server, app_url

QUIET = [
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = os.environ.get("CHROMIUM")
    return {**browser_type_launch_args, "args": QUIET, **({"executable_path": chromium} if chromium else {})}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "sv-SE", "timezone_id": "Europe/Stockholm"}


BUSY = """SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND locktype = 'relation'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture(autouse=True)
def settled(transactional_db) -> Iterator[None]:
    """A page that saves itself may have a request on its way when its story ends: the tables are emptied after it."""
    yield
    quiet = 0
    for _ in range(100):
        time.sleep(0.1)
        with connection.cursor() as cursor:
            cursor.execute(BUSY)
            quiet = 0 if cursor.fetchone()[0] else quiet + 1
        if quiet == 3:
            return


@pytest.fixture
def faults(page: Page) -> list[str]:
    """What the page itself complained of: a refused script, a missing file. A story ends with none."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


@pytest.fixture
def worker_and_beat(transactional_db, tmp_path, settings) -> Iterator[Path]:
    """Celery as it runs in earnest, on the test's database, with a look every second; its mail lands in a folder."""
    url = app_url()
    broker = settings.REDIS_URL.rsplit("/", 1)[0] + f"/{worker_number() + 1}"
    env = {
        **os.environ,
        **{"DATABASE_URL": url, "OWNER_DATABASE_URL": url, "REDIS_URL": broker, "DEMO": "1"},
        **{"HELPLINE_KEYS": ",".join(settings.HELPLINE_KEYS), "HELPLINE_VAR": str(tmp_path), "HELPLINE_TICK": "1"},
        "SECRET_KEY": settings.SECRET_KEY,  # what signs the links of a mail is what the web server reads them with
    }
    celery = [sys.executable, "-m", "celery", "-A", "helpline"]
    (tmp_path / "mail").mkdir()
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    commands = [
        [*celery, "worker", "--without-gossip", "--without-mingle", "--concurrency", "1", "-l", "warning"],
        [*celery, "beat", "-s", str(tmp_path / "beat"), "-l", "warning"],
    ]
    with (tmp_path / "log").open("wb") as log:
        running = [subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log) for command in commands]
        try:
            yield tmp_path
        finally:
            for process in running:
                process.terminate()
            for process in running:
                try:
                    process.wait(timeout=60)
                except subprocess.TimeoutExpired:  # a busy machine: the test is over, nothing is lost by it
                    process.kill()
                    process.wait(timeout=10)


def worker_number() -> int:
    """Each of pytest's processes has a broker's database of its own."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture
def log_in(live_server):
    """Log in by the page, as a person does."""

    def enter(page: Page, name: str) -> None:
        page.context.clear_cookies()
        page.goto(f"{live_server.url}/")
        page.fill("[name=login]", name)
        page.fill("[name=password]", "pw")
        page.locator("main button.btn-primary[type=submit]").click()
        page.wait_for_url(lambda url: "/login/" not in url)

    return enter


@pytest.fixture
def line(cast, tmp_path, worker_and_beat) -> Iterator[Server]:
    """The whole house in Swedish: web server, worker and beat; all in it log in as in production."""
    hasher = Argon2PasswordHasher()
    User.objects.update(language="sv", password=hasher.encode("pw", hasher.salt()))
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()
    server.log.close()


@pytest.fixture
def enter(browser: Browser, browser_context_args, line) -> Iterator[Callable[..., Person]]:
    """Somebody at a screen of this size, logged in where a name is given. No page of theirs may have complained."""
    came: list[Person] = []

    def person(name: str = "", size: dict[str, int] = DESK, **more: object) -> Person:
        context = browser.new_context(**{**browser_context_args, "viewport": size, **more})
        came.append(Person(context, line.url))
        return came[-1].log_in(name) if name else came[-1]

    yield person
    for one in came:
        one.context.close()
    faults = [fault for one in came for fault in one.faults]
    assert not faults, faults


assert settings.DEMO  # the stories read the demo's mail page
