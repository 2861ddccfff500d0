"""Those of the cast who play in a story: each in a browser of their own, in Swedish, whose every page is looked at."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, Response, expect

from tests.stories.conftest import no_barrier

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
PATIENCE = 60  # seconds for what beat and worker do by themselves


class Person:
    """One of them at a screen. `faults` is what the pages complained of; a story ends with none."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda one: self.faults.append(one.text) if one.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def log_in(self, name: str) -> "Person":
        self.go("/")
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", "pw")
        self.page.locator("main button[type=submit]").click()
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
        assert self.go(path).status == status
        no_barrier(self.page)
        self.faults = [fault for fault in self.faults if f"status of {status}" not in fault]


def until(holds: Callable[[], bool], folder: Path) -> None:
    """Wait for what beat and worker do."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < PATIENCE, (folder / "log").read_text()[-3000:]
        time.sleep(0.2)
