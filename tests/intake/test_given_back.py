"""Words that come too late to be saved are given back: to who was logged out meanwhile, and to who needs a reason now."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from helpline.people.models import LogEntry
from helpline.people.sessions import ACTIVE
from intake import actions
from intake.models import Event, Note

WORDS = "She said <he> has a gun.\n\nCall after nine & before ten."
AS_SHOWN = "She said &lt;he&gt; has a gun.\n\nCall after nine &amp; before ten."
FORM = {"kind": "seen", "text": WORDS, "csrfmiddlewaretoken": "KEY", "passphrase": "blue horse"}


@pytest.fixture
def case(make_case):
    return make_case()


@pytest.fixture
def place(case):
    return reverse("intake:note-add", args=[case.slug])


def fall_idle(client, settings):
    session = client.session
    session[ACTIVE] -= settings.IDLE_MINUTES * 60
    session.save()


@pytest.fixture
def anna(client_of, cast, case, settings):
    """Logged in, and so long idle that the session is over."""
    client = client_of(cast.caseworker)
    actions.void_call(by=cast.caseworker, call=actions.start_call(by=cast.caseworker), why="Nobody there")
    fall_idle(client, settings)
    return client


def nothing_is_stored():
    connection.check_constraints()
    return not any(WORDS in note.text for note in Note.objects.all()) and not any(
        WORDS in event.text for event in Event.objects.all()
    )


def test_who_was_logged_out_meanwhile_gets_the_words_back(anna, place):
    answer = anna.post(place, FORM, headers={"Referer": f"http://testserver{place}?q=1"})
    page = answer.content.decode()
    assert answer.status_code == 403 and "no-store" in answer["Cache-Control"]
    assert AS_SHOWN in page and "<he>" not in page and "kind: seen" not in page
    assert "KEY" not in page and "blue horse" not in page
    assert f'href="{reverse("account_login")}?next={place}"' in page
    assert nothing_is_stored()
    assert LogEntry.objects.filter(event="session.ended").exists()
    assert not anna.session.keys()


def test_the_key_of_a_form_of_an_ended_session_loses_no_words(cast, place):
    client = Client(enforce_csrf_checks=True)
    for login in (False, True):  # nobody, and somebody who has logged in anew in another window
        if login:
            client.force_login(cast.caseworker, backend="django.contrib.auth.backends.ModelBackend")
        answer = client.post(place, FORM)
        assert answer.status_code == 403 and AS_SHOWN in answer.content.decode()
        assert nothing_is_stored()


@pytest.mark.parametrize("data", [{}, {"csrfmiddlewaretoken": "KEY", "read": "on", "to": "12", "next": "/x y"}])
def test_without_words_it_is_the_log_in_as_ever(place, data, db):
    answer = Client().post(place, data)
    assert answer.status_code == 302 and answer.url.startswith(f"{reverse('account_login')}?next=")


def test_one_word_is_words(place, db):
    answer = Client().post(place, {"name": "Kalle", "phone": "0701234567"})
    assert "name: Kalle\nphone: 0701234567" in answer.content.decode()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_words_of_another_site_stand_on_no_page_of_ours(place, site, db):
    answer = Client().post(place, FORM, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 302


def test_the_log_in_itself_shows_nothing_back(db):
    answer = Client(enforce_csrf_checks=True).post(reverse("account_login"), {"login": "anna bo", "password": "a b c"})
    assert answer.status_code == 403 and "a b c" not in answer.content.decode()
    assert "anna bo" not in answer.content.decode()


def test_who_lost_the_case_meanwhile_gets_the_words_back(client_of, cast, case, place):
    anna = client_of(cast.caseworker)
    actions.reassign_case(by=cast.manager, case=case, to=cast.colleague)
    answer = anna.post(place, FORM)
    page = answer.content.decode()
    assert answer.status_code == 403 and AS_SHOWN in page
    assert reverse("intake:case-reason", args=[case.slug]) in page
    assert nothing_is_stored()
    assert anna.post(place).status_code == 302  # without words: to the reason, as ever


def test_the_page_tells_no_words_of_the_case(client_of, cast, make_case):
    secret = make_case(notes={"seen": "A secret."}, safe_contact="Only at the school.")
    page = client_of(cast.colleague).post(reverse("intake:note-add", args=[secret.slug]), FORM).content.decode()
    assert AS_SHOWN in page and "secret" not in page and "school" not in page


def test_another_unit_gets_404_all_the_same(client_of, cast, place):
    answer = client_of(cast.stranger).post(place, FORM)
    absent = client_of(cast.stranger).post(reverse("intake:note-add", args=["ingen-alls-99"]), FORM)
    assert answer.status_code == 404 and answer.content == absent.content and AS_SHOWN in answer.content.decode()


# -- it was taken away while somebody wrote -----------------------------------------------------------------------------


def opened_by(user, case):
    actions.open_with_reason(by=user, case=case, reason="owner_away")


def test_who_is_locked_out_while_writing_gets_the_words_back_on_the_page_of_what_is_not_there(
    client_of, cast, case, place
):
    opened_by(cast.colleague, case)
    theirs = client_of(cast.colleague)
    assert theirs.get(reverse("intake:case", args=[case.slug])).status_code == 200
    actions.lock_out(by=cast.manager, case=case, user=cast.colleague, reason="His cousin.")
    answer, absent = theirs.post(place, FORM), theirs.post(reverse("intake:note-add", args=["ingen-alls-99"]), FORM)
    page = answer.content.decode()
    assert answer.status_code == absent.status_code == 404
    assert AS_SHOWN in page and "<he>" not in page and "KEY" not in page and "blue horse" not in page
    assert answer.content == absent.content, "no more than of what is absent"
    assert str(case) not in page and case.slug not in page
    assert "no-store" in answer["Cache-Control"]
    for send in (theirs.get, theirs.post):
        one, two = send(place), send(reverse("intake:note-add", args=["ingen-alls-99"]))
        assert one.content == two.content and "Nothing was saved" not in one.content.decode()
    assert nothing_is_stored()


def test_so_does_who_is_named_no_longer(client_of, cast, make_case):
    case = make_case(protection="secrecy_marking", track="B")
    naming = actions.name_staff(by=cast.manager, case=case, user=cast.colleague)
    theirs = client_of(cast.colleague)
    assert theirs.get(reverse("intake:case", args=[case.slug])).status_code == 200
    actions.end_naming(by=cast.manager, naming=naming)
    answer = theirs.post(reverse("intake:note-add", args=[case.slug]), FORM)
    assert answer.status_code == 403 and AS_SHOWN in answer.content.decode() and nothing_is_stored()


def test_nor_on_the_page_of_what_is_not_there(client_of, cast):
    where = reverse("intake:note-add", args=["ingen-alls-99"])
    answer = client_of(cast.colleague).post(where, FORM, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 404 and AS_SHOWN not in answer.content.decode()


def test_a_call_that_is_not_there_for_them_gives_the_words_back_too(client_of, cast, make_call):
    call = make_call()
    answer = client_of(cast.stranger).post(reverse("intake:call-after", args=[call.pk]), {"text": WORDS})
    assert answer.status_code == 405
    answer = client_of(cast.stranger).post(reverse("intake:call-heavy", args=[call.pk]), {"text": WORDS})
    assert answer.status_code == 404 and AS_SHOWN in answer.content.decode() and nothing_is_stored()
