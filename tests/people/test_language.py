"""Swedish by default, English by a switch that is kept per person."""

import pytest
from django.urls import reverse


def switch(client, language: str, back: str = "/login/"):
    return client.post(reverse("language"), {"language": language, "next": back})


def test_swedish_by_default(client, db):
    answer = client.get("/login/", HTTP_ACCEPT_LANGUAGE="en-GB,en;q=0.9")
    assert answer["Content-Language"] == "sv" and '<html lang="sv">' in answer.content.decode()


def test_a_switch_before_log_in_holds_in_this_browser(client, db):
    answer = switch(client, "en")
    assert answer.status_code == 302 and answer.url == "/login/"
    page = client.get("/login/")
    assert page["Content-Language"] == "en" and '<html lang="en">' in page.content.decode()


def test_a_switch_is_kept_per_person(cast, client_of):
    first = client_of(cast.keeper)
    switch(first, "sv")
    cast.keeper.refresh_from_db()
    assert cast.keeper.language == "sv"
    elsewhere = client_of(cast.keeper)
    assert elsewhere.get(reverse("keeper:user-list"))["Content-Language"] == "sv"
    assert client_of(cast.caseworker).get("/")["Content-Language"] == "en"  # theirs alone


def test_the_persons_own_language_wins_over_the_browsers(cast, client_of, client, settings):
    theirs = client_of(cast.keeper)
    theirs.cookies[settings.LANGUAGE_COOKIE_NAME] = "sv"
    assert theirs.get(reverse("keeper:user-list"))["Content-Language"] == "en"


@pytest.mark.parametrize("language", ["de", "", "../sv", "sv\0"])
def test_another_language_changes_nothing(language, cast, client_of):
    theirs = client_of(cast.keeper)
    assert switch(theirs, language).status_code == 302
    cast.keeper.refresh_from_db()
    assert cast.keeper.language == "en"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_it_leads_back_here_and_nowhere_else(back, client, db):
    assert switch(client, "en", back).url == reverse("home")


def test_looking_changes_nothing(client, db):
    assert client.get(reverse("language")).status_code == 405
