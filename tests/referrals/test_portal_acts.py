"""What an agency does after it has accepted, what it is told when somebody was first, and what is left when it has ended."""

import datetime as dt
import re

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.models import LogEntry, Notice, Role, User
from intake.models import FollowUp
from referrals import actions
from referrals.acts import ACTS, ONE_OF_TWO, WITHOUT_FORM, acts_for
from referrals.models import AgencyMember, PartnerAgency, Referral, StateChange
from referrals.states import AGENCY, MOVES, SEEN_BY_AGENCY
from tests.referrals.conftest import CARD
from tests.referrals.test_portal import SOON, WHY, drawn, page, state_of


@pytest.fixture
def fellow(cast) -> User:
    """Somebody of the same agency."""
    made = User.objects.create(
        username="ida", first_name="Ida", role=Role.PARTNER, email="ida@example.com", language="en"
    )
    AgencyMember.objects.create(user=made, agency=cast.agency)
    return made


@pytest.fixture
def make_warm(make_referral, cast):
    """A three-way call that is booked in an hour."""

    def make() -> Referral:
        referral = make_referral("accepted")
        at = clock.now() + dt.timedelta(minutes=50)
        return actions.book(by=cast.partner, referral=referral, at=at, warm=True)

    return make


# -- which acts, and in which order ------------------------------------------------------------------------------------


def test_every_move_of_an_agency_has_its_form():
    theirs = {ONE_OF_TWO.get(move.name, move.name) for move in MOVES.values() if AGENCY in move.who}
    assert theirs - WITHOUT_FORM == set(ACTS) - {"tick"}


@pytest.mark.parametrize(
    "state, acts",
    {
        "sent": "accept decline ask",
        "opened": "accept decline ask",
        "question": "accept decline",
        "accepted": "contact book hold miss return fail",
        "contact_booked": "contact book hold miss return fail",
        "on_hold": "resume contact return fail",
        "contact_made": "complete return fail",
    }.items(),
)
def test_the_likely_act_is_first_with_the_only_filled_button(client_of, cast, make_referral, state, acts):
    referral = make_referral(state)
    assert [act.name for act in acts_for(referral)] == acts.split()
    html = client_of(cast.partner).get(page(referral)).content.decode()
    for act in acts.split():
        assert f'action="{page(referral, act)}"' in html, act
    for act in set(ACTS) - set(acts.split()):
        assert f'action="{page(referral, act)}"' not in html, act
    filled = len(re.findall(r'<button class="btn btn-primary"', html))
    assert filled == {"sent": 3, "opened": 3, "question": 0}.get(state, 1)  # of three answers one is open


def test_every_form_carries_what_the_page_had_seen(client_of, cast, make_referral):
    client = client_of(cast.partner)
    for state in SEEN_BY_AGENCY:
        referral = make_referral(state)
        html = client.get(page(referral)).content.decode()
        last = str(referral.changes.order_by("-at", "-id").first().pk)
        for act in acts_for(Referral.objects.get(pk=referral.pk)):
            assert drawn(client, referral, act.name) == last, (state, act.name)
        assert html.count("csrfmiddlewaretoken") >= html.count('name="seen"')


# -- who could help instead --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act, state", [("decline", "opened"), ("return", "accepted")])
def test_a_suggestion_is_another_agency_that_may_be_known_of(client_of, cast, make_referral, act, state):
    hidden = PartnerAgency.objects.create(name="Skyddat boende", type="WOMEN", is_confidential=True)
    closed = PartnerAgency.objects.create(name="Nedlagd", type="WOMEN", is_active=False)
    shown_way = PartnerAgency.objects.filter(type="NGO_LINE").first() or PartnerAgency.objects.create(
        name="Orostelefonen", type="NGO_LINE"
    )
    referral = make_referral(state)
    client = client_of(cast.partner)
    html = client.get(page(referral)).content.decode()
    assert f'<option value="{cast.other_agency.pk}">{cast.other_agency}</option>' in html
    for other in (hidden, closed, shown_way, cast.agency):
        assert f'<option value="{other.pk}">' not in html
        answer = client.post(page(referral, act), {**WHY, "suggested": other.pk})
        assert (answer.status_code, state_of(referral)) == (422, state)
        with pytest.raises(actions.moves.Refused):
            actions.moves.decline(by=cast.partner, referral=referral, reason="conflict", suggested=cast.agency)
    assert '<option value="" selected>' in html  # nobody answers without having chosen
    client.post(page(referral, act), {**WHY, "suggested": cast.other_agency.pk})
    connection.check_constraints()
    change = referral.changes.get(move=act)
    assert (change.suggested, change.reason) == (cast.other_agency, "wrong_age")


def test_who_does_not_know_says_so(client_of, cast, make_referral):
    referral = make_referral("opened")
    client_of(cast.partner).post(page(referral, "decline"), WHY)
    assert referral.changes.get(move="decline").suggested is None


# -- times -------------------------------------------------------------------------------------------------------------


def test_a_time_alone_and_another_one(client_of, cast, make_referral):
    referral = make_referral("accepted")
    client = client_of(cast.partner)
    client.post(page(referral, "book"), {"warm": "alone", "at": SOON, "seen": drawn(client, referral, "book")})
    html = client.get(page(referral)).content.decode()
    assert "You have a time with the person" in html and "three-way" not in html.casefold().split("you have a time")[0]
    later = clock.local_time(clock.now() + dt.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    client.post(page(referral, "book"), {"warm": "warm", "at": later, "seen": drawn(client, referral, "book")})
    connection.check_constraints()
    held = Referral.objects.get(pk=referral.pk)
    assert (held.state, held.contact_kind, held.is_warm) == ("contact_booked", "warm", True)
    assert held.case.steps.planned().get(about=str(held.pk)).kind == "three_way_call"


def test_of_a_three_way_call_both_sides_tick(client_of, cast, make_warm):
    referral = make_warm()
    client = client_of(cast.partner)
    assert "Neither you nor the support line has ticked yet." in client.get(page(referral)).content.decode()
    data = {"seen": drawn(client, referral, "tick")}
    for _ in range(2):
        assert client.post(page(referral, "tick"), data).status_code == 302
    html = client.get(page(referral)).content.decode()
    assert "The support line has not yet." in html and f'action="{page(referral, "tick")}"' not in html
    assert LogEntry.objects.filter(event="referral.ticked", row=str(referral.pk)).count() == 1
    assert state_of(referral) == "contact_booked"
    actions.tick_spoke(by=cast.caseworker, referral=referral, who="owner")
    connection.check_constraints()
    assert state_of(referral) == "contact_made"


def test_our_tick_is_seen_by_them(client_of, cast, make_warm):
    referral = make_warm()
    actions.tick_spoke(by=cast.caseworker, referral=referral, who="owner")
    client = client_of(cast.partner)
    assert "Your tick is missing." in client.get(page(referral)).content.decode()
    client.post(page(referral, "tick"), {"seen": drawn(client, referral, "tick")})
    assert state_of(referral) == "contact_made"


def test_a_tick_before_the_time_is_refused_and_not_offered(client_of, cast, make_referral):
    referral = make_referral("accepted")
    actions.book(by=cast.partner, referral=referral, at=clock.now() + dt.timedelta(hours=5), warm=True)
    client = client_of(cast.partner)
    html = client.get(page(referral)).content.decode()
    assert "When the time comes you tick here" in html and f'action="{page(referral, "tick")}"' not in html
    assert client.post(page(referral, "tick"), {}).status_code == 422
    assert client.post(page(referral, "contact"), {}).status_code in (409, 422)  # nobody says it alone
    assert state_of(referral) == "contact_booked"


def test_a_missed_contact_is_ours_again_and_said_on_the_page(client_of, cast, make_referral):
    referral = make_referral("contact_booked")
    client = client_of(cast.partner)
    client.post(page(referral, "miss"), {"text": "Nobody there.", "seen": drawn(client, referral, "miss")})
    connection.check_constraints()
    html = client.get(page(referral)).content.decode()
    assert "The contact did not come about." in html and "book a new time" in html
    assert acts_for(Referral.objects.get(pk=referral.pk))[0].name == "book"
    step = referral.case.steps.planned().get(about=str(referral.pk))
    assert (step.kind, step.others_turn) == ("missed_contact", False)


def test_it_rests_and_says_until_when(client_of, cast, make_referral, at):
    with at("2026-11-23 10:00"):
        referral = make_referral("accepted")
        client = client_of(cast.partner)
        client.post(page(referral, "hold"), {"until": "2026-12-01", "seen": drawn(client, referral, "hold")})
        html = client.get(page(referral)).content.decode()
        assert "Rests until" in html and "2026-12-01" in html
        client.post(page(referral, "resume"), {"seen": drawn(client, referral, "resume")})
        connection.check_constraints()
        assert state_of(referral) == "accepted"


def test_times_begin_with_what_is_sensible(client_of, cast, make_referral, at):
    with at("2026-11-20 15:00"):  # a Friday
        form = client_of(cast.partner).get(page(make_referral("accepted"))).context["others"][0][1]
        begins = form.initial["at"]
        assert clock.local_time(begins).weekday() < 5 and begins > clock.now()
        assert not form.initial["warm"]  # who is to be on the line is chosen, not presumed


# -- somebody was first ------------------------------------------------------------------------------------------------


def test_a_question_that_is_sent_again_after_the_answer_makes_no_second(client_of, cast, make_referral):
    referral = make_referral("opened")
    client = client_of(cast.partner)
    data = {"text": "How old is he?", "seen": drawn(client, referral, "ask")}
    client.post(page(referral, "ask"), data)
    actions.answer_question(by=cast.caseworker, referral=referral, text="Sixteen.")
    answer = client.post(page(referral, "ask"), data)
    connection.check_constraints()
    assert referral.changes.filter(move="ask").count() == 1
    html = answer.content.decode()
    assert answer.status_code == 409 and "Anna was first" in html
    assert html.count("How old is he?") == 2  # as it was asked, and in the field again
    fresh = str(referral.changes.order_by("-at", "-id").first().pk)
    assert answer.context["answers"]["ask"]["seen"].value() == fresh  # who has read may ask again


def test_the_same_form_changed_and_sent_again_is_not_the_same_press(client_of, cast, make_referral):
    referral = make_referral("opened")
    client = client_of(cast.partner)
    data = {"handled_by": "Karin", "contact_by": SOON, "seen": drawn(client, referral, "accept")}
    assert client.post(page(referral, "accept"), data).status_code == 302
    assert client.post(page(referral, "accept"), data).status_code == 302
    answer = client.post(page(referral, "accept"), {**data, "handled_by": "Ida Ek"})
    assert answer.status_code == 409 and "Ida Ek" in answer.content.decode()
    assert Referral.objects.get(pk=referral.pk).handled_by == "Karin"


def test_a_colleague_was_first_and_the_words_are_given_back(client_of, cast, make_referral, fellow):
    referral = make_referral("opened")
    mine, theirs = client_of(cast.partner), client_of(fellow)
    seen = drawn(mine, referral, "accept")
    assert theirs.get(page(referral)).status_code == 200  # a colleague sees the same
    theirs.post(page(referral, "accept"), {"handled_by": "Ida", "contact_by": SOON, "seen": seen})
    answer = mine.post(page(referral, "decline"), {**WHY, "text": "We have no room for them.", "seen": seen})
    connection.check_constraints()
    html = answer.content.decode()
    assert (answer.status_code, state_of(referral)) == (409, "accepted")
    assert "Ida was first: the handover is already “Accepted”." in html and "We have no room for them." in html


def test_a_colleague_has_declined_and_the_words_are_given_back(client_of, cast, make_referral, fellow):
    referral = make_referral("opened")
    mine = client_of(cast.partner)
    seen = drawn(mine, referral, "ask")
    client_of(fellow).post(page(referral, "decline"), {**WHY, "seen": seen})
    answer = mine.post(page(referral, "ask"), {"text": "How old is the boy?", "seen": seen})
    html = answer.content.decode()
    assert answer.status_code == 409 and "Ida was first" in html and "How old is the boy?" in html
    assert not [words for words in CARD.values() if words in html]
    assert client_of(cast.other_partner).post(page(referral, "ask"), {"text": "How old?"}).status_code == 404


def test_words_to_what_was_taken_back_are_given_back(client_of, cast, make_referral):
    referral = make_referral("accepted")
    client = client_of(cast.partner)
    seen = drawn(client, referral, "contact")
    actions.withdraw(by=cast.caseworker, referral=referral, reason="changed_mind", text="Between us.")
    answer = client.post(page(referral, "contact"), {"text": "We have met her.", "seen": seen})
    html = answer.content.decode()
    assert answer.status_code == 409 and "We have met her." in html and page(referral) in html
    assert "Between us." not in html and not [words for words in CARD.values() if words in html]


def test_what_the_owner_did_meanwhile_is_read_first(client_of, cast, make_referral):
    referral = make_referral("accepted")
    client = client_of(cast.partner)
    seen = drawn(client, referral, "book")
    actions.book(
        by=cast.caseworker, referral=referral, at=clock.now() + dt.timedelta(hours=2), who="owner", way="phone"
    )
    answer = client.post(page(referral, "book"), {"warm": "alone", "at": SOON, "text": "At ours.", "seen": seen})
    assert answer.status_code == 409 and "At ours." in answer.content.decode()
    assert referral.changes.filter(move="book").count() == 1


# -- taken back --------------------------------------------------------------------------------------------------------


def test_what_was_taken_back_is_first_until_they_have_stopped(client_of, cast, make_referral, fellow):
    other = make_referral("opened")
    referral = make_referral("accepted")
    actions.withdraw(by=cast.caseworker, referral=referral, reason="other", text="Between us.")
    client = client_of(cast.partner)
    inbox = client.get("/portal/").content.decode()
    assert inbox.index(page(referral)) < inbox.index(page(other))
    html = client.get(page(referral)).content.decode()
    assert "A handover was taken back" in html and "We have stopped" in html
    main = html[html.index("portal-title") :]
    hidden = [*CARD.values(), "Between us.", referral.need_name, referral.case.code, "Handed"]
    assert not [words for words in hidden if words in main]
    assert client_of(cast.other_partner).get(page(referral)).status_code == 404
    assert client.get(page(referral, "confirm")).status_code == 405
    assert client_of(cast.other_partner).post(page(referral, "confirm")).status_code == 404
    assert client_of(cast.caseworker).post(page(referral, "confirm")).status_code == 403
    Notice.objects.all().delete()
    for one in (client, client_of(fellow)):  # twice does it once
        assert one.post(page(referral, "confirm")).status_code == 302
    connection.check_constraints()
    assert referral.changes.filter(move="confirm", by=cast.partner).count() == 1
    assert Notice.objects.filter(kind="referral.confirmed", user=cast.caseworker).count() == 1
    assert LogEntry.objects.filter(event="referral.confirmed", row=str(referral.pk)).count() == 1
    assert client.get(page(referral)).status_code == 404
    assert page(referral) not in client.get("/portal/").content.decode()


def test_only_what_was_taken_back_is_confirmed(client_of, cast, make_referral):
    for state in ("opened", "accepted", "declined", "completed"):
        referral = make_referral(state)
        assert client_of(cast.partner).post(page(referral, "confirm")).status_code == 404
        assert not referral.changes.filter(move="confirm").exists()


# -- access ends -------------------------------------------------------------------------------------------------------


def test_access_ends_by_itself_on_the_day_that_is_shown(client_of, cast, make_referral, at):
    with at("2026-11-23 10:00"):
        referral = make_referral("accepted")
        client = client_of(cast.partner)
        last = Referral.objects.get(pk=referral.pk).access_until
        assert last == dt.date(2026, 12, 23)  # a month's consent ends sooner than 90 days
        assert (
            'Your access ends <time datetime="2026-12-23" class="nowrap">23 Dec 2026</time>'
            in client.get(page(referral)).content.decode()
        )
    with at("2026-12-23 23:00"):
        assert client_of(cast.partner).get(page(referral)).status_code == 200
    with at("2026-12-24 00:01"):
        client = client_of(cast.partner)
        assert client.get(page(referral)).status_code == 404
        assert page(referral) not in client.get("/portal/").content.decode()
        answer = client.post(page(referral, "contact"), {"text": "We met her."})
        html = answer.content.decode()
        assert answer.status_code == 409 and "We met her." in html and "This handover is no longer with you." in html
        assert state_of(referral) == "accepted" and not [words for words in CARD.values() if words in html]


# -- exactly the card --------------------------------------------------------------------------------------------------


def test_what_an_agency_sees_is_exactly_the_card(client_of, cast, make_case, make_draft):
    """Every sealed field holds a word of its own; on the page stand those of the card and no other."""
    sealed = sorted(Referral.Privacy.personal - {"handled_by"})
    words = {field: f"Xx{field.title().replace('_', '')}" for field in sealed}
    case = make_case(track="B", identity="named", caller_name="Xxcaller", phone="0701112233", notes={"told": "Xxnote"})
    draft = make_draft(case=case, **words)
    sent = actions.send(by=cast.caseworker, referral=draft)
    client, written = client_of(cast.partner), {*words.values(), "Xxcaller", "Xxnote"}

    def shown() -> set[str]:
        html = client.get(page(sent)).content.decode() + client.get("/portal/").content.decode()
        return {word for word in written if re.search(rf"\b{word}\b", html)}  # a token may begin as any of them

    assert shown() == {words[field] for field in CARD}, shown()
    client.post(page(sent, "accept"), {"handled_by": "Frida", "contact_by": SOON})
    assert shown() == {words[field] for field in [*CARD, "name", "phone"]}
    client.post(page(sent, "contact"), {"text": "Met."})
    assert shown() == {words[field] for field in [*CARD, "name", "phone"]}
    consent = Referral.objects.get(pk=sent.pk).consent
    actions.withdraw_consent(by=cast.caseworker, consent=consent)
    assert shown() == set()


def test_nothing_of_what_we_tell_each_other_is_shown(client_of, cast, make_referral):
    referral = make_referral("accepted")
    for move, by in [("miss", cast.caseworker)]:
        actions.contact_missed(by=by, referral=referral, who="owner", text="Xxours")
        assert referral.changes.filter(move=move).exists()
    html = client_of(cast.partner).get(page(referral)).content.decode()
    assert "Xxours" not in html


def test_the_card_says_what_not_to_ask_again(client_of, cast, make_referral):
    html = client_of(cast.partner).get(page(make_referral("accepted"))).content.decode()
    part = html[html.index('data-part="dont_ask"') :]
    assert CARD["dont_ask"] in part[: part.index("</div>")]


# -- whose account or agency is switched off ---------------------------------------------------------------------------


def test_who_is_switched_off_sees_nothing(client_of, cast, make_referral, fellow):
    referral = make_referral("withdrawn")
    open_one = make_referral("accepted")
    client = client_of(cast.partner)
    User.objects.filter(pk=cast.partner.pk).update(is_active=False)
    for one in (referral, open_one):
        assert client.get(page(one)).status_code in (302, 403)
    assert client_of(fellow).get(page(open_one)).status_code == 200
    PartnerAgency.objects.filter(pk=cast.agency.pk).update(is_active=False)
    for one in (referral, open_one):
        assert client_of(fellow).get(page(one)).status_code == 404
        assert client_of(fellow).post(page(one, "contact"), {"text": "Met."}).status_code == 404
    assert StateChange.objects.filter(referral=open_one, move="contact").count() == 0
    assert FollowUp.objects.planned().filter(about=str(open_one.pk)).exists()
