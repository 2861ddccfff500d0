"""That what stands in columns has room: a colleague's week, and a year told apart by month, on the screen and on paper."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from helpline.over_time import months_back
from helpline.people import clock
from intake.models import DaySum

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
A4 = 718  # px: its width without margins
# Cells whose right edge lies outside of the box that scrolls, or of the page.
CUT = """() => { const box = document.querySelector(".wide-table").getBoundingClientRect();
  return [...document.querySelectorAll(".wide-table th, .wide-table td")].filter((one) => one.checkVisibility())
    .filter((one) => one.getBoundingClientRect().right > Math.min(box.right, innerWidth) + 1).length; }"""


@pytest.mark.parametrize("width", [1280, 390])
def test_a_step_of_a_week_has_its_line(page: Page, live_server, log_in, cast, make_case, width):
    make_case()
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page, "cecilia")
    page.goto(f"{live_server.url}{reverse('worker-week', args=[cast.caseworker.pk])}")
    for row in page.locator(".row-item").all():
        what, card, act = (one.bounding_box() for one in (row.locator(".what"), row, row.locator(".act .btn")))
        assert what["width"] > width / 2 and act["x"] + act["width"] <= card["x"] + card["width"]
    assert page.locator(".row-item").count()


@pytest.mark.parametrize(("width", "media"), [(1280, "screen"), (A4, "print")])
def test_no_month_of_a_year_is_cut(page: Page, live_server, log_in, cast, width, media):
    for back in range(12):
        for caller in ("relative", "leaving", "professional", "other"):
            day = months_back(clock.today(), back)
            DaySum.objects.create(unit=cast.unit, what="call", part="caller", day=day, value=caller, count=10)
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page, "cecilia")
    page.goto(f"{live_server.url}{reverse('over-time')}?by=caller")
    page.emulate_media(media=media)
    assert page.locator("thead th.num").count() == 13 and page.evaluate(CUT) == 0
