"""For who is locked out of a case it is not there: in no list, count, search, notice or gate; and it is never handed to them."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice, User
from helpline.people.notices import notify
from intake import actions
from intake.actions.emergency import reviewers_of, to_review
from intake.actions.links import links_of
from intake.models import Bounce, Call, Case, FollowUp, LockedOut
from intake.whose import leaders_of, stand_ins_of
from referrals import actions as referrals
from referrals.models import Referral, Signposting
from tests.house.streets import STREETS
from tests.intake.test_emergency import plain

CANARY = "Kanariefågel Kvist"
NOWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def case(make_case) -> Case:
    return make_case(
        track="B", caller_name=CANARY, answers={"weapon": "yes"}, urgency="AKUT", notes={"seen": f"{CANARY} cries."}
    )


def lock(case, by, user, **rest):
    made = actions.lock_out(by=by, case=case, user=user, reason="His cousin.", **rest)
    connection.check_constraints()
    return made


def pages_of(who: str):
    """Every page without anything of one row in its address that this one is let in to."""
    for name, street in STREETS.items():
        if not street.where and street.answer("GET", who) == 200:
            yield reverse(name)
    yield from (f"{reverse('intake:case-list')}?which={which}" for which in ("unit", "mine", "closed"))


def second_manager(cast):
    return User.objects.create(username="nora", role="manager", unit=cast.unit, first_name="Nora", language="en")


@pytest.mark.parametrize("who", ["colleague", "manager"])
def test_no_page_holds_a_word_of_it(who, case, make_case, make_call, cast, client_of):
    user = getattr(cast, who)
    other = make_case()
    actions.link_cases(by=cast.manager, one=str(case), other=str(other), reason=f"{CANARY} again.")
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    call = make_call()
    actions.claim_case(by=cast.caseworker, call=call, number=str(case))
    theirs = client_of(user)
    seen = "".join(theirs.get(where).content.decode() for where in pages_of(who))
    assert str(case) in seen, "before, it is in the lists: the test can fail"
    lock(case, second_manager(cast), user)
    actions.open_with_reason(by=user, case=other, reason="owner_away")
    addresses = [*pages_of(who), reverse("intake:case", args=[other.slug])]
    if who == "manager":
        addresses += [reverse("caseload-rows", args=[key]) for key in ("open", "overdue", "waiting", "unfinished")]
    for where in addresses:
        answer = theirs.get(where)
        assert answer.status_code == 200, where
        text = answer.content.decode()
        for word in (CANARY, str(case), case.code, case.slug, str(case.pk), str(draft.pk), str(call.pk)):
            assert word not in text, (where, word)
    assert str(case) in client_of(cast.caseworker).get(reverse("intake:case", args=[other.slug])).content.decode()


@pytest.mark.parametrize("who", ["colleague", "manager"])
def test_every_door_answers_as_if_it_were_absent(who, case, cast, client_of):
    user = getattr(cast, who)
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    lock(case, second_manager(cast), user)
    theirs = client_of(user)
    pairs = [
        (reverse("referrals:referral", args=[pk]), reverse("referrals:referral", args=[NOWHERE])) for pk in [draft.pk]
    ]
    done = case.calls.get()
    pairs.append((reverse("intake:call-after", args=[done.pk]), reverse("intake:call-after", args=[NOWHERE])))
    for name, street in STREETS.items():
        if name.startswith("intake:") and set(street.where) == {"code"}:
            pairs.append((reverse(name, args=[case.slug]), reverse(name, args=["ingen-alls-99"])))
    assert len(pairs) > 10
    for there, absent in pairs:
        for ask in (theirs.get, theirs.post):
            one, two = ask(there), ask(absent)
            assert one.status_code == two.status_code and one.status_code in (403, 404, 405), there
            assert one.content == two.content, there


def test_every_queryset_leaves_it_out(case, make_call, cast):
    call = make_call(by=cast.caseworker)
    actions.claim_case(by=cast.caseworker, call=call, number=str(case))
    referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    actions.record_bounce(cause="nobody_called", source="test:1", case=case)
    Signposting.objects.create(case=case, agency=cast.agency, need="x", given_by=cast.caseworker)
    every = (Case, Call, FollowUp, Referral, Bounce, Signposting)
    assert [model.objects.visible_to(cast.colleague).exists() for model in every] == [True] * len(every)
    lock(case, cast.manager, cast.colleague)
    assert [model.objects.visible_to(cast.colleague).exists() for model in every] == [False] * len(every)
    assert not Case.objects.within_reach_of(cast.colleague).exists()
    assert not links_of(cast.colleague).exists()


def test_who_has_it_is_locked_out_only_after_it_is_handed_on(case, cast):
    with pytest.raises(Refused, match="Hand it to a colleague first"):
        actions.lock_out(by=cast.manager, case=case, user=cast.caseworker, reason="Cousin.")
    step = actions.plan_step(
        by=cast.caseworker, case=case, what="Ring.", due_at=clock.now() + dt.timedelta(hours=1), owner=cast.colleague
    )
    with pytest.raises(Refused, match="a step"):
        actions.lock_out(by=cast.manager, case=case, user=cast.colleague, reason="Cousin.")
    with pytest.raises(Refused, match="Another manager"):
        actions.lock_out(by=cast.manager, case=case, user=cast.manager, reason="Cousin.")
    with pytest.raises(Refused, match="Say why"):
        actions.lock_out(by=cast.manager, case=case, user=cast.colleague, reason=" ")
    assert not LockedOut.objects.exists() and FollowUp.objects.get(pk=step.pk).owner == cast.colleague
    actions.reassign_case(by=cast.manager, case=case, to=cast.colleague, handover="All.")
    lock(case, cast.manager, cast.caseworker)


def test_who_is_in_a_call_of_it_is_not_locked_out(case, make_call, cast):
    call = make_call(by=cast.colleague)
    actions.claim_case(by=cast.colleague, call=call, number=str(case))
    with pytest.raises(Refused, match="in a call"):
        actions.lock_out(by=cast.manager, case=case, user=cast.colleague, reason="Cousin.")


def test_it_is_never_handed_to_them(case, make_call, cast):
    lock(case, cast.manager, cast.colleague)
    case = Case.objects.select_related("owner", "key").get(pk=case.pk)
    with pytest.raises(Refused, match="locked out"):
        actions.reassign_case(by=cast.manager, case=case, to=cast.colleague)
    step = case.steps.get()
    with clock.at(step.due_at - dt.timedelta(minutes=5)), pytest.raises(Refused, match="may not have"):
        actions.give_shift(by=cast.caseworker, to=cast.colleague, steps=[step.pk])
    planned = actions.plan_step(
        by=cast.caseworker, case=case, what="Ring.", due_at=clock.now() + dt.timedelta(hours=1), owner=cast.colleague
    )
    assert planned.owner == cast.caseworker
    with pytest.raises(Refused):
        actions.claim_case(by=cast.colleague, call=make_call(by=cast.colleague), number=str(case))


@pytest.mark.parametrize("row", ["case", "step"])
def test_the_database_refuses_it_whoever_writes(row, case, cast):
    lock(case, cast.manager, cast.colleague)
    rows = Case.objects.filter(pk=case.pk) if row == "case" else case.steps.all()
    with pytest.raises(IntegrityError, match="locked out"), transaction.atomic():
        rows.update(owner=cast.colleague)
    with pytest.raises(IntegrityError, match="is not locked out"), transaction.atomic():
        LockedOut.objects.create(case=case, user=cast.caseworker, by=cast.manager, reason="x")


def test_its_steps_and_words_fall_to_the_next(case, cast):
    """The deputy is locked out: the manager hears; the only manager is locked out: whoever is there."""
    step, today = case.steps.get(), clock.local_date(case.steps.get().due_at)
    case = Case.objects.select_related("owner").get(pk=case.pk)
    lock(case, cast.manager, cast.colleague)
    with clock.at(step.due_at):
        save_absence(by=cast.caseworker, user=cast.caseworker, deputy=cast.colleague, first_day=today, last_day=today)
        assert stand_ins_of(case, cast.caseworker, today) == [cast.manager]
        actions.pass_due_steps()
        assert FollowUp.objects.get(pk=step.pk).owner == cast.manager
    connection.check_constraints()
    lone = User.objects.create(username="nora", role="manager", unit=cast.other_unit, first_name="Nora")
    User.objects.filter(pk=lone.pk).update(unit=cast.unit)
    lone.refresh_from_db()
    actions.reassign_case(by=cast.manager, case=case, to=lone, handover="All.")
    lock(case, lone, cast.manager)
    assert leaders_of(case, clock.today()) == [lone]
    User.objects.filter(pk=lone.pk).update(role="caseworker")
    assert cast.colleague not in leaders_of(case, clock.today()) and leaders_of(case, clock.today())


def test_nothing_is_written_to_them_about_it(case, cast):
    notify(user=cast.colleague, kind="step.due", source="before", case=case.pk)
    lock(case, cast.manager, cast.colleague)
    old = Notice.objects.get(source="before")
    assert old.seen_at is not None and old.mail == Notice.Mail.NONE
    assert not notify(user=cast.colleague, kind="step.due", source="after", case=case.pk)
    assert not Notice.objects.filter(source="after").exists()


def test_no_emergency_opens_it_and_no_review_shows_it(case, cast, client_of):
    second = second_manager(cast)
    lock(case, second, cast.manager)
    lock(case, second, cast.colleague)
    theirs = client_of(cast.colleague)
    form = {"reason": "life", "words": "She is outside."}
    there = theirs.post(reverse("intake:emergency"), {**form, "number": str(case)})
    absent = theirs.post(reverse("intake:emergency"), {**form, "number": "Tegel-Måne 58"})
    assert there.status_code == absent.status_code == 422
    assert plain(there, str(case)) == plain(absent, "Tegel-Måne 58")
    opening = actions.open_in_emergency(by=cast.stranger, number=str(case), reason="life", words="Outside.")
    assert reviewers_of(opening) == [second]
    assert list(to_review(second)) == [opening] and not to_review(cast.manager).exists()


def test_it_ends_on_its_day_or_by_hand(case, cast, client_of):
    theirs = client_of(cast.colleague)
    locked = lock(case, cast.manager, cast.colleague, until=clock.today())
    where = reverse("intake:case", args=[case.slug])
    assert theirs.get(where).status_code == 404
    with clock.at(clock.now() + dt.timedelta(days=1)):
        assert client_of(cast.colleague).get(where).status_code == 302
    ended = client_of(cast.manager).post(reverse("intake:staff-lock-end", args=[case.slug, locked.pk]))
    assert ended.status_code == 302 and theirs.get(where).status_code == 302
    again = client_of(cast.manager).post(reverse("intake:staff-lock-end", args=[case.slug, locked.pk]))
    assert again.status_code == 302
    assert LogEntry.objects.filter(event="staff.lock_ended").count() == 1
    assert [row.codes["of"] for row in LogEntry.objects.filter(event="staff.locked_out")] == [cast.colleague.pk]


def test_a_shift_that_waits_loses_its_steps(case, cast, client_of):
    step = case.steps.get()
    with clock.at(step.due_at - dt.timedelta(minutes=5)):
        shift = actions.give_shift(by=cast.caseworker, to=cast.colleague, steps=[step.pk])
        lock(case, cast.manager, cast.colleague)
        shown = client_of(cast.colleague).get(reverse("intake:shift-take", args=[shift.pk])).content.decode()
        assert str(case) not in shown
        assert actions.take_shift(by=cast.colleague, shift=shift) == 0
    assert FollowUp.objects.get(pk=step.pk).owner == cast.caseworker


def test_a_closed_one_that_is_opened_again_comes_to_another(make_case, make_call, cast):
    case = make_case()
    actions.finish_step(by=cast.caseworker, step=case.steps.get(), outcome="Done.", close="needs_met")
    lock(case, cast.manager, cast.caseworker)
    case.refresh_from_db()
    with transaction.atomic():
        again = actions.reopen_case(by=cast.manager, case=case)
        actions.plan_step(by=cast.manager, case=again, what="Ring.", due_at=clock.now() + dt.timedelta(hours=1))
    connection.check_constraints()
    assert Case.objects.get(pk=case.pk).owner == cast.manager
