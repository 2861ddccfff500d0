"""Telling somebody where to go alone: nothing leaves, it is counted once, and is a bounce only where it is one."""

import datetime as dt

import pytest
from django.core import mail
from django.db import connection
from django.utils import translation

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice
from intake import actions as intake
from intake.actions.calls import start_call
from intake.models import Bounce, Call, Case, Event
from intake.spoken import Spoken
from referrals import actions
from referrals.actions.signposts import could_be_handed_over
from referrals.hours_said import hours_said
from referrals.models import Disclosure, PartnerAgency, Referral, Signposting
from tests.conftest import NO_ACTUALISATION
from tests.referrals.conftest import climb_all

NEED = "family_support"


@pytest.fixture
def line(reference) -> PartnerAgency:
    """A place where one goes alone."""
    agency = PartnerAgency.objects.get(type="NGO_LINE")
    agency.phone = "020-100 200"
    agency.save()
    return agency


@pytest.fixture
def call(make_call) -> Call:
    """A mother's call: somebody could take over what she needs."""
    return make_call(answers={"r_violence": "yes"}, urgency="SKYNDSAM", urgency_reason="as told")


@pytest.fixture
def case(make_case) -> Case:
    return make_case(answers={"r_violence": "yes"})


def in_call(call, line, tail="") -> str:
    return f"/calls/{call.pk}/signpost/{line.pk}/{NEED}/{tail}"


def in_case(case, line) -> str:
    return f"/cases/{case.slug}/signpost/{line.pk}/{NEED}/"


def finish(cast, call) -> Case:
    done = intake.complete_call(by=cast.caseworker, call=call, open_a_case=True)
    connection.check_constraints()
    return Case.objects.get(pk=done.case_id)


# -- the act -----------------------------------------------------------------------------------------------------------


def test_it_is_written_down_once_with_its_row_and_nothing_leaves(cast, call, line):
    made = [
        actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED, why="wished", asks_later=True)
        for _ in "ab"
    ]
    connection.check_constraints()
    assert made[0].pk == made[1].pk
    told = Signposting.objects.get()
    assert (told.call_id, told.case, told.agency, told.need, told.given_by) == (
        call.pk,
        None,
        line,
        NEED,
        cast.caseworker,
    )
    assert told.wished and told.asks_later
    (row,) = LogEntry.objects.filter(event="signpost.given")
    assert row.codes == {"agency": line.pk, "need": NEED} and row.why == "wished" and row.call == call.pk


def test_no_notice_no_disclosure_no_handover_no_mail(cast, case, line, django_capture_on_commit_callbacks):
    before = Notice.objects.count()
    with django_capture_on_commit_callbacks(execute=True):
        actions.tell_where(by=cast.caseworker, case=case, agency=line, need=NEED, why="instead", asks_later=True)
    assert Notice.objects.count() == before and mail.outbox == []
    assert not Disclosure.objects.exists() and not Referral.objects.exists()


def test_in_a_case_it_stands_in_the_timeline_and_is_asked_about_after_a_week(cast, case, line, at):
    with at("2026-11-23 10:00"):
        for _ in "ab":
            actions.tell_where(by=cast.caseworker, case=case, agency=line, need=NEED, why="wished", asks_later=True)
        connection.check_constraints()
    assert Event.objects.get(case=case, kind="signpost.given").title == f"Told where to go alone: {line}"
    step = case.steps.planned().get(kind="ask_signposted")
    assert clock.local_time(step.due_at).isoformat() == "2026-11-30T10:00:00+01:00"
    assert (step.title, step.kept_by, step.is_calling) == (f"Ask the caller: did you reach {line}?", "", True)
    with at("2026-11-24 10:00"):  # another day is another telling
        actions.tell_where(by=cast.caseworker, case=case, agency=line, need=NEED, why="wished")
    assert Signposting.objects.count() == 2 and case.steps.filter(kind="ask_signposted").count() == 1


def test_a_week_that_ends_on_a_holiday_is_asked_about_on_the_next_working_day(cast, case, line, at):
    with at("2026-12-18 10:00"):
        actions.tell_where(by=cast.caseworker, case=case, agency=line, need=NEED, why="wished", asks_later=True)
    assert clock.local_date(case.steps.planned().get(kind="ask_signposted").due_at) == dt.date(2026, 12, 28)


def test_the_step_is_done_as_any_other(cast, case, line):
    actions.tell_where(by=cast.caseworker, case=case, agency=line, need=NEED, why="wished", asks_later=True)
    intake.finish_step(
        by=cast.caseworker, step=case.steps.planned().get(kind="ask_signposted"), outcome="She got there."
    )
    connection.check_constraints()


def test_what_was_told_in_a_call_comes_with_it_to_its_case(cast, call, line):
    actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED, why="wished", asks_later=True)
    case = finish(cast, call)
    assert Signposting.objects.get().case == case
    assert Event.objects.filter(case=case, kind="signpost.given", call=call).count() == 1
    assert case.steps.planned().filter(kind="ask_signposted").count() == 1


def test_a_call_that_goes_on_in_an_earlier_case_brings_it_there(cast, case, line):
    call = start_call(by=cast.caseworker)
    intake.claim_case(by=cast.caseworker, call=call, number=case.number, phrase="")
    call = Call.objects.get(pk=call.pk)
    facts = {"caller_type": "relative", "urgency": "NORMAL", "urgency_reason": "as told", **NO_ACTUALISATION}
    intake.save_call(by=cast.caseworker, call=call, facts=facts, answers={"r_violence": "yes"})
    actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED, why="instead", asks_later=True)
    finish(cast, call)
    assert Signposting.objects.get().case == case
    assert case.steps.planned().filter(kind="ask_signposted").exists()
    assert list(Bounce.objects.of(case).values_list("cause", flat=True)) == ["given_number"]


def test_a_call_without_a_case_just_counts_it(cast, make_call, line):
    call = make_call(caller_type="other", urgency="NORMAL")
    actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED, why="wished", asks_later=True)
    done = intake.complete_call(by=cast.caseworker, call=call)
    assert done.case is None and Signposting.objects.counted().count() == 1


# -- when it is a bounce -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("why", "bounced"), [("wished", False), ("besides", False), ("instead", True)])
def test_only_a_number_instead_of_a_handover_is_a_bounce(cast, call, line, why, bounced):
    actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED, why=why)
    assert Bounce.objects.filter(call=call, cause="given_number").exists() is bounced
    case = finish(cast, call)
    assert Bounce.objects.of(case).exists() is bounced


def test_why_must_be_said_where_somebody_could_take_over(cast, call, line):
    with pytest.raises(Refused, match="Say why") as refused:
        actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED)
    assert refused.value.at == "why" and not Signposting.objects.exists()


def test_where_nobody_could_take_over_nothing_is_asked_and_it_is_no_bounce(cast, call, line):
    PartnerAgency.objects.exclude(pk=line.pk).update(is_active=False)
    assert not could_be_handed_over(call, NEED)
    actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED)
    assert Signposting.objects.exists() and not Bounce.objects.exists()


def test_beside_a_handover_of_the_same_need_it_is_instead_of_nothing(cast, make_referral, line):
    referral = make_referral("sent")
    assert not could_be_handed_over(referral.case, referral.need)
    assert could_be_handed_over(referral.case, NEED)
    actions.decline(by=cast.partner, referral=referral, reason="no_capacity")
    assert could_be_handed_over(referral.case, referral.need)


def test_an_agency_that_takes_handovers_can_be_called_too(cast, call):
    agency = PartnerAgency.objects.get(type="EXIT")
    actions.tell_where(by=cast.caseworker, call=call, agency=agency, need=NEED, why="instead")
    assert Bounce.objects.get().codes == {"agency": agency.name, "agency_id": agency.pk, "need": NEED}


# -- what comes back from the agency, and when that is a bounce -------------------------------------------------------------


@pytest.mark.parametrize("state", ["declined", "expired", "returned"])
@pytest.mark.parametrize("ground", ["CONSENT_GUARDIAN", "DUTY"])
def test_turned_away_is_a_bounce_where_the_caller_was_told(make_referral, cast, state, ground):
    told = make_referral(state, ground=ground, ground_reason="Worry.")
    assert told.caller_knows  # it was read back
    (bounce,) = Bounce.objects.of(told.case)
    assert (bounce.cause, bounce.codes["agency_id"], bounce.about) == ("turned_away", cast.agency.pk, str(told.pk))


@pytest.mark.parametrize("state", ["declined", "expired", "returned"])
def test_turned_away_is_none_where_the_caller_never_heard_of_it(cast, make_case, state):
    case = make_case()
    draft = actions.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    words = {"ask": "Meet the family.", "happened": "Violence.", "ground": "DUTY", "ground_reason": "Worry."}
    sent = actions.send(
        by=cast.caseworker, referral=actions.save_draft(by=cast.caseworker, referral=draft, words=words)
    )
    if state == "returned":
        actions.accept(by=cast.partner, referral=sent)
        actions.return_referral(by=cast.partner, referral=sent, reason="no_capacity")
    elif state == "declined":
        actions.decline(by=cast.partner, referral=sent, reason="no_capacity")
    else:
        climb_all(sent)
    sent.refresh_from_db()
    assert sent.state == state and not sent.caller_knows
    assert not Bounce.objects.of(case).exists()


@pytest.mark.parametrize("state", ["accepted", "failed", "withdrawn", "question", "completed"])
def test_no_other_state_is(make_referral, state):
    assert not Bounce.objects.of(make_referral(state).case).exists()


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_a_finished_call_and_a_closed_case_take_nothing(cast, call, line):
    case = finish(cast, call)
    with pytest.raises(TooLate):
        actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED, why="wished")
    intake.finish_step(by=cast.caseworker, step=case.open_steps[0], close="needs_met")
    with pytest.raises(Refused, match="closed"):
        actions.tell_where(by=cast.caseworker, case=case, agency=line, need=NEED, why="wished")


def test_no_place_and_no_need_is_refused(cast, call, line):
    with pytest.raises(Refused, match="which need"):
        actions.tell_where(by=cast.caseworker, call=call, agency=line, need="money", why="wished")
    for place in (PartnerAgency.objects.filter(type="CVE").first(), line):
        PartnerAgency.objects.filter(pk=line.pk).update(is_active=False)
        line.refresh_from_db()
        with pytest.raises(Refused, match="no place"):
            actions.tell_where(by=cast.caseworker, call=call, agency=place, need=NEED, why="wished")


# -- the pages ---------------------------------------------------------------------------------------------------------


def test_the_panel_of_a_call_offers_it_and_says_that_it_was_told(client_of, cast, call, line):
    client = client_of(cast.caseworker)
    html = client.get(f"/calls/{call.pk}/").content.decode()
    child = PartnerAgency.objects.get(type="SOC_CHILD", municipalities="1499")
    for agency in (line, child):
        assert f'formaction="{in_call(call, agency, "leave/")}"' in html
    assert 'class="badge-state">told' not in html
    actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED, why="wished")
    assert client.get(f"/calls/{call.pk}/").content.decode().count('class="badge-state">told') == 1


def test_leaving_the_call_for_the_number_saves_its_words(client_of, cast, call, line):
    client = client_of(cast.caseworker)
    answer = client.post(in_call(call, line, "leave/"), {"n.told": "She cannot sleep.", "present": "n.told"})
    assert (answer.status_code, answer.headers["Location"]) == (303, in_call(call, line))
    assert Call.objects.get(pk=call.pk).notes.get(kind="told").text == "She cannot sleep."
    assert not Signposting.objects.exists()  # only looked at


def test_words_that_cannot_be_saved_come_back(client_of, cast, call, line):
    answer = client_of(cast.caseworker).post(in_call(call, line, "leave/"), {"due": "soon", "present": "due"})
    assert answer.status_code == 422 and "soon" in answer.content.decode()


def test_words_for_a_finished_call_are_given_back(client_of, cast, call, line):
    finish(cast, call)
    answer = client_of(cast.caseworker).post(
        in_call(call, line, "leave/"), {"n.told": "Late words.", "present": "n.told"}
    )
    assert answer.status_code == 409 and "Late words." in answer.content.decode()


def test_the_words_of_another_are_not_saved_in_ones_own_name(client_of, cast, call, line):
    words = {"n.told": "Mine.", "present": "n.told", "who": cast.colleague.pk}
    assert client_of(cast.caseworker).post(in_call(call, line, "leave/"), words).status_code == 403


def test_the_number_stands_large_with_the_hours_and_why_is_asked(client_of, cast, call, line):
    html = client_of(cast.caseworker).get(in_call(call, line)).content.decode()
    assert 'href="tel:020100200"' in html and "08:00–16:30" in html and "Mon–fri" in html
    assert "Why does the person go there alone?" in html and "Nothing is sent" in html
    assert not Signposting.objects.exists()


def test_written_down_it_leads_back_to_the_call_and_twice_is_once(client_of, cast, call, line):
    client = client_of(cast.caseworker)
    for _ in "ab":
        answer = client.post(in_call(call, line), {"why": "wished", "asks_later": "on"})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/calls/{call.pk}/")
    assert Signposting.objects.count() == 1
    assert "Told already" in client.get(in_call(call, line)).content.decode()


def test_without_why_the_form_comes_back_filled_in(client_of, cast, case, line):
    answer = client_of(cast.caseworker).post(in_case(case, line), {"asks_later": "on"})
    assert answer.status_code == 422
    assert "Choose why." in answer.content.decode() and "checked" in answer.content.decode()


def test_from_a_case_it_leads_back_to_the_case(client_of, cast, case, line):
    client = client_of(cast.caseworker)
    assert in_case(case, line) in client.get(f"/cases/{case.slug}/refer/").content.decode()
    answer = client.post(in_case(case, line), {"why": "instead"})
    assert answer.headers["Location"] == f"/cases/{case.slug}/"
    html = client.get(f"/cases/{case.slug}/").content.decode()
    assert f"Told where to go alone: {line}" in html and "1 bounce: see why" in html and f"{line}, support" in html


def test_a_finished_call_leads_to_its_case(client_of, cast, call, line):
    case = finish(cast, call)
    answer = client_of(cast.caseworker).get(in_call(call, line), follow=True)
    assert answer.redirect_chain[-1][0] == f"/cases/{case.slug}/"


@pytest.mark.parametrize(
    ("who", "of_call", "of_case"),
    [
        ("colleague", 200, 302), ("manager", 200, 302), ("stranger", 404, 404), ("partner", 403, 403), ("keeper", 403, 403),
    ],
)  # fmt: skip
def test_who_may(client_of, cast, call, case, line, who, of_call, of_case):
    client = client_of(cast.everybody()[who])
    assert client.get(in_call(call, line)).status_code == of_call
    assert client.get(in_case(case, line)).status_code == of_case


def test_what_changes_something_is_not_done_by_a_look(client_of, cast, call, line):
    assert client_of(cast.caseworker).get(in_call(call, line, "leave/")).status_code == 405


def test_a_place_that_is_not_in_use_is_not_there(client_of, cast, call, line):
    PartnerAgency.objects.filter(pk=line.pk).update(is_active=False)
    assert client_of(cast.caseworker).get(in_call(call, line)).status_code == 404


# -- what the caller hears, and what is counted --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"), [("sv", "Du kan själv höra av dig till"), ("en", "You can yourself"), ("fi", "Voit itse")]
)
def test_the_caller_is_told_where_and_the_paper_says_nothing(cast, call, line, language, words):
    actions.tell_where(by=cast.caseworker, call=call, agency=line, need=NEED, why="wished", asks_later=True)
    finish(cast, call)
    call = Call.objects.get(pk=call.pk)
    said = [one.text for part in Spoken(call, language, reader=cast.caseworker).parts for one in part.lines]
    assert any(text.startswith(words) and line.name in text and line.phone in text for text in said)
    printed = Spoken(call, language, reader=cast.caseworker, printed=True)
    assert all(line.name not in one.text for part in printed.parts for one in part.lines)
    stranger = Spoken(call, language, reader=cast.colleague)
    assert all(line.name not in one.text for part in stranger.parts for one in part.lines)


def test_practice_is_not_counted_and_another_unit_sees_none(cast, call, line):
    practice = start_call(by=cast.caseworker, is_practice=True)
    for one in (practice, call):
        actions.tell_where(by=cast.caseworker, call=one, agency=line, need=NEED, why="wished")
    assert [one.call_id for one in Signposting.objects.counted()] == [call.pk]
    assert Signposting.objects.visible_to(cast.colleague).count() == 2
    assert not Signposting.objects.visible_to(cast.stranger).exists()
    assert not Signposting.objects.visible_to(cast.partner).exists()


def test_hours_as_they_are_said(cast):
    agency = cast.agency
    with translation.override("sv"):
        assert hours_said(agency) == [("mån–fre", "08.00–16.30")]
    agency.hours.filter(weekday=2).delete()
    agency.hours.create(weekday=0, opens=dt.time(18), closes=dt.time(20))
    assert hours_said(agency) == [
        ("mon", "08:00–16:30, 18:00–20:00"),
        ("tue", "08:00–16:30"),
        ("thu–fri", "08:00–16:30"),
    ]
    agency.hours.all().delete()
    assert hours_said(agency) == [("mon–fri", "08:00–16:30")]
    agency.always_open = True
    assert hours_said(agency) == [("Every day", "around the clock")]
