"""A draft's page: four parts, the receiver's view, saved, sent, thrown away."""

import datetime as dt

import pytest
from django.db import connection

from helpline.people import clock
from helpline.people.models import LogEntry
from intake import actions as intake_actions
from intake.models import Person
from referrals import actions
from referrals.drawn import mark_of
from referrals.models import Referral
from referrals.sight import sight
from tests.referrals.conftest import CARD


def page(draft, act="") -> str:
    return f"/handovers/{draft.pk}/{act}"


def filled(draft, **rest) -> dict:
    """The form as a browser sends it back untouched, but for what is changed."""
    kept = {
        **{field: getattr(draft, field) for field in [*CARD, "name", "phone", "ground", "ground_reason", "age_band"]},
        "consent_form": draft.consent.form if draft.consent else "",
        "consent_until": draft.consent.valid_until.isoformat() if draft.consent else "",
        "approved": "kept" if draft.approved_at else "",
        "drawn": mark_of(fresh(draft)),
    }
    return {**kept, **rest}


def fresh(draft) -> Referral:
    return Referral.objects.select_related("case__key", "agency", "consent").get(pk=draft.pk)


def test_the_preview_is_what_the_portal_shows(client_of, cast, make_draft):
    draft = make_draft()
    seen = client_of(cast.caseworker).get(page(draft)).context["sight"]
    actions.send(by=cast.caseworker, referral=draft)
    theirs = client_of(cast.partner).get(f"/portal/{draft.pk}/").context["sight"]
    assert seen.parts == theirs.parts
    assert (seen.title, seen.urgency, seen.notes, seen.identity_waits) == (
        *(theirs.title, theirs.urgency, theirs.notes, theirs.identity_waits),
    )


def test_only_possible_grounds_are_offered_and_the_others_say_why(client_of, cast, make_draft):
    answer = client_of(cast.caseworker).get(page(make_draft()))
    html = answer.content.decode()
    assert 'value="DUTY"' in html and 'value="U21_CRIME"' not in html
    whys = {ground.code: why for ground, why in answer.context["form"].impossible}
    assert whys["U21_CRIME"] == "not for this kind of receiver"
    assert whys["MOVE_CASE"] == "not switched on by the municipality"


def test_saving_writes_everything_and_sends_nothing(client_of, cast, make_draft, make_case):
    draft = make_draft(case=make_case(track="B"))
    changed = {**{field: f"new {field}" for field in CARD}, "approved": "now", "name": "Maria", "phone": "070"}
    answer = client_of(cast.caseworker).post(page(draft), filled(draft, **changed))
    connection.check_constraints()
    assert answer.headers["Location"] == page(draft)
    saved = fresh(draft)
    assert {field: getattr(saved, field) for field in changed if field != "approved"} == {
        field: words for field, words in changed.items() if field != "approved"
    }
    assert (saved.state, saved.approved_at is not None) == ("draft", True)
    assert LogEntry.objects.filter(event="referral.used", row=str(draft.pk), case=draft.case_id).exists()


@pytest.mark.parametrize("tick, stays", [("kept", False), ("now", True), ("", False)])
def test_a_changed_text_is_approved_only_when_it_is_ticked_anew(client_of, cast, make_draft, tick, stays):
    draft = make_draft()
    client_of(cast.caseworker).post(page(draft), filled(draft, fears="Another fear.", approved=tick))
    assert (fresh(draft).approved_at is not None) is stays


def test_an_unchanged_text_keeps_its_approval_through_a_browsers_line_ends(client_of, cast, make_draft):
    draft = make_draft(happened="One line.\nAnother.")
    client_of(cast.caseworker).post(page(draft), filled(draft, happened="One line.\r\nAnother."))
    assert fresh(draft).approved_at == draft.approved_at


def test_another_age_takes_the_ground_that_is_no_longer_possible(client_of, cast, make_draft):
    draft = make_draft(ground="DUTY", ground_reason="A child.")
    client = client_of(cast.caseworker)
    answer = client.post(page(draft), filled(draft, age_band="18-19", at_ground="1", wants="Kept."), follow=True)
    saved = fresh(draft)
    assert (saved.age_band, saved.ground, saved.wants) == ("18-19", "", "Kept.")
    assert answer.redirect_chain[0][0] == page(draft) + "#ground"
    assert "not possible for this age" in answer.content.decode()
    assert "DUTY" not in {ground.code for ground in answer.context["form"].possible}
    assert draft.case.age_band == "15-17"  # the case's own is another matter


def test_the_age_that_stands_alone_in_the_card_follows(client_of, cast, make_draft):
    draft = make_draft(about="15–17 years")
    client_of(cast.caseworker).post(page(draft), filled(draft, age_band="12-14", approved="now"))
    saved = fresh(draft)
    assert (saved.about, saved.approved_at) == ("12–14 years", None)
    client_of(cast.caseworker).post(page(draft), filled(saved, about="My own words.", age_band="15-17"))
    assert fresh(draft).about == "My own words."


def test_name_and_number_are_filled_in_only_when_asked_for(client_of, cast, make_draft, make_case):
    draft = make_draft(case=make_case(track="B", identity="named", caller_name="Maria Ek", phone="070-123"))
    client = client_of(cast.caseworker)
    client.post(page(draft), filled(draft))
    assert (fresh(draft).name, fresh(draft).phone) == ("", "")
    client.post(page(draft), filled(draft, fill_in="on", phone="0500-1"))
    assert (fresh(draft).name, fresh(draft).phone) == ("Maria Ek", "0500-1")


def test_the_number_of_the_case_is_filled_in_for_its_owner_alone(client_of, cast, make_draft):
    draft = make_draft()
    kept = {"phone": "0709-1", "phone_until": clock.now() + dt.timedelta(days=1)}
    Person.objects.filter(case=draft.case).delete()
    Person.objects.create(case=draft.case, part="caller", name="Maria Ek", **kept)
    draft.case.__class__.objects.filter(pk=draft.case_id).update(track="B")
    intake_actions.open_with_reason(by=cast.colleague, case=draft.case, reason="owner_away")
    colleague, owner = client_of(cast.colleague), client_of(cast.caseworker)
    assert "the number" not in colleague.get(page(draft)).content.decode()
    colleague.post(page(draft), filled(draft, fill_in="on"))
    assert (fresh(draft).name, fresh(draft).phone) == ("Maria Ek", "")
    html = owner.get(page(draft)).content.decode()
    assert "0709-1" not in html and "the number" in html  # shown nowhere but on the page of reaching the person
    owner.post(page(draft), filled(draft, fill_in="on"))
    assert fresh(draft).phone == "0709-1"


def test_advice_offers_no_name_to_fill_in(client_of, cast, make_draft):
    draft = make_draft()
    Person.objects.filter(case=draft.case, part="caller").delete()
    Person.objects.create(case=draft.case, part="caller", name="Maria Ek")
    assert "Maria" not in client_of(cast.caseworker).get(page(draft)).content.decode()
    client_of(cast.caseworker).post(page(draft), filled(draft, fill_in="on"))
    assert fresh(draft).name == ""


def test_a_consent_is_written_down_as_it_was_given(client_of, cast, make_draft):
    draft = make_draft(ground="DUTY", ground_reason="x")
    until = clock.today() + dt.timedelta(days=20)
    client = client_of(cast.caseworker)
    client.post(page(draft), filled(draft, ground="CONSENT_GUARDIAN", consent_until=until.isoformat()))
    assert fresh(draft).consent is None  # nobody has said how it was given
    client.post(
        page(draft), filled(draft, ground="CONSENT_GUARDIAN", consent_form="written", consent_until=until.isoformat())
    )
    given = fresh(draft).consent
    assert (given.form, given.valid_until, given.given_by, given.agency) == ("written", until, "guardian", cast.agency)


@pytest.mark.parametrize(
    "slip", [{"consent_until": "2020-01-01"}, {"age_band": "old"}, {"ground": "WISH"}, {"ask": "x" * 5001}]
)
@pytest.mark.parametrize("act", ["", "send/"])
def test_a_form_that_is_refused_comes_back_filled_in(client_of, cast, make_draft, slip, act):
    draft = make_draft()
    answer = client_of(cast.caseworker).post(page(draft, act), filled(draft, tried="Typed a moment ago.", **slip))
    assert answer.status_code == 422
    html = answer.content.decode()
    assert html.count("Typed a moment ago.") == 2  # in its field, and in the receiver's view
    assert fresh(draft).tried == CARD["tried"]
    assert fresh(draft).state == "draft"


def test_sending_saves_first_then_sends(client_of, cast, make_draft):
    draft = make_draft()
    answer = client_of(cast.caseworker).post(page(draft, "send/"), filled(draft, wants="Written last.", approved="now"))
    connection.check_constraints()
    assert answer.status_code == 302
    sent = fresh(draft)
    assert (sent.state, sent.wants) == ("sent", "Written last.")
    assert LogEntry.objects.get(event="referral.sent").codes["ground"] == "CONSENT_GUARDIAN"


def test_what_is_missing_comes_back_listed_and_nothing_is_lost(client_of, cast, make_draft):
    draft = make_draft()
    answer = client_of(cast.caseworker).post(page(draft, "send/"), filled(draft, ask="", tried="Typed a moment ago."))
    assert answer.status_code == 422
    assert set(answer.context["missing"]) == {
        "Say what the agency is asked to do.",
        "Read the text aloud to the caller and tick that it is approved.",
    }
    html = answer.content.decode()
    assert html.index("Say what the agency is asked to do.") < html.index("formaction")
    assert (fresh(draft).state, fresh(draft).tried) == ("draft", "Typed a moment ago.")


def test_sending_twice_sends_once(client_of, cast, make_draft):
    draft = make_draft()
    client = client_of(cast.caseworker)
    assert [client.post(page(draft, "send/"), filled(draft)).status_code for _ in range(2)] == [302, 422]
    assert draft.changes.filter(move="send").count() == 1


def test_a_draft_is_thrown_away_once(client_of, cast, make_draft):
    draft = make_draft()
    client = client_of(cast.caseworker)
    assert client.post(page(draft, "discard/")).headers["Location"] == f"/cases/{draft.case.slug}/"
    assert client.post(page(draft, "discard/")).status_code == 404
    assert not Referral.objects.exists()


def test_what_is_sent_is_not_thrown_away(client_of, cast, make_referral):
    sent = make_referral("sent")
    assert client_of(cast.caseworker).post(page(sent, "discard/")).headers["Location"] == page(sent)
    assert Referral.objects.filter(pk=sent.pk).exists()


@pytest.mark.parametrize("act", ["send/", "discard/"])
def test_nothing_is_changed_by_a_get(client_of, cast, make_draft, act):
    draft = make_draft()
    assert client_of(cast.caseworker).get(page(draft, act)).status_code == 405
    assert fresh(draft).state == "draft"


@pytest.mark.parametrize("act", ["", "send/", "discard/"])
def test_who_may_compose(client_of, cast, make_draft, act):
    draft = make_draft()
    expected = {"stranger": 404, "other_manager": 404, "partner": 403, "other_partner": 403, "keeper": 403}
    for name, status in expected.items():
        assert (
            client_of(cast.everybody()[name]).post(page(draft, act), filled(draft, ask="Mine.")).status_code == status
        ), name
    for name in ("colleague", "manager"):
        answer = client_of(cast.everybody()[name]).post(page(draft, act), filled(draft, ask="Mine."))
        html = answer.content.decode()
        assert answer.status_code == 403 and "/reason/" in html and "Mine." in html, name  # the words are given back
    assert (fresh(draft).ask, fresh(draft).state) == (CARD["ask"], "draft")
    assert LogEntry.objects.filter(event="referral.refused", row=str(draft.pk)).count() == 2


def test_the_page_says_what_happens_on_silence(client_of, cast, make_draft, at):
    with at("2026-11-23 10:00"):
        draft = make_draft()
        html = client_of(cast.caseworker).get(page(draft)).content.decode()
    assert "wed 25 nov 12:00" in html.lower() and "thu 26 nov 09:00" in html.lower()


def test_the_note_on_consent_is_shown_only_while_it_holds(make_draft, cast):
    draft = make_draft()
    assert any("guardian has consented" in note for note in sight(draft).notes)
    with clock.at(clock.now() + dt.timedelta(days=31)):
        assert not any("consented" in note for note in sight(draft).notes)
    other = actions.save_draft(by=cast.caseworker, referral=draft, words={"ground": "DUTY"})
    assert not any("consented" in note for note in sight(other).notes)
