"""Fresh tiles: asked for cheaply by the page itself, counted anew each time, and no sign that somebody is there."""

import datetime as dt
import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.models import LogEntry, User
from helpline.people.sessions import ACTIVE
from intake import actions

pytestmark = pytest.mark.django_db
URL, NOW = "/overview/", "/overview/now/"
QUIET = {"X-Quiet": "1"}


def asked(page) -> str:
    """The address that a page, or the part that came last, asks next."""
    [found] = re.findall(r'hx-get="([^"]+)"', page.content.decode())
    return html.unescape(found)


def tile(page, key: str) -> str:
    return re.search(rf'data-figure="{key}"><span class="figure[^"]*">([^<]+)<', page.content.decode()).group(1)


@pytest.fixture
def client(client_of, cast):
    return client_of(cast.manager)


def test_where_nothing_has_changed_nothing_is_sent(client, make_case, at):
    with at("2026-11-23 09:00"):
        make_case()
        now = asked(client.get(URL))
    with at("2026-11-23 09:01"):
        answer = client.get(now, headers=QUIET)
    assert (answer.status_code, answer.content, answer.headers["X-Updated"]) == (204, b"", "09:01")


def test_a_new_row_is_a_new_tile_and_the_next_asking_knows_it(client, make_case):
    make_case()
    page = client.get(URL)
    assert tile(page, "open") == "1"
    make_case()
    answer = client.get(asked(page), headers=QUIET)
    assert answer.status_code == 200 and tile(answer, "open") == "2"
    assert client.get(asked(answer), headers=QUIET).status_code == 204


def test_what_only_time_changes_is_seen_too(client, make_case, at):
    with at("2026-11-23 09:00"):
        case = make_case(urgency="NORMAL")
        page = client.get(URL)
    late = case.steps.planned().get().due_at + dt.timedelta(minutes=1)
    with clock.at(late):
        answer = client.get(asked(page), headers=QUIET)
    assert tile(page, "overdue") == "0" and tile(answer, "overdue") == "1"
    said = re.search(r'hx-swap-oob="innerHTML:#overview-said">([^<]*)<', answer.content.decode()).group(1)
    assert said.strip() == "Steps past their time: 1." or said.strip().endswith(": 1.")


def test_it_is_said_aloud_only_where_what_should_be_none_has_risen(client, make_case, at):
    page = client.get(URL)
    make_case()
    answer = client.get(asked(page), headers=QUIET)
    assert answer.status_code == 200 and "hx-swap-oob" not in answer.content.decode()
    with clock.at(clock.now() + dt.timedelta(days=60)):
        risen = client.get(asked(answer), headers=QUIET)
        assert "hx-swap-oob" in risen.content.decode()
    sunk = client.get(asked(risen), headers=QUIET)
    assert sunk.status_code == 200 and "hx-swap-oob" not in sunk.content.decode()


def test_asking_costs_few_statements_however_much_there_is(client, make_case):
    def count() -> int:
        page = client.get(URL)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(asked(page), headers=QUIET).status_code == 204
        return len(queries)

    make_case()
    count()
    few = count()
    for _ in range(5):
        make_case()
    assert count() == few <= 4  # the session, the person, and two for all tiles


def test_asking_leaves_no_row_and_is_no_activity(client, make_case):
    make_case()
    now = asked(client.get(URL))
    session = client.session
    session[ACTIVE] -= 600
    session.save()
    rows = LogEntry.objects.count()
    assert client.get(now, headers=QUIET).status_code == 204
    assert client.get(NOW, headers=QUIET).status_code == 200
    assert LogEntry.objects.count() == rows and client.session[ACTIVE] == session[ACTIVE]


def test_idle_comes_though_the_page_asks_and_the_asking_ends(client, settings):
    now = asked(client.get(URL))
    for minutes in (0, settings.IDLE_MINUTES - 1):
        session = client.session
        session[ACTIVE] -= 60 * minutes
        session.save()
        assert client.get(now, headers=QUIET).status_code in (200, 204)
    session = client.session
    session[ACTIVE] -= 61
    session.save()
    answer = client.get(now, headers=QUIET)
    said = answer.content.decode()
    assert answer.status_code == 286 and f'href="{reverse("account_login")}"' in said and "figure" not in said
    assert answer.headers["HX-Retarget"] == "main" and answer.headers["HX-Reswap"] == "innerHTML"  # all of it goes
    assert LogEntry.objects.get(event="session.ended").why == "idle"
    assert client.get(now, headers=QUIET).status_code == 286


def test_who_is_not_logged_in_learns_nothing(db):
    assert Client().get(NOW).status_code == 302
    answer = Client().get(NOW, headers=QUIET)
    assert answer.status_code == 286 and "figure" not in answer.content.decode()


def test_who_may_not(client_of, cast):
    for who in ("caseworker", "partner", "keeper", "coordinator", "reviewer"):
        assert client_of(getattr(cast, who)).get(NOW, headers=QUIET).status_code == 403
    assert client_of(cast.manager).post(NOW).status_code == 405


def test_who_no_longer_leads_sees_no_tile_at_the_next_asking(client, cast, make_case):
    make_case()
    now = asked(client.get(URL))
    User.objects.filter(pk=cast.manager.pk).update(role="caseworker")
    assert client.get(now, headers=QUIET).status_code == 403
    User.objects.filter(pk=cast.manager.pk).update(role="manager", is_active=False)
    assert client.get(now, headers=QUIET).status_code == 286


def test_who_is_locked_out_sees_it_sink_at_the_next_asking(client, client_of, cast, make_case):
    case = make_case()
    page = client.get(URL)
    from intake.models import LockedOut

    assert tile(page, "open") == "1"
    LockedOut.objects.create(case=case, user=cast.manager, by=cast.other_manager)
    connection.check_constraints()
    assert tile(client.get(asked(page), headers=QUIET), "open") == "0"


def test_another_unit_changes_nothing(client, cast, make_case):
    now = asked(client.get(URL))
    make_case(by=cast.stranger)
    assert client.get(now, headers=QUIET).status_code == 204


@pytest.mark.parametrize("seen", ["", "x", "~", "~overdue:x", "~overdue:-1,:,silent", "%00", "~overdue:" + "9" * 400])
def test_a_mark_that_is_none_is_no_fault(client, seen):
    answer = client.get(f"{NOW}?seen={seen}", headers=QUIET)
    assert answer.status_code == 200 and "hx-swap-oob" not in answer.content.decode()


def test_without_script_the_page_says_as_of_when_and_how_it_is_renewed(client, at):
    with at("2026-11-23 10:14"):
        page = client.get(URL).content.decode()
    assert f'<span data-updated>10:14</span> <a href="{reverse("caseload")}">Renew</a>' in page


def test_nothing_of_it_is_kept_by_a_browser(client, make_case):
    for url in (NOW, asked(client.get(URL))):
        assert "no-store" in client.get(url, headers=QUIET).headers["Cache-Control"]


def test_a_step_that_is_planned_and_done_again_leaves_the_tiles_as_they_were(client, cast, make_case):
    case = make_case()
    now = asked(client.get(URL))
    due = clock.now() + dt.timedelta(days=40)
    actions.plan_step(by=cast.caseworker, case=case, what="x", due_at=due)
    assert client.get(now, headers=QUIET).status_code == 204
