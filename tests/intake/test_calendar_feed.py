"""The calendar feed: an own secret address, and nothing behind it but when there is a step."""

import datetime as dt
import re

import icalendar
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import calendar_address, clock
from helpline.people.actions import change_user, switch_off_user, switch_on_user
from helpline.people.invitations import begin_again
from helpline.people.live_sessions import end_all_of
from helpline.people.models import CalendarAddress, LogEntry
from intake import actions
from intake.feed import LASTS

pytestmark = pytest.mark.django_db
OWN, END = "/my-day/calendar/", "/my-day/calendar/end/"
CANARIES = ["Kanariefrun", "Gruvgatan", "Fatimah", "0701234567", "Skolan"]


def shown(client) -> str:
    """Switch it on as a person does; the path of the address that is shown."""
    mark = client.get(OWN).context["mark"]
    page = client.post(OWN, {"instead_of": mark}).content.decode()
    connection.check_constraints()
    [address] = re.findall(r"<code[^>]*>(\S+?)</code>", page)
    return address[address.index("/calendar/") :]


def events(path: str) -> list:
    answer = Client().get(path)
    assert answer.status_code == 200
    return icalendar.Calendar.from_ical(answer.content).walk("VEVENT")


@pytest.fixture
def told(make_case, cast):
    """A case with a word that gives it away in every place that has words."""
    words = {"caller_name": CANARIES[0], "phone": CANARIES[3], "safe_contact": CANARIES[1], "track": "B"}
    case = make_case(urgency="AKUT", notes={"seen": CANARIES[2]}, **words)
    due = clock.now() + dt.timedelta(days=2)
    actions.plan_step(by=cast.caseworker, case=case, what=f"{CANARIES[4]} {CANARIES[2]}", due_at=due)
    connection.check_constraints()
    return case


def test_it_says_when_and_nothing_else(client_of, cast, told):
    path = shown(client_of(cast.caseworker))
    found = events(path)
    steps = list(told.steps.planned().in_order())
    assert len(steps) == 2
    whole = [(event.start, event.end, str(event["summary"])) for event in found]
    seconds = [step.due_at.replace(microsecond=0) for step in steps]
    assert whole == [(at, at + LASTS, "Stödlinjen: 1 step") for at in seconds]
    allowed = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "URL", "CLASS", "TRANSP"}
    assert all(set(event) == allowed for event in found)
    assert {str(event["url"]).partition("//")[2].partition("/")[2] for event in found} == {"my-day/"}


def test_a_page_that_is_sent_once_more_renews_nothing(client_of, cast):
    client = client_of(cast.caseworker)
    for _time in ("switched on", "renewed"):
        data = {"instead_of": client.get(OWN).context["mark"]}
        page = client.post(OWN, data).content.decode()
        made = CalendarAddress.objects.get(user=cast.caseworker).digest
        assert "<code" in page
        again = client.post(OWN, data, follow=True)
        assert "<code" not in again.content.decode() and "Nothing was renewed again" in again.content.decode()
        assert CalendarAddress.objects.get(user=cast.caseworker).digest == made
    assert LogEntry.objects.filter(event="calendar.made").count() == 2


def test_it_ends_with_every_log_in_that_the_keeper_ends(client_of, cast):
    path = shown(client_of(cast.caseworker))
    assert Client().get(path).status_code == 200
    end_all_of(by=cast.keeper, user=cast.caseworker)
    assert Client().get(path).status_code == 404
    assert LogEntry.objects.filter(event="calendar.ended", user=cast.keeper).count() == 1


def test_not_a_word_of_anybody(client_of, cast, told):
    text = Client().get(shown(client_of(cast.caseworker))).content.decode()
    unfolded = text.replace("\r\n ", "")
    secrets = [*CANARIES, told.code, told.number, told.slug, str(told.pk), told.caller_type, told.urgency, "AKUT"]
    secrets += [str(step.pk) for step in told.steps.all()] + [str(step.pk.hex) for step in told.steps.all()]
    secrets += [cast.caseworker.username, cast.caseworker.first_name, cast.unit.name, "first_step", "Skara"]
    assert [secret for secret in secrets if secret.lower() in unfolded.lower()] == []


def test_no_sealed_word_is_read_for_it(client_of, cast, told):
    path = shown(client_of(cast.caseworker))
    with CaptureQueriesContext(connection) as queries:
        Client().get(path)
    read = " ".join(query["sql"] for query in queries)
    assert '"what"' not in read and '"wrapped"' not in read and "intake_call" not in read


def test_the_same_step_keeps_its_uid_which_leads_to_nothing(client_of, cast, told, make_case, settings):
    path = shown(client_of(cast.caseworker))
    before = {str(event["uid"]) for event in events(path)}
    make_case()
    after = {str(event["uid"]) for event in events(path)}
    assert before < after and len(after) == 3
    assert all(re.fullmatch(r"[0-9a-f]{40}", uid) for uid in after)
    settings.SECRET_KEY = "another"  # noqa: S105
    assert not after & {str(event["uid"]) for event in events(path)}  # without our secret nobody finds the row


def test_only_what_is_planned_for_this_one(client_of, cast, told, make_case):
    path = shown(client_of(cast.caseworker))
    make_case(by=cast.colleague)
    make_case(by=cast.stranger)
    far = make_case()
    actions.plan_step(by=cast.caseworker, case=far, what="x", due_at=clock.now() + dt.timedelta(days=200))
    step = told.steps.planned().in_order().first()
    actions.finish_step(by=cast.caseworker, step=step, next_what="y", next_due=clock.now() + dt.timedelta(days=3))
    assert len(events(path)) == 3  # two of the first case, one of the second


def test_practice_is_none(client_of, cast, make_case):
    path = shown(client_of(cast.caseworker))
    case = make_case()
    assert len(events(path)) == 1
    type(case).objects.filter(pk=case.pk).update(is_practice=True)
    assert events(path) == []


def test_a_case_that_is_out_of_sight_is_not_there(client_of, cast, told):
    path = shown(client_of(cast.caseworker))
    type(told).objects.filter(pk=told.pk).update(unit=cast.other_unit)
    assert events(path) == []


def test_the_secret_is_shown_once_and_kept_nowhere(client_of, cast):
    client = client_of(cast.caseworker)
    path = shown(client)
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    assert len(token) >= 40
    assert token not in client.get(OWN).content.decode()
    row = CalendarAddress.objects.get()
    assert token not in str(vars(row)) and row.digest == calendar_address.digest_of(token)
    assert token not in str(list(LogEntry.objects.values_list("codes", "row")))


def test_renewing_ends_the_one_before(client_of, cast):
    client = client_of(cast.caseworker)
    first, second = shown(client), shown(client)
    assert first != second and CalendarAddress.objects.count() == 1
    assert Client().get(first).status_code == 404 and Client().get(second).status_code == 200


def test_switched_off_it_leads_nowhere_and_twice_is_once(client_of, cast):
    client = client_of(cast.caseworker)
    path = shown(client)
    assert client.post(END).status_code == client.post(END).status_code == 302
    assert Client().get(path).status_code == 404
    events = list(LogEntry.objects.filter(event__startswith="calendar.").order_by("pk").values_list("event", "user"))
    assert events == [("calendar.made", cast.caseworker.pk), ("calendar.ended", cast.caseworker.pk)]


ENDS = {
    "switched off": lambda cast: switch_off_user(by=cast.keeper, user=cast.caseworker),
    "its last day has passed": lambda cast: change_user(
        by=cast.keeper, user=cast.caseworker, facts={"access_until": clock.today() - dt.timedelta(days=1)}
    ),
    "another role": lambda cast: change_user(
        by=cast.keeper, user=cast.caseworker, facts={"role": "coordinator", "unit": None}
    ),
    "the log-in was reset": lambda cast: begin_again(by=cast.keeper, user=cast.caseworker),
}


def back(cast):
    """Whatever it was, the account is as it was before."""
    switch_on_user(by=cast.keeper, user=cast.caseworker)
    facts = {"role": "caseworker", "unit": cast.unit, "access_until": None}
    change_user(by=cast.keeper, user=cast.caseworker, facts=facts)


@pytest.mark.parametrize("how", ENDS)
def test_it_ends_with_the_account_and_does_not_come_back_with_it(client_of, cast, how):
    path = shown(client_of(cast.caseworker))
    ENDS[how](cast)
    assert Client().get(path).status_code == 404
    back(cast)
    assert Client().get(path).status_code == 404


def test_absent_ended_and_of_another_role_are_alike(client_of, cast):
    path = shown(client_of(cast.caseworker))
    never = "/calendar/" + "A" * 43 + ".ics"
    absent = Client().get(never)
    switch_off_user(by=cast.keeper, user=cast.caseworker)
    ended = Client().get(path)
    assert absent.status_code == ended.status_code == 404
    strip = [answer.content.replace(one.encode(), b"") for answer, one in ((absent, never), (ended, path))]
    assert strip[0] == strip[1]
    assert absent.headers.items() == ended.headers.items()


def test_no_cache_keeps_it_and_nobody_gets_a_cookie(client_of, cast):
    answer = Client().get(shown(client_of(cast.caseworker)))
    assert "no-store" in answer.headers["Cache-Control"] and answer.headers["Content-Type"].startswith("text/calendar")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies


def test_one_row_of_the_log_a_day_that_says_whose(client_of, cast, at):
    with at("2026-11-23 08:00"):
        path = shown(client_of(cast.caseworker))
        for _again in range(3):
            Client().get(path)
    with at("2026-11-24 08:00"):
        Client().get(path)
    rows = LogEntry.objects.filter(event="calendar.read")
    assert [(row.row, row.user, row.source, row.codes) for row in rows] == [
        (str(cast.caseworker.pk), None, None, {})
    ] * 2


def test_it_is_throttled(client_of, cast, monkeypatch):
    monkeypatch.setattr("intake.views.week.A_MINUTE", 3)
    path = shown(client_of(cast.caseworker))
    answers = [Client().get(path).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]


def test_statements_do_not_grow_with_the_steps(client_of, cast, make_case):
    path = shown(client_of(cast.caseworker))

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            Client().get(path)
        return len([one for one in queries if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    make_case()
    count()
    few = count()
    for _ in range(4):
        make_case()
    assert count() == few <= 6


def test_who_may_not_and_get_changes_nothing(client_of, cast):
    for who in ("partner", "keeper", "coordinator", "reviewer"):
        assert client_of(getattr(cast, who)).post(OWN).status_code == 403
    client = client_of(cast.caseworker)
    assert client.get(END).status_code == 405
    client.get(OWN)
    assert not CalendarAddress.objects.exists()
    assert Client().post(reverse("intake:calendar-feed", args=["x"])).status_code in (403, 405)


def test_anothers_is_not_ended_or_read_by_mine(client_of, cast, told):
    mine, theirs = shown(client_of(cast.caseworker)), shown(client_of(cast.colleague))
    client_of(cast.colleague).post(END)
    assert len(events(mine)) == 2 and Client().get(theirs).status_code == 404
