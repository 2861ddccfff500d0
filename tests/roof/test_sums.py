"""Sums by day are what a recount of the rows would say, whatever happened and whoever wrote it."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from helpline import sums
from helpline.people import asking, clock
from intake import actions as intake
from intake.actions.bounces import record_bounce
from intake.models import Bounce, Call, Case, ConcernReport, DayMark, DaySum
from referrals import actions
from referrals.models import CallerAnswer, Referral, StateChange

COLUMNS = ["unit", "what", "part", "day", "value", "hours", "count", "minutes"]


def told() -> set[tuple]:
    return set(DaySum.objects.values_list(*COLUMNS))


def summed() -> None:
    while sums.sum_up():
        pass


def one(what: str, part: str = "", value: str = "-") -> int:
    return sum(DaySum.objects.of(what, part).filter(value=value if part else "").values_list("count", flat=True))


@pytest.fixture
def as_counted_anew():
    """At the end of each test: what the marks led to is what a count of everything says."""
    yield
    summed()
    kept = told()
    sums.recount_all()
    assert told() == kept and kept


def test_a_call_and_its_case_are_counted(make_case, as_counted_anew):
    case = make_case(municipality_id="1496", milieu="ISLAMIST")
    assert not told() and DayMark.objects.exists()
    summed()
    assert not DayMark.objects.exists()
    assert one("call") == one("case") == 1
    assert one("case", "place", "1496") == one("call", "milieu", "ISLAMIST") == 1
    assert one("case", "promise", sums.KEPT) == 1 and one("call", "promise", sums.KEPT) == 0  # the case is the caller
    assert DaySum.objects.of("case").get().day == clock.local_date(case.opened_at)


def test_a_call_alone_is_a_caller(make_call, cast, as_counted_anew):
    call = make_call(caller_type="other", urgency="NORMAL", notes={"told": "She heard it."})
    intake.complete_call(by=cast.caseworker, call=call)
    summed()
    assert one("call", "promise", sums.KEPT) == 1 and one("case") == 0


def test_a_call_that_goes_on_counts_nowhere(make_call, as_counted_anew, make_case):
    make_case()
    make_call()
    summed()
    assert one("call") == 1


def test_practice_counts_nowhere(cast, make_case, as_counted_anew):
    make_case()
    call = make_case().calls.get()
    Call.objects.filter(pk=call.pk).update(is_practice=True)
    Case.objects.filter(pk=call.case_id).update(is_practice=True)
    summed()
    assert one("call") == one("case") == 1


def test_a_fact_that_is_corrected_moves_the_sum(make_case, as_counted_anew):
    case = make_case(milieu="ISLAMIST")
    summed()
    Case.objects.filter(pk=case.pk).update(milieu="RIGHT")
    assert DayMark.objects.count() == 2  # the day as it was and as it is
    summed()
    assert one("case", "milieu", "ISLAMIST") == 0 and one("case", "milieu", "RIGHT") == 1


def test_what_no_sum_tells_apart_marks_nothing(make_case):
    case = make_case()
    summed()
    Case.objects.filter(pk=case.pk).update(language="en")
    assert not DayMark.objects.exists()


def test_psql_marks_as_well(make_case, as_counted_anew):
    case = make_case()
    summed()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE intake_case SET age_band = '60+' WHERE id = %s", [case.pk])
    summed()
    assert one("case", "age", "60+") == 1


def test_a_bounce_is_counted_where_the_person_came(make_case, cast, at, as_counted_anew):
    with at("2026-11-03 10:00"):
        case = make_case()
    summed()
    with at("2026-11-20 10:00"):
        record_bounce(cause="nobody_called", source="answer:1", case=case, by=cast.caseworker)
    summed()
    kept = DaySum.objects.of("case", "promise").get()
    assert (kept.day, kept.value, kept.count) == (dt.date(2026, 11, 3), sums.BOUNCED, 1)


def test_a_bounce_of_the_call_that_came_to_it(make_case, cast, as_counted_anew):
    case = make_case()
    record_bounce(cause="given_number", source="call:1", call=case.calls.get(), by=cast.caseworker)
    summed()
    assert Bounce.objects.get().case is None
    assert one("case", "promise", sums.BOUNCED) == 1 and one("call", "promise", sums.BOUNCED) == 0


def test_a_handover_its_answer_and_its_contact(make_draft, cast, at, as_counted_anew):
    with at("2026-11-03 10:00"):
        draft = make_draft()
        assert Referral.objects.filter(sent_at__isnull=False).count() == 0
        held = actions.send(by=cast.caseworker, referral=draft)
    summed()
    assert one("handover", "answered", sums.WAITING) == 1 and one("handover", "agency", str(cast.agency.pk)) == 1
    with at("2026-11-03 11:00"):
        held = actions.accept(by=cast.partner, referral=held)
    with at("2026-11-04 12:30"):
        actions.contact_made(by=cast.partner, referral=held, text="Met him.")
    summed()
    assert one("handover", "answered", sums.IN_TIME) == 1 and one("handover", "answered", sums.WAITING) == 0
    contact = DaySum.objects.of("contact").get()
    assert (contact.day, contact.hours, contact.count) == (dt.date(2026, 11, 4), 27, 1)  # 26.5 begun hours
    Case.objects.filter(pk=held.case_id).update(milieu="RIGHT")
    summed()
    assert one("contact", "milieu", "RIGHT") == one("handover", "milieu", "RIGHT") == 1


def test_answered_late(make_draft, cast, at, as_counted_anew):
    with at("2026-11-03 10:00"):
        held = actions.send(by=cast.caseworker, referral=make_draft())
    with clock.at(Referral.objects.get(pk=held.pk).answer_due_at + dt.timedelta(minutes=5)):
        actions.decline(by=cast.partner, referral=held, reason="no_capacity", text="Full.")
    summed()
    assert one("handover", "answered", sums.LATE) == 1


def test_what_ends_is_counted_on_its_day(make_case, cast, at, as_counted_anew):
    with at("2026-11-03 10:00"):
        case = make_case()
    summed()
    assert one("closed") == 0
    with at("2026-11-05 10:00"):
        intake.finish_step(by=cast.caseworker, step=case.steps.get(), close="needs_met")
    summed()
    closed = DaySum.objects.of("closed", "reason").get()
    assert (closed.day, closed.value) == (dt.date(2026, 11, 5), "needs_met")


def test_a_report_of_concern_is_counted_and_goes_with_its_unit(make_case, cast, at, as_counted_anew):
    case = make_case()
    with at("2026-11-04 10:00"):
        ConcernReport.objects.create(case=case, child_age_band="15-17", registered_by=cast.caseworker)
    summed()
    assert DaySum.objects.of("report").get().day == dt.date(2026, 11, 4)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE intake_case SET is_practice = true WHERE id = %s", [case.pk])
    make_case()
    summed()
    assert one("report") == 0


def test_what_a_caller_said_is_counted(make_draft, cast, at, as_counted_anew):
    held = actions.send(by=cast.caseworker, referral=make_draft())
    with at("2026-11-24 10:00"):
        CallerAnswer.objects.create(referral=held, mark="week", answer="partly", by=cast.caseworker)
    summed()
    assert one("asked") == one("asked", "said", "partly") == 1


def test_how_a_handover_was_met(make_draft, cast, at, as_counted_anew):
    with at("2026-11-03 10:00"):
        held = actions.send(by=cast.caseworker, referral=make_draft())
    summed()
    assert one("handover", "met", sums.OTHERWISE) == 1 and one("in_time") == one("late") == 0
    with at("2026-11-03 11:00"):
        actions.decline(by=cast.partner, referral=held, reason="no_capacity", text="Full.")
    summed()
    assert one("handover", "met", sums.DECLINED) == one("in_time") == one("in_time", "agency", str(cast.agency.pk)) == 1


def test_minutes_are_whole(make_call, cast, at, as_counted_anew):
    with at("2026-11-03 10:00"):
        call = make_call(caller_type="other", urgency="NORMAL", notes={"told": "She heard it."})
    with clock.at(call.received_at + dt.timedelta(minutes=41, seconds=50)):
        done = intake.complete_call(by=cast.caseworker, call=call)
    summed()
    assert DaySum.objects.of("call").get().minutes == done.minutes == 41


def test_a_day_is_that_of_sweden(make_case, at, as_counted_anew):
    with at("2026-11-03 00:30"):  # still the day before in UTC
        make_case()
    summed()
    assert DaySum.objects.of("case").get().day == dt.date(2026, 11, 3)


def test_of_many_days_some_are_left_for_the_next_time(make_case, monkeypatch, as_counted_anew):
    make_case()
    summed()
    DayMark.objects.bulk_create(DayMark(day=dt.date(2026, 1, 1) + dt.timedelta(days=n)) for n in range(40))
    assert [sums.sum_up(), sums.sum_up(), sums.sum_up()] == [31, 9, 0]


def test_a_count_that_is_cut_off_leaves_the_mark(make_case, monkeypatch, as_counted_anew):
    make_case()

    def cut_off(*days):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(sums, "recount", cut_off)
        with pytest.raises(RuntimeError), transaction.atomic():
            sums.sum_up()
    assert DayMark.objects.exists() and not told()


@pytest.mark.django_db(transaction=True)
def test_only_one_counts_at_a_time(make_case):
    make_case()
    with transaction.atomic(), connection.cursor() as cursor:
        other = connection.copy()
        with other.cursor() as there:
            there.execute("SELECT pg_advisory_lock(%s)", [sums.LOCK])
            assert sums.sum_up() == 0
            cursor.execute("SELECT 1")
            # said, since a closed connection's lock goes only when the server has noticed
            there.execute("SELECT pg_advisory_unlock(%s)", [sums.LOCK])
        other.close()
    assert DayMark.objects.exists() and sums.sum_up() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_comes_while_it_counts_is_counted_the_next_time(make_case, monkeypatch):
    """It commits between the reading of the marks and their end: its own mark remains."""
    case = make_case(milieu="ISLAMIST")
    recount = sums.recount

    def meanwhile(first, last):
        recount(first, last)
        other = connection.copy()
        with other.cursor() as there:
            there.execute("UPDATE intake_case SET milieu = 'RIGHT' WHERE id = %s", [case.pk])
        other.close()
        monkeypatch.setattr(sums, "recount", recount)

    monkeypatch.setattr(sums, "recount", meanwhile)
    assert sums.sum_up() == 1
    assert one("case", "milieu", "ISLAMIST") == 1 and DayMark.objects.exists()
    summed()
    assert one("case", "milieu", "RIGHT") == 1 and one("case", "milieu", "ISLAMIST") == 0


def test_a_partner_who_answers_marks_through_the_wall(make_draft, cast, client_of):
    held = actions.send(by=cast.caseworker, referral=make_draft())
    summed()
    client = client_of(cast.partner)
    form = {"seen": client.get(f"/portal/{held.pk}/").context["referral"].changes.latest("at").pk}
    day = clock.today() + dt.timedelta(days=3)
    answer = client.post(f"/portal/{held.pk}/accept/", {"contact_by": f"{day}T10:00", "handled_by": "Frida", **form})
    assert answer.status_code in (302, 303), answer.content.decode()[:3000]
    assert StateChange.objects.filter(referral=held, move="accept").exists() and DayMark.objects.exists()


def test_the_command_counts_everything_anew(make_case):
    make_case()
    call_command("recount")
    assert one("case") == 1 and not DayMark.objects.exists()
    DaySum.objects.update(count=7)
    call_command("recount")
    assert one("case") == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_while_everything_is_counted_anew_keeps_its_mark(make_case, monkeypatch):
    case = make_case(milieu="ISLAMIST")
    recount, changed = sums.recount, []

    def meanwhile(first, last):
        recount(first, last)
        if first <= clock.today() <= last and not changed:
            changed.append(first)
            other = connection.copy()
            with other.cursor() as there:
                there.execute("UPDATE intake_case SET milieu = 'RIGHT' WHERE id = %s", [case.pk])
            other.close()

    monkeypatch.setattr(sums, "recount", meanwhile)
    sums.recount_all()
    assert changed and DayMark.objects.exists()
    summed()
    assert one("case", "milieu", "RIGHT") == 1 and one("case", "milieu", "ISLAMIST") == 0


def test_a_contact_follows_the_urgency_of_its_case(make_draft, cast, at, as_counted_anew):
    with at("2026-11-03 10:00"):
        held = actions.send(by=cast.caseworker, referral=make_draft())
    with at("2026-11-03 11:00"):
        held = actions.accept(by=cast.partner, referral=held)
    with at("2026-11-04 12:30"):
        actions.contact_made(by=cast.partner, referral=held, text="Met him.")
    summed()
    other = "AKUT" if held.case.urgency != "AKUT" else "NORMAL"
    Case.objects.filter(pk=held.case_id).update(urgency=other)  # as when a later call is more urgent
    summed()
    assert one("contact", "urgency", other) == 1


@pytest.mark.parametrize("joins", [True, False])
def test_a_bounce_follows_a_call_that_joins_a_case_or_leaves_it(make_case, make_call, cast, at, as_counted_anew, joins):
    with at("2026-11-03 10:00"):
        case = make_case()
    with at("2026-11-10 10:00"):
        call = make_call(caller_type="relative", urgency="NORMAL")
        if not joins:
            Call.objects.filter(pk=call.pk).update(case=case)
        record_bounce(cause="given_number", source="signpost:1", call=call, by=cast.caseworker)
    summed()
    Call.objects.filter(pk=call.pk).update(case=case if joins else None)
    summed()
    assert one("case", "promise", sums.BOUNCED) == int(joins)


def test_the_facts_of_a_protected_call_without_a_case_are_kept_from_everybody(make_call, cast):
    for protection in ("none", "secrecy_marking"):
        call = make_call(caller_type="other", urgency="NORMAL", protection=protection, notes={"told": "She heard it."})
        intake.complete_call(by=cast.caseworker, call=call)
    summed()
    today = clock.today()
    assert one("call", "caller", "other") == 2 and not Case.objects.exists()
    assert sums.kept_from(cast.manager, "call", "caller", today, today) == [(today, "other", 0, 1)]
    assert sums.kept_from(cast.manager, "call", "", today, today) == []  # that it came is told


def test_where_nothing_is_marked_a_run_is_one_small_statement(make_case):
    make_case()
    summed()
    with CaptureQueriesContext(connection) as queries:
        assert sums.sum_up() == 0
    [asked] = [query["sql"] for query in queries]
    assert "intake_daymark" in asked and "LIMIT 1" in asked


def test_a_tile_changes_within_half_a_minute_of_what_it_counts(settings):
    counted = settings.CELERY_BEAT_SCHEDULE["sum_days"]
    assert counted["task"] == "helpline.tasks.sum_days" and counted["options"]["expires"] <= counted["schedule"]
    for seconds in (settings.FRESH_SECONDS, 3600):
        settings.FRESH_SECONDS = seconds
        assert counted["schedule"] + asking.every() <= 25  # seconds; the rest is for the counting and the asking


def test_a_count_of_everything_takes_away_what_is_of_no_row(make_case, cast):
    make_case()
    DaySum.objects.create(unit=cast.unit, what="call", day=dt.date(2019, 5, 5), count=3)
    sums.recount_all()
    assert not DaySum.objects.filter(day__year=2019).exists()
