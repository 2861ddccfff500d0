"""Track, identity, actualisation and protection: in the call, and later in the case."""

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Municipality
from intake import actions
from intake.models import BoardDecision, Call, Case, Event, Person

NAME = "Maria Ek"
SAID = "Say first what giving a name means"


@pytest.fixture
def mine(cast, client_of):
    return client_of(cast.caseworker)


@pytest.fixture
def no_identity(cast):
    """The board has decided that support without assessment is documented without identity."""
    return BoardDecision.objects.create(
        municipality=Municipality.objects.get(pk="1496"),
        kind="support_without_identity",
        value=1,
        valid_from=clock.today(),
        registry_number="SN 2026/14",
    )


def ongoing(cast, **facts) -> Call:
    call = actions.start_call(by=cast.caseworker)
    return actions.save_call(by=cast.caseworker, call=call, facts=facts) if facts else call


def save(client, call, **data):
    return client.post(reverse("intake:call-save", args=[call.pk]), {k.replace("__", "."): v for k, v in data.items()})


def page(client, call) -> str:
    return client.get(reverse("intake:call", args=[call.pk])).content.decode()


# -- in the call ---


def test_advice_has_no_field_for_a_name(mine, cast):
    html = page(mine, ongoing(cast))
    assert 'name="caller_name"' not in html and 'name="identity"' not in html
    assert 'name="a.named"' in html  # it may still be said


@pytest.mark.parametrize("track", ["B", "C"])
def test_the_name_comes_when_naming_is_explained(track, mine, cast):
    call = ongoing(cast, track=track)
    html = page(mine, call)
    assert 'name="caller_name"' not in html and 'name="identity"' in html
    assert html.count('name="a.named"') == 1 and "If you give your name" in html
    save(mine, call, present="a.named", a__named="said")
    assert 'name="caller_name"' in page(mine, call)


@pytest.mark.parametrize("track", ["A", "B", "C"])
def test_a_name_without_that_is_refused_at_its_place_and_its_words_stay(track, mine, cast):
    call = ongoing(cast, track=track)
    answer = save(mine, call, caller_name=NAME, municipality="1496")
    html = answer.content.decode()
    assert answer.status_code == 422 and f'value="{NAME}"' in html and "id_caller_name_error" in html
    assert (SAID in html) == (track != "A")
    call.refresh_from_db()
    assert call.caller_name == "" and call.municipality_id == "1496"  # the rest is kept


def test_the_action_refuses_it_too(cast):
    with pytest.raises(Refused, match=SAID):
        ongoing(cast, track="C", caller_name=NAME)
    with pytest.raises(Refused, match="without identity"):
        ongoing(cast, track="A", caller_name=NAME)


def test_the_name_and_the_tick_come_in_one_save(mine, cast):
    call = ongoing(cast)
    assert save(mine, call, track="B", present="a.named", a__named="said", caller_name=NAME).status_code == 303
    call.refresh_from_db()
    assert call.caller_name == NAME


def test_anonymous_with_a_name_is_said_and_put_right_by_one_press(mine, cast):
    call = ongoing(cast, track="B")
    save(mine, call, present="a.named", a__named="said", caller_name=NAME)
    assert "stands as anonymous" in page(mine, call)
    facts = {"caller_type": "other", "urgency": "NORMAL"}
    answer = mine.post(reverse("intake:call-complete", args=[call.pk]), facts)
    assert answer.status_code == 422 and "id_identity_error" in answer.content.decode()
    save(mine, call, identity="pseudonym")
    assert "stands as anonymous" not in page(mine, call)
    assert mine.post(reverse("intake:call-complete", args=[call.pk]), facts).status_code == 303
    connection.check_constraints()


def test_a_slip_of_track_keeps_everything_and_completing_on_a_erases_the_name(mine, make_call, cast):
    call = make_call(track="C", caller_name=NAME, notes={"seen": "Words."})
    save(mine, call, track="A")
    assert "A name is written under another track" in page(mine, call)
    save(mine, call, track="C")
    call.refresh_from_db()
    assert (call.caller_name, call.identity) == (NAME, "named")
    save(mine, call, track="A", urgency="NORMAL", confirm="NORMAL")
    done = actions.complete_call(by=cast.caseworker, call=call)
    assert (done.caller_name, done.identity) == ("", "anonymous")
    connection.check_constraints()


def test_the_boards_decision_takes_identity_from_b_alone(mine, cast, no_identity):
    call = ongoing(cast, track="B")
    html = page(mine, call)
    assert "SoL 14:5" in html and 'name="caller_name"' not in html and 'name="identity"' not in html
    answer = save(mine, call, present="a.named", a__named="said", caller_name=NAME)
    assert answer.status_code == 422 and "SoL 14:5" in answer.content.decode()
    save(mine, call, track="C", present="a.named", a__named="said")
    assert 'name="caller_name"' in page(mine, call)


def test_another_municipalitys_decision_is_not_ours(mine, cast, no_identity):
    BoardDecision.objects.update(municipality="1493")
    assert 'name="identity"' in page(mine, ongoing(cast, track="B"))


# -- actualisation ---


def test_actualisation_is_asked_where_a_case_comes(mine, cast):
    call = ongoing(cast)
    assert 'name="actualisation"' not in page(mine, call)
    save(mine, call, present="open_case", open_case="yes")
    html = page(mine, call)
    assert 'name="actualisation"' in html and "SoL 14:2" in html


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({}, "id_actualisation_error"),
        ({"actualisation": "no"}, "id_actualisation_reason_error"),
        ({"actualisation": "yes", "actualisation_reason": "A child."}, "id_track_error"),
    ],
)
def test_what_is_missing_is_said_at_its_place(given, at, mine, cast):
    call = ongoing(cast)
    facts = {"caller_type": "relative", "urgency": "NORMAL", "present": "open_case", "open_case": "yes", **given}
    answer = mine.post(reverse("intake:call-complete", args=[call.pk]), facts)
    assert answer.status_code == 422 and at in answer.content.decode()


def test_it_is_decided_anew_in_the_case(mine, make_case):
    case = make_case(track="C")
    url = reverse("intake:case-track", args=[case.slug])
    data = {"part": "actualisation", "actualisation": "yes", "actualisation_reason": "A report came."}
    for _ in range(2):
        assert mine.post(url, data).status_code == 302
    connection.check_constraints()
    case.refresh_from_db()
    assert case.actualisation == "yes"
    assert Event.objects.filter(case=case, kind="actualisation.decided").count() == 2  # that of the call, and this
    answer = mine.post(reverse("intake:case-track", args=[make_case().slug]), data)
    assert answer.status_code == 422 and "documented on track C" in answer.content.decode()


# -- later in the case ---


def change(client, case, **data):
    data = {"part": "track", "track": case.track, "identity": case.identity, "why": "The person wants it.", **data}
    answer = client.post(reverse("intake:case-track", args=[case.slug]), data)
    connection.check_constraints()
    case.refresh_from_db()
    return answer


def caller(case: Case) -> str:
    return case.people.get(part="caller").name


def test_up_takes_the_tick_and_gives_the_name(mine, make_case, cast):
    case = make_case()
    owner, step = case.owner, case.steps.get()
    answer = change(mine, case, track="C", identity="named", name=NAME)
    assert answer.status_code == 422 and SAID in answer.content.decode() and NAME in answer.content.decode()
    assert (case.track, caller(case)) == ("A", "")
    for _ in range(2):
        assert change(mine, case, track="C", identity="named", name=NAME, told="on").status_code == 302
    assert (case.track, case.identity, caller(case)) == ("C", "named", NAME)
    assert (case.owner, case.steps.get()) == (owner, step)
    assert Event.objects.get(case=case, kind="track.changed").text == "The person wants it."
    row = LogEntry.objects.get(event="track.changed", case=case.pk)
    assert row.codes == {"track": "C", "was": "A", "identity": "named"}
    assert NAME in mine.get(reverse("intake:case", args=[case.slug])).content.decode()


def test_up_without_a_name_takes_the_tick_too(mine, make_case):
    assert change(mine, make_case(), track="B").status_code == 422
    assert change(mine, make_case(), track="B", told="on").status_code == 302


def test_a_reason_is_always_given(mine, make_case):
    answer = change(mine, make_case(), track="B", told="on", why="")
    assert answer.status_code == 422


def test_down_erases_the_name_everywhere(mine, make_case):
    case = make_case(track="B", caller_name=NAME)
    assert change(mine, case, track="A", identity="anonymous").status_code == 302
    assert (case.track, case.identity, caller(case), case.calls.get().caller_name) == ("A", "anonymous", "", "")
    assert NAME not in mine.get(reverse("intake:case", args=[case.slug])).content.decode()


def test_identity_goes_down_on_c_and_what_was_documented_stays_in_the_timeline(mine, make_case):
    case = make_case(track="C", caller_name=NAME)
    assert change(mine, case, identity="anonymous").status_code == 302
    assert caller(case) == ""
    assert NAME in Event.objects.get(case=case, kind="track.changed").text
    assert NAME not in str(LogEntry.objects.filter(case=case.pk).values())


@pytest.mark.parametrize("track", ["A", "B"])
def test_a_personal_file_is_not_unmade(track, mine, make_case):
    case = make_case(track="C", caller_name=NAME)
    answer = change(mine, case, track=track, identity="anonymous")
    assert answer.status_code == 422 and "not unmade" in answer.content.decode()
    assert (case.track, caller(case)) == ("C", NAME)


def test_a_name_and_anonymous_contradict(mine, make_case):
    answer = change(mine, make_case(track="C"), identity="anonymous", name=NAME, told="on")
    assert answer.status_code == 422 and "stands as anonymous" in answer.content.decode()


def test_a_later_call_lifts_the_track_and_never_lowers_it(make_case, make_call, cast):
    case = make_case(track="B", caller_name=NAME)
    for track, expected in (("C", "C"), ("A", "C")):
        call = make_call(track=track, urgency="NORMAL", protection="secrecy_marking")
        Call.objects.filter(pk=call.pk).update(case=case)
        actions.complete_call(by=cast.caseworker, call=Call.objects.get(pk=call.pk))
        connection.check_constraints()
        case.refresh_from_db()
        assert (case.track, case.protection, caller(case)) == (expected, "secrecy_marking", NAME)
    assert Event.objects.filter(case=case, kind="track.changed").count() == 1


def test_who_may(cast, client_of, make_case):
    url = reverse("intake:case-track", args=[make_case().slug])
    assert client_of(cast.partner).get(url).status_code == 403
    assert client_of(cast.keeper).post(url).status_code == 403
    assert client_of(cast.stranger).get(url).status_code == 404
    assert "/reason/" in client_of(cast.colleague).get(url).url
    answer = client_of(cast.caseworker).post(url)
    assert answer.status_code == 422


def test_what_it_is_called(make_case):
    nouns = {track: make_case(track=track).noun for track in "ABC"}
    assert nouns == {"A": "Advice", "B": "Support", "C": "Case"}


# -- hints ---


def test_on_track_a_the_page_says_what_may_point_somebody_out(mine, cast):
    call = ongoing(cast)
    assert save(mine, call, n__seen="Hans nummer är 0701234567.", a__r_event="Kerstin ringde").status_code == 303
    html = page(mine, call)
    assert "may point somebody out: 0701…" in html and "0701234567" in html  # the words are not altered
    save(mine, call, track="C")
    assert "may point somebody out" not in page(mine, call)


def test_a_note_of_advice_warns_once_and_is_saved_anyway(mine, make_case):
    case = make_case()
    url, data = reverse("intake:note-add", args=[case.slug]), {"kind": "told", "text": "Kerstin ringde henne."}
    answer = mine.post(url, data)
    html = answer.content.decode()
    assert answer.status_code == 422 and "Kerstin" in html and 'name="anyway"' in html
    assert mine.post(url, {**data, "anyway": "yes"}).status_code == 302
    assert case.notes.get().text == data["text"]
    other = make_case(track="C")
    assert mine.post(reverse("intake:note-add", args=[other.slug]), data).status_code == 302


# -- a name is not handed over for advice ---


def test_a_handover_of_advice_has_no_name(mine, make_case, cast):
    from referrals import actions as referrals
    from referrals.drawn import mark_of

    case = make_case()
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    url = reverse("referrals:referral", args=[draft.pk])
    html = mine.get(url).content.decode()
    assert 'name="name"' not in html and 'name="phone"' not in html
    assert reverse("intake:case-track", args=[case.slug]) in html
    answer = mine.post(url, {"age_band": "15-17", "name": NAME, "drawn": mark_of(draft)})
    assert answer.status_code == 422 and "Change the track first" in answer.content.decode()
    with pytest.raises(Refused, match="Change the track first"):
        referrals.save_draft(by=cast.caseworker, referral=draft, words={"name": NAME})


def test_what_was_typed_before_the_track_went_down_is_not_sent(make_case, cast):
    from referrals import actions as referrals

    case = make_case(track="B", caller_name=NAME)
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    words = {"ask": "Meet.", "happened": "This.", "ground": "DUTY", "ground_reason": "Worry.", "name": NAME}
    draft = referrals.save_draft(by=cast.caseworker, referral=draft, words=words)
    actions.change_track(by=cast.caseworker, case=case, track="A", identity="anonymous", why="Wants it.")
    with pytest.raises(Refused, match="Change the track first"):
        referrals.send(by=cast.caseworker, referral=draft)


def test_who_was_taken_off_the_list_loses_the_name_too(make_case, cast):
    case = make_case(track="B")
    person = actions.add_person(by=cast.caseworker, case=case, facts={"part": "household", "name": NAME})
    actions.remove_person(by=cast.caseworker, person=person)
    actions.change_track(by=cast.caseworker, case=case, track="A", identity="anonymous", why="Why")
    assert not Person.everybody.get(pk=person.pk).name
