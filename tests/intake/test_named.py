"""Protected personal data: open to the owner and to who is named, and to nobody for a reason; each opening with its right."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline.people import clock
from helpline.people.absences import save_absence
from helpline.people.errors import Refused
from helpline.people.models import LogEntry, Notice
from intake import actions
from intake.actions.staff import keep_steps_to_named
from intake.models import Case, CaseOpening, FollowUp, NamedAccess
from referrals import actions as referrals


@pytest.fixture
def protected(make_case) -> Case:
    return make_case(protection="secrecy_marking", track="B")


def page(case, name="case"):
    return reverse(f"intake:{name}", args=[case.slug])


def whys(case, event="case.read"):
    return list(LogEntry.objects.filter(case=case.pk, event=event).order_by("id").values_list("user__username", "why"))


def test_a_reason_does_not_open_it(protected, cast, client_of):
    for who in (cast.colleague, cast.manager):
        theirs = client_of(who)
        assert theirs.get(page(protected)).url.startswith(page(protected, "case-reason"))
        assert "named" in theirs.get(page(protected, "case-reason")).content.decode()
        asked = theirs.post(page(protected, "case-reason"), {"reason": "supervision", "words": "I lead."})
        assert asked.status_code == 422 and not CaseOpening.objects.exists()
    assert whys(protected) == []


def test_who_is_named_opens_it_and_the_log_says_so(protected, cast, client_of):
    named = client_of(cast.manager).post(page(protected, "staff-name"), {"user": cast.colleague.pk})
    assert named.status_code == 302
    connection.check_constraints()
    assert client_of(cast.colleague).get(page(protected)).status_code == 200
    assert client_of(cast.caseworker).get(page(protected)).status_code == 200
    assert whys(protected) == [("bert", "named"), ("anna", "own")]
    assert LogEntry.objects.get(event="staff.named").codes["of"] == cast.colleague.pk


def test_the_last_day_and_the_end_take_it_away(protected, cast, client_of):
    theirs = client_of(cast.colleague)
    naming = actions.name_staff(by=cast.manager, case=protected, user=cast.colleague, until=clock.today())
    assert theirs.get(page(protected)).status_code == 200
    with clock.at(clock.now() + dt.timedelta(days=1)):
        assert client_of(cast.colleague).get(page(protected)).status_code == 302
    ended = client_of(cast.manager).post(reverse("intake:staff-name-end", args=[protected.slug, naming.pk]))
    assert ended.status_code == 302 and theirs.get(page(protected)).status_code == 302
    again = actions.name_staff(by=cast.manager, case=protected, user=cast.colleague)
    assert NamedAccess.objects.in_force().get() == again


def test_nobody_names_themselves_nor_a_stranger(protected, make_case, cast):
    for who in (cast.manager, cast.stranger, cast.partner):
        with pytest.raises(Refused):
            actions.name_staff(by=cast.manager, case=protected, user=who)
    with pytest.raises(Refused):
        actions.name_staff(by=cast.manager, case=make_case(), user=cast.colleague)
    with pytest.raises(Refused):
        actions.name_staff(
            by=cast.manager, case=protected, user=cast.colleague, until=clock.today() - dt.timedelta(days=1)
        )
    assert not NamedAccess.objects.exists()


def test_the_managers_list_and_assignment_still_show_the_row(protected, cast, client_of):
    theirs = client_of(cast.manager)
    assert str(protected) in theirs.get(reverse("caseload-rows", args=["open"])).content.decode()
    assert theirs.get(page(protected, "case-reassign")).status_code == 200
    actions.reassign_case(by=cast.manager, case=protected, to=cast.colleague, handover="All is said.")
    connection.check_constraints()
    assert client_of(cast.colleague).get(page(protected)).status_code == 200
    assert client_of(cast.caseworker).get(page(protected)).status_code == 302
    assert whys(protected) == [("bert", "own")]


def test_nobody_hands_a_protected_case_to_themselves(protected, make_case, cast, client_of):
    theirs, sent = client_of(cast.manager), {"to": cast.manager.pk, "handover": "To me."}
    offered = theirs.get(page(protected, "case-reassign")).context["form"].fields["to"].queryset
    assert cast.colleague in offered and cast.manager not in offered
    assert theirs.post(page(protected, "case-reassign"), sent).status_code == 422
    with pytest.raises(Refused, match="nobody takes the case themselves"):
        actions.reassign_case(by=cast.manager, case=protected, to=cast.manager, handover="To me.")
    protected.refresh_from_db()
    assert protected.owner == cast.caseworker and theirs.get(page(protected)).status_code == 302
    actions.reassign_case(by=cast.manager, case=make_case(), to=cast.manager, handover="Of another nobody minds.")
    actions.name_staff(by=cast.manager, case=protected, user=cast.colleague)
    actions.reassign_case(by=cast.colleague, case=protected, to=cast.colleague, handover="Named already.")


def test_raising_the_protection_takes_reasons_and_steps_back(make_case, cast, client_of):
    case = make_case(track="B")
    actions.open_with_reason(by=cast.colleague, case=case, reason="owner_away")
    step = actions.plan_step(
        by=cast.caseworker, case=case, what="Ring.", due_at=clock.now() + dt.timedelta(hours=3), owner=cast.manager
    )
    assert FollowUp.objects.get(pk=step.pk).owner == cast.manager
    actions.change_protection(by=cast.caseworker, case=case, level="secrecy_marking", why="She told us.")
    connection.check_constraints()
    assert client_of(cast.colleague).get(page(case)).status_code == 302
    assert FollowUp.objects.get(pk=step.pk).owner == cast.caseworker
    assert case.events.filter(kind="step.given_back").count() == 1
    shown = client_of(cast.caseworker).get(page(case)).content.decode()
    assert "Given back to Anna by Cecilia" in shown


def test_a_step_is_passed_to_who_is_named_and_to_no_other_deputy(protected, cast):
    step = protected.steps.get()
    today = clock.local_date(step.due_at)
    with clock.at(step.due_at - dt.timedelta(minutes=5)):
        save_absence(by=cast.caseworker, user=cast.caseworker, deputy=cast.colleague, first_day=today, last_day=today)
        actions.pass_due_steps()
        assert FollowUp.objects.get(pk=step.pk).owner == cast.caseworker, "the deputy is not named"
        with clock.at(step.due_at + dt.timedelta(minutes=1)):
            actions.fire_due_reminders()
        told = set(Notice.objects.filter(kind="step.due").values_list("user", flat=True))
        assert told == {cast.manager.pk}, "the unit's manager hears of it"
        actions.name_staff(by=cast.manager, case=protected, user=cast.colleague, until=today)
        actions.pass_due_steps()
        assert FollowUp.objects.get(pk=step.pk).owner == cast.colleague
    with clock.at(step.due_at + dt.timedelta(days=1)):
        assert keep_steps_to_named() == 1 and keep_steps_to_named() == 0
    assert FollowUp.objects.get(pk=step.pk).owner == cast.caseworker
    connection.check_constraints()


def test_a_protected_step_is_handed_to_nobody_who_is_not_named(protected, cast):
    step = protected.steps.get()
    with clock.at(step.due_at - dt.timedelta(minutes=5)):
        with pytest.raises(Refused, match="may not have"):
            actions.give_shift(by=cast.caseworker, to=cast.colleague, steps=[step.pk])
        actions.name_staff(by=cast.manager, case=protected, user=cast.colleague)
        shift = actions.give_shift(by=cast.caseworker, to=cast.colleague, steps=[step.pk])
        actions.end_naming(by=cast.manager, naming=NamedAccess.objects.get())
        assert actions.take_shift(by=cast.colleague, shift=shift) == 0


def test_a_caller_with_the_number_opens_no_protected_case_for_who_answers(protected, make_call, cast, client_of):
    call = make_call(by=cast.colleague)
    actions.claim_case(by=cast.colleague, call=call, number=str(protected))
    assert not CaseOpening.objects.exists()
    assert client_of(cast.colleague).get(page(protected)).status_code == 302


def test_a_protected_call_that_goes_on_is_its_takers_alone(make_call, cast, client_of):
    call = make_call(protection="secrecy_marking")
    where = reverse("intake:call", args=[call.pk])
    assert client_of(cast.caseworker).get(where).status_code == 200
    assert client_of(cast.manager).get(where).status_code == 404
    save_absence(
        by=cast.caseworker, user=cast.caseworker, deputy=cast.colleague, first_day=clock.today(), last_day=clock.today()
    )
    assert client_of(cast.colleague).get(where).status_code == 200, "nothing is left in nobody's hands"
    assert client_of(cast.manager).get(where).status_code == 404
    rows = LogEntry.objects.filter(event="call.read", call=call.pk).order_by("id").values_list("user__username", "why")
    assert list(rows) == [("anna", "own"), ("bert", "unit")]


def test_no_message_no_link_no_paper(protected, cast, client_of):
    draft = referrals.draft_referral(by=cast.caseworker, case=protected, agency=cast.agency, need="child_protection")
    words = {"ask": "Meet.", "happened": "He has met people.", "ground": "DUTY", "ground_reason": "Worry."}
    draft = referrals.save_draft(by=cast.caseworker, referral=draft, words=words, leads=False)
    sent = referrals.send(by=cast.caseworker, referral=draft)
    type(cast.agency).objects.filter(pk=cast.agency.pk).update(mailbox="box@example.com")
    mine, theirs = client_of(cast.caseworker), client_of(cast.partner)
    assert "Call " in mine.get(reverse("referrals:referral", args=[sent.pk])).content.decode()
    wrote = mine.post(reverse("referrals:message", args=[sent.pk]), {"text": "Hello", "seen": "none"})
    assert wrote.status_code == 422 and "Call" in wrote.content.decode()
    assert "Call us instead" in theirs.get(reverse("portal:referral", args=[sent.pk])).content.decode()
    answer = theirs.post(reverse("portal:message", args=[sent.pk]), {"text": "Hello", "seen": "none"})
    assert answer.status_code == 422 and "Hello" in answer.content.decode()
    linked = mine.post(reverse("referrals:look", args=[sent.pk]), {"after": ""})
    assert linked.status_code == 422 and not sent.looks.exists() and not sent.messages.exists()


def writes(queries):
    return [one["sql"] for one in queries if one["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}]


def only_a_row_of_the_log(client, where):
    client.get(where)  # the session is there
    with CaptureQueriesContext(
        connection,
    ) as done:
        assert client.get(where).status_code == 200
    found = writes(done.captured_queries)
    assert len(found) == 1 and found[0].startswith('INSERT INTO "people_logentry"'), found


def test_reading_costs_one_row_and_no_other_write(make_case, make_call, cast, client_of):
    mine, case, call = client_of(cast.caseworker), make_case(), make_call()
    draft = referrals.draft_referral(by=cast.caseworker, case=case, agency=cast.agency, need="child_protection")
    only_a_row_of_the_log(mine, page(case))
    only_a_row_of_the_log(mine, reverse("referrals:referral", args=[draft.pk]))
    only_a_row_of_the_log(mine, reverse("intake:call", args=[call.pk]))
    only_a_row_of_the_log(mine, reverse("intake:call-after", args=[case.calls.get().pk]))
    only_a_row_of_the_log(mine, reverse("intake:call-after", args=[case.calls.get().pk]) + "?print=1")
    row = LogEntry.objects.filter(event="referral.read").latest("id")
    assert (row.case, row.row, row.why) == (case.pk, str(draft.pk), "own")


def test_who_may_name_and_what_is_not_there(protected, cast, client_of):
    for name in ("case-staff", "staff-name", "staff-lock"):
        where = page(protected, name)
        ask = "get" if name == "case-staff" else "post"
        assert getattr(client_of(cast.caseworker), ask)(where).status_code == 403
        assert getattr(client_of(cast.other_manager), ask)(where).status_code == 404
    assert client_of(cast.manager).get(page(protected, "staff-name")).status_code == 405
