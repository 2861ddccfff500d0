"""The second wall in SQL: as the portal's role, each table shows the rows of one's own agency that it has now, and no others."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from helpline.people import clock
from helpline.people.models import User
from helpline.people.sealed import DataKey
from helpline.people.wall import WALL, behind_the_wall
from intake.models import Case
from referrals import actions
from referrals.actions.asked_again import asked_again
from referrals.actions.comments import answer_comment, comment
from referrals.actions.consents import withdraw_consent
from referrals.actions.looks import make_look, open_look
from referrals.actions.messages import send_message
from referrals.actions.pre_questions import ask_first
from referrals.models import AgencyAbsence, AgencyMember, FirstLook, OpeningHours, PartnerAgency, Referral
from referrals.states import STATES

pytestmark = pytest.mark.django_db
ROWS = {walled.model: walled for walled in WALL if walled.rows}
OF_A_LOOK = {"referrals.FirstLook"}
# model -> how its rows are told to be of an agency
OF = {
    "referrals.Referral": "agency",
    "referrals.StateChange": "referral__agency",
    "referrals.Message": "referral__agency",
    "referrals.QualityComment": "referral__agency",
    "referrals.AskedAgain": "referral__agency",
    "referrals.Consent": "agency",
    "referrals.PreAnswer": "agency",
    "referrals.PreQuestion": "answers__agency",
    "referrals.PartnerAgency": "pk",
    "referrals.AgencyMember": "agency",
    "referrals.OpeningHours": "agency",
    "referrals.AgencyAbsence": "agency",
    "referrals.PartnerAgency_municipalities": "partneragency",
    "intake.Case": "referrals__agency",
}


@contextmanager
def standing(agency: object = "", **places: object) -> Iterator[None]:
    """As the portal's role, as a request does: there, today."""
    told = {"agency": agency, "today": clock.today().isoformat(), "now": clock.now().isoformat(), **places}
    told |= {name: places.get(name, "") for name in ("look", "pre_answer", "ended", "counts")}
    with behind_the_wall({f"helpline.{name}": ("%s", [str(value)]) for name, value in told.items()}):
        yield


def seen(model: str) -> set:
    """The rows that are there, by SQL that leaves nothing out."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {ROWS[model].table}")  # noqa: S608
        return {row[0] for row in cursor.fetchall()}


def of(model: str, agency: PartnerAgency) -> set:
    return set(apps.get_model(model).objects.filter(**{OF[model]: agency.pk}).values_list("pk", flat=True))


@pytest.fixture
def world(cast, make_case, make_referral) -> dict[str, Referral]:
    """To each of two agencies one handover, with all that can hang on one; each of another unit of ours."""
    made = {}
    sides = {
        "own": (cast.agency, cast.partner, cast.caseworker, {}),
        "other": (cast.other_agency, cast.other_partner, cast.stranger, {"need": "exit_support"}),
    }
    for name, (agency, partner, worker, rest) in sides.items():
        held = make_referral("contact_made", by=worker, agency=agency, case=make_case(by=worker), **rest)
        send_message(by=partner, referral=held, text="Ours.", from_agency=True)
        comment(by=partner, referral=held, text="It was short.")
        asked_again(by=partner, referral=held, what=["about"])
        ask_first(by=worker, case=held.case, need=held.need, age_band="15-17", agencies=[agency])
        OpeningHours.objects.create(agency=agency, weekday=0, opens=dt.time(8), closes=dt.time(16))
        AgencyAbsence.objects.create(agency=agency, first_day=clock.today(), last_day=clock.today())
        agency.municipalities.add("1496")
        make_referral("draft", by=worker, agency=agency, case=make_case(by=worker), **rest)
        made[name] = held
    return made


# -- rows --------------------------------------------------------------------------------------------------------------


def test_every_walled_table_is_looked_at_here():
    assert set(OF) | OF_A_LOOK | {"people.DataKey", "people.User"} == set(ROWS)


def test_ones_own_rows_and_none_of_another_agency(world, cast):
    for model in OF:
        own, others = of(model, cast.agency), of(model, cast.other_agency)
        with standing(cast.agency.pk):
            found = seen(model)
        assert found and found <= own and not found & others, model
        assert own - found <= hidden(model, cast.agency), model
        with standing(cast.other_agency.pk):
            assert seen(model) and not seen(model) & own, model


def hidden(model: str, agency: PartnerAgency) -> set:
    """Of one's own what is a draft still, and what hangs on it."""
    way = {"intake.Case": "referrals__", "referrals.Referral": ""}.get(model)
    if model == "referrals.Consent":
        return of(model, agency) - set(Referral.objects.exclude(state="draft").values_list("consent", flat=True))
    if way is None:
        return set()
    rows = apps.get_model(model).objects.filter(**{f"{way}agency": agency, f"{way}state": "draft"})
    return set(rows.values_list("pk", flat=True))


NONSENSE = ["", "0", "-1", "*", "all", "1 OR 1=1", "9" * 30, "null", "'", "1;2"]


def test_no_rows_for_who_stands_nowhere(world):
    for agency in NONSENSE:
        with standing(agency, look="x", pre_answer="*", ended="1", counts="*"):
            assert {model: seen(model) for model in ROWS} == {model: set() for model in ROWS}, agency


def test_no_rows_for_the_role_alone(world):
    with behind_the_wall({}):
        assert {model: seen(model) for model in ROWS} == {model: set() for model in ROWS}


def test_the_keys_of_ones_own_and_the_people_of_both_sides(world, cast, make_colleague):
    make_colleague("birgit")
    with standing(cast.agency.pk):
        assert seen("people.DataKey") == {world["own"].case.key_id}
        people = seen("people.User")
    assert people == {cast.partner.pk, cast.caseworker.pk, User.objects.get(username="birgit").pk}


def test_what_looks_past_a_policy_is_asked_without_a_path_of_ones_own_and_by_the_portal_alone(db):
    """Else a table of somebody's own could be put before ours."""
    question = """
        SELECT p.proname, p.proconfig, has_function_privilege(%s, p.oid, 'EXECUTE'),
               EXISTS (SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0)
          FROM pg_proc p WHERE p.proname LIKE 'wall\\_%%' AND p.prosecdef
    """
    with connection.cursor() as cursor:
        cursor.execute(question, [settings.PORTAL_ROLE])
        found = {name: rest for name, *rest in cursor.fetchall()}
    assert {"wall_referrals", "wall_cases", "wall_keys", "wall_people", "wall_agencies"} <= set(found)
    assert all(rest == [["search_path=public, pg_temp"], True, False] for rest in found.values()), found


def test_no_policy_reads_a_table_that_has_one(db):
    """A policy that asks another is planned anew with each table of each query: ten times the time of the query itself."""
    walled_off = {walled.table for walled in ROWS.values()}
    nested = {"referrals_consent": {"referrals_referral"}, "referrals_prequestion": {"referrals_preanswer"}}
    for walled in ROWS.values():
        asked = {table for table in walled_off - {walled.table} if f"FROM {table} " in walled.rows}
        assert asked <= nested.get(walled.table, set()), walled.model


def test_a_day_that_is_none_shows_nothing_that_ends_on_a_day(world, cast):
    with standing(cast.agency.pk, today="never", now="tomorrow?"):
        assert seen("referrals.Referral") == set() and seen("people.DataKey") == set()


# -- by the states, as the querysets say ---------------------------------------------------------------------------------


@pytest.fixture
def every_state(cast, make_referral) -> list[Referral]:
    """One in each state; and those on which it hangs by more than the state."""
    rows = [make_referral(state) for state in STATES]
    confirmed = make_referral("withdrawn")
    actions.confirm_withdrawal(by=cast.partner, referral=confirmed)
    for state in ("accepted", "contact_made"):  # commented on, and answered
        left = make_referral(state)
        told = comment(by=cast.partner, referral=left, text="Late.")
        answer_comment(by=cast.caseworker, comment=told, text="We were.")
        if state == "accepted":
            actions.return_referral(by=cast.partner, referral=left, reason="no_capacity")
        else:
            actions.complete(by=cast.partner, referral=left)
            withdraw_consent(by=cast.caseworker, consent=left.consent)
        rows.append(left)
    closed = make_referral("opened")
    Referral.objects.filter(pk=closed.pk).update(access_until=None)
    rows += [confirmed, closed]
    return rows


@pytest.mark.parametrize("police", [False, True])
def test_the_policy_says_what_the_querysets_say(police, every_state, cast):
    if police:
        PartnerAgency.objects.filter(pk=cast.agency.pk).update(receiver_kind="police")
    for days in (0, 1, 13, 15, 29, 31, 91):
        says_the_same(days, every_state, cast)


def says_the_same(days: int, every_state: list[Referral], cast) -> None:
    with clock.at(clock.now() + dt.timedelta(days=days)):
        rows, user = Referral.objects.all(), cast.partner
        words = rows.for_agency_of(user) | rows.filter(pk__in=rows.answered_for(user).values("pk"))
        lines = [rows.to_confirm_by(user), rows.lately_ended_for(user)]
        lasting = set(words.values_list("pk", flat=True))
        told = lasting.union(*(set(found.values_list("pk", flat=True)) for found in lines))
        with standing(cast.agency.pk):
            assert seen("referrals.Referral") == told
            keys = seen("people.DataKey")
    assert keys == set(Case.objects.filter(referrals__in=lasting).values_list("key", flat=True))
    assert told and (days > 29 or lasting < told)
    assert len(told) < len(every_state)


def test_a_closed_case_shows_no_handover(cast, make_referral):
    sent = make_referral("opened")
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ALTER TABLE intake_case DISABLE TRIGGER USER")
        values = [clock.now(), cast.caseworker.pk, sent.case_id]
        cursor.execute(
            "UPDATE intake_case SET closed_at = %s, closed_by_id = %s, closing_reason = 'done' WHERE id = %s", values
        )
        connection.check_constraints()
        cursor.execute("ALTER TABLE intake_case ENABLE TRIGGER USER")
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
    with standing(cast.agency.pk):
        assert seen("referrals.Referral") == set() == seen("people.DataKey")


def test_one_that_has_ended_is_there_for_who_asks_for_it_and_had_it(cast, make_referral, make_case):
    ended = make_referral("declined")
    other = make_referral(
        "declined", agency=cast.other_agency, need="exit_support", by=cast.stranger, case=make_case(by=cast.stranger)
    )
    draft = make_referral("draft")
    for asked, rows in ((ended.pk, {ended.pk}), (other.pk, set()), (draft.pk, set()), ("*", set())):
        with standing(cast.agency.pk, ended=asked):
            assert seen("referrals.Referral") == rows
            assert len(seen("people.DataKey")) == len(rows)


def test_counting_sees_all_that_was_with_them_and_not_a_word(cast, make_referral, make_case):
    ended = make_referral("declined")
    make_referral(
        "declined", agency=cast.other_agency, need="exit_support", by=cast.stranger, case=make_case(by=cast.stranger)
    )
    make_referral("draft")
    with standing(cast.agency.pk, counts="true"):
        assert seen("referrals.Referral") == {ended.pk}
        assert seen("people.DataKey") == set()


# -- by a link -----------------------------------------------------------------------------------------------------------


def test_a_link_shows_its_handover_and_the_words_once_its_code_is_given(cast, make_referral, world):
    sent = make_referral("sent")
    first, _code = make_look(by=cast.caseworker, referral=sent)
    look, code = make_look(by=cast.caseworker, referral=sent)
    with standing(look=look.pk):
        assert seen("referrals.Referral") == {sent.pk} and seen("people.DataKey") == set()
        assert seen("referrals.FirstLook") == {first.pk, look.pk}
        assert seen("referrals.AgencyMember") == set() == seen("referrals.Message")
    open_look(look=look, code=code)
    with standing(look=look.pk):
        assert seen("people.DataKey") == {sent.case.key_id}
        assert seen("referrals.PartnerAgency") == {cast.agency.pk}
        assert seen("people.User") == {cast.caseworker.pk}
    with standing(look=first.pk):
        assert seen("people.DataKey") == set()
    with clock.at(clock.now() + FirstLook.LASTS), standing(look=look.pk):
        assert seen("people.DataKey") == set()
    actions.accept(by=None, referral=sent, way="link")
    with standing(look=look.pk):
        assert seen("referrals.Referral") == set() == seen("referrals.FirstLook")


def test_a_link_of_a_question_shows_that_question_alone(cast, world):
    asked = apps.get_model("referrals.PreAnswer").objects.get(agency=cast.agency)
    with standing(pre_answer=asked.pk):
        assert seen("referrals.PreAnswer") == {asked.pk}
        assert seen("referrals.PreQuestion") == {asked.question_id}
        assert seen("referrals.Referral") == set() == seen("people.DataKey")
        assert seen("referrals.PartnerAgency") == {cast.agency.pk}


# -- columns, and writing --------------------------------------------------------------------------------------------------


def refused(sql: str, match: str = "permission denied") -> None:
    with pytest.raises(DatabaseError, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_nothing_is_written_and_no_other_column_is_read(world, cast):
    for walled in WALL:
        columns = [field.column for field in apps.get_model(walled.model)._meta.concrete_fields]
        with standing(cast.agency.pk):
            for column in set(columns) - set(walled.columns):
                refused(f'SELECT "{column}" FROM {walled.table}')  # noqa: S608
            refused(f"DELETE FROM {walled.table}")  # noqa: S608
            refused(f'UPDATE {walled.table} SET "{walled.columns[0]}" = NULL')  # noqa: S608
            refused(f'INSERT INTO {walled.table} ("{walled.columns[0]}") VALUES (NULL)')  # noqa: S608
            refused(f"TRUNCATE {walled.table}")


@pytest.mark.parametrize(
    ("model", "columns"),
    {
        "referrals.Referral": {"kept_back", "ground_reason", "created_by_id"},
        "intake.Case": {"code", "safe_contact", "passphrase", "milieu", "track", "caller_type", "municipality_id"},
        "people.User": {"password", "is_superuser"},
        "referrals.FirstLook": {"code"},
    }.items(),
)
def test_what_is_ours_alone_is_in_no_column_that_is_read(model, columns):
    walled = next(one for one in WALL if one.model == model)
    known = {field.column for field in apps.get_model(model)._meta.concrete_fields}
    assert columns <= known and not columns & set(walled.columns)


def test_no_other_table_is_read_at_all(db):
    walled = {one.table for one in WALL}
    with connection.cursor() as cursor:
        others = set(connection.introspection.table_names(cursor)) - walled
    assert {"intake_call", "intake_note", "intake_event", "people_notice", "django_session"} <= others
    with behind_the_wall({}):
        for table in others:
            refused(f"SELECT * FROM {table}")  # noqa: S608


def test_the_application_still_sees_every_row(world):
    assert Referral.objects.filter(state="draft").count() == 2
    assert DataKey.objects.count() >= 4 and AgencyMember.objects.count() == 2
