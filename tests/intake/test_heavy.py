"""A heavy call: counted, offers a talk, and is tied to nobody anywhere."""

import datetime as dt
import json

import pytest
from django.db import connection
from django.urls import reverse

from helpline.caseload import heavy_calls
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice
from intake import actions
from intake.actions.after import mark_of, tick_heavy
from intake.models import Event, HeavyCall

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(make_case):
    return make_case().calls.get()


@pytest.fixture
def anna(client_of, cast):
    return client_of(cast.caseworker)


def url(call):
    return reverse("intake:call-heavy", args=[call.pk])


def test_a_tick_is_counted_once_and_offers_a_talk(anna, done, cast, at):
    cast.manager.phone = "0500-49 00 00"
    cast.manager.save()
    with at("2026-11-23 14:00"):
        for _ in range(2):
            assert anna.post(url(done), {"heavy": "yes"}).status_code == 303
        page = anna.get(url(done)).content.decode()
    connection.check_constraints()
    assert HeavyCall.objects.count() == 1
    assert str(cast.manager) in page and "0500-49 00 00" in page and "Nobody is told" in page


def test_it_is_counted_in_the_month_of_the_call_and_taken_away_again(anna, make_case, cast, at):
    with at("2026-11-30 23:30"):  # in December by UTC+2, in November in Sweden
        call = make_case().calls.get()
    anna.post(url(call), {"heavy": "yes"})
    assert HeavyCall.objects.get().month == dt.date(2026, 11, 1)
    anna.post(url(call), {"heavy": "no"})
    anna.post(url(call), {"heavy": "no"})
    assert not HeavyCall.objects.exists()


def test_nothing_says_whose_it_was(anna, done, cast):
    def all_rows():
        return (LogEntry.objects.count(), Event.objects.count(), Notice.objects.count())

    before = all_rows()
    anna.post(url(done), {"heavy": "yes"})
    anna.get(url(done))
    assert all_rows() == before  # not even that the page was opened
    row = HeavyCall.objects.get()
    assert {field.name for field in HeavyCall._meta.fields} == {"id", "unit", "month", "mark"}
    told = json.dumps({"unit": row.unit_id, "month": str(row.month), "mark": row.mark})
    for secret in (str(done.pk), done.pk.hex, str(done.case_id), cast.caseworker.username, str(cast.caseworker)):
        assert secret not in told


def test_the_mark_needs_the_secret(done, settings):
    before = mark_of(done)
    settings.SECRET_KEY = "another"
    assert mark_of(done) != before and len(before) == 64


def test_no_page_of_anybody_else_shows_it(anna, client_of, done, cast):
    def seen():
        found = {}
        for who, pages in {
            "manager": [reverse("intake:my-day"), reverse("intake:case-list") + "?which=unit"],
            "colleague": [reverse("intake:my-day"), reverse("intake:case-list") + "?which=unit"],
        }.items():
            client = client_of(getattr(cast, who))
            actions.open_with_reason(by=getattr(cast, who), case=done.case, reason="supervision")
            case = reverse("intake:case", args=[done.case.slug])
            for page in [*pages, reverse("intake:call-after", args=[done.pk])]:
                found[who, page] = client.get(page).content.decode()
            found[who, case] = client.get(case).content.decode()
        return found

    anna.post(url(done), {"heavy": "yes"})
    for (who, page), html in seen().items():
        assert "eavy call" not in html and "/heavy/" not in html, (who, page)
    assert client_of(cast.manager).get(url(done)).status_code == 404


def test_the_overview_has_the_number_and_no_rows(anna, client_of, make_case, done, cast):
    manager = client_of(cast.manager)
    heavy = 'data-figure="heavy"><span class="figure">{}<'
    assert heavy.format(0) in manager.get(reverse("caseload")).content.decode()
    assert heavy_calls(cast.manager).count() == 0
    anna.post(url(done), {"heavy": "yes"})
    tick_heavy(by=cast.stranger, call=make_case(by=cast.stranger).calls.get(), heavy=True)
    page = manager.get(reverse("caseload")).content.decode()
    assert heavy.format(1) in page
    assert heavy_calls(cast.manager).count() == 1


def test_only_who_took_it_and_only_afterwards(client_of, done, make_call, cast):
    for who, status in [
        ("colleague", 404),
        ("manager", 404),
        ("stranger", 404),
        ("other_manager", 404),
        ("partner", 403),
        ("keeper", 403),
    ]:
        for method in ("get", "post"):
            answer = getattr(client_of(getattr(cast, who)), method)(url(done), {"heavy": "yes"})
            assert answer.status_code == status, who
    going_on = make_call()
    assert client_of(cast.caseworker).post(url(going_on), {"heavy": "yes"}).status_code == 404
    with pytest.raises(Refused):
        tick_heavy(by=cast.manager, call=done, heavy=True)
    assert not HeavyCall.objects.exists()


def test_a_misdial_may_be_heavy_too(anna, cast):
    call = actions.start_call(by=cast.caseworker)
    page = anna.post(reverse("intake:call-quick", args=[call.pk]), follow=True).content.decode()
    assert url(call) in page and "The call is counted. No case was needed." in page
    anna.post(url(call), {"heavy": "yes"})
    assert HeavyCall.objects.count() == 1


def test_practice_is_not_counted(anna, make_case):
    call = make_case(is_practice=True).calls.get()
    page = anna.post(url(call), {"heavy": "yes"}, follow=True).content.decode()
    assert "It is not counted." in page and not HeavyCall.objects.exists()
