"""Logging in and out: by allauth, with sign-up closed, each log-in a row in the log."""

import time

import pytest
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.urls import reverse

from helpline.people import pace
from helpline.people.models import LogEntry, User

WRONG = "not correct"


def login(client, username: str = "hanna", password: str = "pw", **rest):
    return client.post(reverse("account_login"), {"login": username, "password": password, **rest})


@pytest.fixture
def english(client, settings):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def test_logging_in_leads_to_the_first_page_of_the_role(cast, english):
    answer = login(english)
    assert answer.status_code == 302 and answer.url == reverse("home")
    assert english.get(answer.url).url == reverse("keeper:user-list")
    row = LogEntry.objects.get(event="user.logged_in")
    assert (row.user, row.role, row.codes) == (cast.keeper, "keeper", {"how": ["password"]})


def test_it_leads_on_to_where_one_was_going(cast, english):
    asked = english.get(reverse("keeper:grounds"))
    assert asked.status_code == 302 and asked.url.startswith(reverse("account_login"))
    assert login(english, next=reverse("keeper:grounds")).url == reverse("keeper:grounds")
    english.logout()
    assert login(english, next="https://evil.example/").url == reverse("home")


@pytest.mark.parametrize(("username", "password"), [("hanna", "wrong"), ("nobody", "pw"), ("hanna", "PW")])
def test_failing_says_so_clearly_and_does_not_say_which(username, password, cast, english):
    page = login(english, username, password)
    assert page.status_code == 200 and WRONG in page.content.decode()
    assert not LogEntry.objects.filter(event="user.logged_in").exists()


def test_nothing_written_says_what_is_missing(cast, english):
    page = login(english, "", "").content.decode()
    assert "This field is required." in page and 'role="alert"' in page


def test_who_is_switched_off_fails_like_a_stranger(cast, english):
    User.objects.filter(pk=cast.keeper.pk).update(is_active=False)
    page = login(english)
    assert page.status_code == 200 and WRONG in page.content.decode()


def test_the_session_is_a_new_one_after_log_in(cast, english):
    english.get(reverse("account_login"))
    before = english.session.session_key
    login(english)
    assert english.session.session_key and english.session.session_key != before


def test_sign_up_is_closed(english, db):
    page = english.get(reverse("account_signup"))
    assert page.status_code == 200 and "<form" not in page.content.decode().split("<main")[1]
    data = {"username": "new", "password1": "four-quiet-words", "password2": "four-quiet-words"}
    english.post(reverse("account_signup"), data)
    assert not User.objects.exists()


def test_logging_out(cast, client_of):
    theirs = client_of(cast.keeper)
    assert theirs.get(reverse("account_logout")).status_code == 200  # asks first
    assert theirs.get(reverse("keeper:user-list")).status_code == 200
    assert theirs.post(reverse("account_logout")).url == reverse("account_login")
    answer = theirs.get(reverse("keeper:user-list"))
    assert answer.status_code == 302 and answer.url.startswith(reverse("account_login"))


def test_no_page_stays_in_the_browser(cast, client_of):
    assert client_of(cast.keeper).get(reverse("keeper:user-list"))["Cache-Control"] == "no-store"


def test_the_form_is_kept_from_other_sites(cast, client):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    assert login(strict).status_code == 403


def test_who_is_turned_away_after_too_many_tries_is_a_row_too(cast, client):
    for _time in range(12):
        client.post(reverse("account_login"), {"login": cast.keeper.username, "password": "wrong"})
    rows = LogEntry.objects.filter(event="user.login_throttled", row=str(cast.keeper.pk))
    assert rows.count() == 2 and rows[0].codes == {"step": "password"} and rows[0].source


def test_who_is_turned_away_hears_in_how_many_minutes_there_is_a_try_again(cast, client):
    sent = {"login": cast.keeper.username, "password": "wrong"}
    for _time in range(10):
        client.post(reverse("account_login"), sent)
    page = client.post(reverse("account_login"), sent).content.decode()
    assert "om 5 minuter" in page and "igen senare" not in page and "again later" not in page


@pytest.mark.parametrize(("ago", "minutes"), [(0, 5), (61, 4), (250, 1), (299, 1)])
def test_the_minutes_are_counted_from_the_first_of_the_tries_that_count(ago, minutes, rf, db):
    request = rf.post("/")
    rate = next(one for one in ratelimit.get_rates(app=pace.ALLAUTH, action="login_failed") if one.per == "key")
    place = ratelimit.get_cache_key(request, app=pace.ALLAUTH, action="login_failed", rate=rate, key="somebody")
    cache.set(place, [time.time() - ago] * rate.amount, 300)
    assert pace.minutes_to_wait(request, action="login_failed", key="somebody") == minutes
    assert str(minutes) in pace.turned_away(request, action="login_failed", key="somebody").message


def test_words_that_came_too_late_are_what_was_written_and_no_code(client, make_case, at):
    with at("2026-11-02 10:00"):
        case = make_case()
    url = reverse("intake:note-add", args=[case.slug])
    answer = client.post(url, {"kind": "seen", "text": "He has a knife.", "place": "Skövde"})
    page = answer.content.decode()
    assert answer.status_code == 403 and "He has a knife." in page
    assert "kind" not in page.partition("<main")[2] and "seen" not in page.partition("<main")[2] and "Skövde" in page
