"""Those of the cast who play in a story: each in a browser of their own, in Swedish, whose every page is looked at."""

import email
import email.policy
import re
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response, expect

from intake.models import Case, FollowUp
from referrals.models import Referral
from tests.stories.barriers import no_barrier

CHILD, EXIT = "Socialtjänst barn och unga, Falköping", "Avhopparstöd"
WORDS = {
    "ask": "Träffa mamman den här veckan.",
    "about": "En pojke i femtonårsåldern.",
    "happened": "Sonen har mött människor som skrämmer henne.",
    "wants": "Någon som talar med honom.",
    "fears": "Att han får veta att hon ringde.",
    "tried": "Skolan, en gång.",
    "dont_ask": "Vem pappan är.",
    "safe_contact": "Bara sms efter nio.",
}
ON_DUTY = {"ground": "CARE_U18", "ground_reason": "Pojken behöver stöd nu.", **WORDS}
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
PATIENCE = 60  # seconds for what beat and worker do by themselves


class Person:
    """One of them at a screen. `faults` is what the pages complained of; a story ends with none."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _heard(self, one: ConsoleMessage) -> None:
        if one.type == "error":
            self.faults.append(f"{one.text} ({one.location.get('url', '')})")

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def log_in(self, name: str) -> "Person":
        self.go("/")
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", "pw")
        self.page.locator("main button.btn-primary[type=submit]").click()
        self.page.wait_for_url(lambda url: "/login/" not in url)
        return self

    def go(self, path: str) -> Response:
        answer = self.page.goto(f"{self.url}{path}")
        assert answer is not None
        return answer

    def press(self, name: str, *, within: str = "main") -> None:
        self.page.locator(within).get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str, *, within: str = "main") -> None:
        self.page.locator(within).get_by_role("link", name=re.compile(name)).first.click()

    def unfold(self, *names: str) -> None:
        for name in names:
            self.page.locator(f"summary:text-is('{name}')").click()

    def form(self, act: str) -> Locator:
        """The form of one act of a handover."""
        return self.page.locator(f"form[action$='/{act}/']")

    def sees(self, *words: str) -> None:
        """This stands on the page; and the page keeps nobody out, and is not wider than the screen."""
        for one in words:
            expect(self.main).to_contain_text(one)
        no_barrier(self.page)
        assert self.page.evaluate(WIDER) <= 0, f"wider than the screen: {self.page.url}"

    def text(self) -> str:
        return self.page.locator("body").inner_text()

    def is_refused(self, path: str, status: int = 404) -> None:
        """The page is not there for this one. The browser complains of that itself: it is what was asked for."""
        before = len(self.faults)
        assert self.go(path).status == status
        no_barrier(self.page)
        self.excuse(status, before)

    def excuse(self, status: int, before: int = 0) -> None:
        """The browser's own line about a page that was refused, as it was to be, is no fault."""
        own = f"status of {status}"
        self.faults = [fault for at, fault in enumerate(self.faults) if at < before or own not in fault]


def until(holds: Callable[[], bool], folder: Path) -> None:
    """Wait for what beat and worker do."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < PATIENCE, (folder / "log").read_text()[-3000:]
        time.sleep(0.2)


def mails_to(address: str, folder: Path, count: int) -> list[str]:
    """Wait until so many have come there; what each says."""

    def come() -> list[str]:
        parts = [
            part for file in (folder / "mail").glob("*.log") for part in file.read_bytes().split(b"-" * 79 + b"\n")
        ]
        mails = [email.message_from_bytes(part, policy=email.policy.default) for part in parts if part.strip()]
        return [f"{mail['Subject']}\n{mail.get_content()}" for mail in mails if mail["To"] == address]

    until(lambda: len(come()) >= count, folder)
    return come()


def state_of(referral: Referral) -> str:
    connection.check_constraints()
    return Referral.objects.values_list("state", flat=True).get(pk=referral.pk)


def step_of(referral: Referral) -> FollowUp:
    """The one step that waits about a handover."""
    return FollowUp.objects.planned().select_related("owner").get(about=str(referral.pk))


def case_page(case: Case) -> str:
    return f"/cases/{case.slug}/"


def open_newest(partner: Person) -> None:
    partner.go("/portal/")
    partner.page.locator(".inbox a:visible").first.click()
    partner.page.wait_for_url(re.compile(r"/portal/[0-9a-f-]{36}/"))


def opens_the_notice(owner: Person, words: str) -> None:
    """It stands on the first page, and leads where it is to be done."""
    owner.go("/my-day/")
    owner.sees(words)
    owner.page.locator(".row-item", has_text=words).get_by_role("link").click()
