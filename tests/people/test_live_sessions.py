"""Where one is logged in: listed, ended by oneself or by the keeper, and a new one is shown where one already was."""

import datetime as dt

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse

from helpline.people import clock, factor_forms, live_sessions
from helpline.people.live_sessions import device_of, places_of, renew, tell_others
from helpline.people.models import LogEntry, User
from helpline.people.session_store import NEWER, SessionStore, stored
from helpline.people.sessions import ACTIVE, BEGAN, end_all
from tests.people.factors import WORDS, code_of, enrol, log_in

pytestmark = pytest.mark.django_db
INDEX, USERS = reverse("mfa_index"), reverse("keeper:user-list")
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)


@pytest.fixture
def here(cast):
    return _in(cast.keeper, "10.0.0.1")


@pytest.fixture
def there(here, cast):
    return _in(cast.keeper, "10.0.0.2")


def _in(user, address) -> Client:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": CHROME})
    assert log_in(client, user).status_code == 302
    return client


def is_in(client) -> bool:
    return client.get(USERS).status_code == 200


def test_a_new_log_in_is_shown_where_one_was_already(here, there):
    page = here.get(USERS).content.decode()
    assert "You logged in in another place" in page and "today" in page
    assert "You logged in in another place" in here.get(USERS).content.decode()  # until one says so
    assert "You are logged in in another place too" in there.get(USERS).content.decode()
    assert "You logged in" not in there.get(USERS).content.decode()
    assert here.post(reverse("account-known")).status_code == 302
    assert "You logged in" not in here.get(USERS).content.decode()


def test_it_is_not_written_over_by_a_request_that_was_on_its_way(here, cast):
    """The other session is saved by its own request after the word was left in it."""
    on_its_way = SessionStore(here.session.session_key)
    on_its_way.load()
    on_its_way["something"] = "else"
    _in(cast.keeper, "10.0.0.2")
    on_its_way.save()
    assert SessionStore(here.session.session_key)[NEWER]
    assert "You logged in in another place" in here.get(USERS).content.decode()


def test_where_nobody_else_is_nothing_is_said(here):
    assert "another place" not in here.get(USERS).content.decode()


def test_ones_own_are_listed_and_ended(here, there, cast):
    page = here.get(INDEX).content.decode()
    assert "Chrome, Windows" in page and "10.0.0.2" in page and "Mozilla" not in page
    other = next(place for place in places_of(cast.keeper) if place.address == "10.0.0.2")
    assert here.post(reverse("account-end", args=[other.pk])).status_code == 302
    assert is_in(here) and not is_in(there)
    assert LogEntry.objects.get(event="session.closed").codes == {"many": 1}
    assert here.post(reverse("account-end", args=[other.pk])).status_code == 404


def test_nobody_ends_anothers(here, cast):
    theirs = _in(cast.caseworker, "10.0.0.3")
    pk = places_of(cast.caseworker)[0].pk
    assert here.post(reverse("account-end", args=[pk])).status_code == 404
    assert theirs.get("/my-day/").status_code == 200
    assert here.get(reverse("account-end", args=[pk])).status_code == 405


def test_all_but_this_one(here, there, cast):
    third = _in(cast.keeper, "10.0.0.4")
    assert here.post(reverse("account-end-others")).status_code == 302
    assert [is_in(one) for one in (here, there, third)] == [True, False, False]


@pytest.mark.parametrize("how", ["one", "others"])
def test_of_a_log_in_that_is_ended_nothing_more_is_said(here, there, cast, how):
    assert "You logged in in another place" in here.get(USERS).content.decode()
    if how == "one":
        other = next(place for place in places_of(cast.keeper) if place.address == "10.0.0.2")
        here.post(reverse("account-end", args=[other.pk]))
    else:
        here.post(reverse("account-end-others"))
    assert "You logged in in another place" not in here.get(USERS).content.decode()
    _in(cast.keeper, "10.0.0.5")  # the next is said again
    assert "You logged in in another place" in here.get(USERS).content.decode()


def test_while_another_log_in_goes_on_it_is_still_said(here, there, cast):
    _in(cast.keeper, "10.0.0.4")
    other = next(place for place in places_of(cast.keeper) if place.address == "10.0.0.2")
    here.post(reverse("account-end", args=[other.pk]))
    assert "You logged in in another place" in here.get(USERS).content.decode()


def test_what_is_known_of_a_browser_is_little():
    assert device_of(CHROME) == "Chrome, Windows"
    assert device_of("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/604.1") == "Safari, iPhone"
    assert device_of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0") == "Firefox, Linux"
    assert device_of("curl/8") == ""


def test_no_more_of_it_is_stored(here):
    assert set(UserSession.objects.values_list("user_agent", flat=True)) == {"Chrome, Windows"}


def test_the_keeper_ends_all(here, there, cast, client_of):
    anna = _in(cast.caseworker, "10.0.0.3")
    keeper = client_of(cast.keeper)
    assert keeper.post(reverse("keeper:user-end", args=[cast.caseworker.pk])).status_code == 302
    assert anna.get("/my-day/").url.startswith(reverse("account_login"))
    row = LogEntry.objects.get(event="session.closed")
    assert (row.user, row.row, row.codes) == (cast.keeper, str(cast.caseworker.pk), {"many": 1})
    assert is_in(here) and log_in(anna, cast.caseworker).status_code == 302


def test_a_new_password_ends_the_others_and_not_this_one(here, there, cast):
    answer = here.post(reverse("account-password"), {"password": WORDS, "again": WORDS})
    assert answer.url == INDEX
    assert is_in(here) and not is_in(there)
    assert [place.address for place in places_of(User.objects.get(pk=cast.keeper.pk))] == ["10.0.0.1"]
    assert LogEntry.objects.get(event="user.password_set").user == cast.keeper


def test_one_that_is_listed_or_has_a_new_key_meanwhile_stays_listed(here, there, cast, monkeypatch):
    is_live, meanwhile = live_sessions._is_live, []

    def slow(*given):
        if not meanwhile:  # between the two statements
            meanwhile.append(True)
            _in(cast.keeper, "10.0.0.3")
            request = RequestFactory().get("/")
            request.session = SessionStore(there.session.session_key)
            renew(request)
        return is_live(*given)

    monkeypatch.setattr(live_sessions, "_is_live", slow)
    places_of(cast.keeper)
    monkeypatch.setattr(live_sessions, "_is_live", is_live)
    assert {place.address for place in places_of(cast.keeper)} == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}


def test_what_is_over_is_cleared_away(here, there, cast):
    Session.objects.filter(pk=stored(there.session.session_key)).delete()
    assert [place.address for place in places_of(cast.keeper)] == ["10.0.0.1"]
    assert UserSession.objects.filter(user=cast.keeper).count() == 1


@pytest.mark.parametrize(("password", "again"), [("kort", "kort"), (WORDS, "annat"), ("", "")])
def test_a_weak_password_is_refused(password, again, here, cast):
    page = here.post(reverse("account-password"), {"password": password, "again": again})
    assert page.status_code == 422 and User.objects.get(pk=cast.keeper.pk).check_password("pw")


def test_logging_out_leaves_nothing(here, cast):
    key = here.session.session_key
    answer = here.post(reverse("account_logout"))
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not Session.objects.exists() and not UserSession.objects.exists()
    old = Client()
    old.cookies["sid"] = key
    assert old.get(USERS).url.startswith(reverse("account_login"))  # the old cookie opens nothing
    row = LogEntry.objects.get(event="user.logged_out")
    assert row.user == cast.keeper


def test_an_idle_session_is_not_counted_as_live(here, cast, settings):
    session = here.session
    session[ACTIVE] -= settings.IDLE_MINUTES * 60
    session[BEGAN] -= settings.IDLE_MINUTES * 60
    session.save()
    assert places_of(cast.keeper) == [] and not UserSession.objects.exists()
    _in(cast.keeper, "10.0.0.2")


# -- a new key when one shows again who one is ---


def _with(key: str) -> Client:
    """Whoever has the cookie from before."""
    client = Client()
    client.cookies["sid"] = key
    return client


def by_password(client, user):
    return client.post(reverse("account_reauthenticate"), {"password": "pw", "next": INDEX})


def by_code(client, user):
    return client.post(reverse("mfa_reauthenticate"), {"code": code_of(user, 1), "next": INDEX})


def by_passkey(client, user):
    key = Authenticator.objects.create(user=user, type="webauthn", data={"name": "k"})
    with pytest.MonkeyPatch.context() as stand_in:
        stand_in.setattr(factor_forms, "_checked", lambda user, credential: key)
        return client.post(reverse("mfa_reauthenticate_webauthn"), {"credential": '{"id": "x"}', "next": INDEX})


@pytest.mark.parametrize("way", [by_password, by_code, by_passkey])
def test_whoever_shows_again_who_they_are_goes_on_under_a_new_key(way, here, there, cast):
    if way is by_code:
        enrol(here)
    key, listed = here.session.session_key, UserSession.objects.get(session_key=stored(here.session.session_key))
    began, form_key = here.session[BEGAN], here.session.get("_csrftoken")
    assert way(here, cast.keeper).url == INDEX
    new = here.session.session_key
    assert new != key and is_in(here)
    assert _with(key).get(USERS).url.startswith(reverse("account_login"))
    assert not Session.objects.filter(pk=stored(key)).exists()
    assert UserSession.objects.get(pk=listed.pk).session_key == stored(new)
    assert {place.address for place in places_of(cast.keeper)} == {"10.0.0.1", "10.0.0.2"}
    assert here.session[BEGAN] == began  # the working day is no longer for it
    assert here.session.get("_csrftoken") == form_key  # a form in another tab is still taken
    assert is_in(there)
    here.post(reverse("account-end-others"))
    assert is_in(here) and not is_in(there)
    here.post(reverse("account_logout"))
    assert not UserSession.objects.exists() and _with(new).get(USERS).status_code == 302


@pytest.mark.parametrize("way", ["account_reauthenticate", "mfa_reauthenticate"])
def test_who_fails_to_keeps_the_key_there_was(way, here, cast):
    enrol(here)
    key = here.session.session_key
    here.post(reverse(way), {"password": "wrong", "code": "000000", "next": INDEX})
    assert here.session.session_key == key and is_in(here)


def test_a_session_that_nobody_listed_gets_a_new_key_too(cast, client_of):
    theirs = client_of(cast.keeper)
    key = theirs.session.session_key
    assert by_password(theirs, cast.keeper).url == INDEX
    assert theirs.session.session_key != key and is_in(theirs)
    assert not is_in(_with(key))


def test_word_of_another_log_in_is_carried_along(here, cast, rf):
    """It was left in the session after this request had read it."""
    request = rf.post("/")
    request.session, request.user = SessionStore(here.session.session_key), cast.keeper
    assert request.session.get(NEWER) is None
    _in(cast.keeper, "10.0.0.2")
    renew(request)
    here.cookies["sid"] = request.session.session_key
    assert "You logged in in another place" in here.get(USERS).content.decode()


def test_and_finds_a_session_that_has_a_new_key_by_now(here, cast):
    old = places_of(cast.keeper)
    by_password(here, cast.keeper)
    tell_others(old)
    assert "You logged in in another place" in here.get(USERS).content.decode()


def test_one_that_the_keeper_ended_at_this_moment_gets_none(here, cast, rf):
    request = rf.post("/")
    request.session, request.user = SessionStore(here.session.session_key), cast.keeper
    assert request.session[BEGAN]
    end_all(cast.keeper)
    with pytest.raises(SessionInterrupted):
        renew(request)
    assert not Session.objects.exists() and not is_in(here)


# -- the last day of access ---


def end_access(user, days: int = -1) -> None:
    User.objects.filter(pk=user.pk).update(access_until=clock.today() + dt.timedelta(days=days))


def test_on_the_last_day_one_is_in_and_the_day_after_out(here, cast):
    end_access(cast.keeper, 0)
    assert is_in(here)
    end_access(cast.keeper)
    assert here.get(USERS).url.startswith(reverse("account_login"))
    assert LogEntry.objects.get(event="session.ended").why == "access"


def test_that_access_is_over_is_said_after_the_right_password_alone(cast, client):
    end_access(cast.keeper)
    assert "Your access has ended" not in log_in(client, cast.keeper, "wrong").content.decode()
    page = log_in(client, cast.keeper)
    assert page.status_code == 403 and "Your access has ended" in page.content.decode()
    assert client.get(USERS).url.startswith(reverse("account_login"))
    assert LogEntry.objects.filter(event="user.login_failed", codes__step="over").count() == 1


def test_who_is_switched_off_between_the_two_steps_is_out(cast, client):
    from tests.people.factors import second_step

    log_in(client, cast.keeper)
    enrol(client)
    client.post(reverse("account_logout"))
    log_in(client, cast.keeper)
    User.objects.filter(pk=cast.keeper.pk).update(is_active=False)
    assert second_step(client, code_of(cast.keeper, 1)).status_code == 403
    assert not is_in(client)


def test_the_keeper_sets_the_last_day(cast, client_of):
    keeper = client_of(cast.keeper)
    facts = {"part": "facts", "first_name": "Bert", "last_name": "B", "email": "b@example.com", "role": "caseworker"}
    facts |= {"unit": cast.unit.pk, "phone": "", "agency": ""}
    url = reverse("keeper:user-edit", args=[cast.colleague.pk])
    assert keeper.post(url, {**facts, "access_until": "2027-01-31"}).status_code == 302
    assert User.objects.get(pk=cast.colleague.pk).access_until == dt.date(2027, 1, 31)
    assert "31" in keeper.get(reverse("keeper:user-list")).content.decode()
    assert LogEntry.objects.filter(event="user.changed", row=str(cast.colleague.pk)).exists()


def test_a_day_that_has_passed_is_refused_while_something_is_in_hand(cast, client_of, make_case):
    make_case()
    keeper = client_of(cast.keeper)
    facts = {"part": "facts", "first_name": "Anna", "last_name": "A", "email": "a@example.com", "role": "caseworker"}
    facts |= {"unit": cast.unit.pk, "phone": "", "agency": "", "access_until": "2020-01-01"}
    page = keeper.post(reverse("keeper:user-edit", args=[cast.caseworker.pk]), facts)
    assert page.status_code == 422 and "gives them to a colleague first" in page.content.decode()
    assert User.objects.get(pk=cast.caseworker.pk).access_until is None
