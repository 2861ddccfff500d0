"""My day: what must be done now, and by when."""

import datetime as dt
import html
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.models import LogEntry, Notice
from helpline.people.notices import notify
from helpline.people.sessions import ACTIVE
from intake import actions
from intake.codes import spoken

URL = "/my-day/"
QUIET = {"X-Quiet": "1"}


def test_empty_day_says_what_to_do(client_of, cast):
    page = client_of(cast.caseworker).get(URL).content.decode()
    assert "Nothing waits for you today." in page and "New call" in page


def test_late_first_then_today_then_news_and_what_others_owe(client_of, make_case, make_call, cast, at):
    with at("2026-11-23 08:00"):
        late, today, waiting = make_case(urgency="AKUT"), make_case(urgency="BRADSKANDE"), make_case(urgency="NORMAL")
        actions.plan_step(
            by=cast.caseworker,
            case=waiting,
            what="They answer",
            due_at=clock.now() + dt.timedelta(days=1),
            others_turn=True,
        )
        make_call()
    with at("2026-11-23 10:00"):
        actions.fire_due_reminders()
        page = client_of(cast.caseworker).get(URL).content.decode()
    assert "One thing is late." in page and "2 things are due today." in page
    places = [page.index(text) for text in ("Begin here", spoken(late.code), "Finish writing", spoken(today.code))]
    assert places == sorted(places)
    assert "Reminder: a step is due" in page and "They answer" in page


def test_a_notice_is_new_once_and_leads_to_its_case(client_of, make_case, cast):
    case = make_case(by=cast.colleague)
    actions.reassign_case(by=cast.manager, case=case, to=cast.caseworker)
    client = client_of(cast.caseworker)
    assert "A case is now yours" in client.get(URL).content.decode()
    notice = cast.caseworker.notices.get()
    link = reverse("intake:notice-open", args=[notice.pk])
    assert client.get(link).headers["Location"] == reverse("intake:case", args=[case.slug])
    assert "A case is now yours" not in client.get(URL).content.decode()
    assert client_of(cast.colleague).get(link).status_code == 404


def asked(client, page: str) -> str:
    """The address that this page asks by itself."""
    [found] = re.findall(r'hx-get="([^"]+)"', page)
    return html.unescape(found)


def test_what_comes_afterwards_is_a_line_and_nothing_moves(client_of, make_case, cast):
    case = make_case(by=cast.colleague)
    client = client_of(cast.caseworker)
    now = asked(client, client.get(URL).content.decode())
    assert client.get(now, headers=QUIET).status_code == 204
    actions.reassign_case(by=cast.manager, case=case, to=cast.caseworker)
    answer = client.get(now, headers=QUIET)
    assert answer.status_code == 286 and "Something new has come." in answer.content.decode()
    assert str(case) not in answer.content.decode()
    again = asked(client, client.get(URL).content.decode())
    assert client.get(again, headers=QUIET).status_code == 204  # the page shows it now


def test_what_comes_is_told_though_what_was_shown_is_opened_elsewhere(client_of, make_case, cast):
    case, client = make_case(by=cast.colleague), client_of(cast.caseworker)
    notify(user=cast.caseworker, kind="case.called_again", source="x1", case=case.pk)
    now = asked(client, client.get(URL).content.decode())
    opened = Notice.objects.get(source="x1")
    assert client.get(reverse("intake:notice-open", args=[opened.pk])).status_code == 302  # in another tab
    assert client.get(now, headers=QUIET).status_code == 204
    notify(user=cast.caseworker, kind="case.called_again", source="x2", case=case.pk)
    assert client.get(now, headers=QUIET).status_code == 286


def test_what_was_opened_before_is_not_new_afterwards(client_of, make_case, cast):
    case, client = make_case(by=cast.colleague), client_of(cast.caseworker)
    notify(user=cast.caseworker, kind="case.called_again", source="x1", case=case.pk)
    Notice.objects.filter(source="x1").update(seen_at=clock.now())
    now = asked(client, client.get(URL).content.decode())
    assert client.get(now, headers=QUIET).status_code == 204


@pytest.mark.parametrize("what", ["step", "done", "moved", "call", "call ended", "shift"])
def test_what_changes_without_a_notice_is_said_too(client_of, make_case, make_call, cast, what):
    me, case, hers = cast.caseworker, make_case(), make_case(by=cast.colleague)
    step, soon = case.steps.planned().get(), clock.now() + dt.timedelta(minutes=20)
    ongoing = make_call()
    client = client_of(me)
    now = asked(client, client.get(URL).content.decode())
    Notice.objects.all().delete()
    assert client.get(now, headers=QUIET).status_code == 204
    if what == "step":
        actions.plan_step(by=cast.manager, case=case, what="Call the school", due_at=soon)
    elif what == "done":
        actions.finish_step(by=me, step=step, outcome="x", next_what="y", next_due=step.due_at)
    elif what == "moved":
        actions.move_step(by=me, step=step, due_at=soon)
    elif what == "call":
        make_call()
    elif what == "call ended":
        actions.void_call(by=me, call=ongoing, why="wrong_number")
        make_call()  # as many as before
    else:
        given = actions.plan_step(by=cast.colleague, case=hers, what="Call the school", due_at=soon)
        actions.give_shift(by=cast.colleague, to=me, steps=[given.pk])
    connection.check_constraints()
    Notice.objects.all().delete()
    answer = client.get(now, headers=QUIET)
    assert answer.status_code == 286 and "What stands here has changed." in answer.content.decode()
    assert str(case) not in answer.content.decode() and "Call the school" not in answer.content.decode()
    again = asked(client, client.get(URL).content.decode())
    assert client.get(again, headers=QUIET).status_code == 204


def test_what_only_time_changes_is_said_too(client_of, make_case, cast, at):
    with at("2026-11-23 09:00"):
        case, client = make_case(), client_of(cast.caseworker)
        actions.plan_step(by=cast.caseworker, case=case, what="x", due_at=clock.now() + dt.timedelta(minutes=20))
        now = asked(client, client.get(URL).content.decode())
    with at("2026-11-23 09:19"):
        assert client.get(now, headers=QUIET).headers["X-Updated"] == "09:19"
    with at("2026-11-23 09:21"):
        answer = client.get(now, headers=QUIET)
    assert answer.status_code == 286 and "What stands here has changed." in answer.content.decode()


def test_a_new_day_is_another_page(client_of, cast, at):
    with at("2026-11-23 23:59"):
        client = client_of(cast.caseworker)
        now = asked(client, client.get(URL).content.decode())
        assert client.get(now, headers=QUIET).status_code == 204
    with at("2026-11-24 00:01"):
        assert client.get(now, headers=QUIET).status_code == 286


def test_of_a_case_that_is_out_of_sight_no_line_comes(client_of, make_case, cast):
    case = make_case(by=cast.colleague)
    client = client_of(cast.caseworker)
    now = asked(client, client.get(URL).content.decode())
    for number, of in enumerate((case.pk, uuid.uuid4())):
        Notice.objects.create(user=cast.caseworker, kind="case.assigned", case=of, source=f"x{number}")
    type(case).objects.filter(pk=case.pk).update(unit=cast.other_unit)
    assert client.get(now, headers=QUIET).status_code == 204
    type(case).objects.filter(pk=case.pk).update(unit=cast.unit)
    assert client.get(now, headers=QUIET).status_code == 286


def test_asking_costs_three_statements_leaves_no_row_and_is_no_activity(client_of, make_case, cast):
    make_case()
    client = client_of(cast.caseworker)
    now = asked(client, client.get(URL).content.decode())
    session = client.session
    session[ACTIVE] -= 600
    session.save()
    rows = LogEntry.objects.count()
    with CaptureQueriesContext(connection) as queries:
        assert client.get(now, headers=QUIET).status_code == 204
    assert len(queries) == 3  # the session, the person, and all that stands there
    assert LogEntry.objects.count() == rows and client.session[ACTIVE] == session[ACTIVE]


def test_when_the_session_is_over_the_asking_stops_with_a_line(client_of, cast, settings):
    client = client_of(cast.caseworker)
    now = asked(client, client.get(URL).content.decode())
    session = client.session
    session[ACTIVE] -= settings.IDLE_MINUTES * 60
    session.save()
    answer = client.get(now, headers=QUIET)
    assert answer.status_code == 286 and f'href="{reverse("account_login")}"' in answer.content.decode()
    assert LogEntry.objects.get(event="session.ended").why == "idle"
    assert client.get(now).status_code == 302  # a person who goes there is sent to the log-in


@pytest.mark.parametrize("seen", ["", "x", "~", "2026-11-23~0", "2026-11-23T08:00:00+00:00~x", "%00~1", "9" * 500])
def test_a_mark_that_is_none_says_nothing_new(client_of, cast, seen):
    answer = client_of(cast.caseworker).get(f"/my-day/now/?seen={seen}")
    assert answer.status_code == 204 and "X-Updated" not in answer.headers  # nor that what it shows is true now


def test_a_booked_time_is_a_time_and_not_by_then(client_of, make_case, cast, at):
    with at("2026-11-23 08:00"):
        case = make_case()
        actions.plan_step(by=cast.caseworker, case=case, kind="three_way_call", due_at=clock.now() + dt.timedelta(hours=6),
                          agency="BUP", kept_by="referral", about="x")  # fmt: skip
        page = client_of(cast.caseworker).get(URL).content.decode()
    assert "<strong>14:00</strong>" in page and "by 14:00" not in page


def test_the_page_says_as_of_when_and_how_it_is_renewed(client_of, cast, at):
    with at("2026-11-23 10:14"):
        page = client_of(cast.caseworker).get(URL).content.decode()
    assert '<span data-updated>10:14</span> <a href="/my-day/">Renew</a>' in page


def test_others_steps_are_not_mine(client_of, make_case, cast):
    case = make_case(by=cast.colleague)
    assert spoken(case.code) not in client_of(cast.caseworker).get(URL).content.decode()


def test_who_may_not(client_of, cast):
    assert client_of(cast.partner).get(URL).status_code == 403
    assert client_of(cast.keeper).get(URL).status_code == 403


def test_queries_do_not_grow_with_the_rows(client_of, make_case, cast):
    client = client_of(cast.caseworker)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(URL)
        return len(queries)

    make_case(urgency="AKUT")
    count()
    few = count()
    for _ in range(5):
        make_case(urgency="AKUT")
    assert count() == few <= 8


def test_a_list_that_shows_words_is_a_reading_too(client_of, make_case, cast):
    mine, hers = make_case(), make_case(by=cast.colleague)
    client = client_of(cast.caseworker)
    for number, url in enumerate([URL, "/cases/", "/cases/?which=unit"], start=1):
        client.get(url)
        rows = list(LogEntry.objects.filter(event="cases.listed", user=cast.caseworker))
        assert len(rows) == number
        assert rows[-1].codes == {"cases": [str(mine.pk)]}  # of hers no words were shown
    assert hers.pk != mine.pk
