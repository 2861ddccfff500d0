"""Two windows of one draft, and one that lies open while a consent is taken back: nothing is overwritten in silence, nothing
comes back, no word is lost."""

import datetime as dt
from html import unescape

import pytest
from django.db import connection

from helpline.people import clock
from referrals import actions
from referrals.actions.drafts import DraftMoved
from referrals.drawn import mark_of
from referrals.models import Consent
from tests.referrals.conftest import CARD
from tests.referrals.test_compose import filled, fresh, page

STORY = "A long story that took ten minutes."


def as_shown(answer, **rest) -> dict:
    """What the browser sends of the page that came back, untouched but for this."""
    form = answer.context["form"]
    kept = {field.html_name: field.value() or "" for field in form}
    kept["consent_until"] = str(kept["consent_until"])
    return {**{name: text for name, text in kept.items() if text is not False}, **rest}


def test_what_another_window_saved_is_not_overwritten(client_of, cast, make_draft):
    draft = make_draft()
    client = client_of(cast.caseworker)
    one, two = filled(draft), filled(draft)
    client.post(page(draft), {**one, "happened": STORY})
    answer = client.post(page(draft), {**two, "wants": "Something else."})
    html = unescape(answer.content.decode())
    assert answer.status_code == 409 and "The draft has changed since" in html
    assert (fresh(draft).happened, fresh(draft).wants) == (STORY, CARD["wants"])
    assert all(words in html for words in (STORY, "Something else.", CARD["wants"], CARD["happened"]))
    again = client.post(page(draft), as_shown(answer))
    assert again.status_code == 302
    assert (fresh(draft).happened, fresh(draft).wants) == (STORY, "Something else.")  # each window's own words
    connection.check_constraints()


def test_where_both_wrote_both_are_seen_and_pressing_again_is_deliberate(client_of, cast, make_draft):
    draft = make_draft()
    mine, theirs = client_of(cast.caseworker), filled(draft, happened=STORY)
    old = filled(draft, happened="My own words.")
    mine.post(page(draft), theirs)
    answer = mine.post(page(draft), old)
    form = answer.context["form"]
    assert (form["happened"].value(), form["happened"].other.words) == ("My own words.", STORY)
    assert unescape(answer.content.decode()).count(STORY) == 1
    mine.post(page(draft), as_shown(answer))
    assert fresh(draft).happened == "My own words."


def test_the_same_words_twice_are_no_conflict(client_of, cast, make_draft):
    draft = make_draft()
    sent = filled(draft, happened=STORY, approved="now")
    client = client_of(cast.caseworker)
    assert [client.post(page(draft), sent).status_code for _press in range(2)] == [302, 302]
    assert client.post(page(draft, "send/"), sent).status_code == 302
    assert fresh(draft).state == "sent"


@pytest.mark.parametrize("act", ["", "send/"])
@pytest.mark.parametrize("tick", ["kept", "now"])
def test_an_old_window_brings_no_withdrawn_consent_back(client_of, cast, make_draft, act, tick):
    draft = make_draft()
    old = filled(draft, approved=tick, wants="Written in the old window.")
    actions.withdraw_consent(by=cast.colleague, consent=draft.consent)
    client = client_of(cast.caseworker)
    answer = client.post(page(draft, act), old)
    html = unescape(answer.content.decode())
    assert answer.status_code == 409 and "The consent is withdrawn" in html and str(cast.colleague) in html
    assert "Written in the old window." in html
    now = fresh(draft)
    assert (now.state, now.consent, now.approved_at) == ("draft", None, None)
    again = client.post(page(draft, "send/"), as_shown(answer))  # pressed again without a word: nothing is revived
    assert again.status_code == 422 and fresh(draft).state == "draft" and fresh(draft).consent is None
    assert Consent.objects.filter(withdrawn_at=None).count() == 0


def test_a_new_consent_is_written_down_by_who_has_seen_that_it_was_withdrawn(client_of, cast, make_draft):
    draft = make_draft()
    old = filled(draft)
    actions.withdraw_consent(by=cast.colleague, consent=draft.consent)
    client = client_of(cast.caseworker)
    until = (clock.today() + dt.timedelta(days=10)).isoformat()
    seen = as_shown(client.post(page(draft), old), consent_form="spoken", consent_until=until, approved="now")
    assert client.post(page(draft, "send/"), seen).status_code == 302
    now = fresh(draft)
    assert now.state == "sent" and now.consent != draft.consent and now.consent.withdrawn_at is None


def test_a_page_without_a_mark_saves_nothing_new(client_of, cast, make_draft):
    draft = make_draft()
    answer = client_of(cast.caseworker).post(page(draft), filled(draft, wants="Mine.", drawn=""))
    assert answer.status_code == 409 and fresh(draft).wants == CARD["wants"] and "Mine." in answer.content.decode()


def test_an_old_window_that_is_refused_too_loses_nothing(client_of, cast, make_draft):
    draft = make_draft()
    client, old = client_of(cast.caseworker), filled(draft, consent_until="2020-01-01", wants="Mine.", ground="WISH")
    client.post(page(draft), filled(draft, happened=STORY))
    answer = client.post(page(draft), old)
    assert answer.status_code == 409 and "Mine." in answer.content.decode() and fresh(draft).happened == STORY


def test_what_another_wrote_is_not_thrown_away_from_an_old_window(client_of, cast, make_draft):
    draft = make_draft()
    client, mark = client_of(cast.caseworker), mark_of(fresh(draft))
    client.post(page(draft), filled(draft, happened=STORY))
    answer = client.post(page(draft, "discard/"), {"drawn": mark}, follow=True)
    assert "not thrown away" in answer.content.decode() and fresh(draft).happened == STORY
    client.post(page(draft, "discard/"), {"drawn": mark_of(fresh(draft))})
    assert not type(draft).objects.filter(pk=draft.pk).exists()


def test_what_changed_between_saving_and_sending_is_not_sent(cast, make_draft):
    draft = make_draft()
    mark = mark_of(fresh(draft))
    actions.save_draft(by=cast.colleague, referral=draft, words={"happened": STORY}, approved=True)
    with pytest.raises(DraftMoved):
        actions.send(by=cast.caseworker, referral=draft, drawn=mark)
    assert fresh(draft).state == "draft"


def test_another_leading_choice_is_seen(client_of, cast, make_draft):
    draft = make_draft()
    client, old = client_of(cast.caseworker), filled(draft, wants="Mine.")
    client.post(page(draft), filled(draft, alongside="on"))
    answer = client.post(page(draft), old)
    assert answer.status_code == 409 and answer.context["form"]["alongside"].value() is True
    client.post(page(draft), as_shown(answer, alongside="on"))
    assert (fresh(draft).leads, fresh(draft).wants) == (False, "Mine.")
