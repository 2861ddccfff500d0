"""In demo mode the mail can be read on a page."""

import pytest
from django.core.mail import EmailMessage
from django.urls import reverse

from helpline.people.notices import deliver_mail, notify


@pytest.fixture
def shown(cast, client_of, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return lambda who=cast.keeper: client_of(who).get(reverse("demo-mail"))


def test_before_the_first_mail_it_says_so(shown):
    assert shown().status_code == 200 and "No mail yet." in shown().content.decode()


def test_everybody_reads_what_would_have_been_sent(shown, cast):
    notify(user=cast.caseworker, kind="step.due", source="1")
    assert deliver_mail() == 1
    for user in cast.everybody().values():
        text = shown(user).content.decode()
        assert "anna@example.com" in text and "Something waits for you" in text and "today" in text


def test_the_newest_is_first_and_what_was_written_is_shown_as_text(shown):
    for number in range(3):
        message = EmailMessage(subject=f"Mail {number}", body="<b>åäö</b>", to=["a@example.com"])
        message.extra_headers["Date"] = f"Mon, 2{number} Nov 2026 10:00:00 -0000"
        message.send()
    text = shown().content.decode()
    assert text.index("Mail 2") < text.index("Mail 1") < text.index("Mail 0")
    assert "&lt;b&gt;åäö&lt;/b&gt;" in text and "11:00" in text  # of the clock in Sweden


def test_looking_is_all(cast, client_of):
    assert client_of(cast.keeper).post(reverse("demo-mail")).status_code == 405


def test_it_is_offered_to_who_is_logged_in(cast, client, client_of):
    """To anybody else it is only a way back to the login."""
    link = f'href="{reverse("demo-mail")}"'
    assert link not in client.get(reverse("account_login")).content.decode()
    assert link in client_of(cast.keeper).get(reverse("keeper:user-list")).content.decode()
