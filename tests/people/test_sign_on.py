"""Signing on through a municipality's own log-in: known by issuer and subject together, and nobody gets an account by it."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from helpline.people import invitations, sign_on
from helpline.people.actions import add_user
from helpline.people.id_token import SKEW, answers, verified
from helpline.people.models import Invitation, LogEntry, Role, User
from helpline.people.provider import account_key
from helpline.people.session_store import stored
from helpline.settings import origin, sign_on_app
from tests.people.factors import log_in

pytestmark = pytest.mark.django_db
ISSUER, CLIENT = "https://id.kommun.example", "helpline"
START, BACK, INDEX = reverse("sign_on_login"), reverse("sign_on_callback"), reverse("mfa_index")
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SECRET = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}
MISSING = object()
OTHER_JWK = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))


class Issuer:
    """What the municipality's log-in answers, between our process and theirs; a test bends one answer."""

    def __init__(self) -> None:
        self.subject, self.claims, self.key, self.says, self.asked = "anna-17", {}, KEY, ISSUER, []
        self.issuer, self.without_token, self.is_down = ISSUER, False, False
        self.kid: str | None = "1"
        self.algorithm, self.more_keys = "RS256", []
        self.nonce: str | None = None  # what it was asked with, as each of them says it again
        self.logged_in_at: int | None = None  # None: just now

    def request(self, method: str, url: str, **rest):
        import requests

        self.asked.append(url)
        if self.is_down:
            raise requests.ConnectionError
        answer = requests.Response()
        answer.status_code, answer.headers["content-type"] = 200, "application/json"
        answer._content = json.dumps(self.body(urlsplit(url).path)).encode()
        return answer

    def body(self, path: str):
        if path.endswith("openid-configuration"):
            names = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
            return {"issuer": self.says, **{name: f"{ISSUER}/{end}" for name, end in names.items()}}
        if path == "/keys":
            jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            return {"keys": [{**jwk, "kid": "1", "alg": "RS256"}, *self.more_keys]}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": self.subject, "iat": now, "exp": now + 60}
        claims |= {"nonce": self.nonce, "auth_time": self.logged_in_at or now, **self.claims}
        claims = {name: value for name, value in claims.items() if value is not MISSING}
        token = jwt.encode(claims, self.key, self.algorithm, headers={"kid": self.kid} if self.kid else {})
        return {"access_token": "a", "token_type": "Bearer", **({} if self.without_token else {"id_token": token})}


@pytest.fixture
def issuer(settings, monkeypatch) -> Issuer:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_NAME = ISSUER, CLIENT, "Skövde kommun"
    settings.SOCIALACCOUNT_PROVIDERS = sign_on_app(ISSUER, CLIENT, "secret")
    made = Issuer()
    monkeypatch.setattr(Issuer, "now", made, raising=False)
    import requests

    monkeypatch.setattr(
        requests.Session, "request", lambda self, method, url, **rest: made.request(method, url, **rest)
    )
    cache.clear()
    return made


def there(client, url=START, **data):
    """To the municipality's log-in: what it is asked."""
    answer = client.post(url, data)
    assert answer.status_code == 302 and answer.url.startswith(f"{ISSUER}/auth?"), answer.url
    asked = {key: value[0] for key, value in parse_qs(urlsplit(answer.url).query).items()}
    Issuer.now.nonce = asked["nonce"]
    return asked


def through(client, url=START, **data):
    """There and back."""
    return client.get(BACK, {"code": "c", "state": there(client, url, **data)["state"]})


@pytest.fixture
def connected(cast, issuer) -> User:
    SocialAccount.objects.create(user=cast.caseworker, provider="sign_on", uid=account_key(ISSUER, "anna-17"))
    return cast.caseworker


def who(client) -> str | None:
    return client.session.get("_auth_user_id")


# -- where it is off ---


def test_where_none_is_configured_there_is_none(cast, client):
    assert "sign-on" not in client.get(reverse("account_login")).content.decode()
    for answer in (client.post(START), client.get(BACK, {"code": "c", "state": "s"})):
        assert answer.status_code == 404
    assert sign_on_app("", "", "") == {} and origin("") == []


def test_its_origin_alone_joins_the_content_policy():
    assert origin("https://id.kommun.example:8443/realms/x?y") == ["https://id.kommun.example:8443"]


# -- in ---


def test_it_is_asked_for_the_subject_and_nothing_else(issuer, client, db):
    asked = there(client)
    assert (asked["scope"], asked["client_id"], asked["response_type"]) == ("openid", CLIENT, "code")
    assert asked["code_challenge_method"] == "S256" and asked["redirect_uri"] == f"http://testserver{BACK}"
    forged = client.post(f"{START}?scope=email,personal_identity_number&auth_params=prompt%3Dnone&process=redirect")
    assert "personal" not in forged.url and "prompt" not in forged.url


def test_who_is_connected_comes_in_with_both_steps_done(connected, settings, client):
    settings.REQUIRE_SECOND_FACTOR = True
    answer = through(client, next="/cases/")
    assert (answer.status_code, answer.url) == (302, "/cases/")
    assert client.get("/my-day/").status_code == 200 and who(client) == str(connected.pk)
    row = LogEntry.objects.get(event="user.logged_in")
    assert (row.user, row.codes) == (connected, {"how": ["sign_on"]})


def test_their_own_second_factor_is_not_asked_for_besides(connected, client):
    from tests.people.factors import enrol

    log_in(client, connected)
    enrol(client)
    client.post(reverse("account_logout"))
    assert through(client).url == reverse("home")


def test_who_guesses_passwords_does_not_touch_it(connected, client):
    """Not even at the same address."""
    for _time in range(15):
        page = log_in(client, connected, "wrong")
    assert log_in(client, connected).status_code != 302 and page.status_code != 302
    assert through(client).status_code == 302 and who(client) == str(connected.pk)


def test_it_leads_to_no_foreign_place(connected, client):
    assert through(client, next="https://evil.example/").url == reverse("home")


@pytest.mark.parametrize("state", ["off", "over"])
def test_whose_account_is_closed_stays_out(state, connected, client):
    User.objects.filter(pk=connected.pk).update(
        **({"is_active": False} if state == "off" else {"access_until": "2020-01-01"})
    )
    page = through(client)
    assert page.status_code == 403 and who(client) is None


# -- who is not known ---


def test_who_is_unknown_gets_a_clear_page_and_a_row_without_a_name(issuer, cast, client):
    issuer.claims = {
        "email": cast.caseworker.email,
        "email_verified": True,
        "preferred_username": "anna",
        "name": "Anna",
    }
    page = through(client)
    assert page.status_code == 403 and who(client) is None
    assert "Skövde kommun" in page.content.decode()
    row = LogEntry.objects.get(event="user.login_failed")
    assert (row.user, row.row, row.codes) == (None, "", {"step": "sign_on"})
    assert User.objects.count() == len(cast.everybody()) and not SocialAccount.objects.exists()


def test_the_same_subject_of_another_issuer_is_somebody_else(connected, issuer, settings, client):
    """The municipality changes its provider: nobody comes in as another by a subject that was given twice."""
    settings.OIDC_ISSUER = issuer.says = issuer.issuer = "https://new.kommun.example"
    settings.SOCIALACCOUNT_PROVIDERS = sign_on_app(settings.OIDC_ISSUER, CLIENT, "secret")
    assert through(client).status_code == 403 and who(client) is None
    assert account_key("a", "bc") != account_key("ab", "c")


@pytest.mark.parametrize(
    "bent",
    [
        {"key": OTHER_KEY},
        {"kid": "2"},
        {"kid": None, "more_keys": [{**OTHER_JWK, "kid": "2"}]},  # which of the two?
        {"kid": None, "key": OTHER_KEY},
        {"algorithm": "RS512"},  # not what the key is for
        {"algorithm": "none", "key": None},
        {"algorithm": "none", "key": None, "kid": None},
        {"algorithm": "HS256", "key": "secret-secret-secret-secret-secret"},  # under the name of a key of another type
        {
            "algorithm": "HS256",
            "key": "secret-secret-secret-secret-secret",
            "kid": "s",
            "more_keys": [{**SECRET, "kid": "s"}],
        },
        {"algorithm": "HS256", "key": "secret-secret-secret-secret-secret", "kid": None, "more_keys": [SECRET]},
        {"says": "https://evil.example"},
        {"issuer": "https://evil.example"},
        {"claims": {"aud": "another"}},
        {"claims": {"exp": 1}},
        {"claims": {"sub": ""}},
        {"claims": {"nonce": MISSING}},
        {"claims": {"nonce": ""}},
        {"claims": {"nonce": None}},
        {"claims": {"nonce": ["x"]}},
        {"claims": {"nonce": "of-another-request"}},
        {"without_token": True},
        {"is_down": True},
    ],
    ids=lambda bent: "-".join([*bent, *bent.get("claims", ())]),
)
def test_an_answer_that_is_not_as_it_should_be_lets_nobody_in(bent, connected, issuer, client):
    state = there(client)["state"]
    vars(issuer).update(bent)
    page = client.get(BACK, {"code": "c", "state": state})
    assert page.status_code == 502 and who(client) is None
    assert "anna-17" not in page.content.decode()


@pytest.mark.parametrize("more", [[], [SECRET], [{**OTHER_JWK, "use": "enc"}]], ids=["alone", "secret", "sealing"])
def test_a_token_that_names_no_key_is_of_the_only_one_that_signs(more, connected, issuer, client):
    issuer.kid, issuer.more_keys = None, more
    assert through(client).status_code == 302 and who(client) == str(connected.pk)


def test_a_state_is_of_one_browser_and_good_once(connected, client):
    state = there(client)["state"]
    assert Client().get(BACK, {"code": "c", "state": state}).status_code == 502
    assert client.get(BACK, {"code": "c", "state": state}).status_code == 302
    client.post(reverse("account_logout"))
    assert client.get(BACK, {"code": "c", "state": state}).status_code == 502
    assert Client().get(BACK).status_code == 502


def test_each_request_has_a_word_of_its_own_and_an_old_answer_does_not_fit(connected, issuer, client):
    first = there(client)["nonce"]
    second = there(client)
    assert len(first) >= 32 and first != second["nonce"]
    issuer.nonce = first  # an identity token that was made for the one before, played again
    assert client.get(BACK, {"code": "c", "state": second["state"]}).status_code == 502 and who(client) is None
    assert LogEntry.objects.filter(event="user.login_failed", codes__step="sign_on").count() == 1
    assert through(client).status_code == 302 and who(client) == str(connected.pk)


def test_a_request_that_asked_for_no_word_gets_no_answer(connected, issuer, client):
    """One that was on its way when this rule came."""
    state = there(client)["state"]
    session = client.session
    states = session["socialaccount_states"]
    del states[state][0]["nonce"]
    session["socialaccount_states"] = states
    session.save()
    issuer.nonce = None
    assert client.get(BACK, {"code": "c", "state": state}).status_code == 502 and who(client) is None


def test_a_clock_that_is_a_little_ahead_there_shuts_nobody_out(connected, issuer, client):
    issuer.claims = {"iat": int(time.time()) + 10}
    assert through(client).status_code == 302
    client.post(reverse("account_logout"))
    issuer.claims = {"iat": int(time.time()) + 600}
    assert through(client).status_code == 502


def test_where_it_does_not_answer_one_is_told(issuer, client, db):
    issuer.is_down = True
    assert client.post(START).status_code == 502


def test_cancelling_there_leads_back(issuer, client, db):
    state = there(client)["state"]
    assert client.get(BACK, {"error": "access_denied", "state": state}).url == reverse("account_login")


# -- connected ---


@pytest.fixture
def nina(cast) -> User:
    facts = {"role": Role.KEEPER, "unit": None, "first_name": "Nina", "last_name": "Berg", "email": "n@example.com"}
    return add_user(by=cast.keeper, username="nina", facts=facts)


@pytest.fixture
def page_of_nina(cast, nina) -> str:
    return reverse("invitation", args=[invitations.invite(by=cast.keeper, user=nina)])


def test_an_invitation_is_taken_up_by_it(issuer, nina, page_of_nina, client):
    issuer.subject, issuer.claims = "19800101-1234", {"email": "n@example.com", "name": "Nina Berg"}
    assert "Skövde kommun" in client.get(page_of_nina).content.decode()
    assert through(client, page_of_nina, part="sign_on").status_code == 302 and who(client) == str(nina.pk)
    row = SocialAccount.objects.get()
    assert (row.user, row.uid, row.extra_data) == (nina, account_key(ISSUER, "19800101-1234"), {})
    assert "19800101" not in str(list(LogEntry.objects.values())) + str(list(SocialAccount.objects.values()))
    assert Invitation.objects.get().used_at and not User.objects.get(pk=nina.pk).has_usable_password()
    assert LogEntry.objects.get(event="invitation.used").codes == {"how": "sign_on"}
    assert through(again := Client()).status_code == 302 and who(again) == str(nina.pk)


def test_what_is_begun_and_left_binds_nobody_else(issuer, nina, page_of_nina, client):
    there(client, page_of_nina, part="sign_on")
    assert through(client).status_code == 403  # somebody else, later in the same browser, at the ordinary log-in
    assert not SocialAccount.objects.exists() and Invitation.objects.get().used_at is None


def test_what_is_another_persons_is_not_connected(connected, nina, page_of_nina, client):
    page = through(client, page_of_nina, part="sign_on")
    assert page.status_code == 403 and who(client) is None
    assert SocialAccount.objects.get().user == connected and Invitation.objects.get().used_at is None


def test_an_invitation_that_ended_meanwhile_connects_nobody(issuer, nina, page_of_nina, client):
    state = there(client, page_of_nina, part="sign_on")["state"]
    Invitation.objects.update(until="2020-01-01T00:00Z")
    assert client.get(BACK, {"code": "c", "state": state}).status_code == 403
    assert not SocialAccount.objects.exists()


def test_who_is_logged_in_connects_it_on_their_page(issuer, cast, client):
    log_in(client, cast.keeper)
    assert "Connect" in client.get(INDEX).content.decode()
    assert through(client, reverse("account-connect")).url == INDEX
    assert SocialAccount.objects.get().user == cast.keeper and who(client) == str(cast.keeper.pk)
    assert LogEntry.objects.get(event="sign_on.connected").user == cast.keeper
    assert client.post(reverse("account-disconnect")).url == INDEX
    assert not SocialAccount.objects.exists() and LogEntry.objects.get(event="sign_on.removed")


def test_connecting_asks_again_who_it_is(issuer, cast, client_of):
    theirs = client_of(cast.keeper)
    assert theirs.post(reverse("account-connect")).url.startswith(reverse("account_reauthenticate"))


# -- again, there ---

AGAIN = reverse("account-again-sign-on")


@pytest.fixture
def by_sign_on_alone(issuer, nina, page_of_nina, client) -> User:
    """Nina has no password and no factor here, and has just come in."""
    assert through(client, page_of_nina, part="sign_on").status_code == 302 and who(client) == str(nina.pk)
    return nina


def test_a_log_in_there_shows_nobody_again(by_sign_on_alone, client):
    """It may have asked for nothing, since somebody was in there already."""
    assert client.get(INDEX).url == f"{AGAIN}?next=%2Fsecurity%2F"
    assert through(client).status_code == 302  # nor does one that is made for it
    assert client.get(INDEX).url.startswith(AGAIN)
    page = client.get(AGAIN)
    assert page.status_code == 200 and f'action="{AGAIN}"' in page.content.decode()


def test_it_is_asked_to_ask_for_everything_anew(by_sign_on_alone, issuer, client):
    asked = there(client, AGAIN)
    assert (asked["prompt"], asked["max_age"], asked["scope"]) == ("login", "0", "openid")
    assert asked["nonce"] == issuer.nonce
    plain = there(client)
    assert not {"prompt", "max_age"} & set(plain)


def test_who_logs_in_there_anew_goes_on_under_a_new_key(by_sign_on_alone, client):
    old, began = client.session.session_key, client.session["began"]
    rows = LogEntry.objects.filter(event__in=["user.logged_in", "user.logged_out"]).count()
    assert through(client, AGAIN).url == INDEX
    assert client.get(INDEX).status_code == 200
    assert client.session.session_key != old and client.session["began"] == began  # the day is no longer for it
    assert LogEntry.objects.filter(event__in=["user.logged_in", "user.logged_out"]).count() == rows
    thief = Client()
    thief.cookies["sid"] = old
    assert thief.get(INDEX).url.startswith(reverse("account_login"))
    assert UserSession.objects.get(user=by_sign_on_alone).session_key == stored(client.session.session_key)


def test_it_holds_for_some_minutes(by_sign_on_alone, client, settings):
    through(client, AGAIN)
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    session["account_authentication_methods"] = session["account_authentication_methods"]
    session.save()
    assert client.get(INDEX).url.startswith(AGAIN)


@pytest.mark.parametrize(
    "at",
    [MISSING, None, "now", True, [1], -3600, -SKEW - 5, 3600],
    ids=["missing", "null", "text", "bool", "list", "an hour before", "before", "tomorrow"],
)
def test_who_was_not_asked_anew_is_not_shown(at, by_sign_on_alone, issuer, client):
    state, old = there(client, AGAIN)["state"], client.session.session_key
    is_ago = isinstance(at, int) and not isinstance(at, bool)
    issuer.claims = {"auth_time": int(time.time()) + at if is_ago else at}
    assert client.get(BACK, {"code": "c", "state": state}).status_code == 502
    assert client.get(INDEX).url.startswith(AGAIN) and client.session.session_key == old
    assert LogEntry.objects.filter(event="user.login_failed", codes__step="sign_on").exists()


def test_clocks_that_differ_a_little_do_no_harm(by_sign_on_alone, issuer, client):
    for apart in (5 - SKEW, SKEW - 5):
        issuer.logged_in_at = int(time.time()) + apart
        assert through(client, AGAIN).url == INDEX


def test_an_old_log_in_lets_in_where_nothing_was_asked_anew(connected, issuer, client):
    issuer.claims = {"auth_time": int(time.time()) - 3600 * 8}
    assert through(client).status_code == 302 and who(client) == str(connected.pk)


def test_another_person_there_shows_nothing_and_ends_it(by_sign_on_alone, cast, issuer, client):
    SocialAccount.objects.create(user=cast.caseworker, provider="sign_on", uid=account_key(ISSUER, "bert-3"))
    issuer.subject = "bert-3"
    page = through(client, AGAIN)
    assert page.status_code == 403 and who(client) is None


def test_nor_does_one_who_has_no_account(by_sign_on_alone, issuer, client):
    issuer.subject = "nobody-here"
    assert through(client, AGAIN).status_code == 403 and who(client) is None


def test_where_there_is_none_there_is_no_again(cast, client_of):
    assert client_of(cast.keeper).post(AGAIN).status_code == 404


def test_the_only_way_in_is_not_removed(by_sign_on_alone, client):
    through(client, AGAIN)
    assert client.post(reverse("account-disconnect")).url == INDEX
    assert sign_on.connected(by_sign_on_alone)


def test_what_is_connected_was_shown_there_anew(issuer, cast, client):
    """Whoever sat at this machine before may still be in there."""
    log_in(client, cast.keeper)
    asked = there(client, reverse("account-connect"))
    assert asked["prompt"] == "login"
    issuer.logged_in_at = int(time.time()) - 3600
    assert client.get(BACK, {"code": "c", "state": asked["state"]}).status_code == 502
    assert not SocialAccount.objects.exists()


# -- the token itself ---


@pytest.mark.parametrize("said", [{}, {"nonce": ""}, {"nonce": "b"}, {"nonce": 1}, {"nonce": "å"}], ids=str)
def test_a_token_answers_its_own_request(said):
    with pytest.raises(OAuth2Error):
        answers(said, nonce="a")
    with pytest.raises(OAuth2Error):
        answers(said, nonce="")
    answers({"nonce": "a"}, nonce="a")


def test_a_token_says_when(issuer, db):
    issuer.nonce = "a"
    now = int(time.time())
    token = issuer.body("/token")["id_token"]
    found = verified(token, keys_url=f"{ISSUER}/keys", issuer=ISSUER, audience=CLIENT)
    answers(found, nonce="a", since=now)
    for since, at in ((now, now - SKEW - 1), (now, None), (now, float("nan")), (now, now + SKEW + 60)):
        with pytest.raises(OAuth2Error):
            answers({**found, "auth_time": at}, nonce="a", since=since)
