"""What the person had to tell the agency again: said once, after the contact, and counted as a bounce."""

import pytest
from django.db import DatabaseError, connection, transaction

from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry
from intake.models import Bounce, Event
from referrals.actions.asked_again import asked_again
from referrals.labels import CARD
from referrals.models import AskedAgain
from referrals.states import STATES
from tests.referrals.test_portal import page

DATA = {"what": ["happened", "other"], "text": "Which school he goes to."}


def test_it_is_written_down_and_counted(client_of, cast, make_referral):
    referral = make_referral("contact_made")
    client = client_of(cast.partner)
    html = client.get(page(referral)).content.decode()
    for code in (*CARD, "other"):
        assert f'value="{code}"' in html
    assert client.post(page(referral, "asked-again"), DATA).status_code == 302
    connection.check_constraints()
    made = referral.asked_again.get()
    assert (made.by, made.what, made.text) == (cast.partner, DATA["what"], DATA["text"])
    bounce = Bounce.objects.get(case=referral.case_id, cause="told_again")
    assert (bounce.by, bounce.about, bounce.codes["agency"]) == (cast.partner, str(referral.pk), str(cast.agency))
    assert bounce.source == f"told_again:asked_again:{made.pk}"
    event = Event.objects.get(case=referral.case_id, kind="referral.asked_again")
    assert (event.text, event.codes["what"]) == (DATA["text"], DATA["what"])
    [row] = LogEntry.objects.filter(event="referral.asked_again")
    assert DATA["text"] not in str(row.codes)
    html = client.get(page(referral)).content.decode()
    assert "You told us" in html and f'action="{page(referral, "asked-again")}"' not in html


def test_once(client_of, cast, make_referral):
    referral = make_referral("contact_made")
    client = client_of(cast.partner)
    for _ in range(2):  # the same press
        assert client.post(page(referral, "asked-again"), DATA).status_code == 302
    answer = client.post(page(referral, "asked-again"), {"what": ["fears"], "text": "What she is afraid of."})
    assert answer.status_code == 409 and "What she is afraid of." in answer.content.decode()
    assert AskedAgain.objects.count() == Bounce.objects.filter(cause="told_again").count() == 1


@pytest.mark.parametrize("state", STATES)
def test_after_the_contact_by_its_agency_alone(client_of, cast, make_referral, state):
    referral = make_referral(state)
    client = client_of(cast.partner)
    assert client.get(page(referral, "asked-again")).status_code == 405
    assert client_of(cast.other_partner).post(page(referral, "asked-again"), DATA).status_code == 404
    for name in ("caseworker", "manager", "keeper"):
        assert client_of(cast.everybody()[name]).post(page(referral, "asked-again"), DATA).status_code == 403
    answer = client.post(page(referral, "asked-again"), DATA)
    assert referral.asked_again.exists() is (state == "contact_made")
    if state not in {"contact_made", "draft"}:
        assert answer.status_code == 409 and DATA["text"] in answer.content.decode()
        with pytest.raises(TooLate):
            asked_again(by=cast.partner, referral=referral, **DATA)


@pytest.mark.parametrize(
    "data, kept",
    [
        ({"text": "Which school."}, "Which school."),
        ({"what": ["weather"], "text": "Which school."}, "Which school."),
        ({"what": ["other"]}, "Say what it was."),
    ],
)
def test_it_says_what(client_of, cast, make_referral, data, kept):
    referral = make_referral("contact_made")
    answer = client_of(cast.partner).post(page(referral, "asked-again"), data)
    assert answer.status_code == 422 and kept in answer.content.decode()
    assert 'id="write-asked-again" open' in answer.content.decode()
    assert not referral.asked_again.exists()


def test_nothing_chosen_is_refused_by_the_action_too(cast, make_referral):
    with pytest.raises(Refused):
        asked_again(by=cast.partner, referral=make_referral("contact_made"), what=["weather"])


def test_it_is_never_changed(cast, make_referral):
    made = asked_again(by=cast.partner, referral=make_referral("contact_made"), what=["happened"])
    for act in (lambda: AskedAgain.objects.filter(pk=made.pk).update(what=[]), made.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
