"""The monthly review of the log: drawn by rule and by chance, marked by somebody else, signed, and reminded of when late."""

import datetime as dt
import uuid

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from helpline import log_review
from helpline.log_review import draw_reviews, mark_rows, remind_late, responsible, rows_for, sign_review
from helpline.log_rules import MANY, MANY_SEARCHES, RULES, SAMPLE
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.errors import Refused, TooLate
from helpline.people.models import LogEntry, LogReview, LogReviewRow, Notice, Role, User
from intake import actions as intake
from intake.models import Call, Case, LockedOut

NOV, DEC = "2026-11-18 10:00", "2026-12-01 08:00"  # a Wednesday; the first working day of December
LIST, PAGE, SIGN = "log:review-list", "log:review", "log:review-sign"


@pytest.fixture
def reviewer(cast) -> User:
    found = getattr(cast, "reviewer", None)
    return found or User.objects.create(username="rut", first_name="Rut", role=Role.REVIEWER, language="en")


@pytest.fixture
def read(cast, at):
    """Somebody opens a case or a call, at some time."""

    def opened(case=None, *, by=None, when=NOV, why="reason", event="case.read", **rest):
        with at(when):
            return log(event, by=by or cast.caseworker, case=case.pk if case else None, why=why, **rest)

    return opened


@pytest.fixture
def drawn(cast, reviewer, make_case, read, at):
    """The review of November of the unit: twelve openings by chance among thirty."""
    with at("2026-11-02 10:00"):
        case = make_case()
    for day in range(3, 21):
        read(case, when=f"2026-11-{day:02} 10:00", why="own")
    with at(DEC):
        draw_reviews()
    connection.check_constraints()
    return LogReview.objects.get(unit=cast.unit)


def why_of(entry) -> list[str]:
    row = LogReviewRow.objects.filter(entry=entry).first()
    return [key for key in row.rules if key != SAMPLE] if row else []


# -- drawn -------------------------------------------------------------------------------------------------------------


def test_on_the_first_working_day_and_once(cast, make_case, read, at):
    read(make_case())
    with at("2026-11-30 23:00"):
        draw_reviews()
    assert not LogReview.objects.filter(month=dt.date(2026, 11, 1)).exists()
    with at("2026-12-01 07:00"):
        assert draw_reviews() > 0 and draw_reviews() == 0
    review = LogReview.objects.get(unit=cast.unit, month=dt.date(2026, 11, 1))
    assert review.due_on == dt.date(2026, 12, 14)  # the tenth working day
    assert LogEntry.objects.filter(event="log.review_drawn", row=review.pk).count() == 1


def test_not_before_a_working_day(cast, at):
    with at("2027-01-01 12:00"):
        draw_reviews()
    with at("2027-01-03 12:00"):
        draw_reviews()
    assert not LogReview.objects.filter(month=dt.date(2026, 12, 1)).exists()
    with at("2027-01-04 06:00"):
        draw_reviews()
    assert LogReview.objects.filter(month=dt.date(2026, 12, 1)).exists()


def test_a_month_that_was_missed_is_made_up_for(cast, drawn, at):
    with at("2027-03-02 08:00"):
        draw_reviews()
    assert set(LogReview.objects.filter(unit=cast.unit).values_list("month", flat=True)) == {
        dt.date(2026, 11, 1),
        dt.date(2026, 12, 1),
        dt.date(2027, 1, 1),
        dt.date(2027, 2, 1),
    }


def test_it_is_the_month_of_swedish_clocks(cast, make_case, read, at):
    case = make_case()
    inside = [read(case, when="2026-11-01 00:00:01"), read(case, when="2026-11-30 23:59:59", why="own")]
    outside = [read(case, when="2026-10-31 23:59:59"), read(case, when="2026-12-01 00:00:01", why="own")]
    with at(DEC):
        draw_reviews()
    rows = set(LogReviewRow.objects.filter(review__month=dt.date(2026, 11, 1)).values_list("entry", flat=True))
    assert {row.pk for row in inside} <= rows and not rows & {row.pk for row in outside}


def test_each_unit_and_those_who_have_none(cast, reviewer, make_case, read, at):
    case = make_case()
    rows = {
        user.pk: read(case, by=user, why="agency" if user == cast.partner else "reason")
        for user in (cast.caseworker, cast.stranger, cast.partner)
    }
    with at(DEC):
        draw_reviews()
    units = {
        row.subject_id: row.review.unit for row in LogReviewRow.objects.filter(entry__in=[r.pk for r in rows.values()])
    }
    assert units == {cast.caseworker.pk: cast.unit, cast.stranger.pk: cast.other_unit, cast.partner.pk: None}


def test_by_chance(cast, make_case, read, at, monkeypatch):
    """At least ten, or one in twenty, or sixty; never twice the same, and not always the same."""
    counts = {}
    for openings in (4, 30, 400, 2000):
        monkeypatch.setattr(log_review, "RULES", {})
        found = [LogEntry(pk=number, user_id=1) for number in range(openings)]
        monkeypatch.setattr(log_review, "material_of", lambda _rows, found=found: type("M", (), {"openings": found}))
        draws = [tuple(row.pk for row, _why in log_review._caught(None)) for _turn in range(5)]
        counts[openings] = {len(set(draw)) for draw in draws}
        assert openings == 4 or len(set(draws)) > 1
    assert counts == {4: {4}, 30: {10}, 400: {20}, 2000: {60}}


def test_many_looks_at_one_case_in_a_day_are_one_opening(cast, make_case, read, at):
    case = make_case()
    for minute in range(30):
        read(case, when=f"2026-11-18 10:{minute:02}")
    with at(DEC):
        draw_reviews()
    assert LogReviewRow.objects.filter(entry__case=case.pk, entry__why="reason").count() == 1


# -- the rules ---------------------------------------------------------------------------------------------------------


def own_name(cast, make_case, read, at):
    User.objects.filter(pk=cast.caseworker.pk).update(last_name="Lind")
    return read(make_case(by=cast.colleague, track="B", caller_name="Maja LIND")), read(
        make_case(by=cast.colleague, track="B", caller_name="Maja Lindh")
    )


def own_number(cast, make_case, read, at):
    User.objects.filter(pk=cast.caseworker.pk).update(phone="070-123 45 67")
    return (
        read(make_case(by=cast.colleague, track="B", caller_name="Maja", phone="+46701234567")),
        read(make_case(by=cast.colleague, track="B", caller_name="Maja", phone="0707654321")),
    )


def own_search(cast, make_case, read, at):
    with at(NOV):
        return log("search.made", by=cast.caseworker, own=True), log("search.made", by=cast.caseworker, own=False)


def protected(cast, make_case, read, at):
    one, other = make_case(track="C", identity="named", caller_name="Maja"), make_case()
    Case.objects.filter(pk=one.pk).update(protection="secrecy_marking")
    return read(one, why="own"), read(other)


def emergency(cast, make_case, read, at):
    case = make_case(by=cast.stranger)
    return read(case, why="emergency"), read(case, why="named")


def night(cast, make_case, read, at):
    case = make_case(by=cast.colleague)
    return read(case, when="2026-11-18 22:30"), read(case, when="2026-11-18 21:59", why="own")


def early(cast, make_case, read, at):
    case = make_case(by=cast.colleague)
    return read(case, when="2026-11-18 05:59"), read(case, when="2026-11-18 06:00", why="own")


def saturday(cast, make_case, read, at):
    case = make_case(by=cast.colleague)
    return read(case, when="2026-11-21 12:00"), read(case, when="2026-11-20 12:00", why="own")


def on_duty(cast, make_case, read, at):
    case = make_case(by=cast.colleague)
    with at("2026-11-18 21:30"):
        log("call.started", by=cast.caseworker)
    return read(case, when="2026-11-19 23:30"), read(case, when="2026-11-18 23:30", why="own")


def locked_out(cast, make_case, read, at):
    one, other = make_case(by=cast.colleague), make_case(by=cast.colleague)
    with at("2026-11-17 10:00"):
        LockedOut.objects.create(case=one, user=cast.caseworker, by=cast.manager, reason="Kin.")
    with at(NOV):
        return [log("case.refused", by=cast.caseworker, case=case.pk, row=case.code) for case in (one, other)]


def many_searches(cast, make_case, read, at):
    rows = {}
    for hour, count in {"10": MANY_SEARCHES + 1, "12": MANY_SEARCHES}.items():
        with at(f"2026-11-18 {hour}:05"):
            rows[hour] = [log("search.made", by=cast.caseworker, own=True) for _turn in range(count)][0]
    return rows["10"], rows["12"]


def protected_call(cast, make_case, read, at):
    """Without a case, and shown as what the caller was told."""
    calls = [intake.start_call(by=cast.caseworker) for _turn in range(2)]
    Call.objects.filter(pk=calls[0].pk).update(protection="secrecy_marking")
    return [read(event="after.shown", why="own", call=call.pk) for call in calls]


def protected_used(cast, make_case, read, at):
    """Worked in, without a page of it before."""
    one, other = make_case(), make_case()
    Case.objects.filter(pk=one.pk).update(protection="secrecy_marking")
    return read(one, why="own", event="case.used"), read(other, why="own", event="case.used")


CATCHES = {
    "own_name": [own_name, own_number, own_search],
    "protected": [protected, protected_call, protected_used],
    "searches": [many_searches],
    "emergency": [emergency],
    "night": [night, early, saturday, on_duty],
    "locked_out": [locked_out],
}


@pytest.mark.parametrize(("rule", "story"), [(rule, story) for rule, stories in CATCHES.items() for story in stories])
def test_a_rule_catches_what_it_says_and_no_more(rule, story, cast, reviewer, make_case, read, at):
    with at("2026-11-16 10:00"):
        caught, other = story(cast, make_case, read, at)
    with at(DEC):
        draw_reviews()
    assert rule in why_of(caught) and rule not in why_of(other)


def test_a_case_that_was_closed_long_ago(cast, reviewer, make_case, read, at):
    with at("2026-10-01 10:00"):
        case = make_case()
        intake.finish_step(by=cast.caseworker, step=case.steps.get(), close="needs_met")
    soon, late = read(case, when="2026-10-31 09:00", why="own"), read(case, when="2026-10-31 11:00")
    with at("2026-11-02 08:00"):
        draw_reviews()
    assert "inactive" in why_of(late) and "inactive" not in why_of(soon)


def test_many_cases_in_a_day(cast, reviewer, make_case, read, at):
    with at("2026-11-02 10:00"):
        cases = [make_case(by=cast.colleague) for _turn in range(MANY + 1)]
    today = [read(case) for case in cases]
    yesterday = [read(case, when="2026-11-17 10:00") for case in cases[:MANY]]
    own = [read(case, by=cast.colleague, why="own") for case in cases]
    with at(DEC):
        draw_reviews()
    assert all("many" in why_of(row) for row in today)
    assert not any("many" in why_of(row) for row in [*yesterday, *own])


def test_every_rule_is_tried():
    assert set(RULES) == {*CATCHES, "many", "inactive"}


# -- marked ------------------------------------------------------------------------------------------------------------


def test_the_manager_marks_and_signs(drawn, cast, client_of):
    theirs = client_of(cast.manager)
    page = theirs.get(reverse(PAGE, args=[drawn.pk])).content.decode()
    count = drawn.rows.count()
    assert f"0 of {count} marked" in page and "Sign the review" not in page and "By chance" in page
    first, *rest = drawn.rows.values_list("pk", flat=True)
    answer = theirs.post(reverse(PAGE, args=[drawn.pk]), {"row": [first], "verdict": "investigate"}, follow=True)
    assert f"1 of {count} marked" in answer.content.decode() and "To be investigated" in answer.content.decode()
    answer = theirs.post(
        reverse(PAGE, args=[drawn.pk]), {"rule": [SAMPLE, "night"], "verdict": "justified"}, follow=True
    )
    assert f"{count} of {count} marked" in answer.content.decode() and "Sign the review" in answer.content.decode()
    assert drawn.rows.get(pk=first).verdict == "investigate", "what was marked already stays"
    assert "Signed" in theirs.post(reverse(SIGN, args=[drawn.pk]), follow=True).content.decode()
    drawn.refresh_from_db()
    assert drawn.signed_by == cast.manager and drawn.signed_at
    events = list(LogEntry.objects.filter(user=cast.manager).values_list("event", flat=True))
    assert events.count("log.marked") == 2 and events.count("log.review_signed") == 1 and "log.reviewed" in events
    connection.check_constraints()


def test_to_be_investigated_is_told_to_the_reviewer_and_stays_listed(drawn, cast, reviewer, client_of):
    row = drawn.rows.first()
    mark_rows(by=cast.manager, review=drawn, rows=[row.pk], verdict="investigate")
    mark_rows(by=cast.manager, review=drawn, rows=[row.pk], verdict="investigate")
    assert Notice.objects.filter(user=reviewer, kind="log.investigate").count() == 1
    for user in (reviewer, cast.manager):
        page = client_of(user).get(reverse(LIST)).content.decode()
        assert f"{reverse(PAGE, args=[drawn.pk])}#row-{row.pk}" in page
    mark_rows(by=cast.manager, review=drawn, rows=[row.pk], verdict="justified")
    assert f"#row-{row.pk}" not in client_of(reviewer).get(reverse(LIST)).content.decode()


@pytest.mark.parametrize(
    ("who", "status"), [("caseworker", 403), ("partner", 403), ("keeper", 403), ("other_manager", 404)]
)
def test_nobody_else_sees_it(who, status, drawn, cast, client_of):
    theirs = client_of(getattr(cast, who))
    assert theirs.get(reverse(PAGE, args=[drawn.pk])).status_code == status
    assert theirs.post(reverse(PAGE, args=[drawn.pk]), {"verdict": "justified"}).status_code == status
    assert theirs.post(reverse(SIGN, args=[drawn.pk])).status_code == status
    assert theirs.get(reverse(PAGE, args=[999999])).status_code == status
    assert not drawn.rows.exclude(verdict="").exists()


def test_the_signature_is_no_look(drawn, cast, client_of):
    assert client_of(cast.manager).get(reverse(SIGN, args=[drawn.pk])).status_code == 405


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"row": ["x"], "verdict": "justified"},
        {"row": ["9" * 30], "verdict": "justified"},
        {"row": ["1"], "verdict": "fine"},
        {"rule": ["nothing"], "verdict": "justified"},
    ],
)
def test_what_is_no_mark_is_said(sent, drawn, cast, client_of):
    answer = client_of(cast.manager).post(reverse(PAGE, args=[drawn.pk]), sent)
    assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    assert not drawn.rows.exclude(verdict="").exists()


# -- nobody reviews their own ------------------------------------------------------------------------------------------


@pytest.fixture
def managers_row(cast, reviewer, make_case, read, at):
    """A row about the manager, and one about the caseworker."""
    case = make_case(by=cast.colleague)
    read(case, by=cast.manager)
    read(case)
    with at(DEC):
        draw_reviews()
    return LogReviewRow.objects.get(subject=cast.manager, entry__why="reason")


def test_nobody_marks_what_they_did_themselves(managers_row, cast, reviewer, client_of):
    review = managers_row.review
    theirs = client_of(cast.manager)
    page = theirs.get(reverse(PAGE, args=[review.pk])).content.decode()
    assert "Yours: somebody else marks it" in page and f'value="{managers_row.pk}"' not in page
    answer = theirs.post(reverse(PAGE, args=[review.pk]), {"row": [managers_row.pk], "verdict": "justified"})
    assert answer.status_code == 422
    with pytest.raises(Refused, match="nobody reviews what they did themselves"):
        mark_rows(by=cast.manager, review=review, rows=[managers_row.pk], verdict="justified")
    assert reviewer in responsible(review)
    mark_rows(by=reviewer, review=review, rows=[managers_row.pk], verdict="justified")
    with pytest.raises(DatabaseError, match="nobody_reviews_their_own"), transaction.atomic():
        LogReviewRow.objects.filter(pk=managers_row.pk).update(marked_by=cast.manager)


def test_it_is_not_signed_while_a_row_is_left(managers_row, cast, reviewer):
    review = managers_row.review
    mine = rows_for(cast.manager).filter(review=review)
    mark_rows(by=cast.manager, review=review, rows=list(mine.values_list("pk", flat=True)), verdict="justified")
    with pytest.raises(Refused, match="Rows are left to mark"):
        sign_review(by=cast.manager, review=review)
    with pytest.raises(DatabaseError, match="rows are left to mark"), transaction.atomic():
        LogReview.objects.filter(pk=review.pk).update(signed_at=clock.now(), signed_by=cast.manager)
    mark_rows(by=reviewer, review=review, rows=[managers_row.pk], verdict="justified")
    sign_review(by=cast.manager, review=review)


def test_what_the_only_reviewer_did_is_for_a_manager(cast, reviewer, at):
    with at(NOV):
        entry = log("call.read", by=reviewer, call=uuid.uuid4())
    with at(DEC):
        draw_reviews()
    row = LogReviewRow.objects.get(entry=entry)
    assert not rows_for(reviewer).filter(pk=row.pk).exists()
    assert rows_for(cast.manager).filter(pk=row.pk).exists() and cast.manager in responsible(row.review)
    User.objects.create(username="second", role=Role.REVIEWER)
    assert not rows_for(cast.manager).filter(pk=row.pk).exists()


def test_a_unit_without_a_manager_falls_to_the_reviewer(drawn, cast, reviewer):
    User.objects.filter(pk=cast.manager.pk).update(is_active=False)
    assert responsible(drawn) == [reviewer]
    mark_rows(by=reviewer, review=drawn, rows=list(drawn.rows.values_list("pk", flat=True)), verdict="justified")
    sign_review(by=reviewer, review=drawn)


def test_a_case_that_the_manager_is_locked_out_of_is_for_the_reviewer(drawn, cast, reviewer, client_of):
    case = Case.objects.get(pk=drawn.rows.first().entry.case)
    LockedOut.objects.create(case=case, user=cast.manager, by=cast.other_manager, reason="Kin.")
    assert not rows_for(cast.manager).filter(review=drawn).exists() and responsible(drawn) == [reviewer]
    page = client_of(cast.manager).get(reverse(PAGE, args=[drawn.pk])).content.decode()
    assert (
        case.number not in page
        and case.number in client_of(reviewer).get(reverse(PAGE, args=[drawn.pk])).content.decode()
    )


# -- signed, and then it stays -----------------------------------------------------------------------------------------


@pytest.fixture
def signed(drawn, cast) -> LogReview:
    mark_rows(by=cast.manager, review=drawn, rows=list(drawn.rows.values_list("pk", flat=True)), verdict="justified")
    sign_review(by=cast.manager, review=drawn)
    return LogReview.objects.get(pk=drawn.pk)


def test_after_signing_nothing_changes(signed, cast, client_of):
    row = signed.rows.first()
    with pytest.raises(TooLate):
        mark_rows(by=cast.manager, review=signed, rows=[row.pk], verdict="investigate")
    with pytest.raises(TooLate):
        sign_review(by=cast.manager, review=signed)
    page = client_of(cast.manager).get(reverse(PAGE, args=[signed.pk])).content.decode()
    assert "Nothing of it is changed any more." in page and '<input class="form-check-input"' not in page
    tries = {
        "a mark": "UPDATE people_logreviewrow SET verdict = 'investigate' WHERE id = %(row)s",
        "a signature": "UPDATE people_logreview SET signed_at = NULL, signed_by_id = NULL WHERE id = %(review)s",
        "a row less": "DELETE FROM people_logreviewrow WHERE id = %(row)s",
        "a review less": "DELETE FROM people_logreview WHERE id = %(review)s",
        "a row more": """INSERT INTO people_logreviewrow (review_id, entry_id, subject_id, rules, verdict)
            SELECT %(review)s, id, user_id, '[]', '' FROM people_logentry WHERE user_id IS NOT NULL
            AND id NOT IN (SELECT entry_id FROM people_logreviewrow) LIMIT 1""",
    }
    for role in ("application", "owner"):
        for name, statement in tries.items():
            with (
                pytest.raises(DatabaseError, match="signed is never changed|stays what was drawn"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute("SET LOCAL ROLE NONE" if role == "owner" else f"SET LOCAL ROLE {settings.APP_ROLE}")
                cursor.execute(statement, {"row": row.pk, "review": signed.pk})
                assert cursor.rowcount, name


def test_what_was_drawn_stays_before_it_too(drawn, cast):
    row = drawn.rows.first()
    for change in (
        {"subject": cast.stranger},
        {"rules": []},
        {"review": LogReview.objects.exclude(pk=drawn.pk).first()},
    ):
        with pytest.raises(DatabaseError, match="stays what was drawn"), transaction.atomic():
            LogReviewRow.objects.filter(pk=row.pk).update(**change)


def test_a_row_is_of_who_did_it(drawn, cast):
    entry = LogEntry.objects.filter(user=cast.manager).first() or log("case.read", by=cast.manager)
    with pytest.raises(DatabaseError, match="is of somebody else"), transaction.atomic():
        LogReviewRow.objects.create(review=drawn, entry=entry, subject=cast.stranger)


# -- reminded of -------------------------------------------------------------------------------------------------------


def late(user) -> int:
    return Notice.objects.filter(user=user, kind="log.review_late").count()


def test_who_is_to_do_it_is_told_when_it_is_drawn(drawn, cast, reviewer):
    [notice] = Notice.objects.filter(kind="log.review_drawn", user=cast.manager)
    assert notice.about == str(drawn.pk)
    assert not Notice.objects.filter(kind="log.review_drawn", user=cast.other_manager).exists()


def test_when_it_is_late_once_each_working_day_and_then_the_reviewer_too(drawn, cast, reviewer, at):
    with at("2026-12-14 12:00"):  # the last day
        remind_late()
    assert late(cast.manager) == 0
    with at("2026-12-15 09:00"):
        remind_late()
        remind_late()
        call_command("sweep")
    assert (late(cast.manager), late(reviewer)) == (1, 0)
    with at("2026-12-19 12:00"):  # a Saturday
        remind_late()
    assert late(cast.manager) == 1
    with at("2026-12-22 09:00"):
        remind_late()
    assert (late(cast.manager), late(reviewer), late(cast.other_manager)) == (2, 1, 0)


def test_what_is_signed_is_not_reminded_of(signed, cast, at):
    with at("2026-12-22 09:00"):
        remind_late()
    assert late(cast.manager) == 0


def test_where_nothing_was_opened_nobody_is_told(cast, reviewer, client_of, at):
    with at(DEC):
        draw_reviews()
    with at("2027-01-12 09:00"):
        remind_late()
    assert not Notice.objects.filter(kind__startswith="log.").exists()
    page = client_of(cast.manager).get(reverse(LIST)).content.decode()
    assert "Nothing is left to review." in page


def test_the_top_bar_says_that_something_waits(drawn, cast, client_of):
    assert "Log reviews" in client_of(cast.manager).get(reverse("intake:my-day")).content.decode()
    assert "Log reviews" not in client_of(cast.other_manager).get(reverse("intake:my-day")).content.decode()


def test_a_review_costs_no_more_with_more_rows(drawn, cast, client_of, django_assert_max_num_queries):
    theirs = client_of(cast.manager)
    theirs.get(reverse(PAGE, args=[drawn.pk]))
    with django_assert_max_num_queries(22):
        theirs.get(reverse(PAGE, args=[drawn.pk]))


# -- where there is no reviewer ---


@pytest.fixture
def of_a_manager(cast, make_case, read, at) -> LogReviewRow:
    """What the unit's only manager did, and nobody reviews logs."""
    User.objects.filter(role=Role.REVIEWER).update(is_active=False)
    entry = read(make_case(), by=cast.manager)
    with at(DEC):
        draw_reviews()
    return LogReviewRow.objects.get(entry=entry)


def test_another_manager_marks_what_a_manager_did(cast, of_a_manager, client_of):
    review = of_a_manager.review
    assert responsible(review) == [cast.other_manager]
    assert not rows_for(cast.manager).filter(pk=of_a_manager.pk).exists()
    assert log_review.waiting_for(cast.other_manager) == 1
    page = client_of(cast.other_manager).get(reverse(PAGE, args=[review.pk])).content.decode()
    others = LogReviewRow.objects.filter(review=review).exclude(subject=cast.manager)
    assert f"row-{of_a_manager.pk}" in page and not any(f"row-{row.pk}" in page for row in others)
    mark_rows(by=cast.other_manager, review=review, rows=[of_a_manager.pk], verdict="justified")
    assert log_review.waiting_for(cast.other_manager) == 0
    assert responsible(review) == [cast.manager]


def test_with_a_reviewer_no_other_manager_marks_it(cast, reviewer, make_case, read, at):
    entry = read(make_case(), by=cast.manager)
    with at(DEC):
        draw_reviews()
    row = LogReviewRow.objects.get(entry=entry)
    assert not rows_for(cast.other_manager).filter(pk=row.pk).exists()
    assert cast.other_manager not in responsible(row.review) and reviewer in responsible(row.review)


def test_a_review_of_those_without_a_unit_is_signed_by_a_manager(cast, make_case, read, at):
    User.objects.filter(role=Role.REVIEWER).update(is_active=False)
    entry = read(make_case(), by=cast.partner, why="agency")
    with at(DEC):
        draw_reviews()
    review = LogReviewRow.objects.get(entry=entry).review
    assert set(responsible(review)) == {cast.manager, cast.other_manager}
    mark_rows(by=cast.manager, review=review, rows=review.rows.values_list("pk", flat=True), verdict="justified")
    sign_review(by=cast.manager, review=review)
    connection.check_constraints()
