"""The log as the reviewer reads it: who, when, from where, what, whose and why; and every event that is logged has words."""

import ast
import datetime as dt
import re

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils import translation

from helpline.log_events import LOG_EVENTS, LOG_WHYS
from helpline.log_views import SIZE
from helpline.people import clock
from helpline.people.audit import log
from helpline.people.models import LogEntry, Role, User
from intake import actions as intake
from intake import labels
from tests.house.conftest import world  # noqa: F401  a world in which every page has something to show

URL = "log:list"


@pytest.fixture
def reviewer(cast) -> User:
    found = getattr(cast, "reviewer", None)
    return found or User.objects.create(username="rut", first_name="Rut", role=Role.REVIEWER, language="en")


def html(client, **asked) -> str:
    return client.get(reverse(URL), asked).content.decode()


# -- the page ----------------------------------------------------------------------------------------------------------


def test_it_says_who_when_whence_what_whose_and_why(reviewer, cast, client_of, make_case, at):
    case = make_case(track="B", caller_name="Maja Lind", notes={"seen": "en kniv"})
    with at("2026-11-20 14:05"):
        client_of(cast.caseworker).get(reverse("intake:case", args=[case.slug]), REMOTE_ADDR="192.0.2.7")
    page = html(client_of(reviewer), who=cast.caseworker.pk, number=case.number, first="2026-11-20", last="2026-11-20")
    for word in ("Anna", "Caseworker", "Read a case", case.number, "192.0.2.7", "14.05", "own case"):
        assert word in page, word
    for word in ("Maja", "Lind", "kniv", str(case.pk)):
        assert word not in page


@pytest.mark.parametrize("who", ["caseworker", "manager", "stranger", "partner", "keeper"])
def test_nobody_else_reads_it(who, cast, client_of):
    assert client_of(getattr(cast, who)).get(reverse(URL)).status_code == 403
    [row] = LogEntry.objects.filter(event="access.refused")
    assert (row.user, row.codes["view"]) == (getattr(cast, who), URL)


def test_a_form_is_refused(reviewer, client_of):
    assert client_of(reviewer).post(reverse(URL)).status_code == 405


def test_asking_is_a_row(reviewer, cast, client_of, make_case):
    case = make_case()
    html(client_of(reviewer), who=cast.manager.pk, number=case.number, first="2026-11-01", last="2026-11-02")
    [row] = LogEntry.objects.filter(event="log.read")
    assert (row.user, row.case, row.role) == (reviewer, case.pk, "reviewer")
    assert row.codes == {"of": str(cast.manager.pk), "first": "2026-11-01", "last": "2026-11-02"}
    assert str(LOG_EVENTS["log.read"]) in html(
        client_of(reviewer), who=reviewer.pk
    )  # one's own too: to see, not to review


def test_by_person_by_number_and_by_day(reviewer, cast, client_of, make_case, at):
    with at("2026-11-02 10:00"):
        one, other = make_case(), make_case(by=cast.colleague)
    theirs = client_of(reviewer)
    by_number = rows_of(html(theirs, number=one.code))
    assert one.number in by_number and other.number not in by_number and "Bert" not in by_number
    by_person = rows_of(html(theirs, who=cast.colleague.pk))
    assert other.number in by_person and one.number not in by_person
    assert one.number in rows_of(html(theirs, first="2026-11-02", last="2026-11-02"))
    assert one.number not in rows_of(html(theirs, first="2026-11-03", who=cast.caseworker.pk))
    assert one.number not in rows_of(html(theirs, last="2026-11-01"))
    assert "Anna" not in rows_of(html(theirs, who="nobody"))


def rows_of(page: str) -> str:
    return page.partition("<tbody>")[2].partition("</tbody>")[0]


def test_a_list_that_showed_the_case_is_found_by_its_number(reviewer, cast, client_of, make_case):
    one, other = make_case(), make_case()
    log("cases.listed", by=cast.manager, cases=[str(one.pk)])
    theirs = client_of(reviewer)
    assert "Read a list of cases" in rows_of(html(theirs, number=one.number))
    assert "Cecilia" not in rows_of(html(theirs, number=other.number))


def test_a_refused_attempt_is_found_by_the_number_that_was_tried(reviewer, cast, client_of, make_case):
    case = make_case()
    assert client_of(cast.stranger).get(reverse("intake:case", args=[case.slug])).status_code == 404
    page = rows_of(html(client_of(reviewer), number=case.number))
    assert "Doris" in page and "Refused: a case" in page


@pytest.mark.parametrize("asked", [{"number": "ingen alls 99"}, {"number": "x\0"}, {"who": "987"}, {"first": "31 Feb"}])
def test_what_cannot_be_asked_is_said_and_asks_nothing(asked, reviewer, client_of):
    answer = client_of(reviewer).get(reverse(URL), asked)
    assert answer.status_code == 422 and rows_of(answer.content.decode()) == ""
    assert not LogEntry.objects.filter(event="log.read").exists()


def test_it_goes_on_by_key_and_leaves_nothing_out(reviewer, cast, client_of):
    for number in range(SIZE * 2 + 3):
        log("case.searched", by=cast.manager, row=number)
    seen, key, pages = [], "", 0
    theirs = client_of(reviewer)
    while pages < 5:
        answer = theirs.get(reverse(URL), {"who": cast.manager.pk, **({"after": key} if key else {})})
        seen += [row.entry.row for row in answer.context["rows"]]
        key, pages = answer.context["next_key"], pages + 1
        if not key:
            break
    assert pages == 3 and seen == [str(number) for number in reversed(range(SIZE * 2 + 3))]


@pytest.mark.parametrize(
    "key", ["nothing", "2026-11-20,1", "2026-11-20T10:00:00+00:00,x", "9" * 40, "\0", "2026-02-31T1:1,1"]
)
def test_a_bad_key_is_the_first_page(key, reviewer, client_of):
    assert client_of(reviewer).get(reverse(URL), {"after": key}).status_code == 200


def test_its_cost_does_not_grow(reviewer, cast, client_of, make_case, django_assert_max_num_queries):
    for _turn in range(3):
        make_case()
    theirs = client_of(reviewer)
    theirs.get(reverse(URL))
    with django_assert_max_num_queries(16):
        theirs.get(reverse(URL))


def test_it_reads_by_an_index(db):
    """No way of asking reads the whole log."""
    ways = {
        "log_by_time": "SELECT id FROM people_logentry ORDER BY at DESC, id DESC LIMIT 51",
        "log_by_user": "SELECT id FROM people_logentry WHERE user_id = 7 AND id < 900 ORDER BY id DESC LIMIT 51",
        "log_by_case": 'SELECT id FROM people_logentry WHERE "case" = gen_random_uuid() ORDER BY id LIMIT 51',
        "log_by_listed": """SELECT id FROM people_logentry WHERE codes ? 'cases' AND codes @> '{"cases": ["x"]}'""",
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for index, query in ways.items():
            if index == "log_by_case":
                query = query.replace("gen_random_uuid()", "'00000000-0000-7000-8000-000000000000'")
            cursor.execute(f"EXPLAIN {query}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert index in plan or "Index Scan" in plan, (index, plan)


# -- every event has words ---------------------------------------------------------------------------------------------

FLOORS = ("helpline", "intake", "referrals")
WRITE = {"log", "record", "_log", "_write", "_tell", "_keep"}
KIND = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")


def written_events() -> set[str]:
    """Every event that stands in a call which writes the log, in the sources; also where it has a name, or is composed."""
    paths = [
        path for floor in FLOORS for path in (settings.BASE_DIR / floor).rglob("*.py") if "drill" not in path.parts
    ]
    trees = [list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) for path in paths]
    named = {one for tree in trees for one in names_written(tree)}
    return {event for tree in trees for event in events_in(tree, named)}


def names_written(tree: list[ast.AST]) -> set[str]:
    """Constants that stand for an event where the log is written: MANY, HELD."""
    calls = [node for node in tree if isinstance(node, ast.Call) and node.args and name_of(node.func) in WRITE]
    found = {one.id for node in calls for one in ast.walk(node.args[0]) if isinstance(one, ast.Name)}
    return {name for name in found if name.isupper()}


def constants(node: ast.AST) -> set[str]:
    values = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
    return {value for value in values if isinstance(value, str) and KIND.fullmatch(value)}


def readings(call: ast.Call) -> set[str]:
    """A door that is told `of` what it is opened for writes both readings of that."""
    of = [word.value.value for word in call.keywords if word.arg == "of" and isinstance(word.value, ast.Constant)]
    return {f"{noun}.{verb}" for noun in of for verb in ("read", "used")}


def events_in(tree: list[ast.AST], named: set[str]) -> set[str]:
    found = set()
    for node in tree:
        if isinstance(node, ast.Call):
            found |= constants(node.args[0]) if node.args and name_of(node.func) in WRITE else set()
            found |= {one for word in node.keywords if word.arg == "event" for one in constants(word.value)}
            found |= readings(node) if name_of(node.func) == "case_for" else set()
        targets = list(ast.walk(node.targets[0])) if isinstance(node, ast.Assign) else []
        if {name_of(one) for one in targets} & {"event", *named}:
            found |= constants(node.value)
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[1], ast.Dict):
            found |= constants(node.elts[0])  # what a door is told to write
    return found


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def test_every_event_that_is_logged_has_words():
    written = written_events()
    assert len(written) > 80 and "case.refused" in written and "note.signed" in written
    assert {"user.login_failed", "person.used", "search.many", "retention.held", "referral.nudged_again"} <= written
    missing = (written | set(labels.EVENTS)) - set(LOG_EVENTS)
    assert missing == set(), "give them words in helpline/log_events.py"


def test_a_failed_log_in_says_whose_account_was_tried_and_nothing_that_was_typed(cast, client, client_of, reviewer):
    for name in (cast.keeper.username, "bosse-hemlig"):
        client.post(reverse("account_login"), {"login": name, "password": "hemligare-an-hemligt"})
    with clock.at(clock.now() + dt.timedelta(minutes=1)):
        page = html(client_of(reviewer))
    rows = list(LogEntry.objects.filter(event="user.login_failed").order_by("id"))
    from helpline.log_shown import shown

    assert [one.whose for one in shown(rows, reviewer)] == [f"the account of {cast.keeper}", "no account of ours"]
    assert str(cast.keeper) in page and "bosse" not in page and "hemligare" not in page and "login_failed" not in page


def test_no_words_are_of_an_event_that_nobody_writes():
    sources = "".join(
        path.read_text(encoding="utf-8")
        for floor in FLOORS
        for path in (settings.BASE_DIR / floor).rglob("*.py")
        if path.name != "log_events.py"
    )
    composed = {
        f"{noun}.{verb}" for noun in ("case", "call", "referral", "person") for verb in ("read", "used", "refused")
    }
    composed |= {f"contact.{outcome}" for outcome in ("reached", "no_answer", "message")}
    unknown = {event for event in LOG_EVENTS if f'"{event}"' not in sources} - composed
    moves = {event for event in unknown if event.startswith("referral.")}
    from referrals.states import MOVES

    assert unknown - moves == set() and moves <= {move.event for move in MOVES.values()}


def test_each_event_has_words_of_its_own():
    with translation.override("sv"):
        said = [str(words) for words in LOG_EVENTS.values()]
    assert len(said) == len(set(said)), sorted(word for word in set(said) if said.count(word) > 1)


# -- what shows a case, a call or a handover leaves a reading row -------------------------------------------------------

# Where the number and the owner alone are shown, before any word: to give the reason, to assign it, to plan a step, to keep it.
UNREAD = {"intake:case-reason", "intake:case-reassign", "disposals:case-keep", "case-step"}
OF_A_ROW = {"intake:call", "intake:call-after", "intake:call-note-amend", "referrals:referral", "portal:referral"}
BY_OFFICE = {"staff.read"}  # a manager's, by the role alone: no right to the case itself


def test_each_page_of_a_case_a_call_or_a_handover_is_one_reading(cast, client_of, world):  # noqa: F811
    from tests.house.conftest import address
    from tests.house.streets import MORE_PAGES, STREETS

    wrong, walked = {}, 0
    for name, street in [*STREETS.items(), *MORE_PAGES]:
        shows = "code" in street.where or name in OF_A_ROW
        who = next((who for who in cast.everybody() if street.answer("GET", who) == 200), None)
        if not shows or who is None or name in UNREAD:
            continue
        client = client_of(cast.everybody()[who])
        before = LogEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
        assert client.get(address(name, street, world)).status_code == 200, name
        rows = LogEntry.objects.filter(Q(event__endswith=".read") | Q(event="after.shown"), id__gt=before)
        told = [(row.event, row.why) for row in rows]
        walked += 1
        why = told[0][1] in LOG_WHYS or told[0][0] in BY_OFFICE if told else False
        if len(told) != 1 or not (rows[0].case or rows[0].call) or not why or not rows[0].user:
            wrong[name] = (who, told)
        if any(row.event not in LOG_EVENTS for row in rows):
            wrong[name] = "no words"
    assert walked >= 20 and wrong == {}, wrong


def test_a_row_of_the_log_has_no_words_of_a_case(reviewer, cast, client_of, make_case):
    case = make_case(track="B", caller_name="Maja Lind", notes={"seen": "en kniv"})
    intake.add_note(by=cast.caseworker, case=case, kind="assessment", text="Hemlig bedömning")
    with clock.at(clock.now() + dt.timedelta(minutes=1)):
        page = html(client_of(reviewer), number=case.number)
    for word in ("Maja", "Lind", "kniv", "Hemlig"):
        assert word not in page


@pytest.mark.parametrize(
    "query", [{"last": "9999-12-31"}, {"first": "0001-01-01"}, {"first": "9999-12-31"}, {"last": "0001-01-01"}]
)
def test_a_day_at_the_end_of_the_calendar_is_refused_at_its_field(query, reviewer, client_of):
    answer = client_of(reviewer).get(reverse(URL), query)
    assert answer.status_code == 422 and "between 2000 and 2999" in answer.content.decode()


@pytest.mark.parametrize(
    "after", ["9999-12-31T23:59:59+00:00,5", "0001-01-01T00:00:00+14:00,5", "9999-12-31T23:59:59-14:00,5"]
)
def test_a_key_of_no_page_is_no_fault(after, reviewer, client_of):
    assert client_of(reviewer).get(reverse(URL), {"after": after}).status_code == 200
