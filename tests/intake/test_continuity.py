"""Calling again: the number and the passphrase, guessing, what the answering worker sees, and what a call adds to its case."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Absence, LogEntry, Notice, User
from intake import actions
from intake.actions import cases, claims, continuity
from intake.actions.continuity import hash_phrase
from intake.actions.steps import first_step_due
from intake.codes import new_code, spoken
from intake.models import Call, Case, CaseOpening, Claim
from tests.conftest import NO_ACTUALISATION

pytestmark = pytest.mark.django_db
PHRASE = "Blå häst, röd sten"


@pytest.fixture
def case(make_case, cast) -> Case:
    """A case of Anna's, whose caller chose a passphrase."""
    found = make_case(notes={"seen": "He said it aloud"}, answers={"r_violence": "yes"})
    actions.set_passphrase(by=cast.caseworker, case=found, phrase=PHRASE)
    return Case.objects.select_related("key", "owner", "unit").get(pk=found.pk)


@pytest.fixture
def call(cast) -> Call:
    """A call that Bert answers."""
    return actions.start_call(by=cast.colleague)


def claim(cast, call, number, phrase="", by=None):
    return actions.claim_case(by=by or cast.colleague, call=call, number=number, phrase=phrase)


def finish(cast, call, by=None, urgency="NORMAL", answers=None, **facts):
    by = by or cast.colleague
    facts = {"caller_type": "relative", "urgency": urgency, "urgency_reason": "as told", **NO_ACTUALISATION, **facts}
    actions.save_call(by=by, call=call, facts=facts, answers=answers or {})
    done = actions.complete_call(by=by, call=call)
    connection.check_constraints()
    return done


def close(cast, case):
    *others, last = case.open_steps
    for step in others:
        actions.finish_step(by=cast.caseworker, step=step)
    actions.finish_step(by=cast.caseworker, step=last, close="needs_met")
    connection.check_constraints()


# -- the claim ---------------------------------------------------------------------------------------------------------


def test_number_and_passphrase_join_the_case(cast, case, call):
    said = case.number.upper().replace("-", " ")
    assert claim(cast, call, said, " blåHÄST  röd sten ") == case
    call.refresh_from_db()
    assert call.case_id == case.pk
    right = Claim.objects.get()
    assert (right.is_right, right.case_id, right.by) == (True, case.pk, cast.colleague)
    assert LogEntry.objects.filter(event="case.claimed", case=case.pk, call=call.pk, user=cast.colleague).count() == 1
    opening = CaseOpening.objects.get(case=case)
    assert (opening.user, opening.reason) == (cast.colleague, "caller_on_line")
    assert case.events.filter(kind="case.opened_by_other", by=cast.colleague).exists()
    connection.check_constraints()


def test_without_a_passphrase_the_number_is_enough(cast, make_case, call):
    case = make_case()
    assert claim(cast, call, case.number, "whatever they say") == case


def test_its_own_worker_needs_no_opening(cast, case):
    call = actions.start_call(by=cast.caseworker)
    claim(cast, call, case.number, PHRASE, by=cast.caseworker)
    assert not CaseOpening.objects.exists()


def test_twice_does_it_once(cast, case, call):
    claim(cast, call, case.number, PHRASE)
    claim(cast, call, case.number, PHRASE)
    assert Claim.objects.count() == CaseOpening.objects.count() == 1


@pytest.mark.parametrize("phrase", ["", "bla hast, rod sten", "blå häst", PHRASE + "a"])
def test_a_wrong_passphrase_is_refused(cast, case, call, phrase):
    with pytest.raises(Refused):
        claim(cast, call, case.number, phrase)
    call.refresh_from_db()
    assert call.case_id is None and not CaseOpening.objects.exists()


def test_every_wrong_claim_is_told_alike_and_counted(cast, case, make_case, call, monkeypatch):
    others = make_case(by=cast.stranger)
    hashed = []
    for name in ("make_password", "check_password"):
        real = getattr(claims, name)
        monkeypatch.setattr(claims, name, lambda *given, real=real, name=name: hashed.append(name) or real(*given))
    wrong = [(case.number, "wrong"), (others.number, ""), ("Sten-Lampa 42", PHRASE), ("no number at all", "")]
    told = []
    for number, phrase in wrong:
        with pytest.raises(Refused) as refused:
            claim(cast, call, number, phrase)
        told.append((str(refused.value), refused.value.at))
    assert len(set(told)) == 1 and told[0][1] == "again_number"
    assert len(hashed) == len(wrong)  # each takes the time of one hash
    rows = list(Claim.objects.order_by("at"))
    assert [row.case_id for row in rows] == [case.pk, None, None, None]  # another unit's is not there at all
    assert not any(row.is_right for row in rows)
    log = LogEntry.objects.filter(event="claim.wrong", call=call.pk)
    assert log.count() == 4 and not log.filter(case=others.pk).exists()


def test_a_right_claim_takes_one_hash_too(cast, case, make_case, call, monkeypatch):
    open_one = make_case()
    hashed = []
    monkeypatch.setattr(claims, "make_password", lambda phrase: hashed.append(phrase))
    claim(cast, call, open_one.number, "abc")
    assert hashed == ["abc"]


def test_five_wrong_ones_in_a_call_make_it_wait(cast, case, call):
    now = clock.now()
    for number in ["Sten-Lampa 42"] * 5:
        with clock.at(now), pytest.raises(Refused):
            claim(cast, call, number)
    with clock.at(now + dt.timedelta(minutes=14)), pytest.raises(Refused, match="15 minutes"):
        claim(cast, call, case.number, PHRASE)
    assert LogEntry.objects.filter(event="claim.throttled", call=call.pk).count() == 1
    assert Claim.objects.count() == 5  # waiting is not lengthened by trying
    with clock.at(now + dt.timedelta(minutes=16)):
        assert claim(cast, call, case.number, PHRASE) == case


@pytest.mark.parametrize("there", [True, False])
def test_ten_wrong_ones_in_a_day_make_a_number_wait_whether_or_not_it_is_there(cast, case, there):
    number = case.number if there else spoken(new_code())
    now = clock.now()
    with clock.at(now):
        for _call in range(2):
            tried = actions.start_call(by=cast.colleague)
            for _try in range(5):
                with pytest.raises(Refused, match="belong together"):
                    claim(cast, tried, number, "wrong")
        fresh = actions.start_call(by=cast.colleague)
        with pytest.raises(Refused, match="15 minutes"):
            claim(cast, fresh, number, PHRASE)
    if there:
        own = actions.start_call(by=cast.caseworker)
        with clock.at(now):
            assert claim(cast, own, number, PHRASE, by=cast.caseworker) == case  # its own worker is never kept out
    with clock.at(now + dt.timedelta(hours=25)), pytest.raises(Refused, match="belong together"):
        claim(cast, actions.start_call(by=cast.colleague), number, "wrong")


def test_its_own_worker_still_opens_the_case(cast, case, client_of):
    for _call in range(3):
        tried = actions.start_call(by=cast.colleague)
        for _try in range(4):
            with pytest.raises(Refused):
                claim(cast, tried, case.number, "wrong")
    assert client_of(cast.caseworker).get(reverse("intake:case", args=[case.slug])).status_code == 200


def test_practice_joins_no_real_case(cast, case, call):
    actions.save_call(by=cast.colleague, call=call, facts={"is_practice": True})
    with pytest.raises(Refused):
        claim(cast, call, case.number, PHRASE)


def test_a_call_that_became_practice_does_not_go_on_in_a_real_case(cast, case, call):
    claim(cast, call, case.number, PHRASE)
    with pytest.raises(Refused, match="kept apart"):
        finish(cast, call, is_practice=True)


def test_a_case_whose_words_are_erased_is_not_there(cast, case, call):
    case.key.destroy()
    with pytest.raises(Refused):
        claim(cast, call, case.number)


def test_a_second_case_needs_the_first_taken_back(cast, case, make_case, call):
    other = make_case()
    claim(cast, call, case.number, PHRASE)
    with pytest.raises(Refused, match="Take that back first"):
        claim(cast, call, other.number)
    actions.unclaim_case(by=cast.colleague, call=call)
    assert claim(cast, call, other.number) == other


def test_taken_back_it_is_no_longer_open_to_who_answered(cast, case, call, client_of):
    claim(cast, call, case.number, PHRASE)
    client = client_of(cast.colleague)
    assert client.get(reverse("intake:case", args=[case.slug])).status_code == 200
    actions.unclaim_case(by=cast.colleague, call=call)
    actions.unclaim_case(by=cast.colleague, call=call)
    call.refresh_from_db()
    assert call.case_id is None
    assert client.get(reverse("intake:case", args=[case.slug])).status_code == 302
    assert case.events.filter(kind="case.unclaimed").count() == 1
    assert LogEntry.objects.filter(event="case.unclaimed", case=case.pk, call=call.pk).count() == 1


def test_a_reason_that_was_given_before_stays(cast, case, call, client_of):
    actions.open_with_reason(by=cast.colleague, case=case, reason="asked_by_owner")
    claim(cast, call, case.number, PHRASE)
    actions.unclaim_case(by=cast.colleague, call=call)
    assert client_of(cast.colleague).get(reverse("intake:case", args=[case.slug])).status_code == 200


def test_a_call_that_is_voided_leaves_the_case(cast, case, call):
    claim(cast, call, case.number, PHRASE)
    actions.void_call(by=cast.colleague, call=call, why="A slip")
    call.refresh_from_db()
    assert call.case_id is None and not CaseOpening.objects.filter(until__gt=clock.now()).exists()


def test_a_finished_call_joins_nothing(cast, case, call):
    finish(cast, call)
    with pytest.raises(TooLate):
        claim(cast, call, case.number, PHRASE)


# -- the page ----------------------------------------------------------------------------------------------------------


def post(client, name, call, **data):
    return client.post(reverse(f"intake:{name}", args=[call.pk]), data)


def test_the_page_saves_the_words_and_shows_no_word_of_the_case(client_of, cast, case, call):
    cast.caseworker.phone = "0500-123"
    cast.caseworker.save()
    client = client_of(cast.colleague)
    answer = post(client, "call-again", call, again_number=case.number, again_phrase=PHRASE, **{"n.told": "Her words"})
    assert answer.status_code == 303
    assert call.notes.get().text == "Her words"
    page = client.get(reverse("intake:call", args=[call.pk])).content.decode()
    assert case.number in page and "Anna</strong> has this one and is on duty" in page and "0500-123" in page
    assert "He said it aloud" not in page and PHRASE not in page


def test_an_owner_who_is_away_is_said_to_be(client_of, cast, case, call):
    today = clock.today()
    Absence.objects.create(user=cast.caseworker, deputy=cast.manager, first_day=today, last_day=today)
    claim(cast, call, case.number, PHRASE)
    page = client_of(cast.colleague).get(reverse("intake:call", args=[call.pk])).content.decode()
    assert "is not on duty today" in page and "Cecilia stands in" in page


def test_a_wrong_one_comes_back_with_what_was_written(client_of, cast, case, call):
    answer = post(
        client_of(cast.colleague), "call-again", call, again_number=case.number, again_phrase="x", what="Meet"
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and case.number in page and "belong together" in page
    assert 'data-names=""' in page  # the script does not take it for words that are not saved
    call.refresh_from_db()
    assert call.step_what == "Meet" and call.case_id is None


def test_the_page_of_a_case_that_is_joined_can_be_left(client_of, cast, case, call):
    client = client_of(cast.colleague)
    claim(cast, call, case.number, PHRASE)
    assert post(client, "call-not-again", call).status_code == 303
    page = client.get(reverse("intake:call", args=[call.pk])).content.decode()
    assert case.number not in page


@pytest.mark.parametrize("name", ["call-again", "call-not-again"])
def test_who_may(name, client_of, cast, call):
    for who, user in cast.everybody().items():
        client = client_of(user)
        wanted = {"stranger": 404, "other_manager": 404}.get(
            who, 403 if who in ("partner", "other_partner", "keeper", "coordinator", "reviewer") else 0
        )
        answer = post(client, name, call)
        assert answer.status_code == wanted if wanted else answer.status_code in (303, 422), who
        if not wanted:
            assert client.get(reverse(f"intake:{name}", args=[call.pk])).status_code == 405


def test_a_misdial_is_not_quick_once_it_has_joined(client_of, cast, case, call):
    claim(cast, call, case.number, PHRASE)
    assert post(client_of(cast.colleague), "call-quick", call).status_code == 422


# -- going on in the case ----------------------------------------------------------------------------------------------


def test_the_case_goes_on_with_the_same_owner_and_a_step(cast, case, call):
    claim(cast, call, case.number, PHRASE)
    done = finish(cast, call, urgency="BRADSKANDE", answers={"threatened": "yes"})
    assert done.case_id == case.pk and Case.objects.count() == 1
    case.refresh_from_db()
    assert case.owner == cast.caseworker and case.urgency == "BRADSKANDE"
    assert case.needs == ["threat_protection", "family_support"]
    steps = list(case.steps.planned().in_order())
    assert [step.kind for step in steps] == ["after_call", "first_step"]  # what waited before still waits
    assert steps[0].owner == cast.caseworker
    assert abs(steps[0].due_at - first_step_due("BRADSKANDE", clock.now())) < dt.timedelta(minutes=1)
    kinds = set(case.events.filter(call=call).values_list("kind", flat=True))
    assert {"call.completed", "case.called_again"} <= kinds
    assert case.events.filter(kind="urgency.raised").count() == 1
    notice = Notice.objects.get(kind="case.called_again")
    assert (notice.user, notice.case) == (cast.caseworker, case.pk)


def test_the_step_is_what_the_worker_decided(cast, case, call):
    claim(cast, call, case.number, PHRASE)
    actions.save_call(
        by=cast.colleague, call=call, facts={"caller_type": "relative", "urgency": "NORMAL", **NO_ACTUALISATION}
    )
    due = clock.now() + dt.timedelta(days=2)
    actions.complete_call(by=cast.colleague, call=call, what="Call her brother", due_at=due)
    step = case.steps.planned().get(kind="after_call")
    assert (step.title, step.due_at) == ("Call her brother", due)


def test_the_urgency_never_falls_and_what_is_known_stays(cast, make_case):
    case = make_case(urgency="BRADSKANDE", answers={"threatened": "yes"}, milieu="RIGHT", age_band="15-17")
    call = actions.start_call(by=cast.caseworker)
    claim(cast, call, case.number, by=cast.caseworker)
    finish(cast, call, by=cast.caseworker, urgency="NORMAL", milieu="LEFT", age_band="26+", municipality_id="1496")
    case.refresh_from_db()
    assert (case.urgency, case.milieu, case.age_band, case.municipality_id) == ("BRADSKANDE", "RIGHT", "15-17", "1499")
    assert not case.events.filter(kind="urgency.raised").exists()
    assert not Notice.objects.filter(kind="case.called_again").exists()  # nobody tells oneself


def test_what_was_unknown_is_filled_in(cast, make_case):
    case = make_case(milieu="UNKNOWN", age_band="unknown", municipality_id=None)
    call = actions.start_call(by=cast.colleague)
    claim(cast, call, case.number)
    finish(cast, call, milieu="LEFT", age_band="12-14", municipality_id="1496", interpreter=True)
    case.refresh_from_db()
    assert (case.milieu, case.age_band, case.municipality_id, case.interpreter) == ("LEFT", "12-14", "1496", True)
    assert case.people.get(part="concern").age_band == "12-14"


def test_protection_and_track_only_rise(cast, make_case):
    case = make_case(track="B", protection="protected_registration")
    call = actions.start_call(by=cast.colleague)
    claim(cast, call, case.number)
    finish(cast, call, track="A", protection="none")
    case.refresh_from_db()
    assert (case.track, case.protection) == ("B", "protected_registration")
    again = actions.start_call(by=cast.colleague)
    claim(cast, again, case.number)
    finish(cast, again, track="C", actualisation="yes", actualisation_reason="An application")
    case.refresh_from_db()
    assert (case.track, case.actualisation) == ("C", "yes")


def test_safe_contact_takes_the_latest_word_and_keeps_the_rest(cast, make_case, call):
    case = make_case()
    actions.safe.change_safe_contact(by=cast.caseworker, case=case, safe={"may_call": "yes", "stop_word": "Paris"})
    claim(cast, call, case.number)
    actions.save_call(by=cast.colleague, call=call, safe={"may_call": "no"})
    finish(cast, call)
    case.refresh_from_db()
    assert dict(case.safe.values) == {"may_call": "no", "stop_word": "Paris"}
    assert "Paris" in case.events.filter(kind="safe.changed").latest("at").text  # as it was before


def test_a_closed_case_is_opened_again_with_the_same_owner(cast, case, call):
    close(cast, case)
    claim(cast, call, case.number, PHRASE)
    finish(cast, call)
    case.refresh_from_db()
    assert case.is_open and case.owner == cast.caseworker and case.closing_reason == ""
    assert case.events.filter(kind="case.reopened").count() == 1
    assert [step.kind for step in case.steps.planned()] == ["after_call"]


def test_a_closed_case_of_somebody_who_is_switched_off_goes_to_who_answered(cast, case, call):
    close(cast, case)
    User.objects.filter(pk=cast.caseworker.pk).update(is_active=False)
    claim(cast, call, case.number, PHRASE)
    finish(cast, call)
    case.refresh_from_db()
    assert case.owner == cast.colleague
    assert case.steps.planned().get().owner == cast.colleague


def test_an_acute_call_tells_the_managers_though_the_case_was_acute_before(cast, make_case, call):
    case = make_case(urgency="AKUT", answers={"danger_now": "yes"})
    assert Notice.objects.filter(kind="case.acute", user=cast.manager).count() == 1
    claim(cast, call, case.number)
    finish(cast, call, urgency="AKUT", answers={"danger_now": "yes"})
    assert Notice.objects.filter(kind="case.acute", user=cast.manager).count() == 2


def test_a_number_to_call_back_comes_with_the_case(cast, case, call):
    claim(cast, call, case.number, PHRASE)
    finish(cast, call, phone="070 123")
    caller = case.people.get(part="caller")
    assert caller.phone == "070 123"
    assert dt.timedelta(days=13) < caller.phone_until - clock.now() <= dt.timedelta(days=14)
    call.refresh_from_db()
    assert call.phone == ""


def test_somebody_else_with_the_number_is_another_caller(cast, make_case, call):
    named = {"track": "B", "identity": "named"}
    case = make_case(caller_name="Mary Hill", phone="111", answers={"named": "said"}, **named)
    claim(cast, call, case.number)
    finish(cast, call, caller_name="John Hill", phone="222", answers={"named": "said"}, **named)
    callers = case.people.filter(part="caller").order_by("pk")
    assert [(one.name, one.phone) for one in callers] == [("Mary Hill", "111"), ("John Hill", "222")]


def test_completing_at_the_end_says_where_it_went(client_of, cast, case, call):
    claim(cast, call, case.number, PHRASE)
    data = {"caller_type": "relative", "urgency": "NORMAL", "present": "urgency", **NO_ACTUALISATION}
    answer = post(client_of(cast.colleague), "call-complete", call, **data)
    assert answer.status_code in (302, 303)
    assert Call.objects.get(pk=call.pk).case_id == case.pk and Case.objects.count() == 1


# -- the passphrase ----------------------------------------------------------------------------------------------------


def test_a_passphrase_of_the_call_is_kept_as_a_hash_and_shown_nowhere(client_of, cast, make_call):
    call = make_call(urgency="SKYNDSAM", answers={"r_violence": "yes"})
    client = client_of(cast.caseworker)
    answer = client.post(reverse("intake:call-save", args=[call.pk]), {"passphrase": PHRASE})
    assert answer.status_code == 303
    call.refresh_from_db()
    assert call.passphrase and "häst" not in call.passphrase
    page = client.get(reverse("intake:call", args=[call.pk])).content.decode()
    assert "häst" not in page and "A passphrase is saved" in page
    kept = call.passphrase
    assert client.post(reverse("intake:call-save", args=[call.pk]), {"passphrase": ""}).status_code == 303
    call.refresh_from_db()
    assert call.passphrase == kept  # an empty field says nothing
    done = actions.complete_call(by=cast.caseworker, call=call)
    assert done.passphrase == "" and Case.objects.get(pk=done.case_id).passphrase == kept
    again = actions.start_call(by=cast.colleague)
    case = Case.objects.get(pk=done.case_id)
    assert claim(cast, again, case.number, "BLÅ HÄST RÖD STEN") == case
    for row in LogEntry.objects.filter(call=call.pk):
        assert "häst" not in str(row.codes)


def test_a_passphrase_of_the_call_can_be_taken_away(client_of, cast, make_call):
    call = make_call(passphrase="kept")
    answer = client_of(cast.caseworker).post(reverse("intake:call-save", args=[call.pk]), {"clear": "passphrase"})
    assert answer.status_code == 303
    call.refresh_from_db()
    assert call.passphrase == ""


def test_a_passphrase_without_letters_is_refused_at_its_field(client_of, cast, make_call):
    answer = client_of(cast.caseworker).post(reverse("intake:call-save", args=[make_call().pk]), {"passphrase": "!?"})
    assert answer.status_code == 422 and "needs letters or figures" in answer.content.decode()


def test_the_owner_changes_and_takes_away_the_passphrase(client_of, cast, case, call):
    client, url = client_of(cast.caseworker), reverse("intake:passphrase", args=[case.slug])
    assert client.post(url, {"passphrase": "another one"}).status_code == 302
    with pytest.raises(Refused):
        claim(cast, call, case.number, PHRASE)
    assert claim(cast, call, case.number, "Another one") == case
    actions.unclaim_case(by=cast.colleague, call=call)
    assert client.post(url, {"passphrase": ""}).status_code == 302
    assert client.post(url, {"passphrase": ""}).status_code == 302
    assert Case.objects.get(pk=case.pk).passphrase == ""
    assert case.events.filter(kind="passphrase.removed").count() == 1
    assert LogEntry.objects.filter(event="passphrase.set", case=case.pk).count() == 2  # with the fixture's
    assert client.get(url).status_code == 405


def test_nobody_else_changes_the_passphrase(client_of, cast, case):
    actions.open_with_reason(by=cast.colleague, case=case, reason="supervision")
    url = reverse("intake:passphrase", args=[case.slug])
    before = Case.objects.get(pk=case.pk).passphrase
    answer = client_of(cast.colleague).post(url, {"passphrase": "mine"})
    assert answer.status_code == 422 and "Only the owner" in answer.content.decode()
    for who, wanted in {"stranger": 404, "partner": 403, "keeper": 403}.items():
        assert client_of(cast.everybody()[who]).post(url, {"passphrase": "mine"}).status_code == wanted
    assert Case.objects.get(pk=case.pk).passphrase == before


# -- another caller, and a later word ----------------------------------------------------------------------------------


def safe_of(case):
    return dict(Case.objects.get(pk=case.pk).safe.values)


def say_again(cast, case, call, safe):
    claim(cast, call, case.number)
    actions.save_call(by=cast.colleague, call=call, safe=safe)
    finish(cast, call)
    return safe_of(case)


@pytest.mark.parametrize(
    ("before", "said", "after", "besides"),
    [
        ({"may_call": "no"}, {"may_call": "yes"}, {"may_call": "no"}, "By phone: Yes"),
        ({"may_call": "yes"}, {"may_call": "no"}, {"may_call": "no"}, ""),
        ({"sms": "yes", "voicemail": "yes"}, {"sms": "no", "voicemail": "no"}, {"sms": "no", "voicemail": "no"}, ""),
        ({"sms": "no"}, {"sms": "yes"}, {"sms": "no"}, "Text message: Yes"),
        ({"may_call": "unknown"}, {"may_call": "yes"}, {"may_call": "yes"}, ""),
        ({"may_call": "yes"}, {"may_call": "unknown"}, {"may_call": "yes"}, ""),
        ({"hours": "After six"}, {"hours": "At noon"}, {"hours": "After six"}, "When: At noon"),
        ({"stop_word": "Paris"}, {"hours": "At noon"}, {"stop_word": "Paris", "hours": "At noon"}, ""),
        ({"stop_word": "Paris"}, {"stop_word": "Paris"}, {"stop_word": "Paris"}, ""),
    ],
)
def test_a_later_call_never_loosens_how_the_person_is_reached(cast, make_case, call, before, said, after, besides):
    case = make_case()
    actions.change_safe_contact(by=cast.caseworker, case=case, safe=before)
    found = say_again(cast, case, call, said)
    assert found.pop("other", "") == (f"Said in a later call: {besides}" if besides else "")
    assert found == after


def test_other_words_are_kept_beside_the_earlier_ones_once(cast, make_case):
    case = make_case()
    actions.change_safe_contact(by=cast.caseworker, case=case, safe={"other": "The dog barks."})
    for _round in range(2):
        found = say_again(cast, case, actions.start_call(by=cast.colleague), {"other": "Knock twice."})
    assert found == {"other": "The dog barks.\nSaid in a later call: Knock twice."}
    assert case.events.filter(kind="safe.changed").count() == 2
    assert case.events.select_related("case__key").filter(kind="safe.changed").latest("at").text == "The dog barks."


def callers(case):
    return [(one.name, one.phone) for one in case.people.filter(part="caller").order_by("pk")]


def test_another_number_makes_another_caller(cast, make_case, call):
    case = make_case(phone="0701111111")
    claim(cast, call, case.number)
    finish(cast, call, phone="0702222222")
    assert callers(case) == [("", "0701111111"), ("", "0702222222")]
    again = actions.start_call(by=cast.colleague)
    claim(cast, again, case.number)
    finish(cast, again, phone="070-222 22 22")
    assert len(callers(case)) == 2  # the same number is the same caller


def test_who_knows_the_passphrase_has_a_new_number(cast, case, call):
    actions.set_number(by=cast.caseworker, case=case, phone="0701111111")
    claim(cast, call, case.number, PHRASE)
    finish(cast, call, phone="0702222222")
    assert callers(case) == [("", "0702222222")]
    assert case.events.filter(kind="number.erased").count() == 1


def test_who_knows_the_passphrase_and_is_somebody_else_does_not(cast, case, call):
    actions.set_number(by=cast.caseworker, case=case, phone="0701111111")
    claim(cast, call, case.number, PHRASE)
    finish(cast, call, phone="0702222222", caller_type="leaver")
    assert callers(case) == [("", "0701111111"), ("", "0702222222")]


def test_the_same_name_has_a_new_number(cast, make_case, call):
    named = {"track": "B", "identity": "named", "answers": {"named": "said"}}
    case = make_case(caller_name="Mary Hill", phone="0701111111", **named)
    claim(cast, call, case.number)
    finish(cast, call, caller_name="mary hill", phone="0702222222", **named)
    assert callers(case) == [("mary hill", "0702222222")]
    assert case.events.filter(kind="number.erased").count() == 1


def test_no_number_stands_under_anothers_name(cast, make_case, call):
    named = {"track": "B", "identity": "named", "answers": {"named": "said"}}
    case = make_case(caller_name="Mary Hill", **named)
    claim(cast, call, case.number)
    finish(cast, call, phone="0702222222", track="B")  # who gave no name
    assert callers(case) == [("Mary Hill", ""), ("", "0702222222")]
    again = actions.start_call(by=cast.colleague)
    claim(cast, again, case.number)
    finish(cast, again, caller_name="John Hill", **named)  # a name, and no number: that of nobody else
    assert callers(case) == [("Mary Hill", ""), ("", "0702222222"), ("John Hill", "")]


def test_another_passphrase_is_told_to_the_owner(cast, case, call):
    claim(cast, call, case.number, PHRASE)
    before = Case.objects.get(pk=case.pk).passphrase
    finish(cast, call, passphrase=hash_phrase("Another one"))
    assert Case.objects.get(pk=case.pk).passphrase != before
    assert case.events.filter(kind="passphrase.set", call=call, by=cast.colleague).count() == 1
    assert Notice.objects.get(kind="passphrase.set").user == cast.caseworker


def test_an_owner_who_answers_is_not_told(cast, make_case):
    case, call = make_case(), actions.start_call(by=cast.caseworker)
    claim(cast, call, case.number, by=cast.caseworker)
    finish(cast, call, by=cast.caseworker, passphrase=hash_phrase("Another one"))
    assert case.events.filter(kind="passphrase.set").count() == 1
    assert not Notice.objects.filter(kind="passphrase.set").exists()


# -- held rows ---------------------------------------------------------------------------------------------------------


def test_wrong_tries_in_a_call_that_has_joined_are_counted(cast, case, call, make_case):
    claim(cast, call, case.number, PHRASE)
    for _round in range(claims.WRONG_IN_A_CALL):
        with pytest.raises(Refused, match="Take that back first"):
            claim(cast, call, "Sten-Lampa 42")
    assert Claim.objects.filter(call=call, is_right=False).count() == claims.WRONG_IN_A_CALL
    assert LogEntry.objects.filter(event="claim.wrong", call=call.pk).count() == claims.WRONG_IN_A_CALL
    with pytest.raises(Refused, match="too many wrong tries"):
        claim(cast, call, "Sten-Lampa 42")
    assert claim(cast, call, case.number, PHRASE) == case  # where it goes on is no guess


def test_a_case_whose_words_went_meanwhile_is_not_joined(cast, make_case, call, monkeypatch):
    case = make_case()
    real = claims._look

    def looks(*given):
        found = real(*given)
        Case.objects.select_related("key").get(pk=case.pk).key.destroy()
        return found

    monkeypatch.setattr(claims, "_look", looks)
    with pytest.raises(Refused, match="belong together"):
        claim(cast, call, case.number)
    call.refresh_from_db()
    assert call.case_id is None and Claim.objects.get().is_right is False


def at_once(*acts) -> list[str]:
    """Do these at the same time, each on a connection of its own. What went wrong, by name."""
    barrier, wrong = threading.Barrier(len(acts)), []

    def run(act) -> None:
        try:
            barrier.wait(timeout=10)
            act()
        except Exception as error:
            wrong.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return wrong


@pytest.mark.django_db(transaction=True)
def test_a_call_that_goes_on_and_a_case_that_is_given_wait_for_each_other(cast, make_case, monkeypatch):
    """Everybody holds the case first and then the worker; the other way round they would wait for ever."""

    def slowly(act):
        return lambda case: (time.sleep(0.1), act(case), time.sleep(0.2))[1]

    case = make_case()
    monkeypatch.setattr(continuity, "lock", slowly(continuity.lock))
    monkeypatch.setattr(cases, "lock", slowly(cases.lock))
    for _round in range(3):
        call = actions.start_call(by=cast.colleague)
        claim(cast, call, case.number)
        facts = {"caller_type": "relative", "urgency": "NORMAL", **NO_ACTUALISATION}
        actions.save_call(by=cast.colleague, call=call, facts=facts)
        Case.objects.filter(pk=case.pk).update(owner=cast.caseworker)
        wrong = at_once(
            lambda call=call: actions.complete_call(by=cast.colleague, call=call),
            lambda: actions.reassign_case(by=cast.manager, case=case, to=cast.colleague),
        )
        assert wrong == []


@pytest.mark.django_db(transaction=True)
def test_tries_at_once_are_counted_one_by_one(cast, make_case, monkeypatch):
    case = make_case()
    actions.set_passphrase(by=cast.caseworker, case=case, phrase=PHRASE)
    calls = [actions.start_call(by=cast.colleague) for _ in range(claims.WRONG_IN_A_DAY + 3)]
    for call in calls[: claims.WRONG_IN_A_DAY - 1]:
        with pytest.raises(Refused):
            claim(cast, call, case.number, "wrong")
    real = claims._must_wait

    def slowly(*given, **named):
        found = real(*given, **named)
        time.sleep(0.2)
        return found

    monkeypatch.setattr(claims, "_must_wait", slowly)
    left = calls[claims.WRONG_IN_A_DAY - 1 :]
    assert at_once(*[lambda call=call: claim(cast, call, case.number, "wrong") for call in left]) == ["Refused"] * 4
    assert Claim.objects.filter(is_right=False).count() == claims.WRONG_IN_A_DAY
