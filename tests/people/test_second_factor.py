"""The second factor: required of everybody, a code is good once, and who guesses keeps nobody out."""

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from helpline.people import factor_forms, second_factor
from helpline.people.factor_seals import seal_again
from helpline.people.models import LogEntry, User
from helpline.people.second_factor import codes_left, has_factor
from tests.people.factors import WORDS, code_of, enrol, log_in, second_step

pytestmark = pytest.mark.django_db
START, INDEX = reverse("account_login"), reverse("mfa_index")
ANSWER = '{"id": "x"}'  # of a passkey, where a test stands in for what checks it


@pytest.fixture
def at_night():
    """The clock stands at the beginning of half a minute, so that a code does not run out in the middle of a test."""
    with time_machine.travel("2026-11-25 02:00:01+00:00", tick=False) as clock:
        yield clock


@pytest.fixture
def required(settings):
    settings.REQUIRE_SECOND_FACTOR = True


@pytest.fixture
def enrolled(cast, client, at_night):
    """Hanna has an app, and is logged out again. The code of that half minute is used."""
    log_in(client, cast.keeper)
    code = enrol(client)
    client.post(reverse("account_logout"))
    return code


# -- nothing without it ---


def test_before_it_is_set_up_nothing_is_reached_but_the_set_up(required, cast, client, at_night):
    assert log_in(client, cast.keeper).status_code == 302
    for name in ("home", "keeper:user-list", "account-keys", "account-here", "intake:my-day", "demo-mail", "mail"):
        answer = client.get(reverse(name))
        assert (answer.status_code, answer.url) == (302, INDEX), name
    answer = client.post(reverse("keeper:user-add"), {"username": "berit"})
    assert answer.status_code == 403 and "username: berit" in answer.content.decode()  # given back, and not done
    assert not User.objects.filter(username="berit").exists()
    page = client.get(INDEX).content.decode()
    assert "Before you begin" in page and reverse("mfa_activate_totp") in page
    assert client.post(reverse("language"), {"language": "sv", "next": INDEX}).url == INDEX
    assert client.get(reverse("livez")).status_code == 200
    enrol(client)
    assert client.get(reverse("keeper:user-list")).status_code == 200
    client.post(reverse("account_logout"))
    assert client.get(reverse("keeper:user-list")).url.startswith(START)


def test_every_url_but_those_few_is_shut_before_it(required, cast, client_of, address_of_all):
    theirs = client_of(cast.keeper)
    let = {name for name, url in address_of_all.items() if _reaches(theirs, url)}
    assert let <= {
        *("mfa_index", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_remove_webauthn"),
        *("mfa_view_recovery_codes", "mfa_generate_recovery_codes", "account_reauthenticate", "mfa_reauthenticate"),
        *("mfa_reauthenticate_webauthn", "account-again-sign-on", "account-password", "account-connect"),
        *("account-disconnect", "account-end", "account-end-others", "account-known"),
        *("account_login", "account_logout", "language", "livez", "health"),
    }
    assert {"mfa_index", "account_logout", "language"} <= let


def _reaches(client, url) -> bool:
    answer = client.get(url)
    return not (answer.status_code == 302 and answer.url == INDEX)


@pytest.fixture
def address_of_all():
    from django.urls import get_resolver

    found = {}
    for name, ways in get_resolver().reverse_dict.lists():
        if isinstance(name, str):
            parts = dict.fromkeys(ways[0][0][0][1], 1)
            try:
                found[name] = reverse(name, kwargs=parts)
            except Exception:  # another kind of part: those are in namespaces too
                continue
    assert len(found) > 20
    return found


def test_the_password_alone_is_half_a_log_in(enrolled, cast, client):
    answer = log_in(client, cast.keeper, next="/keeper/grounds/")
    assert (answer.status_code, answer.url) == (302, reverse("mfa_authenticate"))
    assert client.get(reverse("keeper:user-list")).url.startswith(START)
    assert client.get(START).url == reverse("mfa_authenticate")
    page = client.get(reverse("mfa_authenticate"))
    assert page.status_code == 200 and 'inputmode="numeric"' in page.content.decode()
    assert LogEntry.objects.filter(event="user.logged_in").count() == 1  # the first, before there was an app
    client.post(reverse("account_logout"))  # begin again
    assert client.get(START).status_code == 200


def test_both_together_lead_on_to_where_one_was_going(enrolled, cast, client):
    log_in(client, cast.keeper, next="/keeper/grounds/")
    before = client.session.session_key
    answer = second_step(client, code_of(cast.keeper, 1))
    assert (answer.status_code, answer.url) == (302, "/keeper/grounds/")
    assert client.session.session_key != before
    row = LogEntry.objects.filter(event="user.logged_in").latest("id")
    assert (row.user, row.codes, row.source) == (cast.keeper, {"how": ["password", "totp"]}, "127.0.0.1")
    connection.check_constraints()


def test_without_a_first_step_there_is_no_second(cast, client):
    assert client.get(reverse("mfa_authenticate")).url == START
    assert second_step(client, "123456").url == START


def test_who_set_it_up_elsewhere_logs_in_anew(required, enrolled, cast, client_of):
    theirs = client_of(cast.keeper)
    assert theirs.get(reverse("keeper:user-list")).url == START
    assert theirs.get(INDEX).url.startswith(START)


# -- a code is good once ---


def test_the_code_of_the_set_up_is_used(enrolled, cast, client, at_night):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    log_in(client, cast.keeper)
    answer = second_step(client, enrolled)
    assert answer.status_code == 422 and "has been used" in answer.content.decode()
    at_night.shift(30)
    assert second_step(client, code_of(cast.keeper)).status_code == 302


@pytest.mark.parametrize("later", [0, 30, 45])
def test_a_code_that_was_used_is_used_also_where_the_cache_forgot(later, enrolled, cast, client, at_night):
    from django.core.cache import cache

    code = code_of(cast.keeper, 1)
    log_in(client, cast.keeper)
    assert second_step(client, code).status_code == 302
    cache.clear()
    at_night.shift(later)
    again = Client()
    log_in(again, cast.keeper)
    assert second_step(again, code).status_code == 422
    assert second_step(again, enrolled).status_code == 422  # and none that came before it


def test_a_code_of_long_ago_is_wrong(enrolled, cast, client, at_night):
    log_in(client, cast.keeper)
    assert second_step(client, code_of(cast.keeper, 3)).status_code == 422
    assert second_step(client, code_of(cast.keeper, -3)).status_code == 422
    row = LogEntry.objects.filter(event="user.login_failed").latest("id")
    assert (row.user, row.row, row.codes, row.source) == (None, str(cast.keeper.pk), {"step": "code"}, "127.0.0.1")


def test_a_recovery_code_is_good_once_and_few_left_is_said(cast, client, at_night):
    log_in(client, cast.keeper)
    enrol(client)
    page = client.get(reverse("mfa_view_recovery_codes"))
    codes = page.context["unused_codes"]
    assert len(codes) == 10 and all(code in page.content.decode() for code in codes)
    assert codes[0] not in client.get(reverse("mfa_view_recovery_codes")).content.decode()  # shown once
    for number, code in enumerate(codes[:8], 1):
        again = Client()
        log_in(again, cast.keeper)
        assert second_step(again, code).status_code == 302
        said = again.get(reverse("home"), follow=True).content.decode()
        assert ("Make new ones" in said) is (10 - number <= 3), number
        log_in(other := Client(), cast.keeper)
        assert second_step(other, code).status_code == 422
    assert codes_left(cast.keeper) == 2
    how = LogEntry.objects.filter(event="user.logged_in").latest("id").codes
    assert how == {"how": ["password", "recovery_codes"]}


def test_new_codes_end_the_old(cast, client, at_night):
    log_in(client, cast.keeper)
    enrol(client)
    old = client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
    assert client.post(reverse("mfa_generate_recovery_codes")).url == reverse("mfa_view_recovery_codes")
    new = client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
    assert not set(old) & set(new)
    log_in(again := Client(), cast.keeper)
    assert second_step(again, old[0]).status_code == 422
    assert second_step(again, new[0]).status_code == 302


# -- who guesses ---


def wrong(client, user, times: int, address: str) -> list[int]:
    client.defaults["REMOTE_ADDR"] = address
    if times:
        log_in(client, user)
    return [second_step(client, "000000").status_code for _time in range(times)]


def test_who_has_the_password_and_guesses_keeps_nobody_out_at_a_usual_address(enrolled, cast, client, settings):
    thief = Client()
    thief.cookies[settings.LANGUAGE_COOKIE_NAME] = "sv"
    assert set(wrong(thief, cast.keeper, 12, "203.0.113.9")) == {422}
    page = second_step(thief, code_of(cast.keeper, 1))
    assert page.status_code == 422 and "För många" in page.content.decode()  # even the right one, from there
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "factor_from_strangers": "15/h/key"}
    for number in range(4):
        wrong(Client(), cast.keeper, 8, f"203.0.113.{number}")
    stranger = Client(REMOTE_ADDR="203.0.113.77")
    log_in(stranger, cast.keeper)
    assert (
        second_step(stranger, code_of(cast.keeper, 1)).status_code == 422
    )  # from all new addresses together: too many
    log_in(client, cast.keeper)
    assert second_step(client, code_of(cast.keeper, 1)).status_code == 302  # she, from hers


def test_who_guesses_codes_does_not_touch_passkeys(enrolled, cast, client, settings, monkeypatch):
    """Nowhere: not at the guesser's own address, nor at one that is new to her while all new ones together are shut."""
    key = Authenticator.objects.create(user=cast.keeper, type="webauthn", data={"name": "Key", "credential": {}})
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "factor_from_strangers": "5/h/key"}
    monkeypatch.setattr(factor_forms, "_checked", lambda user, credential: key)
    monkeypatch.setattr("allauth.mfa.webauthn.internal.auth.get_credentials", lambda user: [])
    thief = Client()
    assert set(wrong(thief, cast.keeper, 12, "203.0.113.9")) == {422}
    for _time in range(12):
        log_in(thief, cast.keeper, "wrong")
    assert second_step(thief, code_of(cast.keeper, 1)).status_code != 302
    for address in ("203.0.113.9", "203.0.113.200"):
        hers = Client(REMOTE_ADDR=address)
        assert hers.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"}).status_code == 200
        assert hers.post(reverse("mfa_login_webauthn"), {"credential": ANSWER}).status_code == 302
        assert hers.session["_auth_user_id"] == str(cast.keeper.pk)
    after_password = Client(REMOTE_ADDR="203.0.113.201")
    log_in(after_password, cast.keeper)
    assert second_step(after_password, code_of(cast.keeper, 1)).status_code == 422  # a code: shut at new addresses
    assert after_password.post(reverse("mfa_authenticate"), {"credential": ANSWER}).status_code == 302
    assert after_password.session["_auth_user_id"] == str(cast.keeper.pk)


def test_a_stranger_who_fails_at_both_steps_never_shuts_her_out(enrolled, cast, client, settings, at_night):
    """From as many addresses as there are: at hers the password and the code open."""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "factor_from_strangers": "5/h/key"}
    for number in range(5):
        thief = Client(REMOTE_ADDR=f"198.51.100.{number}")
        for _time in range(12):
            log_in(thief, cast.keeper, "wrong")
        page = log_in(thief, cast.keeper)
        assert page.status_code != 302, "the right password too is refused there"
        wrong(Client(), cast.keeper, 9, f"203.0.113.{number}")
    at_night.shift(30)
    assert log_in(client, cast.keeper).url == reverse("mfa_authenticate")
    assert second_step(client, code_of(cast.keeper)).status_code == 302
    assert client.session["_auth_user_id"] == str(cast.keeper.pk)


def test_a_right_code_uses_no_try_up(enrolled, cast, client, at_night):
    for _time in range(12):
        at_night.shift(30)
        again = Client()
        log_in(again, cast.keeper)
        assert second_step(again, code_of(cast.keeper)).status_code == 302


def test_who_knows_the_name_alone_never_comes_to_the_second_step(enrolled, cast, client):
    thief = Client(REMOTE_ADDR="203.0.113.9")
    for _time in range(15):
        log_in(thief, cast.keeper, "wrong")
        assert thief.get(reverse("mfa_authenticate")).url == START
    assert LogEntry.objects.filter(event="user.login_failed", row=str(cast.keeper.pk)).count() == 10
    log_in(client, cast.keeper)
    assert second_step(client, code_of(cast.keeper, 1)).status_code == 302


# -- on one's own page ---


def test_the_page_asks_again_and_keeps_nothing_that_was_sent(cast, client_of):
    theirs = client_of(cast.keeper)
    answer = theirs.get(INDEX)
    assert (answer.status_code, answer.url) == (302, f"{reverse('account_reauthenticate')}?next=%2Fsecurity%2F")
    sent = theirs.post(reverse("account-password"), {"password": WORDS, "again": WORDS})
    assert sent.status_code == 302 and WORDS not in str(dict(theirs.session))
    assert not User.objects.get(pk=cast.keeper.pk).check_password(WORDS)
    page = theirs.post(reverse("account_reauthenticate"), {"password": "wrong", "next": INDEX})
    assert page.status_code == 200
    assert LogEntry.objects.filter(event="user.login_failed", user=cast.keeper).exists()
    assert theirs.post(reverse("account_reauthenticate"), {"password": "pw", "next": INDEX}).url == INDEX
    assert theirs.get(INDEX).status_code == 200


def test_it_asks_again_after_some_minutes(cast, client, at_night):
    log_in(client, cast.keeper)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200
    at_night.shift(601)
    for name in ("mfa_activate_totp", "mfa_add_webauthn", "mfa_index", "account-password"):
        assert client.get(reverse(name)).url.startswith(reverse("account_reauthenticate")), name


def test_a_code_is_enough_to_be_asked_no_more(enrolled, cast, client_of, at_night):
    theirs = client_of(cast.keeper)
    url = reverse("mfa_reauthenticate")
    assert theirs.get(url).status_code == 200
    assert theirs.post(url, {"code": "000000"}).status_code == 200
    assert theirs.post(url, {"code": enrolled}).status_code == 200  # used
    assert theirs.post(url, {"code": code_of(cast.keeper, 1), "next": INDEX}).url == INDEX


def test_the_only_factor_is_not_removed_and_a_new_telephone_takes_its_place(required, cast, client, at_night):
    log_in(client, cast.keeper)
    enrol(client)
    old = Authenticator.objects.get(type="totp")
    page = client.post(reverse("mfa_deactivate_totp"))
    assert page.status_code == 200 and "only second factor" in page.content.decode() and has_factor(cast.keeper)
    assert client.post(reverse("mfa_activate_totp"), {"code": "000000"}).status_code == 422
    assert Authenticator.objects.filter(pk=old.pk).exists()
    enrol(client)
    new = Authenticator.objects.get(type="totp")
    assert new.data["secret"] != old.data["secret"]
    assert client.get(reverse("keeper:user-list")).status_code == 200


def test_where_it_is_not_required_it_can_go(cast, client, at_night):
    log_in(client, cast.keeper)
    enrol(client)
    assert client.post(reverse("mfa_deactivate_totp")).url == INDEX
    assert not Authenticator.objects.exists()  # recovery codes alone are none
    events = LogEntry.objects.filter(event__startswith="second_factor.").values_list("event", "user", "row", "codes")
    hanna = (cast.keeper.pk, str(cast.keeper.pk))
    assert {(event, user, row, codes["kind"]) for event, user, row, codes in events} == {
        ("second_factor.added", *hanna, "totp"),
        ("second_factor.added", *hanna, "recovery_codes"),
        ("second_factor.removed", *hanna, "totp"),
        ("second_factor.removed", *hanna, "recovery_codes"),
    }


def test_a_row_of_the_log_that_cannot_be_written_takes_the_factor_with_it(cast, client, at_night, monkeypatch):
    log_in(client, cast.keeper)
    page = client.get(reverse("mfa_activate_totp"))
    from tests.people.factors import code_for

    def refuses(*_args, **_rest):
        raise RuntimeError

    monkeypatch.setattr(second_factor, "log", refuses)
    client.raise_request_exception = False
    client.post(reverse("mfa_activate_totp"), {"code": code_for(page.context["form"].secret)})
    assert not Authenticator.objects.exists()


def test_a_passkey_that_is_nonsense_is_refused(cast, client, at_night):
    for sent in ("", "x", "{}", "[]", "null", '"a"', "1", '{"id": 1}', '{"response": {"userHandle": "AAAA"}}'):
        answer = client.post(reverse("mfa_login_webauthn"), {"credential": sent})
        assert (answer.status_code, answer.url) == (302, START), sent
    log_in(client, cast.keeper)
    client.get(reverse("mfa_add_webauthn"))
    for sent in ("x", "{}", "[]", "null", '{"id": "x", "rawId": "x", "type": "public-key", "response": {}}'):
        assert client.post(reverse("mfa_add_webauthn"), {"credential": sent}).status_code == 422, sent
    assert not Authenticator.objects.exists()


def test_the_passkey_belongs_to_the_host_of_the_settings(cast, client, settings):
    settings.PASSKEY_HOST = "stod.example"
    answer = client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"}).json()
    assert answer["request_options"]["publicKey"]["rpId"] == "stod.example"
    assert answer["request_options"]["publicKey"]["userVerification"] == "required"


# -- at rest ---


def test_secrets_are_sealed_and_follow_a_new_master_key(enrolled, cast, client, settings):
    row = Authenticator.objects.get(type="totp")
    secret = second_factor.Factors().decrypt(row.data["secret"])
    assert secret not in str(row.data) and row.data["secret"].startswith(
        settings.HELPLINE_KEYS[0].partition(":")[0] + ":"
    )
    settings.HELPLINE_KEYS = ["next:" + "B" * 43 + "=", *settings.HELPLINE_KEYS]
    assert (seal_again(), seal_again()) == (2, 0)
    settings.HELPLINE_KEYS = settings.HELPLINE_KEYS[:1]
    row.refresh_from_db()
    assert row.data["secret"].startswith("next:") and second_factor.Factors().decrypt(row.data["secret"]) == secret
    log_in(client, cast.keeper)
    assert second_step(client, code_of(cast.keeper, 1)).status_code == 302
