"""What keeps somebody out of a page, as axe sees it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


def no_barrier(page: Page) -> None:
    """axe finds nothing on the page as it stands."""
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
