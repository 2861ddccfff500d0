"""Invitations: the way in to an account without a password, good once; and beginning again when a telephone is lost."""

import datetime as dt
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from helpline.people import clock, invitations
from helpline.people.actions import add_user, switch_off_user, switch_on_user
from helpline.people.errors import Refused
from helpline.people.models import Invitation, LogEntry, Notice, Role, User
from tests.people.factors import WORDS, enrol, log_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def nina(cast) -> User:
    facts = {"role": Role.KEEPER, "unit": None, "first_name": "Nina", "last_name": "Berg", "email": "n@example.com"}
    return add_user(by=cast.keeper, username="nina", facts=facts)


@pytest.fixture
def token(cast, nina) -> str:
    return invitations.invite(by=cast.keeper, user=nina)


def page_of(token: str) -> str:
    return reverse("invitation", args=[token])


def choose(client, token, password=WORDS, again=None):
    return client.post(page_of(token), {"password": password, "again": again or password})


def test_looking_uses_nothing_up_and_choosing_logs_in(nina, token, client, settings):
    settings.REQUIRE_SECOND_FACTOR = True
    for _time in range(3):
        page = client.get(page_of(token))
        assert page.status_code == 200 and "nina" in page.content.decode()
    answer = choose(client, token)
    assert answer.status_code == 302
    assert client.get(reverse("home")).url == reverse("mfa_index")  # the second factor comes next
    enrol(client)
    assert client.get(reverse("keeper:user-list")).status_code == 200
    assert User.objects.get(pk=nina.pk).check_password(WORDS)
    row = LogEntry.objects.get(event="invitation.used")
    assert (row.user, row.row, row.codes) == (nina, str(nina.pk), {"how": "password"})
    connection.check_constraints()


def test_it_is_good_once(token, client):
    choose(client, token)
    again = Client()
    assert again.get(page_of(token)).status_code == 404
    assert choose(again, token, "another four quiet words").status_code == 404
    assert LogEntry.objects.filter(event="invitation.used").count() == 1
    with pytest.raises(Refused):
        invitations.take_by_password(token, "another four quiet words")


def test_only_its_hash_is_kept(token):
    row = Invitation.objects.get()
    assert token not in str(vars(row)) and len(row.digest) == 64
    assert token not in str(list(LogEntry.objects.values()))
    assert Client().get(page_of(row.digest)).status_code == 404  # what the database holds opens nothing


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [
        ("kort", None, "15 characters"),
        (WORDS, "annat", "not the same"),
        ("", None, "required"),
    ],
)
def test_what_is_wrong_is_said_and_uses_nothing_up(password, again, words, token, client):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    page = choose(client, token, password, again)
    assert page.status_code == 422 and words in page.content.decode()
    assert Invitation.objects.get().used_at is None and choose(client, token).status_code == 302


@pytest.mark.parametrize("end", ["too old", "newer", "closed", "over"])
def test_when_it_no_longer_holds(end, token, nina, cast, client):
    if end == "too old":
        Invitation.objects.update(until=clock.now() - dt.timedelta(seconds=1))
    elif end == "newer":
        newer = invitations.invite(by=cast.keeper, user=nina)
        assert client.get(page_of(newer)).status_code == 200
    elif end == "closed":
        switch_off_user(by=cast.keeper, user=nina)
    else:
        User.objects.filter(pk=nina.pk).update(access_until=clock.today() - dt.timedelta(days=1))
    pages = [client.get(page_of(one)) for one in (token, "no-such-thing")]
    assert [page.status_code for page in pages] == [404, 404]
    bodies = {re.sub(rb"csrf[^>]*", b"", page.content) for page in pages}
    assert len(bodies) == 1  # one that ended and one that never was look alike
    assert choose(client, token).status_code == 404


def test_who_was_logged_in_there_is_out(token, nina, cast, client_of):
    theirs = client_of(cast.caseworker)
    choose(theirs, token)
    assert theirs.session["_auth_user_id"] == str(nina.pk)
    assert LogEntry.objects.filter(event="user.logged_out", user=cast.caseworker).exists()


# -- the keeper ---


@pytest.fixture
def keeper(cast, client_of):
    return client_of(cast.keeper)


def test_the_keeper_makes_a_new_one_while_there_is_no_way_in(keeper, nina, token):
    page = keeper.post(reverse("keeper:user-invite", args=[nina.pk])).content.decode()
    newer = re.search(r"/invitation/([\w-]+)/", page)[1]
    assert newer != token and Client().get(page_of(token)).status_code == 404
    choose(Client(), newer)
    answer = keeper.post(reverse("keeper:user-invite", args=[nina.pk]))  # now there is one
    assert answer.status_code == 302 and Invitation.objects.count() == 2
    assert LogEntry.objects.filter(event="invitation.made", row=str(nina.pk), user=keeper_of(keeper)).exists()


def keeper_of(client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def test_reset_takes_every_way_in_away_and_ends_every_session(keeper, cast, client):
    log_in(client, cast.caseworker)
    enrol(client)
    assert client.get("/my-day/").status_code == 200
    page = keeper.post(reverse("keeper:user-reset", args=[cast.caseworker.pk]))
    link = re.search(r"/invitation/[\w-]+/", page.content.decode())[0]
    assert client.get("/my-day/").url.startswith(reverse("account_login"))
    anna = User.objects.get(pk=cast.caseworker.pk)
    assert not anna.has_usable_password() and not Authenticator.objects.exists()
    assert log_in(client, cast.caseworker).status_code == 200  # the old password opens nothing
    row = LogEntry.objects.get(event="second_factor.reset")
    assert (row.user, row.row) == (cast.keeper, str(anna.pk))
    notice = Notice.objects.get(user=anna, kind="log_in_reset")
    assert notice.mail == Notice.Mail.READY and notice.case is None
    assert Client().post(link, {"password": WORDS, "again": WORDS}).status_code == 302


def test_nobody_resets_their_own(keeper, cast):
    assert keeper.post(reverse("keeper:user-reset", args=[cast.keeper.pk])).status_code == 302
    assert User.objects.get(pk=cast.keeper.pk).check_password("pw")


@pytest.mark.parametrize("name", ["user-invite", "user-reset", "user-end"])
def test_only_by_the_keeper_and_only_by_a_form(name, cast, client_of):
    url = reverse(f"keeper:{name}", args=[cast.colleague.pk])
    assert client_of(cast.keeper).get(url).status_code == 405
    for who, user in cast.everybody().items():
        if who != "keeper":
            assert client_of(user).post(url).status_code == 403, who
    assert User.objects.get(pk=cast.colleague.pk).check_password("pw") and not Invitation.objects.exists()


def test_the_keeper_sees_how_each_logs_in(keeper, cast, client):
    log_in(client, cast.caseworker)
    enrol(client)
    page = keeper.get(reverse("keeper:user-edit", args=[cast.caseworker.pk])).content.decode()
    assert "set up" in page and "in 1 place" in page
    row = next(
        ways for user, ways in keeper.get(reverse("keeper:user-list")).context["people"] if user == cast.caseworker
    )
    assert (row.factors, row.sessions) == (1, 1)


# -- no second way in, and seen by others ---


@pytest.mark.parametrize("way", ["password", "sign_on", "factor"])
def test_nobody_gets_a_second_way_in_to_an_account(way, nina, cast):
    if way == "password":
        nina.set_password(WORDS)
        nina.save()
    elif way == "sign_on":
        SocialAccount.objects.create(user=nina, provider="sign_on", uid="a" * 64, extra_data={})
    else:
        Authenticator.objects.create(user=nina, type="webauthn", data={})
    with pytest.raises(Refused):
        invitations.invite(by=cast.keeper, user=nina)
    assert not Invitation.objects.exists()


def test_an_account_that_was_switched_off_is_not_opened_by_its_invitation(token, nina, cast, client):
    switch_off_user(by=cast.keeper, user=nina)
    switch_on_user(by=cast.keeper, user=nina)
    assert client.get(page_of(token)).status_code == 404


def kinds(user: User) -> list[str]:
    return sorted(Notice.objects.filter(user=user).values_list("kind", flat=True))


def test_the_manager_hears_of_a_new_account_and_a_reset(cast):
    made = add_user(by=cast.keeper, username="me2", facts={"role": Role.CASEWORKER, "unit": cast.unit})
    invitations.invite(by=cast.keeper, user=made)
    assert kinds(cast.manager) == ["account_made"]
    invitations.invite(by=cast.keeper, user=made)
    invitations.begin_again(by=cast.keeper, user=cast.caseworker)
    assert kinds(cast.manager) == ["account_invited", "account_made", "account_reset"]
    assert kinds(cast.other_manager) == kinds(cast.keeper) == kinds(cast.reviewer) == []


def test_where_there_is_no_manager_the_reviewer_hears(cast, nina):
    invitations.begin_again(by=cast.keeper, user=cast.manager)
    assert kinds(cast.reviewer) == ["account_made", "account_reset"] and kinds(nina) == ["account_reset"]
    assert kinds(cast.keeper) == []
