"""The change of shift: a list, a colleague, a yes. Until then everything is the giver's; and never nobody's."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.urls import reverse

from helpline.people import clock
from helpline.people.actions import switch_off_user
from helpline.people.errors import Refused, TooLate
from helpline.people.models import Absence, LogEntry, Notice, User
from helpline.people.workdays import local
from intake import actions
from intake.actions import shifts
from intake.actions.shifts import steps_of
from intake.models import Case, FollowUp, ShiftHandover
from intake.views.shifts import waiting

DAY = dt.timedelta(days=1)
MOMENT = "2026-11-26 14:00"  # a Thursday


@pytest.fixture
def now(at):
    with at(MOMENT):
        yield clock.now()


@pytest.fixture
def step(make_case, cast, now):
    """A step of Anna's; the case's own first step is due in ten working days."""

    def make(days=0, hour=16, by=None, **facts):
        case = make_case(by=by, urgency="NORMAL", **facts)
        due = local(dt.date(2026, 11, 26) + days * DAY, dt.time(hour))
        return actions.plan_step(by=by or cast.caseworker, case=case, what="Call the mother", due_at=due)

    return make


@pytest.fixture
def give(cast):
    def do(*steps, to=None):
        shift = actions.give_shift(by=cast.caseworker, to=to or cast.colleague, steps=[one.pk for one in steps])
        connection.check_constraints()
        return shift

    return do


def owner_of(step):
    return FollowUp.objects.get(pk=step.pk).owner


def test_nothing_changes_hands_before_the_yes(step, give, cast):
    held = step()
    shift = give(held)
    assert owner_of(held) == cast.caseworker
    assert [(notice.user, notice.mail) for notice in Notice.objects.filter(kind="shift.given")] == [
        (cast.colleague, "ready")
    ]
    entry = LogEntry.objects.get(event="shift.given")
    assert entry.row == str(shift.pk) and entry.codes["cases"] == [str(held.case_id)]


def test_the_yes_gives_all_steps_at_once_and_the_case_stays_whose_it_is(step, give, cast):
    one, other = step(), step(days=1)
    shift = give(one, other)
    assert actions.take_shift(by=cast.colleague, shift=shift) == 2
    connection.check_constraints()
    assert owner_of(one) == owner_of(other) == cast.colleague
    case = Case.objects.get(pk=one.case_id)
    assert case.owner == cast.caseworker
    event = case.events.get(kind="shift.taken")
    assert event.by == cast.colleague and event.title == "Taken over from Anna"
    row = LogEntry.objects.get(event="shift.taken", case=case.pk)
    assert "Anna" not in str(row.codes)
    assert Notice.objects.get(kind="shift.taken").user == cast.caseworker


def test_a_step_that_a_handover_keeps_goes_too(step, give, cast):
    held = step()
    FollowUp.objects.filter(pk=held.pk).update(kept_by="referrals", others_turn=True)
    actions.take_shift(by=cast.colleague, shift=give(held))
    assert owner_of(held) == cast.colleague


def test_twice_does_it_once(step, give, cast):
    shift = give(step())
    actions.take_shift(by=cast.colleague, shift=shift)
    with pytest.raises(TooLate, match="Bert has already taken over"):
        actions.take_shift(by=cast.colleague, shift=shift)
    assert LogEntry.objects.filter(event="shift.taken", row=str(shift.pk)).count() == 1


def test_what_is_withdrawn_is_not_taken(step, give, cast):
    held = step()
    shift = give(held)
    actions.withdraw_shift(by=cast.caseworker, shift=shift)
    with pytest.raises(TooLate, match="Anna has already taken the handover back"):
        actions.take_shift(by=cast.colleague, shift=shift)
    assert owner_of(held) == cast.caseworker
    assert Notice.objects.get(kind="shift.given").seen_at is not None
    with pytest.raises(TooLate):
        actions.withdraw_shift(by=cast.caseworker, shift=shift)


def test_what_is_taken_is_not_withdrawn(step, give, cast):
    held = step()
    shift = give(held)
    actions.take_shift(by=cast.colleague, shift=shift)
    with pytest.raises(TooLate, match="Bert has already taken over"):
        actions.withdraw_shift(by=cast.caseworker, shift=shift)
    assert owner_of(held) == cast.colleague


def test_only_the_one_who_is_asked_says_yes_and_only_the_giver_takes_back(step, give, cast):
    shift = give(step())
    with pytest.raises(TooLate):
        actions.take_shift(by=cast.manager, shift=shift)
    with pytest.raises(TooLate):
        actions.withdraw_shift(by=cast.colleague, shift=shift)
    assert ShiftHandover.objects.filter(acknowledged_at=None, withdrawn_at=None).count() == 1


def test_what_is_done_or_moved_meanwhile_falls_out(step, give, cast):
    done, moved, kept = step(), step(), step()
    shift = give(done, moved, kept)
    actions.finish_step(by=cast.caseworker, step=done, outcome="Reached her.")
    later = actions.move_step(by=cast.caseworker, step=moved, due_at=clock.now() + DAY)
    assert actions.take_shift(by=cast.colleague, shift=shift) == 1
    assert owner_of(kept) == cast.colleague
    assert owner_of(later) == cast.caseworker


def test_what_is_given_to_another_meanwhile_falls_out(step, give, cast):
    held = step()
    shift = give(held)
    actions.reassign_case(by=cast.manager, case=held.case, to=cast.manager)
    assert actions.take_shift(by=cast.colleague, shift=shift) == 0
    assert owner_of(held) == cast.manager


def test_until_the_yes_the_giver_is_reminded(step, give, cast, at):
    held = step()
    give(held)
    with at("2026-11-26 16:01"):
        actions.fire_due_reminders()
    assert [notice.user for notice in Notice.objects.filter(kind="step.due", about=str(held.pk))] == [cast.caseworker]


def test_after_the_yes_the_receiver_is_reminded(step, give, cast, at):
    held = step()
    actions.take_shift(by=cast.colleague, shift=give(held))
    with at("2026-11-26 16:01"):
        actions.fire_due_reminders()
    assert [notice.user for notice in Notice.objects.filter(kind="step.due", about=str(held.pk))] == [cast.colleague]


@pytest.mark.parametrize("who", ["caseworker", "stranger", "keeper", "partner"])
def test_it_is_given_to_a_colleague_of_the_unit(who, step, cast):
    with pytest.raises(Refused) as refused:
        actions.give_shift(by=cast.caseworker, to=getattr(cast, who), steps=[step().pk])
    assert refused.value.at == "to" and not ShiftHandover.objects.exists()


def test_it_is_given_to_nobody_who_is_away_or_switched_off(step, cast):
    held = step()
    Absence.objects.create(user=cast.manager, first_day=clock.today(), last_day=clock.today())
    cast.colleague.is_active = False
    cast.colleague.save()
    for to in (cast.manager, cast.colleague):
        with pytest.raises(Refused):
            actions.give_shift(by=cast.caseworker, to=to, steps=[held.pk])


def test_what_waits_for_one_colleague_is_not_given_to_another(step, give, cast):
    held = step()
    give(held)
    with pytest.raises(Refused) as refused:
        give(held, to=cast.manager)
    assert refused.value.at == "steps" and ShiftHandover.objects.count() == 1


def test_nobody_gives_what_is_not_theirs_or_not_due(step, give, cast):
    others, later = step(by=cast.colleague), step(days=2, hour=0)
    for held in (others, later):
        with pytest.raises(Refused):
            give(held)
    with pytest.raises(Refused):
        give()


def test_on_a_friday_monday_counts(make_case, cast, give, at):
    with at("2026-11-27 15:00"):
        case = make_case(urgency="NORMAL")
        due = local(dt.date(2026, 11, 30), dt.time(23, 59))
        monday = actions.plan_step(by=cast.caseworker, case=case, what="Call", due_at=due)
        give(monday)


@pytest.mark.django_db(transaction=True)
def test_of_yes_and_back_at_once_one_wins(make_case, cast):
    case = make_case()
    held = actions.plan_step(by=cast.caseworker, case=case, what="Call", due_at=clock.now() + dt.timedelta(hours=1))
    for _round in range(4):
        FollowUp.objects.filter(pk=held.pk).update(owner=cast.caseworker)
        shift = actions.give_shift(by=cast.caseworker, to=cast.colleague, steps=[held.pk])
        barrier, said = threading.Barrier(2), []

        def act(do, by, shift=shift, barrier=barrier, said=said) -> None:
            barrier.wait(timeout=10)
            try:
                do(by=by, shift=shift)
                said.append("")
            except TooLate as late:
                said.append(str(late))
            finally:
                connection.close()

        threads = [
            threading.Thread(target=act, args=[actions.take_shift, cast.colleague]),
            threading.Thread(target=act, args=[actions.withdraw_shift, cast.caseworker]),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        shift.refresh_from_db()
        assert sorted(map(bool, said)) == [False, True]
        assert bool(shift.acknowledged_at) != bool(shift.withdrawn_at)
        assert owner_of(held) == (cast.colleague if shift.acknowledged_at else cast.caseworker)


@pytest.mark.django_db(transaction=True)
def test_pressed_twice_is_given_once(make_case, cast):
    case = make_case()
    held = actions.plan_step(by=cast.caseworker, case=case, what="Call", due_at=clock.now() + dt.timedelta(hours=1))
    barrier, refused = threading.Barrier(2), []

    def press() -> None:
        barrier.wait(timeout=10)
        try:
            actions.give_shift(by=cast.caseworker, to=cast.colleague, steps=[held.pk])
        except Refused as error:
            refused.append(error.at)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert refused == ["steps"] and ShiftHandover.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_is_switched_off_while_taking_over(make_case, cast, monkeypatch):
    """Either the account is off and everything is still the giver's, or the steps are taken and the account is on."""
    case = make_case()
    held = actions.plan_step(by=cast.caseworker, case=case, what="Call", due_at=clock.now() + dt.timedelta(hours=1))
    shift = actions.give_shift(by=cast.caseworker, to=cast.colleague, steps=[held.pk])
    taken, go_on = threading.Event(), threading.Event()
    record = shifts.record

    def slowly(*args, **rest):
        taken.set()
        go_on.wait(timeout=3)
        return record(*args, **rest)

    monkeypatch.setattr(shifts, "record", slowly)
    said = []

    def take() -> None:
        actions.take_shift(by=cast.colleague, shift=shift)
        connection.close()

    def switch_off() -> None:
        taken.wait(timeout=10)
        try:
            switch_off_user(by=cast.keeper, user=cast.colleague)
        except Refused as refused:
            said.append(str(refused))
        finally:
            connection.close()
            go_on.set()

    threads = [threading.Thread(target=take), threading.Thread(target=switch_off)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert owner_of(held) == cast.colleague and len(said) == 1
    assert User.objects.get(pk=cast.colleague.pk).is_active


def test_who_is_switched_off_takes_nothing_over(step, give, cast):
    held = step()
    shift = give(held)
    User.objects.filter(pk=cast.colleague.pk).update(is_active=False)
    with pytest.raises(TooLate):
        actions.take_shift(by=cast.colleague, shift=shift)
    shift.refresh_from_db()
    assert owner_of(held) == cast.caseworker and shift.acknowledged_at is None


# -- the pages ---


def test_what_waits_is_counted_in_one_query_and_rightly(step, give, cast, django_assert_num_queries):
    for count in (2, 1, 3):
        give(*[step() for _ in range(count)])
    done = ShiftHandover.objects.order_by("pk").last().steps.first()
    actions.finish_step(by=cast.caseworker, step=done)
    with django_assert_num_queries(1):
        rows = waiting(given_to=cast.colleague)
    assert [count for _shift, count in rows] == [2, 1, 2]
    assert [count for _shift, count in rows] == [steps_of(shift).count() for shift, _count in rows]


def test_the_page_tells_who_needs_somebody_and_how_to_reach_them(step, make_call, cast, client_of, now):
    soon, later = step(safe_contact="Text after nine."), step(days=7)
    call = make_call()
    page = client_of(cast.caseworker).get(reverse("intake:shift"))
    text = page.content.decode()
    assert "Call the mother" in text and "Text after nine." in text and str(soon.case) in text
    assert str(later.case) not in text
    assert reverse("intake:call", args=[call.pk]) in text
    assert "no-store" in page["Cache-Control"]
    listed = LogEntry.objects.filter(event="cases.listed", user=cast.caseworker).latest("id")
    assert listed.codes["cases"] == [str(soon.case_id)]


def test_what_is_acute_and_not_done_is_told(step, cast, client_of, now):
    step(answers={"weapon": "yes"}, actualisation_reason="x")
    assert "Not yet done: " in client_of(cast.caseworker).get(reverse("intake:shift")).content.decode()


def test_a_shift_goes_from_page_to_page(step, cast, client_of, now):
    one, other = step(safe_contact="Text after nine."), step()
    anna, bert = client_of(cast.caseworker), client_of(cast.colleague)
    answer = anna.post(reverse("intake:shift"), {"to": cast.colleague.pk, "steps": [str(one.pk)]})
    assert answer.status_code == 302
    shift = ShiftHandover.objects.get()
    assert list(shift.steps.values_list("pk", flat=True)) == [one.pk]
    assert "Waiting for Bert to take over" in anna.get(reverse("intake:my-day")).content.decode()

    day = bert.get(reverse("intake:my-day")).content.decode()
    take = reverse("intake:shift-take", args=[shift.pk])
    assert "Anna hands over 1 step" in day and take in day
    page = bert.get(take).content.decode()
    assert "Call the mother" in page and "Text after nine." in page and str(other.case) not in page
    assert LogEntry.objects.filter(event="cases.listed", user=cast.colleague).latest("id").codes["cases"] == [
        str(one.case_id)
    ]
    assert "/reason/" in bert.get(reverse("intake:case", args=[one.case.slug])).url

    assert bert.post(take).status_code == 302
    assert bert.get(reverse("intake:case", args=[one.case.slug])).status_code == 200
    assert LogEntry.objects.filter(event="case.read", user=cast.colleague, case=one.case_id).exists()
    assert "/reason/" in bert.get(reverse("intake:case", args=[other.case.slug])).url
    assert "for Anna" in bert.get(reverse("intake:my-day")).content.decode()
    assert "You took over" in bert.get(take).content.decode()
    again = bert.post(take, follow=True).content.decode()
    assert "Bert has already taken over." in again


def test_who_opens_a_withdrawn_handover_reads_nothing_of_it(step, give, cast, client_of):
    shift = give(step(safe_contact="Text after nine."))
    answer = client_of(cast.caseworker).post(reverse("intake:shift-withdraw", args=[shift.pk]), follow=True)
    assert "Everything is still yours." in answer.content.decode()
    page = client_of(cast.colleague).get(reverse("intake:shift-take", args=[shift.pk])).content.decode()
    assert "took the handover back" in page
    assert "Text after nine." not in page and "Call the mother" not in page


def test_without_a_tick_the_page_says_so_and_keeps_the_colleague(step, cast, client_of, now):
    step()
    answer = client_of(cast.caseworker).post(reverse("intake:shift"), {"to": cast.colleague.pk})
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"steps": ["Tick at least one thing to hand over."]}
    text = answer.content.decode()
    assert f'value="{cast.colleague.pk}" selected' in text and " checked>" not in text


@pytest.mark.parametrize("pk", ["nonsense", "\0", "00000000-0000-7000-8000-000000000000"])
def test_a_step_that_is_not_there_is_refused_at_its_place(pk, step, cast, client_of, now):
    step()
    answer = client_of(cast.caseworker).post(reverse("intake:shift"), {"to": cast.colleague.pk, "steps": [pk]})
    assert answer.status_code == 422 and set(answer.context["form"].errors) == {"steps"}


def test_nothing_to_hand_over_says_so(cast, client_of, now):
    assert "Nobody needs you before then." in client_of(cast.caseworker).get(reverse("intake:shift")).content.decode()


def test_the_pages_are_closed_to_others(step, give, cast, client_of):
    shift = give(step())
    take, withdraw = (reverse(f"intake:shift-{act}", args=[shift.pk]) for act in ("take", "withdraw"))
    for who in ("caseworker", "manager", "stranger", "other_manager"):
        assert client_of(getattr(cast, who)).get(take).status_code == 404
    assert client_of(cast.colleague).get(withdraw).status_code == 405
    for who in ("colleague", "manager", "stranger"):
        assert client_of(getattr(cast, who)).post(withdraw).status_code == 404
    for who in ("keeper", "partner"):
        for url in (take, reverse("intake:shift")):
            assert client_of(getattr(cast, who)).get(url).status_code == 403
    assert LogEntry.objects.filter(event="shift.refused").count() == 7


def test_the_page_asks_no_more_for_more_cases(step, cast, client_of, now, django_assert_max_num_queries):
    for _ in range(2):
        step()
    mine = client_of(cast.caseworker)
    with django_assert_max_num_queries(60):
        mine.get(reverse("intake:shift"))
