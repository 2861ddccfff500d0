"""My day: what must be done now, and by when."""

import datetime as dt

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.models import LogEntry
from intake import actions
from intake.codes import spoken

URL = "/my-day/"


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
    assert count() == few


def test_a_list_that_shows_words_is_a_reading_too(client_of, make_case, cast):
    mine, hers = make_case(), make_case(by=cast.colleague)
    client = client_of(cast.caseworker)
    for number, url in enumerate([URL, "/cases/", "/cases/?which=unit"], start=1):
        client.get(url)
        rows = list(LogEntry.objects.filter(event="cases.listed", user=cast.caseworker))
        assert len(rows) == number
        assert rows[-1].codes == {"cases": [str(mine.pk)]}  # of hers no words were shown
    assert hers.pk != mine.pk
