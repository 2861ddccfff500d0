"""Stepping behind the second wall and out again: no role is left to anybody, whatever happens in between."""

from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.template.response import SimpleTemplateResponse

from helpline.people import wall, wall_sql
from helpline.people.audit import log
from helpline.people.grants import grant_application_role
from helpline.people.models import LogEntry
from helpline.people.wall import as_granted, behind_the_wall, beyond_the_wall, by_us, is_behind
from intake.models import Case
from referrals.portal_urls import urlpatterns
from referrals.portal_wall import walled

NOBODY = SimpleNamespace(user=AnonymousUser(), method="GET")
pytestmark = pytest.mark.django_db


def ask(question: str, *values):
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchone()[0]


def role() -> str:
    return ask("SELECT current_user")


def is_ours() -> bool:
    """Whether nothing of the wall is left: the role, and what we think that it is."""
    return role() == settings.APP_ROLE and not is_behind()


def test_there_is_a_wall():
    assert wall.stands() and wall_sql.faults_of_wall() == []


def test_every_page_of_the_portal_reads_behind_it():
    assert urlpatterns and all(pattern.callback.walled for pattern in urlpatterns)


def test_a_view_reads_as_the_portal_and_acts_as_the_application(db):
    seen = []

    def view(request):
        seen.append(role())
        seen.append(by_us(role))
        with beyond_the_wall(), beyond_the_wall():
            seen.append(role())
        seen.append(role())
        return HttpResponse()

    assert walled(view)(NOBODY).status_code == 200
    assert seen == [settings.PORTAL_ROLE, settings.APP_ROLE, settings.APP_ROLE, settings.PORTAL_ROLE]
    assert is_ours()


def test_elsewhere_there_is_no_wall_to_go_beyond():
    with beyond_the_wall():
        assert is_ours()
    wall.stand_also(agency=1)
    assert not ask("SELECT coalesce(current_setting('helpline.agency', true), '')")


def broken_sql(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def swallowed_sql(request):
    try:
        broken_sql(request)
    except DatabaseError:
        return HttpResponse()


def swallowed_in_a_block(request):
    try:
        with beyond_the_wall():
            broken_sql(request)
    except DatabaseError:
        return HttpResponse()


def refused_beyond(request):
    def act():
        raise ValueError("no")

    try:
        by_us(act)
    except ValueError:
        assert role() == settings.PORTAL_ROLE
        raise


def streamed(request):
    return StreamingHttpResponse(iter(["a"]))


FAULTS = {
    broken_sql: DatabaseError,
    swallowed_sql: DatabaseError,
    swallowed_in_a_block: DatabaseError,
    refused_beyond: ValueError,
    streamed: RuntimeError,
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_leaves_no_role_behind(fault):
    with pytest.raises(FAULTS[fault]):
        walled(fault)(NOBODY)
    assert is_ours()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nor_to_the_next_request_of_the_same_connection(fault):
    before = ask("SELECT pg_backend_pid()")
    with pytest.raises(FAULTS[fault]):
        walled(fault)(NOBODY)
    assert is_ours() and ask("SELECT pg_backend_pid()") == before
    assert not connection.in_atomic_block and not ask("SELECT coalesce(current_setting('helpline.today', true), '')")


@pytest.mark.django_db(transaction=True)
def test_what_is_called_at_the_commit_is_called_as_the_application():
    called = []

    def view(request):
        transaction.on_commit(lambda: called.append(role()))
        return HttpResponse()

    walled(view)(NOBODY)
    assert called == [settings.APP_ROLE] and is_ours()


def test_a_savepoint_that_is_rolled_back_within_leaves_us_where_we_were():
    def view(request):
        for role_within in (wall.by_us, lambda do: do()):
            with pytest.raises(DatabaseError), transaction.atomic():
                role_within(lambda: broken_sql(request))
            assert role() == settings.PORTAL_ROLE
        return HttpResponse()

    assert walled(view)(NOBODY).status_code == 200
    assert is_ours()


@pytest.mark.parametrize("answer", [Http404, PermissionDenied])
def test_what_was_logged_before_a_refusal_stays(answer):
    def view(request):
        log("referral.read", by=None, row="kept")
        raise answer

    with pytest.raises(answer):
        walled(view)(NOBODY)
    assert is_ours() and LogEntry.objects.filter(row="kept").count() == 1


def test_a_page_that_is_written_late_is_written_behind_the_wall():
    late = SimpleTemplateResponse("none.html")
    late.resolve_template = lambda _name: SimpleNamespace(render=lambda *_rest: role())
    assert walled(lambda request: late)(NOBODY).content.decode() == settings.PORTAL_ROLE


def test_a_row_of_the_log_is_written_and_none_is_read():
    with behind_the_wall({}):
        log("referral.read", by=None)
        for question in ("SELECT event FROM people_logentry", "DELETE FROM people_logentry"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                ask(question)


def test_only_what_is_granted_is_asked_for():
    sql = str(as_granted(Case.objects.all(), "key").query)
    assert "wrapped" in sql and "passphrase" not in sql and '"code"' not in sql


def test_without_its_role_the_demo_works_without_a_wall(monkeypatch):
    wall.stands.cache_clear()
    monkeypatch.setattr(settings, "PORTAL_ROLE", "nobody_of_this_name")
    try:
        assert walled(lambda request: HttpResponse(role()))(NOBODY).content.decode() == settings.APP_ROLE
        wall.stands.cache_clear()
        monkeypatch.setattr(settings, "DEMO", False)
        with pytest.raises(DatabaseError):
            walled(lambda request: HttpResponse(role()))(NOBODY)
    finally:
        wall.stands.cache_clear()
    assert is_ours()


# -- raised, and looked after ------------------------------------------------------------------------------------------


def test_migrate_says_what_makes_a_role_that_it_may_not_make(monkeypatch, capsys):
    monkeypatch.setattr(settings, "PORTAL_ROLE", "nobody_of_this_name")
    assert not wall_sql.make_role("default")
    assert "WARNING" in (warned := capsys.readouterr().err) and 'CREATE ROLE "nobody_of_this_name" NOLOGIN' in warned
    monkeypatch.setattr(settings, "DEMO", False)
    with pytest.raises(CommandError, match="WITH INHERIT FALSE, SET TRUE"):
        wall_sql.make_role("default")
    (fault,) = wall_sql.faults_of_wall()
    assert "role of the portal is missing" in fault


GOOD = [True, False, False, False, False, False, False]  # as ROLE answers


@pytest.mark.parametrize(
    ("place", "says"),
    [(1, "INHERIT"), (2, "bypasses"), (3, "owns tables"), (4, "log in"), (5, "member"), (6, "application's own")],
)
def test_a_role_that_is_no_wall_is_refused_at_the_start(place, says, monkeypatch):
    row = [value or index == place for index, value in enumerate(GOOD)]
    monkeypatch.setattr(wall_sql, "ROLE", f"SELECT {', '.join(map(str, row))} WHERE %s <> '' AND %s <> ''")
    (fault,) = wall_sql.faults_of_wall()
    assert says in fault


@pytest.mark.parametrize(
    "opened",
    ["ALTER TABLE intake_case DISABLE ROW LEVEL SECURITY", "DROP POLICY portal_reads ON intake_case"],
)
def test_a_table_that_stands_open_is_refused_at_the_start(opened):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(opened)
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
    (fault,) = wall_sql.faults_of_wall()
    assert "intake_case" in fault and "referrals" not in fault


def test_raising_it_again_changes_nothing_and_lowering_it_shows_nothing():
    count = "SELECT count(*) FROM pg_policies WHERE policyname IN ('ours_alone', 'portal_reads')"
    before = ask(count)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        wall_sql.raise_wall("default")
        assert ask(count) == before and wall_sql.faults_of_wall() == []
        wall_sql.lower_wall("default")
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")
    Case.objects.count()  # the application goes on
    with behind_the_wall({}):
        assert ask("SELECT count(*) FROM people_user") == 0


def test_nobody_else_creates_in_the_schema():
    """A table of one of our names, made by anybody, is a fault; migrating takes the right away again."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        (fault,) = wall_sql.faults_of_wall()
        assert "Anybody may create tables" in fault
        grant_application_role("default")
        assert wall_sql.faults_of_wall() == []
