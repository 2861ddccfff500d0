"""What a password must be: long, and not one that everybody has; nothing else, and it is kept exactly as it was typed."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from django.urls import reverse

from helpline import settings as settings_as_written
from helpline.people import invitations
from helpline.people.models import User

pytestmark = pytest.mark.django_db


def choose(user: User, password: str):
    """Take up an invitation with this password."""
    link = reverse("invitation", args=[invitations.begin_again_by_command(user)])
    return Client().post(link, {"password": password, "again": password})


def opens(user: User, password: str) -> bool:
    return authenticate(None, username=user.username, password=password) is not None


LONG = {
    "one word": "lavendelbergatan",
    "spaces at its ends": "  på väg till sjön  ",
    "capitals": "LAVENDEL VID ÅKERN",
    "figures": "91827364501928374",
    "pictures": "🌲🌊🦉🍂🌙🍎🐟🌾🍄🐝🌧🔥🎻🚲🧭🪵",
    "a thousand": ("ö" + "".join(str(number) for number in range(1000)))[:1000],
}


@pytest.mark.parametrize("password", LONG.values(), ids=LONG)
def test_long_is_enough_and_it_is_kept_as_it_was_typed(password, cast):
    assert choose(cast.caseworker, password).status_code == 302
    assert opens(cast.caseworker, password)
    for other in (password.strip(), password.lower(), password[:64], password[:72]):
        assert opens(cast.caseworker, other) == (other == password)


@pytest.mark.parametrize(
    "password",
    [
        *("fjorton tecken", "1q2w3e4r5t6y7u8i", "123456789987654321", "anna.andersson1"),
        *("stödlinjenskövde", "SkövdeKommun2026!", "socialtjänsten2026", "passwordpassword"),
        *("aaaaaaaaaaaaaaaa", "sommar sommar sommar", "qwertyuiopasdfgh", "helpline mariestad"),
    ],
    ids=lambda password: password,
)
def test_what_is_short_common_or_ones_own_name_is_refused(password, cast):
    cast.caseworker.first_name, cast.caseworker.last_name = "Anna", "Andersson"
    cast.caseworker.email = "anna.andersson@example.se"
    cast.caseworker.save()
    page = choose(cast.caseworker, password)
    assert page.status_code == 422 and not opens(cast.caseworker, password)


def test_the_field_hides_it_and_lets_a_manager_of_passwords_help(cast):
    for url in (
        reverse("invitation", args=[invitations.begin_again_by_command(cast.caseworker)]),
        reverse("account_login"),
    ):
        page = Client().get(url).content.decode()
        field = page[page.index('type="password"') - 200 : page.index('type="password"') + 300]
        assert "maxlength" not in field and "onpaste" not in page
        assert 'autocomplete="new-password"' in field or 'autocomplete="current-password"' in field


def test_it_does_not_run_out(cast, time_machine):
    choose(cast.caseworker, LONG["one word"])
    time_machine.move_to("2031-06-02 07:00 +0000")
    known = {"login": cast.caseworker.username, "password": LONG["one word"]}
    answer = Client().post(reverse("account_login"), known)
    assert answer.status_code == 302 and "password" not in answer.url


def test_it_is_kept_as_argon2id():
    """By the settings of production; tests may hash faster."""
    kept = settings_as_written.PASSWORD_HASHERS
    with override_settings(PASSWORD_HASHERS=kept):
        assert make_password(LONG["one word"]).startswith("argon2$argon2id$")


def test_what_is_only_short_is_told_that_and_nothing_else(cast):
    from helpline.people.own_words import OwnWordsValidator

    check = OwnWordsValidator()
    for password in ("kort", "er", "asa", "as"):
        check.validate(password)  # another rule says that it is short
    for password in ("aaaaaaaaaaaaaaaa", "qwerty", "asdf", "ababab"):
        with pytest.raises(ValidationError, match="repeats itself"):
            check.validate(password)
    page = choose(cast.caseworker, "kort").content.decode()
    assert "repeats itself" not in page and "row of keys" not in page and "upprepar sig" not in page
