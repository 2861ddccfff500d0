"""A report of concern: registered, its clocks and their steps, who decides, what a decision starts and ends, the pages."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, InternalError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, Notice, User
from intake import actions
from intake.actions.child_decisions import NotQualified
from intake.models import ChildClock, Reminder

PROTECTION, PRELIMINARY = "immediate_protection_assessment", "preliminary_assessment"
AGES = ["0-11", "12-14", "15-17", "18-19", "20", "unknown"]


@pytest.fixture
def qualified(cast):
    User.objects.filter(pk=cast.colleague.pk).update(is_qualified=True)
    cast.colleague.refresh_from_db()
    return cast.colleague


@pytest.fixture
def skilled(cast):
    """The owner of the case is qualified."""
    User.objects.filter(pk=cast.caseworker.pk).update(is_qualified=True)
    cast.caseworker.refresh_from_db()
    return cast.caseworker


@pytest.fixture
def make_report(make_case, cast):
    def make(case=None, age="12-14", **facts):
        case = case or make_case()
        report = actions.register_concern(by=cast.caseworker, case=case, child_age_band=age, **facts)
        connection.check_constraints()
        return report

    return make


def url(name, report, *rest):
    return reverse(f"intake:{name}", args=[report.case.slug, report.pk, *rest])


def running(report):
    return {one.kind: (one.aim.isoformat(), one.last_day.isoformat()) for one in report.clocks.filter(done_at=None)}


def steps(case):
    return {step.kind: step for step in case.steps.planned().select_related("case__key")}


# ---------- Registered ----------


@pytest.mark.parametrize(
    ("received", "aim", "last"),
    [
        ("2026-12-10 11:30", "2026-12-24", "2026-12-28"),
        ("2026-03-20 11:30", "2026-04-03", "2026-04-07"),
        ("2026-12-23 11:30", "2027-01-06", "2027-01-07"),
        ("2026-10-25 02:30", "2026-11-08", "2026-11-09"),  # the hour that comes twice
        ("2026-03-28 23:30", "2026-04-11", "2026-04-13"),  # the night of 23 hours begins
        ("2026-03-29 03:30", "2026-04-12", "2026-04-13"),
    ],
)
def test_a_report_starts_the_clocks_of_the_law(make_report, at, received, aim, last):
    with at(received):
        report = make_report()
        assert running(report) == {PROTECTION: (received[:10], received[:10]), PRELIMINARY: (aim, last)}


@pytest.mark.parametrize("age", AGES)
def test_children_young_persons_and_whoever_may_be_one_start_them(make_report, age):
    assert set(running(make_report(age=age))) == {PROTECTION, PRELIMINARY}


@pytest.mark.parametrize("age", ["21-25", "26+"])
def test_an_adult_starts_none_and_the_page_says_what_the_law_says(make_report, client_of, cast, age):
    report = make_report(age=age, feedback_asked=True)
    assert running(report) == {} and report.feedback_asked_at is None
    assert not [kind for kind in steps(report.case) if kind.startswith("child.")]
    page = client_of(cast.caseworker).get(url("child", report)).content.decode()
    assert "An adult is not investigated without their own consent" in page and "LVM" in page
    with pytest.raises(Refused, match="concerns an adult"):
        actions.ask_feedback(by=cast.caseworker, report=report)


def test_each_clock_is_a_step_that_holds_the_case_and_reminds(make_report, cast, at):
    with at("2026-12-10 11:30"):
        report = make_report()
        waiting = steps(report.case)
        assert waiting["child.protection"].due_at.isoformat() == "2026-12-10T15:00:00+00:00"
        assert waiting["child.preliminary"].due_at.isoformat() == "2026-12-24T15:00:00+00:00"  # 16.00 of the aim
        assert {waiting[kind].kept_by for kind in ("child.protection", "child.preliminary")} == {"child"}
        for act in (
            lambda: actions.finish_step(by=cast.caseworker, step=waiting["child.protection"]),
            lambda: actions.move_step(
                by=cast.caseworker, step=waiting["child.protection"], due_at=clock.now() + dt.timedelta(days=1)
            ),
        ):
            with pytest.raises(Refused, match="ends with the decision"):
                act()
        own = next(step for kind, step in waiting.items() if not kind.startswith("child."))
        with pytest.raises(Refused, match="cannot be closed while a step waits"):
            actions.finish_step(by=cast.caseworker, step=own, close="needs_met")
    with at("2026-12-10 16:00"):  # nobody looks after it before its owner: no grace
        actions.fire_due_reminders()
    fired = Reminder.objects.get(step=waiting["child.protection"], rung="due")
    assert fired.state == "fired"
    assert Notice.objects.filter(user=cast.caseworker, about=str(waiting["child.protection"].pk)).exists()
    with at("2026-12-11 09:00"):
        actions.fire_due_reminders()
    assert Notice.objects.filter(user=cast.manager, kind="step.late").exists()


@pytest.mark.parametrize(("moment", "due"), [("15:30", "16:30"), ("23:40", "23:59"), ("00:10", "16:00")])
def test_at_once_is_within_the_day(make_report, at, moment, due):
    with at(f"2026-11-22 {moment}"):  # a Sunday
        report = make_report()
    assert clock.local_date(steps(report.case)["child.protection"].due_at).isoformat() == "2026-11-22"
    from django.utils import timezone

    assert timezone.localtime(steps(report.case)["child.protection"].due_at).strftime("%H:%M") == due


def test_it_can_have_come_before_it_was_entered(make_report, at):
    with at("2026-11-24 09:00"):
        report = make_report(received_at=clock.now() - dt.timedelta(days=2))
        assert running(report)[PROTECTION] == ("2026-11-22", "2026-11-22")
        late = report.clocks.get(kind=PROTECTION)
        assert late.days_late == 2 and late.is_a_day_late
        assert steps(report.case)["child.protection"].is_late


@pytest.mark.parametrize(("days", "says"), [(1, "that has been"), (-400, "within the last year")])
def test_a_time_that_cannot_be_is_refused(make_case, cast, days, says):
    with pytest.raises(Refused, match=says) as refused:
        actions.register_concern(
            by=cast.caseworker,
            case=make_case(),
            child_age_band="0-11",
            received_at=clock.now() + dt.timedelta(days=days),
        )
    assert refused.value.at == "received_at"


def test_where_an_inquiry_is_under_way_none_is_decided_on(make_report, at):
    with at("2026-11-23 10:00"):
        report = make_report(under_way=True)
        assert set(running(report)) == {PROTECTION} and report.outcome == "under_way"
        asked = make_report(case=report.case, under_way=True, feedback_asked=True)
        assert running(asked)["feedback"] == ("2026-11-23", "2026-11-23")  # at once


def test_registered_on_the_page(client_of, make_case, cast, at):
    with at("2026-11-23 10:00"):
        case = make_case(age_band="26+")
        client = client_of(cast.caseworker)
        street = reverse("intake:concern-register", args=[case.slug])
        page = client.get(street).content.decode()
        assert 'value="2026-11-23T10:00"' in page
        sent = {"age_band": "0-11", "received_at": "2026-11-23T09:30", "under_way": "unknown", "seen": "0"}
        answer = client.post(street, sent)
        report = case.concern_reports.get()
        assert answer.headers["Location"] == url("child", report)
        assert report.child_age_band == "0-11" and report.received_at.isoformat() == "2026-11-23T08:30:00+00:00"
        again = client.post(street, sent)  # the button pressed twice
        assert again.status_code == 422 and case.concern_reports.count() == 1
        sibling = client.post(street, {**sent, "seen": "1"})
        assert sibling.status_code == 302 and case.concern_reports.count() == 2
    row = LogEntry.objects.filter(event="concern.registered", case=case.pk).first()
    assert row.codes == {"report": report.pk, "age": "0-11"}
    connection.check_constraints()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("received_at", "2026-11-23T10:30", "has been"),
        ("received_at", "yesterday", "Write the day"),
        ("received_at", "\x00", "control character"),
        ("received_at", "0001-01-01T00:00", "Write the day"),
        ("received_at", "2024-11-23T10:30", "within the last year"),
        ("received_at", "", "required"),
        ("age_band", "12", "12 is not one of"),
        ("under_way", "", "required"),
        ("seen", "99999999999999999999999", ""),
    ],
)
def test_a_form_that_is_refused_comes_back_filled_in(client_of, make_case, cast, at, field, value, says):
    with at("2026-11-23 10:00"):
        case = make_case()
        street = reverse("intake:concern-register", args=[case.slug])
        sent = {"age_band": "0-11", "received_at": "2026-11-23T09:30", "under_way": "no", "seen": "0", field: value}
        answer = client_of(cast.caseworker).post(street, sent)
        assert answer.status_code == 422 and says in answer.content.decode()
        assert case.concern_reports.count() == 0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00"),  # twice: the first
        ("2026-03-29T02:30", "2026-03-29T01:30:00+00:00"),  # never: the same day all the same
    ],
)
def test_the_hours_of_the_nights_when_clocks_change_are_taken(client_of, make_case, cast, at, text, moment):
    with at("2026-10-26 10:00"):
        case = make_case()
        sent = {"age_band": "0-11", "received_at": text, "under_way": "no", "seen": "0"}
        client_of(cast.caseworker).post(reverse("intake:concern-register", args=[case.slug]), sent)
        report = case.concern_reports.get()
        assert report.received_at.isoformat() == moment
        assert clock.local_date(report.received_at).isoformat() == text[:10]


def test_a_reporter_who_asked_in_the_call_is_offered(client_of, make_case, cast):
    answers = {"p_mode": "report", "p_feedback": "yes"}
    case = make_case(caller_type="professional", answers=answers)
    page = client_of(cast.caseworker).get(reverse("intake:concern-register", args=[case.slug]))
    assert page.context["form"].initial["feedback_asked"] is True
    case = make_case(caller_type="professional", answers={"p_mode": "report", "p_feedback": "no"})
    page = client_of(cast.caseworker).get(reverse("intake:concern-register", args=[case.slug]))
    assert page.context["form"].initial["feedback_asked"] is False


# ---------- Decided ----------


def test_the_whole_way(make_report, skilled, at):
    with at("2026-10-31 10:00"):
        report = make_report(feedback_asked=True)
        case = report.case
        actions.assess_protection(by=skilled, report=report, needed=True, words="He is not safe at home.")
        connection.check_constraints()
        assert set(running(report)) == {PRELIMINARY}
        actions.decide_inquiry(by=skilled, report=report, outcome="opened", words="Much speaks for it.")
        connection.check_constraints()
        assert running(report) == {
            "inquiry": ("2027-02-28", "2027-03-01"),
            "feedback": ("2026-11-07", "2026-11-09"),  # a week after the decision; a Saturday
        }
        assert report.clocks.get(kind=PRELIMINARY).done_by == skilled
        actions.give_feedback(by=skilled, report=report, words="By phone.")
    with at("2027-02-01 10:00"):
        own = case.steps.planned().exclude(kept_by="child").get()
        actions.finish_step(by=skilled, step=own, outcome="done")
        connection.check_constraints()
        assert set(steps(case)) == {"child.inquiry"}
        actions.finish_inquiry(by=skilled, report=report, words="Support at home.")
        connection.check_constraints()
        # The clock's step was the last: what comes next is decided the next working day.
        step = steps(case)["decide_next"]
        assert (step.due_at.isoformat(), step.kept_by) == ("2027-02-02T15:00:00+00:00", "")
        actions.finish_step(by=skilled, step=step, close="needs_met")
        connection.check_constraints()
    kinds = list(case.events.filter(kind__startswith="child.").order_by("at", "id").values_list("kind", flat=True))
    assert kinds == [
        "child.protection_assessed",
        "child.inquiry_opened",
        "child.feedback_given",
        "child.inquiry_finished",
    ]
    event = case.events.select_related("case__key", "by").get(kind="child.protection_assessed")
    assert event.by == skilled and event.text == "He is not safe at home." and event.title.endswith("Yes")


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        ("opened", {"inquiry", "feedback"}),
        ("not_opened", {"feedback"}),
        ("under_way", {"feedback"}),
    ],
)
def test_what_a_decision_starts(make_report, skilled, at, outcome, left):
    with at("2026-11-23 10:00"):
        report = make_report(feedback_asked=True)
        actions.assess_protection(by=skilled, report=report, needed=False, words="Calm.")
        actions.decide_inquiry(by=skilled, report=report, outcome=outcome, words="As told.")
        connection.check_constraints()
        assert set(running(report)) == left
        wanted = "2026-11-23" if outcome == "under_way" else "2026-11-30"
        assert running(report)["feedback"][0] == wanted


def test_who_asks_after_the_decision_is_told_at_once(make_report, skilled, at):
    with at("2026-11-23 10:00"):
        report = make_report()
        actions.decide_inquiry(by=skilled, report=report, outcome="not_opened", words="As told.")
    with at("2026-12-26 22:00"):  # Boxing Day, a Saturday: it moves for nothing
        actions.ask_feedback(by=skilled, report=report)
        assert running(report)["feedback"] == ("2026-12-26", "2026-12-26")
        with pytest.raises(TooLate):
            actions.ask_feedback(by=skilled, report=report)
        connection.check_constraints()


def test_who_asks_before_the_decision_waits_for_it(make_report, cast, skilled, at):
    with at("2026-11-23 10:00"):
        report = make_report()
        actions.ask_feedback(by=cast.caseworker, report=report)
        assert "feedback" not in running(report)
        report.refresh_from_db()
        actions.decide_inquiry(by=skilled, report=report, outcome="not_opened", words="As told.")
        assert running(report)["feedback"][0] == "2026-11-30"


def test_twice_does_it_once(make_report, skilled):
    report = make_report()
    actions.assess_protection(by=skilled, report=report, needed=False, words="Calm.")
    with pytest.raises(TooLate):
        actions.assess_protection(by=skilled, report=report, needed=True, words="Calm.")
    actions.decide_inquiry(by=skilled, report=report, outcome="not_opened", words="As told.")
    with pytest.raises(TooLate):
        actions.decide_inquiry(by=skilled, report=report, outcome="opened", words="As told.")
    with pytest.raises(Refused, match="No such time runs"):
        actions.finish_inquiry(by=skilled, report=report, words="Done")
    assert set(running(report)) == set()
    assert report.case.events.filter(kind="child.protection_assessed").count() == 1


def test_only_the_qualified_decide_and_a_refusal_is_logged(make_report, cast, qualified):
    report = make_report(feedback_asked=True)
    acts = {
        PROTECTION: lambda by: actions.assess_protection(by=by, report=report, needed=False, words="Calm."),
        PRELIMINARY: lambda by: actions.decide_inquiry(by=by, report=report, outcome="opened", words="So."),
        "inquiry": lambda by: actions.finish_inquiry(by=by, report=report, words="Done."),
    }
    for kind, act in acts.items():
        with pytest.raises(NotQualified):
            act(cast.caseworker)
        row = LogEntry.objects.filter(event="child.refused", user=cast.caseworker).latest("pk")
        assert row.codes == {"clock": kind} and row.case == report.case_id
        act(qualified)
        connection.check_constraints()
    actions.give_feedback(by=cast.caseworker, report=report)  # to tell is no decision


def test_the_database_refuses_a_decision_of_somebody_who_is_not_qualified(make_report, cast):
    one = make_report().clocks.get(kind=PROTECTION)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        ChildClock.objects.filter(pk=one.pk).update(done_at=clock.now(), done_by=cast.caseworker)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        ChildClock.objects.filter(pk=one.pk).update(done_at=clock.now())


@pytest.mark.parametrize("words", ["", "  \n"])
def test_a_decision_says_what_it_rests_on(make_report, skilled, words):
    report = make_report()
    with pytest.raises(Refused, match="rests on"):
        actions.assess_protection(by=skilled, report=report, needed=True, words=words)
    with pytest.raises(Refused, match="what is decided"):
        actions.decide_inquiry(by=skilled, report=report, outcome="maybe", words="x")


# ---------- More time ----------


def test_the_manager_gives_more_time_with_a_reason(make_report, cast, at):
    with at("2026-11-23 10:00"):
        report = make_report()
        one = report.clocks.select_related("report__case__key").get(kind=PRELIMINARY)
        actions.extend_clock(by=cast.manager, running=one, to=dt.date(2026, 12, 24), why="The family cannot be found.")
        connection.check_constraints()
        assert running(report)[PRELIMINARY] == ("2026-12-24", "2026-12-28")
        assert steps(report.case)["child.preliminary"].due_at.isoformat() == "2026-12-24T15:00:00+00:00"
        one.refresh_from_db()
        assert one.extended_by == cast.manager
        event = report.case.events.select_related("case__key").get(kind="child.clock_extended")
        assert event.text == "The family cannot be found." and event.about == "Preliminary assessment"
        with pytest.raises(Refused, match="after the last day"):  # sent twice
            actions.extend_clock(by=cast.manager, running=one, to=dt.date(2026, 12, 24), why="Again.")


@pytest.mark.parametrize(
    ("who", "kind", "to", "why", "says"),
    [
        ("caseworker", PRELIMINARY, "2026-12-24", "Why", "Only the unit manager"),
        ("manager", PROTECTION, "2026-12-24", "Why", "gives no more time"),
        ("manager", PRELIMINARY, "2026-12-24", " ", "Say why"),
        ("manager", PRELIMINARY, "2026-12-01", "Why", "after the last day"),
        ("manager", PRELIMINARY, "2028-12-01", "Why", "within a year"),
    ],
)
def test_when_no_more_time_is_given(make_report, cast, at, who, kind, to, why, says):
    with at("2026-11-23 10:00"):
        report = make_report()
        one = report.clocks.select_related("report__case__key").get(kind=kind)
        with pytest.raises(Refused, match=says):
            actions.extend_clock(by=getattr(cast, who), running=one, to=dt.date.fromisoformat(to), why=why)
    assert one.extended_at is None


def test_no_time_is_given_that_has_passed(make_report, cast, at):
    with at("2026-11-23 10:00"):
        report = make_report()
    one = report.clocks.select_related("report__case__key").get(kind=PRELIMINARY)
    with at("2026-12-20 10:00"), pytest.raises(Refused, match="today or a later day") as refused:
        actions.extend_clock(by=cast.manager, running=one, to=dt.date(2026, 12, 19), why="Why")
    assert refused.value.at == "to"


@pytest.mark.parametrize(("age", "track"), [("12-14", "C"), ("unknown", "C"), ("26+", "A")])
def test_a_report_whose_clocks_run_is_no_advice(make_report, make_case, cast, client_of, age, track):
    """What the law asks for is documented by the law of a case: the report itself is never lost to a refusal."""
    case = make_case()
    received = timezone.localtime(clock.now()).strftime("%Y-%m-%dT%H:%M")
    sent = {"age_band": age, "received_at": received, "under_way": "unknown", "seen": "0"}
    url = reverse("intake:concern-register", args=[case.slug])
    page = client_of(cast.caseworker).post(url, sent, follow=True)
    case.refresh_from_db()
    assert (case.track, case.identity, case.concern_reports.count()) == (track, "anonymous", 1)
    changed = [event.codes for event in case.events.filter(kind="track.changed")]
    assert changed == ([{"track": "C", "was": "A", "identity": "anonymous"}] if track == "C" else [])
    assert ("is now on track C" in page.content.decode()) == (track == "C")


@pytest.mark.parametrize("track", ["B", "C"])
def test_a_report_on_another_track_changes_none(make_report, make_case, track):
    case = make_report(make_case(track=track)).case
    assert case.track == track and not case.events.filter(kind="track.changed").exists()


# ---------- The pages ----------


def test_the_page_names_who_may_decide_and_refuses_the_others(make_report, client_of, cast, qualified):
    report = make_report()
    client = client_of(cast.caseworker)
    page = client.get(url("child", report)).content.decode()
    assert "Only qualified staff decide" in page and qualified.first_name in page
    assert "Sign the protection assessment" not in page
    sent = {f"{PROTECTION}-needed": "no", f"{PROTECTION}-words": "My own words."}
    answer = client.post(url("child-decide", report, PROTECTION), sent)
    assert answer.status_code == 403 and "My own words." in answer.content.decode()
    assert LogEntry.objects.filter(event="child.refused", case=report.case_id).count() == 1
    assert set(running(report)) == {PROTECTION, PRELIMINARY}


def test_nobody_is_qualified_and_the_page_says_what_to_do(make_report, client_of, cast):
    page = client_of(cast.caseworker).get(url("child", make_report())).content.decode()
    assert "Nobody in the unit is marked as qualified" in page


def test_decided_on_the_page(make_report, client_of, skilled):
    report = make_report()
    client = client_of(skilled)
    refused = client.post(url("child-decide", report, PROTECTION), {f"{PROTECTION}-words": "Kept words."})
    assert refused.status_code == 422 and "Kept words." in refused.content.decode()
    sent = {f"{PROTECTION}-needed": "yes", f"{PROTECTION}-words": "He is not safe."}
    assert client.post(url("child-decide", report, PROTECTION), sent).status_code == 302
    late = client.post(url("child-decide", report, PROTECTION), {**sent, f"{PROTECTION}-words": "Second words."})
    assert late.status_code == 422 and "Second words." in late.content.decode()
    page = client.get(url("child", report)).content.decode()
    assert "He is not safe." in page and "Protection needed now: Yes" in page
    assert client.post(url("child-decide", report, "nothing"), sent).status_code == 404
    assert client.post(url("child-decide", report, "inquiry"), {"inquiry-words": "x"}).status_code == 422


def test_feedback_on_the_page(make_report, client_of, cast):
    report = make_report(under_way=True)
    client = client_of(cast.caseworker)
    assert client.post(url("child-feedback", report)).status_code == 302
    assert set(running(report)) == {PROTECTION, "feedback"}
    assert client.post(url("child-feedback", report)).status_code == 302  # twice
    assert report.clocks.filter(kind="feedback").count() == 1
    assert client.post(url("child-decide", report, "feedback"), {"feedback-words": ""}).status_code == 302
    assert set(running(report)) == {PROTECTION}


def test_more_time_on_the_page(make_report, client_of, cast, at):
    with at("2026-11-23 10:00"):
        report = make_report()
        actions.open_with_reason(by=cast.manager, case=report.case, reason="supervision")
        client = client_of(cast.manager)
        assert "Give more time" in client.get(url("child", report)).content.decode()
        prefix = f"extend-{PRELIMINARY}"
        bad = client.post(url("child-extend", report, PRELIMINARY), {f"{prefix}-to": "x", f"{prefix}-why": "My reason"})
        assert bad.status_code == 422 and "My reason" in bad.content.decode()
        sent = {f"{prefix}-to": "2026-12-20", f"{prefix}-why": "My reason"}
        assert client.post(url("child-extend", report, PRELIMINARY), sent).status_code == 302
        assert running(report)[PRELIMINARY] == ("2026-12-20", "2026-12-21")
        assert client_of(cast.caseworker).post(url("child-extend", report, PRELIMINARY), sent).status_code == 403


@pytest.mark.parametrize("name", ["child", "child-decide", "child-feedback"])
def test_who_may_not(make_report, client_of, cast, name):
    report = make_report()
    street = url(name, report, *([PROTECTION] if name == "child-decide" else []))
    ask = "get" if name == "child" else "post"
    for who, status in [("partner", 403), ("keeper", 403), ("stranger", 404), ("other_manager", 404)]:
        assert getattr(client_of(getattr(cast, who)), ask)(street).status_code == status, who
    if ask == "post":
        assert client_of(cast.caseworker).get(street).status_code == 405


def test_a_report_of_another_case_is_not_there(make_report, make_case, client_of, cast):
    report, other = make_report(), make_case()
    client = client_of(cast.caseworker)
    for pk in (report.pk, 10**30):
        assert client.get(reverse("intake:child", args=[other.slug, pk])).status_code == 404


def test_the_case_shows_both_dates_and_the_state_in_words(make_report, client_of, skilled, at):
    with at("2026-12-10 11:30"):
        report = make_report()
        case_page = reverse("intake:case", args=[report.case.slug])
        page = client_of(skilled).get(case_page).content.decode()
        assert "At once, today" in page and "14 days left" in page and "last day by law" in page
    with at("2026-12-11 12:00"):
        page = client_of(skilled).get(case_page).content.decode()
        assert "Late, 1 day" in page and "More than a day has passed" in page
    with at("2026-12-25 09:00"):
        page = client_of(skilled).get(case_page).content.decode()
        assert "The aim has passed" in page
        actions.assess_protection(by=skilled, report=report, needed=False, words="Calm.")
        page = client_of(skilled).get(case_page).content.decode()
        assert "after the last day by law" in page
        assert "Anna" in page


def test_queries_do_not_grow_with_the_reports(make_report, make_case, client_of, cast):
    case = make_case()
    client = client_of(cast.caseworker)

    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("intake:case", args=[case.slug]))
        return len(queries)

    make_report(case=case)
    count()
    few = count()
    for _ in range(3):
        make_report(case=case)
    assert count() == few


def test_the_keeper_marks_who_is_qualified(client_of, cast):
    client = client_of(cast.keeper)
    street = reverse("keeper:user-edit", args=[cast.colleague.pk])
    assert "SoL 25:1" in client.get(street).content.decode()
    facts = {
        **{"part": "facts", "first_name": "Bert", "last_name": "Berg", "email": "bert@example.com"},
        **{"role": "caseworker", "unit": cast.unit.pk, "is_qualified": "on"},
    }
    assert client.post(street, facts).status_code == 302
    assert User.objects.get(pk=cast.colleague.pk).is_qualified
    assert "is_qualified" in LogEntry.objects.filter(event="user.changed").latest("pk").codes["parts"]
    partner = reverse("keeper:user-edit", args=[cast.partner.pk])
    facts |= {"role": "partner", "unit": "", "agency": cast.agency.pk}
    assert client.post(partner, facts).status_code == 302
    assert not User.objects.get(pk=cast.partner.pk).is_qualified  # SoL 25:1 is about staff
