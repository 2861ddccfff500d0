"""Forgetting by law: proposed by one, approved by another, carried out once; nothing else takes a row of a case away."""

import datetime as dt
import re
import threading
import uuid

import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from helpline import disposals, forgetting
from helpline.caseload import now_of
from helpline.forgetting import ABOUT, GOES, STAYS
from helpline.people import clock
from helpline.people.errors import Refused, TooLate
from helpline.people.models import DataKey, Disposal, DisposalItem, LogEntry, Notice, Role, User
from helpline.statistics import Period, counted
from helpline.sums import sum_up
from helpline.tasks import dispose, remind_of_disposals
from intake import actions
from intake.actions.bounces import record_bounce
from intake.actions.erasure import months_later
from intake.models import Bounce, Call, Case, CaseLink, Event, LockedOut, Note, PastCase, Person, SecrecyDecision
from intake.models.calls import Claim
from intake.models.cases import NamedAccess
from intake.models.guard import SearchMark
from referrals import actions as referral_actions
from referrals.models import AskedAgain, CallerAnswer, Message, Referral, Signposting
from tests.house.conftest import world
from tests.roof.test_retention import closed, number_of

__all__ = ["world"]  # a case that has something in every table

LONG_AGO = "2019-03-05 10:00"
NAMES = ("Mary Hill", "0701234567", "She is calm")


@pytest.fixture
def reviewer(cast):
    return cast.reviewer


@pytest.fixture
def second(cast):
    """Another manager of the same unit."""
    return User.objects.create(
        username="maud", role=Role.MANAGER, unit=cast.unit, email="m@example.com", first_name="Maud", language="en"
    )


@pytest.fixture
def old(make_case, cast, at):
    """A case that was closed long ago."""
    with at(LONG_AGO):
        return closed(make_case, cast, caller_name="Mary Hill", phone="0701234567", notes={"told": "She is calm"})


@pytest.fixture
def full(world, cast, make_call):
    """A closed case of long ago that has at least one row in every table of the graph."""
    case = world.case
    by = {"by": cast.caseworker}
    referral = world.contacted
    CallerAnswer.objects.create(referral=referral, mark="week", answer="helped", **by)
    Message.objects.create(referral=referral, from_agency=False, text="When?", **by)
    AskedAgain.objects.create(referral=referral, what=["happened"], by=cast.partner)
    record_bounce(cause="turned_away", source="change:1", case=case)
    Bounce.objects.create(call=case.calls.get(), cause="given_number", source="call:1")  # of its call alone
    NamedAccess.objects.create(case=case, user=cast.colleague, by=cast.manager)
    LockedOut.objects.create(case=case, user=cast.stranger, by=cast.manager)
    actions.open_with_reason(by=cast.colleague, case=case, reason="supervision")
    call = case.calls.get()
    Claim.objects.create(call=call, case=case, by=cast.caseworker, is_right=True)
    Claim.objects.create(call=world.finished, case=case, by=cast.caseworker, is_right=False)  # of another call
    call.measures.create(kind="called_112", done_at=clock.now(), by=cast.caseworker)
    Signposting.objects.create(call=call, agency=cast.agency, need="family_support", given_by=cast.caseworker)
    person = case.people.get(part="caller")
    SearchMark.objects.create(case=case, person=person, kind="name", mark="0" * 64)
    decided = {"asked_by": "self", "identity_checked": "known", "outcome": "all", "decided_by": cast.manager}
    SecrecyDecision.objects.create(case=case, person=person, law="OSL 26:1", registry_number="1", **decided)
    past_case(case)
    return case


def past_case(case: Case) -> None:
    """Close it long ago, whatever its rows say: the rules look at the days alone."""
    long_ago = clock.now() - dt.timedelta(days=3000)
    case.steps.planned().update(state="done", ended_at=long_ago)
    user = case.owner_id
    Case.objects.filter(pk=case.pk).update(
        closed_at=long_ago, closed_by=user, closing_reason="needs_met", next_due_at=None, opened_at=long_ago
    )
    connection.check_constraints()


def approved(by: User, second: User, case: Case | None = None, call: Call | None = None, rule="five_years") -> Disposal:
    """A list with one row, approved: for what is not yet due as its rows stand."""
    made = Disposal.objects.create(proposed_by=by, unit=by.unit, approved_by=second, approved_at=clock.now())
    whose = {"case": case.pk, "number": case.number} if case else {"call": call.pk}
    made.items.create(rule=rule, due_on=clock.today(), **whose)
    return made


def run_through(by: User, second: User) -> Disposal:
    made = disposals.propose(by=by)
    disposals.approve(by=second, disposal=made, left_out={})
    disposals.carry_out()
    connection.check_constraints()
    made.refresh_from_db()
    return made


def tables() -> list[str]:
    return sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})


def names(text: str) -> dict[str, int]:
    """Table -> how many of its rows have this text in any column."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{text}%"])
            found[table] = cursor.fetchone()[0]
    return {table: count for table, count in found.items() if count}


# -- the graph ---------------------------------------------------------------------------------------------------------


def ours() -> list[type[models.Model]]:
    apart = {"people", "intake", "referrals", "helpline"}
    return [one for one in apps.get_models(include_auto_created=True) if one._meta.app_label in apart]


def hanging() -> dict[str, set[str]]:
    """Model -> the models of the graph that it points to, for each that leads to a case or a call."""
    to: dict[str, set[str]] = {
        one._meta.label: {
            field.related_model._meta.label for field in one._meta.concrete_fields if field.remote_field is not None
        }
        for one in ours()
    }
    found = {"intake.Case", "intake.Call"}
    while more := {label for label, points in to.items() if points & found} - found:
        found |= more
    return {label: to[label] & found for label in found}


def test_each_table_that_hangs_on_a_case_has_its_place():
    """A new one fails here until it stands in forgetting.GOES."""
    labels = [apps.get_model(rows.model)._meta.label for rows in GOES]
    assert len(labels) == len(set(labels))
    assert set(labels) == set(hanging())
    assert {rows.model for rows in GOES} >= ABOUT


def test_children_go_before_what_they_hang_on():
    place = {apps.get_model(rows.model)._meta.label: number for number, rows in enumerate(GOES)}
    for label, points in hanging().items():
        assert all(place[label] < place[other] for other in points - {label}), label


def test_what_names_a_case_without_a_key_is_said_to_stay():
    loose = set()
    for one in ours():
        for field in one._meta.concrete_fields:
            if isinstance(field, models.UUIDField) and field.name in {"case", "call"}:
                loose.add(one._meta.label)
    assert loose <= set(STAYS) and "people.LogEntry" in loose


def test_every_path_of_the_graph_is_one(full, cast):
    call = full.calls.get()
    for rows in GOES:
        found = rows.of(full, [call.pk])
        assert found.exists(), f"{rows.model}: nothing of it was there, so that nothing is shown"


# -- nothing goes past the application ---------------------------------------------------------------------------------

PROTECTED = [
    one
    for one in apps.get_models()
    if any(trigger.name == "only_by_disposal" for trigger in getattr(one._meta, "triggers", []))
]


def delete(model: type[models.Model], owner: bool, pk: object) -> int:
    """As psql does: straight at the table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE" if owner else f"SET LOCAL ROLE {settings.APP_ROLE}")
        cursor.execute(f'DELETE FROM "{model._meta.db_table}" WHERE id = %s', [pk])
        count = cursor.rowcount
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
    return count


def doing(disposal: Disposal, text: str = "txid_current()") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE people_disposalitem SET doing = {text} WHERE disposal_id = %s", [disposal.pk])


@pytest.mark.parametrize("owner", [False, True], ids=["the application", "the owner in psql"])
def test_no_row_of_a_case_is_deleted_past_the_application(owner, full, cast, second, make_case):
    """Each protected table: without an item, with that of another case, with one that is not approved or refused, with one
    that was left out, with one whose transaction is another."""
    assert {model.__name__ for model in PROTECTED} >= {"Case", "Call", "Note", "Event", "Bounce", "Referral", "Message"}
    other = make_case()
    mine = {rows.model: rows for rows in GOES}
    ids = [full.calls.get().pk]

    def refuses(why: str) -> None:
        for model in PROTECTED:
            row = mine[model._meta.label].of(full, ids).filter(**PROTECTS.get(model.__name__, {})).first()
            assert row is not None, model.__name__
            with pytest.raises(IntegrityError, match="by an approved disposal alone"):
                delete(model, owner, row.pk)
            assert model._base_manager.filter(pk=row.pk).exists(), (model.__name__, why)

    refuses("no item")
    doing(approved(cast.manager, second, other))
    refuses("an item of another case")
    doing(approved(cast.manager, second, full), "txid_current() - 1")
    refuses("an older transaction")
    proposed = Disposal.objects.create(proposed_by=cast.manager, unit=cast.unit)
    proposed.items.create(case=full.pk, rule="five_years", due_on=clock.today())
    doing(proposed)
    refuses("not approved")
    taken_back = approved(cast.manager, second, full)
    Disposal.objects.filter(pk=taken_back.pk).update(refused_at=clock.now())
    doing(taken_back)
    refuses("refused")
    left = approved(cast.manager, second, full)
    left.items.update(left_out_at=clock.now(), left_out_why="asked")
    doing(left)
    refuses("left out")
    doing(approved(cast.manager, second, full))
    event = Event.objects.filter(case=full).first()
    assert delete(Event, owner, event.pk) == 1  # so it was the item that was missing


PROTECTS = {"Note": {"signed_at__isnull": False}, "Referral": {"state": "contact_made"}}


def test_who_proposed_cannot_approve_whoever_writes_it(cast, old):
    made = disposals.propose(by=cast.manager)
    with pytest.raises(IntegrityError, match="another_approves"), transaction.atomic():
        Disposal.objects.filter(pk=made.pk).update(approved_by=cast.manager, approved_at=clock.now())
    with pytest.raises(Refused, match="Somebody else"):
        disposals.approve(by=cast.manager, disposal=made, left_out={})


@pytest.mark.parametrize("owner", [False, True])
@pytest.mark.parametrize("model", [Disposal, DisposalItem])
def test_the_record_is_never_deleted(model, owner, cast, old, second):
    run_through(cast.manager, second)
    with pytest.raises(DatabaseError, match="Cannot delete"):
        delete(model, owner, model.objects.first().pk)


# -- the whole way -----------------------------------------------------------------------------------------------------


def test_one_proposes_another_approves_and_then_nothing_is_left(full, cast, second):
    call = full.calls.get()
    ids = [
        str(full.pk),
        str(call.pk),
        *(str(pk) for pk in Referral.objects.filter(case=full).values_list("pk", flat=True)),
    ]
    ids += [str(pk) for pk in Person.everybody.filter(case=full).values_list("pk", flat=True)]
    keys = [full.key_id, call.key_id]
    made = approved(cast.manager, second, full)
    # its rows are new: the rule is asked again when it is carried out, so the clock goes on
    with clock.at(clock.now() + dt.timedelta(days=366 * 6)):
        assert disposals.carry_out() == 1
    connection.check_constraints()
    for pk in ids:
        assert set(names(pk)) <= {"people_logentry", "people_disposalitem", "django_session"}, names(pk)
    assert set(names(str(full.key_id))) <= {"people_datakey"}
    assert all(key.is_destroyed and key.destroyed_at for key in DataKey.objects.filter(pk__in=keys))
    assert DataKey.objects.filter(pk__in=keys).count() == 2
    item = made.items.get()
    assert item.done_at and item.doing is None and item.number == full.number
    assert LogEntry.objects.filter(event="case.disposed", case=full.pk, user=None).count() == 1
    past = PastCase.objects.get(is_call=False)
    assert (past.calls, past.track, past.caller_type) == (1, "B", "relative") and past.handovers >= 4
    assert past.bounces == Bounce.objects.none().count() + 2 and past.days_to_contact == 0


def test_what_another_case_has_stays(full, cast, second, world):
    """The linked case, the call that named a wrong number, the shift of a colleague: all are whole."""
    other = CaseLink.objects.get().other if CaseLink.objects.get().one_id == full.pk else CaseLink.objects.get().one
    before = {model: model.objects.filter(case=other).count() for model in (Event, Person)}
    approved(cast.manager, second, full)
    with clock.at(clock.now() + dt.timedelta(days=366 * 6)):
        disposals.carry_out()
    assert {model: model.objects.filter(case=other).count() for model in (Event, Person)} == before
    assert not CaseLink.objects.exists() and Case.objects.filter(pk=other.pk).exists()
    assert Call.objects.filter(pk=world.finished.pk).exists() and Note.objects.filter(call=world.finished).exists()
    assert world.shift.steps.count() == 0


def test_the_agency_sees_nothing_any_more(make_referral, cast, second, client_of):
    referral = make_referral("accepted")
    case = referral.case
    url = reverse("portal:referral", args=[referral.pk])
    assert client_of(cast.partner).get(url).status_code == 200
    past_case(case)
    approved(cast.manager, second, case)
    with clock.at(clock.now() + dt.timedelta(days=366 * 6)):
        assert disposals.carry_out() == 1
    connection.check_constraints()
    assert client_of(cast.partner).get(url).status_code == 404
    assert client_of(cast.partner).get(reverse("portal:inbox")).status_code == 200
    assert not Notice.objects.filter(about=str(referral.pk)).exists()
    assert not Notice.objects.filter(case=case.pk).exists()


def test_a_call_without_a_case(make_call, cast, second, at):
    with at(LONG_AGO):
        call = make_call(urgency="NORMAL", caller_type="other", notes={"told": "x"}, answers={"greet": "said"})
        call = actions.complete_call(by=cast.caseworker, call=call)
        practice = make_call(urgency="NORMAL", caller_type="other", is_practice=True)
        practice = actions.complete_call(by=cast.caseworker, call=practice)
    made = run_through(cast.manager, second)
    assert {item.rule for item in made.items.all()} == {"advice", "practice"} and made.done_at
    assert not Call.objects.filter(pk__in=[call.pk, practice.pk]).exists()
    past = PastCase.objects.get()  # practice is none of them
    assert past.is_call and past.opened_quarter == dt.date(2019, 1, 1) and past.closed_quarter is None
    assert past.municipality_id == "1499" and past.age_band == "15-17" and past.milieu == "UNKNOWN"


def test_a_call_that_was_taken_away_is_none_that_remains(make_call, cast, second, at):
    with at(LONG_AGO):
        call = make_call(track="B", notes={"told": "words"})
        actions.void_call(by=cast.caseworker, call=call, why="by mistake")
        wrong = make_call(caller_type="misdial", urgency="NORMAL")
        wrong = actions.complete_call(by=cast.caseworker, call=wrong)
    quarter = Period(2019, 1)
    while sum_up():
        pass
    before = counted(quarter)["call"]["all"], counted(quarter)["case"]["all"]
    assert not any(counts.total() for counts in before)
    made = run_through(cast.manager, second)
    assert {item.call: item.rule for item in made.items.all()}[call.pk] == "five_years"  # its words were kept
    assert not Call.objects.filter(pk__in=[call.pk, wrong.pk]).exists()
    assert not PastCase.objects.exclude(caller_type="misdial").exists()
    assert (counted(quarter)["call"]["all"], counted(quarter)["case"]["all"]) == before
    with at("2019-03-06 10:00"):
        assert now_of(cast.manager)["promise"].callers == 0


def test_of_a_case_the_calls_remain_that_were_counted(old, cast, second, make_call, at):
    """As docs/statistics.md says: finished ones, no practice; a wrong number where it led to a case."""
    with at(LONG_AGO):
        made = {
            name: make_call(caller_type="other", urgency="NORMAL") for name in ("wrong", "second", "voided", "practice")
        }
        ends = {"completed_at": clock.now(), "case": old}
        for name, facts in {
            "wrong": {**ends, "caller_type": "misdial"},
            "second": ends,
            "voided": {**ends, "completed_at": None, "voided_at": clock.now()},
            "practice": {**ends, "is_practice": True},
        }.items():
            Call.objects.filter(pk=made[name].pk).update(**facts)
    while sum_up():
        pass
    before = counted(Period(2019, 1))["call"]["all"]
    assert before.total() == 3
    run_through(cast.manager, second)
    assert PastCase.objects.get().calls == 3
    while sum_up():
        pass
    assert counted(Period(2019, 1))["call"]["all"] == before


def test_the_row_that_remains_has_no_day_and_leads_nowhere(old, cast, second):
    run_through(cast.manager, second)
    past = PastCase.objects.get()
    assert past.opened_quarter == past.closed_quarter == dt.date(2019, 1, 1)
    columns = {field.name for field in PastCase._meta.concrete_fields}
    assert not columns & {"case", "call", "code", "number", "key", "owner", "opened_at", "closed_at"}
    times = [field for field in PastCase._meta.concrete_fields if isinstance(field, models.DateTimeField)]
    assert times == []
    days = [
        getattr(past, field.name) for field in PastCase._meta.concrete_fields if isinstance(field, models.DateField)
    ]
    assert all((day.month, day.day) in {(1, 1), (4, 1), (7, 1), (10, 1)} for day in days if day)


def test_words_that_the_board_had_erased_already(make_case, cast, second, at):
    with at(LONG_AGO):
        case = closed(make_case, cast, track="A")
    assert actions.erase_words() == 2
    run_through(cast.manager, second)
    assert not Case.objects.filter(pk=case.pk).exists() and PastCase.objects.get().track == "A"


# -- twice, at once, killed, and what came since -----------------------------------------------------------------------


def test_twice_does_it_once(old, cast, second):
    made = disposals.propose(by=cast.manager)
    with pytest.raises(Refused, match="in a list already"):
        disposals.propose(by=cast.manager)
    disposals.approve(by=second, disposal=made, left_out={})
    with pytest.raises(TooLate, match="decided already"):
        disposals.approve(by=second, disposal=made, left_out={})
    with pytest.raises(TooLate, match="decided already"):
        disposals.refuse(by=second, disposal=made)
    assert (disposals.carry_out(), disposals.carry_out()) == (1, 0)
    assert PastCase.objects.count() == 1
    assert Notice.objects.filter(kind="disposal.done", user=cast.manager).count() == 1


def test_what_was_killed_in_the_middle_goes_on(make_case, cast, second, at, monkeypatch):
    with at(LONG_AGO):
        cases = [closed(make_case, cast) for _ in range(3)]
    made = disposals.propose(by=cast.manager)
    disposals.approve(by=second, disposal=made, left_out={})
    real, seen = forgetting.remove, []

    def breaks(target):
        seen.append(target.pk)
        real(target)
        if len(seen) == 2:
            raise OSError

    monkeypatch.setattr(disposals, "remove", breaks)
    assert disposals.carry_out() == 2  # one that failed keeps no other waiting
    left = Case.objects.get(pk__in=[case.pk for case in cases])
    assert left.events.exists() and left.calls.exists() and not left.key.is_destroyed  # whole
    assert PastCase.objects.count() == 2
    made.refresh_from_db()
    assert made.done_at is None and made.items.filter(done_at=None, doing=None).count() == 1
    monkeypatch.undo()
    dispose()
    made.refresh_from_db()
    assert made.done_at and not Case.objects.filter(pk=left.pk).exists() and PastCase.objects.count() == 3
    connection.check_constraints()


@pytest.mark.parametrize("came", ["a call", "a note", "a step", "a day", "a hold", "another"])
def test_the_rule_is_asked_again(came, old, cast, second, make_call):
    made = disposals.propose(by=cast.manager)
    disposals.approve(by=second, disposal=made, left_out={})
    why = {
        "a call": "open",
        "a note": "entry",
        "a step": "open",
        "a day": "research",
        "a hold": "held",
        "another": "gone",
    }
    if came == "a call":
        actions.claim_case(by=cast.caseworker, call=make_call(), number=old.number)
    elif came == "a note":
        actions.add_note(by=cast.caseworker, case=old, kind="told", text="She called.")
    elif came == "a step":
        case = actions.reopen_case(by=cast.caseworker, case=old)
        actions.plan_step(by=cast.caseworker, case=case, what="Call", due_at=clock.now())
    elif came == "a day":
        number_of(old, "196503150001")
    elif came == "a hold":
        disposals.keep(by=cast.manager, case=old, reason="court", words="T 1")
    else:
        twin = approved(cast.manager, second, old)
        doing(twin)
        forgetting.remove(Case.objects.select_related("key").get(pk=old.pk))
    assert disposals.carry_out() == 0
    connection.check_constraints()
    item = made.items.get()
    assert item.left_out_at and not item.done_at and item.left_out_why == why[came]
    assert Case.objects.filter(pk=old.pk).exists() is (came != "another")
    assert LogEntry.objects.filter(event="disposal.left_out", row=str(made.pk)).exists()
    made.refresh_from_db()
    assert made.done_at  # the list is through; what was left out is proposed again when its day comes
    assert str(disposals.BY_ITSELF[why[came]])


def test_a_call_that_another_timeline_names_waits(make_call, make_case, cast, second, at):
    with at(LONG_AGO):
        call = make_call(urgency="NORMAL", caller_type="other")
        call = actions.complete_call(by=cast.caseworker, call=call)
        other = make_case()
        Event.objects.create(case=other, kind="case.unclaimed", call=call)
    assert disposals.due_in(cast.unit) == []
    approved(cast.manager, second, call=call, rule="advice")
    assert disposals.carry_out() == 0 and DisposalItem.objects.get().left_out_why == "named"


def test_taking_back_a_claim_leaves_no_word_of_the_call_in_that_timeline(make_case, make_call, cast):
    case = make_case()
    call = make_call(by=cast.colleague, notes={"told": "Another person's words"})
    actions.claim_case(by=cast.colleague, call=call, number=case.number)
    actions.unclaim_case(by=cast.colleague, call=call)
    assert Event.objects.get(case=case, kind="case.unclaimed").call is None
    assert LogEntry.objects.filter(event="case.unclaimed", case=case.pk, call=call.pk).count() == 1


def test_a_claim_on_what_is_deleted_meanwhile_is_a_wrong_number(old, cast, second, make_call, monkeypatch):
    from intake.actions import claims

    call, real = make_call(), claims.lock

    def too_late(case):
        run_through(cast.manager, second)
        return real(case)

    monkeypatch.setattr(claims, "lock", too_late)
    monkeypatch.setattr(claims.Claim.objects, "create", lambda **_: Claim(pk=1))
    with pytest.raises(Refused, match="belong together"):
        actions.claim_case(by=cast.caseworker, call=call, number=old.number)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_delete_each_case_once(make_case, cast, second, at):
    with at(LONG_AGO):
        for _ in range(4):
            closed(make_case, cast)
    made = disposals.propose(by=cast.manager)
    disposals.approve(by=second, disposal=made, left_out={})
    done = []

    def work() -> None:
        try:
            done.append(disposals.carry_out())
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert disposals.carry_out() == 0
    assert sum(done) == 4 and PastCase.objects.count() == 4 and not Case.objects.exists()


# -- after a restore ---------------------------------------------------------------------------------------------------


def test_what_comes_back_with_a_backup_is_deleted_again(make_case, cast, second, at):
    with at(LONG_AGO):
        case, other = closed(make_case, cast), closed(make_case, cast)
    made = approved(cast.manager, second, case)
    was = clock.now() - dt.timedelta(days=10)
    made.items.update(done_at=was)
    Disposal.objects.filter(pk=made.pk).update(done_at=was)
    assert disposals.dispose_again([case.pk, other.pk], []) == 1
    connection.check_constraints()
    assert not Case.objects.filter(pk=case.pk).exists()
    assert Case.objects.filter(pk=other.pk).exists()  # no approved item: it stays
    assert made.items.get().done_at == was and made.items.get().doing is None
    assert PastCase.objects.count() == 1
    assert disposals.dispose_again([case.pk, uuid.uuid4()], []) == 0


def test_a_call_comes_back_and_goes_again(make_call, cast, second, at):
    with at(LONG_AGO):
        call = actions.complete_call(by=cast.caseworker, call=make_call(urgency="NORMAL", caller_type="other"))
    approved(cast.manager, second, call=call, rule="advice").items.update(done_at=clock.now())
    assert disposals.dispose_again([], [call.pk]) == 1 and not Call.objects.filter(pk=call.pk).exists()


# -- who, and what is left out -----------------------------------------------------------------------------------------


def test_who_approves_leaves_rows_out_with_a_reason(make_case, cast, second, at):
    with at(LONG_AGO):
        one, other = closed(make_case, cast), closed(make_case, cast)
    made = disposals.propose(by=cast.manager)
    item = made.items.get(case=one.pk)
    with pytest.raises(Refused, match="why"):
        disposals.approve(by=second, disposal=made, left_out={item.pk: "because"})
    disposals.approve(by=second, disposal=made, left_out={item.pk: "asked"})
    assert disposals.carry_out() == 1
    assert Case.objects.filter(pk=one.pk).exists() and not Case.objects.filter(pk=other.pk).exists()
    assert [found.row.pk for found in disposals.due_in(cast.unit)] == [one.pk]  # it is proposed again


def exempted_once(cast, second, case: Case) -> Disposal:
    """Exempted in one list, and proposed in the next."""
    first = disposals.propose(by=cast.manager)
    item = first.items.get(case=case.pk)
    disposals.approve(by=second, disposal=first, left_out={item.pk: "asked"})
    disposals.carry_out()
    return disposals.propose(by=cast.manager)


def test_what_was_exempted_stays_so_in_a_later_list_that_is_approved_untouched(old, cast, second, client_of):
    again = exempted_once(cast, second, old)
    html = client_of(second).get(reverse("disposals:disposal", args=[again.pk])).content.decode()
    item = again.items.get()
    chosen = re.search(rf'name="item-{item.pk}".*?<option value="(\w+)" selected>', html, re.DOTALL)
    assert chosen[1] == "asked"  # the page says so beforehand, and who, when and why
    assert re.search(rf"Exempted {clock.today()} by {second.get_full_name()}:\s+the person has asked", html)
    sent = {"for_good": "on", f"item-{item.pk}": chosen[1]}
    answer = client_of(second).post(reverse("disposals:disposal-approve", args=[again.pk]), data=sent)
    assert answer.status_code == 302
    assert disposals.carry_out() == 0 and Case.objects.filter(pk=old.pk).exists()
    assert again.items.get().left_out_why == "asked"
    third = disposals.propose(by=cast.manager)  # and so it goes on
    disposals.approve(by=second, disposal=third, left_out={})
    assert disposals.carry_out() == 0 and Case.objects.filter(pk=old.pk).exists()


def test_an_exemption_is_taken_back_by_a_choice_of_its_own(old, cast, second, client_of):
    again = exempted_once(cast, second, old)
    url = reverse("disposals:disposal-approve", args=[again.pk])
    name = f"item-{again.items.get().pk}"
    for nothing in ({}, {name: ""}):  # as a page would send it that was made before
        assert client_of(second).post(url, data={"for_good": "on", **nothing}).status_code == 422
    assert client_of(second).post(url, data={"for_good": "on", name: "take_back"}).status_code == 302
    ended = LogEntry.objects.get(event="disposal.exemption_ended")
    assert (ended.user, ended.case, ended.row) == (second, old.pk, str(again.pk))
    assert disposals.carry_out() == 1 and not Case.objects.filter(pk=old.pk).exists()


def test_who_proposes_sees_what_was_exempted_and_is_not_reminded_of_it(old, cast, second, client_of):
    disposals.refuse(by=cast.manager, disposal=exempted_once(cast, second, old))
    html = client_of(cast.manager).get(reverse("disposals:disposal-propose")).content.decode()
    assert old.number in html and f"Exempted {clock.today()} by {second.get_full_name()}" in html
    assert disposals.remind_managers() == 0
    assert "should have been deleted already" not in (
        client_of(cast.manager).get(reverse("disposals:disposal-list")).content.decode()
    )


def test_a_list_that_is_refused_deletes_nothing(old, cast, second):
    made = disposals.propose(by=cast.manager)
    disposals.refuse(by=second, disposal=made)
    with pytest.raises(TooLate):
        disposals.approve(by=second, disposal=made, left_out={})
    assert disposals.carry_out() == 0 and Case.objects.filter(pk=old.pk).exists()
    assert disposals.propose(by=cast.manager).items.count() == 1


def test_who_is_locked_out_of_a_case_sees_no_list_with_it(old, cast, second, client_of):
    made = disposals.propose(by=cast.manager)
    LockedOut.objects.create(case=old, user=second, by=cast.manager)
    assert client_of(second).get(reverse("disposals:disposal", args=[made.pk])).status_code == 404
    with pytest.raises(Refused):
        disposals.approve(by=second, disposal=made, left_out={})
    assert disposals.due_in(cast.unit, second) == []


def test_where_there_is_no_other_manager_the_reviewer_is_told(old, cast, reviewer):
    made = disposals.propose(by=cast.manager)
    assert [notice.user for notice in Notice.objects.filter(kind="disposal.proposed")] == [reviewer]
    disposals.approve(by=reviewer, disposal=made, left_out={})
    assert disposals.carry_out() == 1


def test_managers_are_reminded_once_a_month_while_something_is_due(old, cast, at):
    with at("2026-12-01 08:15"):
        remind_of_disposals()
        remind_of_disposals()
        assert [notice.user for notice in Notice.objects.filter(kind="disposal.due")] == [cast.manager]
    with at("2027-01-01 08:15"):
        remind_of_disposals()
        assert Notice.objects.filter(kind="disposal.due").count() == 2
        assert not Disposal.objects.exists()  # it proposes nothing by itself


# -- the pages ---------------------------------------------------------------------------------------------------------

PAGES = "disposals:disposal-list", "disposals:disposal-propose"


def test_the_way_through_the_pages(old, cast, second, client_of):
    first, other = client_of(cast.manager), client_of(second)
    html = first.get(reverse("disposals:disposal-list")).content.decode()
    assert "1 is due to be deleted" in html
    html = first.get(reverse("disposals:disposal-propose")).content.decode()
    assert old.number in html and "SoL 16:1" in html and "2019-03-05" in html and "2024-03-05" in html
    assert 'class="nowrap late">2025-12-31' in html
    url = first.post(reverse("disposals:disposal-propose")).url
    made = Disposal.objects.get()
    page = first.get(url).content.decode()
    assert "Waits for somebody else" in page and "Maud" in page and "Approve the list" not in page
    approve = reverse("disposals:disposal-approve", args=[made.pk])
    assert first.post(approve, {"for_good": "on"}).status_code == 302  # and is told so
    made.refresh_from_db()
    assert made.approved_at is None
    assert other.post(approve, {}).status_code == 422
    field = f"item-{made.items.get().pk}"
    assert other.post(approve, {"for_good": "on", field: "nonsense"}).status_code == 422
    assert other.post(approve, {"for_good": "on", field: ""}).status_code == 302
    assert "0 of 1 deleted" in other.get(url).content.decode()
    record = reverse("disposals:disposal-record", args=[made.pk])
    assert other.get(record).status_code == 404  # there is none yet
    disposals.carry_out()
    for client in (first, other):
        assert "Done" in client.get(url).content.decode()
        html = client.get(record).content.decode()
        assert old.number in html and "Cecilia" in html and "Maud" in html and "Deleted: 1" in html
    assert LogEntry.objects.filter(event="disposal.printed").count() == 2
    for event in ("proposed", "approved", "done", "read"):
        assert LogEntry.objects.filter(event=f"disposal.{event}").exists(), event


def test_no_page_and_no_row_has_a_name(old, cast, second, reviewer, client_of):
    number_of(old, "196503160001")
    made = disposals.propose(by=cast.manager)
    urls = [reverse(name) for name in PAGES]
    urls += [reverse(f"disposals:{name}", args=[made.pk]) for name in ("disposal", "disposal-record")]
    for step in ("proposed", "done"):
        for user in (cast.manager, second, reviewer):
            for url in urls:
                html = client_of(user).get(url).content.decode()
                assert not any(word in html for word in (*NAMES, "19650316")), (step, url)
        if step == "proposed":
            disposals.approve(by=second, disposal=made, left_out={})
            disposals.carry_out()
    for table in ("people_disposal", "people_disposalitem", "intake_pastcase", "people_logentry"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
            text = cursor.fetchone()[0]
        assert not any(word in text for word in (*NAMES, "19650316"))


def test_what_is_kept_for_good_is_said(make_case, cast, client_of, at):
    with at(LONG_AGO):
        case = closed(make_case, cast, track="C")
        number_of(case, "196503150001")
    html = client_of(cast.manager).get(reverse("disposals:disposal-propose")).content.decode()
    assert "to the e-archive" in html and case.number in html and "born on the 15th" in html
    with pytest.raises(Refused):
        disposals.propose(by=cast.manager)


def test_a_list_may_be_taken_back_or_refused_on_its_page(old, cast, second, client_of):
    made = disposals.propose(by=cast.manager)
    refuse = reverse("disposals:disposal-refuse", args=[made.pk])
    assert client_of(cast.manager).post(refuse).status_code == 302
    made.refresh_from_db()
    assert made.refused_at
    answer = client_of(second).post(refuse, follow=True)
    assert "decided already" in answer.content.decode()


@pytest.mark.parametrize("name", ["disposal", "disposal-approve", "disposal-refuse", "disposal-record"])
def test_other_units_and_other_roles(name, old, cast, second, reviewer, client_of):
    made = run_through(cast.manager, second)
    method = "post" if name in {"disposal-approve", "disposal-refuse"} else "get"
    url = reverse(f"disposals:{name}", args=[made.pk])
    absent = reverse(f"disposals:{name}", args=[made.pk + 1000])

    def of(user, where=url):
        return getattr(client_of(user), method)(where)

    assert of(cast.caseworker).status_code == of(cast.keeper).status_code == of(cast.partner).status_code == 403
    assert of(cast.other_manager).status_code == 404
    assert of(cast.other_manager).content.count(b"404") == of(cast.other_manager, absent).content.count(b"404")
    assert of(reviewer).status_code in (200, 302, 422)
    assert LogEntry.objects.filter(event="disposal.hidden", user=cast.other_manager).exists()
    if method == "post":
        assert client_of(second).get(url).status_code == 405


def test_a_reviewer_does_not_propose(reviewer, client_of, old):
    assert client_of(reviewer).get(reverse("disposals:disposal-propose")).status_code == 403
    html = client_of(reviewer).get(reverse("disposals:disposal-list")).content.decode()
    assert "Look at what is due" not in html


def test_the_question_is_bounded_however_many_are_due(make_case, cast, client_of, at):
    client = client_of(cast.manager)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("disposals:disposal-propose")).status_code == 200
        return sum("django_session" not in query["sql"] and "SAVEPOINT" not in query["sql"] for query in queries)

    with at(LONG_AGO):
        closed(make_case, cast)
    few = count()
    with at(LONG_AGO):
        for _ in range(4):
            number_of(closed(make_case, cast, track="C"), "196503160001")
    many = count()
    assert many == few, (few, many)


def test_a_day_ahead_nothing_is_due(make_case, cast, at):
    with at("2026-03-05 10:00"):
        closed(make_case, cast)
    day = months_later(dt.date(2026, 3, 5), 60)
    with at(f"{day - dt.timedelta(days=1)} 23:59"):
        assert disposals.due_in(cast.unit) == []
    with at(f"{day} 00:01"):
        assert len(disposals.due_in(cast.unit)) == 1


def test_the_other_unit_is_not_asked(old, cast):
    assert disposals.due_in(cast.other_unit) == [] and len(disposals.due_in(cast.unit)) == 1
    assert referral_actions is not None


def test_who_keeps_a_protected_case_reads_no_day_of_birth(cast, client_of, make_case):
    case = closed(make_case, cast, protection="secrecy_marking")
    number_of(case, "196503150001", part="caller")
    page = client_of(cast.manager).get(reverse("disposals:case-keep", args=[case.slug])).content.decode()
    assert "Kept for research" in page and "15th" not in page
    assert LogEntry.objects.filter(event="keep.read", case=case.pk, user=cast.manager).exists()


def test_the_day_of_a_protected_case_is_not_shown_to_who_may_not_know_of_it(make_case, cast, at, client_of, second):
    """A child's case is due on a birthday."""
    with at(LONG_AGO):
        case = closed(make_case, cast, protection="secrecy_marking", track="B")
        plain_one = closed(make_case, cast)
    theirs = client_of(cast.manager)
    due = {one.row.pk: one.standing for one in disposals.due_in(cast.unit)}
    days = [due[case.pk].due_on, due[case.pk].last_entry, due[case.pk].last_day]

    def row_of(client, url):
        page = client.get(url).content.decode()
        return next(part for part in page.split("<tr>") if case.number in part).partition("</tr>")[0], page

    propose = reverse("disposals:disposal-propose")
    row, page = row_of(theirs, propose)
    assert "Protected data" in row and not any(str(day) in row for day in days)
    assert "2 rows" in page and plain_one.number in page and str(due[plain_one.pk].due_on) in page, (
        "counted as the others"
    )
    made = disposals.propose(by=cast.manager)
    one = reverse("disposals:disposal", args=[made.pk])
    for reader in (cast.manager, second, cast.reviewer):
        row, _page = row_of(client_of(reader), one)
        assert "Protected data" in row and not any(str(day) in row for day in days)
    actions.name_staff(by=second, case=case, user=cast.manager)
    row, _page = row_of(client_of(cast.manager), one)
    assert "Protected data" not in row and str(days[0]) in row, "who is named knows"


def test_the_record_has_no_day_of_a_childs_case(cast, client_of):
    born = dt.date(2025, 6, 7)
    now = clock.now()
    made = Disposal.objects.create(
        proposed_by=cast.manager, unit=cast.unit, approved_by=cast.reviewer, approved_at=now, done_at=now
    )
    for number, rule in (("tall-sol-11", "child_inquiry"), ("tall-sol-12", "five_years")):
        made.items.create(case=uuid.uuid4(), number=number, rule=rule, due_on=born, done_at=now)
    record = client_of(cast.manager).get(reverse("disposals:disposal-record", args=[made.pk])).content.decode()
    page = client_of(cast.manager).get(reverse("disposals:disposal", args=[made.pk])).content.decode()
    for shown in (record, page):
        assert shown.count(str(born)) == 1 and "tall-sol-11" in shown
