"""The chain of the log: every committed row has its link, whoever commits beside it; and nobody writes it but the database."""

import datetime as dt
import threading

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from helpline.people import clock
from helpline.people.audit import log
from helpline.people.chain import verify
from helpline.people.models import LogEntry, LogLink
from intake import actions as intake

WAYS = {
    "insert": "INSERT INTO people_loglink VALUES (%(new)s, %(new)s, '\\x00')",
    "update": "UPDATE people_loglink SET hash = '\\x00' WHERE entry = %(entry)s",
    "update of the place": "UPDATE people_loglink SET place = NULL WHERE entry = %(entry)s",
    "delete": "DELETE FROM people_loglink WHERE entry = %(entry)s",
    "truncate": "TRUNCATE people_loglink",
}
FUNCTIONS = ["helpline_log_came", "helpline_log_chain"]


@pytest.fixture
def link(cast) -> LogLink:
    entry = log("case.read", by=cast.caseworker)
    connection.check_constraints()
    return LogLink.objects.get(entry=entry.pk)


def run(way: str, link: LogLink) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WAYS[way], {"entry": link.entry, "new": 10**12})


@pytest.mark.parametrize("way", WAYS)
def test_the_applications_role_reads_it_alone(way, link):
    with pytest.raises(DatabaseError, match="permission denied"):
        run(way, link)
    assert LogLink.objects.get(entry=link.entry).hash == link.hash


@pytest.mark.parametrize("way", [way for way in WAYS if way != "insert"])
def test_the_owner_is_stopped_by_a_trigger(way, link):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("ALTER TABLE people_loglink ENABLE TRIGGER link_no_truncate")  # off for the flush of tests
    with pytest.raises(DatabaseError, match="are never changed"):
        run(way, link)
    assert LogLink.objects.get(entry=link.entry).hash == link.hash


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_calls_what_writes_it(function, link):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT prosecdef, proconfig, has_function_privilege(%s, oid, 'EXECUTE') FROM pg_proc WHERE proname = %s",
            [settings.APP_ROLE, function],
        )
        (as_owner, config, may_call) = cursor.fetchone()
    # With the owner's rights, so with a search path that nobody else can put a table of their own into.
    assert as_owner and config == ["search_path=public, pg_temp"] and not may_call
    call = f"SELECT {function}()"
    with pytest.raises(DatabaseError, match="permission denied|can only be called as trigger"), transaction.atomic():
        connection.cursor().execute(call)


def as_owner(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(statement)
        cursor.execute(f"SET LOCAL ROLE {settings.APP_ROLE}")


def test_the_role_makes_no_table_of_its_own(link):
    """One of the same name would stand before ours in what a trigger looks up."""
    for table in ("TEMP TABLE people_disposalitem", "TABLE people_mine"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(f"CREATE {table} (id int)")


def test_a_table_of_the_same_name_would_take_no_row_of_the_chain(cast):
    """Even where the role may make one."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    as_owner(f"GRANT TEMPORARY ON DATABASE {name} TO {settings.APP_ROLE}")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE people_loglink (LIKE public.people_loglink) ON COMMIT DROP")
        entry = log("case.read", by=cast.caseworker)
        connection.check_constraints()
        cursor.execute("SELECT count(*) FROM public.people_loglink WHERE entry = %s AND place IS NOT NULL", [entry.pk])
        assert cursor.fetchone()[0] == 1
        cursor.execute("SELECT count(*) FROM pg_temp.people_loglink")
        assert cursor.fetchone()[0] == 0
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE mine (LIKE public.people_logentry)")
        cursor.execute(
            "CREATE TRIGGER mine AFTER INSERT ON pg_temp.mine FOR EACH ROW EXECUTE FUNCTION public.helpline_log_came()"
        )


def test_what_is_rolled_back_leaves_no_gap(cast, link):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        log("case.read", by=cast.manager)
        raise ZeroDivisionError
    log("case.read", by=cast.manager)
    connection.check_constraints()
    assert LogLink.objects.latest("place").place == link.place + 1 and verify()[1] == []


# -- many at once ------------------------------------------------------------------------------------------------------

WRITERS, ROUNDS = 6, 12


def at_once(*jobs) -> list[BaseException]:
    """Run each job in a thread of its own, all begun together. Returns what they raised."""
    barrier, raised = threading.Barrier(len(jobs)), []

    def run(job) -> None:
        try:
            barrier.wait()
            job()
        except BaseException as error:  # noqa: BLE001  it is what the test looks at
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


@pytest.mark.django_db(transaction=True)
def test_many_that_commit_at_once(cast):
    """Two or three rows a transaction; and who verifies meanwhile is told nothing wrong."""
    before, alarms = LogEntry.objects.count(), []

    def write() -> None:
        for number in range(ROUNDS):
            with transaction.atomic():
                for _turn in range(2 + number % 2):
                    log("case.read", by=cast.caseworker, number=number)

    def watch() -> None:
        for _turn in range(ROUNDS):
            alarms.extend(verify()[1])

    assert at_once(*[write] * WRITERS, watch, watch) == []
    count, findings = verify()
    assert alarms == [] == findings
    assert count == LogEntry.objects.count() == before + WRITERS * ROUNDS * 5 // 2


@pytest.mark.django_db(transaction=True)
def test_beside_changes_of_the_same_case_nobody_waits_in_a_ring(cast, make_case):
    """The deferred trigger of the case locks its row at commit; the chain is taken after it, always in that order."""
    cases = [make_case(), make_case()]

    def plan(first: int) -> None:
        for number in range(ROUNDS // 2):
            case = cases[(first + number) % 2]
            intake.plan_step(
                by=cast.caseworker, case=case, what="Ring.", due_at=clock.now() + dt.timedelta(hours=1 + number)
            )

    def read() -> None:
        for _turn in range(ROUNDS):
            log("case.read", by=cast.manager, case=cases[0].pk)

    jobs = [lambda first=number: plan(first) for number in range(WRITERS)]
    assert at_once(*jobs, read, read) == []
    assert verify()[1] == [] and verify()[0] == LogEntry.objects.count()
