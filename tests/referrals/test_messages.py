"""A line of messages about one handover: between its owner and its agency, and only while it is with the agency."""

import datetime as dt
from html import unescape as html_unescape

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from helpline.people.notices import deliver_mail
from intake.actions import close_case
from intake.models import Case, Event
from referrals import actions
from referrals.actions.messages import NONE_YET, mark_of_line, read_message, send_message
from referrals.deadlines import next_working_day
from referrals.models import Disclosure, Message
from referrals.states import STATES
from tests.referrals.conftest import CARD
from tests.referrals.test_portal import drawn, page

WORDS = "We cannot find the door code."


def write(client, referral, text=WORDS, **more):
    data = {"text": text, "seen": drawn(client, referral, "message"), **more}
    return client.post(page(referral, "message"), data)


def test_a_message_reaches_the_owner_and_stands_on_the_line(client_of, cast, make_referral):
    referral = make_referral("opened")
    client = client_of(cast.partner)
    Notice.objects.all().delete()
    assert write(client, referral).status_code == 302
    connection.check_constraints()
    made = referral.messages.get()
    assert (made.by, made.from_agency, made.text) == (cast.partner, True, WORDS)
    html = client.get(page(referral)).content.decode()
    assert WORDS in html and "A message is no answer" in html
    assert [notice.user for notice in Notice.objects.all()] == [cast.caseworker]
    event = Event.objects.get(case=referral.case_id, kind="referral.message")
    assert (event.text, event.codes["side"]) == (WORDS, "agency")
    [row] = LogEntry.objects.filter(event="referral.message", case=referral.case_id)
    assert (row.user, WORDS in str(row.codes)) == (cast.partner, False)
    assert not Disclosure.objects.filter(way="message").exists()  # what they write is not shared by us


def test_ours_reaches_the_agency_and_is_a_disclosure(client_of, cast, make_referral):
    referral = make_referral("accepted")
    Notice.objects.all().delete()
    send_message(by=cast.caseworker, referral=referral, text="It is 1234.", from_agency=False)
    connection.check_constraints()
    told = Notice.objects.filter(kind="referral.message")
    assert cast.partner in [notice.user for notice in told] and cast.caseworker not in [notice.user for notice in told]
    row = Disclosure.objects.get(referral=referral, way="message")
    assert (row.decided_by, row.ground) == (cast.caseworker, referral.ground)
    html = client_of(cast.partner).get(page(referral)).content.decode()
    assert "It is 1234." in html


def test_the_mail_says_nothing(client_of, cast, make_referral):
    referral = make_referral("accepted")
    Notice.objects.all().delete()
    write(client_of(cast.partner), referral)
    send_message(by=cast.caseworker, referral=referral, text="It is 1234.", from_agency=False)
    deliver_mail()
    assert mail.outbox
    for message in mail.outbox:
        text = message.subject + message.body
        assert not [words for words in [WORDS, "1234.", *CARD.values(), str(cast.agency)] if words in text]


def test_sent_twice_it_is_written_once(client_of, cast, make_referral):
    referral = make_referral("accepted")
    client = client_of(cast.partner)
    data = {"text": WORDS, "seen": drawn(client, referral, "message")}
    assert data["seen"] == NONE_YET
    for _ in range(2):
        assert client.post(page(referral, "message"), data).status_code == 302
    connection.check_constraints()
    assert referral.messages.count() == 1
    assert Notice.objects.filter(kind="referral.message", user=cast.caseworker).count() == 1
    assert write(client, referral).status_code == 302  # said again on purpose, from a page that shows the first
    assert referral.messages.count() == 2


def test_who_has_not_read_the_newest_is_told_and_keeps_the_words(client_of, cast, make_referral):
    referral = make_referral("accepted")
    client = client_of(cast.partner)
    old = drawn(client, referral, "message")
    send_message(by=cast.caseworker, referral=referral, text="Do not call her today.", from_agency=False, seen=old)
    answer = client.post(page(referral, "message"), {"text": "We call her today.", "seen": old})
    html = answer.content.decode()
    assert answer.status_code == 409 and "Do not call her today." in html and "We call her today." in html
    assert referral.messages.count() == 1
    again = answer.context["beside"]["message"]["seen"].value()
    assert again == mark_of_line(referral)
    client.post(page(referral, "message"), {"text": "We call her tomorrow.", "seen": again})
    assert referral.messages.count() == 2


@pytest.mark.parametrize("state", STATES)
def test_only_while_it_is_with_them(client_of, cast, make_referral, state):
    referral = make_referral(state)
    client = client_of(cast.partner)
    answer = client.post(page(referral, "message"), {"text": WORDS})
    open_now = state in {"sent", "opened", "question", "accepted", "contact_booked", "on_hold", "contact_made"}
    assert answer.status_code == (302 if open_now else 404 if state == "draft" else 409)
    assert referral.messages.exists() is open_now
    if not open_now:
        assert state == "draft" or WORDS in answer.content.decode()
        with pytest.raises(TooLate):
            send_message(by=cast.caseworker, referral=referral, text=WORDS, from_agency=False)
    for other in (cast.other_partner,):
        assert client_of(other).post(page(referral, "message"), {"text": WORDS}).status_code == 404
    for name in ("caseworker", "manager", "keeper"):
        assert client_of(cast.everybody()[name]).post(page(referral, "message"), {"text": WORDS}).status_code == 403
    assert client.get(page(referral, "message")).status_code == 405


def test_nobody_else_reads_the_line(client_of, cast, make_referral):
    referral = make_referral("accepted")
    other = make_referral("accepted")
    write(client_of(cast.partner), referral)
    assert WORDS not in client_of(cast.partner).get(page(other)).content.decode()
    assert WORDS not in client_of(cast.partner).get("/portal/").content.decode()


def test_what_we_write_is_bound_by_the_ground(cast, make_draft, make_case):
    case = make_case(track="B", caller_name="Greta Svensson", phone="0701234567")
    draft = make_draft(case=case, ground="DEIDENT", safe_contact="", about="A pupil")
    sent = actions.send(by=cast.caseworker, referral=draft)
    with pytest.raises(Refused, match="names a person") as refused:
        send_message(by=cast.caseworker, referral=sent, text="It is Greta.", from_agency=False)
    assert refused.value.at == "text"
    assert not Message.objects.exists()


def test_no_address_of_who_is_protected(client_of, cast, make_referral):
    referral = make_referral("accepted")
    Case.objects.filter(pk=referral.case_id).update(protection="secrecy_marking")
    text = "She lives at Storgatan 12, 541 30 Skövde."
    with pytest.raises(Refused, match="nothing is written here"):
        send_message(by=cast.caseworker, referral=referral, text=text, from_agency=False)
    client = client_of(cast.partner)
    assert page(referral, "message") not in client.get(page(referral)).content.decode()
    answer = client.post(page(referral, "message"), {"text": text})
    assert answer.status_code in (409, 422) and text in html_unescape(answer.content.decode())
    assert not Message.objects.exists()


def test_an_empty_one_is_refused_at_its_field(client_of, cast, make_referral):
    answer = write(client_of(cast.partner), make_referral("accepted"), " ")
    assert answer.status_code == 422 and 'href="#id_message_text"' in answer.content.decode()


def test_a_message_is_never_changed(cast, make_referral):
    made = send_message(by=cast.partner, referral=make_referral("accepted"), text=WORDS, from_agency=True)
    for act in (lambda: Message.objects.filter(pk=made.pk).update(from_agency=False), made.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_a_message_is_no_answer(client_of, cast, make_referral):
    referral = make_referral("opened")
    write(client_of(cast.partner), referral)
    referral.refresh_from_db()
    assert referral.state == "opened"
    assert referral.rungs.filter(state="scheduled").exists()


# -- it waits until it is read -----------------------------------------------------------------------------------------


def from_them(cast, referral, text=WORDS):
    return send_message(by=cast.partner, referral=referral, text=text, from_agency=True)


def to_read(referral):
    return referral.case.steps.planned().filter(kind="read_message", about=str(referral.pk))


def test_a_message_from_them_waits_for_us_until_it_is_read(client_of, cast, make_referral, at):
    with at("2026-11-23 10:00"):
        referral = make_referral("accepted")
        from_them(cast, referral)
        from_them(cast, referral, "And the lift is broken.")
        connection.check_constraints()
        step = to_read(referral).get()  # one, however many messages
        assert (step.owner, step.others_turn) == (cast.caseworker, False)
        assert step.due_at == next_working_day(referral.urgency, clock.now())
        with pytest.raises(Refused):
            close_case(by=cast.caseworker, case=referral.case, reason="helped")
        client = client_of(cast.caseworker)
        assert f"/handovers/{referral.pk}/#messages" in client.get(f"/cases/{referral.case.slug}/").content.decode()
        html = client.get(f"/handovers/{referral.pk}/").content.decode()
        place = f"/handovers/{referral.pk}/message/read/"
        assert place in html and "Read their message" in html.replace("You read", "Read")
        assert client.get(place).status_code == 405
        for who, status in ((cast.partner, 403), (cast.stranger, 404)):
            assert client_of(who).post(place).status_code == status
        for _ in range(2):
            assert client.post(place, {"seen": mark_of_line(referral)}).status_code == 302
        connection.check_constraints()
    assert not to_read(referral).exists()
    assert LogEntry.objects.filter(event="referral.message_read", case=referral.case_id).count() == 1


def test_of_an_acute_one_it_is_read_within_the_hour(cast, make_draft, make_case):
    acute = actions.send(by=cast.caseworker, referral=make_draft(case=make_case(urgency="AKUT")))
    from_them(cast, acute)
    assert to_read(acute).get().due_at <= clock.now() + dt.timedelta(hours=1)


def test_our_answer_ends_it(cast, make_referral):
    referral = make_referral("accepted")
    from_them(cast, referral)
    send_message(by=cast.caseworker, referral=referral, text="It is 1234.", from_agency=False)
    assert not to_read(referral).exists()


def test_what_came_meanwhile_is_not_read_with_it(client_of, cast, make_referral):
    referral = make_referral("accepted")
    from_them(cast, referral)
    old = mark_of_line(referral)
    from_them(cast, referral, "She is in danger tonight.")
    answer = client_of(cast.caseworker).post(f"/handovers/{referral.pk}/message/read/", {"seen": old})
    assert answer.status_code == 409 and "She is in danger tonight." in answer.content.decode()
    assert to_read(referral).exists()


def test_the_last_step_of_a_case_is_followed_by_another(cast, make_referral):
    referral = make_referral("contact_made")
    from_them(cast, referral)
    actions.caller_says(by=cast.caseworker, referral=referral, answer="enough")
    read_message(by=cast.caseworker, referral=referral)
    connection.check_constraints()
    assert referral.case.steps.planned().exists()
