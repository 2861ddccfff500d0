"""What goes when: the days of every rule, who is exempt, and what each case says of it beforehand."""

import datetime as dt

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from helpline import disposals, retention
from helpline.people import clock
from helpline.people.workdays import local
from helpline.retention import RULES, Standing, birthday, born_at_the_latest, born_on, child_born, standing, youngest
from helpline.retention_rows import HELD, RELEASED, SOONEST, reached, standing_of
from intake import actions, triage
from intake.actions.board import MONTHS, months_of_words
from intake.models import BoardDecision, Call, Case, ConcernReport, Person
from tests.people.test_personal_numbers import number

DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2070, 12, 31))
LISTED = [rule for rule in RULES.values() if not rule.by_itself]


def closed(make_case, cast, **facts) -> Case:
    facts = {"track": "B", **facts}
    case = make_case(**facts)
    actions.finish_step(by=cast.caseworker, step=case.steps.get(), outcome="Done.", close="needs_met")
    connection.check_constraints()
    return Case.objects.select_related("key", "unit").get(pk=case.pk)


def report(case, cast, band: str, outcome: str) -> ConcernReport:
    return ConcernReport.objects.create(
        case=case,
        child_age_band=band,
        registered_by=cast.caseworker,
        received_at=clock.now(),
        outcome=outcome,
        decided_at=clock.now() if outcome else None,
        decided_by=cast.caseworker if outcome else None,
    )


def number_of(case, number: str, part: str = "concern") -> Person:
    """A personal number of somebody in the case; sealed, so saved."""
    person = case.people.filter(part=part).first()
    person.case = case
    person.personal_number = number
    person.save()
    return person


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_rule_is_whole():
    for key, rule in RULES.items():
        assert key == rule.key and len(key) <= 24
        assert str(rule.law) and str(rule.covers) and str(rule.remains)
        assert bool(rule.board) == rule.by_itself
        assert rule.by_itself or rule.years or rule.months
    assert min(rule.years for rule in RULES.values() if rule.research) == 5
    assert SOONEST == 3
    assert len("retention.released") <= 40 and HELD != RELEASED


def test_the_words_of_advice_go_by_the_boards_term(cast):
    """The table names the decision that intake.actions.erase_words reads."""
    rule = RULES["advice_words"]
    assert rule.board == MONTHS and rule.board in BoardDecision.KINDS and months_of_words("1496") == 6


@pytest.mark.parametrize(
    ("key", "today", "law"),
    [
        ("child_inquiry", "2026-01-14", "SoL 16:1"),
        ("child_inquiry", "2026-01-15", "SoL 16:2 a"),
        ("not_opened", "2026-01-14", "SoL 16:1"),
        ("not_opened", "2026-01-15", "SoL 16:2 a"),
        ("five_years", "2020-01-01", "SoL 16:1"),
    ],
)
def test_a_law_holds_from_its_day(key, today, law):
    assert retention.in_force(key, dt.date.fromisoformat(today)).law == law


# -- days --------------------------------------------------------------------------------------------------------------


@given(DAYS)
def test_five_years_are_five_years(day):
    for key in ("five_years", "not_opened", "advice"):
        due = RULES[key].due_on(day)
        assert due.year == day.year + 5 and due.month == day.month
        assert due.day == day.day or (day.month, day.day, due.day) == (2, 29, 28)
        said = Standing(RULES[key], last_entry=day, due_on=due)
        assert said.last_day == dt.date(due.year + 1, 12, 31) > due


@given(DAYS, DAYS)
def test_no_day_is_ever_early_and_later_entries_never_make_it_earlier(one, other):
    for rule in LISTED:
        early, late = sorted((one, other))
        assert rule.due_on(early) <= rule.due_on(late)
        assert (rule.due_on(early) - early).days >= 28 * (12 * rule.years + rule.months)


@given(DAYS, DAYS)
def test_a_child_is_thirty_and_five_years_have_passed(born, last):
    due = RULES["child_inquiry"].due_on(last, born)
    assert due >= RULES["five_years"].due_on(last)
    assert due >= birthday(born, 30) and (due.year - born.year) >= 30
    assert due in (RULES["five_years"].due_on(last), birthday(born, 30))


@pytest.mark.parametrize(
    ("born", "age", "day"),
    [
        ("2011-03-05", 30, "2041-03-05"),
        ("2012-02-29", 30, "2042-03-01"),
        ("2012-02-29", 28, "2040-02-29"),
        ("2011-12-31", 30, "2041-12-31"),
    ],
)
def test_a_birthday_is_never_early(born, age, day):
    assert birthday(dt.date.fromisoformat(born), age) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(("today", "goes"), [("2041-03-06", False), ("2041-03-07", True)])
def test_at_29_years_and_364_days_it_stays(today, goes):
    with clock.at(local(dt.date.fromisoformat(today), dt.time(12))):
        now = standing("child_inquiry", last_entry=dt.date(2026, 12, 1), children=[dt.date(2011, 3, 7)])
        assert now.is_due is goes and now.due_on == dt.date(2041, 3, 7)


@pytest.mark.parametrize(
    ("moment", "due"),
    [("2026-12-31 22:59", "2031-12-31"), ("2026-12-31 23:01", "2032-01-01"), ("2026-06-30 22:30", "2031-07-01")],
)
def test_days_are_swedish_days(moment, due):
    """UTC: what is written at New Year's night is written in the year that Sweden has."""
    last = clock.local_date(dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC))
    assert RULES["five_years"].due_on(last) == dt.date.fromisoformat(due)


@pytest.mark.parametrize(("today", "due", "late"), [("2032-12-31", True, False), ("2033-01-01", True, True)])
def test_done_by_the_end_of_the_next_calendar_year(today, due, late):
    with clock.at(local(dt.date.fromisoformat(today), dt.time(0, 30))):
        now = standing("five_years", last_entry=dt.date(2026, 6, 1))
        assert now.last_day == dt.date(2032, 12, 31) and now.is_due is due and now.is_late is late


# -- numbers and ages --------------------------------------------------------------------------------------------------


@given(DAYS, st.integers(0, 9999), st.booleans())
def test_a_number_says_the_day_of_birth(day, rest, is_coordination):
    shown = day.day + 60 if is_coordination else day.day
    number = f"{day:%Y%m}{shown:02}{rest:04}"
    assert born_on(number) == born_on(f"{number[:8]}-{number[8:]}") == day
    kept = retention.research_day([number])
    assert kept == (day.day if day.day in (5, 15, 25) else None)


@pytest.mark.parametrize(
    "number", ["", "Anna", "201102300001", "20110060001", "201113010001", "201103600001", "²" * 12]
)
def test_what_is_no_number_has_no_day(number):
    assert born_on(number) is None and retention.research_day([number]) is None


def test_every_age_band_has_a_youngest_age():
    ages = {code: youngest(code) for code in triage.codes("age_bands")}
    assert ages == {"0-11": 0, "12-14": 12, "15-17": 15, "18-19": 18, "20": 20, "21-25": 21, "26+": 26, "unknown": 0}


@given(DAYS, st.sampled_from(["0-11", "12-14", "15-17", "unknown"]))
def test_without_a_number_the_latest_birth_counts(seen, band):
    born = born_at_the_latest(band, seen)
    assert child_born(band, seen, [""]) == child_born(band, seen, []) == born
    assert birthday(born, youngest(band)) <= seen + dt.timedelta(days=1)  # 29 February


@pytest.mark.parametrize(
    ("numbers", "born"),
    [
        (["201103070001"], "2011-03-07"),
        (["201103070001", "197001010001"], "2011-03-07"),  # a grown-up is not the child
        (["201103070001", ""], "2011-11-23"),  # of one nothing is known: what the band allows
        (["201103070001", "201405010001"], "2014-05-01"),  # of two the youngest
        (["197001010001"], "2011-11-23"),
    ],
)
def test_the_child_of_a_report(numbers, born):
    assert child_born("15-17", dt.date(2026, 11, 23), numbers) == dt.date.fromisoformat(born)


@pytest.mark.parametrize(
    ("code", "place"),
    [("0580", "Östergötland"), ("0980", "Gotland"), ("2281", "Västernorrland"), ("1480", "Göteborg"), ("1496", "")],
)
def test_whole_places_are_kept(code, place):
    now = standing("five_years", last_entry=dt.date(2000, 1, 1), municipality=code)
    assert now.why == place and now.is_due is not bool(place)
    assert standing("advice", last_entry=dt.date(2000, 1, 1), municipality=code).is_due


# -- rows --------------------------------------------------------------------------------------------------------------


def test_what_is_open_has_no_day_and_says_so(make_case):
    now = standing_of(make_case(track="B"))
    assert now.kept == "open" and now.due_on is None and not now.is_reached
    assert now.words == "Deleted five years after the last entry (SoL 16:1)."


def test_a_closed_case_goes_five_years_after_its_last_entry(make_case, cast, at):
    with at("2026-12-31 10:00"):
        case = closed(make_case, cast)
        now = standing_of(case)
        assert now.rule.key == "five_years" and now.last_entry == dt.date(2026, 12, 31)
        assert now.words == "Deleted at the earliest 2031-12-31 (SoL 16:1)."
    with at("2027-03-01 10:00"):
        actions.open_with_reason(by=cast.colleague, case=case, reason="supervision")  # a look is no entry
        assert standing_of(case).due_on == dt.date(2031, 12, 31)
        actions.add_note(by=cast.caseworker, case=case, kind="told", text="She called again.")
        assert standing_of(case).due_on == dt.date(2032, 3, 1)
    for day, due in (("2032-02-29 23:59", False), ("2032-03-01 00:01", True)):
        with at(day):
            assert standing_of(case).is_due is due


@pytest.mark.parametrize(
    ("outcome", "key", "due"),
    [
        ("opened", "child_inquiry", "2044-11-23"),
        ("under_way", "child_inquiry", "2044-11-23"),
        ("not_opened", "not_opened", "2031-11-23"),
    ],
)
def test_a_report_of_concern(outcome, key, due, make_case, cast, at):
    with at("2026-11-23 10:00"):
        case = closed(make_case, cast, track="C")
        report(case, cast, "12-14", outcome)
        now = standing_of(case)
        assert (now.rule.key, now.due_on) == (key, dt.date.fromisoformat(due))
        number_of(case, "201203010001")
        if outcome != "not_opened":
            assert standing_of(case).due_on == dt.date(2042, 3, 1)
            assert "Child inquiry" in standing_of(case).words


def test_the_inquiry_of_an_open_case_says_its_day(make_case, cast, at):
    with at("2026-11-23 10:00"):
        case = make_case(track="C")
        report(case, cast, "15-17", "opened")
        now = standing_of(case)
        assert now.kept == "open" and now.words == "Child inquiry: deleted at the earliest 2041-11-23 (SoL 16:2 a)."


def test_before_the_law_an_inquiry_went_after_five_years(make_case, cast, at):
    with at("2020-11-23 10:00"):
        case = closed(make_case, cast, track="C")
        report(case, cast, "15-17", "opened")
    with at("2026-01-14 10:00"):
        assert standing_of(case).is_due
    with at("2026-01-15 10:00"):
        assert not standing_of(case).is_due and standing_of(case).due_on == dt.date(2035, 11, 23)


@pytest.mark.parametrize(("number", "day"), [("196503150001", "15"), ("196503650001", "5"), ("196503850001", "25")])
@pytest.mark.parametrize("part", ["concern", "caller"])
def test_who_was_born_on_such_a_day_is_kept(number, day, part, make_case, cast, at):
    with at("2020-01-10 10:00"):
        case = closed(make_case, cast, track="C")
        number_of(case, number, part)
    now = standing_of(case)
    assert now.kept == "research" and now.why == day and now.goes_to_archive and not now.is_due and now.is_reached
    assert now.words == f"Kept: born on the {day}th (SoL 16:4)."


def test_who_was_taken_off_the_list_is_kept_too(make_case, cast, at):
    """The record is about them all the same."""
    with at("2020-01-10 10:00"):
        case = closed(make_case, cast, track="C")
        person = number_of(case, "196503150001")
        Person.objects.filter(pk=person.pk).update(unlisted_at=clock.now())
    now = standing_of(case)
    assert now.kept == "research" and now.is_reached and not now.is_due


def test_a_finished_call_of_a_case_holds_no_number(make_case, cast):
    """So that those of its people are all there are."""
    call = closed(make_case, cast, track="C").calls.select_related("key").get()
    call.identity, call.caller_name, call.personal_number = "named", "Bo Al", "196503150001"
    with pytest.raises(IntegrityError, match="number_of_person_in_its_place"):
        call.save(update_fields=["identity", "caller_name", "personal_number"])


def test_a_child_who_was_taken_off_the_list_is_counted_by(make_case, cast, at):
    with at("2026-02-10 10:00"):
        case = closed(make_case, cast, track="C")
        report(case, cast, "15-17", "opened")
        person = number_of(case, "201506160001")  # younger than the band says
        Person.objects.filter(pk=person.pk).update(unlisted_at=clock.now())
    assert standing_of(case).due_on == dt.date(2045, 6, 16)


def test_a_call_without_a_case_of_such_a_day_is_kept(make_call, cast, at):
    with at("2020-03-02 10:00"):
        facts = {"track": "B", "caller_name": "Bo Al", "personal_number": number("19700505"), "caller_type": "other"}
        call = make_call(**facts, urgency="NORMAL", urgency_reason="-")
        actions.complete_call(by=cast.caseworker, call=call)
    call = Call.objects.get(pk=call.pk)
    assert call.case_id is None
    now = standing_of(call)
    assert now.rule.key == "five_years" and now.is_reached and now.kept == "research" and now.why == "5"
    assert [one.standing.is_due for one in reached(call.unit) if one.row.pk == call.pk] == [False]


def test_an_ordinary_day_keeps_nobody(make_case, cast, at):
    with at("2020-01-10 10:00"):
        case = closed(make_case, cast, track="C")
        number_of(case, "196503160001")
    assert standing_of(case).is_due


def test_advice_goes_after_its_words_and_five_years(make_case, make_call, cast, at):
    with at("2020-01-10 10:00"):
        case = closed(make_case, cast, track="A")
        call = make_call(urgency="NORMAL", caller_type="other")
        call = actions.complete_call(by=cast.caseworker, call=call)
    for row in (case, call):
        now = standing_of(row)
        assert now.rule.key == "advice" and now.due_on == dt.date(2025, 1, 10) and now.is_due
    where = {"municipality": cast.unit.municipality, "kind": MONTHS, "registry_number": "SN 1"}
    BoardDecision.objects.create(value=120, valid_from=dt.date(2020, 1, 1), **where)
    for row in (case, call):
        assert standing_of(row).due_on == dt.date(2030, 1, 10)


def test_advice_that_was_more_is_kept_as_more(make_case, cast, at):
    with at("2020-01-10 10:00"):
        case = make_case(track="A")
        for track in "BA":
            actions.change_track(by=cast.caseworker, case=case, track=track, identity="anonymous", why="Why", told=True)
        actions.finish_step(by=cast.caseworker, step=case.steps.get(), outcome="Done.", close="needs_met")
    assert standing_of(case).rule.key == "five_years"


def test_calls_without_a_case(make_call, cast, at):
    with at("2026-01-10 10:00"):
        going_on = make_call(notes={"told": "Much."})
        practice = make_call(urgency="NORMAL", caller_type="other", is_practice=True)
        practice = actions.complete_call(by=cast.caseworker, call=practice)
        wrong, worded = make_call(), make_call(notes={"told": "Much."})
        for call in (wrong, worded):
            actions.void_call(by=cast.caseworker, call=call, why="A wrong number.")
    rows = {"practice": practice, "voided": wrong, "advice": worded}
    for key, call in rows.items():
        call.refresh_from_db()
        assert standing_of(call).rule.key == key
    assert standing_of(going_on).kept == "open" and not standing_of(going_on).is_reached
    assert standing_of(practice).due_on == standing_of(wrong).due_on == dt.date(2026, 4, 10)


# -- what a manager keeps ----------------------------------------------------------------------------------------------


def test_a_manager_keeps_a_case_and_lets_it_go_again(make_case, cast, at):
    with at("2020-01-10 10:00"):
        case = closed(make_case, cast)
    with at("2026-01-10 10:00"):
        disposals.keep(by=cast.manager, case=case, reason="placement", words="SN 2026-1")
        disposals.keep(by=cast.manager, case=case, reason="placement", words="SN 2026-1")
        now = standing_of(case)
        assert now.kept == "held" and not now.is_due and "SoL 16:2" in now.words
        assert case.events.filter(kind=HELD).count() == 1
        assert now.last_entry == dt.date(2020, 1, 10)  # no entry: it moves no day
        disposals.keep_no_longer(by=cast.manager, case=case)
        disposals.keep_no_longer(by=cast.manager, case=case)
        assert standing_of(case).is_due and case.events.filter(kind=RELEASED).count() == 1
    connection.check_constraints()


def test_the_page_of_keeping(make_case, cast, client_of):
    case = make_case(track="B", notes={"told": "Her words"})
    url = reverse("disposals:case-keep", args=[case.slug])
    manager = client_of(cast.manager)
    html = manager.get(url).content.decode()
    assert case.number in html and "Her words" not in html
    answer = manager.post(url, {"reason": "court"})
    assert answer.status_code == 422
    assert manager.post(url, {"reason": "court", "words": "Mål T 1-26"}).status_code == 302
    assert "Let the rules hold again" in manager.get(url).content.decode()
    assert case.events.get(kind=HELD).text == "Mål T 1-26"
    assert manager.post(url).status_code == 302 and standing_of(case).kept == "open"
    assert client_of(cast.caseworker).get(url).status_code == 403
    assert client_of(cast.other_manager).get(url).status_code == 404
    assert client_of(cast.other_manager).post(url, {"reason": "court", "words": "x"}).status_code == 404


# -- shown beforehand --------------------------------------------------------------------------------------------------


def test_each_case_says_beforehand_when_it_goes(make_case, cast, client_of, at):
    client = client_of(cast.caseworker)
    with at("2026-11-23 10:00"):
        case = make_case(track="B")
        assert (
            "five years after the last entry" in client.get(reverse("intake:case", args=[case.slug])).content.decode()
        )
        page = client.get(reverse("intake:case-close", args=[case.slug])).content.decode()
        assert "five years after the last entry" in page
        actions.finish_step(by=cast.caseworker, step=case.steps.get(), outcome="Done.", close="needs_met")
        page = client.get(reverse("intake:case", args=[case.slug])).content.decode()
        assert "Deleted at the earliest 2031-11-23 (SoL 16:1)." in page
        number_of(case, "196503150001")
        page = client.get(reverse("intake:case", args=[case.slug])).content.decode()
        assert "Kept: born on the 15th (SoL 16:4)." in page


def test_the_models_that_the_rules_read_are_there():
    assert {model.__name__ for model in apps.get_app_config("intake").get_models()} >= {"PastCase", "SearchMark"}
